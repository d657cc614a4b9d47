"""Findings, fixes and checks of an open project, from the real engine into real panels and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QPlainTextEdit

from tests.support.model_server import serve_in_thread
from tests.support.tiny_app import TINY_TEMPLATE
from tests.ui.chat.test_with_engine import PLAN
from tests.ui.mending_samples import ISSUES, issue
from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent
from vibedesk.engine.engine import Engine
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.slots import SANDBOXES_SETTING
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.issues import IssueStore
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.ui.chat.activity_card import ActivityCard
from vibedesk.ui.chat.outcome_cards import CompleteCard, ContinueCard, ErrorCard
from vibedesk.ui.dialogs.debugging import DebuggingDialog
from vibedesk.ui.mending_control import security_outcome
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.times import when_words

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui

PATH = "src/components/WeekStrip.tsx"
APP = "http://127.0.0.1:5173"
FOUND = "What it found is in the list of problems."
SKIPPED = "What it found before you skipped."


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
        self.told: list[tuple[str, str, str]] = []
        self.session.mending.told.connect(lambda *words: self.told.append(words))

    async def _confirm(self, title: str, text: str, action: str) -> bool:
        return True

    async def tell(self, *payloads: e.Payload) -> None:
        """Have the engine tell facts, as a run would."""
        await self.engine._call(self.engine._ours.bus.emit(self.project_id, *payloads))

    def rows(self) -> list[str]:
        """Return what the activities of the chat say."""
        return [card.text() for card in self.panels.chat.findChildren(ActivityCard)]

    def cards(self) -> list[str]:
        """Return what the cards say that stand at the end of a run."""
        return [card.text() for card in self.panels.chat.findChildren(CompleteCard)]

    def words(self) -> str:
        """Return what the empty list of problems says."""
        return self.panels.problems._none._text.text()

    def button(self, place: QObject, name: str) -> QAbstractButton:
        found = (b for b in place.findChildren(QAbstractButton) if b.accessibleName() == name)
        return next(found)

    def press(self, place: QObject, name: str) -> None:
        self.button(place, name).click()

    async def hold_sandboxes(self) -> CodeGeneratorAgent:
        """Let what needs a sandbox wait in line: another project has the only place. Return the agent."""
        engine = self.engine
        await engine.set_setting(SANDBOXES_SETTING, 1)
        agent = await engine._call(engine._ours.agents.get(self.project_id))
        await engine._call(agent.runtime._terms.slots.acquire("another project"))
        return agent

    async def store(self, work: Callable[[Emit], object]) -> None:
        """Store and tell facts in one transaction, as a run would."""
        await self.engine._call(self.engine._ours.bus.commit(self.project_id, work))

    async def reopen(self) -> Opened:
        """Leave the project and open it again on the same panels."""
        await self.session.close()
        return await Opened(
            self.engine, self.project_id, self.panels, self.root / "again"
        ).started()

    async def started(self) -> Opened:
        self.session.start()
        await until(lambda: self.session.loaded, "the snapshot")
        return self


CHECK = {
    "name": "A card moves",
    "phase": 1,
    "steps": [
        {"do": "goto", "path": "/"},
        {"do": "drag", "from": {"text": "One"}, "to": {"text": "Done"}},
    ],
}


def plan(*checks: dict[str, object]) -> dict[str, object]:
    return {"title": "Board", "acceptance_checks": list(checks)}


def passed_at(opened: Opened, *, picture: str = "") -> Callable[[Emit], None]:
    """Return what stores a plan with a check, and that this check passed with the code as it is."""

    def work(emit: Emit) -> None:
        projects = ProjectStore()
        projects.update(opened.project_id, blueprint=plan(CHECK))
        emit(e.BlueprintReady(plan(CHECK)))
        IssueStore(opened.project_id).put_check(
            str(CHECK["name"]), passed=True, phase=1, seconds=0.5, picture=picture, data={},
            code_version=projects.get(opened.project_id).code_version,
        )  # fmt: skip

    return work


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


def test_the_card_at_the_end_claims_of_the_page_what_was_looked_at(
    play: Callable[[Scenario], None],
) -> None:
    """The look that a run ends with stands for the code it saw, here and for who opens the project later."""
    full = ["lint", "page", "runtime", "server", "types"]

    async def scenario(opened: Opened) -> None:
        def version() -> int:
            return ProjectStore().get(opened.project_id).code_version

        async def looked(sources: list[str]) -> None:
            await opened.store(lambda emit: emit(e.Reviewed(sources, version())))

        mending = opened.session.mending
        assert mending.outcome_rows() == []
        await opened.tell(e.GenerationComplete(1, 1))
        await until(lambda: opened.cards(), "the card")
        said = ["1 file, ", "Saved as a version, recorded, no cost"]
        assert opened.cards()[-1].split("\n")[1:] == said

        await looked(["server"])
        unseen = [("The page was not looked at in a browser", "", "warning")]
        await until(lambda: mending.outcome_rows() == unseen, "no browser")
        await looked(full)
        answers = [("The page answers", "", "done")]
        await until(lambda: mending.outcome_rows() == answers, "a browser")
        await opened.tell(e.GenerationComplete(1, 1))
        await until(lambda: len(opened.cards()) == 2, "the card")
        assert "The page answers, " in opened.cards()[-1].split("\n")

        broken = issue("zz", "The page is blank.", source="page", status="skipped")
        await opened.tell(e.Diagnostics([broken]))
        skipped = [("1 problem is skipped", "", "warning")]
        await until(lambda: mending.outcome_rows() == skipped, "a problem of the page")
        await opened.tell(e.Diagnostics([]))
        await until(lambda: mending.outcome_rows() == answers)
        later = await opened.reopen()
        assert later.session.mending.outcome_rows() == answers
        await later.session.close()

    play(scenario)


def test_a_page_that_was_seen_before_the_last_change_is_no_success(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        old = [("The page was seen before the last change", "", "warning")]
        version = (await opened.engine.project(opened.project_id)).version
        await opened.tell(e.Reviewed(["page", "server"], version))
        mending = opened.session.mending
        await until(lambda: mending.outcome_rows() == [("The page answers", "", "done")])
        await opened.engine.create_file(opened.project_id, "src/more.ts", "export {};\n")
        await until(lambda: mending.outcome_rows() == old, "the change")
        await opened.tell(e.Reviewed(["server"], version), e.Reviewed(["page", "server"], version))
        await until(lambda: mending.outcome_rows() == old, "changed while it was looked at")
        later = await opened.reopen()
        assert later.session.mending.outcome_rows() == old
        await later.session.close()

    play(scenario)


def test_checks_that_were_never_run_are_no_success(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        names = ("A card moves", "A card stays", "It is kept", "It is shared", "It is undone")
        checks = [{**CHECK, "name": name} for name in names]

        def plans(emit: Emit) -> None:
            ProjectStore().update(opened.project_id, blueprint=plan(*checks))
            emit(e.BlueprintReady(plan(*checks)))

        await opened.store(plans)
        mending = opened.session.mending
        await until(lambda: len(mending.checks) == len(names), "the plan's checks")
        assert mending.outcome_rows() == [("5 checks were not run", "", "warning")]
        for name in names[:2]:
            await opened.tell(e.CheckFinished(name, True, None, "", "", ""))
        some = [("2 of 5 checks pass", "", "warning"), ("3 checks were not run", "", "warning")]
        await until(lambda: mending.outcome_rows() == some, "two of them")
        for name in names[2:4]:
            await opened.tell(e.CheckFinished(name, True, None, "", "", ""))
        most = [("4 of 5 checks pass", "", "warning"), ("1 check was not run", "", "warning")]
        await until(lambda: mending.outcome_rows() == most, "all but one")
        await opened.tell(e.CheckFinished(names[4], True, None, "", "", ""))
        await until(lambda: mending.outcome_rows() == [("5 of 5 checks pass", "", "done")])

    play(scenario)


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
        long_ago = datetime(2026, 3, 4, 10, 44).astimezone()
        again.session.mending.show(e.Reviewed(["types"]), long_ago)
        assert again.words().endswith(f"Last checked {when_words(long_ago)}.")
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


def test_the_checks_of_a_new_plan_are_there_with_their_steps(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        checks = opened.panels.checks
        edited = {**CHECK, "steps": [*CHECK["steps"], {"do": "reload"}]}  # type: ignore[misc]

        def plans(*wanted: dict[str, object]) -> Callable[[Emit], None]:
            def work(emit: Emit) -> None:
                ProjectStore().update(opened.project_id, blueprint=plan(*wanted))
                emit(e.BlueprintReady(plan(*wanted)))

            return work

        await opened.store(plans(CHECK))
        await until(lambda: checks.checks, "the plan's check")
        assert opened.button(checks.tools, "Run checks").isVisibleTo(checks.tools)
        shown = checks.checks[0].result
        assert (shown.name, shown.phase) == ("A card moves", 1)
        assert shown.sentences == ("Open the app", "Drag “One” to “Done”")
        await opened.store(plans(edited))
        await until(lambda: len(checks.checks[0].result.sentences) == 3, "the person's edit")
        words = "It is still there."
        told = e.CheckFinished("A card moves", False, 1, "Drag “One” to “Done”", words, "")
        await opened.tell(e.CheckStarted("A card moves"), told)
        await until(lambda: checks.checks[0].state == "failed")
        assert checks.detail.words().split("\n") == [
            "A card moves", "Open the app", "Drag “One” to “Done”", words, "Reload the page",
        ]  # fmt: skip

    play(scenario)


def test_what_checks_showed_before_the_last_change_is_no_success(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        await opened.store(passed_at(opened))
        again = await opened.reopen()
        checks, mending = again.panels.checks, again.session.mending
        assert [check.state for check in checks.checks] == ["passed"]
        assert mending.outcome_rows() == [("1 of 1 checks pass", "", "done")]

        await again.engine.create_file(again.project_id, "src/more.ts", "export {};\n")
        await until(lambda: [c.state for c in checks.checks] == ["outdated"], "the change")
        old = ("1 check ran before the last change", "", "warning")
        assert mending.outcome_rows() == [old]
        later = await again.reopen()
        assert [check.state for check in checks.checks] == ["outdated"]
        assert later.session.mending.outcome_rows() == [old]

        done = e.CheckFinished("A card moves", True, None, "", "", "")
        await later.tell(e.CheckStarted("A card moves"), done)
        await until(lambda: [c.state for c in checks.checks] == ["passed"], "it is run again")
        await later.tell(e.CheckStarted("A card moves"), replace(done, outdated=True))
        await until(lambda: [c.state for c in checks.checks] == ["outdated"], "typed meanwhile")
        for change in (
            e.FileRenamed("src/more.ts", "src/other.ts", 9, "user"),
            e.FileDeleted("src/other.ts", 10, "restore"),
        ):
            await later.tell(done)
            await until(lambda: [c.state for c in checks.checks] == ["passed"])
            await later.tell(change)
            await until(lambda: [c.state for c in checks.checks] == ["outdated"], change.type)
        await later.session.close()

    play(scenario)


def test_a_picture_that_could_not_be_fetched_is_asked_for_again(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        # Its blob is gone, or the disk does not answer.
        await opened.store(passed_at(opened, picture="0" * 64))
        again = await opened.reopen()
        await until(lambda: len(again.errors) == 1, "it cannot be fetched")
        await again.tell(e.CheckStarted("Another"))
        await until(lambda: len(again.panels.checks.checks) == 2)
        for name in ("Another", "A card moves"):
            again.panels.checks.list.choose(name)
        await until(lambda: len(again.errors) == 2, "it is asked for again")
        await again.session.close()

    play(scenario)


def test_from_the_click_to_its_end_a_look_is_under_way_and_no_other_begins(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        await opened.store(passed_at(opened))
        checks, problems = opened.panels.checks, opened.panels.problems
        await until(lambda: checks.checks, "the plan's check")
        await opened.tell(e.Diagnostics(ISSUES))
        await until(lambda: problems.problems)
        ran: list[list[str]] = []
        checks.run_requested.connect(ran.append)

        run = opened.button(checks.tools, "Run checks")
        for _ in range(3):
            run.click()
        assert ran == [[]]
        assert run.accessibleName() == "Running"
        assert opened.button(checks.tools, "Stop").isVisibleTo(checks.tools)
        asking = [
            opened.button(place, name)
            for place, name in (
                (problems.view, "Fix"),
                (problems.tools, "Fix all"),
                (problems.tools, "Review now"),
                (problems.tools, "Security review"),
                (checks.detail, "Run this one"),
            )
        ]
        assert not any(button.isEnabled() for button in asking)
        # Nothing is built here, which the engine says.
        await until(lambda: opened.errors, "the engine's answer")
        await until(lambda: all(button.isEnabled() for button in asking), "it is over")
        assert run.accessibleName() == "Run checks"
        assert not opened.button(checks.tools, "Stop").isVisibleTo(checks.tools)
        assert len(opened.errors) == 1

    play(scenario)


def test_a_security_review_goes_on_visibly_and_says_what_came_of_it(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(opened: Opened) -> None:
        engine = opened.engine
        await opened.session.close()
        # Its packages are from nowhere that could be asked for holes, which is a finding.
        tiny = await engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)))
        at = await Opened(engine, tiny, opened.panels, opened.root / "tiny").started()
        problems = at.panels.problems
        review = at.button(problems.tools, "Security review")
        review.click()
        review.click()
        assert review.accessibleName() == "Reviewing security"
        assert not at.button(problems.tools, "Review now").isEnabled()
        await until(lambda: at.told and problems.problems, "the outcome")
        assert at.told == [("warning", "The security review found 1 problem.", FOUND)]
        assert [p.source for p in problems.problems] == ["security"]
        assert review.accessibleName() == "Security review"
        assert at.button(problems.tools, "Review now").isEnabled()

        await engine.skip_issues(tiny)
        review.click()
        await until(lambda: len(at.told) == 2, "the outcome of the second")
        assert at.told[1] == ("success", "The security review found nothing new.", SKIPPED)
        assert at.errors == []
        await at.session.close()

    with serve_in_thread() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        play(scenario)


def test_a_security_review_that_did_not_come_to_its_end_says_so(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        agent = await opened.hold_sandboxes()
        review = opened.button(opened.panels.problems.tools, "Security review")
        review.click()
        await until(lambda: agent.looking, "it is begun")
        await opened.engine.stop_checks(opened.project_id)
        await until(lambda: opened.errors, "the engine's answer")
        assert opened.errors[0].message == "It was stopped before its end."
        assert opened.told == []
        assert review.accessibleName() == "Security review"

    play(scenario)


def test_leaving_ends_a_look_and_keeps_what_was_edited_in_the_plan(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        engine, page = opened.engine, opened.panels.chat.blueprint_page

        def built(emit: Emit) -> None:
            machine = agent._machine
            machine.memory.phase = 1
            ProjectStore().update(opened.project_id, blueprint=PLAN)
            emit(e.BlueprintReady(PLAN))

        agent = await opened.hold_sandboxes()
        await opened.store(built)
        await opened.tell(e.StateChange("complete", "finalizing", ""))
        await opened.tell(e.PhaseDesigned({"number": 1, "name": "Basics"}))
        await until(lambda: page.state == "approved", "a plan that is built")
        page.restore({"acceptance_checks": []})
        assert page.changes() == {"acceptance_checks": []}
        opened.press(opened.panels.problems.tools, "Security review")
        await until(lambda: agent.looking, "it is begun")
        look = agent._looking
        await opened.session.close()
        assert look is not None
        assert look.cancelled()
        stored = (await engine.project(opened.project_id)).blueprint
        assert stored is not None
        assert stored["acceptance_checks"] == []

    play(scenario)


@pytest.mark.parametrize(
    ("findings", "outcome"),
    [
        ([], ("success", "The security review found nothing.", "")),
        (ISSUES[:2], ("warning", "The security review found 2 problems.", FOUND)),
        (ISSUES[-1:], ("success", "The security review found nothing new.", SKIPPED)),
    ],
)
def test_the_outcome_of_a_security_review_is_a_sentence(
    findings: list[dict[str, object]], outcome: tuple[str, str, str]
) -> None:
    assert security_outcome(findings) == outcome


def test_only_a_run_that_mends_is_called_a_fix(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        panels, session = opened.panels, opened.session
        session._preview_url = f"{APP}/"
        banner = panels.preview.error_banner
        panels.preview.console.emit("error", "Uncaught Error: x", f"{APP}/{PATH}", 1)
        await until(lambda: panels.problems.problems and not banner.isHidden(), "the banner")

        def said() -> tuple[str, bool]:
            row = panels.problems.model.index(1, 0).data(panels.problems.model.STATUS)
            return row, "Fixing it now" in banner._busy.text()

        await opened.tell(e.StateChange("planning_phase", "complete", "a wish"))
        await until(lambda: said() == ("Waits for the review", False), "another feature is built")
        await opened.tell(e.StateChange("reviewing", "implementing_phase", "the files are there"))
        await opened.tell(e.StateChange("fixing", "reviewing", "1 problem"))
        await until(lambda: said() == ("Fixing", True), "it is mended")
        await opened.tell(e.StateChange("reviewing", "fixing", "a fix is written"))
        await opened.tell(e.StateChange("complete", "finalizing", ""))
        await until(lambda: said()[0] == "", "nothing is under way")
        assert opened.button(banner, "Fix it").isVisibleTo(banner)

    play(scenario)


def test_a_review_that_was_cut_off_with_the_program_can_be_asked_for(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        def cut_off(emit: Emit) -> None:
            ProjectStore().update(opened.project_id, state=AgentState.REVIEWING)
            emit(e.StateChange("reviewing", "starting_server", ""))

        review = opened.panels.problems._review
        await opened.store(cut_off)
        await until(lambda: review.busy, "it is under way")
        again = await opened.reopen()
        assert again.session.run.state == "reviewing"
        assert not review.busy
        review.click()
        await until(lambda: again.errors, "the engine is asked, which has nothing to look at")
        await again.session.close()

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


def test_each_error_that_is_met_has_its_banner(play: Callable[[Scenario], None]) -> None:
    async def scenario(opened: Opened) -> None:
        panels = opened.panels
        opened.session._preview_url = f"{APP}/"
        banner = panels.preview.error_banner

        async def meets(word: str, line: int) -> None:
            known = len(panels.problems.problems)
            panels.preview.console.emit("error", f"Uncaught Error: {word}", f"{APP}/{PATH}", line)
            await until(lambda: len(panels.problems.problems) == known + 1, "the problem")
            assert (banner.isHidden(), banner.message) == (False, f"Error: {word}")
            assert banner._place.text() == f"WeekStrip.tsx:{line}:1"

        await meets("one", 1)
        await meets("two", 2)
        opened.press(banner, "Dismiss")
        await meets("three", 3)
        opened.press(banner, "Dismiss")
        await opened.tell(e.Diagnostics([]))
        await until(lambda: not panels.problems.problems, "it is mended")
        await opened.tell(e.RuntimeErrorSeen("Error: three", "", ""))
        await until(lambda: not banner.isHidden(), "it is met again")
        await opened.tell(e.Diagnostics([]))

    play(scenario)


def test_while_the_next_phase_is_written_an_error_of_the_last_good_one_is_shown(
    play: Callable[[Scenario], None],
) -> None:
    """Before a phase is built, and while files change under the page, what it prints is not taken in."""

    async def scenario(opened: Opened) -> None:
        panels, session = opened.panels, opened.session
        session._preview_url = f"{APP}/"
        banner = panels.preview.error_banner

        async def prints(message: str, state: str, previous: str) -> None:
            await opened.tell(e.StateChange(state, previous, ""))
            await until(lambda: session.run.state == state, state)
            panels.preview.console.emit("error", f"Uncaught Error: {message}", f"{APP}/{PATH}", 1)

        await prints("early", "implementing_phase", "blueprinting")
        await opened.tell(e.PhaseComplete(1))
        await until(lambda: session.run.built, "a phase is built")
        await prints("while it is planned", "planning_phase", "finalizing")
        await until(lambda: "while it is planned" in banner.message, "the banner")
        assert not banner.isHidden()
        await until(lambda: len(panels.problems.problems) == 1, "it is stored")
        assert "Waits for the review" in banner._busy.text()
        await prints("while it is written", "implementing_phase", "planning_phase")
        await until(lambda: "while it is written" in banner.message, "the next one")
        await prints("while it is looked at", "reviewing", "implementing_phase")
        await prints("at rest", "idle", "reviewing")
        await until(lambda: len(panels.problems.problems) == 3, "the last one")
        assert opened.button(banner, "Fix it").isVisibleTo(banner)
        met = {problem.headline for problem in panels.problems.problems}
        told = ("while it is planned", "while it is written", "at rest")
        assert met == {f"Error: {words}" for words in told}

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
        assert "First seen 5 Mar 2025, 00:07" in card.text()
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


def test_a_decision_that_waits_is_found_again_as_it_was_left(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(opened: Opened) -> None:
        words = "I could not mend this."
        waits = e.Waiting("needs_person", None, words)

        def work(emit: Emit) -> None:
            stored = {**waits.to_data(), "held": ""}
            ProjectStore().update(opened.project_id, state=AgentState.FIXING, waiting=stored)
            emit(e.StateChange("fixing", "reviewing", ""))
            emit(waits)

        await opened.store(work)
        await until(lambda: opened.session.run.waiting == "needs_person", "it asks")
        before = opened.session.run.phase_view(str)
        assert (before.control, before.tone) == ("stop", "warning")
        again = await opened.reopen()
        assert again.session.run.phase_view(str) == before
        assert [
            card.text()
            for card in again.panels.chat.findChildren(ErrorCard)
            if words in card.text()
        ]
        assert not again.panels.chat.findChildren(ContinueCard)
        await again.session.close()

    play(scenario)
