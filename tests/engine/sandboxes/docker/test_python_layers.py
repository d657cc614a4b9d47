"""Packages of Python projects kept ready: environment and lock file, from uv and an index on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import docker
import pytest

from tests.engine.sandboxes.contract import run, texts
from tests.engine.sandboxes.docker.homes import DockerHome, Opened, egress_to, opened
from tests.engine.sandboxes.docker.test_layers import layer_of
from tests.support.tiny_python_index import TinyIndex, tiny_index
from vibedesk.engine.builder.templates import UV
from vibedesk.engine.sandboxes.docker.containers import OWNER_LABEL
from vibedesk.engine.sandboxes.driver import Exited
from vibedesk.engine.sandboxes.egress.rules import NetworkRules

SAY = "import alpha; print(alpha.version)"
WHAT_UV_DID = (" + ", " - ", " ~ ")


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyIndex]:
    """An index; apps reach their own 127.0.0.1 without the way out, so it has another address."""
    with tiny_index("127.0.0.2") as made:
        made.publish("alpha", "1.0", "1.1")
        made.publish("beta", "1.0", "1.1", needs=["alpha"])
        monkeypatch.setenv("UV_DEFAULT_INDEX", made.address)
        yield made


@pytest.fixture
async def docker_home(
    docker_host: str, docker_image: str, index: TinyIndex, tmp_path: Path
) -> AsyncIterator[DockerHome]:
    async with egress_to("", tmp_path / "tarballs", python=(index.address,)) as make_egress:
        made = DockerHome(docker_host, tmp_path, make_egress)
        yield made
        await made.aclose()


def write_python(folder: Path, *packages: str, more: str = "") -> None:
    listed = ", ".join(f'"{package}"' for package in packages)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        f"dependencies = [{listed}]\n\n[tool.uv]\npackage = false\n{more}"
    )


async def said(place: Opened, code: str = SAY) -> list[str]:
    """Return what a program of the app's own environment prints."""
    return texts(await run(place.sandbox, ".venv/bin/python", "-c", code))


async def test_one_layer_serves_all_projects_that_begin_with_the_same_packages(
    docker_home: DockerHome, docker_client: docker.DockerClient, index: TinyIndex
) -> None:
    driver = docker_home.driver()
    specs = [docker_home.spec(name) for name in ("one", "two")]
    write_python(specs[0].folder, "alpha>=1.0")
    write_python(specs[1].folder, "alpha>=1.0", more="\n[tool.ruff]\nline-length = 90\n")
    one, two = await asyncio.gather(*(opened(driver, spec) for spec in specs))
    assert len({layer_of(docker_client, docker_home, place) for place in (one, two)}) == 1
    assert index.asked["alpha"] == 1
    for place in (one, two):
        assert await place.sandbox.has(UV.marker)
        assert await said(place) == ["1.1"]

    # The lock file came with them: what begins later is exact, although there is something newer by then.
    index.publish("alpha", "1.2")
    offline = docker_home.spec("offline", network=lambda: NetworkRules("none"))
    write_python(offline.folder, "alpha>=1.0")
    three = await opened(driver, offline)
    outputs = await run(three.sandbox, "uv", "sync", "--frozen", "--inexact")
    assert outputs[-1] == Exited(0)
    assert [line for line in texts(outputs, "stderr") if line.startswith(WHAT_UV_DID)] == []
    assert await said(three) == ["1.1"]
    await three.sandbox.pull(["uv.lock"])
    assert 'version = "1.1"' in (offline.folder / "uv.lock").read_text()

    # What one of them does to its packages no other one sees, and the next project neither.
    poison = "cd .venv/lib/python3*/site-packages && echo \"version = 'poison'\" > alpha.py"
    assert (await run(one.sandbox, "sh", "-c", poison))[-1] == Exited(0)
    assert await said(one) == ["poison"]
    four = docker_home.spec("four")
    write_python(four.folder, "alpha>=1.0")
    for place in (two, await opened(driver, four)):
        assert await said(place) == ["1.1"]
    assert len((await driver.kept()).layers) == 1


async def test_another_package_adds_only_itself(docker_home: DockerHome) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    write_python(spec.folder, "alpha==1.0")
    place = await opened(driver, spec)
    look = ("sh", "-c", "stat -c '%i %z' .venv/lib/python3*/site-packages/alpha*")
    before = texts(await run(place.sandbox, *look))
    assert before
    added = await run(place.sandbox, "uv", "add", "--bounds", "exact", "beta")
    assert added[-1] == Exited(0)
    done = [line for line in texts(added, "stderr") if line.startswith(WHAT_UV_DID)]
    assert done == [" + beta==1.1"]
    assert texts(await run(place.sandbox, *look)) == before
    assert await said(place, "import alpha, beta; print(alpha.version, beta.version)") == [
        "1.0 1.1"
    ]
    removed = await run(place.sandbox, "uv", "remove", "beta")
    done = [line for line in texts(removed, "stderr") if line.startswith(WHAT_UV_DID)]
    assert done == [" - beta==1.1"]
    assert await said(place) == ["1.0"]


async def test_a_lock_file_decides_where_there_is_one(
    docker_home: DockerHome, docker_client: docker.DockerClient, index: TinyIndex
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec("first")
    write_python(spec.folder, "alpha")
    first = await opened(driver, spec)
    await first.sandbox.pull(["uv.lock"])
    index.publish("alpha", "1.2")

    same = docker_home.spec("same")
    write_python(same.folder, "alpha")
    lock = (spec.folder / "uv.lock").read_text()
    (same.folder / "uv.lock").write_text(lock)
    second = await opened(driver, same)
    assert await said(second) == ["1.1"]
    layers = {layer_of(docker_client, docker_home, place) for place in (first, second)}
    assert {layer.name for layer in (await driver.kept()).layers} == layers
    assert len(layers) == 2

    # One that does not fit the manifest is for the project's own install, which makes it fit.
    stale = docker_home.spec("stale")
    write_python(stale.folder, "alpha==1.0")
    (stale.folder / "uv.lock").write_text(lock)
    third = await opened(driver, stale)
    assert not await third.sandbox.has(UV.marker)
    assert (await run(third.sandbox, "uv", "sync"))[-1] == Exited(0)
    assert await said(third) == ["1.0"]
    assert {layer.name for layer in (await driver.kept()).layers} == layers


async def test_a_pooled_sandbox_has_the_packages_of_a_python_starter(
    docker_home: DockerHome, docker_client: docker.DockerClient, index: TinyIndex
) -> None:
    driver = docker_home.driver(pool_size=1)
    starter = docker_home.folder / "starter"
    write_python(starter, "alpha==1.0")
    await driver.warm(starter)
    index.asked.clear()
    (pooled,) = [
        container
        for container in docker_client.containers.list(
            filters={"label": f"{OWNER_LABEL}={docker_home.owner}"}, ignore_removed=True
        )
        if str(container.name).startswith(f"vibedesk-{docker_home.owner}-pool-")
    ]
    spec = docker_home.spec()
    write_python(spec.folder, "alpha==1.0")
    place = await opened(driver, spec)
    assert str(pooled.id)[:12] in await place.sandbox.shell_command()
    assert await said(place) == ["1.0"]
    assert index.asked == {}
