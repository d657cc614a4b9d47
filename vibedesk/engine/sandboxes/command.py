"""One command that runs in a sandbox: its lines for whoever reads them, and its end in every case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from vibedesk.engine.sandboxes.driver import OutputLine, SandboxError
from vibedesk.engine.sandboxes.process import SupervisedProcess

_QUEUED_LINES = 1_000  # then the command waits for its reader


class RunningCommand:
    """Holds a started process until it is gone, whether its lines are read or not."""

    def __init__(self, process: SupervisedProcess, *, name: str, timeout: float | None) -> None:
        self._process = process
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
            await self._process.pump(self._take_line)
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
