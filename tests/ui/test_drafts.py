"""What was written and not sent outlives a switch, the window and a crash; real window, real engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import TINY_TEMPLATE
from tests.ui.chat.test_with_engine import PLAN, QUESTIONS, WISH_ANSWER
from tests.ui.desk import Desk, Scenario, make, play_at_desk
from tests.ui.qt_loop import until
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.chat.question_card import QuestionCard
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = [pytest.mark.own_process, pytest.mark.ui]

Play = Callable[[Scenario], None]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve_in_thread() as made:
        yield made


@pytest.fixture
def engine(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"), attended=True)
    made.start()
    yield made
    made.shutdown_blocking()


@pytest.fixture
def play(qapp: QApplication, engine: Engine) -> Play:
    theme = Theme("dark")
    theme.apply(qapp)
    return lambda scenario: play_at_desk(qapp, engine, theme, scenario)


def panels_of(desk: Desk) -> ProjectPanels:
    panels = desk.controller._panels
    assert panels is not None
    return panels


async def begun(engine: Engine, desk: Desk) -> str:
    """Open a project that is being planned."""
    await engine.grant_consent()
    options = ProjectOptions(template=str(TINY_TEMPLATE), approval=True)
    project_id = await engine.create("Count things", options)
    await desk.open(project_id)
    await engine.generate(project_id)
    return project_id


async def switch_and_back(engine: Engine, desk: Desk, project_id: str) -> None:
    await desk.open(await make(engine))
    assert panels_of(desk).chat.draft() == ""
    await desk.open(project_id)


def test_pictures_stay_with_their_project(play: Play, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")

    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)))
        await desk.open(project_id)
        chat = panels_of(desk).chat
        chat.tray.offer([tmp_path / "a.png"])
        await until(lambda: chat.tray.pictures, "it is read")
        chat.set_draft("like this picture")
        await switch_and_back(engine, desk, project_id)
        assert chat.draft() == "like this picture"
        assert [p.file.name for p in chat.tray.pictures] == ["a.png"]

    play(scenario)


def test_answers_that_are_not_given_stay_with_their_project(
    play: Play, server: ModelServer
) -> None:
    server.answer(json.dumps(QUESTIONS), operation="blueprint")

    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await begun(engine, desk)
        chat = panels_of(desk).chat
        await until(lambda: chat.findChildren(QuestionCard), "it asks")
        fields = chat.findChildren(QuestionCard)[0]._fields
        fields[0]._chips[1].click()
        QTest.keyClicks(fields[1]._field, "Mondays")
        await switch_and_back(engine, desk, project_id)
        await until(lambda: any(c.isVisible() for c in chat.findChildren(QuestionCard)))
        cards = [c for c in chat.findChildren(QuestionCard) if c.isVisible()]
        assert [field.answer() for field in cards[0]._fields] == ["my team", "Mondays"]
        assert cards[0]._answer.isEnabled()
        await engine.cancel(project_id)

    play(scenario)


def test_a_wish_that_is_being_changed_stays_so(play: Play, server: ModelServer) -> None:
    server.answer(WISH_ANSWER, operation="converse")

    async def scenario(engine: Engine, desk: Desk) -> None:
        await engine.grant_consent()
        project_id = await engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)))
        await desk.open(project_id)
        chat = panels_of(desk).chat
        chat.message_sent.emit("Add a dark theme", ())
        queue = chat._composer._queue
        await until(lambda: queue._rows, "it is queued")
        [row] = queue._rows.values()
        row.begin_edit()
        QTest.keyClicks(row._field, " with stars")
        await switch_and_back(engine, desk, project_id)
        [row] = queue._rows.values()
        assert row.editing
        assert row._field.toPlainText() == "Add a dark theme with stars"

    play(scenario)


def test_edits_of_the_plan_that_cannot_be_stored_are_there_again(
    play: Play, server: ModelServer
) -> None:
    server.answer(json.dumps(PLAN), operation="blueprint")

    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await begun(engine, desk)
        page = panels_of(desk).blueprint
        await until(lambda: page.state == "awaiting_approval", "the plan")
        title = page.findChildren(QLineEdit)[0]
        title.selectAll()
        QTest.keyClick(title, Qt.Key.Key_Delete)
        page._description.selectAll()
        QTest.keyClicks(page._description, "My own long sentence")
        await switch_and_back(engine, desk, project_id)
        assert page.changes() == {"title": "", "description": "My own long sentence"}
        assert title.text() == ""
        assert page._description.toPlainText() == "My own long sentence"
        assert not page._save.isVisible()
        assert page._discard.isVisible()
        page.discard()
        await switch_and_back(engine, desk, project_id)
        assert not page.changed
        await engine.cancel(project_id)

    play(scenario)


def test_the_wish_of_the_welcome_page_is_there_again(
    play: Play, engine: Engine, qapp: QApplication
) -> None:
    async def write(engine: Engine, desk: Desk) -> None:
        desk.welcome.set_wish("A place for all my plants")

    async def read(engine: Engine, desk: Desk) -> None:
        assert desk.welcome.wish() == "A place for all my plants"

    play(write)
    play(read)


def test_watching_an_example_leaves_the_wish(play: Play) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await engine.grant_consent()
        desk.welcome.set_wish("A place for all my plants")
        desk.welcome.sample_chosen.emit("kanban-board")
        await until(lambda: desk.controller._session is not None, "it opens")
        await until(lambda: not desk.welcome._prompt._busy, "it runs")
        assert desk.welcome.wish() == "A place for all my plants"
        await engine.stop_all()

    play(scenario)


def test_what_is_written_is_stored_after_a_moment(play: Play) -> None:
    """A crash takes only what was written in the last moment."""

    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        panels_of(desk).chat.set_draft("half a thou")
        desk.welcome.set_wish("An app")
        file = str(engine.home.root / "window.ini")

        def stored(key: str) -> object:
            return QSettings(file, QSettings.Format.IniFormat).value(key)

        await until(lambda: stored(f"projects/{project_id}/draft") == "half a thou")
        await until(lambda: stored("window/wish") == "An app")

    play(scenario)
