"""The program's conversation: requests in, answers out, each one line of JSON.

    {"id": 1, "do": "visit", "url": …, "width": 1280, "height": 860}
    {"id": 2, "do": "check", "base_url": …, "steps": […], "width": …, "height": …, "api_paths": […],
     "step_seconds": 5}
    {"id": 3, "do": "cancel", "of": 2}

An answer is `{"id", "result"}` or `{"id", "error"}`; a request that was cancelled gets none. `{"ready": true}` comes first.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from vibedesk.base.garbage import collecting_here
from vibedesk.browser.chromium import prepare

_log = logging.getLogger(__name__)


def run() -> int:
    """Serve until standard input ends; return the exit status."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    prepare()
    # What Qt or a library prints must not stand among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from PySide6.QtCore import QCoreApplication, Qt
    from PySide6.QtWidgets import QApplication

    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = QApplication(["vibedesk-browser"])
    # Pages come and go; the program stays.
    app.setQuitOnLastWindowClosed(False)
    import qasync

    loop = qasync.QEventLoop(app)
    with loop, tempfile.TemporaryDirectory(prefix="vibedesk-browser-") as folder:
        loop.run_until_complete(_Program(answers, Path(folder)).serve(sys.stdin.buffer))
    return 0


class _Program:
    """Reads requests and runs each as a task."""

    def __init__(self, answers: BinaryIO, folder: Path) -> None:
        self._answers = answers
        self._folder = folder
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def serve(self, requests: BinaryIO) -> None:
        lines: asyncio.Queue[bytes] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in requests:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, b"")

        threading.Thread(target=read, name="requests", daemon=True).start()
        async with collecting_here():
            await self._answer_all(lines)

    async def _answer_all(self, lines: asyncio.Queue[bytes]) -> None:
        self._say({"ready": True})
        while line := await lines.get():
            request = json.loads(line)
            if request["do"] == "cancel":
                if task := self._tasks.get(request["of"]):
                    task.cancel()
                continue
            task = asyncio.create_task(self._answer(request))
            self._tasks[request["id"]] = task
            task.add_done_callback(partial(self._forget, request["id"]))
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _answer(self, request: dict[str, Any]) -> None:
        try:
            self._say({"id": request["id"], "result": await self._work(request)})
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            _log.exception("a request failed")
            self._say({"id": request["id"], "error": f"{type(error).__name__}: {error}"})

    async def _work(self, request: dict[str, Any]) -> dict[str, Any]:
        # Loaded here, since they need the application and Chromium.
        from vibedesk.browser.check import Check
        from vibedesk.browser.visit import visit

        size = (request["width"], request["height"])
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            if request["do"] == "visit":
                return await visit(request["url"], size, Path(place))
            check = Check(
                request["base_url"],
                size,
                Path(place),
                api_paths=request["api_paths"],
                step_seconds=request["step_seconds"],
            )
            return await check.run(request["steps"])

    def _forget(self, number: int, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(number, None)

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer).encode() + b"\n")
        self._answers.flush()
