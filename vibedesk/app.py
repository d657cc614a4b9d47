"""Starts the window: the library's cards first, the engine behind them, then everything else.

The order is the point. Before the first paint only Qt's widgets, the theme and the cards are loaded; the engine,
editors and Chromium follow when the window is already there.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

# Before PyQt6 (for QScintilla) is loaded anywhere: both must share PySide6's Qt.
os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from vibedesk import __version__
from vibedesk.base.paths import Home, resolve_home
from vibedesk.engine.library_peek import peek_cards
from vibedesk.engine.store.lock import is_home_locked
from vibedesk.ui.home.card_list import project_cards
from vibedesk.ui.shell.layout_store import LayoutStore
from vibedesk.ui.shell.main_window import MainWindow, PageName
from vibedesk.ui.theme.theme import Scheme, Theme

if TYPE_CHECKING:
    from vibedesk.engine.engine import Engine
    from vibedesk.ui.home.projects import ProjectsPage
    from vibedesk.ui.home.welcome import WelcomePage

_FIRST_PAINT_SECONDS = 0.5


def run_window(home_option: str | None) -> int:
    """Show the window until it is closed; return the exit status."""
    home = resolve_home(home_option)
    # Chromium, loaded later, has to share its pictures with the window.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("VibeDesk")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("vibedesk")
    if is_home_locked(home.lock) and _raise_running_window(home):
        return 0
    return WindowProgram(app, home).run()


def _raise_running_window(home: Home) -> bool:
    from vibedesk.ui.single_instance import raise_running_window

    return raise_running_window(home.root)


class FirstPaint(QObject):
    """Sees when the window's content has been painted once."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.seen = False
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            # The window paints itself and everything in it while it handles this.
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self._note)
        return False

    def _note(self) -> None:
        self.seen = True


class WindowProgram:
    """Builds the window and hands it to the controller once the engine is up."""

    def __init__(self, app: QApplication, home: Home) -> None:
        self._app = app
        self._home = home
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
        self._paint_first()
        import qasync

        loop = qasync.QEventLoop(self._app)
        with loop:
            return int(loop.run_until_complete(self._main()))

    def welcome_page(self) -> WelcomePage:
        # Each page is loaded when it is first shown: the first picture needs one of them.
        from vibedesk.ui.home.welcome import WelcomePage

        if self._welcome is None:
            self._welcome = WelcomePage(self._theme)
            self._welcome.set_projects(project_cards(self._cards))
        return self._welcome

    def make_projects_page(self) -> ProjectsPage:
        from vibedesk.ui.home.projects import ProjectsPage

        self._projects = page = ProjectsPage(self._theme)
        page.set_projects(project_cards(self._cards))
        if self._on_projects_page is not None:
            self._on_projects_page(page)
        return page

    async def _main(self) -> int:
        from vibedesk.base.garbage import collecting_here

        async with collecting_here():
            return await self._serve()

    async def _serve(self) -> int:
        import asyncio
        import logging

        from vibedesk.base.errors import HomeLockedError, VibeDeskError, as_vibedesk_error
        from vibedesk.base.logs import start_logging
        from vibedesk.ui.dialogs.ask import Choice, choose

        start_logging(self._home.logs)
        log = logging.getLogger("vibedesk.window")
        sys.excepthook = lambda kind, error, trace: log.error(
            "unexpected error in the window", exc_info=(kind, error, trace)
        )
        try:
            engine = await asyncio.to_thread(_start_engine, self._home)
        except Exception as caught:  # noqa: BLE001 - the window has to say why it cannot work
            error: VibeDeskError = as_vibedesk_error(caught)
            if error.code == HomeLockedError.code and _raise_running_window(self._home):
                self.window.allow_close()
                return 0
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
        from vibedesk.ui.single_instance import WindowDoor
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
        door = WindowDoor(self._home.root, self.window)
        door.knocked.connect(controller.raise_window)
        controller.start()
        await engine.keep_sandboxes_warm()
        try:
            await done
        finally:
            await engine.shutdown()
            self.window.allow_close()
            self.window.close()
        return 0

    def _paint_first(self) -> None:
        """Let the first picture appear before anything else is loaded, which would take its time from it."""
        deadline = time.monotonic() + _FIRST_PAINT_SECONDS
        painted = FirstPaint(self.window)
        while not painted.seen and time.monotonic() < deadline:
            self._app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)

    def _first_page(self) -> PageName:
        return "projects" if self._cards and self._store.page() == "projects" else "welcome"


def _start_engine(home: Home) -> Engine:
    from vibedesk.engine.engine import Engine

    engine = Engine(home, attended=True)
    engine.start()
    return engine


def _scheme(stored: str) -> Scheme:
    match stored:
        case "dark" | "light" | "high_contrast":
            return stored
        case _:
            return "system"
