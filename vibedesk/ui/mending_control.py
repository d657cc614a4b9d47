"""What is wrong with the open project's app: the engine's findings in the panels, and what the person does about them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtGui import QImage

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.views import CheckResultView, ProjectView
from vibedesk.ui.checks.check import Check
from vibedesk.ui.debug_transcript import DebugTranscript
from vibedesk.ui.dialogs.debugging import show_debugging
from vibedesk.ui.editor.line_problems import LineProblem
from vibedesk.ui.page_errors import PageError, PageErrors
from vibedesk.ui.problems.problem import (
    MOST_TRIES,
    Problem,
    clean_words,
    cost_words,
    problem_of,
    seen_words,
    tally,
    try_words,
)
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.run_view import RunView
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.widgets.times import moment_words
from vibedesk.ui.work import Work

AUTOMATIC_FIX = "fix.automatic"
LOOK, AGAIN, SKIP = "look", "again", "skip"
HISTORY = "history"
"""Keys of what can be chosen where nothing helped; the last is the window's."""
DEBUGGING = "debugging:"
"""With a session after it: the key that shows its transcript."""
_WITHOUT_MODEL = "deterministic"
_OF_THE_PAGE = frozenset({"server", "page", "runtime"})
"""Sources of problems that a page has."""

Payload = (
    e.Diagnostics
    | e.Reviewed
    | e.FixApplied
    | e.CheckStarted
    | e.CheckFinished
    | e.ChecksCorrected
    | e.RuntimeErrorSeen
    | e.DebugTurn
)
PAYLOADS = (
    e.Diagnostics,
    e.Reviewed,
    e.FixApplied,
    e.CheckStarted,
    e.CheckFinished,
    e.ChecksCorrected,
    e.RuntimeErrorSeen,
    e.DebugTurn,
)


