"""What an app stored, and what a person wrote, outlives what happens to its sandbox around it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import docker
import pytest
from docker.errors import NotFound

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
from tests.support.docker_engines import Dockerd, require_docker
from vibedesk.engine.sandboxes.docker.containers import volume_names
from vibedesk.engine.sandboxes.driver import Exited, SandboxError
from vibedesk.engine.sandboxes.egress.rules import NetworkRules


@pytest.fixture
async def registry() -> AsyncIterator[TinyRegistry]:
    async with tiny_registry() as made:
        made.publish("left", "1.0.0")
        yield made


@pytest.fixture
async def docker_home(
    docker_host: str, docker_image: str, registry: TinyRegistry, tmp_path: Path
) -> AsyncIterator[DockerHome]:
    async with egress_to(registry.address, tmp_path / "tarballs") as make_egress:
        made = DockerHome(docker_host, tmp_path, make_egress)
        yield made
        await made.aclose()


async def store(place: Opened, text: str = "rows") -> None:
    """Let the app store something of its own."""
    await run(place.sandbox, "sh", "-c", f"printf {text} > app.db")


async def stored(place: Opened) -> list[str]:
    return texts(await run(place.sandbox, "cat", "app.db"))


async def test_overlapping_pushes_leave_every_file_as_it_is_outside(
    docker_home: DockerHome,
) -> None:
    place = await opened(docker_home.driver(), docker_home.spec())
    names = [f"f{number}.txt" for number in range(12)]
    for turn in range(6):
        for name in names:
            (place.folder / name).write_text(f"{name} {turn}")
        await asyncio.gather(
            place.sandbox.push(names), place.sandbox.push(names[::-1]), place.sandbox.push(names)
        )
    inside = texts(await run(place.sandbox, "sh", "-c", "for f in f*.txt; do cat $f; echo; done"))
    assert sorted(inside) == sorted(f"{name} 5" for name in names)
    assert texts(await run(place.sandbox, "sh", "-c", "ls -A | grep tmp; true")) == []


@pytest.mark.parametrize("lost", ["container", "container and volumes"])
async def test_what_the_app_stored_outlives_the_loss_of_what_shows_it(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry, lost: str
) -> None:
    spec = docker_home.spec()
    write_project(spec.folder, registry, {"left": "1.0.0"})
    place = await opened(docker_home.driver(), spec)
    await store(place)
    name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
    docker_client.containers.get(name).remove(force=True)
    await eventually(lambda: not place.sandbox.awake, "the loss is noticed")
    if "volumes" in lost:
        for name in volume_names(docker_home.owner, place.sandbox.key):
            docker_client.volumes.get(name).remove()
    assert await stored(place) == ["rows"]
    assert await place.sandbox.has(PACKAGES)


async def test_packages_are_made_again_when_their_layer_is_lost_and_the_rest_stays(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
) -> None:
    spec = docker_home.spec()
    write_project(spec.folder, registry, {"left": "1.0.0"})
    driver = docker_home.driver()
    place = await opened(driver, spec)
    await store(place)
    await run(place.sandbox, "sh", "-c", "echo changed >> node_modules/left/index.js")
    await place.sandbox.stop()
    name = f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
    docker_client.containers.get(name).remove()
    [layer] = [layer.name for layer in (await driver.kept()).layers]
    await driver.remove_layer(layer)
    assert await stored(place) == ["rows"]
    found = texts(await run(place.sandbox, "cat", "node_modules/left/index.js"))
    assert found
    assert "changed" not in found


async def test_a_folder_that_the_app_shut_is_no_dead_end(docker_home: DockerHome) -> None:
    spec = docker_home.spec()
    (spec.folder / "src").mkdir()
    (spec.folder / "src" / "a.txt").write_text("one")
    driver = docker_home.driver()
    place = await opened(driver, spec)
    await run(place.sandbox, "chmod", "500", "src")
    (spec.folder / "src" / "a.txt").write_text("two")
    await place.sandbox.push(["src/a.txt"])
    assert texts(await run(place.sandbox, "cat", "src/a.txt")) == ["two"]


async def test_a_database_that_the_app_wrote_is_never_replaced_from_outside(
    docker_home: DockerHome,
) -> None:
    spec = docker_home.spec()

    def lay(text: str, *names: str) -> None:
        for name in names:
            (spec.folder / name).write_text(text)

    async def held_inside() -> list[str]:
        found = await run(place.sandbox, "sh", "-c", "for f in *.*; do echo $f $(cat $f); done")
        return texts(found)

    lay("one", "live.db", "logged.sqlite3", "seed.db", "seed.db-wal", "page.txt")
    place = await opened(docker_home.driver(), spec)
    script = "echo app > live.db; echo app > logged.sqlite3-wal; echo app > own.sqlite"
    await run(place.sandbox, "sh", "-c", f"{script}; echo app > page.txt")
    mine = ["live.db app", "logged.sqlite3 one", "logged.sqlite3-wal app", "own.sqlite app"]
    await place.sandbox.stop()

    lay("two", *(path.name for path in spec.folder.iterdir()))
    lay("two", "live.db-journal", "logged.sqlite3-wal", "own.sqlite", "own.sqlite-shm", "new.db")
    two = ["new.db two", *mine[3:], "page.txt two", "seed.db two", "seed.db-wal two"]
    for _ in range(2):
        assert await held_inside() == [*mine[:3], *two]
        await place.sandbox.stop()
    names = [path.name for path in spec.folder.iterdir()]
    lay("three", *names)
    three = [line.replace("two", "three") for line in two]
    await place.sandbox.push(names)
    assert await held_inside() == [*mine[:3], *three]
    for name in names:
        (spec.folder / name).unlink()
    await place.sandbox.push(names)
    assert await held_inside() == mine


@pytest.mark.parametrize("many", [0, 5_000, 300_000])
async def test_what_an_app_claims_of_the_folder_is_no_dead_end(
    docker_home: DockerHome, many: int
) -> None:
    asked: set[str] = set()

    def app_data(paths: Iterable[str]) -> set[str]:
        asked.update(paths)
        return set()

    place = await opened(docker_home.driver(), docker_home.spec(app_data=app_data))
    await store(place)
    claim = """
