"""A pause: the run waits once its present step is done, keeps what it has, and goes on when the person wants it."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import BLUEPRINT
from vibedesk.base.errors import NotAllowedNowError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import Event, Resumed, RunStarted, Waiting
from vibedesk.engine.waiting import Wait


def is_paused(event: Event) -> bool:
    return isinstance(event.payload, Waiting) and event.payload.reason == "paused"


async def blueprinting(desk: Desk) -> str:
    """Return a project in whose first step the model has stopped in the middle of its answer."""
    desk.server.fail(faults.stall(after_chars=40), operation="blueprint")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "blueprint_chunk")
    return project_id


async def paused(desk: Desk) -> str:
    """Return a project whose run is paused after its first step."""
    project_id = await blueprinting(desk)
    await desk.engine.pause(project_id)
    desk.server.release()
    await desk.until(is_paused)
    return project_id


async def waits_for(desk: Desk, project_id: str) -> str:
    waiting = (await desk.engine.project(project_id)).waiting
    return waiting.reason if waiting else ""


async def test_a_paused_run_asks_nothing_and_goes_on_where_it_was(desk: Desk) -> None:
    project_id = await paused(desk)
    assert "pausing" in [notice.payload.code for notice in desk.of("notice")]  # type: ignore[attr-defined]
    view = await desk.engine.project(project_id)
    assert view.running
    assert view.blueprint
    assert await waits_for(desk, project_id) == "paused"
    assert [request.operation for request in desk.server.requests] == ["blueprint"]
    assert desk.services.agents.places.holders == ()  # others may work meanwhile

    await desk.engine.pause(project_id)
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert len([event for event in desk.events if is_paused(event)]) == 1
    assert Resumed("paused") in [event.payload for event in desk.of("resumed")]
    assert len(desk.server.requests_for("blueprint")) == 1


async def test_a_pause_that_is_taken_back_in_time_does_not_happen(desk: Desk) -> None:
    project_id = await blueprinting(desk)
    await desk.engine.pause(project_id)
    await desk.engine.resume(project_id)
    desk.server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert not any(is_paused(event) for event in desk.events)


async def test_what_is_said_meanwhile_is_answered_and_the_pause_lasts(desk: Desk) -> None:
    project_id = await paused(desk)
    await desk.engine.say(project_id, "Mark the style")
    await desk.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    assert await waits_for(desk, project_id) == "paused"
    assert desk.server.requests_for("implement_phase") == []
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert "said.css" in await desk.texts(project_id)


async def test_a_late_view_knows_of_a_pause_that_something_else_is_waited_for_in(
    desk: Desk,
) -> None:
    project_id = await paused(desk)

    async def look() -> tuple[str, str]:
        services = desk.services
        async with Wait(services.bus, services.store, project_id, "slot") as wait:
            await wait.tell("Waiting for a free sandbox: 1st in line.")
            view = await services.project(project_id)
        assert view.waiting is not None
        return view.waiting.reason, view.halted

    assert await desk.engine._call(look()) == ("slot", "paused")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert (await desk.engine.project(project_id)).halted == ""


async def test_the_preview_of_a_paused_run_starts_again_without_going_on(desk: Desk) -> None:
    project_id = await blueprinting(desk)
    with pytest.raises(NotAllowedNowError, match="starts by itself"):
        await desk.engine.start_preview(project_id)
    await desk.engine.pause(project_id)
    desk.server.release()
    await desk.until(is_paused)
    for start in (desk.engine.start_preview, desk.engine.restart_sandbox):
        url = await start(project_id)
        assert await desk.engine._call(page_status(url)) == 200
        await desk.engine.stop_sandbox(project_id)
        assert (await desk.engine.sandbox(project_id)).state == "stopped"
        assert await waits_for(desk, project_id) == "paused"
    assert [request.operation for request in desk.server.requests] == ["blueprint"]
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"


async def page_status(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).status_code


async def test_a_paused_run_can_be_stopped_and_begins_unpaused(desk: Desk) -> None:
    project_id = await paused(desk)
    await desk.engine.cancel(project_id)
    assert await desk.state(project_id) == "idle"
    assert await waits_for(desk, project_id) == ""
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"


async def test_a_pause_outlasts_the_program(desk: Desk, home: Home, server: ModelServer) -> None:
    project_id = await paused(desk)
    await desk.engine.shutdown()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    again = Desk(engine, server)
    try:
        assert await waits_for(again, project_id) == "paused"
        assert (await engine.project(project_id)).can_continue
        await engine.resume(project_id)
        await engine.wait(project_id)
        assert await again.state(project_id) == "complete"
        assert await waits_for(again, project_id) == ""
    finally:
        await again.aclose()


@pytest.mark.parametrize("answers", [{"blueprint": {"questions": [{"question": "For whom?"}]}}])
async def test_a_pause_that_a_question_came_before_follows_the_answer(
    desk: Desk, home: Home, server: ModelServer
) -> None:
    server.fail(faults.stall(after_chars=5), operation="blueprint")
    server.answer(json.dumps(BLUEPRINT), operation="blueprint")
    await desk.engine.shutdown()
    engine = Engine(home, attended=True)
    await asyncio.to_thread(engine.start)
    again = Desk(engine, server)
    try:
        project_id = await again.create()
        await engine.generate(project_id)
        await again.until(lambda e: e.type == "blueprint_chunk")
        await engine.pause(project_id)
        server.release()
        await engine.wait(project_id)
        assert await waits_for(again, project_id) == "answers"
        asked = len(server.requests)
        await engine.answer(project_id, None)
        await again.until(is_paused)
        assert len(server.requests) == asked
        await engine.resume(project_id)
        await engine.wait(project_id)
        assert await again.state(project_id) == "complete"
    finally:
        await again.aclose()


async def test_a_pause_that_did_not_come_is_none_of_the_next_runs(desk: Desk) -> None:
    desk.server.fail(faults.stall(after_chars=40), operation="blueprint")
    project_id = await desk.create(approval=True)
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "blueprint_chunk")
    await desk.engine.pause(project_id)
    desk.server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "awaiting_approval"
    await desk.engine.approve(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert not any(is_paused(event) for event in desk.events)


async def test_a_stop_takes_a_pause_along_that_is_still_to_come(desk: Desk) -> None:
    project_id = await blueprinting(desk)
    await desk.engine.pause(project_id)
    await desk.engine.cancel(project_id)
    desk.server.release()
    await desk.engine.generate(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert not any(is_paused(event) for event in desk.events)


async def test_a_run_that_goes_on_says_so_before_its_step_is_done(
    desk: Desk, home: Home, server: ModelServer
) -> None:
    project_id = await blueprinting(desk)
    await desk.engine.shutdown()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    again = Desk(engine, server)
    try:
        await again.watch(project_id)
        server.fail(faults.stall(after_chars=40), operation="blueprint")
        await engine.resume(project_id)
        await again.until(lambda e: isinstance(e.payload, RunStarted))
        assert again.states == []
        assert (await engine.project(project_id)).running
    finally:
        await again.aclose()


async def test_a_stop_tells_whether_the_run_had_been_cut_off(
    desk: Desk, home: Home, server: ModelServer
) -> None:
    first = await blueprinting(desk)
    await desk.engine.cancel(first)
    assert desk.of("state_change")[-1].payload.cut_off is False  # type: ignore[attr-defined]
    second = await blueprinting(desk)
    await desk.engine.shutdown()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    again = Desk(engine, server)
    try:
        await again.watch(second)
        await engine.cancel(second)
        await again.until_state("idle")
        server.fail(faults.stall(after_chars=40), operation="blueprint")
        await engine.resume(second)
        await again.until(lambda e: e.type == "blueprint_chunk")
        await engine.cancel(second)
        told = [e.payload for e in again.of("state_change")]
        assert [(t.state, t.cut_off) for t in told] == [  # type: ignore[attr-defined]
            ("idle", True),
            ("blueprinting", False),
            ("idle", False),
        ]
    finally:
        await again.aclose()


async def test_only_a_run_can_be_paused(desk: Desk) -> None:
    project_id = await desk.create()
    with pytest.raises(NotAllowedNowError):
        await desk.engine.pause(project_id)
    await desk.engine.generate(project_id)
    await desk.engine.wait(project_id)
    with pytest.raises(NotAllowedNowError):
        await desk.engine.pause(project_id)
