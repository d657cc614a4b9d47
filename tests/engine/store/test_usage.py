"""Sums of model calls: every grouping comes to the totals, and filters leave out what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibedesk.base.paths import Home
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.tables import ProjectRow, UsageRow
from vibedesk.engine.store.usage import (
    Grouping,
    UsageFilter,
    UsageSum,
    last_calls,
    usage_by_day,
    usage_sums,
    usage_total,
)

GROUPINGS: tuple[Grouping, ...] = ("day", "operation", "model", "phase", "project")
COUNTED = (
    "calls",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "unpriced",
)
PROJECTS = ("first", "second")

tokens = st.integers(0, 10_000_000)
dollars = st.none() | st.floats(0, 100)
calls = st.fixed_dictionaries(
    {
        "project": st.sampled_from(PROJECTS),
        "at": st.datetimes().map(lambda t: t.isoformat(timespec="milliseconds") + "Z"),
        "operation": st.sampled_from(["blueprint", "continue", "fix"]),
        "continues": st.sampled_from(["", "blueprint", "fix"]),
        "provider": st.sampled_from(["anthropic", "recorded"]),
        "model": st.sampled_from(["a", "b", "c"]),
        "phase": st.integers(0, 3),
        "input_tokens": tokens,
        "cached_tokens": tokens,
        "cache_write_tokens": tokens,
        "output_tokens": tokens,
        "reasoning_tokens": tokens,
        "cost": dollars,
        "saved": dollars,
        "latency": st.floats(0, 1000),
    }
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root: Path = tmp_path_factory.mktemp("home")
    opened = Database.open(Home(root=root, projects=root), write=True)

    def projects() -> None:
        for name in PROJECTS:
            made = ProjectStore().create({"name": name, "folder": name})
            ProjectRow.update(id=name).where(ProjectRow.id == made.id).execute()

    opened.call(projects)
    yield opened
    opened.close()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(calls, max_size=30),
    project=st.none() | st.sampled_from(PROJECTS),
    since=st.sampled_from(["", "2024-01-01T00:00:00.000Z"]),
    not_from=st.sampled_from(["", "recorded"]),
    operation=st.sampled_from(["", "fix", "blueprint"]),
)
def test_the_sums_of_every_grouping_are_the_totals(
    database: Database,
    rows: list[dict[str, Any]],
    project: str | None,
    since: str,
    not_from: str,
    operation: str,
) -> None:
    wanted = UsageFilter(project_id=project, since=since, not_from=not_from, operation=operation)

    def work() -> tuple[
        UsageSum, dict[Grouping, list[UsageSum]], dict[Grouping, list[tuple[str, UsageSum]]], int
    ]:
        UsageRow.delete().execute()
        for row in rows:
            UsageRow.insert(row).execute()
        grouped = {grouping: usage_sums(wanted, grouping) for grouping in GROUPINGS}
        parts = {grouping: usage_by_day(wanted, grouping) for grouping in GROUPINGS}
        return usage_total(wanted), grouped, parts, len(last_calls(wanted, 1000))

    total, grouped, parts, listed = database.call(work)
    meant = [
        r
        for r in rows
        if (project is None or r["project"] == project)
        and r["at"] >= since
        and r["provider"] != not_from
        and (not operation or operation in (r["operation"], r["continues"]))
    ]
    assert total.calls == listed == len(meant)
    assert total.input_tokens == sum(r["input_tokens"] for r in meant)
    assert total.cost == pytest.approx(sum(r["cost"] or 0 for r in meant))
    assert total.unpriced == sum(r["cost"] is None for r in meant)
    for sums in grouped.values():
        assert len({s.key for s in sums}) == len(sums)
        for name in COUNTED:
            assert sum(getattr(s, name) for s in sums) == getattr(total, name)
        for name in ("cost", "saved", "seconds"):
            assert sum(getattr(s, name) for s in sums) == pytest.approx(getattr(total, name))
    for grouping, days in parts.items():
        assert [day for day, _ in days] == sorted(day for day, _ in days)
        for day in grouped["day"]:
            of_day = [part for name, part in days if name == day.key]
            assert sum(part.calls for part in of_day) == day.calls
            assert sum(part.cost for part in of_day) == pytest.approx(day.cost)
        for group in grouped[grouping]:
            of_group = [part for _, part in days if part.key == group.key]
            assert sum(part.input_tokens for part in of_group) == group.input_tokens
