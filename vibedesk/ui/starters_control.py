"""The choice of starters on the home page, joined with the engine."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from vibedesk.engine.engine import Engine
from vibedesk.ui.dialogs.add_starter import ask_starter
from vibedesk.ui.dialogs.ask import confirm
from vibedesk.ui.home.starter_picker import StarterPicker
from vibedesk.ui.tasks import ErrorHandler, WidgetTasks
from vibedesk.ui.theme.theme import Theme


class StartersControl(QObject):
    """Offers what there is, and adds and removes the person's own."""

    def __init__(
        self,
        picker: StarterPicker,
        window: QWidget,
        theme: Theme,
        engine: Engine,
        failed: ErrorHandler,
    ) -> None:
        super().__init__(picker)
        self._picker = picker
        self._window = window
        self._theme = theme
        self._engine = engine
        self._tasks = WidgetTasks(picker, failed)
        picker.add_requested.connect(lambda: self._tasks.start(self._add()))
        picker.remove_requested.connect(lambda name: self._tasks.start(self._remove(name)))

    async def refresh(self) -> None:
        """Offer what there is now."""
        self._picker.set_starters(await self._engine.templates())

    async def _add(self) -> None:
        added = await ask_starter(self._theme, self._window, self._engine.add_template)
        if added is not None:
            await self.refresh()
            self._picker.choose(added.name)

    async def _remove(self, name: str) -> None:
        agreed = await confirm(
            self._theme,
            self._window,
            title=self.tr("Remove the starter {0}?").format(name),
            text=self.tr("VibeDesk's copy goes. The folder or repository it came from stays."),
            action=self.tr("Remove starter"),
            danger=True,
        )
        if agreed:
            await self._engine.remove_template(name)
            await self.refresh()
