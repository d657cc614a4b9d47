"""A connection in both directions, whatever carries it: a socket, or a channel of a sandbox's session."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

_PIECE = 64 * 1024


class ByteStream(Protocol):
    """One open connection."""

    async def read(self) -> bytes:
        """Return the next piece; empty at the end of what the other side sends, or when it is gone."""
        ...

    async def write(self, data: bytes) -> None:
        """Send `data`; waits while the other side has no room.

        Raises:
            ConnectionError: the other side is gone.
        """
        ...

    async def end(self) -> None:
        """Say that nothing more comes from here; reading goes on. Idempotent."""
        ...

    def abort(self) -> None:
        """Drop the connection now. Idempotent."""
        ...


class SocketStream:
    """A `ByteStream` over a connection of asyncio's. A write has left this process when it returns."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # What is still in asyncio's buffer would be lost with `abort`.
        writer.transport.set_write_buffer_limits(high=0)

    async def read(self) -> bytes:
        try:
            return await self._reader.read(_PIECE)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        if self._writer.transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            raise
        except (OSError, RuntimeError) as error:
            # Timeouts and TLS errors; a RuntimeError is a write after `end`.
            raise ConnectionAbortedError(str(error)) from error

    async def end(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            if not self._writer.transport.is_closing() and self._writer.can_write_eof():
                self._writer.write_eof()

    def abort(self) -> None:
        self._writer.transport.abort()
