"""The work of `reviewing` and `fixing`: a phase is looked at, mended, and looked at again, within bounds.

What bounded repair could not mend is the person's to decide: they look at it together with the agent, go back to
a good version, or leave it for later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from vibedesk.base.errors import NotAllowedNowError
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.closed_files import ClosedFiles
from vibedesk.engine.agent.code_service import CodeService
from vibedesk.engine.agent.deep_debug import DeepDebug
from vibedesk.engine.agent.fix_step import FixStep
from vibedesk.engine.agent.issue_list import (
    IssueList,
    first_line,
    issue_of,
    recheckable,
    wish_to_mend,
)
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.repairer import Repairer
from vibedesk.engine.agent.review_depth import DepthSource
from vibedesk.engine.agent.review_step import Looked, ReviewStep
from vibedesk.engine.agent.run_memory import UNSEEN_ACCEPTED, UNSEEN_ASKED, RunMemory
from vibedesk.engine.agent.self_test import is_shown_by
from vibedesk.engine.agent.snapshots import Snapshots
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.browser.process import BrowserError, BrowserProcess
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import FixApplied, Notice, Waiting, WishQueued
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.issues import IssueRecord, shown_by_checks

_S = AgentState
_NAMED_IN_REASON = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """What mending needs of the run around it.

    Attributes:
        attended: A person looks on, and is waited for where they have to decide.
        depth: How thoroughly the app is looked at.
        browser: Looks at the page; None where there is none.
        show_files: Puts what was written before the page and goes where it is reviewed.
        manifest_changed: Whether packages have to be installed for what was written.
    """

    attended: bool
    depth: DepthSource
    browser: BrowserProcess | None
    show_files: Callable[[], Awaitable[None]]
    manifest_changed: Callable[[], Awaitable[bool]]

    def eyes(self) -> BrowserProcess | None:
        """Return what looks at the page; None where nobody does, or shall."""
        return self.browser if self.depth() == "full" else None


class MendingSteps:
    """Reviews and mends one project's app."""

    def __init__(
        self,
        machine: StateMachine,
        access: ProjectAccess,
        runtime: AppRuntime,
        snapshots: Snapshots,
        around: Mending,
    ) -> None:
        self._machine = machine
        self._access = access
        self._runtime = runtime
        self._snapshots = snapshots
        self._around = around
        self._open = OpenWork(access)
        self.issues = IssueList(access)
        self._review = ReviewStep(access, runtime, self.issues, around.eyes, around.depth)
        self._code = CodeService(access, runtime)
        self._closed_files = ClosedFiles(access, runtime, self._code, self.issues)
        self._repairer = Repairer(access, runtime, self._code)
        self._debug = DeepDebug(access, runtime, self.issues)
        self._fix = FixStep(
            access,
            self.issues,
            self._review.self_test,
            self._repairer,
            self._debug,
            machine.remember,
        )

    async def aclose(self) -> None:
        await self._code.aclose()

    def files_checked(self) -> AbstractAsyncContextManager[None]:
        """Check each file of the open phase as it closes, while the body has a model write them."""
        if self._around.depth() == "page":
            return nullcontext()
        return self._closed_files.checked(self._machine.memory.phase)

    # -- reviewing -----------------------------------------------------------------------------------
    async def review(self) -> None:
        """Look at the app; close the phase, mend it, or start what was lost."""
        memory = self._machine.memory
        told = memory.refused_install or memory.server_failed
        if not told and not self._runtime.serving:
            await self._machine.move(_S.STARTING_SERVER, "the app is not running")
            return
        before = await self._looked_at_before()
        looked = await self._review.look(memory)
        if looked.found and self._runtime.lost:
            await self._machine.move(_S.STARTING_SERVER, "the sandbox was lost")
            return
        await self.issues.report(
            looked.found,
            looked.sources,
            memory.phase,
            again=looked.again,
            verified=True,
            whole=True,
            version=looked.version,
        )
        tell = await self._tell_fix(looked, before)
        blocking = await self._to_mend()
        maybe_gone = await self.issues.changed_findings()
        if all(record.signature in maybe_gone for record in blocking):
            await self._look_over_once(looked)
            blocking = await self._to_mend()
        blocking = await self._give_up_unaudited(blocking, looked)
        # What was given up is not tried again unasked; but no phase is closed over it either.
        blocking = blocking or await self._given_up()
        if looked.unseen:
            # A try that nobody could look at is followed by no other.
            blocking = [record for record in blocking if not _tried_unseen(record, looked)]
        elif "page" in looked.sources:
            memory.unseen = ""
        if blocking:
            first = blocking[:_NAMED_IN_REASON]
            named = "; ".join(first_line(issue_of(record).message) for record in first)
            await self._machine.move(_S.FIXING, named, tell)
            return
        accepted = memory.unseen == UNSEEN_ACCEPTED and self._around.attended
        if looked.unseen and not accepted:
            await self._ask_about_unseen(looked.unseen, tell)
            return
        await self._machine.move(_S.FINALIZING, "the review found nothing that blocks", tell)

    async def _to_mend(self) -> list[IssueRecord]:
        """Return the open issues that are to be mended now."""
        return await self._counting(await self.issues.to_mend(self._machine.memory.wanted))

    async def _given_up(self) -> list[IssueRecord]:
        """Return what was given up and keeps the phase open."""
        return await self._counting(await self.issues.blocking("given_up"))

    async def _counting(self, records: Sequence[IssueRecord]) -> list[IssueRecord]:
        """Return `records` without what only checks of later phases show, which nobody asked to be mended now."""
        memory = self._machine.memory
        reached = await self._open.reached(memory.phase)
        checks = await self._review.self_test.of_look(reached, memory.wanted)
        return [
            record
            for record in records
            if not shown_by_checks(record.data)
            or any(is_shown_by(issue_of(record), check.name) for check in checks)
        ]

    async def _give_up_unaudited(
        self, blocking: Sequence[IssueRecord], looked: Looked
    ) -> list[IssueRecord]:
        """Return what is left to mend without packages of which no audit tells whether the last try helped.

        Another try would be made blindly, so what is next the person decides.
        """
        if self._machine.memory.lacks_packages:
            # Nobody was asked: the packages that were refused come first.
            return list(blocking)
        missed = [
            record
            for record in blocking
            if issue_of(record).source == "security" and _tried_unseen(record, looked)
        ]
        given_up = [record.signature for record in missed if issue_of(record).blocks]
        await self.issues.set_status(given_up, "given_up")
        return [record for record in blocking if record not in missed]

    async def _ask_about_unseen(self, why: str, tell: Callable[[Emit], None]) -> None:
        """Claim nothing of an app that nobody could look at: whether that is enough the person decides."""
        memory, why = self._machine.memory, why.rstrip(".")
        if not self._around.attended:
            reason = f"the app could not be looked at in a browser: {why}"
            await self._machine.move(_S.IDLE, reason, tell)
            return
        memory.awaits_person, memory.unseen = True, UNSEEN_ASKED
        words = (
            f"The app could not be looked at in a browser: {why}. Its checks have not been run. Try again, or skip it: "
            "then the app counts as it is."
        )
        await self._machine.await_person(Waiting("needs_person", None, words), tell)

    async def _look_over_once(self, looked: Looked) -> None:
        """Have a model look over the phase's code, and write checks where it has none; once a phase.

        Of a last phase that wrote nothing it looks over the app, unless it did with the phase before.
        """
        memory = self._machine.memory
        if memory.reviewed or self._around.depth() == "page":
            return
        record = await self._open.phase(memory.phase)
        planned_files = record.plan.get("files", ()) if record is not None else ()
        paths = memory.finished or [file["path"] for file in planned_files]
        last = (await self._open.reached(memory.phase)).last
        whole = last and not paths and record is not None and record.source != "converse"
        if not (whole and memory.reviewed_whole):
            told = await self._review.ask_model(memory.phase, paths, last=last, whole=whole)
            await self.issues.report(told.found, told.sources, memory.phase, again=told.again)
        if not whole:
            await self._write_checks(paths, looked)
        memory.reviewed, memory.reviewed_whole = True, last
        await self._machine.remember()

    async def _write_checks(self, paths: Sequence[str], looked: Looked) -> None:
        memory, self_test = self._machine.memory, self._review.self_test
        browser = self._around.eyes()
        reached = await self._open.reached(memory.phase)
        present = await self_test.checks()
        if browser is None or any(check.phase == reached.number for check in present):
            return
        names = await self_test.correct(reached, (), paths, own=memory.own_checks)
        if names:
            try:
                found = await self_test.run(browser, await self_test.due(reached), names)
            except BrowserError as error:
                await self._review.miss_browser(looked, error)
                return
            await self._report_checks(found, names)

    async def _looked_at_before(self) -> set[str]:
        """Return the issues that a look at the app showed before; what a mend brought is none of them."""
        records = await self.issues.records()
        return {r.signature for r in records if not issue_of(r).evidence.get("early")}

    async def _tell_fix(self, looked: Looked, before: Collection[str]) -> Callable[[Emit], None]:
        """Forget the fix that was reviewed; return what tells how it went. `before`: what was wrong before it."""
        memory = self._machine.memory
        paths, memory.fixed = memory.fixed, []
        tried, memory.fix_of = memory.fix_of, []
        strategy, memory.fix_strategy = memory.fix_strategy, ""
        known = {record.signature: record for record in await self.issues.every()}
        told = [issue_of(known[signature]) for signature in tried if signature in known]
        # It may be for none: a fix calls all that it was asked about no faults, and changes something else.
        first = told[0].message if told else ""
        of_file = {issue.file: issue.message for issue in reversed(told)}
        brought = [r for r in await self.issues.blocking() if r.signature not in before]
        verified = _verified(
            [known[signature] for signature in tried if signature in known], looked, brought
        )

        def tell(emit: Emit) -> None:
            for path in paths:
                issue = of_file.get(path, first)
                emit(FixApplied(path, issue, strategy or "model", verified))

        return tell

    async def run_checks(self, names: Collection[str] | None) -> None:
        """Run acceptance checks (None: all) and take in how they went.

        Raises:
            NotAllowedNowError: nobody looks at pages here.
        """
        browser = self._around.eyes()
        if browser is None:
            raise NotAllowedNowError(
                "Checks need a browser, and it is switched off.",
                remedy="Choose “Everything” in the settings, under Building, or set VIBEDESK_REVIEW=full.",
            )
        checks = await self._review.self_test.runnable()
        found = await self._review.self_test.run(browser, checks, names)
        ran = {c.name for c in checks if names is None or c.name in names}
        await self._report_checks(found, ran)

    async def _report_checks(self, found: Sequence[Issue], ran: Collection[str]) -> None:
        """Take in how the checks of these names went: what they showed before and do not any more is mended."""
        again = await self._review.self_test.shown_again(found, ran)
        await self.issues.report(found, (), self._machine.memory.phase, again=again)

    async def run_build(self) -> None:
        """Build the app as it would be published, and take in what keeps it from being built."""
        found = await self._review.build()
        if found is not None:
            await self.issues.report(found, {"build"}, self._machine.memory.phase)

    async def run_security(self) -> None:
        """Look for what is unsafe, and take it in."""
        looked = await self._review.security()
        phase = self._machine.memory.phase
        await self.issues.report(looked.found, looked.sources, phase, again=looked.again)

    # -- fixing ------------------------------------------------------------------------------------
    async def fix(self) -> None:
        """Make the next try, and go where it is looked at; give up where all was tried."""
        memory = self._machine.memory
        record = await self._open.phase(memory.phase)
        if record is not None:
            label = f"Phase {record.number}: {record.name}, before fixing"
            await self._snapshots.take(label, author="agent")
        async with self.files_checked():
            mended = await self._fix.mend(await self._to_mend(), memory)
        if mended is None:
            await self._give_up()
            return
        await self._open.drop_drafts()
        if mended.paths:
            known = {record.signature: record for record in await self.issues.every()}
            of = [issue_of(known[s]).message for s in mended.issues if s in known]
            what = of[0] if of else ", ".join(mended.paths)
            await self._snapshots.take(f"Fix: {first_line(what)}", author="fix")
        # What only wants packages changes where they are listed.
        manifest = self._access.template.packages.manifest
        memory.fixed = mended.paths or ([manifest] if mended.packages and mended.issues else [])
        memory.fix_of = mended.issues
        memory.fix_strategy = mended.strategy
        install = bool(mended.packages or memory.refused_install)
        install = install or await self._around.manifest_changed()
        if mended.strategy in ("model", "debug"):
            # It was told of them; an import that is still unresolved the next look finds.
            memory.missing_packages = []
        if mended.paths or mended.packages:
            memory.refused_install = ""
        memory.packages = mended.packages
        await self._machine.remember()
        if install:
            memory.after_install = _S.STARTING_SERVER.value
            await self._machine.move(_S.INSTALLING_DEPS, "a fix is written")
        else:
            await self._around.show_files()

    async def _give_up(self) -> None:
        memory = self._machine.memory
        left = await self._to_mend()
        tried = [record.signature for record in left if issue_of(record).blocks]
        # A warning is left; what blocks is wanted until the person decides.
        memory.wanted = [signature for signature in memory.wanted if signature in tried]
        if left and not tried:
            words = "What you asked to be mended could not be; it is no more than a warning and stays in the list."
            await self._access.bus.emit(self._access.project_id, Notice(words, "not_mended"))
        await self.issues.set_status(tried, "given_up")
        records = await self._given_up()
        if not records:
            # There is nothing to decide: what is left are warnings, or the person skipped it while a model was asked.
            await self._look_past_skipped(
                "the warnings stay" if left else "nothing is left to mend"
            )
            return
        what = first_line(issue_of(records[0]).message)
        others = f" and {len(records) - 1} more" if len(records) > 1 else ""
        if not self._around.attended:
            reason = f"needs you: {what}{others}{_after_what(records[0], memory)}"
            await self._machine.move(_S.IDLE, reason)
            return
        memory.awaits_person = True
        words = f"I could not mend this: {what}{others}. Tell me more, go back to a good version, or skip it."
        await self._machine.await_person(Waiting("needs_person", None, words), _nothing)

    # -- what the person decides -----------------------------------------------------------------------
    async def skip(self, signatures: Collection[str]) -> bool:
        """Leave issues for later: they become a wish that leads the next phase. Return whether a run goes on with it.

        Where the person was asked about an app that no browser could look at, it goes on unseen, and all issues stay.
        """
        unseen = self._machine.memory.unseen == UNSEEN_ASKED and not signatures
        if unseen:
            self._machine.memory.unseen = UNSEEN_ACCEPTED
        records = [
            record
            for record in await self.issues.records("open", "given_up")
            if record.signature in signatures or not (signatures or unseen)
        ]
        signatures = [record.signature for record in records]
        await self.issues.set_status(signatures, "skipped", lambda emit: self._queue(records, emit))
        if not self._machine.memory.awaits_person:
            return False
        self._machine.memory.awaits_person = False
        await self._look_past_skipped("you skip what could not be mended")
        return True

    async def _look_past_skipped(self, reason: str) -> None:
        memory = self._machine.memory
        # What is skipped keeps nothing else from being looked at.
        memory.refused_install = ""
        memory.missing_packages = []
        # While packages were refused, nothing that was written was shown.
        await self._runtime.materialise()
        await self._review_again(reason)

    async def _review_again(self, reason: str) -> None:
        if self._machine.state is _S.REVIEWING:
            # It waited there for the person.
            await self._machine.go_on(_nothing)
        else:
            await self._machine.move(_S.REVIEWING, reason)

    def _queue(self, records: Sequence[IssueRecord], emit: Emit) -> None:
        store, project_id = self._access.store, self._access.project_id
        queued = {wish.text: wish for wish in store.wishes(project_id, "open", "planned")}
        texts = dict.fromkeys(wish_to_mend(r) for r in records if issue_of(r).blocks)
        for text in texts:
            wish = queued.get(text) or store.add_wish(project_id, text)
            # The phase that was to answer it does not mend what is skipped.
            store.set_wish(wish.id, "open", None)
            emit(WishQueued(wish.id, text, "open", None))

    async def skipped_for(self, wishes: Collection[str]) -> list[IssueRecord]:
        """Return the skipped issues that wishes of these texts stand for."""
        return [r for r in await self.issues.records("skipped") if wish_to_mend(r) in wishes]

    async def wishes_to_mend(self) -> set[str]:
        """Return the texts of the wishes that stand for issues: of what was skipped, and of what a stopped phase was to mend."""
        return {wish_to_mend(record) for record in await self.issues.records()}

    async def take_up_skipped(self) -> None:
        """Let what was skipped count again where no wish stands for it any more: no phase will mend it."""
        store = self._access.store
        queued = await self._access.read(
            lambda: store.wishes(self._access.project_id, "open", "planned")
        )
        texts = {wish.text for wish in queued}
        records = await self.issues.blocking("skipped")
        left = [record.signature for record in records if wish_to_mend(record) not in texts]
        await self.issues.set_status(left, "open")

    async def still_wrong(self) -> str:
        """Return, as the end of a sentence, what keeps an app from being complete to which nothing is to be added.

        That is what the person skipped, and checks of what is built that failed when they ran last; not where the person
        takes the app as it is, because no browser can look at it.
        """
        wrong = [issue_of(record).message for record in await self.issues.blocking("skipped")]
        if not wrong and self._machine.memory.unseen != UNSEEN_ACCEPTED:
            results = await self._access.read(self.issues.store.checks)
            failed = {result.name for result in results if result.passed is False}
            reached = await self._open.reached(self._machine.memory.phase)
            checks = await self._review.self_test.due(reached)
            wrong = [f"the check “{c.name}” fails" for c in checks if c.name in failed]
        if not wrong:
            return ""
        others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"{first_line(wrong[0]).rstrip('.')}{others}"

    async def is_left(self) -> bool:
        """Whether something is to be mended before the app is complete: its mend was stopped, or given up."""
        return bool(await self._counting(await self.issues.blocking()) or await self._given_up())

    async def checks_to_come(self, number: int) -> bool:
        """Whether something is looked at only at the end, and was not with phase `number`; or is yet to be mended.

        At the end are looked at: what a model finds missing altogether, the build, and acceptance checks. What is yet to
        be mended was taken up again, or its mend was stopped, before the phase.
        """
        memory = self._machine.memory
        if await self.is_left():
            return True
        if self._around.depth() != "page" and not (memory.reviewed and memory.reviewed_whole):
            return True
        reached = await self._open.reached(number)
        if not reached.last and await self._review.builds():
            return True
        if self._around.eyes() is None:
            return False
        self_test = self._review.self_test
        return len(await self_test.runnable()) > len(await self_test.due(reached))

    async def try_again(self) -> None:
        """Let everything be tried anew that was given up; for a person who asks for it."""
        await self._open_given_up()
        memory = self._machine.memory
        waited, wanted = memory.awaits_person, memory.wanted
        memory.try_again()
        if memory.rest_in:
            # What was asked for still is.
            memory.wanted = wanted
        if waited:
            await self._review_again("trying again")

    async def hand_over(self, reason: str) -> None:
        """End the wait for a decision: the person does something else about it, and what was given up counts again."""
        if self._machine.memory.awaits_person:
            await self._open_given_up()
            self._machine.memory.awaits_person = False
            await self._machine.move(_S.IDLE, reason)

    async def _open_given_up(self) -> None:
        given_up = await self.issues.records("given_up")
        await self.issues.set_status([record.signature for record in given_up], "open")

    def rest_as_before(self) -> None:
        """Have a review or a mend of an app at rest lead back to where it rests: complete, where all is built."""
        memory, state = self._machine.memory, self._machine.state
        memory.ended = False
        if state is not _S.IDLE or memory.rest_in != _S.COMPLETE.value:
            memory.rest_in = state.value

    async def begin(self, signatures: Collection[str]) -> None:
        """Begin to mend issues of an app at rest; unless they are named, warnings only where there is nothing else.

        Raises:
            NotAllowedNowError: there is nothing to mend.
        """
        records = await self.issues.records()
        grave = [record for record in records if issue_of(record).blocks]
        wanted = (
            [r for r in records if r.signature in signatures] if signatures else grave or records
        )
        if not wanted:
            raise NotAllowedNowError("There is nothing to mend.")
        await self.issues.set_status([record.signature for record in wanted], "open")
        memory = self._machine.memory
        self.rest_as_before()
        memory.try_again()
        memory.wanted = [record.signature for record in wanted]
        await self._machine.move(_S.FIXING, first_line(issue_of(wanted[0]).message))


