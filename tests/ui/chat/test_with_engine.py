"""The chat of an open project with the real engine and a model on loopback, up to where the app is built."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import BLUEPRINT, TINY_TEMPLATE
from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ImageFile, ProjectOptions
from vibedesk.engine.store.conversation import ConversationStore
from vibedesk.ui.chat.blueprint_card import BlueprintCard
from vibedesk.ui.chat.budget_strip import BudgetStrip
from vibedesk.ui.chat.image_viewer import ImageViewer
from vibedesk.ui.chat.messages import AgentMessage, UserMessage
from vibedesk.ui.chat.pictures import Attached
from vibedesk.ui.chat.question_card import QuestionCard
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui

W = TypeVar("W", bound=QWidget)
QUESTIONS = {
    "questions": [
        {"question": "For whom?", "options": ["me", "my team"], "why": "It decides about sign-in."},
        {"question": "Which days?"},
    ]
}
PLAN: dict[str, Any] = {
    **BLUEPRINT,
    "views": [{"name": "Home", "description": "the counter"}],
    "implementation_roadmap": [{"phase": "Basics"}, {"phase": "More"}],
    "acceptance_checks": [
        {"name": "It counts", "phase": 1, "steps": [{"do": "click", "selector": "button"}]}
    ],
}
WISH_ANSWER = "I will add that in the next phase."


def png(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(buffer, "PNG")
    return buffer.getvalue()


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


class Desk:
    """A project on panels that are on screen, and what a person does there."""

    def __init__(self, engine: Engine, project_id: str, theme: Theme, root: Path) -> None:
        self.engine = engine
        self.project_id = project_id
        self.owner = QObject()
        self.panels = ProjectPanels(theme)
        self.errors: list[VibeDeskError] = []
        self.panels.chat.resize(400, 900)
        self.panels.chat.show()
        self.panels.blueprint.resize(1000, 800)
        self.panels.blueprint.show()
        self.session = ProjectSession(
            engine, project_id, self.panels, root / "profiles", _agree, self.owner
        )
        self.session.failed.connect(self.errors.append)

    def shown(self, kind: type[W]) -> list[W]:
        return [w for w in self.panels.chat.findChildren(kind) if w.isVisible()]

    def press(self, where: QWidget, name: str) -> None:
        found = [
            b
            for b in where.findChildren(QAbstractButton)
            if b.isVisible() and name in (b.text().strip("\u2009 "), b.accessibleName())
        ]
        assert found, f"no button {name}"
        QTest.mouseClick(found[-1], Qt.MouseButton.LeftButton)

    async def close(self) -> None:
        await self.session.close()
        for panel in (self.panels.chat, self.panels.blueprint):
            panel.hide()


async def _agree(title: str, text: str, action: str) -> bool:
    return True


Scenario = Callable[[Desk], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(qapp: QApplication, engine: Engine, tmp_path: Path) -> Play:
    theme = Theme("dark")
    theme.apply(qapp)

    def start(scenario: Scenario, images: list[ImageFile] | None = None, **options: Any) -> None:
        async def run() -> None:
            await engine.grant_consent()
            wanted = ProjectOptions(template=str(TINY_TEMPLATE), **options)
            project_id = await engine.create("Count things", wanted, images or [])
            desk = Desk(engine, project_id, theme, tmp_path)
            desk.session.start()
            await until(lambda: desk.session.loaded, "the snapshot")
            try:
                await scenario(desk)
            finally:
                await desk.close()
                await engine.cancel(project_id)

        run_on_qt(qapp, run())

    return start


def test_from_questions_to_an_edited_plan_that_is_made_anew(
    play: Play, server: ModelServer
) -> None:
    server.answer(json.dumps(QUESTIONS), operation="blueprint")
    server.answer(json.dumps(PLAN), operation="blueprint")
    server.answer(json.dumps({**PLAN, "views": [{"name": "Again"}]}), operation="blueprint")

    async def scenario(desk: Desk) -> None:
        chat, page = desk.panels.chat, desk.panels.blueprint
        [wish] = desk.shown(UserMessage)
        await until(lambda: "red.png" in wish.accessibleName())
        await desk.engine.generate(desk.project_id)
        await until(lambda: desk.shown(QuestionCard), "it asks")
        [card] = desk.shown(QuestionCard)
        desk.press(card, "my team")
        desk.press(card, "Answer")
        await until(lambda: page.state == "awaiting_approval", "the plan")
        assert card.text().splitlines() == ["For whom? my team", "Which days? Skipped"]
        assert "my team" in json.dumps(server.requests_for("blueprint")[1].body)
        assert '"image"' in json.dumps(server.requests_for("blueprint")[1].body)
        [shown] = desk.shown(BlueprintCard)
        assert "1. Click the button" in shown.text()
        title = page.findChildren(QLineEdit)[0]
        title.selectAll()
        QTest.keyClick(title, Qt.Key.Key_Delete)
        desk.press(page, "Start building")
        await until(lambda: title.property("invalid") is True, "the field says what is wrong")
        assert desk.errors == []
        assert page.state == "awaiting_approval"
        QTest.keyClicks(title, "Tally")
        assert not title.property("invalid")
        desk.press(page, "Re-plan")
        await until(lambda: len(server.requests_for("blueprint")) == 3)
        await until(
            lambda: (
                page.state == "awaiting_approval" and page._blueprint["views"][0]["name"] == "Again"
            )
        )
        assert page.edited_blueprint()["title"] == "Tally"
        assert not page.changed
        assert len(desk.shown(BlueprintCard)) == 2
        assert chat._waiting.accessibleName() == "The plan waits for your approval."

    play(scenario, [ImageFile("red.png", png())], approval=True)


def test_sections_come_one_by_one_and_are_there_for_who_looks_late(play: Play) -> None:
    async def scenario(desk: Desk) -> None:
        services = desk.engine._ours
        for name in ("title", "color_palette", "acceptance_checks"):
            await desk.engine._call(
                services.bus.emit(desk.project_id, e.BlueprintSection(name, PLAN[name]))
            )
        await until(
            lambda: desk.shown(BlueprintCard) and "It counts" in desk.shown(BlueprintCard)[0].text()
        )
        assert "Counter" in desk.shown(BlueprintCard)[0].accessibleName()
        await desk.engine._call(services.bus.emit(desk.project_id, e.BlueprintRestarted()))
        await until(lambda: "It counts" not in desk.shown(BlueprintCard)[0].text())

    play(scenario)


def test_changes_are_kept_when_the_project_is_left(play: Play, server: ModelServer) -> None:
    server.answer(json.dumps(PLAN), operation="blueprint")

    async def scenario(desk: Desk) -> None:
        page = desk.panels.blueprint
        await desk.engine.generate(desk.project_id)
        await until(lambda: page.state == "awaiting_approval", "the plan")
        title = page.findChildren(QLineEdit)[0]
        title.selectAll()
        QTest.keyClicks(title, "Mine")
        await desk.session._chat.close()
        stored = await desk.engine.project(desk.project_id)
        assert stored.blueprint is not None
        assert stored.blueprint["title"] == "Mine"
        assert stored.edited_fields == ("title",)

    play(scenario, approval=True)


async def plan_waits(desk: Desk, server: ModelServer) -> QLineEdit:
    """Have a plan made; return the field of its title."""
    server.answer(json.dumps(PLAN), operation="blueprint")
    await desk.engine.generate(desk.project_id)
    page = desk.panels.blueprint
    await until(lambda: page.state == "awaiting_approval", "the plan")
    return page.findChildren(QLineEdit)[0]


def write_title(title: QLineEdit, words: str) -> None:
    title.selectAll()
    QTest.keyClick(title, Qt.Key.Key_Delete)
    QTest.keyClicks(title, words)


def test_a_message_about_the_plan_takes_along_what_was_edited(
    play: Play, server: ModelServer
) -> None:
    server.answer("I plan that.", operation="converse")

    async def scenario(desk: Desk) -> None:
        page = desk.panels.blueprint
        write_title(await plan_waits(desk, server), "Mine")
        server.answer(json.dumps({**PLAN, "views": [{"name": "Again"}]}), operation="blueprint")
        desk.panels.chat.set_draft("Make it blue")
        desk.panels.chat._composer.send()
        await until(lambda: len(server.requests_for("blueprint")) == 2, "it is made anew")
        await until(
            lambda: (
                page.state == "awaiting_approval" and page._blueprint["views"][0]["name"] == "Again"
            )
        )
        assert page.edited_blueprint()["title"] == "Mine"
        assert "Mine" in json.dumps(server.requests_for("blueprint")[1].body)
        assert not page.changed
        assert desk.errors == []

    play(scenario, approval=True)


def test_a_message_waits_for_an_edit_that_cannot_be_like_this(
    play: Play, server: ModelServer
) -> None:
    async def scenario(desk: Desk) -> None:
        title, chat = await plan_waits(desk, server), desk.panels.chat
        write_title(title, "")
        chat.set_draft("Make it blue")
        chat._composer.send()
        await until(lambda: title.property("invalid") is True, "the field says what is wrong")
        assert chat.draft() == "Make it blue"
        assert (await desk.engine.project(desk.project_id)).messages == ()
        assert desk.errors == []

    play(scenario, approval=True)


def test_after_a_stop_the_plan_goes_on_with_what_was_edited(
    play: Play, server: ModelServer
) -> None:
    async def scenario(desk: Desk) -> None:
        page = desk.panels.blueprint
        title = await plan_waits(desk, server)
        write_title(title, "Mine")
        desk.session.stop()
        await until(lambda: desk.session.run.state == "idle", "it stops")
        assert page.state == "resting"
        assert title.text() == "Mine"
        assert title.isReadOnly()
        assert not [b for b in page._all_buttons if b.isVisible()]
        desk.press(desk.panels.chat, "Continue")
        await until(lambda: page.state == "awaiting_approval", "it waits again")
        assert len(server.requests_for("blueprint")) == 1
        desk.press(page, "Start building")
        await until(lambda: desk.session.run.phase_number == 1, "it is built")
        stored = (await desk.engine.project(desk.project_id)).blueprint
        assert stored is not None
        assert stored["title"] == "Mine"
        assert desk.errors == []

    play(scenario, approval=True)


def test_checks_edited_while_the_app_is_built_are_kept_when_it_is_left(
    play: Play, server: ModelServer
) -> None:
    async def scenario(desk: Desk) -> None:
        page = desk.panels.blueprint
        await plan_waits(desk, server)
        desk.press(page, "Start building")
        await until(lambda: page.state == "approved", "it is built")
        desk.press(page, "Remove the check It counts")
        assert page.changed
        await desk.session.close()
        stored = (await desk.engine.project(desk.project_id)).blueprint
        assert stored is not None
        assert stored["acceptance_checks"] == []
        assert not page.changed

    play(scenario, approval=True)


def test_another_plan_of_the_agent_leaves_what_is_being_edited(
    play: Play, server: ModelServer
) -> None:
    async def scenario(desk: Desk) -> None:
        page = desk.panels.blueprint
        write_title(await plan_waits(desk, server), "Mine")
        await desk.engine.edit_blueprint(desk.project_id, {"description": "Another sentence."})
        await until(lambda: page._blueprint["description"] == "Another sentence.")
        assert page.changes() == {"title": "Mine"}

    play(scenario, approval=True)


def test_an_answer_that_is_begun_anew_is_shown_from_its_beginning(play: Play) -> None:
    async def scenario(desk: Desk) -> None:
        async def tell(*payloads: e.Payload) -> None:
            for payload in payloads:
                await desk.engine._call(desk.engine._ours.bus.emit(desk.project_id, payload))

        await tell(e.MessageChunk("m", "assistant", "I would need to see src/App.tsx first."))
        await until(lambda: desk.shown(AgentMessage), "its beginning")
        await tell(e.MessageRestarted("m"))
        await until(lambda: desk.shown(AgentMessage)[0].text == "", "it is taken back")
        await tell(e.MessageChunk("m", "assistant", "The colour is set in App.tsx."))
        await until(lambda: desk.shown(AgentMessage)[0].text == "The colour is set in App.tsx.")

    play(scenario)


def test_a_message_written_while_the_project_is_left_is_said_or_stays(
    play: Play, server: ModelServer
) -> None:
    server.answer("No change is needed.", operation="converse")

    async def scenario(desk: Desk) -> None:
        chat = desk.panels.chat
        chat.set_draft("Said in time")
        chat._composer.send()
        closing = asyncio.ensure_future(desk.session.close())
        await asyncio.sleep(0)
        chat.set_draft("An important thought")
        QTest.keyClick(chat._composer._field, Qt.Key.Key_Return)
        chat._composer.send()
        await closing
        said = [m.text for m in (await desk.engine.project(desk.project_id)).messages]
        assert "Said in time" in said
        assert chat.draft() == "An important thought"

    play(scenario)


def test_answers_that_were_not_given_are_back_in_the_composer(
    play: Play, server: ModelServer
) -> None:
    server.answer(json.dumps(QUESTIONS), operation="blueprint")

    async def scenario(desk: Desk) -> None:
        await desk.engine.generate(desk.project_id)
        await until(lambda: desk.shown(QuestionCard), "it asks")
        [card] = desk.shown(QuestionCard)
        QTest.keyClicks(card.findChildren(QLineEdit)[1], "Mondays")
        desk.session.stop()
        await until(lambda: not card.is_open, "they are left")
        assert desk.panels.chat.draft() == "Which days? Mondays"

    play(scenario)


def test_a_refused_change_of_a_wish_is_back_in_the_composer(
    play: Play, server: ModelServer
) -> None:
    server.answer(WISH_ANSWER, operation="converse")

    async def scenario(desk: Desk) -> None:
        chat = desk.panels.chat
        chat.message_sent.emit("Add a dark theme", ())
        queue = chat._composer._queue
        await until(lambda: queue._rows, "it is queued")
        [(wish_id, row)] = queue._rows.items()
        chat.set_draft("And this")
        row.begin_edit()
        QTest.keyClicks(row._field, " with stars")
        await desk.engine._call(_take_back(desk, wish_id))
        QTest.keyClick(row._field, Qt.Key.Key_Return)
        await until(lambda: desk.errors, "it is refused")
        assert chat.draft() == "Add a dark theme with stars\nAnd this"

    play(scenario)


def test_a_message_comes_back_whatever_goes_wrong_with_it(play: Play) -> None:
    async def scenario(desk: Desk) -> None:
        chat = desk.panels.chat
        # Words are no bytes: a mistake that no layer expects.
        broken = Attached(ImageFile("a.png", cast("bytes", "words")), QImage())
        chat.message_sent.emit("An important thought", (broken,))
        await until(lambda: desk.errors, "it is told")
        assert desk.errors[0].code == "internal"
        assert chat.draft() == "An important thought"
        assert [picture.file.name for picture in chat.tray.pictures] == ["a.png"]

    play(scenario)


def test_skipped_questions_whose_skip_is_refused_keep_their_answers(
    play: Play, server: ModelServer
) -> None:
    server.answer(json.dumps(QUESTIONS), operation="blueprint")

    async def scenario(desk: Desk) -> None:
        await desk.engine.generate(desk.project_id)
        await until(lambda: desk.shown(QuestionCard), "it asks")
        [card] = desk.shown(QuestionCard)
        QTest.keyClicks(card.findChildren(QLineEdit)[1], "Mondays")
        desk.session._chat._project_id = "nowhere"
        desk.press(card, "Skip all")
        assert desk.panels.chat.unsent().answers == {}
        await until(lambda: desk.errors, "it is refused")
        assert desk.panels.chat.unsent().answers == {"Which days?": "Mondays"}
        desk.session._chat._project_id = desk.project_id

    play(scenario)


async def _take_back(desk: Desk, wish_id: str) -> None:
    """Take a wish back in the moment before the window hears of it."""
    store = desk.engine._ours
    await store._read(lambda: ConversationStore(desk.project_id).remove_wish(wish_id))


def test_pictures_are_checked_sent_shown_and_opened(
    play: Play, server: ModelServer, tmp_path: Path
) -> None:
    server.answer("It counts.\n\nNo change is needed.", operation="converse")
    good, bad = tmp_path / "blue.png", tmp_path / "notes.txt"
    good.write_bytes(png("blue"))
    bad.write_text("no picture")

    async def scenario(desk: Desk) -> None:
        chat = desk.panels.chat
        chat.tray.offer([good, bad])
        await until(lambda: not chat.tray.reading, "they are read")
        assert [p.file.name for p in chat.tray.pictures] == ["blue.png"]
        assert "notes.txt is no picture that can be used." in chat.tray._refusal.text()
        chat.set_draft("Like this?")
        chat._composer.send()
        await until(lambda: len(desk.shown(UserMessage)) == 2, "it is said")
        message = desk.shown(UserMessage)[1]
        await until(
            lambda: any(not t._picture.isNull() for t in message._thumbnails.values()),
            "it is shown",
        )
        await until(lambda: server.requests_for("converse"))
        assert '"image"' in json.dumps(server.requests_for("converse")[0].body)
        desk.press(message, "Picture blue.png")
        await until(lambda: chat.findChildren(ImageViewer), "it opens")
        chat.findChildren(ImageViewer)[0].reject()

    play(scenario)


def test_too_many_pictures_are_said(play: Play, tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.png" for n in range(9)]
    for file in files:
        file.write_bytes(png())

    async def scenario(desk: Desk) -> None:
        tray = desk.panels.chat.tray
        tray.offer(list(files))
        await until(lambda: not tray.reading and tray._refusal.text(), "they are read")
        assert len(tray.pictures) == 8
        assert "9 images are too many for one message." in tray._refusal.text()

    play(scenario)


def test_a_queued_wish_is_changed_and_taken_back(play: Play, server: ModelServer) -> None:
    server.answer(WISH_ANSWER, operation="converse")

    async def scenario(desk: Desk) -> None:
        chat = desk.panels.chat
        chat.message_sent.emit("Add a dark theme", ())
        queue = chat._composer._queue
        await until(lambda: queue._rows, "it is queued")
        [row] = queue._rows.values()
        assert row.accessibleName() == "queued: Add a dark theme"
        row.begin_edit()
        QTest.keyClicks(row._field, " with stars")
        QTest.keyClick(row._field, Qt.Key.Key_Return)
        await until(lambda: row.accessibleName() == "queued: Add a dark theme with stars")
        [wish] = (await desk.engine.project(desk.project_id)).wishes
        assert wish.text == "Add a dark theme with stars"
        desk.press(row, "Remove queued message")
        await until(lambda: not queue._rows, "it is taken back")
        assert (await desk.engine.project(desk.project_id)).wishes == ()

    play(scenario)


def test_at_the_budget_the_run_waits_and_goes_on_when_it_is_raised(
    play: Play, server: ModelServer
) -> None:
    server.answer(json.dumps(PLAN), operation="blueprint")

    async def scenario(desk: Desk) -> None:
        [strip] = desk.panels.chat.findChildren(BudgetStrip)
        await desk.engine.generate(desk.project_id)
        await until(lambda: "limit is reached" in strip.accessibleName(), "it waits")
        assert strip.isVisible()
        assert not desk.panels.chat._waiting.isVisible()
        before = len(server.requests_for("implement_phase"))
        field = strip.findChildren(QLineEdit)[0]
        field.selectAll()
        QTest.keyClicks(field, "20")
        desk.press(strip, "Raise")
        await until(lambda: not strip.isVisible(), "it goes on")
        assert (await desk.engine.project(desk.project_id)).budget == 20.0
        await until(lambda: len(server.requests_for("implement_phase")) > before)

    play(scenario, budget=0.0001)


def test_questions_that_wait_are_found_again_as_they_were_left(
    play: Play, server: ModelServer, tmp_path: Path
) -> None:
    server.answer(json.dumps(QUESTIONS), operation="blueprint")

    def look(desk: Desk) -> tuple[str, str, list[str]]:
        view = desk.session.run.phase_view(str)
        return view.control, view.tone, [step.state for step in view.steps]

    async def scenario(desk: Desk) -> None:
        await desk.engine.generate(desk.project_id)
        await until(lambda: desk.session.run.waiting == "answers", "it asks")
        before = look(desk)
        assert before[:2] == ("stop", "warning")
        await desk.session.close()
        desk.session = ProjectSession(
            desk.engine, desk.project_id, desk.panels, tmp_path / "again", _agree, desk.owner
        )
        desk.session.start()
        await until(lambda: desk.session.loaded, "the snapshot")
        assert look(desk) == before
        desk.session.stop()
        await until(lambda: desk.session.run.state == "idle", "it stops")
        assert desk.session.run.phase_view(str).control == "continue"

    play(scenario)
