"""What runs cost: the report, the estimate, and the budget that a person is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import TINY_TEMPLATE
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions


@pytest.fixture
async def attended(
    home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    engine = Engine(home, attended=True)
    await asyncio.to_thread(engine.start)
    desk = Desk(engine, server)
    yield desk
    await desk.aclose()


def _waits(desk: Desk, reason: str) -> list[str]:
    return [e.payload.message for e in desk.of("waiting") if e.payload.reason == reason]  # type: ignore[attr-defined]


async def test_an_attended_run_waits_at_the_budget_until_it_is_raised(attended: Desk) -> None:
    # The first answer would be asked for again, but uses the budget up.
    attended.server.fail(faults.max_tokens(after_chars=28), operation="blueprint")
    project_id = await attended.create(budget=0.0001)
    await attended.engine.generate(project_id)
    waiting = await attended.until(
        lambda e: e.type == "waiting" and e.payload.reason == "budget"  # type: ignore[attr-defined]
    )
    view = await attended.engine.project(project_id)
    assert view.running
    assert view.state not in ("idle", "error")
    assert view.waiting is not None
    assert view.waiting.reason == "budget"
    assert "0.0001 USD" in waiting.payload.message  # type: ignore[attr-defined]
    assert len(attended.server.requests) == 1
    assert attended.services.agents.places.holders == ()  # others may work meanwhile
    await attended.engine.set_budget(project_id, 0.0002)  # not enough: it waits again
    await attended.until(lambda _: len(_waits(attended, "budget")) == 2)
    await attended.engine.set_budget(project_id, None)
    await attended.engine.wait(project_id)
    after = await attended.engine.project(project_id)
    assert (after.state, after.waiting, after.budget) == ("complete", None, None)
    assert len(attended.server.requests_for("blueprint")) == 2


async def test_a_wait_for_the_budget_survives_a_restart(
    attended: Desk, home: Home, server: ModelServer
) -> None:
    project_id = await attended.create(budget=0.0001)
    await attended.engine.generate(project_id)
    await attended.until(lambda e: e.type == "waiting" and e.payload.reason == "budget")  # type: ignore[attr-defined]
    await attended.engine.shutdown()
    engine = Engine(home, attended=True)
    await asyncio.to_thread(engine.start)
    again = Desk(engine, server)
    try:
        view = await engine.project(project_id)
        assert view.waiting is not None
        assert view.waiting.reason == "budget"
        assert view.can_continue
        await again.watch(project_id)
        await engine.resume(project_id)
        await again.until(lambda e: e.type == "waiting" and e.payload.reason == "budget")  # type: ignore[attr-defined]
        await engine.cancel(project_id)
        assert await again.state(project_id) == "idle"
    finally:
        await again.aclose()


async def test_the_warning_comes_once_a_budget(desk: Desk) -> None:
    project_id = await desk.build()
    spent = (await desk.engine.project(project_id)).cost
    assert desk.of("budget_warning") == []
    await desk.engine.set_budget(project_id, spent * 1.1)
    await desk.engine.set_budget(project_id, spent * 100)
    warned = await desk.until(lambda e: e.type == "budget_warning")
    assert warned.payload.limit == spent * 1.1  # type: ignore[attr-defined]
    await desk.engine.snapshot(project_id, "after both")
    assert len(desk.of("budget_warning")) == 1
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidInputError):
            await desk.engine.set_budget(project_id, wrong)


async def test_the_report_has_the_calls_of_a_build(desk: Desk) -> None:
    project_id = await desk.build()
    report = await desk.engine.usage(project_id)
    asked = [r.operation for r in desk.server.requests if r.operation]
    assert report.totals.calls == len(asked) == len(report.calls)
    assert {s.key for s in report.by_operation} == set(asked)
    assert [s.key for s in report.by_phase][:2] == ["0", "1"]
    assert report.by_phase[1].label.startswith("Phase 1: ")
    assert report.calls[-1].operation == "blueprint"
    view = await desk.engine.project(project_id)
    assert report.totals.cost == pytest.approx(view.cost)
    assert report.totals.mean_seconds > 0
    assert (await desk.engine.usage(days=1)).totals == report.totals
    with pytest.raises(InvalidInputError):
        await desk.engine.usage(days=0)
    with pytest.raises(NotFoundError):
        await desk.engine.usage("nobody")


async def test_money_of_a_deleted_project_stays_spent(desk: Desk) -> None:
    project_id = await desk.build()
    before = (await desk.engine.usage()).totals
    await desk.engine.delete_project(project_id)
    report = await desk.engine.usage()
    assert report.totals == before
    assert report.by_project[0].label.endswith("(deleted)")


async def test_an_estimate_comes_from_past_projects_once_there_are_some(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = ProjectOptions(template=str(TINY_TEMPLATE))
    usual = await desk.engine.estimate("A counter", options)
    assert usual.low is not None
    assert usual.likely is not None
    assert usual.high is not None
    assert 0 < usual.low < usual.likely < usual.high
    assert "usually" in usual.why
    short = await desk.engine.estimate("A counter", ProjectOptions(max_phases=1))
    assert short.likely is not None
    assert short.likely < usual.likely
    # All three cost what the first one did: so will the next.
    project_id = await desk.build()
    cost = (await desk.engine.project(project_id)).cost
    await desk.services.database.run(lambda: _copies(project_id, 2))
    own = await desk.engine.estimate("A counter", options)
    assert own.likely == pytest.approx(cost, rel=0.05)
    assert "your last 3" in own.why


async def test_an_unknown_price_is_said_and_not_guessed(desk: Desk) -> None:
    view = await desk.engine.estimate("A counter", ProjectOptions(model="unheard-of"))
    assert (view.low, view.likely, view.high) == (None, None, None)
    assert "unheard-of" in view.why


def _copies(project_id: str, count: int) -> None:
    """Store so many more projects with the same calls and phases."""
    from vibedesk.engine.store.tables import PhaseRow, ProjectRow, UsageRow

    for number in range(count):
        head = ProjectRow.select().where(ProjectRow.id == project_id).dicts().get()
        copy = f"copy-{number}"
        ProjectRow.insert({**head, "id": copy}).execute()
        for row in list(PhaseRow.select().where(PhaseRow.project == project_id).dicts()):
            PhaseRow.insert({**row, "project": copy}).execute()
        for row in list(UsageRow.select().where(UsageRow.project == project_id).dicts()):
            UsageRow.insert(
                {k: copy if k == "project" else v for k, v in row.items() if k != "id"}
            ).execute()
