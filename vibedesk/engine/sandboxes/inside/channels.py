"""The session inside a container: one loop, its channels, and what they all do alike."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable

from vibedesk.engine.sandboxes.inside.frames import (
    ABORT,
    COUNT,
    CREDIT,
    DATA,
    END,
    HEADER,
    HELLO_CHANNEL,
    MOST_PAYLOAD,
    OPEN,
    RESULT,
    WINDOW,
    Bytes,
    FrameReader,
    Json,
    frame,
)

_OUTGOING_LIMIT = 1024 * 1024
_FAREWELL_SECONDS = 6.0
_LOOK_SECONDS = 1.0


class Agent:
    """The one session: its frames, its channels, its sources of events."""

    def __init__(self, openers: dict[str, Callable[[Agent, int, Json], Channel | None]]) -> None:
        self._openers = openers
        self._selector = selectors.DefaultSelector()
        self._handlers: dict[int, tuple[Callable[[], None] | None, Callable[[], None] | None]] = {}
        self._reader = FrameReader()
        self._outgoing: deque[memoryview] = deque()
        self._outgoing_bytes = 0
        self._waiting_for_room: set[Channel] = set()
        self._next_channel = 2
        self.channels: dict[int, Channel] = {}
        self.children: set[int] = set()
        self.lookers: dict[int, Callable[[], None]] = {}
        """What is called about once a second, by channel; without any nothing wakes the loop."""
        self._looked_at = 0.0
        self.ended = False

    def run(self) -> None:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.set_blocking(0, False)
        os.set_blocking(1, False)
        self.watch(0, reads=self._read)
        self.send(OPEN, HELLO_CHANNEL, json.dumps({"version": 1, "pid": os.getpid()}).encode())
        while not self.ended:
            self.turn(self._look())
        for channel in list(self.channels.values()):
            channel.abort()
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while self.children and time.monotonic() < deadline:
            self.turn(0.05)
            self.reap_children()

    def turn(self, timeout: float | None) -> None:
        for key, events in self._selector.select(timeout):
            reads, writes = self._handlers.get(key.fd, (None, None))
            if events & selectors.EVENT_READ and reads is not None:
                reads()
            if events & selectors.EVENT_WRITE and writes is not None and key.fd in self._handlers:
                writes()

    def _look(self) -> float | None:
        """Call the lookers where it is time; return for how many seconds it is none again, None without lookers."""
        if not self.lookers:
            return None
        left = self._looked_at + _LOOK_SECONDS - time.monotonic()
        if left > 0:
            return left
        self._looked_at = time.monotonic()
        for look in list(self.lookers.values()):
            look()
        return _LOOK_SECONDS

    def watch(
        self,
        fd: int,
        *,
        reads: Callable[[], None] | None = None,
        writes: Callable[[], None] | None = None,
    ) -> None:
        """Call these when `fd` can be read or written; with neither it is not watched any more."""
        events = (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if writes else 0)
        if fd in self._handlers:
            if events:
                self._selector.modify(fd, events)
            else:
                self._selector.unregister(fd)
        elif events:
            self._selector.register(fd, events)
        if events:
            self._handlers[fd] = (reads, writes)
        else:
            self._handlers.pop(fd, None)

    # -- frames ----------------------------------------------------------------------------------
    def send(self, kind: int, channel: int, payload: Bytes = b"") -> None:
        self._outgoing.append(memoryview(frame(kind, channel, payload)))
        self._outgoing_bytes += len(payload) + HEADER.size
        self._write()

    @property
    def has_room(self) -> bool:
        return self._outgoing_bytes < _OUTGOING_LIMIT

    def call_when_room(self, channel: Channel) -> None:
        self._waiting_for_room.add(channel)

    def new_channel(self) -> int:
        number, self._next_channel = self._next_channel, self._next_channel + 2
        return number

    def _write(self) -> None:
        try:
            while self._outgoing:
                head = self._outgoing[0]
                written = os.write(1, head)
                self._outgoing_bytes -= written
                if written == len(head):
                    self._outgoing.popleft()
                else:
                    self._outgoing[0] = head[written:]
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True
            self._outgoing.clear()
        self.watch(1, writes=self._write if self._outgoing else None)
        if self.has_room and self._waiting_for_room:
            waiting, self._waiting_for_room = self._waiting_for_room, set()
            for channel in waiting:
                channel.on_room()

    def _read(self) -> None:
        try:
            data = os.read(0, 256 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.watch(0)
            self.ended = True
            return
        try:
            for kind, number, payload in self._reader.feed(data):
                self._take(kind, number, payload)
        except ValueError:
            self.ended = True

    def _take(self, kind: int, number: int, payload: bytes) -> None:
        if kind == OPEN:
            request = json.loads(payload)
            opener = self._openers.get(str(request.get("kind")))
            if opener is None:
                self.send(RESULT, number, b'{"error": "unknown"}')
                return
            try:
                channel = opener(self, number, request)
            except (OSError, ValueError, KeyError, TypeError) as error:
                self.send(RESULT, number, json.dumps({"error": explain(error)}).encode())
            else:
                if channel is not None:  # else it has answered already
                    self.channels[number] = channel
                    channel.begin()
            return
        found = self.channels.get(number)
        if found is None:
            return  # it ended while this was under way
        channel = found
        if kind == DATA:
            channel.on_data(payload)
        elif kind == END:
            channel.on_end()
        elif kind == ABORT:
            channel.abort()
        elif kind == CREDIT:
            channel.add_credit(COUNT.unpack(payload)[0])

    # -- children ---------------------------------------------------------------------------------
    def reap_children(self) -> None:
        for pid in list(self.children):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
            self.children.discard(pid)


class Channel:
    """One channel of the session."""

    def __init__(self, agent: Agent, number: int) -> None:
        self.agent = agent
        self.number = number
        self.credit = WINDOW

    def begin(self) -> None:
        """Start; the channel is registered by now."""

    def on_data(self, data: bytes) -> None:
        self.consumed(len(data))

    def on_end(self) -> None: ...

    def on_room(self) -> None: ...

    def add_credit(self, amount: int) -> None:
        self.credit += amount
        self.on_room()

    def may_send(self) -> int:
        """Return how much may be sent now; where nothing may, `on_room` is called later."""
        if not self.agent.has_room:
            self.agent.call_when_room(self)
            return 0
        return max(0, min(self.credit, MOST_PAYLOAD))

    def send(self, data: Bytes, kind: int = DATA) -> None:
        self.credit -= len(data)
        self.agent.send(kind, self.number, data)

    def consumed(self, amount: int) -> None:
        """Let the other side send so much more."""
        if amount:
            self.agent.send(CREDIT, self.number, COUNT.pack(amount))

    def finish(self, result: Json) -> None:
        self.agent.send(RESULT, self.number, json.dumps(result).encode()[:MOST_PAYLOAD])
        self.agent.channels.pop(self.number, None)

    def abort(self) -> None:
        self.agent.channels.pop(self.number, None)


def explain(error: BaseException) -> str:
    return (
        (error.strerror if isinstance(error, OSError) else None)
        or str(error)
        or type(error).__name__
    )
