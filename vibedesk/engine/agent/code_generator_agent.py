"""One project's agent: what may be asked of it, and the run that walks from a wish to a running app.

The stored state says what is being done, `RunMemory` what that needs; a step (`BuildSteps`) does the work of one
state and moves to the next in one transaction. A run that was cut off anywhere therefore goes on by taking the step
of the stored state again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from typing import Any

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import (
    InvalidInputError,
    NotAllowedNowError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.build_steps import AgentLimits, BuildSteps
from vibedesk.engine.agent.conversation import Conversation
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.project_setup import ProjectSetup
from vibedesk.engine.agent.snapshots import Snapshots
from vibedesk.engine.agent.state_machine import StateMachine
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import Blueprint
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import BlueprintReady
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.views import VersionView

_log = logging.getLogger(__name__)
_S = AgentState
_ASKS_A_MODEL = frozenset({_S.BLUEPRINTING, _S.PLANNING_PHASE, _S.IMPLEMENTING_PHASE, _S.FIXING})


class CodeGeneratorAgent:
    """Builds one project. All methods run on the engine's loop."""

    def __init__(
        self,
        record: ProjectRecord,
        access: ProjectAccess,
        runtime: AppRuntime,
        snapshots: Snapshots,
        limits: AgentLimits,
    ) -> None:
        self.project_id = record.id
        self.access = access
        self.runtime = runtime
        self.snapshots = snapshots
        self._limits = limits
        self._machine = StateMachine(record, access)
        self._setup = ProjectSetup(access, runtime)
        self._steps = BuildSteps(self._machine, access, runtime, self._setup, snapshots, limits)
        self._scope = TaskScope(f"agent {record.id}")
        self._run_task: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._commands = asyncio.Lock()
        self._open = OpenWork(access)
        self._unstored_failure: VibeDeskError | None = None
        self.conversation = Conversation(self, access)

    # -- what others ask --------------------------------------------------------------------------
    @property
    def state(self) -> AgentState:
        return self._machine.state

    @property
    def running(self) -> bool:
        return self._run_task is not None and not self._run_task.done()

    @property
    def busy(self) -> bool:
        """Whether a run or an answer is under way."""
        return self.running or self.conversation.answering

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
            edited = await self._edited_blueprint(blueprint or {})
            if blueprint:
                await self._store_blueprint(edited)
            await self._steps.begin_first_phase(edited, "approved")
            self._run()

    async def edit_blueprint(self, changes: dict[str, Any]) -> None:
        """Change fields of the blueprint that waits for approval."""
        async with self._commands:
            await self._let_run_end()
            await self._store_blueprint(await self._edited_blueprint(changes))

    async def _store_blueprint(self, blueprint: Blueprint) -> None:
        data = blueprint.model_dump()

        def store(emit: Emit) -> None:
            self.access.store.update(
                self.project_id,
                blueprint=data,
                title=blueprint.title,
                description=blueprint.description,
            )
            emit(BlueprintReady(data))

        await self.access.commit(store, durable=True)

    async def _edited_blueprint(self, changes: dict[str, Any]) -> Blueprint:
        self._refuse_while_running()
        if self.state is not _S.AWAITING_APPROVAL:
            raise NotAllowedNowError("No blueprint is waiting for your approval.")
        stored = (await self._open.record()).blueprint or {}
        try:
            return Blueprint.model_validate({**stored, **changes})
        except ValueError as error:
            raise InvalidInputError(
                "The blueprint cannot be changed like this.",
                remedy="Undo the last edit and try again.",
                details={"reason": str(error)},
            ) from error

    async def revise_blueprint(self, store: Callable[[Emit], None]) -> bool:
        """Make the blueprint that waits for approval anew, with what the person said about it.

        Args:
            store: Stores what they said, in the transaction of the move.

        Returns:
            Whether a blueprint waits; else nothing was done.
        """
        async with self._commands:
            await self._let_run_end()
            if self.state is not _S.AWAITING_APPROVAL:
                return False
            self._machine.memory.has_blueprint = False
            try:
                await self._machine.move(_S.BLUEPRINTING, "you asked for changes", store)
            finally:
                self._machine.memory.has_blueprint = self.state is _S.AWAITING_APPROVAL
            self._run()
            return True

    async def resume(self) -> None:
        """Go on where a run was cut off, failed, or was stopped, and answer what was left unanswered."""
        async with self._commands:
            await self._let_run_end()
            if self.running:
                return
            if self.state is _S.AWAITING_APPROVAL:
                raise NotAllowedNowError(
                    "The blueprint waits for your approval.",
                    remedy="Approve it, or ask for changes.",
                )
            if self.state is _S.ERROR:
                await self._steps.retry()
            if self.state in (_S.IDLE, _S.COMPLETE):
                await self._steps.take_up_open_work()
            if self._steps.due:
                self._run()
            await self.conversation.answer_open_messages()

    def set_budget(self, budget: float) -> None:
        """Replace the most that may be spent on models, in USD in all."""
        self._limits = dataclasses.replace(self._limits, budget=budget)

    async def cancel(self) -> None:
        """Stop the run now; everything finished stays and the state becomes `idle`."""
        async with self._commands:
            try:
                await self.conversation.cancel()
            finally:
                await self._stop_run()

    async def _stop_run(self) -> None:
        if self._run_task is not None:
            self._run_task.cancel()
            await asyncio.gather(self._run_task, return_exceptions=True)
        try:
            if not self._machine.resting:
                await self._machine.move(_S.IDLE, "stopped by you")
            await self._machine.end_waiting()
        finally:
            await self._setup.cancel()
            await self.runtime.stop()

    async def start_phase_for_wishes(self) -> None:
        """Begin a phase for queued wishes if nothing runs; without a blueprint they wait for it.

        A run that was cut off goes on, and takes them up.
        """
        async with self._commands:
            await self._let_run_end()
            if self._steps.due:
                self._run()
            elif self.running or self.state not in (_S.COMPLETE, _S.IDLE):
                return
            elif (await self._open.record()).blueprint is not None:
                await self._steps.open_wish_phase()
                self._run()

    async def start_phase_for_reply(self) -> None:
        """Begin the phase that writes a reply's change if nothing runs; else it follows the present one.

        A run that was cut off goes on, and writes the change then.
        """
        async with self._commands:
            await self._let_run_end()
            if self._steps.due:
                self._run()
            elif not self.running and self.state in (_S.COMPLETE, _S.IDLE):
                reply = await self._open.next_reply()
                if reply is not None:
                    await self._steps.open_reply_phase(*reply)
                    self._run()

    def follow_folder(self) -> None:
        """Take in outside edits as they happen, while somebody looks at the project."""
        if self._following is None or self._following.done():
            self._following = self._scope.start(self.runtime.follow_folder(), name="follow folder")

    def unfollow_folder(self) -> None:
        if self._following is not None:
            self._following.cancel()

    async def start_preview(self) -> str:
        """Start the app of a project that is at rest, without touching the agent's state."""
        await self._setup.prepare_folder()
        await self.runtime.materialise()
        if not self.runtime.packages_present:
            await self.runtime.install(self.access.template.install_argv())
        url = await self.runtime.start_server()
        await self._steps.tell_server(url)
        return url

    async def restore(self, commit: str) -> VersionView:
        """Bring a version back as a new one, and show it in the running app."""
        self._refuse_while_running()
        await self._setup.undo_half_rename()
        await self.runtime.take_in()
        version = await self.snapshots.restore(commit)
        await self.runtime.materialise()
        return version

    async def wait(self) -> None:
        """Wait until no run and no answer is under way.

        Raises:
            VibeDeskError: the run failed in a way that could not even be stored (the disk is full).
        """
        while self.busy:
            if self.running and self._run_task is not None:
                await asyncio.wait({self._run_task})
            await self.conversation.wait()
        if self._unstored_failure is not None:
            raise self._unstored_failure

    async def aclose(self) -> None:
        """End everything as the program's end does: the stored state stays, so a run can be resumed."""
        await self.conversation.aclose()
        await self._scope.aclose()
        await self._setup.cancel()
        await self.runtime.aclose()
        await self.access.router.aclose()

    # -- the run -------------------------------------------------------------------------------------
    def _refuse_while_running(self) -> None:
        if self.running:
            raise NotAllowedNowError(
                "A run is under way.", remedy="Wait until it is done, or stop it."
            )

    async def _let_run_end(self) -> None:
        """Wait the moment between a state in which a run is over and the end of the run itself."""
        over = self.state in RESTING or self.state is _S.AWAITING_APPROVAL
        if over and self._run_task is not None:
            await asyncio.wait({self._run_task})

    def _run(self) -> None:
        if not self.running:
            self._unstored_failure = None
            self._run_task = self._scope.start(self._walk(), name="run")

    async def _walk(self) -> None:
        try:
            if self._machine.memory.phase == 0 or not self.runtime.serving:
                self._setup.start(self._scope)
            while self._steps.due or await self._steps.more_has_come():
                if await self._budget_is_spent():
                    return
                await self._steps.take()
        except Exception as error:  # noqa: BLE001 - every failure becomes a state and a sentence
            await self._fail(as_vibedesk_error(error))

    async def _fail(self, error: VibeDeskError) -> None:
        try:
            await self._machine.fail(error)
        except VibeDeskError:
            _log.exception("could not store the failure of %s", self.project_id)
            self._unstored_failure = error

    async def _budget_is_spent(self) -> bool:
        budget = self._limits.budget
        if budget is None or self.state not in _ASKS_A_MODEL:
            return False
        totals = await self.access.read(lambda: self.access.store.usage_totals(self.project_id))
        if totals.cost < budget:
            return False
        await self._machine.move(_S.IDLE, f"the budget of {budget:g} USD is used up")
        return True
