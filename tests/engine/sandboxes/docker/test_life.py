"""The life of Docker sandboxes: one a project, taken over after a crash, made anew when lost; others' things stay."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from tests.engine.sandboxes.conftest import DEADLINE_SECONDS, living, until
from tests.engine.sandboxes.contract import PACKAGES, SERVER, fetch, run, texts
from tests.engine.sandboxes.docker.homes import (
    DockerHome,
    EngineThings,
    Opened,
    egress_to,
    eventually,
    held,
    opened,
    things_of,
    write_project,
)
from tests.engine.sandboxes.egress.loopback import listening
from tests.engine.sandboxes.egress.tiny_registry import TinyRegistry, tiny_registry
from tests.support.docker_engines import Dockerd, load_image
from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.docker.containers import KEY_LABEL, OWNER_LABEL, ROLE_LABEL
from vibedesk.engine.sandboxes.driver import (
    Exited,
    SandboxEngineDownError,
    SandboxError,
    SandboxStatus,
)

ROOT = Path(__file__).parents[4]
TREE = """
const fs = require('fs'), path = require('path'), found = []
const walk = at => { for (const each of fs.readdirSync(at, { withFileTypes: true })) {
  const file = path.join(at, each.name)
  each.isDirectory() ? walk(file) : found.push(file + ' ' + fs.lstatSync(file).size)
} }
walk('node_modules')
console.log(JSON.stringify(found.sort()))
"""


@pytest.fixture
async def registry() -> AsyncIterator[TinyRegistry]:
    async with tiny_registry() as made:
        made.publish("left", "1.0.0")
        made.publish("right", "1.0.0")
        made.publish("right", "2.0.0")
        yield made


@pytest.fixture
async def docker_home(
    docker_host: str, docker_image: str, registry: TinyRegistry, tmp_path: Path
) -> AsyncIterator[DockerHome]:
    async with egress_to(registry.address, tmp_path / "tarballs") as make_egress:
        made = DockerHome(docker_host, tmp_path, make_egress)
        yield made
        await made.aclose()


async def tree(place: Opened) -> list[str]:
    """Every file of its packages with its size."""
    found: list[str] = json.loads(texts(await run(place.sandbox, "node", "-e", TREE))[0])
    return found


async def test_a_project_has_one_container_with_its_name(
    docker_home: DockerHome, docker_client: docker.DockerClient
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    place = await opened(driver, spec)
    name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
    container = docker_client.containers.get(name)
    assert container.labels[OWNER_LABEL] == docker_home.owner
    again = await opened(driver, spec)
    assert again.sandbox is place.sandbox
    key = place.sandbox.key
    store = f"vibedesk-{docker_home.owner}"
    assert things_of(docker_client, docker_home.owner).containers == {name, f"{store}-keeper"}
    assert things_of(docker_client, docker_home.owner).volumes == {
        f"{store}-store",
        f"{store}-{key}-app",
        f"{store}-{key}-home",
    }

    await place.sandbox.remove()
    assert things_of(docker_client, docker_home.owner).containers == {f"{store}-keeper"}
    assert things_of(docker_client, docker_home.owner).volumes == {f"{store}-store"}
    assert (await driver.kept()).sandboxes == []


async def test_a_crash_is_taken_over_or_cleared_away(
    docker_home: DockerHome, docker_client: docker.DockerClient, token: str
) -> None:
    spec = docker_home.spec()
    (spec.folder / "server.mjs").write_text(SERVER)
    facts = {
        "project_id": spec.project_id,
        "folder": str(spec.folder),
        "port": spec.port,
        "token": token,
    }
    program = Path(__file__).with_name("crashing_program.py")
    crashing = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), docker_home.host, docker_home.owner),
        *(str(docker_home.folder / "crashed"), json.dumps(facts)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert crashing.stdout is not None
        async with asyncio.timeout(120):
            identity = (await crashing.stdout.readline()).decode().strip()
            assert b"written" in await crashing.stdout.readline()
        before = things_of(docker_client, docker_home.owner)
        container = docker_client.containers.get(
            f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
        )
        assert len(before.containers) == 3  # its own, the pool's, the keeper
    finally:
        crashing.send_signal(signal.SIGKILL)
        await crashing.wait()
    await until(lambda: not living(token), "what ran inside ends")

    driver = docker_home.driver(known=frozenset({identity}))
    place = await opened(driver, dataclasses.replace(spec, sandbox_id=identity))
    assert place.sandbox.id == identity
    assert docker_client.containers.get(str(container.name)).id == container.id
    assert texts(await run(place.sandbox, "cat", "notes.db")) == ["mine"]
    await eventually(
        lambda: len(things_of(docker_client, docker_home.owner).containers) == 2, "the pool's goes"
    )
    await driver.tidy(frozenset({identity}))
    assert len((await driver.kept()).sandboxes) == 1
    await driver.aclose()

    last = docker_home.driver(known=frozenset())
    await last.prepare()
    ours = f"vibedesk-{docker_home.owner}"
    left = EngineThings(frozenset({f"{ours}-keeper"}), frozenset({f"{ours}-store"}))
    await eventually(lambda: things_of(docker_client, docker_home.owner) == left, "the rest goes")
    await last.tidy(frozenset())
    assert (await last.kept()).sandboxes == []


async def test_what_is_not_ours_is_never_touched(
    docker_home: DockerHome, docker_client: docker.DockerClient, docker_image: str
) -> None:
    ours = f"vibedesk-{docker_home.owner}"
    driver, spec = docker_home.driver(), docker_home.spec()
    place = await opened(driver, spec)
    key = place.sandbox.key
    await place.sandbox.remove()
    others = {OWNER_LABEL: "somebody-else", ROLE_LABEL: "volume", KEY_LABEL: key}
    containers, volumes = [], []
    try:
        for name, labels in (
            ("nobodys", {}),
            (f"{ours}-nobodys", {}),
            (f"{ours}-others", others),
            (f"vibedesk-other-{spec.project_id.lower()}", others),
        ):
            containers.append(
                docker_client.containers.create(
                    docker_image, name=f"{name}-{ours}", labels=labels, network_mode="none"
                )
            )
        for name, labels in (
            (f"nobodys-{ours}", {}),
            (f"{ours}-{key}-app", {}),
            (f"{ours}-{key}-home", others),
        ):
            volumes.append(docker_client.volumes.create(name, labels=labels))
        theirs = {str(each.name) for each in (*containers, *volumes)}

        await driver.forget(f"docker-{key}")
        await driver.tidy(frozenset())
        await driver.remove_layer("0" * 16)
        await driver.remove_old_images(timedelta(days=365))
        await opened(driver, docker_home.spec("second"))
        await driver.aclose()
        last = docker_home.driver(known=frozenset())
        await last.prepare()
        await last.remove_store()
        await last.aclose()
        left = things_of(docker_client)
        assert theirs <= left.containers | left.volumes
        assert not things_of(docker_client, docker_home.owner).containers
        assert not things_of(docker_client, docker_home.owner).volumes
    finally:
        for thing in (*containers, *volumes):
            thing.remove(force=True)


@pytest.mark.parametrize("what", ["keeper", "store", "container"])
async def test_a_name_that_somebody_else_has_is_said(
    docker_home: DockerHome, docker_client: docker.DockerClient, docker_image: str, what: str
) -> None:
    spec = docker_home.spec()
    name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
    foreign: docker.models.containers.Container | docker.models.volumes.Volume
    if what == "store":
        foreign = docker_client.volumes.create(f"vibedesk-{docker_home.owner}-store")
    else:
        name = name if what == "container" else f"vibedesk-{docker_home.owner}-keeper"
        foreign = docker_client.containers.create(docker_image, name=name, network_mode="none")
    try:
        driver = docker_home.driver()
        with pytest.raises(SandboxError, match="is not VibeDesk's"):
            await opened(driver, spec)
        foreign.reload()
        assert len(things_of(docker_client, docker_home.owner).volumes) <= 1  # nothing half is left
    finally:
        foreign.remove(force=True)
    await opened(driver, spec)


async def test_breaking_off_at_any_moment_leaves_nothing(
    docker_home: DockerHome, docker_client: docker.DockerClient
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    await driver.prepare()
    for moment in range(12):
        opening = asyncio.create_task(opened(driver, spec))
        await asyncio.wait({opening}, timeout=moment * 0.04)
        if opening.done():
            await (await opening).sandbox.remove()
            break
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    ours = f"vibedesk-{docker_home.owner}"
    assert things_of(docker_client, docker_home.owner).containers == {f"{ours}-keeper"}
    assert things_of(docker_client, docker_home.owner).volumes == {f"{ours}-store"}
    assert (await driver.kept()).sandboxes == []


class TestKilled:
    """The container is killed from outside."""

    async def test_in_the_middle_of_a_command_and_of_a_server(
        self,
        docker_home: DockerHome,
        docker_client: docker.DockerClient,
        registry: TinyRegistry,
        token: str,
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        write_project(spec.folder, registry, {"left": "1.0.0"})
        place = await opened(driver, spec)
        await place.script("server.mjs", SERVER)
        await run(place.sandbox, "sh", "-c", "echo mine > notes.db; ls node_modules/left")
        await place.sandbox.start_server(["node", "server.mjs", str(spec.port), token, ""])
        command = asyncio.create_task(
            run(place.sandbox, "node", "-e", "setInterval(() => {}, 1000)", token)
        )
        await until(lambda: len(living(token)) >= 2, "both run")

        container = docker_client.containers.get(
            f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
        )
        container.kill()
        with pytest.raises(
            SandboxError, match=r"^The sandbox ended: .*\. Start it again"
        ) as caught:
            await asyncio.wait_for(command, 60)
        assert caught.value.code == "sandbox_lost"
        await until(lambda: place.sandbox.status is SandboxStatus.FAILED, "the loss is told")
        assert place.statuses[-1][1].startswith("The dev server ended by itself: The sandbox ended")

        assert texts(await run(place.sandbox, "cat", "notes.db")) == ["mine"]
        assert await place.sandbox.has(PACKAGES)
        assert place.sandbox.lost, "it is up again, but its server was not to blame"
        url = await place.sandbox.start_server(["node", "server.mjs", str(spec.port), token, ""])
        assert not place.sandbox.lost
        assert "it runs" in await asyncio.to_thread(fetch, url)
        container.reload()
        assert container.status == "running"

    async def test_while_nothing_runs_and_while_it_is_paused(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        place = await opened(driver, spec)
        container = docker_client.containers.get(
            f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
        )
        container.kill()
        await until(lambda: not place.sandbox.awake, "the end is noticed")
        (place.folder / "new.txt").write_text("new")
        await place.sandbox.push(["new.txt"])
        assert texts(await run(place.sandbox, "cat", "new.txt")) == ["new"]

        assert await place.sandbox.pause(0)
        container.unpause()
        container.kill()
        assert texts(await run(place.sandbox, "cat", "new.txt")) == ["new"]

        assert await place.sandbox.pause(0)
        container.unpause()  # somebody else was quicker
        assert texts(await run(place.sandbox, "cat", "new.txt")) == ["new"]

    async def test_the_agent_inside(self, docker_home: DockerHome) -> None:
        """The app runs as the same user, so it can end the session's program."""
        driver, spec = docker_home.driver(), docker_home.spec()
        place = await opened(driver, spec)
        with pytest.raises(SandboxError, match="The sandbox ended"):
            await run(place.sandbox, "sh", "-c", "kill -9 $(pgrep -f inside.agent); sleep 20")
        assert (await run(place.sandbox, "true"))[-1] == Exited(0)
        # The next session has the way out, too.
        listening = "require('net').connect(3128, '127.0.0.1', () => process.exit(7))"
        assert (await run(place.sandbox, "node", "-e", listening))[-1] == Exited(7)


