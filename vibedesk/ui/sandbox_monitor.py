"""Asks every other second what the open project's sandbox uses, while somebody can see the answer."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.views import SandboxView
from vibedesk.ui.sandbox.history import UsageHistory
from vibedesk.ui.sandbox.words import is_up
from vibedesk.ui.tasks import WidgetTasks

_log = logging.getLogger(__name__)
EVERY_MS = 2_000


class SandboxMonitor(QObject):
    """Keeps the newest view of one sandbox and a minute of what it used.

    It asks while it is `seen` and the sandbox is up, `every_ms` after the last answer, so there is never more than
    one question. A question that fails shows as nothing known; the sandbox's events say why.

    Args:
        ask: Gives a project's sandbox.
        parent: Ends it.
        every_ms: The pause between an answer and the next question.
    """

    changed = Signal()
    """`view` or `history` did."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[SandboxView]],
        parent: QObject,
        *,
        every_ms: int = EVERY_MS,
    ) -> None:
        super().__init__(parent)
        self.view: SandboxView | None = None
        self.history = UsageHistory()
        self._ask = ask
        self._project_id = ""
        self._state = ""
        self._seen = False
        self._asking = False
        self._again = False
        self._tasks = WidgetTasks(self, self._on_error)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._on_time)

    @property
    def asking_regularly(self) -> bool:
        """Whether it asks again by itself."""
        return self._timer.isActive() or (self._asking and self._wanted)

    def follow(self, project_id: str, state: str) -> None:
        """Look at this project's sandbox, which is in this state; an empty id looks at none."""
        if project_id != self._project_id:
            self._project_id = project_id
            self._forget()
        if state != self._state:
            self._state = state
            if not is_up(state):
                self._forget_usage()
        self._resume()

    def set_seen(self, seen: bool) -> None:
        """Say whether anybody can see what it shows."""
        self._seen = seen
        self._resume()

    def refresh(self) -> None:
        """Ask now, also where it does not ask by itself."""
        if not self._project_id:
            return
        if self._asking:
            self._again = True
            return
        self._timer.stop()
        self._asking = True
        self._tasks.start(self._look(self._project_id), name="look at the sandbox")

    @property
    def _wanted(self) -> bool:
        return self._seen and bool(self._project_id) and is_up(self._state)

    def _resume(self) -> None:
        if not self._wanted:
            self._timer.stop()
        elif not self._asking and not self._timer.isActive():
            self.refresh()

    def _on_time(self) -> None:
        if self._wanted:
            self.refresh()

    async def _look(self, project_id: str) -> None:
        try:
            view: SandboxView | None = await self._ask(project_id)
        except VibeDeskError as error:
            _log.info("the sandbox could not be looked at: %s", error.message)
            view = None
        finally:
            self._asking = False
        if project_id == self._project_id:
            self.view = view
            if view is not None and is_up(self._state):
                self.history.add(view, time.monotonic())
            self.changed.emit()
        if self._again or project_id != self._project_id:
            self._again = False
            self.refresh()
        elif self._wanted:
            self._timer.start()

    def _forget(self) -> None:
        self.history.clear()
        if self.view is not None:
            self.view = None
            self.changed.emit()

    def _forget_usage(self) -> None:
        """Drop the numbers of a sandbox that is gone, which would be told as if they were new."""
        self.history.clear()
        if self.view is not None:
            self.view = dataclasses.replace(
                self.view,
                state=self._state,
                reason="",
                cpu=None,
                memory=None,
                processes=None,
                port=None,
                started_seconds=None,
            )
            self.changed.emit()

    def _on_error(self, error: VibeDeskError) -> None:
        """A mistake of ours; it was logged, and the next change of state asks again."""
        _log.warning("looking at the sandbox failed: %s", error.message)
