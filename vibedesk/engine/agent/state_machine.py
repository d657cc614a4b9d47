"""The agent's state, what a run remembers, and the checked, stored moves between states."""

from __future__ import annotations

import logging
from collections.abc import Callable

from vibedesk.base.aio import finish
from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.agent.run_memory import RunMemory
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import ErrorReported, StateChange, Waiting
from vibedesk.engine.states import RESTING, AgentState, check_transition
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.waiting import with_waiting, without_ended

_log = logging.getLogger(__name__)


class StateMachine:
    """One project's state machine; the stored state is the truth.

    Args:
        record: The project as stored.
        access: The project.
    """

    def __init__(self, record: ProjectRecord, access: ProjectAccess) -> None:
        self._access = access
        self._state = record.state
        self._failed = record.failed_state
        self.cut_off = record.state not in RESTING
        """Whether no run has been at work in the present state since the program began."""
        self.memory = RunMemory.from_dict(record.run)

    @property
    def state(self) -> AgentState:
        return self._state

    @property
    def failed(self) -> AgentState | None:
        """While the state is `error`: the state that failed."""
        return self._failed

    @property
    def resting(self) -> bool:
        return self._state in RESTING

    async def move(
        self,
        target: AgentState,
        reason: str,
        work: Callable[[Emit], None] | None = None,
        *,
        waiting: Waiting | None = None,
    ) -> None:
        """Go to `target`; the transition, what it rests on and its event are one transaction.

        What the last state waited for is over with it; `waiting` is what the agent waits for in `target`.

        A cancel that comes meanwhile waits for it, so that the agent never believes another state than the stored.
        """
        await finish(self._commit_move(target, reason, work, waiting))

    async def _commit_move(
        self,
        target: AgentState,
        reason: str,
        work: Callable[[Emit], None] | None,
        waiting: Waiting | None,
    ) -> None:
        store, project_id = self._access.store, self._access.project_id

        def transaction(emit: Emit) -> AgentState | None:
            record = store.get(project_id)
            check_transition(record.state, target, failed=record.failed_state)
            if work is not None:
                work(emit)
            stored = without_ended(record.waiting, emit)
            if waiting is not None:
                stored = with_waiting(stored, waiting)
            failed = record.state if target is AgentState.ERROR else None
            store.update(
                project_id,
                state=target,
                state_reason=reason,
                run=self.memory.to_dict(),
                failed_state=failed,
                waiting=stored,
                **({} if target is AgentState.ERROR else {"error": None}),
            )
            if waiting is not None:
                emit(waiting)
            emit(StateChange(target.value, record.state.value, reason, cut_off=self.cut_off))
            return failed

        self._failed = await self._access.commit(transaction, durable=True)
        self._state, self.cut_off = target, False

    async def await_person(self, waiting: Waiting, work: Callable[[Emit], None]) -> None:
        """Stay in the present state until the person did something; `work` is in the same transaction."""
        await finish(self._commit_wait(waiting, work))

    async def _commit_wait(self, waiting: Waiting, work: Callable[[Emit], None]) -> None:
        store, project_id = self._access.store, self._access.project_id

        def transaction(emit: Emit) -> None:
            work(emit)
            stored = with_waiting(store.get(project_id).waiting, waiting)
            store.update(project_id, run=self.memory.to_dict(), waiting=stored)
            emit(waiting)

        await self._access.commit(transaction, durable=True)

    async def go_on(self, work: Callable[[Emit], None]) -> None:
        """End what `await_person` began; `work` stores what the person did, in the same transaction."""
        await finish(self._commit_go_on(work))

    async def _commit_go_on(self, work: Callable[[Emit], None]) -> None:
        store, project_id = self._access.store, self._access.project_id

        def transaction(emit: Emit) -> None:
            work(emit)
            stored = without_ended(store.get(project_id).waiting, emit)
            store.update(project_id, run=self.memory.to_dict(), waiting=stored)

        await self._access.commit(transaction, durable=True)

    async def remember(self) -> None:
        """Store what the run remembers, without a move."""
        access, memory = self._access, self.memory.to_dict()
        await access.read(lambda: access.store.update(access.project_id, run=memory))

    async def end_waiting(self) -> None:
        """Forget what nobody waits for any more: the run was stopped, or the program ended meanwhile."""
        store, project_id = self._access.store, self._access.project_id

        def work(emit: Emit) -> None:
            waiting = store.get(project_id).waiting
            still = without_ended(waiting, emit)
            if still != waiting:
                store.update(project_id, waiting=still)

        await self._access.commit(work)

    async def fail(self, error: VibeDeskError) -> None:
        """Go to `error`, from which the state that failed can be tried again.

        Raises:
            VibeDeskError: not even that could be stored (the disk is full). The state stays as it was stored, so
                that the run can be resumed.
        """
        access = self._access

        def work(emit: Emit) -> None:
            access.store.update(access.project_id, error=error.to_dict())
            emit(ErrorReported(error.message, error.remedy, error.code, dict(error.details)))

        _log.info("run of %s failed in %s: %s", access.project_id, self._state, error.code)
        await self.move(AgentState.ERROR, error.message, work)
