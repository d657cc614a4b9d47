"""Pages, library and closing, with the real engine; nothing is built here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
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

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    made.shutdown_blocking()


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


Scenario = Callable[[Engine, Desk], Awaitable[None]]


@pytest.fixture
def play(qapp: QApplication, engine: Engine) -> Callable[[Scenario], None]:
    theme = Theme("dark")
    theme.apply(qapp)

    def start(scenario: Scenario) -> None:
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

    return start


async def make(engine: Engine) -> str:
    return await engine.create("", ProjectOptions(sample="kanban-board"))


def test_first_start_offers_samples_and_no_projects(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.welcome._samples, "the samples")
        shown = desk.window._status._shown
        await until(lambda: "projects" in shown, "the status bar")
        assert shown["projects"][0].text == "0 projects"

    play(scenario)


def test_a_deleted_project_leaves_list_and_page(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        desk.projects.delete_requested.emit(project_id)
        await desk.press_in_dialog("Delete project")
        await until(lambda: desk.window.page == "projects", "the page is left")
        assert await engine.projects() == []

    play(scenario)


def test_what_is_written_and_not_sent_stays_with_its_project(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        first, second = await make(engine), await make(engine)
        await desk.open(first)
        panels = desk.controller._panels
        assert panels is not None
        panels.chat.set_draft("half a thou")
        await desk.open(second)
        assert panels.chat.draft() == ""
        await desk.open(first)
        await until(lambda: panels.chat.draft() == "half a thou", "it is back")

    play(scenario)


def test_an_unknown_project_is_told(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        desk.controller.open_project("nothing-like-that")
        await until(lambda: desk.window._toasts._toasts, "it is told")

    play(scenario)


def test_a_host_the_app_wants_is_asked_for_and_granted(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        preview = desk.controller._panels.preview  # type: ignore[union-attr]
        preview.request_blocked.emit("https://api.example.org/data", "not granted")
        preview.request_blocked.emit("http://192.168.1.1/", "private")

        def buttons() -> list[QAbstractButton]:
            found = desk.window.findChildren(QAbstractButton)
            return [
                b for b in found if b.text().strip() == "Allow in this project" and b.isVisible()
            ]

        await until(buttons, "it asks")
        assert len(buttons()) == 1, "a private address cannot be granted"
        buttons()[0].click()
        await until(lambda: not buttons(), "the question goes")
        assert await engine.grant_host(project_id, "api.example.org") == ["api.example.org"]
        session = desk.controller._session
        assert session is not None
        await until(lambda: session._granted == ("api.example.org",), "the preview knows")

    play(scenario)
