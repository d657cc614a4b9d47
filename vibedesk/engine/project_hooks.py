"""What becomes of a router's waits, notices and calls: events and rows of the project that it asks for."""

from __future__ import annotations

from datetime import datetime

from vibedesk.base.clock import iso
from vibedesk.engine.budget import Budgets, budget_of, warn_of_budget
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import Notice
from vibedesk.engine.models.protocol import TokenUsage
from vibedesk.engine.models.router import CallUsage, RouterHooks
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.usage import record_call
from vibedesk.engine.waiting import Wait


def project_hooks(
    bus: EventBus, store: ProjectStore, budgets: Budgets, project_id: str
) -> RouterHooks:
    """Return hooks that store a project's calls, keep them within its budget, and tell waits, notices and usage as events."""
    unpriced: set[str] = set()

    waits: dict[str, Wait] = {}

    async def before_call() -> None:
        await budgets.check(project_id)

    async def on_waiting(reason: str, until: datetime, message: str) -> None:
        wait = waits.setdefault(reason, Wait(bus, store, project_id, reason))
        await wait.tell(message, iso(until))

    async def on_resumed(reason: str) -> None:
        if reason in waits:
            await waits.pop(reason).end()

    async def on_notice(message: str, code: str) -> None:
        await bus.emit(project_id, Notice(message, code))

    async def on_usage(call: CallUsage) -> None:
        def work(emit: Emit) -> None:
            before = store.usage_totals(project_id).cost
            record_call(project_id, call, emit)
            budget = budget_of(store, project_id)
            unknown = "" if budget is None else _why_uncounted(call)
            if unknown and call.model not in unpriced:
                unpriced.add(call.model)
                emit(Notice(f"{unknown}, so the budget cannot stop it.", "unknown_price"))
            warn_of_budget(budget, before, before + (call.cost or 0.0), emit)

        await bus.commit(project_id, work)

    return RouterHooks(
        before_call=before_call,
        on_waiting=on_waiting,
        on_resumed=on_resumed,
        on_notice=on_notice,
        on_usage=on_usage,
    )


def _why_uncounted(call: CallUsage) -> str:
    """Return why nobody can say what a call cost; empty where it can be said, or may be of the next one."""
    if call.cost is not None:
        return ""
    if call.tokens != TokenUsage():
        return f"The price of {call.model} is not known"
    if call.outcome == "finished":
        return f"The provider of {call.model} does not say how much its answers use"
    return ""
