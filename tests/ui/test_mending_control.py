"""Findings, fixes and checks of an open project, from the real engine into real panels and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QPlainTextEdit

from tests.ui.mending_samples import ISSUES, issue
from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.store.issues import IssueStore
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.ui.chat.activity_card import ActivityCard
from vibedesk.ui.chat.outcome_cards import ErrorCard
from vibedesk.ui.dialogs.debugging import DebuggingDialog
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui

PATH = "src/components/WeekStrip.tsx"
APP = "http://127.0.0.1:5173"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    made.shutdown_blocking()


class Opened:
    """A session on panels of its own."""

    def __init__(self, engine: Engine, project_id: str, panels: ProjectPanels, root: Path) -> None:
        self.owner = QObject()
        self.engine = engine
        self.project_id = project_id
        self.panels = panels
        self.root = root
        self.errors: list[VibeDeskError] = []
        self.session = ProjectSession(
            engine, project_id, panels, root / "profiles", self._confirm, self.owner
        )
        self.session.failed.connect(self.errors.append)

    async def _confirm(self, title: str, text: str, action: str) -> bool:
        return True

    async def tell(self, *payloads: e.Payload) -> None:
        """Have the engine tell facts, as a run would."""
        await self.engine._call(self.engine._ours.bus.emit(self.project_id, *payloads))

    def rows(self) -> list[str]:
        """Return what the activities of the chat say."""
        return [card.text() for card in self.panels.chat.findChildren(ActivityCard)]

    def words(self) -> str:
        """Return what the empty list of problems says."""
        return self.panels.problems._none._text.text()

    def press(self, place: QObject, name: str) -> None:
        next(b for b in place.findChildren(QAbstractButton) if b.accessibleName() == name).click()


Scenario = Callable[[Opened], Awaitable[None]]


@pytest.fixture
def play(qapp: QApplication, engine: Engine, tmp_path: Path) -> Callable[[Scenario], None]:
    theme = Theme("dark")
    theme.apply(qapp)

    def start(scenario: Scenario) -> None:
        async def run() -> None:
            project_id = await engine.create("", ProjectOptions(sample="kanban-board"))
            await engine.create_file(project_id, PATH, "// one\n" * 20)
            opened = Opened(engine, project_id, ProjectPanels(theme), tmp_path)
            opened.session.start()
            await until(lambda: opened.session.loaded, "the snapshot")
            try:
                await scenario(opened)
            finally:
                await opened.session.close()

        run_on_qt(qapp, run())

    return start


def test_problems_stand_in_list_tab_tree_and_editor(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        panels = opened.panels
        await opened.tell(e.Diagnostics(ISSUES))
        await until(lambda: len(panels.problems.problems) == len(ISSUES), "the list")
        assert panels.dock._buttons["problems"].accessibleDescription() == "2 errors, 2 warnings"
        assert panels.files._marks[PATH].errors == 2
        panels.problems.open_problem("aa")
        await until(lambda: panels.editor.current_path == PATH, "the file opens")
        await until(lambda: panels.editor._editors[PATH].cursor()[0] == 16, "at its line")
        assert {line for line, _ in panels.editor.problem_lines(PATH)} == {16}
        await opened.tell(e.Diagnostics([]))
        await until(lambda: not panels.problems.problems, "nothing is left")
        assert panels.editor.problem_lines(PATH) == []
        assert panels.files._marks[PATH].errors == 0
        assert panels.dock._buttons["problems"].accessibleDescription() == ""

    play(scenario)


def test_nothing_is_called_clean_before_it_was_looked_at(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        await opened.tell(e.PhaseDesigned({"number": 1, "name": "Basics"}))
        await opened.tell(e.Diagnostics(ISSUES), e.Diagnostics([]))
        await until(lambda: opened.words() == "Nothing was looked at yet.", "no claim")
        await opened.tell(e.Reviewed(["lint", "server", "types"]))
        await until(lambda: opened.words().startswith("Types and lint are all clean."), "a claim")
        told = opened.words()
        await opened.session.close()
        again = Opened(opened.engine, opened.project_id, opened.panels, opened.root / "again")
        again.panels.problems.clear()
        again.session.start()
        await until(lambda: again.session.loaded, "the snapshot")
        assert again.words() == told
        await again.session.close()

    play(scenario)


def test_the_fix_step_counts_tries_and_fixes_are_told_as_they_are(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        await opened.tell(
            e.StateChange("fixing", "reviewing", "2 problems"),
            e.Diagnostics(ISSUES),
            *(
                e.FixApplied(f"src/{name}.ts", "Cannot find name 'x'", "deterministic", True)
                for name in "abc"
            ),
            e.FixApplied(PATH, "Property 'schedule' does not exist", "model", False),
            e.FixApplied(PATH, "The week begins on Monday", "debug", None),
        )
        await until(lambda: len(opened.rows()) == 3, "all fixes are told")
        steps = {step.key: step for step in opened.session.run.phase_view(str).steps}
        assert (steps["fix"].state, steps["fix"].extra) == ("fixing", "try 2 of 3")
        assert (steps["review"].state, steps["review"].extra) == ("failed", "1 problem")
        mended, tried, unseen = opened.rows()
        assert mended.startswith("Mended without a model, 3 files, checked")
        assert tried.startswith("Tried to fix, 1 file, did not help")
        assert unseen.startswith("Tried to fix, 1 file, could not be checked again")

    play(scenario)


def test_debugging_is_shown_as_it_comes(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        turn = e.DebugTurn("s1", 1, "model", "I look at the store.\nSHOW src/db.ts")
        await opened.tell(e.StateChange("fixing", "reviewing", "a problem"), turn)
        await until(lambda: len(opened.rows()) == 1)
        card = opened.panels.chat.findChildren(ActivityCard)[0]
        card._header._toggle()
        output = card.findChildren(QPlainTextEdit)[0]
        assert output.toPlainText().startswith("Turn 1, VibeDesk:\nI look at the store.")
        await opened.tell(e.DebugTurn("s1", 1, "facts", "export const version = 1;"))
        await until(lambda: "export const version" in output.toPlainText(), "it goes on")
        assert card.state == "running"
        await opened.tell(e.StateChange("reviewing", "fixing", "a fix is written"))
        await until(lambda: card.state == "done")

    play(scenario)


def test_checks_run_fail_and_are_corrected_before_ones_eyes(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        checks = opened.panels.checks
        await opened.tell(e.CheckStarted("A card moves"))
        await until(lambda: [c.state for c in checks.checks] == ["running"])
        await opened.tell(
            e.CheckFinished(
                "A card moves", False, 1, "Drag “One” to “Done”", "It is still there.", ""
            )
        )
        await until(lambda: [c.state for c in checks.checks] == ["failed"])
        assert checks.checks[0].result.error == "It is still there."
        assert opened.panels.dock._buttons["checks"].accessibleDescription() == "1 error"
        why = "The column is named “Finished”."
        await opened.tell(e.ChecksCorrected([{"name": "A card moves", "why": why}]))
        await until(lambda: any("Corrected the check A card moves" in row for row in opened.rows()))

    play(scenario)


def test_an_error_of_the_page_reaches_the_engine_and_comes_back_as_a_banner(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        panels, session = opened.panels, opened.session
        session._preview_url = f"{APP}/"
        banner = panels.preview.error_banner
        thrown = "Uncaught TypeError: Cannot read properties of undefined (reading 'next')"
        panels.preview.console.emit("error", thrown, f"{APP}/{PATH}?t=17", 16)
        await until(lambda: not banner.isHidden(), "the banner")
        await until(lambda: len(panels.problems.problems) == 1, "the problem")
        problem = panels.problems.problems[0]
        assert (problem.source, problem.file, problem.line) == ("runtime", PATH, 16)
        assert banner.message == problem.headline
        await until(lambda: banner._place.text() == "WeekStrip.tsx:16:1", "its place is named")
        opened.press(banner, "Show")
        await until(lambda: panels.editor.current_path == PATH, "the place is shown")
        assert panels.dock.current == "problems"
        opened.press(banner, "Fix it")
        await until(lambda: opened.errors, "nothing is built yet, which the engine says")
        opened.press(banner, "Dismiss")
        assert banner.isHidden()

    play(scenario)


def test_what_the_page_prints_after_checks_is_told_again(play: Callable[[Scenario], None]) -> None:
    """While they run nobody takes it in, so what was told then must not count as told."""

    async def scenario(opened: Opened) -> None:
        panels = opened.panels
        opened.session._preview_url = f"{APP}/"
        for times in (1, 2):
            panels.preview.console.emit("error", "Uncaught Error: x", f"{APP}/{PATH}", 1)
            await until(
                lambda n=times: [p.times_seen for p in panels.problems.problems] == [n], "told"
            )
            panels.checks.run_requested.emit([])
            await until(lambda n=times: len(opened.errors) == n, "there is nothing to check yet")

    play(scenario)


def test_fixing_by_itself_is_a_setting(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        banner = opened.panels.preview.error_banner
        await until(lambda: banner.automatic, "it is on unless set")
        banner._more.menu().actions()[0].trigger()
        stored: list[object] = []
        for _ in range(200):
            stored.append(await opened.engine.setting("fix.automatic", default=True))
            if stored[-1] is False:
                break
        assert stored[-1] is False
        await opened.engine.set_setting("fix.automatic", True)
        opened.session._preview_url = f"{APP}/"
        opened.panels.preview.console.emit("error", "Uncaught Error: x", f"{APP}/{PATH}", 1)
        await until(lambda: banner.automatic, "what was set elsewhere meanwhile is shown")

    play(scenario)


def test_what_was_debugged_and_corrected_before_is_there_again(
    play: Callable[[Scenario], None],
) -> None:
    """The project is opened after the program had ended: nothing is told, everything comes from what is stored."""

    async def scenario(opened: Opened) -> None:
        engine, project_id = opened.engine, opened.project_id
        wrong = issue("ff", "The list is empty", status="given_up")
        why = "The button is called Add."

        def remember() -> str:
            store, projects = IssueStore(project_id), ProjectStore()
            check = {"name": "Adds", "phase": 1, "steps": [{"do": "goto", "path": "/"}]}
            projects.update(project_id, blueprint={"title": "A", "acceptance_checks": [check]})
            store.note_correction("Adds", why)
            signature = Issue.from_dict(wrong).signature
            store.report([(signature, wrong)], {"types"}, 1)
            session = store.begin_debugging(signature)
            turns = [
                {"turn": 1, "role": "model", "text": "I look at the store."},
                {"turn": 1, "role": "facts", "text": "export const version = 1;"},
                {"turn": 2, "role": "model", "text": "It is never filled."},
            ]
            store.put_debugging(session, turns, "failed")
            told = {"strategy": "debug", "session": session, "outcome": "no mend", "paths": []}
            store.note_try(signature, {**told, "cost": 0.2, "tokens": 41_000})
            return signature

        signature = await engine._call(engine._ours.database.run(remember))
        await opened.session.close()
        again = Opened(engine, project_id, opened.panels, engine.home.root / "again")
        again.session.start()
        await until(lambda: again.session.loaded, "the snapshot")
        problems = again.panels.problems
        await until(lambda: problems.choose(signature), "the problem")
        assert [check.why for check in again.panels.checks.checks] == [why]
        assert f"Corrected: {why}" in again.panels.checks.detail.words()

        words = problems.view.words()
        assert "1. By debugging: found no cause · $0.20" in words
        assert "Cost of the tries: $0.20, 41 k tokens" in words
        window = problems.window()
        again.press(problems.view, "Show how it was debugged")
        await until(lambda: window.findChildren(DebuggingDialog), "the transcript")
        [dialog] = window.findChildren(DebuggingDialog)
        assert dialog.text() == (
            "Turn 1, VibeDesk:\nI look at the store.\n\n"
            "Turn 1, what it saw:\nexport const version = 1;\n\n"
            "Turn 2, VibeDesk:\nIt is never filled."
        )
        again.press(dialog, "Close")
        await until(lambda: not dialog.isVisible())

        await again.tell(
            e.StateChange("fixing", "reviewing", ""),
            e.Waiting("needs_person", None, "I could not."),
        )
        await until(lambda: again.panels.chat.findChildren(ErrorCard), "it asks")
        again.press(again.panels.chat, "Show how it was debugged")
        await until(lambda: [d for d in window.findChildren(DebuggingDialog) if d.isVisible()])
        [dialog] = [d for d in window.findChildren(DebuggingDialog) if d.isVisible()]
        again.press(dialog, "Close")
        await again.session.close()

    play(scenario)


def test_what_nobody_could_look_at_can_be_tried_again(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        chat = opened.panels.chat
        words = "The app could not be looked at in a browser: The browser did not start."
        await opened.tell(e.Waiting("needs_person", None, words))
        await until(lambda: chat.findChildren(ErrorCard), "it asks")
        card = chat.findChildren(ErrorCard)[0]
        opened.press(card, "Try again")
        # Nothing is built here, which the engine says.
        await until(lambda: opened.errors, "the engine's answer")
        assert [error.message for error in opened.errors] == ["There is nothing to look at yet."]

    play(scenario)


def test_what_could_not_be_mended_is_put_to_the_person(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        chat = opened.panels.chat
        words = "I could not mend this: Property 'schedule' does not exist on type 'Plant'."
        await opened.tell(
            e.StateChange("fixing", "reviewing", "2 problems"),
            e.Diagnostics(ISSUES),
            e.Waiting("needs_person", None, words),
        )
        await until(lambda: chat.findChildren(ErrorCard), "it asks")
        card = chat.findChildren(ErrorCard)[0]
        assert words in card.text()
        assert "First seen 00:07" in card.text()
        assert not opened.session.run.busy, "a fix can be asked for again"
        chosen: list[str] = []
        chat.action_requested.connect(chosen.append)
        opened.press(card, "Look at it together")
        assert chat.draft().startswith("Let us look at “Property 'schedule' does not exist")
        opened.press(card, "Go back to a good version")
        assert chosen == ["look", "history"]
        await opened.tell(e.Resumed("needs_person"))
        await until(lambda: not card._buttons.isVisibleTo(card), "it is decided")

    play(scenario)