def _verified(
    tried: Sequence[IssueRecord], looked: Looked, brought: Sequence[IssueRecord]
) -> bool | None:
    """Whether looking again showed that a fix helped; None where nobody could look.

    It did not where something else is wrong in its place now (`brought`): that may be the same in other words.
    """
    seen = [record for record in tried if recheckable(record) and looked.saw(record)]
    if any(record.status != "fixed" for record in seen):
        return False
    if any(_in_place_of(issue_of(new), issue_of(old)) for new in brought for old in seen):
        return False
    return True if seen and len(seen) == len(tried) else None


def _tried_unseen(record: IssueRecord, looked: Looked) -> bool:
    """Whether nobody has looked since the last try at it."""
    tried = bool(record.fixes) and not record.fixes[-1].get("outcome")
    return tried and not looked.saw(record)


def _in_place_of(new: Issue, old: Issue) -> bool:
    if new.source == old.source:
        return not old.file or new.file == old.file
    # These are looked for only where nothing else is wrong: before the mend nobody knew of them.
    return bool(old.file) and new.file == old.file and new.source not in ("check", "build")


def _after_what(record: IssueRecord, memory: RunMemory) -> str:
    """Return what was done about an issue, as the end of a sentence; nothing where no model was asked."""
    tries = sum(tried.get("strategy") in ("model", "debug") for tried in record.fixes)
    if tries:
        return f" after {tries} {'try' if tries == 1 else 'tries'}"
    # It came when what a phase may cost was used up.
    mends = memory.fix_tries + memory.debug_sessions
    return f" after {mends} mends of other problems" if mends > 1 else ""


def _nothing(_: Emit) -> None:
    """The wait is all there is to store."""
