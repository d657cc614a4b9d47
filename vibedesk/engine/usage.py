"""What models were asked and what it cost: recorded call by call, shown as sums."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from typing import Any

from vibedesk.base.clock import iso
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.budget import budget_of
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import Usage
from vibedesk.engine.models.recorded import RECORDED_PROVIDER
from vibedesk.engine.models.router import CallUsage
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.usage import (
    UsageFilter,
    UsageSum,
    add_call,
    last_calls,
    project_labels,
    usage_by_day,
    usage_sums,
    usage_total,
)
from vibedesk.engine.views import CallView, UsageDayView, UsageReport, UsageSumView

_LAST_CALLS = 200
_MOST_DAYS = 36_500


def record_call(project_id: str, call: CallUsage, emit: Emit) -> None:
    """Store a model call, however it ended, and tell it. On the store's thread."""
    tokens = call.tokens
    # The blueprint has the first phase in it, but is no part of that.
    phase = 0 if call.operation == "blueprint" else call.phase
    add_call(
        project_id,
        {
            "operation": call.operation,
            "continues": call.continues,
            "provider": call.provider,
            "model": call.model,
            "input_tokens": tokens.input_tokens,
            "output_tokens": tokens.output_tokens,
            "cached_tokens": tokens.cached_tokens,
            "cache_write_tokens": tokens.cache_write_tokens,
            "reasoning_tokens": tokens.reasoning_tokens,
            "cost": call.cost,
            "saved": call.saved,
            "latency": call.latency_s,
            "phase": phase,
            "outcome": call.outcome,
        },
    )
    emit(
        Usage(
            call.operation,
            call.model,
            tokens.input_tokens,
            tokens.output_tokens,
            tokens.cached_tokens,
            call.cost,
            cache_write_tokens=tokens.cache_write_tokens,
            reasoning_tokens=tokens.reasoning_tokens,
            phase=phase,
            saved=call.saved,
            outcome=call.outcome,
        )
    )


class UsageReports:
    """Sums over the recorded calls of one home."""

    def __init__(self, database: Database, store: ProjectStore) -> None:
        self._database = database
        self._store = store

    async def report(self, project_id: str | None, days: int | None) -> UsageReport:
        """Return the calls of a project, or of all, of so many days up to today, or of all times.

        Over all projects recorded examples are left out: they asked nobody.

        Raises:
            InvalidInputError: `days` is below 1.
            NotFoundError: there is no such project.
        """
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise InvalidInputError("The number of days is at least 1.")
        wanted = UsageFilter(
            project_id=project_id,
            since=_begin(days) if days is not None else "",
            not_from="" if project_id is not None else RECORDED_PROVIDER,
        )
        return await self._database.run(lambda: self._report(wanted), durable=False)

    def _report(self, wanted: UsageFilter) -> UsageReport:
        names = project_labels()
        phases: dict[str, str] = {}
        budget = None
        if wanted.project_id is not None:
            budget = budget_of(self._store, wanted.project_id)
            phases = {str(p.number): p.name for p in self._store.phases(wanted.project_id)}
        return UsageReport(
            totals=_view(usage_total(wanted), str),
            by_day=tuple(_view(s, str) for s in usage_sums(wanted, "day")),
            by_operation=_dearest_first(usage_sums(wanted, "operation"), _operation),
            by_model=_dearest_first(usage_sums(wanted, "model"), str),
            by_phase=tuple(
                _view(s, lambda key: _phase(key, phases)) for s in usage_sums(wanted, "phase")
            ),
            by_project=_dearest_first(
                usage_sums(wanted, "project"), lambda key: names.get(key, key)
            ),
            calls=tuple(
                CallView(**dataclasses.asdict(call)) for call in last_calls(wanted, _LAST_CALLS)
            ),
            budget=budget,
            days_by_operation=_days(usage_by_day(wanted, "operation"), _operation),
            days_by_model=_days(usage_by_day(wanted, "model"), str),
        )


def usage_of_project(project_id: str) -> dict[str, Any]:
    """Return a project's sums in all and by operation, as plain data. On the store's thread."""
    wanted = UsageFilter(project_id=project_id)
    return {
        "totals": _view(usage_total(wanted), str).to_dict(),
        "by_operation": [_view(s, str).to_dict() for s in usage_sums(wanted, "operation")],
    }


def _begin(days: int) -> str:
    """Return when the first of so many days up to today began here, in UTC."""
    first = datetime.now().astimezone().date() - timedelta(days=days - 1)
    return iso(datetime.combine(first, time()).astimezone())


def _days(
    sums: Iterable[tuple[str, UsageSum]], label: Callable[[str], str]
) -> tuple[UsageDayView, ...]:
    days: dict[str, list[UsageSumView]] = {}
    for day, part in sums:
        days.setdefault(day, []).append(_view(part, label))
    return tuple(UsageDayView(day=day, parts=tuple(parts)) for day, parts in days.items())


def _dearest_first(
    sums: Iterable[UsageSum], label: Callable[[str], str]
) -> tuple[UsageSumView, ...]:
    views = [_view(s, label) for s in sums]
    return tuple(sorted(views, key=lambda v: (-v.cost, -v.calls, v.key)))


def _view(total: UsageSum, label: Callable[[str], str]) -> UsageSumView:
    return UsageSumView(
        key=total.key,
        label=label(total.key),
        calls=total.calls,
        input_tokens=total.input_tokens,
        cached_tokens=total.cached_tokens,
        cache_write_tokens=total.cache_write_tokens,
        output_tokens=total.output_tokens,
        reasoning_tokens=total.reasoning_tokens,
        cost=total.cost,
        unpriced=total.unpriced,
        saved=total.saved,
        mean_seconds=total.seconds / total.calls if total.calls else 0.0,
    )


def _operation(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _phase(key: str, names: dict[str, str]) -> str:
    if key == "0":
        return "Outside phases"
    return f"Phase {key}: {names[key]}" if key in names else f"Phase {key}"
