"""One project's agent: what may be asked of it, and the run that walks from a wish to a running app.

The stored state says what is being done, `RunMemory` what that needs; a step (`BuildSteps`) does the work of one
state and moves to the next in one transaction. A run that was cut off anywhere therefore goes on by taking the step
of the stored state again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from vibedesk.base.aio import TaskScope, end_within
from vibedesk.base.clock import utc_now
from vibedesk.base.errors import (
    NotAllowedNowError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.attempts import take_step, with_costs
from vibedesk.engine.agent.build_steps import AgentLimits, BuildSteps
from vibedesk.engine.agent.conversation import Conversation
from vibedesk.engine.agent.fix_step import MOST_TRIES
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.proposals import Proposals
from vibedesk.engine.agent.snapshots import Snapshots
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.agent.waits import take_place
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import Notice, RunStarted
from vibedesk.engine.models.protocol import BudgetExceededError
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.slots import Slots
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.views import VersionView
from vibedesk.engine.waiting import Wait

_log = logging.getLogger(__name__)
_S = AgentState
_BESIDE_THE_PAGE = frozenset({_S.PLANNING_PHASE, _S.IMPLEMENTING_PHASE, _S.FINALIZING})
"""The states of a run in which the page shows the last good phase."""


class CodeGeneratorAgent:
    """Builds one project. All methods run on the engine's loop."""

    def __init__(
        self,
        record: ProjectRecord,
        access: ProjectAccess,
        runtime: AppRuntime,
        snapshots: Snapshots,
        limits: AgentLimits,
        browser: BrowserProcess | None = None,
    ) -> None:
        self.project_id = record.id
        self.access = access
        self.runtime = runtime
        self.snapshots = snapshots
        self._attended = limits.attended
        self._budget_changed = asyncio.Event()
        self._halted = False
        self._may_go_on = asyncio.Event()
        """Cleared: the run stays where it is once its present step is done."""
        self._may_go_on.set()
        self._machine = StateMachine(record, access)
        self._steps = BuildSteps(self._machine, access, runtime, snapshots, limits, browser)
        self._scope = TaskScope(f"agent {record.id}")
        self._run_task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._commands = asyncio.Lock()
        self._open = OpenWork(access)
        self._unstored_failure: VibeDeskError | None = None
        self._places: Slots | None = None
        self._on_work: Callable[[str, bool], None] = _ignore_work
        self.conversation = Conversation(self, access)
        self.proposals = Proposals(access, snapshots)

    def work_among(self, places: Slots, on_work: Callable[[str, bool], None]) -> None:
        """Run only with one of `places`.

        Args:
            places: Shared with the other agents.
            on_work: Called with the project's id and whether its app is needed now: a run begins or ends, or a
                preview is up.
        """
        self._places = places
        self._on_work = on_work

    # -- what others ask --------------------------------------------------------------------------
    @property
    def state(self) -> AgentState:
        return self._machine.state

    @property
    def running(self) -> bool:
        return self._run_task is not None and not self._run_task.done()

    @property
    def shows_changes(self) -> bool:
        """Whether what the person changes comes to the app at once: what a run writes is there, and was looked at."""
        return not self.running or self._machine.resting or self.state is _S.FINALIZING

    @property
    def halted(self) -> bool:
        """Whether a run is under way and does nothing, paused or without a budget, until the person has it go on."""
        return self.running and self._halted

    @property
    def looking(self) -> bool:
        """Whether checks, a build or a security review that the person asked for are under way."""
        return self._looking is not None and not self._looking.done()

    @property
    def busy(self) -> bool:
        """Whether a run, a look at the app or an answer is under way, or a file is written anew."""
        answering = self.conversation.answering or bool(self.proposals.writing)
        return self.running or self.looking or answering

    async def generate(self) -> None:
        """Start the build of a fresh project."""
        async with self._commands:
            await self._let_run_end()
            self._refuse_while_running()
            if self.state is not _S.IDLE or self._machine.memory.phase:
                raise NotAllowedNowError(
                    "This project was begun already.",
                    remedy="Continue it, or say what should change.",
                )
            await self._machine.move(_S.BLUEPRINTING, "a new wish")
            self._run()

    async def approve(self, blueprint: dict[str, Any] | None = None) -> None:
        """Accept the blueprint, with the person's edits, and build it."""
        async with self._commands:
            await self._let_run_end()
            self._refuse_without_waiting_blueprint()
            approved = await self._steps.blueprint.edit(blueprint or {})
            self._machine.memory.edited = []
            await self._steps.begin_first_phase(approved, "approved")
            self._run()

    async def edit_blueprint(self, changes: dict[str, Any]) -> None:
        """Change fields of the blueprint that waits for approval, or what of it counts for phases to come."""
        async with self._commands:
            await self._let_run_end()
            if self._machine.memory.phase:
                await self._steps.blueprint.edit_later(changes)
                return
            self._refuse_without_waiting_blueprint()
            await self._steps.blueprint.edit(changes)

    async def replan(self) -> None:
        """Have the blueprint that waits for approval made anew, so that it fits what the person edited in it."""
        async with self._commands:
            await self._let_run_end()
            self._refuse_without_waiting_blueprint()
            await self._make_anew("your changes are planned")

    async def answer(self, answers: Sequence[str | None] | None) -> None:
        """Take the person's answers to what was asked before the blueprint (None: all skipped), and go on."""
        async with self._commands:
            await self._let_run_end()
            await self._steps.blueprint.take_answers(answers)
            self._run()

    async def _make_anew(
        self,
        reason: str,
        store: Callable[[Emit], None] | None = None,
        anew: Collection[str] = (),
    ) -> None:
        memory = self._machine.memory
        edited = memory.edited
        memory.has_blueprint = False
        memory.edited = [name for name in edited if name not in anew]
        try:
            await self._machine.move(_S.BLUEPRINTING, reason, store)
        finally:
            if self.state is _S.AWAITING_APPROVAL:
                memory.has_blueprint, memory.edited = True, edited
        self._run()

    def _refuse_without_waiting_blueprint(self) -> None:
        self._refuse_while_running()
        if self.state is not _S.AWAITING_APPROVAL:
            raise NotAllowedNowError("No blueprint is waiting for your approval.")

    @property
    def waiting_plan(self) -> tuple[str, ...] | None:
        """The fields that the person edited of a plan that waits for them; None where neither it nor a question waits."""
        memory = self._machine.memory
        waits = self.state is _S.AWAITING_APPROVAL or memory.awaits_answers
        return tuple(memory.edited) if waits else None

    async def revise_blueprint(
        self, store: Callable[[Emit], None], anew: Collection[str] = ()
    ) -> bool:
        """Make the blueprint that waits for approval anew, with what the person said about it.

        What they say while questions are open answers these: the blueprint is made with it.

        Args:
            store: Stores what they said, in the transaction of the move.
            anew: Fields that they edited and that are to be made anew all the same.

        Returns:
            Whether a blueprint or a question waits; else nothing was done.
        """
        async with self._commands:
            await self._let_run_end()
            if self._machine.memory.awaits_answers:
                await self._steps.blueprint.take_answers(None, store)
                self._run()
            elif self.state is _S.AWAITING_APPROVAL:
                await self._make_anew("you asked for changes", store, anew)
            else:
                return False
            return True

    async def resume(self) -> None:
        """Go on where a run was cut off, failed, or was paused or stopped, and answer what was left unanswered."""
        async with self._commands:
            self._may_go_on.set()
            await self._let_run_end()
            if self.running:
                return
            if self._waits_before_the_build:
                if await self.conversation.answer_open_messages():
                    return
                raise self._waits_for_you()
            if self._machine.memory.awaits_answers:
                await self._steps.blueprint.take_answers(None)
            if self._machine.memory.awaits_person:
                await self._steps.mending.try_again()
            if self.state is _S.ERROR:
                await self._steps.retry()
            if self.state in (_S.IDLE, _S.COMPLETE):
                await self._steps.take_up_open_work()
            if self._steps.due:
                self._run()
            else:
                await self._catch_up()
            await self.conversation.answer_open_messages()

    @property
    def _waits_before_the_build(self) -> bool:
        asked = self._machine.memory.awaits_answers and self._attended
        return asked or self.state is _S.AWAITING_APPROVAL

    def _waits_for_you(self) -> NotAllowedNowError:
        if self.state is _S.AWAITING_APPROVAL:
            return NotAllowedNowError(
                "The blueprint waits for your approval.", remedy="Approve it, or ask for changes."
            )
        return NotAllowedNowError(
            "There are questions for you before the plan is made.", remedy="Answer or skip them."
        )

    async def _catch_up(self) -> None:
        """Bring history and folder to where the document is: the program's end may have come between."""
        await self._steps.setup.undo_half_rename()
        await self.runtime.take_in()
        await self.snapshots.take("Kept after a restart", author="agent")
        await self.runtime.materialise()

    def budget_changed(self) -> None:
        """Another budget is stored: a run that waits for it looks again."""
        self._budget_changed.set()

    async def pause(self) -> None:
        """Have the run wait, once its present step is done, until `resume`; others may have its place meanwhile.

        Where that step ends in a question or a decision for the person, the run waits after it. Where it ends in a plan
        that waits for their approval, that is the pause: to approve is to have it go on.

        Raises:
            NotAllowedNowError: no run is under way.
        """
        async with self._commands:
            await self._let_run_end()
            if not self.running:
                raise NotAllowedNowError("Nothing is being built that could be paused.")
            if self._may_go_on.is_set():
                self._may_go_on.clear()
                done = (
                    "the files of this phase are written"
                    if self.state is _S.IMPLEMENTING_PHASE
                    else "the present step is done"
                )
                words = Notice(f"Pausing as soon as {done}.", "pausing")
                await self.access.bus.emit(self.project_id, words)

    async def cancel(self) -> None:
        """Stop the run or the look at the app now; everything finished stays, and a run's state becomes `idle`."""
        # Who holds the lock may wait for the end of the look.
        self._stop_looking()
        async with self._commands:
            self._stop_looking()
            await self._let_look_end()
            try:
                await self.conversation.cancel()
                await self.proposals.cancel()
            finally:
                await self._stop_run()

    async def _stop_run(self) -> None:
        if self._run_task is not None:
            self._run_task.cancel()
            await asyncio.gather(self._run_task, return_exceptions=True)
        self._may_go_on.set()
        try:
            if not self._machine.resting:
                self._machine.memory.awaits_answers = False
                self._machine.memory.awaits_person = False
                await self._machine.move(_S.IDLE, "stopped by you")
        finally:
            await self._steps.setup.cancel()
            await self.runtime.stop()
        await self._open.give_back_wishes()
        await self._machine.end_waiting()

    async def start_phase_for_wishes(self) -> None:
        """Begin a phase for queued wishes if nothing runs; without a blueprint they wait for it.

        A run that was cut off goes on, and takes them up.
        """
        async with self._commands:
            await self._let_run_end()
            await self._steps.mending.hand_over("you said what to do")
            if self._steps.due:
                self._run()
            elif self.running or self.state not in (_S.COMPLETE, _S.IDLE):
                return
            elif await self._open.phases():
                await self._steps.open_wish_phase()
                self._run()
            elif (await self._open.record()).blueprint is not None:
                await self._plan_again()

    async def start_phase_for_reply(self) -> None:
        """Begin the phase that writes a reply's change if nothing runs; else it follows the present one.

        A run that was cut off goes on, and writes the change then.
        """
        async with self._commands:
            await self._let_run_end()
            await self._steps.mending.hand_over("you said what to do")
            if self._steps.due:
                self._run()
            elif not self.running and self.state in (_S.COMPLETE, _S.IDLE):
                reply = await self._open.next_reply()
                if self._machine.memory.has_blueprint and not await self._open.phases():
                    await self._plan_again()
                elif reply is not None:
                    await self._steps.open_reply_phase(*reply)
                    self._run()

    async def _plan_again(self) -> None:
        """Go back to the plan of a run that was stopped before its first phase: it may still need approval."""
        await self._steps.take_up_open_work()
        self._run()

    def follow_folder(self) -> None:
        """Take in outside edits as they happen, while somebody looks at the project."""
        if self._following is None or self._following.done():
            self._following = self._scope.start(self.runtime.follow_folder(), name="follow folder")

    def unfollow_folder(self) -> None:
        if self._following is not None:
            self._following.cancel()

    async def start_preview(self) -> str:
        """Start the app of a project that is at rest or whose run is halted, without touching the agent's state.

        Of a run that is halted it is what was shown last: whether packages exist that its new files name is not
        looked up yet.
        """
        self._on_work(self.project_id, True)
        try:
            with timed(self.access, "start_preview"):
                await self._steps.setup.prepare_folder()
                folder = self.runtime.work_folder
                as_it_is = self.halted and await self.access.read(lambda: folder.was_written)
                if not as_it_is:
                    await self.runtime.materialise()
                await self._steps.setup.install(as_it_is=as_it_is)
                url = await self.runtime.start_server()
                await self._steps.tell_server(url)
        finally:
            if (not self.running or self.halted) and not self.looking:
                self._on_work(self.project_id, False)
        return url

    async def restore(self, commit: str, path: str | None = None) -> VersionView:
        """Bring a version, or one file of it, back as a new one, and show it in the running app.

        With a whole version a phase that is open loses what it wrote: it is written again when the build goes on.
        """
        async with self._commands:
            await self._let_run_end()
            self._refuse_while_running()
            await self._steps.setup.undo_half_rename()
            await self.runtime.take_in()
            if path is None:
                found = await self.snapshots.find(commit)
                await self._steps.come_to_rest("you went back to an earlier version")
                # No decision is waited for any more that a pause was to come after.
                self._may_go_on.set()
                version = await self.snapshots.restore(found.commit, self._steps.go_back)
            else:
                version = await self.snapshots.restore_file(commit, path)
            await self.runtime.materialise()
            return version

    # -- what is wrong, and mending it -----------------------------------------------------------------
    async def review_now(self) -> None:
        """Look at an app at rest, and mend what is wrong; then it rests again.

        Raises:
            NotAllowedNowError: a run is under way, or nothing is built yet.
        """
        async with self._commands:
            await self._begin_mending()
            self._machine.memory.try_again()
            self._steps.mending.rest_as_before()
            await self._machine.move(_S.REVIEWING, "you asked for a review")
            self._run()

    async def fix(self, signatures: Collection[str]) -> None:
        """Mend issues (empty: all that are known) of an app at rest, also what was given up or skipped.

        Raises:
            NotAllowedNowError: a run is under way, or there is nothing to mend.
        """
        async with self._commands:
            await self._let_run_end()
            if self._machine.memory.awaits_person:
                await self._steps.mending.try_again()
                self._run()
                return
            await self._begin_mending()
            await self._steps.mending.begin(signatures)
            self._run()

    async def _begin_mending(self) -> None:
        await self._let_run_end()
        self._refuse_while_running()
        if self.state not in (_S.IDLE, _S.COMPLETE) or not self._machine.memory.phase:
            raise NotAllowedNowError(
                "There is nothing to look at yet.", remedy="Let the first phase be built."
            )
        phase = await self._open.phase(self._machine.memory.phase)
        if phase is not None and not phase.completed and not self._machine.memory.wrote_all:
            raise NotAllowedNowError(
                f"Phase {phase.number} is not written to its end.",
                remedy="Continue the build first.",
            )
        # What is looked at, and what a mend changes, is the app as the person left it.
        await self.runtime.take_in()

    async def skip_issues(self, signatures: Collection[str]) -> None:
        """Leave issues (empty: all) for later; a run that waits for that decision goes on."""
        async with self._commands:
            await self._let_run_end()
            if await self._steps.mending.skip(signatures):
                self._run()

    async def run_checks(self, names: Collection[str] | None) -> None:
        """Run acceptance checks on the running app of a project at rest."""
        await self._look(lambda: self._run_checks(names))

    async def run_security(self) -> None:
        """Look for what is unsafe, also while a run is under way; what is wrong joins the issues."""
        if self.running:
            await self._steps.mending.run_security()
        else:
            await self._look(self._steps.mending.run_security)

    async def check(self, *, security: bool) -> None:
        """Run all checks on the app of a project at rest as the person left it, build it, and see whether it is safe."""
        mending = self._steps.mending

        async def look() -> None:
            await self.runtime.take_in()
            await self._run_checks(None)
            await mending.run_build()
            if security:
                await mending.run_security()

        await self._look(look)

    async def _run_checks(self, names: Collection[str] | None) -> None:
        if self.runtime.serving:
            # What the person typed during a run that was stopped has not come to the app yet.
            await self.runtime.materialise()
        else:
            await self.start_preview()
        await self._steps.mending.run_checks(names)

    async def _look(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Look at the app of a project at rest: whatever begins something waits for its end, and `cancel` ends it."""

        async def look() -> None:
            self._on_work(self.project_id, True)
            try:
                await work()
            finally:
                self._on_work(self.project_id, False)

        async with self._commands:
            await self._let_run_end()
            self._refuse_while_running()
            looking = self._looking = self._scope.start(look(), name="look")
        try:
            await looking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise NotAllowedNowError(
                "It was stopped before its end.", remedy="Start it again."
            ) from None

    async def stop_looking(self) -> None:
        """Stop checks, build or security review; the app goes on, unless it had other data for them."""
        self._stop_looking()
        await self._let_look_end()

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    async def _let_look_end(self) -> None:
        if self._looking is not None:
            await asyncio.wait({self._looking})

    async def page_is_finished(self) -> bool:
        """Whether the page shows finished code that nothing changes under it: the last good phase, until the next is whole."""
        if self.looking or not self.running:
            return not self.looking
        # From there to the next state the files are put into the folder.
        whole = self.state is _S.IMPLEMENTING_PHASE and self._machine.memory.wrote_all
        if self.state not in _BESIDE_THE_PAGE or whole:
            return False
        return any(phase.completed for phase in await self._open.phases())

    async def is_rewritten(self, path: str) -> bool:
        """Whether `path` (where it is empty, any file) reads otherwise by now than in the app that runs."""
        behind = await self.access.read(self.runtime.work_folder.changed_paths)
        return path in behind if path else bool(behind)

    async def take_live_issue(self, issue: Issue) -> None:
        """Take in an error that the person met in the preview."""
        await self._steps.mending.issues.report([issue], (), self._machine.memory.phase)

    async def mend_live(self) -> None:
        """Mend what the person met, unless something runs or waits already, it was given up, or its code changed since.

        A run that is under way mends it after its review.
        """
        if self._is_at_work:
            return
        issues = self._steps.mending.issues
        maybe_gone = await issues.changed_since_met()
        # What models were asked about often enough comes back unasked no more: an open page would pay for ever.
        open_ones = [
            record
            for record in await issues.blocking()
            if record.signature not in maybe_gone
            and sum(tried.get("strategy") in ("model", "debug") for tried in record.fixes)
            < MOST_TRIES
        ]
        # Several errors come at once: the first one's mend has begun meanwhile.
        if not open_ones or self._is_at_work:
            return
        if self._machine.memory.may_mend_unasked(utc_now()):
            await self.fix([record.signature for record in open_ones])

    @property
    def _is_at_work(self) -> bool:
        """Whether something is done, or about to be, or the app is not built to its end."""
        busy = self._commands.locked() or self.running or self.looking
        return busy or not self._steps.all_is_built

    async def regenerate(self, path: str, instructions: str) -> None:
        """Begin to write a file anew, as a proposal."""
        await self.proposals.regenerate(path, instructions)

    async def take_proposal(self, proposal_id: str, hunks: Sequence[int] | None) -> int:
        """Take hunks of a file that was written anew over, and show them in the app unless a run does so later."""
        if not self.running:
            await self._steps.setup.undo_half_rename()
            await self.runtime.take_in()
        version = await self.proposals.take(proposal_id, hunks)
        if not self.running:
            await self.runtime.materialise()
        return version

    async def wait(self) -> None:
        """Wait until no run, no look at the app and no answer is under way.

        Raises:
            VibeDeskError: the run failed in a way that could not even be stored (the disk is full).
        """
        while self.busy:
            if self.running and self._run_task is not None:
                await asyncio.wait({self._run_task})
            await self._let_look_end()
            await self.conversation.wait()
            await self.proposals.wait()
        if self._unstored_failure is not None:
            raise self._unstored_failure

    async def aclose(self) -> None:
        """End everything as the program's end does: the stored state stays, so a run can be resumed."""
        await self.conversation.aclose()
        await self.proposals.aclose()
        await self._scope.aclose()
        await self.snapshots.aclose()
        await self._steps.mending.aclose()
        await self._steps.setup.cancel()
        await self.runtime.aclose()
        await self.access.router.aclose()

    async def give_up(self, seconds: float) -> None:
        """Leave what does not end to itself: it changes nothing any more, and the app's processes end.

        The stored state is that of the last step that was finished, so the run can be resumed.
        """
        self.access.revoked = True
        await end_within(seconds, self.runtime.aclose(), what=f"the sandbox of {self.project_id}")

    # -- the run -------------------------------------------------------------------------------------
    def _refuse_while_running(self) -> None:
        if self.running:
            raise NotAllowedNowError(
                "A run is under way.", remedy="Wait until it is done, or stop it."
            )

    async def _let_run_end(self) -> None:
        """Wait the moment between a state in which a run is over and the end of the run itself, and for a look's end."""
        await self._let_look_end()
        waits = self.state is _S.AWAITING_APPROVAL or self._steps.waits_for_person
        over = waits or self.state in RESTING
        if over and self._run_task is not None:
            await asyncio.wait({self._run_task})

    def _run(self) -> None:
        if not self.running:
            self._unstored_failure = None
            self._run_task = self._scope.start(self._walk(), name="run")

    async def _walk(self) -> None:
        begun = utc_now()
        try:
            # The last run may have been cut off while it waited.
            await self._machine.end_waiting()
            self._machine.cut_off = False
            await self.access.bus.emit(self.project_id, RunStarted())
            if self.state not in (_S.BLUEPRINTING, _S.PLANNING_PHASE):
                await self._open.take_wishes_again()
            while True:
                self._budget_changed.clear()
                try:
                    async with self._at_work():
                        await self._take_steps()
                    if not self._steps.due:
                        return
                    words = "Paused. Nothing is lost; continue whenever you like."
                    await self._halt("paused", words, self._may_go_on)
                except BudgetExceededError as error:
                    # The step that was cut off is taken again when there is more.
                    if not self._attended:
                        await self._machine.move(_S.IDLE, _without_end(error.message))
                        return
                    words = f"{error.message} Raise it to go on."
                    await self._halt("budget", words, self._budget_changed)
        except Exception as error:  # noqa: BLE001 - every failure becomes a state and a sentence
            await self._fail(as_vibedesk_error(error), begun)
        finally:
            if not self._steps.waits_for_person:
                # It is over: a pause that was asked for and did not come is none of the next run's.
                self._may_go_on.set()
            if self.state in (_S.IDLE, _S.ERROR):
                await self._open.give_back_wishes()

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """Hold a place among the agents that run."""
        place = await take_place(self.access, self._places) if self._places else None
        self._on_work(self.project_id, True)
        try:
            yield
        finally:
            if place is not None:
                place.release()
            self._on_work(self.project_id, False)

    async def _take_steps(self) -> None:
        """Take steps until none is due, or the person wants a pause."""
        if self._machine.memory.phase == 0 or not self.runtime.serving:
            self._steps.setup.start(self._scope)
        while self._steps.due or await self._steps.more_has_come():
            if not self._may_go_on.is_set():
                return
            await take_step(self._steps.take, self.access)

    async def _fail(self, error: VibeDeskError, since: str) -> None:
        try:
            error = await with_costs(error, self.access, since)
            await self._machine.fail(error)
        except VibeDeskError:
            _log.exception("could not store the failure of %s", self.project_id)
            self._unstored_failure = error

    async def _halt(self, reason: str, words: str, goes_on: asyncio.Event) -> None:
        """Wait, without a place, until the person has the run go on."""
        self._halted = True
        try:
            async with Wait(self.access.bus, self.access.store, self.project_id, reason) as wait:
                await wait.tell(words)
                await goes_on.wait()
        finally:
            self._halted = False


def _without_end(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _ignore_work(_project_id: str, _busy: bool) -> None:
    """Where nobody asks for places back."""
