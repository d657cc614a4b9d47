"""A sandbox that nobody uses is paused, and wakes on whatever comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from tests.engine.sandboxes.conftest import living, until
from tests.engine.sandboxes.contract import PACKAGES, SERVER, fetch, run, texts
from tests.engine.sandboxes.docker.homes import DockerHome, Opened, egress_to, eventually, opened
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
from vibedesk.engine.sandboxes.driver import SandboxStatus

# Answers over HTTP, and sends back what comes over a connection that is none.
ECHO = """
import net from 'node:net'
const page = 'HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\nConnection: close\\r\\n\\r\\nit runs'
net.createServer(socket => socket.on('error', () => {}).on('data', data =>
  data.toString().startsWith('GET') ? socket.end(page) : socket.write(data)
)).listen(Number(process.argv[2]), '127.0.0.1')
"""


@pytest.fixture
async def docker_home(
    docker_host: str, docker_image: str, tmp_path: Path
) -> AsyncIterator[DockerHome]:
    async with egress_to("http://127.0.0.1:9/", tmp_path / "tarballs") as make_egress:
        made = DockerHome(docker_host, tmp_path, make_egress)
        yield made
        await made.aclose()


@pytest.fixture
async def idle(docker_home: DockerHome) -> Opened:
    """A sandbox with a server that is paused after one second."""
    driver, spec = docker_home.driver(idle_seconds=1.0), docker_home.spec()
    place = await opened(driver, spec)
    await place.script("echo.mjs", ECHO)
    await place.sandbox.start_server(["node", "echo.mjs", str(spec.port)])
    return place


@pytest.fixture
def container(
    idle: Opened, docker_home: DockerHome, docker_client: docker.DockerClient
) -> Container:
    project = idle.sandbox.spec.project_id.lower()
    return docker_client.containers.get(f"vibedesk-{docker_home.owner}-{project}")


async def paused(place: Opened, container: Container) -> None:
    """Wait until it is paused, for itself and for the engine."""

    def is_paused() -> bool:
        container.reload()
        return bool(container.attrs["State"]["Paused"])

    await until(lambda: place.sandbox.status is SandboxStatus.PAUSED, "it is told")
    await eventually(is_paused, "the engine says so")


async def test_whatever_comes_wakes_it(idle: Opened, container: Container) -> None:
    url = idle.sandbox.url
    reader, writer = await asyncio.open_connection("127.0.0.1", idle.port)
    writer.write(b"one")
    assert await reader.readexactly(3) == b"one"

    await paused(idle, container)
    assert "Nobody used the app" in idle.statuses[-1][1]
    assert await idle.sandbox.usage() is not None
    container.reload()
    assert container.attrs["State"]["Paused"], "a look at it does not wake it"

    # A page.
    assert await asyncio.to_thread(fetch, url) == "it runs"
    assert idle.statuses[-1] == (SandboxStatus.RUNNING, f"The app answers at {url}.")

    # A connection that stayed open.
    await paused(idle, container)
    writer.write(b"two")
    assert await asyncio.wait_for(reader.readexactly(3), 10) == b"two"
    assert idle.sandbox.status is SandboxStatus.RUNNING

    # A command, a file, a question.
    await paused(idle, container)
    assert texts(await run(idle.sandbox, "echo", "awake")) == ["awake"]
    await paused(idle, container)
    (idle.folder / "new.txt").write_text("new")
    await idle.sandbox.push(["new.txt"])
    assert texts(await run(idle.sandbox, "cat", "new.txt")) == ["new"]
    await paused(idle, container)
    assert not await idle.sandbox.has(PACKAGES)
    assert idle.sandbox.status is SandboxStatus.RUNNING
    assert [status for status in idle.states if status is SandboxStatus.FAILED] == []
    writer.close()


async def test_what_is_used_is_not_paused(idle: Opened, container: Container) -> None:
    command = asyncio.create_task(run(idle.sandbox, "sleep", "3"))
    reader, writer = await asyncio.open_connection("127.0.0.1", idle.port)
    while not command.done():
        writer.write(b"still here")
        assert await asyncio.wait_for(reader.readexactly(10), 1) == b"still here"
        await asyncio.wait({command}, timeout=0.2)
    assert SandboxStatus.PAUSED not in idle.states
    writer.close()
    await paused(idle, container)


async def test_the_end_of_a_paused_sandbox(
    docker_home: DockerHome, docker_client: docker.DockerClient, token: str
) -> None:
    driver: DockerDriver = docker_home.driver()
    spec = docker_home.spec()
    place = await opened(driver, spec)
    await place.script("server.mjs", SERVER)
    server = ["node", "server.mjs", str(spec.port), token, ""]
    container = docker_client.containers.get(
        f"vibedesk-{docker_home.owner}-{spec.project_id.lower()}"
    )
    await place.sandbox.start_server(server)
    assert not await place.sandbox.pause(60)
    assert await place.sandbox.pause(0)
    await paused(place, container)
    await asyncio.wait_for(place.sandbox.stop_server(), 10)
    assert living(token) == []

    await place.sandbox.start_server(server)
    assert await place.sandbox.pause(0)
    await asyncio.wait_for(place.sandbox.stop(), 10)
    assert living(token) == []
    assert place.sandbox.status is SandboxStatus.STOPPED

    await place.sandbox.start_server(server)
    assert await place.sandbox.pause(0)
    await asyncio.wait_for(driver.aclose(), 10)
    assert living(token) == []
    container.reload()
    assert container.status == "exited"
