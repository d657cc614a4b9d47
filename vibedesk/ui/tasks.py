"""Coroutines that belong to a widget: they end with it, and what goes wrong in them is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject

from vibedesk.base.errors import VibeDeskError, as_vibedesk_error

ErrorHandler = Callable[[VibeDeskError], None]


class WidgetTasks:
    """Runs coroutines on the running loop until their owner is destroyed.

    Every failure reaches `on_error`, once; cancellation is not a failure.
    """

    def __init__(self, owner: QObject, on_error: ErrorHandler) -> None:
        self._on_error = on_error
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False
        owner.destroyed.connect(self.cancel)

    @property
    def running(self) -> int:
        return len(self._running)

    def start(
        self, work: Coroutine[Any, Any, None], *, name: str = ""
    ) -> asyncio.Task[None] | None:
        """Start `work` and return its task; after the owner is gone it is dropped unstarted."""
        if self._closed:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work, name=name or None)
        self._running.add(task)
        task.add_done_callback(self._on_done)
        return task

    def cancel(self) -> None:
        """Cancel everything and take nothing new."""
        self._closed = True
        for task in tuple(self._running):
            task.cancel()

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        told = as_vibedesk_error(error)
        if not self._closed:
            self._on_error(told)
