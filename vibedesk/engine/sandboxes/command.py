"""One command that runs in a sandbox: its lines for whoever reads them, and its end in every case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from vibedesk.engine.sandboxes.driver import OutputLine, SandboxError
from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS

_QUEUED_LINES = 1_000  # then the command waits for its reader

AsyncLineSink = Callable[[OutputLine], Awaitable[None]]
"""Takes one line; while it waits, the command waits too."""
LimitsSink = Callable[[frozenset[str]], None]
"""Called with the limits of the sandbox that were newly met: `memory`, `processes`."""
AsyncByteSink = Callable[[bytes], Awaitable[None]]


class ProcessEndedError(SandboxError):
    """The command was ended by us before it exited."""

    code = "sandbox_process_ended"


class Process(Protocol):
    """A started command, wherever it runs. `pump` must run until the end, also after `request_end`."""

    def request_end(self) -> None:
        """Let its whole tree be ended; returns at once, and may be called again."""
        ...

    async def pump(
        self,
        on_line: AsyncLineSink,
        on_output: AsyncByteSink | None = None,
        *,
        longest_line: int = MAX_LINE_CHARS,
    ) -> None:
        """Hand over every line until the tree is gone; with `on_output`, standard output goes there as it comes.

        A line of more than `longest_line` characters is cut.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send to the standard input of a command that was started with one; waits while there is no room.

        Raises:
            ConnectionError: it reads no more.
        """
        ...

    @property
    def limits_met(self) -> frozenset[str]:
        """Which limits of the sandbox were met while it ran: `memory`, `processes`. After `pump`."""
        ...

    def exit_status(self) -> int:
        """Return the exit status, a signal's number negative. Call it after `pump`.

        Raises:
            ProcessEndedError: it was ended on request.
            SandboxError: it could not be started, or was lost.
        """
        ...


class RunningCommand:
    """Holds a started process until it is gone, whether its lines are read or not."""

    def __init__(
        self,
        process: Process,
        *,
        name: str,
        timeout: float | None,
        longest_line: int = MAX_LINE_CHARS,
    ) -> None:
        self._process = process
        self._longest_line = longest_line
        self._name = name
        self._timeout = timeout
        self._lines: asyncio.Queue[OutputLine | None] = asyncio.Queue(_QUEUED_LINES)
        self._abandoned = False
        self._timed_out = False
        self._pumping = asyncio.create_task(self._pump(), name=f"command {name}")
        self._timer = (
            asyncio.get_running_loop().call_later(timeout, self._on_timeout) if timeout else None
        )

    async def lines(self) -> AsyncIterator[OutputLine]:
        """Yield the lines until the command and everything it started are gone."""
        while (line := await self._lines.get()) is not None:
            yield line

    async def exit_status(self) -> int:
        """Wait for the end and return the status, a signal's number negative.

        Raises:
            SandboxError: it could not be started, was ended by `end`, or the timeout passed.
        """
        await asyncio.shield(self._pumping)
        if self._timed_out:
            raise SandboxError(
                f"The command {self._name} did not finish within {self._timeout:g} seconds and was ended.",
                remedy="Try again; if it always takes this long, look at its output.",
                code="sandbox_timeout",
                retryable=True,
            )
        return self._process.exit_status()

    async def end(self) -> None:
        """End it, dropping what it still prints; returns when all is gone. Also fine after its own end."""
        self._abandoned = True
        self._process.request_end()
        self._drop_lines()
        await asyncio.shield(self._pumping)

    async def _pump(self) -> None:
        try:
            await self._process.pump(self._take_line, longest_line=self._longest_line)
        finally:
            if self._timer:
                self._timer.cancel()
            if self._abandoned:
                self._drop_lines()
            await self._lines.put(None)

    async def _take_line(self, line: OutputLine) -> None:
        if not self._abandoned:
            await self._lines.put(line)

    def _drop_lines(self) -> None:
        while not self._lines.empty():  # lets a put that waits go on, so that the pipes are drained
            self._lines.get_nowait()

    def _on_timeout(self) -> None:
        self._timed_out = True
        self._process.request_end()
