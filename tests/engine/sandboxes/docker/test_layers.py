"""Packages kept ready, one layer for each lock file, and the sandboxes that wait on them for new projects."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import docker
import pytest

from tests.engine.sandboxes.conftest import until
from tests.engine.sandboxes.contract import PACKAGES, run, texts
from tests.engine.sandboxes.docker.homes import (
    DockerHome,
    Opened,
    egress_to,
    eventually,
    opened,
    things_of,
    write_project,
)
from tests.engine.sandboxes.egress.tiny_registry import TinyRegistry, tiny_registry
from tests.support.docker_engines import Dockerd, kept_images
from vibedesk.engine.sandboxes.docker.containers import LAYER_LABEL
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
from vibedesk.engine.sandboxes.driver import Exited

BIG = "x" * 3_000_000


@pytest.fixture
async def registry() -> AsyncIterator[TinyRegistry]:
    async with tiny_registry() as made:
        made.publish("left", "1.0.0", f"module.exports = 'left' // {BIG}\n")
        made.publish("right", "1.0.0")
        yield made


@pytest.fixture
async def docker_home(
    docker_host: str, docker_image: str, registry: TinyRegistry, tmp_path: Path
) -> AsyncIterator[DockerHome]:
    async with egress_to(registry.address, tmp_path / "tarballs") as make_egress:
        made = DockerHome(docker_host, tmp_path, make_egress)
        yield made
        await made.aclose()


def layer_of(client: docker.DockerClient, home: DockerHome, place: Opened) -> str:
    volume = client.volumes.get(f"vibedesk-{home.owner}-{place.sandbox.key}-app")
    return str(volume.attrs["Labels"][LAYER_LABEL])


async def test_one_layer_serves_all_projects_with_a_lock_file(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
) -> None:
    driver = docker_home.driver()
    specs = [docker_home.spec(name) for name in ("one", "two", "three")]
    write_project(specs[0].folder, registry, {"left": "1.0.0"}, name="one", version="1.2.3")
    write_project(specs[1].folder, registry, {"left": "1.0.0"}, name="two", license="MIT")
    write_project(specs[2].folder, registry, {"left": "1.0.0", "right": "1.0.0"})
    one, two = await asyncio.gather(*(opened(driver, spec) for spec in specs[:2]))
    layers = {layer_of(docker_client, docker_home, place) for place in (one, two)}
    assert {layer.name for layer in (await driver.kept()).layers} == layers
    assert len(layers) == 1
    assert registry.asked["left/-/left-1.0.0.tgz"] == 1
    said = [line.text for place in (one, two) for line in place.lines]
    assert said.count("Installing the packages once, to keep them ready.") == 1

    three = await opened(driver, specs[2])
    assert layer_of(docker_client, docker_home, three) not in layers
    assert len((await driver.kept()).layers) == 2
    assert (await driver.kept()).used_layers >= layers

    for place in (one, two, three):
        assert await place.sandbox.has(PACKAGES)
        assert texts(await run(place.sandbox, "node", "-p", "require('left')")) == ["left"]
    # What one of them does to its packages no other one sees, and the next project neither.
    poison = "echo \"module.exports = 'poison'\" > node_modules/left/index.js"
    assert (await run(one.sandbox, "sh", "-c", poison))[-1] == Exited(0)
    four = docker_home.spec("four")
    write_project(four.folder, registry, {"left": "1.0.0"})
    for place in (two, await opened(driver, four)):
        assert texts(await run(place.sandbox, "node", "-p", "require('left')")) == ["left"]
    assert texts(await run(one.sandbox, "node", "-p", "require('left')")) == ["poison"]


async def test_another_package_adds_only_itself(
    docker_home: DockerHome, registry: TinyRegistry
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    write_project(spec.folder, registry, {"left": "1.0.0"})
    place = await opened(driver, spec)
    registry.asked.clear()
    added = await run(place.sandbox, "npm", "install", "--save-exact", "right@1.0.0")
    assert added[-1] == Exited(0)
    # The one before comes neither from the registry nor onto the disk again.
    assert [path for path in registry.asked if path.endswith(".tgz")] == ["right/-/right-1.0.0.tgz"]
    (sandbox,) = (await driver.kept()).sandboxes
    assert sandbox.bytes < len(BIG)
    assert texts(await run(place.sandbox, "node", "-p", "require('left') + require('right')")) == [
        "leftright@1.0.0"
    ]
    await place.sandbox.pull(["package.json", "package-lock.json"])
    lock = json.loads((place.folder / "package-lock.json").read_text())
    assert set(lock["packages"]) == {"", "node_modules/left", "node_modules/right"}
    registry.asked.clear()
    removed = await run(place.sandbox, "npm", "uninstall", "left")
    assert removed[-1] == Exited(0)
    assert [path for path in registry.asked if path.endswith(".tgz")] == []
    assert (await run(place.sandbox, "test", "-e", "node_modules/left"))[-1] == Exited(1)


async def test_a_lock_file_that_cannot_be_installed_says_so_where_installs_are_told(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    write_project(spec.folder, registry, {"left": "9.9.9"})
    place = await opened(driver, spec)
    assert not await place.sandbox.has(PACKAGES)
    outputs = await run(place.sandbox, "npm", "ci", timeout=60)
    assert outputs[-1] == Exited(1)
    assert any("ETARGET" in line or "E404" in line for line in texts(outputs, "stderr"))
    kept = await driver.kept()
    assert kept.layers == []
    assert [each.name for each in kept.sandboxes] == [place.sandbox.key]
    assert len(things_of(docker_client, docker_home.owner).containers) == 2


@pytest.mark.parametrize("why", ["script", "folder", "nothing"])
async def test_packages_that_belong_to_the_project_get_no_layer(
    docker_home: DockerHome, registry: TinyRegistry, why: str
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    if why == "script":
        scripts = {"postinstall": "touch node_modules/made-by-the-project"}
        write_project(spec.folder, registry, {"left": "1.0.0"}, scripts=scripts)
    elif why == "folder":
        write_project(spec.folder, registry, {"left": "1.0.0"})
        path = spec.folder / "package-lock.json"
        lock = json.loads(path.read_text())
        lock["packages"]["own"] = {"version": "1.0.0"}
        lock["packages"]["node_modules/own"] = {"resolved": "own", "link": True}
        path.write_text(json.dumps(lock))
    place = await opened(driver, spec)
    assert not await place.sandbox.has(PACKAGES)
    assert (await driver.kept()).layers == []
    if why == "script":
        assert (await run(place.sandbox, "npm", "ci"))[-1] == Exited(0)
        assert (await run(place.sandbox, "test", "-e", "node_modules/made-by-the-project"))[
            -1
        ] == Exited(0)


async def test_breaking_off_leaves_nothing_half(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    write_project(spec.folder, registry, {"left": "1.0.0"})
    registry.hold = asyncio.Event()
    opening = asyncio.create_task(opened(driver, spec))
    await until(lambda: registry.asked, "the install asks for its packages")
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await driver.aclose()
    registry.hold.set()
    registry.hold = None

    second = docker_home.driver()
    await second.prepare()
    ours = f"vibedesk-{docker_home.owner}"
    left = things_of(docker_client, docker_home.owner)
    assert left.containers == {f"{ours}-keeper"}
    assert left.volumes == {f"{ours}-store"}
    kept = await second.kept()
    assert (kept.layers, kept.sandboxes) == ([], [])
    assert list((docker_home.folder / "cache" / "locks").iterdir()) == []
    place = await opened(second, spec)
    assert await place.sandbox.has(PACKAGES)


class TestStarters:
    """The packages of what projects may begin with are there before anybody asks."""

    @pytest.fixture
    def starters(self, docker_home: DockerHome, registry: TinyRegistry) -> list[Path]:
        folders = [docker_home.folder / name for name in ("one", "two", "three", "python")]
        write_project(folders[0], registry, {"left": "1.0.0"})
        write_project(folders[1], registry, {"left": "9.9.9"})  # there is no such package
        write_project(folders[2], registry, {"right": "1.0.0"})
        folders[3].mkdir()
        return folders

    async def follow(
        self, driver: DockerDriver, docker_home: DockerHome, registry: TinyRegistry
    ) -> None:
        """Wait until both are kept; what begins with one of them then asks nobody for packages."""
        kept = 0
        async with asyncio.timeout(90):
            while kept < 2:
                await asyncio.sleep(0.1)
                kept = len((await driver.kept()).layers)
        registry.asked.clear()
        for name, package in (("first", "left"), ("second", "right")):
            spec = docker_home.spec(name)
            write_project(spec.folder, registry, {package: "1.0.0"}, name=name)
            assert await (await opened(driver, spec)).sandbox.has(PACKAGES)
        assert [path for path in registry.asked if path.endswith(".tgz")] == []
        assert len((await driver.kept()).layers) == 2

    async def test_each_has_one_layer(
        self, docker_home: DockerHome, registry: TinyRegistry, starters: list[Path]
    ) -> None:
        driver = docker_home.driver(pool_size=1)
        await driver.keep_warm(starters[0], starters[1:])
        await self.follow(driver, docker_home, registry)

    async def test_at_a_first_start_they_follow_the_image(
        self, docker_home: DockerHome, registry: TinyRegistry, starters: list[Path]
    ) -> None:
        with Dockerd() as engine:
            home = dataclasses.replace(docker_home, host=engine.host)
            driver = home.driver(pool_size=1, keep_image_tar=kept_images())
            await driver.keep_warm(starters[0], starters[1:])
            with contextlib.closing(engine.client(timeout=120)) as client:
                assert client.images.list() == [], "nothing is made that nobody wanted"
            await opened(driver, home.spec("wanted"))
            await self.follow(driver, home, registry)
            await driver.aclose()


class TestPool:
    """Sandboxes that are ready before anybody asks."""

    async def test_a_project_gets_the_one_that_waits_and_another_is_made(
        self, docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
    ) -> None:
        driver = docker_home.driver(pool_size=1)
        starter = docker_home.folder / "starter"
        write_project(starter, registry, {"left": "1.0.0"})
        await driver.warm(starter)
        pool = f"vibedesk-{docker_home.owner}-pool-"

        def waiting() -> list[str]:
            names = things_of(docker_client, docker_home.owner).containers
            return sorted(name for name in names if name.startswith(pool))

        (first,) = waiting()
        container = docker_client.containers.get(first)
        assert container.status == "running"

        other = docker_home.spec("other")
        write_project(other.folder, registry, {"right": "1.0.0"})
        await opened(driver, other)
        assert waiting() == [first]

        spec = docker_home.spec()
        write_project(spec.folder, registry, {"left": "1.0.0"}, name="mine")
        (spec.folder / "page.txt").write_text("mine")
        place = await opened(driver, spec)
        assert await place.sandbox.has(PACKAGES)
        assert texts(await run(place.sandbox, "cat", "page.txt")) == ["mine"]
        name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"

        def renamed() -> bool:
            container.reload()
            return container.name == name and waiting() not in ([], [first])

        await eventually(renamed, "it has the project's name, and there is another one")
        await driver.warm(starter)  # until it is started, too
        assert str(container.id)[:12] in await place.sandbox.shell_command()

        (second,) = waiting()
        docker_client.containers.get(second).kill()
        next_spec = docker_home.spec("next")
        write_project(next_spec.folder, registry, {"left": "1.0.0"})
        following = await opened(driver, next_spec)
        assert texts(await run(following.sandbox, "echo", "here")) == ["here"]
        await eventually(lambda: waiting() not in ([], [second]), "the dead one is replaced")

        await driver.aclose()
        assert waiting() == []
        keys = {each.sandbox.key for each in (place, following)}
        last = docker_home.driver()
        names = {each.name for each in (await last.kept()).sandboxes}
        assert keys < names
        assert len(names) == 3