class TestLost:
    """Something of it was removed by hand."""

    @pytest.mark.parametrize("what", ["container", "volumes", "home", "store"])
    async def test_it_is_made_again_exactly(
        self,
        docker_home: DockerHome,
        docker_client: docker.DockerClient,
        registry: TinyRegistry,
        what: str,
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        write_project(spec.folder, registry, {"left": "1.0.0", "right": "1.0.0"})
        (spec.folder / "index.html").write_text("<h1>mine</h1>")
        place = await opened(driver, spec)
        await run(place.sandbox, "sh", "-c", "echo mine > notes.db")
        packages, identity = await tree(place), place.sandbox.id
        await driver.aclose()

        owner, key = docker_home.owner, place.sandbox.key
        docker_client.containers.get(f"vibedesk-{owner}-{spec.project_id.lower()}").remove(
            force=True
        )
        volumes = {
            "container": [],
            "volumes": [f"{key}-app", f"{key}-home"],
            "home": [f"{key}-home"],
            "store": [f"{key}-app", f"{key}-home", "store"],
        }[what]
        for name in volumes:
            docker_client.volumes.get(f"vibedesk-{owner}-{name}").remove()

        second = docker_home.driver(known=frozenset({identity}))
        again = await opened(second, dataclasses.replace(spec, sandbox_id=identity))
        assert again.sandbox.id == identity
        assert await tree(again) == packages
        assert texts(await run(again.sandbox, "cat", "index.html")) == ["<h1>mine</h1>"]
        kept = texts(await run(again.sandbox, "sh", "-c", "cat notes.db 2>/dev/null"))
        assert kept == ([] if what == "store" else ["mine"])

    async def test_in_mid_life_it_is_made_again_under_the_same_name(
        self, docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        write_project(spec.folder, registry, {"left": "1.0.0"})
        place = await opened(driver, spec)
        packages, identity = await tree(place), place.sandbox.id
        for container in docker_client.containers.list(
            filters={"label": f"{OWNER_LABEL}={docker_home.owner}"}
        ):
            container.remove(force=True)
        for volume in docker_client.volumes.list(
            filters={"label": f"{OWNER_LABEL}={docker_home.owner}"}
        ):
            volume.remove()
        await until(lambda: not place.sandbox.awake, "the end is noticed")
        assert await tree(place) == packages
        assert place.sandbox.id == identity

    async def test_the_keeper_is_started_again(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        place = await opened(driver, spec)
        name = f"vibedesk-{docker_home.owner}-keeper"
        docker_client.containers.get(name).remove(force=True)
        with contextlib.suppress(SandboxError):
            await driver.kept()

        def runs() -> bool:
            with contextlib.suppress(docker.errors.NotFound):
                return bool(docker_client.containers.get(name).status == "running")
            return False

        await eventually(runs, "the watch has a keeper again")
        await place.sandbox.remove()
        assert (await driver.kept()).sandboxes == []


class TestOverlays:
    """What an engine does not mount is known anew after every start of VibeDesk."""

    @pytest.mark.parametrize("then", ["redirect_dir=on", ""])
    async def test_kept_files_are_shown_with_what_the_engine_mounts(
        self,
        docker_home: DockerHome,
        docker_client: docker.DockerClient,
        registry: TinyRegistry,
        monkeypatch: pytest.MonkeyPatch,
        then: str,
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        write_project(spec.folder, registry, {"left": "1.0.0"})
        place = await opened(driver, spec)
        await run(place.sandbox, "sh", "-c", "echo mine > notes.db; rm node_modules/left/index.js")
        identity, key = place.sandbox.id, place.sandbox.key
        await driver.aclose()
        owner = docker_home.owner
        docker_client.containers.get(f"vibedesk-{owner}-{spec.project_id.lower()}").remove(
            force=True
        )
        for name in (f"{key}-app", f"{key}-home"):
            docker_client.volumes.get(f"vibedesk-{owner}-{name}").remove()

        monkeypatch.setattr(containers, "OVERLAYS", ("no_such_option=on", then, ""))
        second = docker_home.driver(known=frozenset({identity}))
        again = await opened(second, dataclasses.replace(spec, sandbox_id=identity))
        assert again.sandbox.id == identity
        assert texts(await run(again.sandbox, "cat", "notes.db")) == ["mine"]
        assert await again.sandbox.has(PACKAGES) == bool(then)
        if not then:
            assert (await run(again.sandbox, "npm", "ci"))[-1] == Exited(0)
            assert texts(await run(again.sandbox, "node", "-p", "require('left')")) == [
                "left@1.0.0"
            ]


class TestAnotherEngine:
    """The person lets VibeDesk use another Docker, and later the first one again."""

    async def test_what_the_app_stored_is_there_again_with_its_engine(
        self,
        docker_home: DockerHome,
        docker_image: str,
        docker_client: docker.DockerClient,
        registry: TinyRegistry,
    ) -> None:
        spec = docker_home.spec()
        write_project(spec.folder, registry, {"left": "1.0.0"})
        driver = docker_home.driver()
        place = await opened(driver, spec)
        await run(place.sandbox, "sh", "-c", "echo first > notes.db")
        identity = place.sandbox.id
        await driver.aclose()

        with Dockerd() as engine:
            with contextlib.closing(engine.client(timeout=120)) as client:
                load_image(client)
            elsewhere = dataclasses.replace(docker_home, host=engine.host)
            driver = elsewhere.driver(known=frozenset({identity}), pool_size=1)
            await driver.warm(spec.folder)
            there = await opened(driver, dataclasses.replace(spec, sandbox_id=identity))
            said = [line.text for line in there.lines]
            assert any("another Docker engine is kept there" in line for line in said), said
            assert texts(await run(there.sandbox, "sh", "-c", "cat notes.db 2>&1; true")) != [
                "first"
            ]
            await run(there.sandbox, "sh", "-c", "echo second > notes.db")
            second = there.sandbox.id
            await driver.aclose()

        # What VibeDesk knows of its projects then is the last identity of each.
        driver = docker_home.driver(known=frozenset({second}))
        back = await opened(driver, dataclasses.replace(spec, sandbox_id=second))
        assert texts(await run(back.sandbox, "cat", "notes.db")) == ["first"]
        assert not any("another Docker engine" in line.text for line in back.lines)


@dataclasses.dataclass
class Gate:
    """An engine that may take as long as it likes to remove or pause one of its containers.

    Args:
        host: Where it listens.
    """

    host: str
    holds_back: str | None = None
    """The id of that container."""
    asked: int = 0
    """How often it was to do that."""
    holding: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    _opens: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def let_go(self) -> None:
        self._opens.set()

    async def pass_on(self, said: bytes) -> None:
        request = said.partition(b" HTTP/")[0]
        held_back = request.startswith(b"DELETE ") or request.endswith(b"/pause")
        if self.holds_back and held_back and self.holds_back.encode() in request:
            self.asked += 1
            self.holding.set()
            await self._opens.wait()


@asynccontextmanager
async def gate_before(host: str) -> AsyncIterator[Gate]:
    """The real engine behind a gate."""

    async def copy(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: Gate | None
    ) -> None:
        while data := await reader.read(65536):
            if gate is not None:
                await gate.pass_on(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back = await asyncio.open_unix_connection(host.removeprefix("unix://"))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(copy(reader, back[1], made))
                group.create_task(copy(back[0], writer, None))
        except* ConnectionError:
            pass
        finally:
            back[1].close()

    async with listening(accept) as port:
        made = Gate(f"tcp://127.0.0.1:{port}")
        yield made


class TestInTheWay:
    """Docker does not do with one container what it should."""

    async def test_one_that_cannot_be_removed_holds_up_no_other(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        driver, spec, crashed = (
            docker_home.driver(),
            docker_home.spec("mine"),
            docker_home.spec("crashed"),
        )
        place, left = await opened(driver, spec), await opened(driver, crashed)
        other = await opened(driver, docker_home.spec("other"))
        await driver.aclose()
        ours = f"vibedesk-{docker_home.owner}"
        name, keys = f"{ours}-{crashed.project_id.lower()}", (left.sandbox.key, other.sandbox.key)

        def things() -> EngineThings:
            return things_of(docker_client, docker_home.owner)

        known = frozenset({place.sandbox.id})
        with held(docker_client, name):
            with pytest.raises(docker.errors.APIError):
                docker_client.containers.get(name).remove(force=True)
            second = docker_home.driver(known=known)
            again = await opened(second, dataclasses.replace(spec, sandbox_id=place.sandbox.id))
            assert texts(await run(again.sandbox, "echo", "here")) == ["here"]
            assert again.sandbox.key == place.sandbox.key
            await eventually(
                lambda: not any(keys[1] in volume for volume in things().volumes), "the others went"
            )
            await opened(second, docker_home.spec("new"))
            await second.aclose()
        third = docker_home.driver(known=known)
        await third.prepare()
        await eventually(lambda: name not in things().containers, "it goes with the next start")
        await eventually(
            lambda: not any(keys[0] in volume for volume in things().volumes), "also its volumes"
        )
        # The new one goes too, for nobody knows it.
        await third.tidy(known)
        assert [each.name for each in (await third.kept()).sandboxes] == [place.sandbox.key]

    async def test_what_could_not_be_removed_goes_later(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        place = await opened(driver, spec)
        name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
        with (
            held(docker_client, name),
            pytest.raises(SandboxError, match="Docker could not do") as caught,
        ):
            await place.sandbox.remove()
        assert not isinstance(caught.value, SandboxEngineDownError)
        await driver.prepare()
        keeper = f"vibedesk-{docker_home.owner}-keeper"
        await eventually(
            lambda: things_of(docker_client, docker_home.owner).containers == {keeper}, "it goes"
        )

    async def test_one_whose_removal_hangs_holds_up_no_other(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        async with gate_before(docker_home.host) as gate:
            home = dataclasses.replace(docker_home, host=gate.host)
            first = home.driver()
            places = [await opened(first, home.spec(name)) for name in ("one", "two")]
            # In this order they are removed.
            stuck, place = sorted(places, key=lambda each: each.sandbox.key)
            await first.aclose()

            def container_of(place: Opened) -> str | None:
                found = containers.containers_of(docker_client, home.owner, place.sandbox.key)
                return str(found[0].id) if found else None

            gate.holds_back = container_of(stuck)
            driver = home.driver(known=frozenset())
            async with asyncio.timeout(120):
                await opened(driver, home.spec("other"))
                await gate.holding.wait()
                await driver.prepare()
                spec = dataclasses.replace(place.sandbox.spec, sandbox_id=place.sandbox.id)
                again = await opened(driver, spec)
            made = container_of(again)
            gate.let_go()
            await eventually(lambda: container_of(stuck) is None, "it goes as soon as it can")
            await driver.tidy(frozenset({again.sandbox.id}))
            assert container_of(again) == made
            assert texts(await run(again.sandbox, "echo", "here")) == ["here"]
            await home.close_drivers()

    async def test_one_that_is_being_removed_gives_its_name_to_the_next(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        async with gate_before(docker_home.host) as gate:
            home = dataclasses.replace(docker_home, host=gate.host)
            first, spec = home.driver(), home.spec()
            await opened(first, spec)
            await first.aclose()
            name = f"vibedesk-{home.owner}-{spec.project_id.lower()}"
            gate.holds_back = str(docker_client.containers.get(name).id)
            opening = asyncio.create_task(opened(home.driver(known=frozenset()), spec))
            await asyncio.wait_for(gate.holding.wait(), DEADLINE_SECONDS)
            await asyncio.wait({opening}, timeout=1)
            assert gate.asked == 1
            gate.let_go()
            place = await opening
            assert docker_client.containers.get(name).id != gate.holds_back
            assert texts(await run(place.sandbox, "echo", "here")) == ["here"]
            await home.close_drivers()

    async def test_one_whose_pause_hangs_holds_up_no_other(
        self, docker_home: DockerHome, docker_client: docker.DockerClient
    ) -> None:
        async with gate_before(docker_home.host) as gate:
            home = dataclasses.replace(docker_home, host=gate.host)
            driver = home.driver(idle_seconds=1.0)
            stuck, other = [await opened(driver, home.spec(name)) for name in ("one", "two")]
            found = containers.containers_of(docker_client, home.owner, stuck.sandbox.key)

            def paused(place: Opened) -> bool:
                return place.sandbox.session is not None and not place.sandbox.awake

            async for _ in stuck.sandbox.exec(["true"]):  # no pause is under way meanwhile
                gate.holds_back = str(found[0].id)
            assert texts(await run(other.sandbox, "echo", "awake")) == ["awake"]
            await asyncio.wait_for(gate.holding.wait(), DEADLINE_SECONDS)
            await until(lambda: paused(other), "the other one is paused")
            assert gate.asked == 1
            gate.let_go()
            await until(lambda: paused(stuck), "it is paused, too")
            await home.close_drivers()

    async def test_one_that_does_not_end_is_no_engine_that_is_gone(
        self, docker_home: DockerHome
    ) -> None:
        driver, spec = docker_home.driver(), docker_home.spec()
        await opened(driver, spec)
        name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
        with pytest.raises(SandboxError, match="Docker answers") as caught:
            await driver.connection.call(lambda client: client.containers.get(name).wait(timeout=1))
        assert not isinstance(caught.value, SandboxEngineDownError)


async def test_another_size_makes_the_container_anew_and_keeps_the_files(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
) -> None:
    driver, spec = docker_home.driver(), docker_home.spec(size="standard-1")
    write_project(spec.folder, registry, {"left": "1.0.0"})
    place = await opened(driver, spec)
    await run(place.sandbox, "sh", "-c", "echo mine > notes.db; echo more > node_modules/more")
    packages, identity = await tree(place), place.sandbox.id
    name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
    first = docker_client.containers.get(name)
    small = dataclasses.replace(spec, size="lite", sandbox_id=identity)
    again = await opened(driver, small)
    second = docker_client.containers.get(name)
    assert first.id != second.id
    assert second.attrs["HostConfig"]["Memory"] == 1024**3
    assert again.sandbox.id == identity
    assert await tree(again) == packages
    assert texts(await run(again.sandbox, "cat", "notes.db")) == ["mine"]


async def test_a_work_folder_that_moves_is_followed(docker_home: DockerHome, token: str) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    place = await opened(driver, spec)
    await place.script("server.mjs", SERVER)
    url = await place.sandbox.start_server(["node", "server.mjs", str(spec.port), token, ""])
    moved = spec.folder.with_name("renamed")
    spec.folder.rename(moved)
    place.sandbox.follow(moved)
    (moved / "new.txt").write_text("new")
    await place.sandbox.push(["new.txt", "server.mjs"])
    assert texts(await run(place.sandbox, "cat", "new.txt")) == ["new"]
    assert "it runs" in await asyncio.to_thread(fetch, url)
    again = await opened(driver, dataclasses.replace(spec, folder=moved))
    assert again.sandbox is place.sandbox
    assert place.sandbox.status is SandboxStatus.RUNNING
