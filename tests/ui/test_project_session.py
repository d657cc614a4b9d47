"""An open project on real panels with the real engine; nothing is built here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QApplication

from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui

PATHS = ("src/parts/Card.tsx", "src/parts/Row.tsx", "src/App.tsx")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    made.shutdown_blocking()


class Opened:
    """A session on panels of its own, with what it told."""

    def __init__(self, engine: Engine, project_id: str, panels: ProjectPanels, root: Path) -> None:
        self.owner = QObject()
        self.panels = panels
        self.asked: list[str] = []
        self.errors: list[VibeDeskError] = []
        self.agrees = True
        self.session = ProjectSession(
            engine, project_id, panels, root / "profiles", self._confirm, self.owner
        )
        self.session.failed.connect(self.errors.append)

    async def _confirm(self, title: str, text: str, action: str) -> bool:
        self.asked.append(title)
        return self.agrees


Scenario = Callable[[Engine, Opened], Awaitable[None]]


@pytest.fixture
def play(qapp: QApplication, engine: Engine, tmp_path: Path) -> Callable[[Scenario], None]:
    theme = Theme("dark")
    theme.apply(qapp)

    def start(scenario: Scenario) -> None:
        async def run() -> None:
            project_id = await engine.create("", ProjectOptions(sample="kanban-board"))
            for path in PATHS:
                await engine.create_file(project_id, path, f"// {path}\n")
            opened = Opened(engine, project_id, ProjectPanels(theme), tmp_path)
            opened.session.start()
            await until(lambda: opened.session.loaded, "the snapshot")
            try:
                await scenario(engine, opened)
            finally:
                await opened.session.close()

        run_on_qt(qapp, run())

    return start


def test_a_project_shows_its_files_and_its_wish(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        assert set(opened.panels.files.paths) == set(PATHS)
        assert opened.session.sample == "kanban-board"
        assert not opened.session.run.running

    play(scenario)


def test_typing_reaches_the_document_and_a_folder_takes_it_along(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        panels, project_id = opened.panels, opened.session.project_id
        opened.session.show_file(PATHS[0], pinned=True)
        await until(lambda: panels.editor.current_path == PATHS[0])
        panels.editor.change.emit(PATHS[0], 0, 0, "typed ")
        panels.files.rename_requested.emit("src/parts", "src/pieces")
        await until(lambda: panels.editor.current_path == "src/pieces/Card.tsx", "the tab follows")
        assert "src/pieces/Row.tsx" in panels.files.paths
        await opened.session._sync.all_sent()
        text = await engine.read_file(project_id, "src/pieces/Card.tsx")
        assert text == f"typed // {PATHS[0]}\n"

    play(scenario)


def test_deleting_asks_and_takes_a_whole_folder(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        opened.agrees = False
        opened.panels.files.delete_requested.emit("src/parts")
        await until(lambda: opened.asked == ["Delete src/parts?"])
        assert set(opened.panels.files.paths) == set(PATHS)
        opened.agrees = True
        opened.panels.files.delete_requested.emit("src/parts")
        await until(lambda: opened.panels.files.paths == ["src/App.tsx"])

    play(scenario)


def test_a_refused_message_goes_back_into_the_composer(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        opened.panels.chat.message_sent.emit("Paint it pink")
        await until(lambda: opened.errors)
        assert opened.errors[0].code == "no_more_recorded_answers"
        assert opened.panels.chat.draft() == "Paint it pink"

    play(scenario)


def test_another_writers_edit_appears_in_the_open_editor(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        editor, project_id = opened.panels.editor, opened.session.project_id
        opened.session.show_file("src/App.tsx", pinned=True)
        await until(lambda: editor.current_path == "src/App.tsx")
        other = Opened(engine, project_id, ProjectPanels(opened.panels.chat._theme), Path())
        other.session._tasks.start(other.session._sync.send_typed())
        await other.session._sync.fetch()
        other.session._sync.typed("src/App.tsx", 0, 0, "theirs ")
        await until(lambda: editor.text("src/App.tsx") == "theirs // src/App.tsx\n")
        await other.session.close()

    play(scenario)
