"""A window with its controller on a real engine, for tests that act on it.

Their modules are marked `own_process`: a second window among the remains of the first one's has crashed Qt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QAbstractButton, QApplication

from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.dialogs.ask import AskDialog
from vibedesk.ui.home.projects import ProjectsPage
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.shell.layout_store import LayoutStore
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.window_controller import WindowController


class Desk:
    """A window with its controller, and what its parts show."""

    def __init__(self, theme: Theme, engine: Engine, home: Home) -> None:
        self.welcome = WelcomePage(theme)
        self.projects = ProjectsPage(theme)
        self.window = MainWindow(
            theme,
            {"welcome": lambda: self.welcome, "projects": lambda: self.projects},
            LayoutStore(home.root / "window.ini"),
        )
        self.window.resize(1600, 1000)
        self.window.show_page("welcome")
        self.window.show()
        self.controller = WindowController(
            self.window, theme, engine, home, lambda: self.welcome, lambda: self.projects
        )
        self.controller.connect_projects(self.projects)
        self.closed = False
        self.controller.closed.connect(self._on_closed)
        self.controller.start()

    def _on_closed(self) -> None:
        self.closed = True

    async def open(self, project_id: str) -> None:
        self.controller.open_project(project_id)
        await until(
            lambda: (
                self.controller._session is not None
                and self.controller._session.project_id == project_id
                and self.controller._session.loaded
            ),
            "the project opens",
        )

    async def press_in_dialog(self, name: str) -> None:
        await until(lambda: self.window.findChildren(AskDialog), "it asks")
        dialog = self.window.findChildren(AskDialog)[-1]
        next(b for b in dialog.findChildren(QAbstractButton) if name in b.text()).click()

    def buttons(self, name: str) -> list[QAbstractButton]:
        """Return what can be pressed and is called so."""
        return [
            b
            for b in self.window.findChildren(QAbstractButton)
            if b.isVisible() and name in (b.accessibleName(), b.text().strip("\u2009 "))
        ]


Scenario = Callable[[Engine, Desk], Awaitable[None]]


def play_at_desk(qapp: QApplication, engine: Engine, theme: Theme, scenario: Scenario) -> None:
    """Open a window, let the scenario act on it, close it."""

    async def run() -> None:
        desk = Desk(theme, engine, engine.home)
        try:
            await scenario(engine, desk)
        finally:
            desk.window.close()
            await until(lambda: desk.closed, "it closes")
            desk.window.allow_close()
            desk.window.close()
            desk.window.deleteLater()
            await asyncio.sleep(0)

    run_on_qt(qapp, run())


async def make(engine: Engine) -> str:
    """Make a project that nothing was built of yet."""
    return await engine.create("", ProjectOptions(sample="kanban-board"))
