"""Feeds the usage page from the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from vibedesk.base.errors import StorageError
from vibedesk.engine.engine import Engine
from vibedesk.ui.tasks import ErrorHandler, WidgetTasks
from vibedesk.ui.usage.page import UsagePage


class UsageControl(QObject):
    """Joins the usage page and the engine.

    Args:
        page: The page.
        engine: Started already.
        failed: Told what went wrong.
        saved: Told where something was saved.
    """

    def __init__(
        self,
        page: UsagePage,
        engine: Engine,
        failed: ErrorHandler,
        saved: Callable[[Path], None],
    ) -> None:
        super().__init__(page)
        self._page = page
        self._engine = engine
        self._saved = saved
        self._tasks = WidgetTasks(self, failed)
        # One after the other, or an older answer could be shown last.
        self._asking = asyncio.Lock()
        page.wanted.connect(lambda _project, _days: self._do(self._show()))
        page.budget_chosen.connect(lambda project, most: self._do(self._set_budget(project, most)))
        page.export_requested.connect(self._on_export)

    def refresh(self, project_id: str = "") -> None:
        """Show how things stand; with a project, that one."""
        self._do(self._refresh(project_id))

    async def _refresh(self, project_id: str) -> None:
        cards = await self._engine.projects()
        self._page.set_projects([(c.id, c.title or c.name) for c in cards if not c.sample])
        if project_id and any(c.id == project_id and not c.sample for c in cards):
            self._page.choose_project(project_id)
        else:
            await self._show()

    async def _show(self) -> None:
        async with self._asking:
            project, days = self._page.project, self._page.days
            report = await self._engine.usage(project or None, days)
            self._page.show_report(report)
            if project and days is not None:
                whole = await self._engine.usage(project, None)
                self._page.show_spent(whole.totals.cost)

    async def _set_budget(self, project_id: str, most: float | None) -> None:
        await self._engine.set_budget(project_id, most)
        await self._show()

    def _on_export(self, name: str, text: str) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self._page, self.tr("Save as CSV"), name, "CSV (*.csv)"
        )
        if chosen:
            self._do(self.save(Path(chosen), text))

    async def save(self, path: Path, text: str) -> None:
        """Write a table.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            await asyncio.to_thread(path.write_text, text, encoding="utf-8", newline="")
        except OSError as error:
            raise StorageError(
                f"{path.name} cannot be written: {error.strerror}.", remedy="Choose another place."
            ) from error
        self._saved(path)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work)
