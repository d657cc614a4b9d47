"""What the egress is tested with: servers on loopback, names that lead to them, and streams in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
from vibedesk.engine.sandboxes.egress.proxy import Egress, Limits
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.streams import ByteStream, SocketStream

PUBLIC = "93.184.216.34"
"""The address that the tests' names have; `Net.dial` takes it to loopback, nothing ever goes there."""

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(accept: Accept) -> AsyncIterator[int]:
    """Serve on a loopback port for the time of the block."""
    serving: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await accept(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # cancelled at the end of the block only
        finally:
            serving.discard(task)
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@dataclass
class Net:
    """A little internet: which addresses names have, and which loopback port stands behind them."""

    addresses: dict[str, list[str]] = field(default_factory=dict)
    ports: dict[int, int] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    async def resolve(self, name: str, port: int) -> list[str]:
        self.resolved.append(name)
        if name not in self.addresses:
            raise OSError("no such name")
        return self.addresses[name]

    async def dial(self, address: str, port: int) -> ByteStream:
        self.dialled.append((address, port))
        if port not in self.ports:
            raise ConnectionRefusedError(111, "refused")
        return SocketStream(*await asyncio.open_connection("127.0.0.1", self.ports[port]))


@dataclass
class Way:
    """An egress with what it asked for."""

    egress: Egress
    net: Net
    refused: list[str]


def make_way(
    rules: NetworkRules | None = None,
    *,
    registry: NpmRegistry | None = None,
    registries: Registries | None = None,
    environment: dict[str, str] | None = None,
    limits: Limits | None = None,
) -> Way:
    net, refused = Net(), list[str]()
    current = rules or NetworkRules(granted=frozenset({"api.example.com", "api.example.com:7000"}))
    egress = Egress(
        rules=lambda: current,
        registries=registries or Registries(),
        registry=registry,
        upstream=Upstream(environment or {}),
        on_refused=refused.append,
        resolve=net.resolve,
        dial=net.dial,
        is_near=lambda address: False,
        limits=limits,
    )
    return Way(egress, net, refused)


@asynccontextmanager
async def open_port(egress: Egress) -> AsyncIterator[int]:
    """What the agent inside a sandbox does: hand every connection to the egress."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await egress.serve(SocketStream(reader, writer))

    async with listening(accept) as port:
        yield port


class MemoryStream:
    """Plays given pieces and keeps what is written."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = list(pieces)
        self.written = bytearray()
        self.ended = self.aborted = False

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, data: bytes) -> None:
        if self.aborted or self.ended:
            raise ConnectionResetError("closed")
        self.written += data

    async def end(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.aborted = True


async def ask(port: int, *pieces: bytes, finish: bool = True) -> bytes:
    """Send pieces, return all that comes back until the other side ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if finish:
            writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


async def ask_until_dropped(
    port: int, tunnel: bytes, first: bytes, *, finish: bool = True
) -> bytes:
    """Open a tunnel and send its first bytes; return all that comes back, also before a reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        writer.write(tunnel)
        received = await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        if finish:
            writer.write_eof()
        while data := await reader.read(65536):
            received += data
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
    return received
