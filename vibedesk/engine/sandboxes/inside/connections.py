"""Connections between the session and sockets of the sandbox's own loopback."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections import deque
from collections.abc import Callable

from vibedesk.engine.sandboxes.inside.channels import Agent, Channel, explain
from vibedesk.engine.sandboxes.inside.frames import END, OPEN, PROXY_PORT, Json

_MOST_FROM_APP = 256
"""Connections of the app's to its proxy at a time; VibeDesk serves fewer and ends a session with far more."""


class Connection(Channel):
    """Bytes between the session and a socket."""

    def __init__(
        self,
        agent: Agent,
        number: int,
        sock: socket.socket,
        *,
        connected: bool,
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(agent, number)
        self._socket = sock
        self._on_drop = on_drop
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connected = connected
        self._pending: deque[memoryview] = deque()
        self._ends = False
        self._read_ended = False
        self._write_ended = False
        self._closed = False

    def begin(self) -> None:
        self._watch()

    def on_room(self) -> None:
        self._watch()

    def on_data(self, data: bytes) -> None:
        self._pending.append(memoryview(data))
        self._watch()

    def on_end(self) -> None:
        self._ends = True
        self._watch()

    def _watch(self) -> None:
        if self._closed:
            return
        reads = writes = None
        if not self._connected:
            writes = self._connect_done
        else:
            if not self._read_ended and self.may_send() > 0:
                reads = self._read
            if self._pending or (self._ends and not self._write_ended):
                writes = self._write
        self.agent.watch(self._socket.fileno(), reads=reads, writes=writes)

    def _connect_done(self) -> None:
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._close({"error": os.strerror(error)})
            return
        self._connected = True
        self._watch()

    def _read(self) -> None:
        room = self.may_send()
        if not room:
            self._watch()
            return
        try:
            data = self._socket.recv(room)
        except BlockingIOError:
            return
        except OSError as error:
            self._close({"error": explain(error)})
            return
        if data:
            self.send(data)
            self._watch()
            return
        self._read_ended = True
        self.agent.send(END, self.number)
        self._close_when_done()

    def _write(self) -> None:
        try:
            while self._pending:
                head = self._pending[0]
                written = self._socket.send(head)
                self.consumed(written)
                if written == len(head):
                    self._pending.popleft()
                else:
                    self._pending[0] = head[written:]
                    return
            if self._ends and not self._write_ended:
                self._write_ended = True
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError as error:
            self._close({"error": explain(error)})
            return
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._read_ended and self._write_ended:
            self._close({})
        else:
            self._watch()

    def _close(self, result: Json) -> None:
        if not self._closed:
            self._drop()
            self.finish(result)

    def _drop(self) -> None:
        self._closed = True
        self.agent.watch(self._socket.fileno())
        self._socket.close()
        self._on_drop()

    def abort(self) -> None:
        super().abort()
        if not self._closed:
            with contextlib.suppress(OSError):
                linger = struct.pack("ii", 1, 0)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._drop()


def connect(agent: Agent, number: int, request: Json) -> Channel:
    """Connect to a port of this sandbox's own loopback."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    error = sock.connect_ex(("127.0.0.1", int(request["port"])))
    if error not in (0, errno.EINPROGRESS):
        sock.close()
        raise OSError(error, os.strerror(error))
    return Connection(agent, number, sock, connected=error == 0)


def listen_for_proxy(agent: Agent) -> None:
    """Hand every connection to the proxy port over to VibeDesk, which decides what becomes of it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", PROXY_PORT))
    except OSError:
        listener.close()  # the app holds it: then it has no way out
        return
    listener.listen(128)
    listener.setblocking(False)
    open_ones = 0

    def accept() -> None:
        nonlocal open_ones
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        open_ones += 1
        number = agent.new_channel()
        channel = Connection(agent, number, sock, connected=True, on_drop=dropped)
        agent.channels[number] = channel
        agent.send(OPEN, number, b'{"kind": "egress"}')
        channel.begin()
        watch()

    def dropped() -> None:
        nonlocal open_ones
        open_ones -= 1
        watch()

    def watch() -> None:
        full = open_ones >= _MOST_FROM_APP
        agent.watch(listener.fileno(), reads=None if full else accept)

    watch()