class MendingControl(QObject):
    """Turns findings, fixes and checks of one project into what panels show, and clicks into commands.

    Args:
        engine: Where the project lives.
        project_id: Which.
        panels: Where it is shown.
        tasks: Where commands run; what is refused is told there.
        run: What is known of the run; the tries at a problem are written into it.
        own_origin: Where the app runs.
        parent: Ends it.
    """

    changed = Signal()
    """The problems or the tries at them did."""
    place_wanted = Signal(str, int, int)
    """Show a path at a line and column, counted from 1; 0 where not known."""
    told = Signal(str, str, str)
    """What came of something that was asked for: success or warning, a sentence, and more of it."""

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        panels: ProjectPanels,
        tasks: WidgetTasks,
        run: RunView,
        own_origin: Callable[[], str],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._project_id = project_id
        self._panels = panels
        self._tasks = tasks
        self._run = run
        self.problems: tuple[Problem, ...] = ()
        self.checks: dict[str, Check] = {}
        self._reviewed: tuple[str, tuple[str, ...]] = ("", ())
        self._version = 0
        self._outdated = False
        self._look: Work = "rest"
        self._looking: asyncio.Task[None] | None = None
        self._stopped_checks = False
        self._fixes: dict[str, list[str]] = {}
        self._round = 0
        self._met = ""
        self._times = 0
        self._named = False
        self._debugging = DebugTranscript(self._tell_debugging)
        self.page_errors = PageErrors(own_origin, lambda: self._run.changes_page, self)
        self._connections: list[tuple[Any, Callable[..., Any]]] = []
        self._connect()

    def _connect(self) -> None:
        problems, checks = self._panels.problems, self._panels.checks
        banner, chat = self._panels.preview.error_banner, self._panels.chat
        wires: tuple[tuple[Any, Callable[..., Any]], ...] = (
            (problems.opened, self._on_place),
            (problems.fix_requested, self._on_fix),
            (problems.skip_requested, self._on_skip),
            (problems.review_requested, self._on_review),
            (problems.security_requested, self._on_security),
            (problems.transcript_requested, self._on_transcript),
            (checks.run_requested, self._on_run_checks),
            (checks.stop_requested, self._on_stop_checks),
            (checks.picture_wanted, self._on_picture_wanted),
            (checks.picture_opened, chat.show_picture),
            (banner.fix_requested, self._on_fix_met),
            (banner.show_requested, self._on_show_met),
            (banner.dismissed, self._on_dismissed),
            (banner.automatic_changed, self._on_automatic),
            (chat.action_requested, self._on_choice),
            (self._panels.preview.console, self.page_errors.on_console),
            (self.page_errors.seen, self._on_page_error),
        )
        for signal, slot in wires:
            signal.connect(slot)
            self._connections.append((signal, slot))

    def close(self) -> None:
        """Show and hear nothing any more; a look at the app ends."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections.clear()
        if self._looking is not None:
            self._looking.cancel()

    # -- what happened ----------------------------------------------------------------------------------
    def show_project(self, project: ProjectView) -> None:
        """Show what a new subscriber gets first."""
        self._reviewed = (project.reviewed_at, project.reviewed)
        self._version, self._outdated = project.version, project.reviewed_outdated
        self._show_problems([problem_of(issue) for issue in project.issues])
        self.checks = {view.name: Check(view) for view in project.checks}
        self._show_checks()
        self.follow_run()
        self._tasks.start(self._load_automatic(), name="automatic fixes")

    def show(self, payload: Payload, at: datetime) -> None:
        """Show one event."""
        match payload:
            case e.Diagnostics(issues):
                self._show_problems([problem_of(issue) for issue in issues])
            case e.Reviewed(sources, version):
                self._reviewed = (at.isoformat(), tuple(sources))
                self._outdated = version != self._version
                self._panels.problems.set_checked(self._clean_words())
            case e.FixApplied(path, issue, strategy, verified):
                self._on_fix_applied(path, issue, strategy, at, verified=verified)
            case e.CheckStarted(name):
                self._change_check(name, running=True)
            case e.CheckFinished():
                self._on_check_finished(payload, at)
            case e.ChecksCorrected(checks):
                self._on_corrected(checks, at)
            case e.RuntimeErrorSeen(message, stack, _):
                self._on_error_met(message, stack)
            case e.DebugTurn(session, turn, role, text):
                if self._debugging.add(session, turn, role, text):
                    self._tasks.start(self._load_transcript(session))

    def follow_run(self) -> None:
        """The run's state changed: what can be asked for did, too."""
        if self._run.state == "fixing" and self._run.waiting != "needs_person":
            self._round += 1
        else:
            self._debugging.end(failed=self._run.waiting == "needs_person")
        if self.work == "rest":
            self._end_checks()
        if self.work == "rest" or self._run.changes_page:
            self.page_errors.forget()
        reviewing = self._run.busy and self._run.state == "reviewing"
        self._panels.problems.set_reviewing(reviewing=reviewing)
        self._show_work()
        if not self._run.busy:
            self._settle_banner()

    @property
    def work(self) -> Work:
        """What is under way: the run, else the look that was asked for, from that to its end."""
        if self._run.busy:
            return "fixing" if self._run.fixing else "building"
        return self._look

    def ask_person(self, message: str) -> None:
        """Nothing helped: say so, with what is remembered, and what can be chosen."""
        tried = [p for p in self.problems if p.status == "given_up"]
        stuck = tried or [p for p in self.problems if p.level == "error"]
        details: dict[str, Any] = {}
        if stuck:
            first = stuck[0]
            sessions = [tried.session for tried in first.tries if tried.session]
            words = self.tr("Show how it was debugged")
            details = {
                "seen": seen_words(first),
                "tried": "\n".join(map(try_words, first.tries)),
                "cost": cost_words(*stuck),
                "links": [(f"{DEBUGGING}{session}", words) for session in sessions[-1:]],
                "log": first.stack,
            }
        self._panels.chat.ask_decision(
            message,
            self.tr("Everything that works is saved."),
            [
                # What was tried to the end is not tried again; what nobody could look at may be.
                *([] if tried else [(AGAIN, self.tr("Try again"))]),
                (LOOK, self.tr("Look at it together")),
                (HISTORY, self.tr("Go back to a good version")),
                (SKIP, self.tr("Skip it")),
            ],
            details,
        )

    def outcome_rows(self) -> list[tuple[str, str, str]]:
        """Return what the card at the end says of page, checks and problems: (text, extra, done or warning)."""
        rows = self._page_rows()
        states = [check.state for check in self.checks.values()]
        passed, outdated = states.count("passed"), states.count("outdated")
        if passed or "failed" in states:
            words = self.tr("{0} of {1} checks pass").format(passed, len(states))
            rows.append((words, "", "done" if passed == len(states) else "warning"))
        errors, warnings = tally(self.problems)
        skipped = sum(problem.status == "skipped" for problem in self.problems)
        for count, one, many in (
            (
                states.count("unknown"),
                self.tr("1 check was not run"),
                self.tr("{0} checks were not run"),
            ),
            (
                outdated,
                self.tr("1 check ran before the last change"),
                self.tr("{0} checks ran before the last change"),
            ),
            (errors, self.tr("1 problem is left"), self.tr("{0} problems are left")),
            (warnings, self.tr("1 warning is left"), self.tr("{0} warnings are left")),
            (skipped, self.tr("1 problem is skipped"), self.tr("{0} problems are skipped")),
        ):
            if count:
                rows.append((one if count == 1 else many.format(count), "", "warning"))
        return rows

    def _page_rows(self) -> list[tuple[str, str, str]]:
        """Return what the last look at the app says of its page; nothing where a problem says it, or nobody looked."""
        at, sources = self._reviewed
        broken = any(p.level == "error" and p.source in _OF_THE_PAGE for p in self.problems)
        if not at or broken:
            return []
        if "page" not in sources:
            return [(self.tr("The page was not looked at in a browser"), "", "warning")]
        if self._outdated:
            return [(self.tr("The page was seen before the last change"), "", "warning")]
        return [(self.tr("The page answers"), "", "done")]

    def load_checks(self) -> None:
        """The plan changed: what its checks are only the engine knows whole."""
        self._tasks.start(self._load_checks())

    def code_changed(self, version: int) -> None:
        """What checks and the last look at the app showed is of the code before."""
        self._version, self._outdated = version, True
        seen = [
            c for c in self.checks.values() if c.result.passed is not None and not c.result.outdated
        ]
        for check in seen:
            result = dataclasses.replace(check.result, outdated=True)
            self.checks[check.name] = dataclasses.replace(check, result=result)
        if seen:
            self._show_checks()

    # -- pieces -------------------------------------------------------------------------------------------
    def _show_work(self) -> None:
        work = self.work
        self._panels.problems.set_work(work)
        self._panels.checks.set_work(work)
        self._panels.preview.error_banner.set_work(work)

    def _show_problems(self, problems: Sequence[Problem]) -> None:
        before = {problem.file for problem in self.problems if problem.file}
        self.problems = tuple(problems)
        errors, warnings = tally(problems)
        panels = self._panels
        panels.problems.set_problems(problems)
        panels.problems.set_checked(self._clean_words())
        panels.dock.set_counts("problems", errors, warnings)
        shown = [problem for problem in problems if problem.status != "skipped"]
        by_file: dict[str, list[Problem]] = {}
        for problem in shown:
            if problem.file:
                by_file.setdefault(problem.file, []).append(problem)
        for path in before | set(by_file):
            panels.files.set_problems(path, *tally(by_file.get(path, ())))
        panels.editor.set_problems(
            {
                path: [LineProblem(p.line, p.column, p.level, p.message) for p in members if p.line]
                for path, members in by_file.items()
            }
        )
        blocking = [p for p in shown if p.level == "error" and p.status == "open"]
        self._run.errors = len(blocking)
        self._run.fix_try = 1 + max((p.model_tries for p in blocking), default=0)
        self._run.fix_tries = MOST_TRIES
        self._settle_banner()
        self.changed.emit()

    def _clean_words(self) -> str:
        at, sources = self._reviewed
        if at:
            words = self.tr("{0} Last checked {1}.")
            return words.format(clean_words(sources), moment_words(at))
        if self._run.phase_number == 0:
            return self.tr("Nothing is built yet.")
        return self.tr("Nothing was looked at yet.")

    def _on_fix_applied(
        self, path: str, issue: str, strategy: str, at: datetime, *, verified: bool | None
    ) -> None:
        key = f"fix {self._round} {strategy}"
        paths = self._fixes.setdefault(key, [])
        if path not in paths:
            paths.append(path)
        count = self.tr("1 file") if len(paths) == 1 else self.tr("{0} files").format(len(paths))
        first = issue.strip().split("\n", 1)[0]
        if strategy == _WITHOUT_MODEL:
            kind, words = "mend", count
        else:
            kind, words = "fix", f"{first} · {count}" if first else count
        looked = {
            True: self.tr("{0}, checked").format(words),
            False: self.tr("{0}, did not help").format(count),
            None: self.tr("{0}, could not be checked again").format(count),
        }
        words = looked[verified]
        detail = "\n".join(part for part in (first, *paths) if part)
        self._panels.chat.activity(
            kind, words, None, "done" if verified else "stopped", key=key, detail=detail, at=at
        )
        self.page_errors.forget()

    def _change_check(self, name: str, **changes: Any) -> None:
        known = self.checks.get(name) or Check(CheckResultView(name, (), None))
        self.checks[name] = dataclasses.replace(known, **changes)
        self._show_checks()

    def _on_check_finished(self, told: e.CheckFinished, at: datetime) -> None:
        known = self.checks.get(told.name) or Check(CheckResultView(told.name, (), None))
        result = dataclasses.replace(
            known.result,
            passed=told.passed,
            step=told.step,
            sentence=told.sentence,
            error=told.error,
            picture=told.picture,
            at=at.isoformat(),
            outdated=told.outdated,
        )
        self._change_check(told.name, result=result, running=False)

    def _on_corrected(self, checks: Sequence[dict[str, Any]], at: datetime) -> None:
        for told in checks:
            name, why = str(told.get("name", "")), str(told.get("why", ""))
            if name and why:
                known = self.checks.get(name) or Check(CheckResultView(name, (), None))
                self._change_check(name, result=dataclasses.replace(known.result, why=why))
            words = f"{name}: {why}" if why else name
            verb = self.tr("Corrected the check {0}") if why else self.tr("Added the check {0}")
            key = f"corrected {name} {self._round}"
            self._panels.chat.activity(
                "notice", verb.format(words), None, "done", key=key, detail=words, at=at
            )

    async def _load_checks(self) -> None:
        views = (await self._engine.project(self._project_id)).checks
        known = self.checks
        self.checks = {
            view.name: dataclasses.replace(known.get(view.name, Check(view)), result=view)
            for view in views
        }
        self._show_checks()

    def _show_checks(self) -> None:
        checks = list(self.checks.values())
        self._panels.checks.set_checks(checks)
        failed = sum(check.state == "failed" for check in checks)
        self._panels.dock.set_counts("checks", failed, 0)
        self._panels.problems.set_checked(self._clean_words())

    def _on_error_met(self, message: str, stack: str) -> None:
        if message != self._met:
            self._met, self._times, self._named = message, 0, False
        self._times += 1
        first = message.strip().split("\n", 1)[0]
        banner = self._panels.preview.error_banner
        banner.show_error(first, "", stack or message, self._times)
        self._tasks.start(self._load_automatic(), name="automatic fixes")
        self._settle_banner()
        self._panels.chat.announce(first)

    def _met_problem(self) -> Problem | None:
        """Return the problem that the error of the banner is, once it is known as one."""
        same = [p for p in self.problems if p.source == "runtime" and p.message == self._met]
        return same[0] if same else None

    def _settle_banner(self) -> None:
        """Name the place of the error that was met, and take the banner away once that is mended."""
        banner = self._panels.preview.error_banner
        if banner.isHidden() or not self._met:
            return
        problem = self._met_problem()
        if problem is not None:
            banner.set_place(problem.short_place)
            self._named = True
        elif self._named:
            self._named, self._met = False, ""
            banner.hide()

    def _tell_debugging(self, session: str, words: str, detail: str, state: Any) -> None:
        key = f"debug {session}"
        self._panels.chat.activity("debug", words, None, state, key=key, detail=detail)

    async def _load_transcript(self, session: str) -> None:
        turns = await self._engine.debug_transcript(self._project_id, session)
        self._debugging.fill(session, turns)

    async def _load_automatic(self) -> None:
        automatic = bool(await self._engine.setting(AUTOMATIC_FIX, default=True))
        self._panels.preview.error_banner.set_automatic(automatic=automatic)

    # -- what the person does ----------------------------------------------------------------------------
    def _on_place(self, path: str, line: int, column: int) -> None:
        self.place_wanted.emit(path, line, column)

    def _on_fix(self, signatures: list[str]) -> None:
        self._tasks.start(self._engine.fix(self._project_id, signatures))

    def _on_skip(self, signatures: list[str]) -> None:
        self._tasks.start(self._engine.skip_issues(self._project_id, signatures))

    def _on_review(self) -> None:
        self._tasks.start(self._engine.review(self._project_id))

    def _on_security(self) -> None:
        self._begin_look("security", self._review_security)

    async def _review_security(self) -> None:
        self.told.emit(*security_outcome(await self._engine.security_review(self._project_id)))

    def _begin_look(self, look: Work, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a look at the app, unless something is under way; until its end nothing else can be asked for."""
        if self.work == "rest":
            self._look = look
            self._show_work()
            self._looking = self._tasks.start(self._look_to_the_end(work))

    async def _look_to_the_end(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        finally:
            self._look = "rest"
            # A check that was stopped tells no outcome.
            self._end_checks()
            # What the page printed meanwhile was not taken in; what it still prints now is news.
            self.page_errors.forget()
            self._show_work()

    def _on_transcript(self, session: str) -> None:
        self._tasks.start(self._show_transcript(session), name="transcript")

    async def _show_transcript(self, session: str) -> None:
        turns = await self._engine.debug_transcript(self._project_id, session)
        of = [p for p in self.problems if any(t.session == session for t in p.tries)]
        window = self._panels.problems.window()
        problem = of[0].headline if of else ""
        await show_debugging(self._panels.theme, window, problem=problem, turns=turns)

    def _on_run_checks(self, names: list[str]) -> None:
        self._begin_look("checks", lambda: self._run_checks(names))

    async def _run_checks(self, names: list[str]) -> None:
        self._stopped_checks = False
        try:
            await self._engine.run_checks(self._project_id, names or None)
        except VibeDeskError:
            if not self._stopped_checks:
                raise

    def _on_stop_checks(self) -> None:
        self._stopped_checks = True
        self._tasks.start(self._engine.stop_checks(self._project_id))

    def _end_checks(self) -> None:
        for name, check in list(self.checks.items()):
            if check.running:
                self._change_check(name, running=False)

    def _on_picture_wanted(self, picture: str) -> None:
        self._tasks.start(self._load_picture(picture))

    async def _load_picture(self, picture: str) -> None:
        try:
            data = await self._engine.check_picture(self._project_id, picture)
        except VibeDeskError:
            self._panels.checks.forget_picture(picture)
            raise
        self._panels.checks.set_picture(picture, QImage.fromData(data))

    def _on_page_error(self, error: PageError) -> None:
        self._tasks.start(
            self._engine.report_runtime_error(
                self._project_id, error.message, error.stack, error.source
            )
        )

    def _on_fix_met(self) -> None:
        problem = self._met_problem()
        self._on_fix([problem.signature] if problem is not None else [])

    def _on_dismissed(self) -> None:
        self._named = False
        self._panels.preview.error_banner.hide()

    def _on_show_met(self) -> None:
        problem = self._met_problem()
        self._panels.dock.show_page("problems")
        if problem is not None:
            self._panels.problems.choose(problem.signature)
            self._panels.problems.open_problem(problem.signature)

    def _on_automatic(self, automatic: bool) -> None:
        self._tasks.start(self._engine.set_setting(AUTOMATIC_FIX, automatic))

    def _on_choice(self, key: str) -> None:
        if key == LOOK:
            chat = self._panels.chat
            stuck = next((p for p in self.problems if p.status == "given_up"), None)
            what = f"“{stuck.headline}”" if stuck is not None else self.tr("this problem")
            chat.give_back(self.tr("Let us look at {0} together. What I see: ").format(what))
            chat.focus_composer()
        elif key == AGAIN:
            self._on_fix([])
        elif key == SKIP:
            self._on_skip([])
        elif key.startswith(DEBUGGING):
            self._on_transcript(key.removeprefix(DEBUGGING))


def security_outcome(findings: Sequence[dict[str, Any]]) -> tuple[str, str, str]:
    """Return what came of a security review, as `MendingControl.told` says it."""
    found = sum(finding["status"] != "skipped" for finding in findings)
    if not findings:
        return "success", _tr("The security review found nothing."), ""
    if not found:
        words = _tr("The security review found nothing new.")
        return "success", words, _tr("What it found before you skipped.")
    words = _tr("The security review found {0} problems.").format(found)
    if found == 1:
        words = _tr("The security review found 1 problem.")
    return "warning", words, _tr("What it found is in the list of problems.")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Mending", text)
