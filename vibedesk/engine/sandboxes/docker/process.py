"""One command in a container, as a session sees it; what `local`'s `SupervisedProcess` is there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from vibedesk.engine.sandboxes.command import (
    AsyncByteSink,
    AsyncLineSink,
    LimitsSink,
    ProcessEndedError,
)
from vibedesk.engine.sandboxes.docker.session import Channel, Session, said_inside
from vibedesk.engine.sandboxes.driver import OutputLine, SandboxError
from vibedesk.engine.sandboxes.inside import frames
from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS, LineSplitter

GRACE_SECONDS = 1.5
_PIECE = 16 * 1024  # what the loop handles in one go
_LIMITS = ("memory", "processes")
_NUMBER = re.compile(r"-?[0-9]{1,10}")


class SessionProcess:
    """A command whose whole tree ends with it, on request, or with the session."""

    def __init__(
        self,
        channel: Channel,
        argv: Sequence[str],
        on_unwatched: Callable[[frozenset[str]], None],
    ) -> None:
        self._channel = channel
        self._program = argv[0]
        self._on_unwatched = on_unwatched
        self._told: frozenset[str] = frozenset()
        self._outcome: dict[str, Any] | SandboxError = {}

    @classmethod
    def start(
        cls,
        session: Session,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str,
        on_unwatched: Callable[[frozenset[str]], None],
        takes_input: bool = False,
        on_limits: LimitsSink | None = None,
    ) -> Self:
        """Start `argv` in `cwd` with exactly `env`; that it cannot be started is told by `exit_status`.

        With `takes_input` its standard input comes from `write`; else that is empty.
        `on_unwatched` is called with `limits_met` when its supervisor was killed: what it started may run on.
        `on_limits` is called with each limit once, when it was met while the command ran on.

        Raises:
            SessionLostError: the session is over.
        """
        channel = session.open(
            "exec",
            argv=list(argv),
            env=dict(env),
            cwd=cwd,
            grace=GRACE_SECONDS,
            input=takes_input,
            limits=on_limits is not None,
        )
        process = cls(channel, argv, on_unwatched)
        if on_limits is not None:
            channel.on_limits = lambda said: process._take_limits(said, on_limits)
        return process

    def _take_limits(self, said: object, on_limits: LimitsSink) -> None:
        new = _limits_in(said) - self._told
        self._told |= new
        if new:
            on_limits(new)

    def request_end(self) -> None:
        self._channel.request_end()

    async def write(self, data: bytes) -> None:
        await self._channel.write(data)

    async def pump(
        self,
        on_line: AsyncLineSink,
        on_output: AsyncByteSink | None = None,
        *,
        longest_line: int = MAX_LINE_CHARS,
    ) -> None:
        """Hand over every line until the tree is gone, or the session is."""
        splitters = {kind: LineSplitter(longest_line) for kind in (frames.DATA, frames.ERRORS)}
        names = {frames.DATA: "stdout", frames.ERRORS: "stderr"}
        while (piece := await self._channel.receive()) is not None:
            kind, data = piece
            if on_output and kind == frames.DATA:
                await on_output(data)
                continue
            for start in range(0, len(data), _PIECE):
                for line in splitters[kind].feed(data[start : start + _PIECE]):
                    await on_line(OutputLine(names[kind], line))
                await asyncio.sleep(0)  # a flood must not keep the loop from everything else
        for kind, splitter in splitters.items():
            for line in splitter.close():
                await on_line(OutputLine(names[kind], line))
        try:
            self._outcome = outcome = await self._channel.result()
            if not outcome.get("error") and not outcome.get("report"):
                self._on_unwatched(self.limits_met)
        except SandboxError as error:
            self._outcome = error
        except ConnectionError:
            self._outcome = ProcessEndedError("The command was stopped.", remedy="")

    @property
    def limits_met(self) -> frozenset[str]:
        """Which limits of the sandbox were met while it ran: `memory`, `processes`. After `pump`."""
        return _limits_in(self._outcome)

    def exit_status(self) -> int:
        """Return the command's exit status, a signal's number negative. Call it after `pump`.

        Raises:
            ProcessEndedError: it was ended on request.
            SandboxError: it could not be started, or the sandbox was lost.
        """
        if isinstance(self._outcome, SandboxError):
            raise self._outcome
        error = said_inside(self._outcome.get("error") or "")
        if error == "command_not_found":
            raise SandboxError(
                f"The command {self._program} does not exist in the sandbox.",
                remedy="Install the package that brings it.",
                code="command_not_found",
            )
        if error:
            raise SandboxError(
                f"The command {self._program} could not be started: {error}.",
                remedy="Restart the sandbox if too many processes run in it.",
            )
        word, _, rest = said_inside(self._outcome.get("report", "")).partition(" ")
        match word:
            case "exit" if _NUMBER.fullmatch(rest):
                return int(rest)
            case "signal" if _NUMBER.fullmatch(rest):
                return -int(rest)
            case "ended":
                raise ProcessEndedError("The command was stopped.", remedy="")
            case "failed":
                raise SandboxError(
                    f"The command could not be started: {rest}.", remedy="Look at its name."
                )
            case _:
                raise SandboxError(
                    "The process that watches the command was ended from outside.",
                    remedy="Try again; if it happens often, look at the sandbox's memory.",
                    retryable=True,
                )


def _limits_in(said: object) -> frozenset[str]:
    """Return the limits of which a stranger says that they were met."""
    hits = said.get("hits") if isinstance(said, dict) else None
    if not isinstance(hits, dict):
        return frozenset()
    met = {name: hits.get(name) for name in _LIMITS}
    return frozenset(name for name, times in met.items() if isinstance(times, int) and times > 0)
