"""A session in a running container: channels over the one stream of `docker exec`.

`inside/agent.py` is the other end and says how the frames look. What comes from there is a stranger's word: a frame
that breaks the rules ends the session, and nothing is kept beyond what each channel's window allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from vibedesk.engine.sandboxes.docker.connection import disk_full_error
from vibedesk.engine.sandboxes.driver import SandboxError
from vibedesk.engine.sandboxes.inside import frames
from vibedesk.engine.sandboxes.output import strip_ansi

_log = logging.getLogger(__name__)

Json = dict[str, Any]

_STREAM_HEADER = struct.Struct(">BxxxI")  # Docker's, round what an exec prints
_STDOUT = 1
_READ_BYTES = 64 * 1024  # what the loop handles in one go
_MOST_ERRORS = 4_000
_HELLO_SECONDS = 20.0
_MOST_FROM_INSIDE = 300
_ACCEPT_SECONDS = 0.001
_MOST_STRAYS = 20_000
_MOST_PIECES = 256
_MOST_FRAME_OVERRUN = 2 * frames.MOST_PAYLOAD
_CREDIT_STEP = frames.WINDOW // 4
_MOST_OUTGOING = 8 * 1024 * 1024
_MOST_ANSWER = 16 * 1024 * 1024
_MOST_SAID = 300
# What the program inside does itself, at once; all else takes as long as it takes.
_PROMPT = frozenset({"put", "get", "compare", "exists", "free"})
_PATIENCE_FACTOR = 3


class SessionLostError(SandboxError):
    """The session ended: its container was stopped or killed, or the engine does not answer."""

    code = "sandbox_lost"
    retryable = True


class Channel:
    """One channel; a `ByteStream` for what the other side sends as plain data."""

    def __init__(
        self, session: Session, number: int, *, prompt: bool = False, uses: bool = True
    ) -> None:
        self._session = session
        self._number = number
        self._prompt = prompt
        self.uses = uses
        self.on_limits: Callable[[Json], None] | None = None
        """Called with what the other side says, while a command runs, of the limits that were met."""
        self._heard = asyncio.get_running_loop().time()
        self._pieces: deque[tuple[int, bytearray]] = deque()
        self._unread = 0
        self._owed = 0
        self._arrived = asyncio.Event()
        self._ended = False
        self._credit = frames.WINDOW
        self._more_credit = asyncio.Event()
        self._sent_end = False
        self._late: asyncio.TimerHandle | None = None
        self._over = False
        self.outcome: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.outcome.add_done_callback(_look_at)

    async def receive(self) -> tuple[int, bytes] | None:
        """Return the next piece with its kind (`frames.DATA` or `frames.ERRORS`), None at the end."""
        while not self._pieces:
            if self._ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        kind, data = self._pieces.popleft()
        self._heard = asyncio.get_running_loop().time()
        self._unread -= len(data)
        self._owed += len(data)
        if self._owed >= _CREDIT_STEP and not self._over:
            self._session.send(frames.CREDIT, self._number, frames.COUNT.pack(self._owed))
            self._owed = 0
        return kind, bytes(data)

    async def read(self) -> bytes:
        piece = await self.receive()
        return piece[1] if piece else b""

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            await self._session.drained()
            while self._credit <= 0 and not self._over:
                self._more_credit.clear()
                await self._more_credit.wait()
            if self._over or self._sent_end:
                raise ConnectionResetError("the channel is closed")
            piece = view[: min(self._credit, frames.MOST_PAYLOAD)]
            self._credit -= len(piece)
            self._session.send(frames.DATA, self._number, piece)
            self._heard = asyncio.get_running_loop().time()
            view = view[len(piece) :]
        await self._session.drained()

    async def end(self) -> None:
        self._end()

    def request_end(self) -> None:
        """Ask a command to end, as `end` does; one that does not come to its end ends the session."""
        if not self._sent_end and not self._over:
            loop, seconds = asyncio.get_running_loop(), self._session.patience
            self._late = loop.call_later(seconds, self._session.give_up)
            self._end()

    def _end(self) -> None:
        if not self._sent_end and not self._over:
            self._sent_end = True
            self._session.send(frames.END, self._number)

    def abort(self) -> None:
        if not self._over:
            self._session.send(frames.ABORT, self._number)
            self.close(ConnectionAbortedError("the channel was dropped"))
            self._pieces.clear()

    async def result(self) -> Json:
        """Wait for what the other side says at the end.

        Raises:
            SessionLostError: the session ended before.
        """
        return await asyncio.shield(self.outcome)

    # -- for the session ---------------------------------------------------------------------------
    def silent_since(self) -> float | None:
        """Return since when an answer is owed; None where none is."""
        return self._heard if self._prompt and not self._pieces else None

    def take(self, kind: int, payload: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        match kind:
            case frames.DATA | frames.ERRORS:
                if payload and not self._ended:
                    self._keep(kind, payload)
                    self._arrived.set()
            case frames.END:
                self._finish_reading()
            case frames.CREDIT:
                self._credit = min(
                    self._credit + frames.COUNT.unpack(payload)[0], 4 * frames.WINDOW
                )
                self._more_credit.set()
            case frames.RESULT:
                self.close(frames.parse_object(payload or b"{}"))
            case frames.LIMITS:
                said = frames.parse_object(payload)
                if self.on_limits is not None:
                    self.on_limits(said)
            case frames.ABORT:
                self.close(ConnectionResetError("the other side dropped the channel"))
            case _:
                raise ValueError(f"kind {kind} in a channel")

    def _keep(self, kind: int, payload: bytes) -> None:
        """Keep a piece until it is read; many small ones take little more room than few large ones."""
        self._unread += len(payload)
        if self._unread + self._owed > frames.WINDOW + _MOST_FRAME_OVERRUN:
            raise ValueError("more than the window allows")
        # Errors keep their place among the output, unless somebody makes thousands of pieces of both.
        crowded = len(self._pieces) >= _MOST_PIECES
        for place in range(-1, -1 - min(len(self._pieces), 2 if crowded else 1), -1):
            its_kind, piece = self._pieces[place]
            if its_kind == kind and (crowded or len(piece) < frames.MOST_PAYLOAD):
                piece += payload
                return
        self._pieces.append((kind, bytearray(payload)))

    def close(self, outcome: Json | BaseException) -> None:
        """End both halves; what came before can still be read."""
        self._over = True
        if self._late is not None:
            self._late.cancel()
        self._session.forget(self._number)
        if not self.outcome.done():
            if isinstance(outcome, BaseException):
                self.outcome.set_exception(outcome)
            else:
                self.outcome.set_result(outcome)
        self._finish_reading()
        self._more_credit.set()

    def _finish_reading(self) -> None:
        self._ended = True
        self._arrived.set()


class Session:
    """The channels of one container. All methods run on the engine's loop.

    Args:
        reader: What the engine sends for the exec; its stream header is taken off here.
        writer: What goes to the agent's standard input.
        on_egress: Called with the channel of every connection that the app makes to its proxy.
        answers: Whether the engine answers; asked while nothing comes for `patience` seconds.
        patience: See `answers`. The program inside gets three times as long.
        name: For logs and errors.
        question: Of a kind that the program inside answers at once. Asked while it owes an answer that may take long
            and says nothing, so that one that is gone is given up. Not for one that may be paused.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        on_egress: Callable[[Channel], None] | None,
        answers: Callable[[], Awaitable[bool]],
        patience: float,
        name: str,
        question: str = "",
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.on_egress = on_egress
        self.patience = _PATIENCE_FACTOR * patience
        self._name = name
        self._question = question
        self._frames = frames.FrameReader()
        self._channels: dict[int, Channel] = {}
        self._from_inside = 0
        self._strays = 0
        self._stray_second = 0
        self._next = 1
        self._hello = asyncio.Event()
        self._lost = ""
        self._errors = bytearray()
        self._draining = asyncio.Lock()
        self.last_use = self._last_heard = asyncio.get_running_loop().time()
        self._reading = asyncio.create_task(self._read(), name=f"session {name}")
        self._looking = asyncio.create_task(
            self._look_after(answers, patience), name=f"look after session {name}"
        )

    @property
    def alive(self) -> bool:
        return not self._lost and not self._reading.done()

    async def ready(self) -> None:
        """Wait until the agent has said that it is there.

        Raises:
            SessionLostError: it ended at once, or does not answer.
        """
        hello = asyncio.create_task(self._hello.wait())
        try:
            await asyncio.wait(
                {hello, self._reading},
                timeout=_HELLO_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            hello.cancel()
        if not self._hello.is_set():
            self._end("its agent did not answer")
            raise self.lost_error()

    def touch(self) -> None:
        """Somebody is about to use it."""
        self.last_use = asyncio.get_running_loop().time()

    async def wait_for_end(self) -> None:
        await asyncio.wait({self._reading})

    def open(self, kind: str, *, uses: bool = True, **request: Any) -> Channel:
        """Open a channel of the agent's `kind`.

        Args:
            kind: What it is for.
            uses: Whether what comes and goes in it is use of the sandbox; else its user says so with `touch`.
            request: What the agent is told.

        Raises:
            SessionLostError: the session is over.
        """
        if not self.alive:
            raise self.lost_error()
        number, self._next = self._next, self._next + 2
        prompt = kind in _PROMPT
        channel = self._channels[number] = Channel(self, number, prompt=prompt, uses=uses)
        payload = json.dumps({"kind": kind, **request}).encode()
        if len(payload) > frames.MOST_PAYLOAD:
            channel.close({"error": "the command line is too long"})
        else:
            self.send(frames.OPEN, number, payload)
        return channel

    async def ask(self, kind: str, **request: Any) -> Json:
        """Open a channel, read all of its data as JSON, and return that, or else its result.

        Raises:
            SandboxError: the agent could not do it.
        """
        channel = self.open(kind, **request)
        try:
            text = bytearray()
            while data := await channel.read():
                text += data
                if len(text) > _MOST_ANSWER:
                    raise ValueError("an answer without end")
            outcome = await channel.result()
            found = json.loads(text) if text else outcome
        except (ConnectionError, RecursionError, ValueError) as error:
            raise _work_error(kind, "its answer could not be read") from error
        finally:
            channel.abort()
        why = (found if isinstance(found, dict) else outcome).get("error")
        if why:
            raise _work_error(kind, said_inside(why))
        return found if isinstance(found, dict) else {"found": found}

    def close(self, why: str = "it was closed") -> None:
        """End the session; the agent ends every command then."""
        self._end(why)

    def give_up(self) -> None:
        """End the session because the program inside does not do what it has to."""
        self._end("its program does not answer any more")

    # -- frames -------------------------------------------------------------------------------------
    def send(self, kind: int, number: int, payload: bytes | memoryview = b"") -> None:
        self._note_use(number)
        if not self._writer.is_closing():
            self._writer.write(frames.frame(kind, number, payload))
            if self._writer.transport.get_write_buffer_size() > _MOST_OUTGOING:
                self.give_up()  # it sends, and reads nothing

    async def drained(self) -> None:
        """Wait while the engine takes no more."""
        async with self._draining:
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()

    def forget(self, number: int) -> None:
        if self._channels.pop(number, None) is not None and number % 2 == 0:
            self._from_inside -= 1

    def lost_error(self) -> SessionLostError:
        detail = self._errors.decode(errors="replace").strip().splitlines()
        why = self._lost or "its session is over"
        return SessionLostError(
            why if why.endswith(".") else f"The sandbox ended: {why}.",
            remedy="Start it again; files and packages are kept.",
            details={"log": detail[-1]} if detail else {},
        )

    async def _read(self) -> None:
        try:
            while True:
                stream, length = _STREAM_HEADER.unpack(
                    await self._reader.readexactly(_STREAM_HEADER.size)
                )
                while length:
                    data = await self._reader.read(min(length, _READ_BYTES))
                    if not data:
                        raise EOFError
                    length -= len(data)
                    await self._take(stream, data)
                    await asyncio.sleep(0)  # a flood must not keep the loop from everything else
        except (EOFError, asyncio.IncompleteReadError, OSError):
            self._lose("it was stopped, or Docker does not answer any more")
        except Exception as error:  # noqa: BLE001 - whatever a stranger sends
            _log.warning("session of %s: %r", self._name, error)
            self._lose("its session sent something that is no answer")

    async def _look_after(self, answers: Callable[[], Awaitable[bool]], patience: float) -> None:
        """Give the session up when the engine or the program behind a silent stream does not answer any more."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(patience)
            silent = bool(self._channels) and loop.time() - self._last_heard >= patience
            if (silent or self._waited_too_long()) and not await answers():
                self._end("Docker does not answer any more")
            elif self._waited_too_long():
                self.give_up()
            elif silent and self._question and not self._owed():
                self.open(self._question)  # its answer is owed from now on

    def _owed(self) -> list[float]:
        """Since when answers are owed."""
        return [since for c in self._channels.values() if (since := c.silent_since())]

    def _waited_too_long(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(now - since >= self.patience for since in self._owed())

    def _note_use(self, number: int) -> None:
        channel = self._channels.get(number)
        if channel is None or channel.uses:
            self.touch()

    async def _take(self, stream: int, data: bytes) -> None:
        self._last_heard = asyncio.get_running_loop().time()
        if stream != _STDOUT:
            self._errors += data
            del self._errors[:-_MOST_ERRORS]
            return
        for kind, number, payload in self._frames.feed(data):
            self._note_use(number)
            if number == frames.HELLO_CHANNEL:
                self._hello.set()
            elif kind == frames.OPEN:
                self._accept(number)
                await asyncio.sleep(
                    _ACCEPT_SECONDS
                )  # each costs some work; nobody needs a thousand a second
            elif (channel := self._channels.get(number)) is not None:
                channel.take(kind, payload)
            else:
                self._count_stray()

    def _count_stray(self) -> None:
        """Let the frames pass that were under way when their channel was closed, but no flood of them."""
        second = int(self._last_heard)
        if second != self._stray_second:
            self._stray_second, self._strays = second, 0
        self._strays += 1
        if self._strays > _MOST_STRAYS:
            raise ValueError("frames that belong to nothing")

    def _accept(self, number: int) -> None:
        if number % 2 or number in self._channels or self._from_inside >= _MOST_FROM_INSIDE:
            raise ValueError("a channel that cannot be opened from inside")
        channel = self._channels[number] = Channel(self, number)
        self._from_inside += 1
        if self.on_egress is None:
            channel.abort()
        else:
            self.on_egress(channel)

    def _end(self, why: str) -> None:
        self._lose(why)
        self._reading.cancel()

    def _lose(self, why: str) -> None:
        self._lost = self._lost or why
        self._looking.cancel()
        # Not `close`: that waits until a peer that hangs has taken the rest.
        self._writer.transport.abort()
        error = self.lost_error()
        for channel in list(self._channels.values()):
            channel.close(error)


def said_inside(what: object) -> str:
    """Return a stranger's words as a short piece of one sentence."""
    return " ".join(strip_ansi(str(what)[:_MOST_SAID]).split())


def _work_error(kind: str, why: str) -> SandboxError:
    if "no space left" in why.lower():
        return disk_full_error()
    return SandboxError(
        f"The sandbox could not do its work ({kind}): {why}.",
        remedy="Restart the sandbox; if that does not help, rebuild it.",
    )


def _look_at(outcome: asyncio.Future[Json]) -> None:
    # Nobody has to wait for an outcome; a failed one that nobody asked for is no news.
    if not outcome.cancelled():
        outcome.exception()
