"""What a project's agent waits for: told when it begins, changes and ends, and stored while a run is under way.

More than one thing may be waited for at once: the packages for Docker, the plan for the model's rate limit. What is
stored is the newest, which is what people are shown, with the older ones in `before`.
"""

from __future__ import annotations

import asyncio
import secrets
from types import TracebackType
from typing import Any, Self

from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import Resumed, Waiting
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.projects import ProjectStore

Json = dict[str, Any]

_NO_RUN = {*RESTING, AgentState.AWAITING_APPROVAL}
_held: set[str] = set()
"""The waits that somebody in this process is in. Others that are stored are over, or belong to a state."""


class Wait:
    """One wait of a project, from the first `tell` to the end of the `async with` around it.

    A wait that is cancelled stays stored, so that the person finds it again after a restart; stopping the run
    (`StateMachine.end_waiting`) ends it. Where no run is under way (a preview is started) only events are told.
    """

    def __init__(self, bus: EventBus, store: ProjectStore, project_id: str, reason: str) -> None:
        self._bus = bus
        self._store = store
        self._project_id = project_id
        self._reason = reason
        self._id = secrets.token_hex(8)
        self._told = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end(cancelled=isinstance(error, asyncio.CancelledError))

    async def tell(self, message: str, until: str | None = None) -> None:
        """Say what is waited for and, in UTC, how long; again whenever that changes."""
        waiting = Waiting(self._reason, until, message)
        self._told = True
        _held.add(self._id)

        def work(emit: Emit) -> None:
            record = self._store.get(self._project_id)
            if record.state not in _NO_RUN:
                stored = with_waiting(record.waiting, waiting, held=self._id)
                self._store.update(self._project_id, waiting=stored)
            emit(waiting)

        await self._bus.commit(self._project_id, work)

    async def end(self) -> None:
        """Say that it is over. Idempotent; leaving the `async with` does it, too."""
        await self._end(cancelled=False)

    async def _end(self, *, cancelled: bool) -> None:
        if not self._told:
            return
        self._told = False

        def work(emit: Emit) -> None:
            stored = self._store.get(self._project_id).waiting
            others = [entry for entry in _entries(stored) if entry.get("held") != self._id]
            was_stored = len(others) < len(_entries(stored))
            if cancelled and was_stored:
                return
            if was_stored:
                self._store.update(self._project_id, waiting=_stacked(others))
            emit(Resumed(self._reason))
            if others:
                emit(_event(others[0]))

        try:
            await self._bus.commit(self._project_id, work)
        finally:
            _held.discard(self._id)


def with_waiting(stored: Json | None, waiting: Waiting, *, held: str = "") -> Json:
    """Return what to store when `waiting` begins or changes. `held` is empty where it lasts as long as the state."""
    others = [entry for entry in _entries(stored) if not held or entry.get("held") != held]
    newest = {**waiting.to_data(), "held": held}
    return {**newest, "before": others} if others else newest


def without_ended(stored: Json | None, emit: Emit) -> Json | None:
    """Return what to store of `stored` with a new state: what nobody is in any more is told to be over."""
    still = []
    for entry in _entries(stored):
        if entry.get("held") in _held:
            still.append(entry)
        else:
            emit(Resumed(entry["reason"]))
    return _stacked(still)


def _entries(stored: Json | None) -> list[Json]:
    """Return the waits in a stored value, newest first."""
    if stored is None:
        return []
    newest = {key: value for key, value in stored.items() if key != "before"}
    return [newest, *stored.get("before", ())]


def _stacked(entries: list[Json]) -> Json | None:
    if not entries:
        return None
    newest, *before = entries
    return {**newest, "before": before} if before else newest


def _event(entry: Json) -> Waiting:
    return Waiting(entry["reason"], entry.get("until"), entry.get("message", ""))
