"""The only way out for the preview: a loopback proxy that opens connections to the app and granted hosts.

Chromium sends every connection here, also those no request interceptor sees (preconnects, sockets opened
by service workers). The gateway itself resolves the names of granted hosts and connects to the very
address it has checked, so a name cannot change its meaning between check and use (DNS rebinding).
It knows nothing of Qt and runs on a loop and thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from vibedesk.base.hosts import (
    Host,
    is_loopback,
    is_public_address,
    parse_address,
    split_host_port,
)
from vibedesk.ui.preview.network_rules import (
    Allowed,
    Blocked,
    decide_foreign,
    decide_origin,
    parse_origin,
)

_log = logging.getLogger(__name__)
_HEAD_LIMIT = 256 * 1024
_HEAD_SECONDS = 60.0
_CONNECT_SECONDS = 20.0
_PIECE = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Resolve = Callable[[str, int], Awaitable[list[str]]]
Dial = Callable[[str, int], Awaitable[Streams]]


class Reach(NamedTuple):
    """What the previewed page may reach at present."""

    own_origin: str
    granted: tuple[str, ...]


class RefusedError(Exception):
    """The connection is not allowed; the text says why."""


async def resolve_by_system(name: str, port: int) -> list[str]:
    """Return the addresses the system's resolver gives for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(place[4][0]) for place in found]


async def dial_tcp(address: str, port: int) -> Streams:
    return await asyncio.open_connection(address, port)


class PreviewGateway:
    """Listens from construction until `close`; `set_reach` takes effect for the next connection."""

    def __init__(self, resolve: Resolve = resolve_by_system, dial: Dial = dial_tcp) -> None:
        self._resolve = resolve
        self._dial = dial
        self._reach = Reach("", ())
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="preview-gateway", daemon=True)
        self._thread.start()

    def set_reach(self, own_origin: str, granted: tuple[str, ...]) -> None:
        """Replace what may be reached; callable on any thread."""
        self._reach = Reach(own_origin, granted)

    def close(self) -> None:
        """Stop listening and end every connection."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self._socket, limit=_HEAD_LIMIT)
        )
        try:
            self._loop.run_forever()
        finally:
            server.close()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._relay(head, reader, writer)
        except RefusedError as refusal:
            _log.info("preview connection refused: %s", refusal)
            writer.write(_refusal(str(refusal)))
        except (
            OSError,
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ) as error:
            # Closing without an answer is what Chromium takes for "the app does not answer".
            _log.debug("preview connection failed: %s", error)
        finally:
            await _close(writer)

    async def _relay(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        target = rest.rpartition(" ")[0]
        if method == "CONNECT":
            upstream_reader, upstream = await self._open_tunnel(target)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            upstream_reader, upstream = await self._open_request(target)
            upstream.write(_forwarded_head(method, target, lines[1:]))
        try:
            await _pump_both(reader, writer, upstream_reader, upstream)
        finally:
            await _close(upstream)

    async def _open_tunnel(self, target: str) -> Streams:
        reach = self._reach
        place = split_host_port(target, 443)
        if place is None:
            raise RefusedError("not an address")
        own = parse_origin(reach.own_origin)
        if own is not None and is_loopback(own.host) and place == (own.host, own.port):
            return await self._dial_own(own.host, own.port)
        host, port = place
        # A tunnel does not tell its scheme: a grant without a port means 80 and 443.
        usual = port if port in (80, 443) else 443
        return await self._dial_allowed(
            host, port, decide_foreign(host, port, reach.granted, usual)
        )

    async def _open_request(self, url: str) -> Streams:
        reach = self._reach
        origin = parse_origin(url)
        if origin is None:
            raise RefusedError("not an address")
        verdict = decide_origin(origin, reach.own_origin, reach.granted)
        return await self._dial_allowed(origin.host, origin.port, verdict)

    async def _dial_allowed(self, host: Host, port: int, verdict: Allowed | Blocked) -> Streams:
        if isinstance(verdict, Blocked):
            raise RefusedError(verdict.reason)
        if verdict.because == "own":
            return await self._dial_own(host, port)
        async with asyncio.timeout(_CONNECT_SECONDS):
            addresses = await self._public_addresses(host, port)
            return await self._dial_first(addresses, port)

    async def _dial_own(self, host: Host, port: int) -> Streams:
        addresses = ["127.0.0.1", "::1"] if isinstance(host, str) else [str(host)]
        return await self._dial_first(addresses, port)

    async def _dial_first(self, addresses: list[str], port: int) -> Streams:
        for address in addresses[:-1]:
            with contextlib.suppress(OSError):
                return await self._dial(address, port)
        return await self._dial(addresses[-1], port)

    async def _public_addresses(self, host: Host, port: int) -> list[str]:
        if isinstance(host, IPv4Address | IPv6Address):
            return [str(host)]
        addresses = [parse_address(text) for text in await self._resolve(host, port)]
        if not addresses or any(a is None or not is_public_address(a) for a in addresses):
            raise RefusedError(f"{host} does not lead to public addresses only")
        return [str(address) for address in addresses]


def _forwarded_head(method: str, url: str, headers: list[str]) -> bytes:
    """Turn the head of a request to a proxy into one to the server itself, one request a connection."""
    after_scheme = url.partition("://")[2]
    path = "/" + after_scheme.partition("/")[2] if "/" in after_scheme else "/"
    kept = [
        line
        for line in headers
        if line and line.partition(":")[0].strip().lower() not in ("connection", "proxy-connection")
    ]
    lines = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _refusal(reason: str) -> bytes:
    body = f"VibeDesk: {reason}\n".encode()
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode("ascii") + body


async def _pump_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream_reader: asyncio.StreamReader,
    upstream: asyncio.StreamWriter,
) -> None:
    """Carry bytes both ways until the server is done or the browser went away."""
    sending = asyncio.create_task(_pump(reader, upstream))
    receiving = asyncio.create_task(_pump(upstream_reader, writer))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(_PIECE):
        target.write(piece)
        await target.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
