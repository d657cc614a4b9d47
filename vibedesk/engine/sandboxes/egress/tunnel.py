"""Joins two connections until both have ended, or nothing moved for too long; watches how a tunnel begins."""

from __future__ import annotations

import asyncio
import logging

from vibedesk.base.hosts import Host, canonical_host
from vibedesk.engine.sandboxes.egress.client_hello import TLS_RECORDS, ClientHello, NotHelloError
from vibedesk.engine.sandboxes.streams import ByteStream

_log = logging.getLogger(__name__)

_LOGGED = 100


class HelloGuard:
    """The app's end of a tunnel: what it sends is read only after TLS was seen to be for the tunnel's own host.

    Many names share the addresses of a large network; only the name in the ClientHello says which of them is meant.

    Args:
        stream: From the app.
        host: That the tunnel is for, canonical.
        required: Whether it must be TLS; else other protocols, and servers that speak first, are let through.
        seconds: For the whole hello: since the first `read`, or where none is required since its first byte.
    """

    def __init__(self, stream: ByteStream, host: Host, *, required: bool, seconds: float) -> None:
        self._stream = stream
        self._host = host
        self._required = required
        self._seconds = seconds
        self._begun = False
        self.write = stream.write
        self.end = stream.end
        self.abort = stream.abort

    async def read(self) -> bytes:
        """Return the next piece, the first one with the whole ClientHello.

        Raises:
            ConnectionAbortedError: the tunnel must end; nothing of it was returned.
        """
        if self._begun:
            return await self._stream.read()
        self._begun = True
        try:
            return await self._first()
        except (NotHelloError, TimeoutError) as error:
            why = str(error) or "its ClientHello did not come in time"
            _log.info("a tunnel to %s was dropped: %s", self._host, why)
            raise ConnectionAbortedError(why) from error

    async def _first(self) -> bytes:
        first = b""
        if not self._required:
            first = await self._stream.read()
            if not first or first[0] not in TLS_RECORDS:
                return first
        async with asyncio.timeout(self._seconds):
            return await self._hello(first)

    async def _hello(self, data: bytes) -> bytes:
        hello, pieces = ClientHello(), [data]
        while (name := hello.feed(data)) is None:
            data = await self._stream.read()
            if not data:
                raise NotHelloError("it ended before its ClientHello did")
            pieces.append(data)
        # For an address (a registry's only) there is none: hellos carry names alone.
        unnamed = not name and not isinstance(self._host, str)
        if not unnamed and canonical_host(name) != self._host:
            raise NotHelloError(f"its ClientHello is for {name[:_LOGGED]!r}")
        return b"".join(pieces)


async def join(one: ByteStream, other: ByteStream, *, idle_seconds: float) -> None:
    """Carry bytes both ways at the pace of the slower side; the end of one direction leaves the other open.

    Both streams are dropped when this returns, also when it is cancelled.
    """
    try:
        async with asyncio.timeout(idle_seconds) as patience, asyncio.TaskGroup() as group:
            group.create_task(_carry(one, other, patience, idle_seconds))
            group.create_task(_carry(other, one, patience, idle_seconds))
    except* (ConnectionError, TimeoutError):
        pass
    finally:
        one.abort()
        other.abort()


async def _carry(
    source: ByteStream, target: ByteStream, patience: asyncio.Timeout, idle_seconds: float
) -> None:
    while data := await source.read():
        await target.write(data)
        if not patience.expired():
            patience.reschedule(asyncio.get_running_loop().time() + idle_seconds)
    await target.end()
