"""What a project will cost, before it begins: from the person's own past projects, else from what is usual."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vibedesk.engine.model_choice import ModelChoices
from vibedesk.engine.models.costs import call_cost
from vibedesk.engine.models.prices import ModelPrice
from vibedesk.engine.models.protocol import TokenUsage
from vibedesk.engine.models.recorded import RECORDED_PROVIDER
from vibedesk.engine.models.route_models import no_usable_step
from vibedesk.engine.models.routes import ROUTED, RoutedOperation, routed
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.usage import (
    UsageFilter,
    UsageSum,
    projects_built_by_models,
    usage_sums,
)
from vibedesk.engine.views import EstimateView

_LEAST_PROJECTS = 3
"""So many finished projects of one's own say more than what is usual."""
_MOST_PROJECTS = 20
_BESIDE_PHASES = frozenset({"blueprint", "converse", "summarize", "regenerate_file"})

# What is usual: tokens of one call for wishes of a sentence or two. The prompt's stable part is read from the provider's
# cache after the first call.
_USUAL_BLUEPRINT = TokenUsage(input_tokens=9_000, output_tokens=3_500)
_USUAL_PHASE: Mapping[RoutedOperation, TokenUsage] = {
    "plan_phase": TokenUsage(input_tokens=18_000, cached_tokens=9_000, output_tokens=1_500),
    "implement_phase": TokenUsage(input_tokens=24_000, cached_tokens=9_000, output_tokens=14_000),
    # Half of the phases need one, of twice that size.
    "fix": TokenUsage(input_tokens=10_000, cached_tokens=4_500, output_tokens=1_500),
}
_USUAL_PHASES = (2, 4, 8)
_USUAL_SPREAD = (0.5, 1.0, 2.0)
_LONG_WISH = 4_000
"""Characters from which on a wish is expected to be at the upper end."""

Prices = Mapping[RoutedOperation, ModelPrice]


@dataclass(frozen=True, slots=True)
class _Past:
    """What one project took, at the prices of now: USD of its blueprint, of one of its phases, and how many."""

    blueprint: float
    phase: float
    phases: int


class Estimates:
    """Estimates of one home."""

    def __init__(self, database: Database, store: ProjectStore, models: ModelChoices) -> None:
        self._database = database
        self._store = store
        self._models = models

    async def estimate(self, wish: str, options: ProjectOptions) -> EstimateView:
        """Return what building `wish` will cost, by the models that are asked first.

        Raises:
            NoModelError: no model is set up.
        """
        if options.sample:
            return EstimateView(0.0, 0.0, 0.0, "A recorded example asks no model.")
        settings = await self._models.settings()

        def look() -> tuple[dict[RoutedOperation, str], dict[RoutedOperation, ModelPrice | None]]:
            providers = self._models.providers(settings)
            names: dict[RoutedOperation, str] = {}
            prices: dict[RoutedOperation, ModelPrice | None] = {}
            for operation in ROUTED:
                steps = self._models.steps(settings, providers, operation, options)
                if not steps:
                    raise no_usable_step(operation, [])
                names[operation] = steps[0].model
                prices[operation] = providers.capabilities(steps[0].choice).price
            return names, prices

        names, found = await asyncio.to_thread(look)
        prices: dict[RoutedOperation, ModelPrice] = {}
        for operation, price in found.items():
            if price is None or call_cost(_USUAL_BLUEPRINT, price) is None:
                why = f"The price of {names[operation]} is not known, so the cost cannot be estimated."
                return EstimateView(None, None, None, why)
            prices[operation] = price
        models = " and ".join(dict.fromkeys(names.values()))
        past = await self._database.run(lambda: self._past(prices), durable=False)
        if len(past) >= _LEAST_PROJECTS:
            return _from_past(past, options.max_phases, models)
        return _from_the_usual(wish, options.max_phases, models, prices)

    def _past(self, prices: Prices) -> list[_Past]:
        projects = projects_built_by_models(RECORDED_PROVIDER)[:_MOST_PROJECTS]
        found = []
        for project_id in projects:
            sums = usage_sums(UsageFilter(project_id=project_id), "operation")
            phases = sum(phase.completed for phase in self._store.phases(project_id))
            if phases:
                blueprint = sum(_priced(s, prices) for s in sums if s.key == "blueprint")
                rest = sum(_priced(s, prices) for s in sums if s.key not in _BESIDE_PHASES)
                found.append(_Past(blueprint, rest / phases, phases))
        return found


def _priced(total: UsageSum, prices: Prices) -> float:
    """Return what an operation's calls would cost now, each taken as the mean one."""
    mean = TokenUsage(
        input_tokens=total.input_tokens // total.calls,
        output_tokens=total.output_tokens // total.calls,
        cached_tokens=total.cached_tokens // total.calls,
        cache_write_tokens=total.cache_write_tokens // total.calls,
    )
    return total.calls * (call_cost(mean, prices[routed(total.key)]) or 0.0)


def _from_past(past: Sequence[_Past], most_phases: int, models: str) -> EstimateView:
    def at(share: int) -> float:
        """Return the cost at a quartile: 0 the lower, 1 the median, 2 the upper."""

        def quartile(value: Callable[[_Past], float]) -> float:
            values = [value(project) for project in past]
            return statistics.quantiles(values, n=4, method="inclusive")[share]

        phases = min(quartile(lambda p: p.phases), most_phases)
        return quartile(lambda p: p.blueprint) + phases * quartile(lambda p: p.phase)

    why = f"From your last {len(past)} finished projects, at the prices of {models}."
    return EstimateView(at(0), at(1), at(2), why)


def _from_the_usual(wish: str, most_phases: int, models: str, prices: Prices) -> EstimateView:
    blueprint = call_cost(_USUAL_BLUEPRINT, prices["blueprint"]) or 0.0
    phase = sum(call_cost(tokens, prices[of]) or 0.0 for of, tokens in _USUAL_PHASE.items())
    low, likely, high = (
        spread * (blueprint + min(phases, most_phases) * phase)
        for phases, spread in zip(_USUAL_PHASES, _USUAL_SPREAD, strict=True)
    )
    if len(wish) >= _LONG_WISH:
        likely = (likely + high) / 2
    why = (
        f"From what apps usually take, at the prices of {models}; "
        f"after {_LEAST_PROJECTS} finished projects it comes from your own."
    )
    return EstimateView(low, likely, high, why)
