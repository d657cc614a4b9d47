"""The starter's own dev server in a Docker sandbox: it lives through changes, and pages hear of them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.engine.sandboxes.contract import PACKAGES, fetch, run, texts
from tests.engine.sandboxes.docker.conftest import ROOT
from tests.engine.sandboxes.docker.homes import DockerHome, egress_to, opened
from tests.engine.sandboxes.docker.web_sockets import TEXT, frame
from vibedesk.engine.sandboxes.driver import Exited, SandboxStatus

pytestmark = pytest.mark.e2e

TEMPLATE = ROOT / "resources" / "templates" / "react-vite"
STARTED_SECONDS = 120
MESSAGE_SECONDS = 30
PING_SECONDS = 0.3
SMALL_BYTES = 30 * 1024 * 1024
_TOKEN = re.compile(r'wsToken = "([^"]+)"')


class HotUpdates:
    """A page's connection to Vite, as much of it as messages to the page take; with pings, as the page's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._pinging = asyncio.create_task(self._ping())

    async def _ping(self) -> None:
        while True:
            self._writer.write(frame(TEXT, b'{"type":"ping"}'))
            await asyncio.sleep(PING_SECONDS)

    @classmethod
    async def open(cls, port: int, token: str) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /?token={token} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: vite-hmr\r\nOrigin: http://127.0.0.1:{port}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return cls(reader, writer)

    async def message(self) -> dict[str, Any]:
        """Return the next message to the page."""
        while True:
            first, length = await self._reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack(">H", await self._reader.readexactly(2))
            payload = await self._reader.readexactly(length)
            if first & 0x0F == 1:  # text; Vite's are short enough to come in one piece
                message: dict[str, Any] = json.loads(payload)
                return message

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(MESSAGE_SECONDS):
            while (message := await self.message())["type"] != kind:
                pass
            return message

    def close(self) -> None:
        self._pinging.cancel()
        self._writer.close()


@pytest.fixture
async def docker_home(
    docker_host: str, docker_image: str, npm_relay: str, tmp_path: Path
) -> AsyncIterator[DockerHome]:
    async with egress_to(npm_relay, tmp_path / "tarballs") as make_egress:
        made = DockerHome(docker_host, tmp_path, make_egress)
        yield made
        await made.aclose()


async def test_the_starter_follows_changes_without_a_restart(docker_home: DockerHome) -> None:
    driver, spec = docker_home.driver(), docker_home.spec()
    shutil.copytree(TEMPLATE, spec.folder, dirs_exist_ok=True)
    place = await opened(driver, spec)
    sandbox = place.sandbox
    assert await sandbox.has(PACKAGES)

    vite = ["node", "node_modules/vite/bin/vite.js", "--host", sandbox.host]
    url = await sandbox.start_server([*vite, "--port", str(spec.port)], timeout=STARTED_SECONDS)
    assert '<div id="root">' in await asyncio.to_thread(fetch, url)
    server = texts(await run(sandbox, "pgrep", "-f", "bin/vite.js"))

    token = _TOKEN.search(await asyncio.to_thread(fetch, f"{url}/@vite/client"))
    assert token is not None
    updates = await HotUpdates.open(spec.port, token[1])
    await updates.until("connected")
    for module in ("main.tsx", "App.tsx"):
        assert await asyncio.to_thread(fetch, f"{url}/src/{module}")

    async def change(text: str) -> None:
        page = "export default function App() { return <h1>TEXT</h1> }\n".replace("TEXT", text)
        (spec.folder / "src" / "App.tsx").write_text(page)
        await sandbox.push(["src/App.tsx"])

    await change("Changed once")
    update = await updates.until("update")
    # Tailwind's styles follow what classes the code uses.
    assert "/src/App.tsx" in [each["path"] for each in update["updates"]]
    assert "Changed once" in await asyncio.to_thread(fetch, f"{url}/src/App.tsx")

    # The page stays connected while the sandbox is paused, and hears of the change that wakes it.
    is_paused = False
    async with asyncio.timeout(MESSAGE_SECONDS):
        while not is_paused:
            await asyncio.sleep(PING_SECONDS)
            is_paused = await sandbox.pause(2 * PING_SECONDS)
    assert sandbox.status is SandboxStatus.PAUSED
    await change("Changed twice")
    await updates.until("update")
    assert "Changed twice" in await asyncio.to_thread(fetch, f"{url}/src/App.tsx")

    # A new file, which nobody has asked for yet.
    (spec.folder / "src" / "Part.tsx").write_text("export const part = 'A part'\n")
    await sandbox.push(["src/Part.tsx"])
    assert "A part" in await asyncio.to_thread(fetch, f"{url}/src/Part.tsx")
    updates.close()

    # A package more takes its own place, not that of all the others.
    added = await run(sandbox, "npm", "install", "--save-exact", "zod@4.1.12", timeout=120)
    assert added[-1] == Exited(0)
    (kept,) = (await driver.kept()).sandboxes
    assert kept.bytes < SMALL_BYTES
    assert texts(await run(sandbox, "pgrep", "-f", "bin/vite.js")) == server
    assert set(place.states) == {
        SandboxStatus.BUILDING,
        SandboxStatus.STARTING,
        SandboxStatus.RUNNING,
        SandboxStatus.PAUSED,
        SandboxStatus.STOPPED,
    }
