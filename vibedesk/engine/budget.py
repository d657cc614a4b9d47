"""What a project may spend on models: asked before every request, told at 80 %, and changed by the person."""

from __future__ import annotations

import dataclasses
import math

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import BudgetWarning, ProjectChanged
from vibedesk.engine.models.protocol import BudgetExceededError
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore

_WARN_AT = 0.8


class Budgets:
    """The budgets of a home's projects; each is an option of its project."""

    def __init__(self, database: Database, store: ProjectStore, bus: EventBus) -> None:
        self._database = database
        self._store = store
        self._bus = bus

    async def check(self, project_id: str) -> None:
        """Let a request pass, or not.

        Raises:
            BudgetExceededError: the project has spent what it may, as its options say now.
        """

        def look() -> tuple[float | None, float]:
            return (
                budget_of(self._store, project_id),
                self._store.usage_totals(project_id).cost,
            )

        budget, spent = await self._database.run(look, durable=False)
        if budget is not None and spent >= budget:
            raise BudgetExceededError(
                f"The budget of {budget:g} USD is used up, so no model is asked.",
                remedy=f"Raise it in Usage, or with `vibedesk resume {project_id} --budget USD`.",
                details={"budget": f"{budget:g}", "spent": f"{spent:.4f}"},
            )

    async def set(self, project_id: str, budget: float | None) -> None:
        """Replace the most that may be spent, in USD in all; None: no limit.

        Raises:
            InvalidInputError: it is no amount above 0.
        """
        if budget is not None and not (math.isfinite(budget) and budget > 0):
            raise InvalidInputError(
                f"{budget:g} USD is no budget.", remedy="Give an amount above 0, or none at all."
            )

        def work(emit: Emit) -> None:
            options = ProjectOptions.from_dict(self._store.get(project_id).options)
            changed = dataclasses.replace(options, budget=budget)
            self._store.update(project_id, options=changed.to_dict())
            emit(ProjectChanged({"budget": budget}))
            warn_of_budget(budget, 0.0, self._store.usage_totals(project_id).cost, emit)

        await self._bus.commit(project_id, work, durable=True)


def budget_of(store: ProjectStore, project_id: str) -> float | None:
    """Return a project's budget in USD. On the store's thread."""
    return ProjectOptions.from_dict(store.get(project_id).options).budget


def warn_of_budget(budget: float | None, before: float, spent: float, emit: Emit) -> None:
    """Tell once that most of the budget is spent: when what was spent `before` was less than that."""
    if budget and before < _WARN_AT * budget <= spent:
        emit(BudgetWarning(round(spent, 4), budget))
