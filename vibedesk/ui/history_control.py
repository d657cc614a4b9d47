"""The history of the open project: the engine's versions on the history page, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.engine import Engine
from vibedesk.engine.views import VersionBase
from vibedesk.ui.history.page import HistoryPage
from vibedesk.ui.history.versions import versions_of
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.tasks import WidgetTasks

Refused = Callable[[VibeDeskError], None]
Told = Callable[[str], None]


class HistoryControl(QObject):
    """Joins the engine's history and its page.

    Args:
        engine: Where the versions are.
        page: Where they are shown.
        refused: Told what the engine refused.
        told: Told in a sentence what was done.
        parent: Ends it.
    """

    def __init__(
        self, engine: Engine, page: HistoryPage, refused: Refused, told: Told, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self.page = page
        self._told = told
        self._session: ProjectSession | None = None
        self._seen = -1
        self._shown = False
        self._tasks = WidgetTasks(self, refused)
        page.detail.diff_wanted.connect(self._on_diff_wanted)
        page.detail.restore_requested.connect(lambda commit: self._do(self._restore(commit, "")))
        page.detail.restore_file_requested.connect(
            lambda commit, path: self._do(self._restore(commit, path))
        )
        page.keep_requested.connect(lambda name: self._do(self._keep(name)))

    def attach(self, session: ProjectSession) -> None:
        """Show this project's history from now on."""
        self._session, self._seen = session, -1
        self.page.clear()
        session.facts_changed.connect(self._follow)
        session.run_changed.connect(self._follow)
        self._follow()

    def detach(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.facts_changed.disconnect(self._follow)
            session.run_changed.disconnect(self._follow)
        self.page.clear()

    def set_shown(self, *, shown: bool) -> None:
        """Versions are only asked for while somebody looks; files may have changed while nobody did."""
        self._shown = shown
        self._follow()
        if shown:
            self.page.detail.compare_again()

    def _follow(self) -> None:
        session = self._session
        if session is None:
            return
        self.page.detail.set_running(running=session.run.running)
        if self._shown and session.loaded and session.version_count != self._seen:
            self._seen = session.version_count
            self._do(self._fetch())
            self.page.detail.compare_again()

    async def _fetch(self) -> None:
        session = self._session
        if session is None:
            return
        views = await self._engine.history(session.project_id)
        if session is self._session:
            self.page.set_versions(versions_of(views))

    def _on_diff_wanted(self, commit: str, against: VersionBase) -> None:
        self._do(self._compare(commit, against))

    async def _compare(self, commit: str, against: VersionBase) -> None:
        session = self._session
        if session is None:
            return
        if against == "now":
            await session.send_typed()
        diff = await self._engine.version_diff(session.project_id, commit, against)
        if session is self._session:
            self.page.detail.set_diff(diff)

    async def _restore(self, commit: str, path: str) -> None:
        session = self._session
        if session is None:
            return
        self.page.detail.set_busy(busy=True)
        try:
            await session.send_typed()
            if path:
                made = await self._engine.restore_file(session.project_id, commit, path)
            else:
                made = await self._engine.restore(session.project_id, commit)
        finally:
            self.page.detail.set_busy(busy=False)
        await self._fetch()
        self.page.choose(made.commit)
        self._told(made.label)

    async def _keep(self, name: str) -> None:
        session = self._session
        if session is None:
            return
        try:
            await session.send_typed()
            made = await self._engine.snapshot(session.project_id, name)
        except Exception:
            if session is self._session:
                self.page.start_keeping(name)
            raise
        await self._fetch()
        self.page.choose(made.commit)
        self._told(self.tr("Kept as a version: {0}").format(made.label))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work)
