"""The browser program: started with the first request, used for many, started anew after it ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.browser.reports import (
    DESKTOP,
    CheckOutcome,
    PageReport,
    Viewport,
    check_outcome,
    page_report,
)
from vibedesk.engine.check_words import step_words

_log = logging.getLogger(__name__)
_START_SECONDS: Final = 30.0
_VISIT_SECONDS: Final = 45.0
_CHECK_SECONDS: Final = 30.0
_SECONDS_PER_STEP: Final = 16.0  # a load, at most
_END_SECONDS: Final = 3.0
_LAST_WORDS_SECONDS: Final = 1.0
_LINE_BYTES: Final = 64 * 1024 * 1024
_KEPT_LINES: Final = 20


class BrowserError(VibeDeskError):
    """The browser could not be started, ended by itself or did not answer."""

    code = "browser"
    retryable = True
    default_remedy = "Try again; if it stays so, `vibedesk doctor` says what is missing."


class BrowserEndedError(BrowserError):
    """The browser ended by itself."""


class BrowserProcess:
    """One program for visits and checks, which take turns, for only one page can have the keyboard.

    A request that is cancelled ends its page. Nothing is kept from one request to the next.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._last_words: deque[str] = deque(maxlen=_KEPT_LINES)
        self._listening: asyncio.Task[None] | None = None
        self._number = 0

    async def visit(self, url: str, viewport: Viewport = DESKTOP) -> PageReport:
        """Open a page, wait until it settles, and report what is there.

        Raises:
            BrowserError: the browser, not the page, failed.
        """
        request = {"do": "visit", "url": url, **_size(viewport)}
        return page_report(await self._ask(request, _VISIT_SECONDS))

    async def run_check(
        self,
        base_url: str,
        steps: Sequence[Mapping[str, Any]],
        *,
        name: str = "",
        viewport: Viewport = DESKTOP,
        api_paths: Sequence[str] = (),
        step_seconds: float = 5.0,
    ) -> CheckOutcome:
        """Take the steps of a check, in the form of `builder/check_steps.py`, with fresh storage.

        Args:
            base_url: Where the app is served; no other origin is reached.
            steps: In order; the run ends with the first that fails.
            name: The check's.
            viewport: The size of its pages.
            api_paths: Below these paths a refusal (4xx) is for the app to handle, and no error.
            step_seconds: How long a step is waited for; loading a page may take 15 s all the same.

        Raises:
            BrowserError: the browser, not the app, failed.
        """
        request = {
            "do": "check",
            "base_url": base_url,
            "steps": [dict(step) for step in steps],
            "api_paths": list(api_paths),
            "step_seconds": step_seconds,
            **_size(viewport),
        }
        waits = sum(float(step.get("ms", 0)) / 1000 for step in steps)
        most = _CHECK_SECONDS + (_SECONDS_PER_STEP + step_seconds) * len(steps) + waits
        answer = await self._ask(request, most)
        failed = answer["step"]
        sentence = "" if failed is None else step_words(steps[failed])
        return check_outcome(answer, name=name, sentence=sentence)

    @property
    def pid(self) -> int | None:
        """The running program's process id."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def aclose(self) -> None:
        """End the program; a request that still runs fails. The next one would start it again."""
        process, self._process = self._process, None
        if process is not None:
            await self._end(process)

    async def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        async with self._turn:
            try:
                return await self._ask_once(request, seconds)
            except BrowserEndedError:
                if request["do"] == "check":
                    raise  # it has done half of what it does: who asks begins anew
            # It may have been ended for want of memory, or be slow to start; a page that ends it does so again.
            return await self._ask_once(request, seconds)

    async def _ask_once(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = await self._started()
        self._number += 1
        number = self._number
        try:
            async with asyncio.timeout(seconds):
                await _send(process, {"id": number, **request})
                return await self._answer_to(process, number)
        except TimeoutError:
            await self._give_up(process)
            raise BrowserError(f"The browser did not answer within {seconds:g} s.") from None
        except asyncio.CancelledError:
            # Its page ends at once; an answer that was on its way is passed over by its number.
            with contextlib.suppress(OSError):
                await _send(process, {"id": 0, "do": "cancel", "of": number})
            raise

    async def _answer_to(self, process: asyncio.subprocess.Process, number: int) -> dict[str, Any]:
        while True:
            answer = await self._next_line(process)
            if answer.get("id") != number:
                continue
            if "error" in answer:
                raise BrowserError(f"The browser program failed ({answer['error']}).")
            result: dict[str, Any] = answer["result"]
            return result

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vibedesk.browser",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
            start_new_session=True,
        )
        self._process = process
        self._last_words.clear()
        self._listening = asyncio.create_task(self._listen(process), name="browser log")
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._next_line(process)
        except TimeoutError:
            await self._give_up(process)
            raise BrowserEndedError("The browser did not start.") from None
        return process

    async def _next_line(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            # Where it was closed, nobody wants it started again.
            ended = BrowserEndedError if self._process is process else BrowserError
            await self._give_up(process)
            if self._listening is not None:
                await asyncio.wait({self._listening}, timeout=_LAST_WORDS_SECONDS)
            raise ended(
                "The browser ended by itself.",
                details={"output": "\n".join(self._last_words)[-2000:]},
            )
        said: dict[str, Any] = json.loads(line)
        return said

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._last_words.append(text)
            _log.debug("browser: %s", text)

    async def _give_up(self, process: asyncio.subprocess.Process) -> None:
        if self._process is process:
            self._process = None
        _kill(process)
        await process.wait()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            _kill(process)
        await process.wait()
        if self._listening is not None:
            self._listening.cancel()


async def _send(process: asyncio.subprocess.Process, request: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    with contextlib.suppress(ConnectionError):
        # Its end is noticed where its answer is read.
        await process.stdin.drain()


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the program with everything that Chromium started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.returncode is None:
        process.kill()


def _size(viewport: Viewport) -> dict[str, int]:
    return {"width": viewport.width, "height": viewport.height}
