"""One command that stays and is talked to, held until it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vibedesk.engine.sandboxes.command import Process
from vibedesk.engine.sandboxes.driver import OutputLine, SandboxError
from vibedesk.engine.sandboxes.output import FloodGate

_log = logging.getLogger(__name__)

_QUEUED_PIECES = 16  # then the program waits for its reader
_MOST_LINES_PER_SECOND = 20


class RunningProgram:
    """A `Program` over a started process.

    Args:
        process: Started with an input.
        name: For the log.
        wake: Lets what runs in the sandbox get time; before each use.
        on_gone: Called with this when its tree is gone.
    """

    def __init__(
        self,
        process: Process,
        *,
        name: str,
        wake: Callable[[], Awaitable[None]],
        on_gone: Callable[[RunningProgram], None],
    ) -> None:
        self._process = process
        self._name = name
        self._wake = wake
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_PIECES)
        self._gate = FloodGate(_MOST_LINES_PER_SECOND)
        self._abandoned = False
        self._gone = False
        self._pumping = asyncio.create_task(self._pump(), name=f"program {name}")
        self._pumping.add_done_callback(lambda _task: on_gone(self))

    async def read(self) -> bytes:
        if self._gone and self._pieces.empty():
            return b""
        return await self._pieces.get()

    async def write(self, data: bytes) -> None:
        if self._abandoned or self._gone:
            raise ConnectionResetError("the program has ended")
        await self._wake()
        await self._process.write(data)

    async def exit_status(self) -> int:
        await asyncio.shield(self._pumping)
        return self._process.exit_status()

    async def end(self) -> None:
        self._abandoned = True
        try:
            await self._wake()
        except SandboxError as error:  # then nothing runs in it
            _log.info("the sandbox of %s does not wake: %s", self._name, error)
        self._process.request_end()
        self._drop_pieces()
        await asyncio.shield(self._pumping)

    async def _pump(self) -> None:
        try:
            await self._process.pump(self._take_line, self._take_output)
            for text in self._gate.close():
                _log.info("%s: %s", self._name, text)
        finally:
            self._gone = True
            if self._abandoned:
                self._drop_pieces()
            await self._pieces.put(b"")

    async def _take_output(self, data: bytes) -> None:
        if not self._abandoned:
            await self._pieces.put(data)

    async def _take_line(self, line: OutputLine) -> None:
        for text in self._gate.admit(line.text, asyncio.get_running_loop().time()):
            _log.info("%s: %s", self._name, text)

    def _drop_pieces(self) -> None:
        while (
            not self._pieces.empty()
        ):  # lets a put that waits go on, so that the pipes are drained
            self._pieces.get_nowait()
