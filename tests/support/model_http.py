"""The little HTTP that the loopback model server needs: read one request, write one chunked response."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

API_KEY = "sk-loopback-0123456789abcdef"
"""The key of `environment()`; tests assert that it turns up nowhere."""

_SECRET_HEADERS = {"authorization", "x-api-key", "cookie", "proxy-authorization"}


@dataclass(slots=True)
class ReceivedRequest:
    """One request, and how it went."""

    method: str
    path: str
    operation: str
    headers: dict[str, str]
    body: dict[str, Any]
    key_was_right: bool
    fault: str = ""
    status: int = 0
    answered: bool = False
    client_left: bool = False
    sent_bytes: int = 0

    @property
    def system(self) -> str:
        """The system prompt and what stands with it, whichever way the API carries it."""
        return "".join(block["text"] for block in self.system_blocks)

    @property
    def system_blocks(self) -> list[dict[str, Any]]:
        """The system prompt, then the stable part where it stands with it."""
        turns = self.body.get("messages", [])
        systems = [turn["content"] for turn in turns if turn["role"] == "system"]
        system = self.body.get("system", systems[0] if systems else [])
        return [{"type": "text", "text": system}] if isinstance(system, str) else system

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The turns without the system prompt."""
        return [turn for turn in self.body.get("messages", []) if turn["role"] != "system"]


class BodyWriter:
    """Writes a chunked response, perhaps in odd pieces."""

    def __init__(
        self, writer: asyncio.StreamWriter, request: ReceivedRequest, size: int, delay_s: float
    ) -> None:
        self._writer = writer
        self._request = request
        self._size = size
        self._delay_s = delay_s

    async def start(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", "connection: close", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        await self._writer.drain()

    async def write(self, data: bytes) -> None:
        for part in self._parts(data):
            self._writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await self._writer.drain()
            self._request.sent_bytes += len(part)
            # A pause of nothing still lets the reader run, so that parts arrive as parts.
            await asyncio.sleep(self._delay_s)

    async def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def _parts(self, data: bytes) -> Iterator[bytes]:
        if self._size:
            for position in range(0, len(data), self._size):
                yield data[position : position + self._size]
            return
        position = 0
        while position < len(data):
            end = data.find(b"\n\n", position)
            end = len(data) if end < 0 else end + 2
            yield data[position:end]
            position = end


async def read_request(reader: asyncio.StreamReader) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.rstrip().split("\r\n")
    method, target, _ = request_line.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    secrets = [headers.get(name, "") for name in ("authorization", "x-api-key")]
    return ReceivedRequest(
        method=method,
        path=target.partition("?")[0],
        operation=headers.get("x-vibedesk-operation", ""),
        headers={name: value for name, value in headers.items() if name not in _SECRET_HEADERS},
        body=json.loads(raw) if raw else {},
        key_was_right=any(secret.removeprefix("Bearer ") == API_KEY for secret in secrets),
    )
