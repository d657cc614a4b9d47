"""Model calls and how long work took: what was recorded, and its sums.

Every function runs on the store's thread, inside the transaction of whoever called it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from peewee import fn

from vibedesk.base.clock import utc_now
from vibedesk.engine.store.records import Json
from vibedesk.engine.store.tables import ProjectRow, TimingRow, UsageRow

Grouping = Literal["day", "operation", "model", "phase", "project"]

_KEYS: dict[Grouping, Any] = {
    # The person's day, not that of Greenwich.
    "day": fn.date(UsageRow.at, "localtime"),
    "operation": UsageRow.operation,
    "model": UsageRow.model,
    "phase": UsageRow.phase,
    "project": UsageRow.project,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """Which calls are meant.

    Attributes:
        project_id: Those of one project; None: of all.
        since: Those from this time on (UTC, ISO 8601); empty: all.
        not_from: None of this provider.
        operation: Only calls of it, and those that went on with one; empty: all.
    """

    project_id: str | None = None
    since: str = ""
    not_from: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """The sums of a group of calls; `cost` and `saved` in USD leave out the `unpriced` ones."""

    key: str
    calls: int
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: float
    unpriced: int
    saved: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call. `seconds`: from the request to the end of the answer."""

    at: str
    project_id: str
    operation: str
    provider: str
    model: str
    phase: int
    outcome: str
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: float | None
    saved: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingRecord:
    """How long one operation took. `outcome`: done, failed or cancelled."""

    at: str
    operation: str
    phase: int
    seconds: float
    outcome: str


def add_call(project_id: str, fields: Json) -> None:
    """Record one call; `fields` are columns of the table."""
    UsageRow.insert(project=project_id, at=utc_now(), **fields).execute()


def usage_sums(wanted: UsageFilter, grouping: Grouping) -> list[UsageSum]:
    """Return the sums by group, in the order of their keys."""
    key = _KEYS[grouping]
    return [_sum(row) for row in _summed(wanted, key).group_by(key).order_by(key).tuples()]


def usage_total(wanted: UsageFilter) -> UsageSum:
    return _sum(_summed(wanted, fn.COALESCE("", "")).tuples().get())


def usage_by_day(wanted: UsageFilter, grouping: Grouping) -> list[tuple[str, UsageSum]]:
    """Return the sums by day and group, oldest day first."""
    day, key = _KEYS["day"], _KEYS[grouping]
    rows = _summed(wanted, key).select_extend(day).group_by(day, key).order_by(day, key).tuples()
    return [(str(row[-1]), _sum(row[:-1])) for row in rows]


def last_calls(wanted: UsageFilter, limit: int) -> list[CallRecord]:
    """Return the newest calls first."""
    rows = _filtered(UsageRow.select(), wanted).order_by(UsageRow.id.desc()).limit(limit)
    return [
        CallRecord(
            at=row.at,
            project_id=row.project_id,
            operation=row.operation,
            provider=row.provider,
            model=row.model,
            phase=row.phase,
            outcome=row.outcome,
            input_tokens=row.input_tokens,
            cached_tokens=row.cached_tokens,
            cache_write_tokens=row.cache_write_tokens,
            output_tokens=row.output_tokens,
            reasoning_tokens=row.reasoning_tokens,
            cost=row.cost,
            saved=row.saved,
            seconds=row.latency,
        )
        for row in rows
    ]


def project_labels() -> dict[str, str]:
    """Return what to call each project, deleted ones included: what they cost was spent."""
    rows = ProjectRow.select(
        ProjectRow.id, ProjectRow.title, ProjectRow.name, ProjectRow.deleted_at
    )
    return {
        row.id: (row.title or row.name) + (" (deleted)" if row.deleted_at else "") for row in rows
    }


def projects_built_by_models(provider_of_recordings: str) -> list[str]:
    """Return the projects that are complete and were built by asking models, newest first."""
    recorded = UsageRow.select(UsageRow.project).where(UsageRow.provider == provider_of_recordings)
    rows = (
        ProjectRow.select(ProjectRow.id)
        .where((ProjectRow.state == "complete") & ProjectRow.id.not_in(recorded))
        .order_by(ProjectRow.id.desc())
    )
    return [row.id for row in rows]


def add_timing(
    project_id: str, operation: str, *, phase: int, seconds: float, outcome: str
) -> None:
    TimingRow.insert(
        project=project_id,
        at=utc_now(),
        operation=operation,
        phase=phase,
        seconds=round(seconds, 3),
        outcome=outcome,
    ).execute()


def timings(project_id: str) -> list[TimingRecord]:
    """Return how long the project's operations took, in order."""
    rows = TimingRow.select().where(TimingRow.project == project_id).order_by(TimingRow.id)
    return [
        TimingRecord(
            at=row.at,
            operation=row.operation,
            phase=row.phase,
            seconds=row.seconds,
            outcome=row.outcome,
        )
        for row in rows
    ]


def _summed(wanted: UsageFilter, key: Any) -> Any:
    query = UsageRow.select(
        key,
        fn.COUNT(UsageRow.id),
        *(
            fn.COALESCE(fn.SUM(column), 0)
            for column in (
                UsageRow.input_tokens,
                UsageRow.cached_tokens,
                UsageRow.cache_write_tokens,
                UsageRow.output_tokens,
                UsageRow.reasoning_tokens,
            )
        ),
        fn.COALESCE(fn.SUM(UsageRow.cost), 0.0),
        fn.COUNT(UsageRow.id) - fn.COUNT(UsageRow.cost),
        fn.COALESCE(fn.SUM(UsageRow.saved), 0.0),
        fn.COALESCE(fn.SUM(UsageRow.latency), 0.0),
    )
    return _filtered(query, wanted)


def _filtered(query: Any, wanted: UsageFilter) -> Any:
    if wanted.project_id is not None:
        query = query.where(UsageRow.project == wanted.project_id)
    if wanted.since:
        query = query.where(UsageRow.at >= wanted.since)
    if wanted.not_from:
        query = query.where(UsageRow.provider != wanted.not_from)
    if wanted.operation:
        query = query.where(
            (UsageRow.operation == wanted.operation) | (UsageRow.continues == wanted.operation)
        )
    return query


def _sum(row: tuple[Any, ...]) -> UsageSum:
    key, calls, given, cached, written, made, reasoned, cost, unpriced, saved, seconds = row
    return UsageSum(
        key=str(key),
        calls=calls,
        input_tokens=given,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=made,
        reasoning_tokens=reasoned,
        cost=cost,
        unpriced=int(unpriced),
        saved=saved,
        seconds=seconds,
    )
