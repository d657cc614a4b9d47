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
from tests.engine.sandboxes.docker.web_sockets import PING, TEXT, frame
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
from vibedesk.engine.sandboxes.driver import SandboxError, SandboxStatus

# Answers over HTTP, and sends back what comes over a connection that is none; an updates' one it agrees to, and
# answers what is no ping.
ECHO = """
import net from 'node:net'
const page = 'HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\nConnection: close\\r\\n\\r\\nit runs'
const agrees = 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n\\r\\n'
net.createServer(socket => socket.on('error', () => {}).on('data', data => {
  const text = data.toString('latin1')
  if (text.startsWith('GET') && text.includes('websocket')) socket.updates = socket.write(agrees)
  else if (text.startsWith('GET')) socket.end(page)
  else if (!socket.updates) socket.write(data)
  else if (text.includes('use')) socket.write('used')
})).listen(Number(process.argv[2]), '127.0.0.1')
"""
NO_MASK = bytes(4)
VITE_PING = frame(TEXT, b'{"type":"ping"}', mask=NO_MASK)


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
    assert await asyncio.wait_for(reader.readexactly(3), 60) == b"two"
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


async def test_a_page_that_is_open_and_not_touched_does_not_keep_it_awake(
    idle: Opened, container: Container
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", idle.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: vite-hmr\r\n\r\n"
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")

    pings = 0

    async def keep_open() -> None:
        nonlocal pings
        while True:
            writer.write(VITE_PING + frame(PING, b""))
            pings += 1
            await asyncio.sleep(0.1)

    for _ in range(2):
        pinging = asyncio.create_task(keep_open())
        await paused(idle, container)
        states, before = len(idle.statuses), pings
        await until(lambda: pings > before + 5, "more of them come")  # noqa: B023
        assert len(idle.statuses) == states
        pinging.cancel()

        # What the page then does is answered at once, after all that was sent meanwhile.
        writer.write(frame(TEXT, b"use", mask=NO_MASK))
        assert await asyncio.wait_for(reader.readexactly(4), 60) == b"used"
        assert idle.sandbox.status is SandboxStatus.RUNNING
    writer.close()


async def test_a_shell_wakes_it(
    idle: Opened, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paused(idle, container)
    command = [word for word in await idle.sandbox.shell_command() if word != "-it"]
    assert idle.sandbox.status is SandboxStatus.RUNNING
    command.insert(command.index("exec") + 1, "-i")
    shell = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(shell.communicate(b"pwd\n"), 30)
    assert said.decode().splitlines()[-1] == "/app"

    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="the docker command, which is not installed") as caught:
        await idle.sandbox.shell_command()
    assert "docker-cli" in caught.value.remedy


async def test_what_is_used_is_not_paused(idle: Opened, container: Container) -> None:
    command = asyncio.create_task(run(idle.sandbox, "sleep", "3"))
    reader, writer = await asyncio.open_connection("127.0.0.1", idle.port)
    while not command.done():
        writer.write(b"still here")
        assert await asyncio.wait_for(reader.readexactly(10), 20) == b"still here"
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
    await asyncio.wait_for(place.sandbox.stop_server(), 60)
    assert living(token) == []

    await place.sandbox.start_server(server)
    assert await place.sandbox.pause(0)
    await asyncio.wait_for(place.sandbox.stop(), 60)
    assert living(token) == []
    assert place.sandbox.status is SandboxStatus.STOPPED

    await place.sandbox.start_server(server)
    assert await place.sandbox.pause(0)
    await asyncio.wait_for(driver.aclose(), 60)
    assert living(token) == []
    container.reload()
    assert container.status == "exited"
