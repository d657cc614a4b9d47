"""Runs the blueprint's acceptance checks against the running app, as a person would go through them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from vibedesk.base.ids import new_id
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.issue_list import IssueList, issue_of
from vibedesk.engine.agent.open_work import OpenWork, Reached
from vibedesk.engine.browser.process import BrowserEndedError, BrowserProcess
from vibedesk.engine.browser.reports import CheckOutcome, failed_outcome
from vibedesk.engine.builder.context import checks_request
from vibedesk.engine.builder.focus import of_written
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import AcceptanceCheck, Blueprint, ChecksAnswer
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.check_words import check_words
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    BlueprintReady,
    CheckFinished,
    ChecksCorrected,
    CheckStarted,
    Notice,
    ServerStarted,
)
from vibedesk.engine.models.protocol import BudgetExceededError, ModelError
from vibedesk.engine.review.checkers import read_log
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.page_issues import (
    NO_START,
    check_issue,
    no_start_issue,
    started_for_checks,
    thrown_in,
)
from vibedesk.engine.review.source_places import report_locator
from vibedesk.engine.review.uncaught import uncaught_errors
from vibedesk.engine.sandboxes.driver import SandboxError, ServerNotReadyError
from vibedesk.engine.store.issues import shown_by_checks
from vibedesk.engine.store.records import Json


class SelfTest:
    """The acceptance checks of one project."""

    def __init__(self, access: ProjectAccess, runtime: AppRuntime, issues: IssueList) -> None:
        self._access = access
        self._runtime = runtime
        self._issues = issues
        self._folders: list[str] = []
        self._told_of_data = False

    async def checks(self) -> list[AcceptanceCheck]:
        """Return the blueprint's checks."""
        access = self._access
        record = await access.read(lambda: access.store.get(access.project_id))
        if record.blueprint is None:
            return []
        return Blueprint.model_validate(record.blueprint).acceptance_checks

    async def runnable(self) -> list[AcceptanceCheck]:
        """Return the checks that have steps, also those of what is not built yet."""
        return [check for check in await self.checks() if check.steps]

    async def due(self, reached: Reached) -> list[AcceptanceCheck]:
        """Return the checks of what is built; those of no phase, or of one that never came, belong to the last."""
        checks = await self.runnable()
        if reached.last:
            return checks
        return [check for check in checks if check.phase and check.phase <= reached.number]

    async def of_look(self, reached: Reached, wanted: Collection[str]) -> list[AcceptanceCheck]:
        """Return the checks that a look runs: those that are due, and those that show `wanted` issues (signatures)."""
        checks = await self.runnable()
        names = {check.name for check in await self.due(reached)}
        for record in await self._issues.every():
            if record.signature not in wanted:
                continue
            issue = issue_of(record)
            if issue.code != NO_START:
                # Also where it is gone: a check that fails at another step than before is another issue.
                names.add(issue.evidence.get("check", ""))
            elif record.status != "fixed":
                # Any check shows whether the app starts for it.
                names = names or {check.name for check in checks[:1]}
        return [check for check in checks if check.name in names]

    async def run(
        self,
        browser: BrowserProcess,
        checks: Iterable[AcceptanceCheck],
        names: Collection[str] | None = None,
    ) -> list[Issue]:
        """Run checks, or those of these names; return the failed ones and what the server broke at as issues.

        Each begins with fresh storage in the browser; where the app keeps data on its server, with none there
        either: the server is started beside the person's data for it.

        Raises:
            BrowserError: the browser, not the app, failed.
        """
        wanted = [check for check in checks if names is None or check.name in names]
        await self._access.read(self._forget_gone)
        if not wanted:
            return []
        with timed(self._access, "checks"):
            if not self._access.template.fresh_data:
                return await self._run_all(browser, wanted)
            await self._tell_of_other_data()
            try:
                return await self._run_without_data(browser, wanted)
            finally:
                await self._remove_data()

    async def _run_without_data(
        self, browser: BrowserProcess, wanted: Sequence[AcceptanceCheck]
    ) -> list[Issue]:
        """Run checks, and serve the app with the person's data again."""
        try:
            found = await self._run_all(browser, wanted)
        except asyncio.CancelledError:
            # Who stops does not wait for a start; the next one is that of the usual server.
            with contextlib.suppress(SandboxError):
                await self._runtime.stop_server()
            raise
        except BaseException:
            with contextlib.suppress(SandboxError):
                await self._serve_usual_data()
            raise
        return [*found, *await self._serve_usual_data()]

    async def _run_all(
        self, browser: BrowserProcess, checks: Sequence[AcceptanceCheck]
    ) -> list[Issue]:
        issues: list[Issue] = []
        found: list[Issue] = []
        no_start: Issue | None = None
        for check in checks:
            await self._access.bus.emit(self._access.project_id, CheckStarted(check.name))
            # What keeps it from starting for one keeps it from starting for all of them.
            no_start = no_start or await self._serve_no_data()
            if no_start is None:
                try:
                    found = await self._run(browser, check)
                except BrowserEndedError:
                    # Once more, from the beginning: what the first half stored is not the check's.
                    no_start = await self._serve_no_data()
                    found = await self._run(browser, check) if no_start is None else []
            if no_start is not None:
                found = [await self._fail(check, no_start)]
            issues += found
        return issues

    async def _serve_no_data(self) -> Issue | None:
        """Start the server anew without data where the app keeps any on it; return why that does not start."""
        template = self._access.template
        if not template.fresh_data:
            return None
        folder = f"/tmp/vibedesk-check-{new_id()}"
        self._folders.append(folder)
        try:
            await self._runtime.serve_apart(template.fresh_data_in(folder))
        except ServerNotReadyError:
            return await self._no_start("The app does not start where it has no data yet")
        return None

    async def _tell_of_other_data(self) -> None:
        """Say, once, what becomes of what the person enters while checks have the app: there is one server for both."""
        if not self._told_of_data:
            self._told_of_data = True
            words = "While checks run, the app has data of their own: what you enter in it meanwhile is not kept."
            await self._access.bus.emit(self._access.project_id, Notice(words, "other_data"))

    async def _remove_data(self) -> None:
        folders, self._folders = self._folders, []
        with contextlib.suppress(SandboxError):
            if folders and await self._runtime.ready_sandbox() is not None:
                await self._runtime.ask(["rm", "-rf", *folders])

    async def _no_start(self, said: str) -> Issue:
        runtime, given = self._runtime, self._access.template.untouchable_files
        log = runtime.log
        server = read_log(log, await runtime.workdir(), given=given)
        return no_start_issue(said, log=log, server=server)

    async def _fail(self, check: AcceptanceCheck, issue: Issue) -> Issue:
        """Store that a check failed before its first step."""
        outcome = failed_outcome(check.name, issue.message)
        version = await self.served_version()
        await self._access.commit(lambda emit: self._keep(check, outcome, "", issue, version, emit))
        return issue

    async def served_version(self) -> int:
        """Return which version of the code the app shows: what is typed during a run comes to it later."""
        return await self._access.read(lambda: self._runtime.work_folder.version)

    async def _run(self, browser: BrowserProcess, check: AcceptanceCheck) -> list[Issue]:
        """Run one check; return its failure, or what its steps have broken in the server although they all held."""
        access, runtime, template = self._access, self._runtime, self._access.template
        printed = runtime.lines_printed
        version = await self.served_version()
        outcome = await browser.run_check(
            runtime.url,
            [step.model_dump(exclude_none=True) for step in check.steps],
            name=check.name,
            # A server that knows people refuses pages too, and a check may want to see just that.
            api_paths=("/",) if template.fresh_data else template.api_paths,
        )
        picture = await asyncio.to_thread(access.files.blobs.put, outcome.picture)
        failed = [] if outcome.passed else await self._failure(check, outcome, picture)
        issue = failed[0] if failed else None
        await access.commit(lambda emit: self._keep(check, outcome, picture, issue, version, emit))
        if failed:
            return failed
        log, given = runtime.log_since(printed), template.untouchable_files
        broken = uncaught_errors(log, await runtime.workdir(), given=given)
        # Only this check shows whether it is mended.
        named = {"check": check.name}
        return [replace(error, evidence={**error.evidence, **named}) for error in broken]

    async def _failure(
        self, check: AcceptanceCheck, outcome: CheckOutcome, picture: str
    ) -> list[Issue]:
        """Return the issue that a failed check is, and what the page threw in it that only the person had met.

        From now on the check shows whether that is mended; not one of a later phase, which no look runs before.
        """
        runtime, given = self._runtime, self._access.template.untouchable_files
        locate = await report_locator(runtime.url, outcome)
        server = read_log(runtime.log, await runtime.workdir(), given=given)
        issue = check_issue(outcome, picture=picture, locate=locate, given=given, server=server)
        thrown = {i.signature for i in thrown_in(outcome, locate=locate, given=given)}
        known = [issue_of(r) for r in await self._issues.records() if r.signature in thrown]
        # Also what a check has shown before; what a visit of the page shows, that shows again.
        met = [i for i in known if i.evidence.get("live") or i.evidence.get("check")]
        if await self._is_due(check):
            met = [replace(i, evidence={"check": check.name}) for i in met]
        return [issue, *met]

    async def _is_due(self, check: AcceptanceCheck) -> bool:
        work = OpenWork(self._access)
        newest = max((phase.number for phase in await work.phases()), default=0)
        return check in await self.due(await work.reached(newest))

    def _keep(
        self,
        check: AcceptanceCheck,
        outcome: CheckOutcome,
        picture: str,
        issue: Issue | None,
        version: int,
        emit: Emit,
    ) -> None:
        self._issues.store.put_check(
            check.name,
            passed=outcome.passed,
            phase=check.phase or 0,
            code_version=version,
            seconds=outcome.seconds,
            picture=picture,
            data={
                "step": outcome.step,
                "sentence": outcome.sentence,
                "error": outcome.error,
                **(issue.evidence if issue else {}),
            },
        )
        emit(
            CheckFinished(
                check.name,
                outcome.passed,
                outcome.step,
                outcome.sentence,
                outcome.error,
                picture,
                outdated=version != self._access.files.version,
            )
        )

    async def _serve_usual_data(self) -> list[Issue]:
        """Start the server with the person's data again; return what keeps it from that."""
        try:
            url = await self._runtime.serve_apart({})
        except ServerNotReadyError:
            return [await self._no_start("The app does not start again after its checks")]
        await self._access.bus.emit(self._access.project_id, ServerStarted(url))
        return []

    def _forget_gone(self) -> None:
        record = self._access.store.get(self._access.project_id)
        listed = (record.blueprint or {}).get("acceptance_checks") or []
        self._issues.store.forget_checks([str(check.get("name", "")) for check in listed])

    async def shown_again(self, found: Iterable[Issue], ran: Collection[str]) -> set[str]:
        """Return the signatures of what would be known again if it were still there: `ran` are the checks that ran.

        That is what they showed before, as failures and in the server, save where the app did not start for them
        (`found`); and what checks showed that the blueprint has no more.
        """
        known = [r for r in await self._issues.records() if shown_by_checks(r.data)]
        there = {check.name for check in await self.runnable()}
        names = set(ran) if started_for_checks(found) else set()

        def settled(issue: Issue) -> bool:
            if issue.code == NO_START:
                return bool(ran) or not there
            return issue.evidence.get("check") not in there - names

        return {record.signature for record in known if settled(issue_of(record))}

    # -- what the model says of them --------------------------------------------------------------------
    async def correct(
        self,
        reached: Reached,
        failed: Sequence[Issue],
        paths: Sequence[str] = (),
        *,
        settled: Collection[str] = (),
        own: Collection[str] = (),
    ) -> list[str]:
        """Have checks corrected that test what the app should not do, and missing ones written.

        Args:
            reached: How far the plan is carried out.
            failed: What failed; empty: only what is missing is wanted.
            paths: What the phase wrote.
            settled: Names of checks that stay as they are: they were corrected often enough.
            own: Names of checks that the person wrote or edited: what the model would change is only told.

        Returns:
            Names of the checks that are new or other than before; none where no model answers.
        """
        access = self._access
        record = await access.read(lambda: access.store.get(access.project_id))
        if record.sample or record.blueprint is None:
            return []
        problems = [issue.message for issue in failed]
        context = await access.context(of_written(paths, problems))
        request = checks_request(context, reached.number, problems)
        try:
            answer = await access.router.ask_structured(request, ChecksAnswer)
        except BudgetExceededError:
            raise
        except ModelError as error:
            words = f"No model looked at the acceptance checks: {error.message}"
            await access.bus.emit(access.project_id, Notice(words, "no_checks"))
            return []
        shown = {c["name"]: c for c in record.blueprint.get("acceptance_checks") or []}
        # Where some fail others are no help, and could be written without end.
        answer.checks = [
            check
            for check in answer.checks
            if check.name not in settled and (not failed or check.name in shown)
        ]
        return await access.commit(
            lambda emit: self._take(answer, shown, own, reached.number, emit), durable=True
        )

    def _take(
        self,
        answer: ChecksAnswer,
        shown: dict[str, Json],
        own: Collection[str],
        phase: int,
        emit: Emit,
    ) -> list[str]:
        """Store the checks that are new or corrected with a reason. `shown`: those that the model saw, by name."""
        access = self._access
        blueprint = access.store.get(access.project_id).blueprint or {}
        checks = {c["name"]: c for c in blueprint.get("acceptance_checks") or []}
        why = {c.name: c.why for c in answer.corrected}
        changed = []
        for check in answer.checks:
            data = check.model_dump(exclude_none=True)
            old = checks.get(check.name)
            # What the person changed or deleted meanwhile is theirs.
            if not check.steps or old != shown.get(check.name):
                continue
            if old is not None and _steps(data) == _steps(old):
                continue
            # A check may be corrected with a reason; it never disappears, and never does or expects less.
            if old is not None and not (why.get(check.name) and _as_strict(data, old)):
                continue
            if old is not None and check.name in own:
                emit(_suggestion(check.name, why[check.name], data))
                continue
            checks[check.name] = {**data, "phase": (old or {}).get("phase") or phase}
            changed.append(check.name)
        if changed:
            stored = {**blueprint, "acceptance_checks": list(checks.values())}
            access.store.update(access.project_id, blueprint=stored)
            emit(BlueprintReady(stored))
            emit(ChecksCorrected([{"name": name, "why": why.get(name, "")} for name in changed]))
            for name in changed:
                if why.get(name):
                    self._issues.store.note_correction(name, why[name])
        return changed


