"""Runs a coroutine on Qt's own event loop, as the window does."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any

# Else qasync takes PyQt6 where QScintilla has loaded that before.
os.environ.setdefault("QT_API", "pyside6")

import qasync
import shiboken6
from PySide6.QtWidgets import QApplication

from vibedesk.base.garbage import collecting_here

_PATIENCE = 60.0


def run_on_qt(app: QApplication, work: Coroutine[Any, Any, None]) -> None:
    # A window of an earlier test that goes only now must not end the loop.
    app.setQuitOnLastWindowClosed(False)
    with qasync.QEventLoop(app) as loop:
        loop.run_until_complete(_collecting(work))
    # Deadlines that were given up still tick in it. It goes here, not where its garbage is collected.
    shiboken6.delete(loop._timer)


async def _collecting(work: Coroutine[Any, Any, None]) -> None:
    async with collecting_here():
        await work


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; fail when it does not come true in time."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what or condition}"
        await asyncio.sleep(0.01)
