"""The preview's way in: a port of 127.0.0.1 on this machine, carried to the same port inside the sandbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.sandboxes import ports
from vibedesk.engine.sandboxes.docker.keep_alives import Direction
from vibedesk.engine.sandboxes.docker.session import Channel, Session
from vibedesk.engine.sandboxes.egress.tunnel import join
from vibedesk.engine.sandboxes.streams import SocketStream

_log = logging.getLogger(__name__)

_BACKLOG = 256
_IDLE_SECONDS = 24 * 3600.0  # a page left open over night still gets its updates


class Relay:
    """Listens on `port` of 127.0.0.1 while it is open.

    Args:
        port: The same on both sides: what a page says of its own address holds inside, too.
        session: Gives a session of the sandbox that is awake; asked for every connection.
    """

    def __init__(self, port: int, session: Callable[[], Awaitable[Session]]) -> None:
        self._port = port
        self._session = session
        self._server: asyncio.Server | None = None
        self._scope = TaskScope(f"relay {port}")

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            PortInUseError: somebody else has the port.
        """
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(
                self._carry, ports.HOST, self._port, backlog=_BACKLOG
            )
        except OSError as error:
            raise await ports.port_in_use_error(self._port) from error

    async def close(self) -> None:
        """Stop listening and drop every connection. Idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self._scope.aclose()
        self._scope = TaskScope(f"relay {self._port}")

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        work = self._scope.start(self._connect(SocketStream(reader, writer)), name="connection")
        await asyncio.wait({work})

    async def _connect(self, outside: SocketStream) -> None:
        try:
            session = await self._session()
            inside = session.open("connect", uses=False, port=self._port)
        except VibeDeskError as error:
            _log.info("no connection to port %s: %s", self._port, error.message)
            outside.abort()
            return
        except BaseException:
            outside.abort()
            raise
        waking = _WakingStream(inside, session, self._session)
        await join(outside, waking, idle_seconds=_IDLE_SECONDS)


class _WakingStream:
    """The inner end of an open connection: use that comes from outside wakes the sandbox.

    What only keeps the connection open does not; to a paused sandbox it is sent all the same, and read after the waking.
    """

    def __init__(
        self, channel: Channel, session: Session, wake: Callable[[], Awaitable[Session]]
    ) -> None:
        self._channel = channel
        self._session = session
        self._wake = wake
        self._inward, self._outward = Direction(), Direction()

    async def read(self) -> bytes:
        data = await self._channel.read()
        if self._outward.is_use(data):
            self._session.touch()
        return data

    async def write(self, data: bytes) -> None:
        if self._inward.is_use(data):
            try:
                await self._wake()
            except VibeDeskError as error:
                raise ConnectionAbortedError(error.message) from error
        await self._channel.write(data)

    async def end(self) -> None:
        await self._channel.end()

    def abort(self) -> None:
        self._channel.abort()
