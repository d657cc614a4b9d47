"""Ends that do not come: a step that ignores its cancellation keeps neither the program nor the person waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench, Desk
from tests.support import model_faults as faults
from tests.support.mendable_app import GOOD, check, make_mendable_template, script_app
from tests.support.model_server import ModelServer
from tests.support.processes import Leftovers
from vibedesk.base.aio import end_within
from vibedesk.base.errors import NotAllowedNowError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import Notice
from vibedesk.engine.views import ReadinessView


@pytest.fixture
def built() -> bool:
    """Whether the project was built before; tests parametrize it."""
    return True


@pytest.fixture
async def stubborn(desk: Desk, built: bool) -> AsyncIterator[tuple[Desk, str, asyncio.Event]]:
    """A project in whose run something does not end, on an engine that has little patience."""
    project_id = await (desk.build() if built else desk.create())
    await desk.engine.open(project_id)
    desk.services.agents._end_seconds = 2.0
    release = asyncio.Event()

    async def hang() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue

    async def begin() -> None:
        agent = desk.agent(project_id)
        agent._run_task = agent._scope.start(hang(), name="a step that hangs")
        await asyncio.sleep(0)

    await desk.engine._call(begin())
    yield desk, project_id, release
    release.set()


async def test_the_program_ends_although_a_step_hangs(
    leftovers: Leftovers,
    stubborn: tuple[Desk, str, asyncio.Event],
    home: Home,
    server: ModelServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, project_id, _ = stubborn
    logging.getLogger("vibedesk").propagate = True
    async with asyncio.timeout(30):
        await desk.engine.shutdown()
    assert f"the agent of {project_id} did not end" in caplog.text
    assert not leftovers()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    again = Desk(engine, server)
    try:
        assert await again.state(project_id) == "complete"
    finally:
        await again.aclose()


async def test_an_emergency_stop_gives_up_what_hangs_and_the_project_goes_on(
    leftovers: Leftovers,
    stubborn: tuple[Desk, str, asyncio.Event],
) -> None:
    desk, project_id, _ = stubborn
    left = desk.agent(project_id)
    async with asyncio.timeout(30):
        await desk.engine.stop_all()
    await desk.until(lambda e: e.type == "error" and e.payload.code == "given_up")  # type: ignore[attr-defined]
    assert not leftovers()
    # What is left changes nothing any more, and a new agent takes over.
    with pytest.raises(NotAllowedNowError):
        await desk.engine._call(left.access.commit(lambda emit: emit(Notice("late", "late"))))
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    assert desk.agent(project_id) is not left
    assert await desk.state(project_id) == "complete"
    assert "said.css" in await desk.texts(project_id)


async def test_stopping_one_project_gives_up_what_hangs(
    leftovers: Leftovers, stubborn: tuple[Desk, str, asyncio.Event]
) -> None:
    desk, project_id, _ = stubborn
    async with asyncio.timeout(30):
        await desk.engine.cancel(project_id)
    await desk.until(lambda e: e.type == "error" and e.payload.code == "given_up")  # type: ignore[attr-defined]
    assert not leftovers()
    assert desk.services.agents.loaded(project_id) is None


async def test_a_project_that_hangs_can_be_deleted(
    leftovers: Leftovers, stubborn: tuple[Desk, str, asyncio.Event]
) -> None:
    desk, project_id, _ = stubborn
    async with asyncio.timeout(30):
        await desk.engine.delete_project(project_id)
    assert await desk.engine.projects() == []
    assert not leftovers()


@pytest.mark.parametrize("built", [False])
async def test_a_sweep_is_not_held_up(stubborn: tuple[Desk, str, asyncio.Event]) -> None:
    desk, project_id, _ = stubborn
    async with asyncio.timeout(30):
        await desk.engine._call(desk.services.agents.evict(project_id))
    assert desk.services.agents.loaded(project_id) is None


async def being_checked(seeing: Bench) -> tuple[str, asyncio.Task[ReadinessView]]:
    """A built app one check of which has begun and lasts as long as one may."""
    script_app(seeing.server, GOOD)
    project_id = await seeing.build()
    slow = {**check(), "steps": [*check()["steps"], {"do": "wait", "ms": 3_600_000}]}
    await seeing.engine.edit_blueprint(project_id, {"acceptance_checks": [slow]})
    checking = asyncio.create_task(seeing.engine.check(project_id))
    await seeing.until(lambda e: e.type == "check_started")
    return project_id, checking


async def test_checks_that_are_stopped_end_at_once_and_their_agent_stays(seeing: Bench) -> None:
    project_id, checking = await being_checked(seeing)
    agent = seeing.agent(project_id)
    # What begins meanwhile waits for their end, and does not keep them from being stopped.
    reviewing = asyncio.create_task(seeing.engine.review(project_id))
    await asyncio.sleep(0)  # it is asked for before the stop
    async with asyncio.timeout(30):
        await seeing.engine.cancel(project_id)
    with pytest.raises(NotAllowedNowError, match="stopped before its end"):
        await checking
    await reviewing
    assert seeing.of("error") == []
    assert seeing.agent(project_id) is agent
    assert not agent.busy
    await seeing.engine.edit_blueprint(project_id, {"acceptance_checks": [check()]})
    assert (await seeing.engine.check(project_id)).ready


async def test_a_sweep_leaves_an_app_alone_that_is_checked(
    seeing: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id, checking = await being_checked(seeing)
    monkeypatch.setattr(seeing.services.agents, "_is_watched", lambda _project_id: False)
    assert project_id not in await seeing.engine._call(seeing.services.agents.sweep())
    report = await checking
    assert [result.passed for result in report.checks] == [True], "a pause is bounded"
    assert report.ready


async def test_a_checker_that_does_not_end_is_ended_and_told(
    leftovers: Leftovers, bench: Bench, tmp_path: Path
) -> None:
    bench.template = make_mendable_template(tmp_path / "watching")
    watches = (
        'import { readFileSync } from "node:fs";\n'
        'console.log("Watching for changes.");\n'
        'if (readFileSync("app.js", "utf8").includes("watch")) setInterval(() => {}, 1000);\n'
    )
    (bench.template / "types.mjs").write_text(watches, "utf-8")
    script_app(bench.server, GOOD + "// watch\n")
    bench.fix_with(GOOD)
    bench.server.fail(faults.stall(after_chars=5), operation="fix")
    project_id = await bench.create()
    agent = await bench.engine._call(bench.services.agents.get(project_id))
    agent.runtime.most_seconds = 2.0
    await bench.engine.generate(project_id)
    await bench.server.wait_until(lambda: bool(bench.asked("fix")))
    # The look after the mend has to end, however busy the machine is.
    agent.runtime.most_seconds = 60.0
    bench.server.release()
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = bench.asked("fix")
    assert "`node types.mjs` did not end within 5 minutes." in asked
    assert "Watching for changes." in asked
    await bench.engine.cancel(project_id)
    assert not leftovers()


async def test_what_ends_in_time_or_badly_is_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("vibedesk").propagate = True

    async def fail() -> None:
        raise OSError("gone")

    assert await end_within(5, asyncio.sleep(0), what="a nap")
    assert await end_within(5, fail(), what="a failure")
    assert "a failure ended badly" in caplog.text
    assert not await end_within(0.01, asyncio.sleep(60), what="a long sleep")
    assert "a long sleep did not end" in caplog.text
