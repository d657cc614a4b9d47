"""Starts the window: the library's cards first, the engine behind them, then everything else.

The order is the point. Before the first paint only Qt's widgets, the theme and the cards are loaded; the engine,
editors and Chromium follow when the window is already there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

# Before PyQt6 (for QScintilla) is loaded anywhere: both must share PySide6's Qt.
os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from vibedesk import __version__
from vibedesk.base.paths import Home, resolve_home
from vibedesk.engine.library_peek import peek_cards
from vibedesk.ui.home.card_list import project_cards
from vibedesk.ui.home.projects import ProjectsPage
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.shell.layout_store import LayoutStore
from vibedesk.ui.shell.main_window import MainWindow, PageName
from vibedesk.ui.single_instance import SingleInstance
from vibedesk.ui.theme.theme import Scheme, Theme

if TYPE_CHECKING:
    from vibedesk.engine.engine import Engine

FIRST_PAINT_VARIABLE = "VIBEDESK_EXIT_AT_FIRST_PAINT"
"""For the start-up benchmark: leave as soon as the first picture is on screen."""


def run_window(home_option: str | None) -> int:
    """Show the window until it is closed; return the exit status."""
    home = resolve_home(home_option)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("VibeDesk")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("vibedesk")
    instance = SingleInstance(sha256(str(home.root).encode()).hexdigest()[:16])
    if instance.raise_running():
        return 0
    instance.listen()
    return WindowProgram(app, home, instance).run()


class WindowProgram:
    """Builds the window and hands it to the controller once the engine is up."""

    def __init__(self, app: QApplication, home: Home, instance: SingleInstance) -> None:
        self._app = app
        self._home = home
        self._instance = instance
        self._store = LayoutStore(home.root / "window.ini")
        self._theme = Theme(_scheme(self._store.scheme()))
        self._theme.apply(app)
        self._cards = peek_cards(home.database)
        self._on_projects_page: Callable[[ProjectsPage], None] | None = None
        self._welcome: WelcomePage | None = None
        self._projects: ProjectsPage | None = None
        self.window = MainWindow(
            self._theme,
            {"welcome": self.welcome_page, "projects": self.make_projects_page},
            self._store,
        )

    def run(self) -> int:
        self.window.show_page(self._first_page())
        self.window.show()
        if os.environ.get(FIRST_PAINT_VARIABLE):
            return self._leave_at_first_paint()
        import qasync

        loop = qasync.QEventLoop(self._app)
        with loop:
            return int(loop.run_until_complete(self._main()))

    def welcome_page(self) -> WelcomePage:
        if self._welcome is None:
            self._welcome = WelcomePage(self._theme)
            self._welcome.set_projects(project_cards(self._cards))
        return self._welcome

    def make_projects_page(self) -> ProjectsPage:
        self._projects = page = ProjectsPage(self._theme)
        page.set_projects(project_cards(self._cards))
        if self._on_projects_page is not None:
            self._on_projects_page(page)
        return page

    async def _main(self) -> int:
        import asyncio

        from vibedesk.base.errors import VibeDeskError, as_vibedesk_error
        from vibedesk.ui.dialogs.ask import Choice, choose

        try:
            engine = await asyncio.to_thread(_start_engine, self._home)
        except Exception as caught:  # noqa: BLE001 - the window has to say why it cannot work
            error: VibeDeskError = as_vibedesk_error(caught)
            await choose(
                self._theme,
                self.window,
                title=error.message,
                text=error.remedy,
                choices=[Choice(key="quit", text=self.window.tr("Quit"))],
            )
            sys.stderr.write(f"vibedesk: {error}\n")
            self.window.allow_close()
            return 1
        from vibedesk.ui.window_controller import WindowController

        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        controller = WindowController(
            self.window,
            self._theme,
            engine,
            self._home,
            self.welcome_page,
            lambda: self._projects,
        )
        self._on_projects_page = controller.connect_projects
        if self._projects is not None:
            controller.connect_projects(self._projects)
        controller.closed.connect(lambda: None if done.done() else done.set_result(None))
        self._instance.raised.connect(controller.raise_window)
        controller.start()
        try:
            await done
        finally:
            await engine.shutdown()
            self.window.allow_close()
            self.window.close()
        return 0

    def _first_page(self) -> PageName:
        return "projects" if self._cards and self._store.page() == "projects" else "welcome"

    def _leave_at_first_paint(self) -> int:
        QTimer.singleShot(0, self._app.quit)
        return int(self._app.exec())


def _start_engine(home: Home) -> Engine:
    from vibedesk.engine.engine import Engine

    engine = Engine(home)
    engine.start()
    return engine


def _scheme(stored: str) -> Scheme:
    match stored:
        case "dark" | "light" | "high_contrast":
            return stored
        case _:
            return "system"
