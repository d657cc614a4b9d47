"""A file written anew in the real window with the real engine and a model server on loopback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from tests.support import model_faults as faults
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import APP, TINY_TEMPLATE, whole
from tests.ui.desk import Desk, play_at_desk
from tests.ui.qt_loop import until
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.review.page import ReviewPage
from vibedesk.ui.review.regenerate_dialog import RegenerateDialog
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = [pytest.mark.own_process, pytest.mark.ui]
OPERATION = "regenerate_file"
ANEW = APP.replace("line3 = 3;", "line3 = 33;").replace("line40 = 40", "line40 = 44")
Play = Callable[[Callable[["Regenerating"], Awaitable[None]]], None]


class Regenerating:
    """A window on a project with `app.js`, and the model that answers."""

    def __init__(self, desk: Desk, engine: Engine, server: ModelServer, project_id: str) -> None:
        self.desk, self.engine, self.server, self.project_id = desk, engine, server, project_id

    @property
    def panels(self) -> ProjectPanels:
        panels = self.desk.controller._panels
        assert panels is not None
        return panels

    @property
    def reviews(self) -> list[ReviewPage]:
        session = self.desk.controller._session
        assert session is not None
        return list(session._reviews._pages.values())

    async def ask(self, path: str = "app.js", words: str = "Other numbers") -> ReviewPage:
        """Ask by the tree's menu, and return the review that opens in front."""
        before = set(self.reviews)
        files = self.panels.files
        action = next(a for a in files.menu_for([path]).actions() if "Regenerate" in a.text())
        action.trigger()
        await until(lambda: self.desk.window.findChildren(RegenerateDialog), "it asks")
        dialog = self.desk.window.findChildren(RegenerateDialog)[-1]
        dialog._field.setPlainText(words)
        dialog.submit()
        await until(lambda: set(self.reviews) - before, "the review opens")
        [page] = set(self.reviews) - before
        await until(lambda: self.panels.editor._stack.currentWidget() is page, "in front")
        return page

    async def text(self, path: str = "app.js") -> str:
        return await self.engine.read_file(self.project_id, path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with serve_in_thread() as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def play(qapp: QApplication, server: ModelServer, tmp_path: Path) -> Iterator[Play]:
    theme = Theme("dark")
    theme.apply(qapp)
    home = Home(root=tmp_path, projects=tmp_path / "projects")
    made: list[str] = []

    def start(scenario: Callable[[Regenerating], Awaitable[None]]) -> None:
        engine = Engine(home, attended=True)
        engine.start()

        async def run(engine: Engine, desk: Desk) -> None:
            if not made:
                options = ProjectOptions(template=str(TINY_TEMPLATE))
                made.append(await engine.create("Count things for me", options))
                for path in ("app.js", "other.js"):
                    await engine.create_file(made[0], path, APP)
            await desk.open(made[0])
            await scenario(Regenerating(desk, engine, server, made[0]))

        try:
            play_at_desk(qapp, engine, theme, run)
        finally:
            engine.shutdown_blocking()

    yield start
    server.release()


def test_a_file_is_asked_for_reviewed_and_taken_hunk_by_hunk(
    play: Play, server: ModelServer
) -> None:
    server.answer(whole("app.js", ANEW), operation=OPERATION)

    async def scenario(at: Regenerating) -> None:
        editor, files = at.panels.editor, at.panels.files
        at.desk.controller._session.show_file("app.js", pinned=True)  # type: ignore[union-attr]
        await until(lambda: editor.text("app.js") == APP)
        page = await at.ask()
        await until(lambda: page.state == "ready", "it is written")
        assert await at.text() == APP
        assert files._marks["app.js"].proposed
        [request] = server.requests_for(OPERATION)
        assert "Other numbers" in str(request.messages[-1]["content"])
        page._other.click()
        await until(lambda: at.desk.window.findChildren(RegenerateDialog), "it asks again")
        dialog = at.desk.window.findChildren(RegenerateDialog)[-1]
        assert dialog._field.toPlainText() == "Other numbers"
        dialog.reject()
        page._view._decide(1, "take")
        page.take_requested.emit(page.chosen)
        await until(lambda: not at.reviews, "the review is over")
        await until(lambda: editor.current_path == "app.js", "the file is in front")
        taken = APP.replace("line40 = 40", "line40 = 44")
        await until(lambda: editor.text("app.js") == taken, "the editor has it")
        assert await at.text() == taken
        assert not files._marks["app.js"].proposed
        assert await at.engine.setting("regenerate.recent", []) == ["Other numbers"]

    play(scenario)


def test_lines_changed_meanwhile_are_said_at_the_change(play: Play, server: ModelServer) -> None:
    server.answer(whole("app.js", ANEW), operation=OPERATION)

    async def scenario(at: Regenerating) -> None:
        page = await at.ask()
        await until(lambda: page.state == "ready")
        at.desk.controller._session.show_file("app.js", pinned=True)  # type: ignore[union-attr]
        await until(lambda: at.panels.editor.text("app.js") == APP)
        place = APP.index("line40 = 40") + len("line40 = ")
        at.panels.editor.change.emit("app.js", place, 2, "41")
        page.take_requested.emit([0, 1])
        await until(lambda: page._view._sections[1].conflict, "it says so")
        assert "you changed the same lines" in page._view._sections[1].conflict
        assert "line3 = 3;" in await at.text()
        page._view._decide(0, "take")
        page.take_requested.emit(page.chosen)
        await until(lambda: not at.reviews)
        text = await at.text()
        assert "line3 = 33;" in text
        assert "line40 = 41;" in text

    play(scenario)


def test_several_reviews_stand_side_by_side_and_survive_a_restart(
    play: Play, server: ModelServer
) -> None:
    server.answer(whole("app.js", ANEW), operation=OPERATION)
    server.answer(whole("other.js", ANEW), operation=OPERATION)

    async def first(at: Regenerating) -> None:
        for path in ("app.js", "other.js"):
            page = await at.ask(path)
            await until(lambda page=page: page.state == "ready")  # type: ignore[misc]
        assert len(at.reviews) == 2
        server.fail(faults.Fault(kind="stall", after_chars=300), operation=OPERATION)
        server.answer(whole("app.js", ANEW), operation=OPERATION)
        page = await at.ask("app.js", "Once more")
        await until(lambda: page._writing.line_count > 3, "it fills")
        assert {p.path for p in at.reviews} == {"app.js", "other.js"}

    async def second(at: Regenerating) -> None:
        states = {"app.js": "interrupted", "other.js": "ready"}
        await until(lambda: {page.path: page.state for page in at.reviews} == states)
        assert at.panels.editor.open_paths == []
        at.panels.files.review_requested.emit("app.js")
        page = next(page for page in at.reviews if page.path == "app.js")
        assert at.panels.editor._stack.currentWidget() is page
        server.answer(whole("app.js", ANEW), operation=OPERATION)
        page.again_requested.emit()
        await until(
            lambda: (
                {p.path: p.state for p in at.reviews} == {"app.js": "ready", "other.js": "ready"}
            ),
            "it is asked for again",
        )
        assert next(p for p in at.reviews if p.path == "app.js").instructions == "Once more"

    play(first)
    play(second)


def test_writing_is_cancelled_and_a_failure_is_told_in_the_review(
    play: Play, server: ModelServer
) -> None:
    server.fail(faults.Fault(kind="stall", after_chars=300), operation=OPERATION)
    server.answer(whole("app.js", ANEW), operation=OPERATION)

    async def scenario(at: Regenerating) -> None:
        page = await at.ask()
        await until(lambda: page._writing.line_count > 3, "it fills")
        page._cancel.click()
        await until(lambda: not at.reviews, "it is dropped")
        server.fail(faults.status(401), operation=OPERATION, times=9)
        page = await at.ask()
        await until(lambda: page.state == "failed", "it failed")
        assert page._message._text.text()
        page._drop.click()
        await until(lambda: not at.reviews)
        assert await at.text() == APP

    play(scenario)


def test_after_a_mishap_of_ours_the_review_can_be_used(play: Play, server: ModelServer) -> None:
    server.answer(whole("app.js", ANEW), operation=OPERATION)

    async def scenario(at: Regenerating) -> None:
        page = await at.ask()
        await until(lambda: page.state == "ready", "it is written")
        told: list[VibeDeskError] = []
        session = at.desk.controller._session
        assert session is not None
        session.failed.connect(told.append)
        page.take_requested.emit(["no number"])
        await until(lambda: told, "it is told")
        assert told[0].code == "internal"
        assert page._take_all.isEnabled()
        page._take_all.click()
        await until(lambda: not at.reviews, "it is taken")
        assert await at.text() == ANEW

    play(scenario)


def test_marks_go_from_the_tree_to_the_engine_and_back(play: Play) -> None:
    async def scenario(at: Regenerating) -> None:
        files, editor = at.panels.files, at.panels.editor
        files.mark_requested.emit(["app.js", "other.js"], "locked", True)
        await until(lambda: all(m.person == {"locked"} for m in files._marks.values()))
        views = {view.path: view.marks for view in await at.engine.files(at.project_id)}
        assert views == {"app.js": ("locked",), "other.js": ("locked",)}
        at.desk.controller._session.show_file("app.js", pinned=True)  # type: ignore[union-attr]
        await until(lambda: editor.current_path == "app.js")
        assert editor.notes._lock.isVisible()
        editor.notes._lock.acted.emit()
        await until(lambda: not editor.notes._lock.isVisible(), "it is unlocked")
        assert files.person_marks("app.js") == frozenset()

    play(scenario)

    async def reopened(at: Regenerating) -> None:
        assert at.panels.files.person_marks("other.js") == {"locked"}

    play(reopened)
