"""Which model answers which operation: presets as data, routes of a person's own, and what keeps a step from being used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from vibedesk.base.errors import InvalidInputError
from vibedesk.base.resources import resource
from vibedesk.engine.models.protocol import ModelRequest, Operation, ReasoningEffort
from vibedesk.engine.models.providers import ModelChoice, Providers

RoutedOperation = Literal["blueprint", "plan_phase", "implement_phase", "fix", "converse"]
Preset = Literal["best", "balanced", "cheap", "local", "custom"]

ROUTED: Final[tuple[RoutedOperation, ...]] = get_args(RoutedOperation)
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)
USUAL_PRESET: Final[Preset] = "balanced"

_ROUTE_OF: Final[Mapping[Operation, RoutedOperation]] = {
    "blueprint": "blueprint",
    "plan_phase": "plan_phase",
    "implement_phase": "implement_phase",
    "regenerate_file": "implement_phase",
    "continue": "implement_phase",
    "fix": "fix",
    "review": "fix",
    "debug": "fix",
    "checks": "fix",
    "converse": "converse",
    "summarize": "converse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStep:
    """One model to ask, and how. None and empty: as the request and the model have it."""

    provider: str
    model: str
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: ReasoningEffort = ""

    @property
    def choice(self) -> ModelChoice:
        return ModelChoice(self.provider, self.model)


def route_of(request: ModelRequest) -> RoutedOperation:
    """Return whose route a request takes; a `continue` takes that of what it goes on with."""
    return _ROUTE_OF[request.continues or request.operation]


def routed(operation: str) -> RoutedOperation:
    """Return whose route calls that were recorded under this operation took."""
    return next((route for of, route in _ROUTE_OF.items() if of == operation), "implement_phase")


def preset_route(
    preset: Preset, operation: RoutedOperation, providers: Providers, default: str
) -> list[RouteStep]:
    """Return the steps of a preset: a model of every provider that is ready, `default` first.

    `local` has models on the person's own machines only, and so has every preset after a `default` that is local, for
    that choice may be one of privacy. `custom` is made of routes of one's own and has the usual steps where there is
    none.
    """
    only_local = preset == "local" or (
        default in providers.names() and providers.get(default).is_local(providers.environ)
    )
    plan = _presets()["balanced" if preset == "custom" else preset][operation]
    statuses = sorted(
        (status for status in providers.configured_providers() if status.ready),
        key=lambda status: status.config.name != default,
    )
    return [
        RouteStep(
            provider=status.config.name,
            model=status.config.tier(plan["tier"], providers.environ),
            reasoning_effort=plan.get("reasoning_effort", ""),
        )
        for status in statuses
        if not only_local or status.config.is_local(providers.environ)
    ]


def override_route(
    steps: Sequence[RouteStep], provider: str, model: str, providers: Providers, *, own: bool
) -> list[RouteStep]:
    """Return a route whose first step is the project's own choice.

    Args:
        steps: The route without it.
        provider: The choice; empty: that of the first step.
        model: The choice; empty: the provider's usual one.
        providers: All there are.
        own: The person made the route, so its other steps stay as fallbacks. Those of a preset do not: who names a
            provider has not asked for others. After a local choice only local ones stay, for it may be one of privacy.

    Raises:
        NoModelError, NotFoundError: there is no such provider, or no model of it is chosen.
    """
    if not provider and not model:
        return list(steps)
    named = provider or (steps[0].provider if steps else None)
    choice = providers.choose(named, model or None)
    effort = steps[0].reasoning_effort if steps else ""
    first = RouteStep(provider=choice.provider, model=choice.model, reasoning_effort=effort)
    local = providers.get(choice.provider).is_local(providers.environ)
    rest = [
        step
        for step in steps
        if own
        and step.choice != choice
        and step.provider in providers.names()
        and (not local or providers.get(step.provider).is_local(providers.environ))
    ]
    return [first, *rest]


def read_steps(data: Any, place: str) -> list[RouteStep]:
    """Read a route as Settings stores it.

    Raises:
        InvalidInputError: it is none; `details` names the place.
    """
    if not isinstance(data, list):
        raise _invalid(place, "it is a list of steps")
    return [_read_step(entry, f"{place}[{number}]") for number, entry in enumerate(data)]


def write_steps(steps: Sequence[RouteStep]) -> list[dict[str, Any]]:
    """Return a route as plain data."""
    return [asdict(step) for step in steps]


def check_preset(name: str) -> Preset:
    """Return `name` as a preset.

    Raises:
        InvalidInputError: there is none of that name.
    """
    for preset in PRESETS:
        if preset == name:
            return preset
    raise _invalid("preset", f"it is one of {', '.join(PRESETS)}")


def check_operation(name: str) -> RoutedOperation:
    """Return `name` as an operation that has a route.

    Raises:
        InvalidInputError: it has none.
    """
    for operation in ROUTED:
        if operation == name:
            return operation
    raise _invalid("operation", f"it is one of {', '.join(ROUTED)}")


def _read_step(entry: Any, place: str) -> RouteStep:
    known = set(RouteStep.__dataclass_fields__)
    if not isinstance(entry, Mapping) or not set(entry) <= known:
        raise _invalid(place, f"it has {', '.join(sorted(known))} only")
    values: dict[str, Any] = {"provider": "", "model": "", **entry}
    for name in ("provider", "model"):
        if not isinstance(values[name], str) or not values[name]:
            raise _invalid(f"{place}.{name}", "it is missing")
    warmth = values.get("temperature")
    number = isinstance(warmth, int | float) and not isinstance(warmth, bool)
    if warmth is not None and not (number and 0 <= warmth <= 2):
        raise _invalid(f"{place}.temperature", "it is a number from 0 to 2")
    most = values.get("max_output_tokens")
    if most is not None and not (type(most) is int and most > 0):
        raise _invalid(f"{place}.max_output_tokens", "it is a number of tokens above 0")
    if values.get("reasoning_effort", "") not in get_args(ReasoningEffort):
        raise _invalid(f"{place}.reasoning_effort", "it is low, medium, high or empty")
    return RouteStep(**values)


@lru_cache(maxsize=1)
def _presets() -> Mapping[str, Any]:
    data = json.loads(resource("models", "presets.json").read_text(encoding="utf-8"))
    presets: Mapping[str, Any] = data["presets"]
    return presets


def _invalid(name: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"This route cannot be used: {name}: {reason}.",
        remedy="Correct it in Settings › Models.",
        details={"field": name, "reason": reason},
    )
