"""One run of a project's dev server: from its start over the first answer of the page to its end."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque

from vibedesk.engine.sandboxes.command import Process, ProcessEndedError
from vibedesk.engine.sandboxes.driver import LineSink, OutputLine, SandboxError, ServerNotReadyError
from vibedesk.engine.sandboxes.output import FloodGate
from vibedesk.engine.sandboxes.ports import HOST

_LOG_TAIL_LINES = 40
_MAX_LINES_PER_SECOND = 500
_POLL_SECONDS = 0.05
_ERROR_PATIENCE_SECONDS = 10.0
_WAITS = re.compile(r"^Process SpawnProcess-\d+:$|^Failed running '|^\[nodemon\] app crashed")
"""What reloading servers (uvicorn, node --watch, nodemon) print when the app has ended and they wait for its files."""
_WAITS_SECONDS = 2.0
_ANSWER_SECONDS = 30.0  # a first page may be compiled while it is asked for


class DevServer:
    """A started dev server; its lines go to `on_line` until the last of its processes is gone."""

    def __init__(self, process: Process, *, port: int, on_line: LineSink) -> None:
        self._process = process
        self._port = port
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=_LOG_TAIL_LINES)
        self._gate = FloodGate(_MAX_LINES_PER_SECOND)
        self._waits = False
        self._said_at = 0.0
        self._pump = asyncio.create_task(self._pump_lines(), name="dev-server")

    async def _pump_lines(self) -> None:
        await self._process.pump(self._take_line)
        for text in self._gate.close():
            self._on_line(OutputLine("stderr", text))

    async def _take_line(self, line: OutputLine) -> None:
        self._tail.append(line.text)
        self._said_at = asyncio.get_running_loop().time()
        self._waits = self._waits or _WAITS.search(line.text) is not None
        for text in self._gate.admit(line.text, self._said_at):
            self._on_line(OutputLine(line.stream, text))

    async def wait_until_ready(self, timeout: float) -> None:
        """Return once the page answers, or has answered with errors for a while.

        Raises:
            ServerNotReadyError: it ended first, waits for the app to be mended, or the time was up.
        """
        answering = asyncio.create_task(self._poll_page())
        try:
            await asyncio.wait(
                {answering, self._pump}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if self._pump.done():
                raise self._not_ready(
                    f"The dev server ended before its page answered: {self._end_reason()}."
                )
            if not answering.done():
                raise self._not_ready(f"The dev server did not answer within {timeout:g} seconds.")
            await answering
        finally:
            answering.cancel()
            await asyncio.wait({answering})

    @property
    def limits_met(self) -> frozenset[str]:
        """Which limits of the sandbox were met; once it is gone."""
        return self._process.limits_met

    async def wait_for_end(self) -> str:
        """Return once every process of it is gone: what happened, without a full stop."""
        await asyncio.shield(self._pump)
        return self._end_reason()

    async def end(self) -> None:
        """End it with everything it started; returns when all is gone."""
        self._process.request_end()
        await asyncio.shield(self._pump)

    def _end_reason(self) -> str:
        try:
            status = self._process.exit_status()
        except ProcessEndedError:
            return "it was stopped"
        except SandboxError as error:
            return error.message.rstrip(".")
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    async def _poll_page(self) -> None:
        loop = asyncio.get_running_loop()
        failing_since: float | None = None
        while True:
            status = await page_status(self._port)
            if 200 <= status < 400:
                return
            if not status:
                failing_since = None
                if self._waits and loop.time() - self._said_at >= _WAITS_SECONDS:
                    raise self._not_ready(
                        "The app ended with an error, and the dev server waits for a change."
                    )
            elif failing_since is None:
                failing_since = loop.time()
            elif loop.time() - failing_since >= _ERROR_PATIENCE_SECONDS:
                # It is up, and what it answers is the app's own error: looking at that is for the review.
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _not_ready(self, message: str) -> ServerNotReadyError:
        return ServerNotReadyError(
            message,
            remedy="Look at the log; when the cause is mended, start the preview again.",
            details={"log": "\n".join(self._tail)},
        )


async def page_status(port: int) -> int:
    """Return the HTTP status of GET / on the loopback port; 0 if nothing answers in HTTP."""
    # A plain socket: an HTTP client would mind proxies and load certificates for a question to ourselves.
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(
                    f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept: text/html,*/*\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                await writer.drain()
                status_line = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return 0
    fields = status_line.split()
    if len(fields) < 2 or not fields[0].startswith(b"HTTP/") or not fields[1].isdigit():
        return 0
    return int(fields[1])