import json, sys
names = ["gone.txt", "\\ud800/a", "long" * 64 + "/a", "../a", "a//b", "a\\nb", ".git/config", ""]
deep = ["/".join([str(number), *"abcdefghijklmnopqrst"]) for number in range(int(sys.argv[1]))]
with open("/home/app/.vibedesk-pushed.json", "w") as file:
    json.dump(dict.fromkeys([*names, *deep], [1, 1, 2]), file)
"""
    told = await run(place.sandbox, "python3", "-I", "-c", claim, str(many))
    assert Exited(0) in told
    await place.sandbox.stop()
    (place.folder / "real.txt").write_text("real")
    assert await stored(place) == ["rows"]
    assert texts(await run(place.sandbox, "cat", "real.txt")) == ["real"]
    assert "real.txt" in asked
    if not many:
        assert asked == {"real.txt", "gone.txt", "a\nb"}
    assert not [path for path in asked if {"", "..", ".git"} & set(path.split("/"))]
    assert len({folder for path in asked for folder in PurePosixPath(path).parents}) < 25_000


async def test_what_no_project_may_hold_goes_inside_with_the_file_outside(
    docker_home: DockerHome,
) -> None:
    def app_data(paths: Iterable[str]) -> set[str]:
        return {path for path in paths if path.startswith("data/")}

    spec = docker_home.spec(app_data=app_data)
    names = ["public/Shot 10:30.png", "public/a\nb", "con", "data/Shot 10:30.png", "end. "]
    for name in names:
        (spec.folder / name).parent.mkdir(exist_ok=True)
        (spec.folder / name).write_text("one")
    place = await opened(docker_home.driver(), spec)
    await store(place)
    await place.sandbox.stop()
    for name in names:
        (spec.folder / name).unlink()
    assert await stored(place) == ["rows"]
    held = texts(await run(place.sandbox, "find", ".", "-type", "f"))
    assert sorted(held) == ["./app.db", "./data/Shot 10:30.png"]


async def test_what_cannot_be_removed_inside_is_no_dead_end(docker_home: DockerHome) -> None:
    spec = docker_home.spec()
    for path in ("shut/a.txt", "taken.txt", "plain.txt"):
        (spec.folder / path).parent.mkdir(exist_ok=True)
        (spec.folder / path).write_text("one")
    place = await opened(docker_home.driver(), spec)
    await store(place)
    await run(place.sandbox, "sh", "-c", "rm taken.txt && mkdir taken.txt && touch taken.txt/own")
    await run(place.sandbox, "chmod", "500", "shut")
    await place.sandbox.stop()
    shutil.rmtree(spec.folder / "shut")
    for path in ("taken.txt", "plain.txt"):
        (spec.folder / path).unlink()
    for _ in range(2):
        assert await stored(place) == ["rows"]
        assert texts(await run(place.sandbox, "ls")) == ["app.db", "taken.txt"]
        await place.sandbox.stop()


async def test_a_sandbox_that_cannot_be_opened_can_be_forgotten(
    docker_home: DockerHome, docker_client: docker.DockerClient
) -> None:
    spec = docker_home.spec()
    first = await opened(docker_home.driver(), spec)
    await store(first)
    identity = first.sandbox.id
    await docker_home.close_drivers()
    second = docker_home.driver(known=frozenset({identity}))
    await second.forget(identity)
    assert things_of(docker_client, docker_home.owner).volumes == {
        f"vibedesk-{docker_home.owner}-store"
    }
    place = await opened(second, replace(spec, sandbox_id=identity))
    assert await stored(place) == []


async def test_whoever_opens_it_again_hears_what_it_wants(docker_home: DockerHome) -> None:
    spec, driver = docker_home.spec(), docker_home.driver()
    heard: dict[str, list[str]] = {"first": [], "second": []}
    ask = ("sh", "-c", "node -e \"fetch('http://api.example.org').catch(() => {})\"; true")
    for who in heard:
        sandbox = await driver.open(
            spec,
            on_line=lambda _line: None,
            on_status=lambda *_: None,
            on_refused=heard[who].append,
        )
        await run(sandbox, *ask)
        await sandbox.stop()
    assert heard == {"first": ["api.example.org"], "second": ["api.example.org"]}


async def test_without_a_network_nothing_is_fetched_to_keep_packages_ready(
    docker_home: DockerHome, registry: TinyRegistry
) -> None:
    closed = docker_home.spec("closed", network=lambda: NetworkRules(mode="none"))
    write_project(closed.folder, registry, {"left": "1.0.0"})
    driver = docker_home.driver()
    place = await opened(driver, closed)
    assert not await place.sandbox.has(PACKAGES)
    assert (await driver.kept()).layers == []
    # What is kept already takes no network.
    open_one = docker_home.spec("open")
    write_project(open_one.folder, registry, {"left": "1.0.0"})
    await opened(driver, open_one)
    again = docker_home.spec("again", network=lambda: NetworkRules(mode="none"))
    write_project(again.folder, registry, {"left": "1.0.0"})
    assert await (await opened(driver, again)).sandbox.has(PACKAGES)


async def test_a_persons_shell_keeps_the_sandbox_awake_and_sees_its_registry(
    docker_home: DockerHome, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    place = await opened(docker_home.driver(), docker_home.spec())
    command = [word for word in await place.sandbox.shell_command() if word != "-it"]
    command.insert(command.index("exec") + 1, "-i")
    shell = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert shell.stdin
    assert shell.stdout
    shell.stdin.write(b"echo $npm_config_registry; grep Seccomp: /proc/self/status; pwd\n")
    await shell.stdin.drain()
    said = [(await asyncio.wait_for(shell.stdout.readline(), 20)).decode() for _ in range(4)]
    assert "stay here" in said[0]
    assert [line.split()[-1] for line in said[1:]] == ["http://127.0.0.1:3128/", "2", "/app"]
    assert not await place.sandbox.pause(0.0)
    shell.stdin.close()
    await shell.wait()
    await eventually(
        lambda: (
            len(docker_client.containers.get(command_container(command)).attrs["ExecIDs"] or ())
            <= 1
        ),
        "the shell is gone",
    )
    assert await place.sandbox.pause(0.0)


def command_container(command: list[str]) -> str:
    return command[command.index("python3") - 1]


async def test_a_keeper_that_starts_empties_the_bin(
    docker_home: DockerHome, docker_client: docker.DockerClient
) -> None:
    driver = docker_home.driver()
    await driver.prepare()
    keeper = docker_client.containers.get(f"vibedesk-{docker_home.owner}-keeper")
    keeper.exec_run(["sh", "-c", "mkdir -p /store/removed/half && echo x > /store/removed/half/x"])
    await docker_home.close_drivers()
    again = docker_home.driver()
    await again.prepare()

    def is_empty() -> bool:
        with contextlib.suppress(NotFound):
            now = docker_client.containers.get(f"vibedesk-{docker_home.owner}-keeper")
            return bool(now.exec_run(["test", "-e", "/store/removed/half"]).exit_code)
        return False

    await eventually(is_empty, "the bin is empty")


async def test_a_builder_that_fails_to_open_leaves_nothing(
    docker_home: DockerHome, docker_client: docker.DockerClient, registry: TinyRegistry
) -> None:
    spec = docker_home.spec()
    write_project(spec.folder, registry, {"left": "1.0.0"})
    driver = docker_home.driver()
    await driver.prepare()
    driver._configuration = {"a/../b": b"a name that the agent refuses"}
    with contextlib.suppress(SandboxError):
        await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
    left = {n for n in things_of(docker_client, docker_home.owner).containers if "-build-" in n}
    assert left == set()


HANGING = """
import asyncio, os, signal, sys
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.diagnosis import find_endpoint
from vibedesk.engine.sandboxes.driver import SandboxEngineDownError

async def main(host, pid):
    connection = DockerConnection(find_endpoint({"DOCKER_HOST": host}), patience=1.0)
    await connection.call(lambda client: client.ping())
    os.kill(int(pid), signal.SIGSTOP)
    try:
        await connection.call(lambda client: client.info())
    except SandboxEngineDownError:
        print("given up", flush=True)
    await connection.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_programs_end_does_not_wait_for_an_engine_that_hangs() -> None:
    require_docker()
    with Dockerd() as engine:
        pid = engine.pid
        assert pid is not None
        began = time.monotonic()
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", HANGING, engine.host, str(pid)), stdout=asyncio.subprocess.PIPE
        )
        try:
            said, _ = await asyncio.wait_for(program.communicate(), 60)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert b"given up" in said
        assert time.monotonic() - began < 40