def is_shown_by(issue: Issue, check: str) -> bool:
    """Whether running the check of that name shows if an issue is still there."""
    return issue.code == NO_START or issue.evidence.get("check") == check


def _suggestion(name: str, why: str, check: Json) -> Notice:
    """Return what tells the person how a model would change a check of theirs."""
    words = (
        f"A model would change your check “{name}”: {why.rstrip('.')}. "
        f"Its steps would be: {'; '.join(check_words(check['steps']))}. "
        "It stays as you wrote it: edit it in the blueprint if you agree."
    )
    return Notice(words, "check_suggested")


def _as_strict(new: Json, old: Json) -> bool:
    """Whether a corrected check does, of each kind, and expects at least as much as before."""
    return _counted(new) >= _counted(old)


def _counted(check: Json) -> Counter[str]:
    """Return how many steps of each kind count: every expectation alike, of the actions not mere ways and waits."""
    kinds = (str(step.get("do", "")) for step in _steps(check))
    return Counter(
        "expect" if kind.startswith("expect") else kind
        for kind in kinds
        if kind not in ("goto", "wait")
    )


def _steps(check: Json) -> list[Json]:
    """Return a check's steps without the keys that say nothing."""
    return [
        {key: value for key, value in step.items() if value is not None}
        for step in check.get("steps") or ()
    ]
