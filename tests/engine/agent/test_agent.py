"""A run from the outside: cancel, wishes, replies, limits, and what a person does meanwhile."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.processes import Leftovers
from tests.support.tiny_app import (
    APP,
    FIRST,
    FIRST_PHASE,
    INSIDE_FIRST_FILE,
    LATER,
    PAGE,
    phase,
    whole,
)
from vibedesk.base.errors import NotAllowedNowError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import Event, FileChunk, FileEnd, StateChange

PLANNED_PACKAGE = {
    "title": "Counter",
    "initial_phase": {**FIRST_PHASE, "install_commands": ["npm install right-pad@2"]},
}


def assert_consistent(events: list[Event]) -> None:
    """Numbers without gaps, and states that follow each other."""
    first = events[0].seq
    assert [e.seq for e in events] == list(range(first, first + len(events)))
    state = events[0].payload.project.state  # type: ignore[attr-defined]
    for event in events:
        if isinstance(event.payload, StateChange):
            assert event.payload.previous == state
            state = event.payload.state


async def test_a_build_walks_from_the_wish_to_the_running_app(
    leftovers: Leftovers, desk: Desk
) -> None:
    project_id = await desk.build()
    assert desk.states == [
        "blueprinting", "implementing_phase", "installing_deps", "starting_server",
        "reviewing", "finalizing",
        "planning_phase", "implementing_phase", "reviewing", "finalizing", "complete",
    ]  # fmt: skip
    assert_consistent(desk.events)
    folder = await desk.folder(project_id)
    texts = await desk.texts(project_id)
    assert {path: (folder / path).read_text() for path in texts} == texts
    assert json.loads(texts["package.json"])["dependencies"] == {"left-pad": "1.3.0"}
    assert len(await desk.engine.history(project_id)) == 2
    await desk.engine.stop_all()
    assert not leftovers()


@pytest.mark.parametrize(
    "moment",
    [
        "blueprinting", "blueprint_chunk", "blueprint_ready", "implementing_phase", "file_start", "file_chunk",
        "file_end", "installing_deps", "command_started", "deps_installed", "reviewing", "finalizing",
        "snapshot_created", "phase_complete", "planning_phase", "phase_designed",
    ],
)  # fmt: skip
async def test_cancel_at_any_moment(
    leftovers: Leftovers, moment: str, desk: Desk, server: ModelServer
) -> None:
    server.answer("".join(FIRST), operation="continue")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(
        lambda e: (
            e.type == moment or (isinstance(e.payload, StateChange) and e.payload.state == moment)
        )
    )
    finished = {
        e.payload.path: e.payload.content for e in desk.events if isinstance(e.payload, FileEnd)
    }
    await desk.engine.cancel(project_id)
    assert await desk.state(project_id) == "idle"
    assert not leftovers()
    texts = await desk.texts(project_id)
    for path, content in finished.items():
        assert texts[path] == content or path in ("app.js", "package.json")
    assert_consistent(desk.events)
    await desk.engine.cancel(project_id)
    assert desk.states.count("idle") == 1


async def test_cancel_then_resume_completes(desk: Desk, server: ModelServer) -> None:
    server.fail(
        faults.stall(after_chars=len("".join(FIRST[:2])) + 100), operation="implement_phase"
    )
    server.answer("".join(FIRST[2:]), operation="continue")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: isinstance(e.payload, FileChunk) and e.payload.path == "app.js")
    await desk.engine.cancel(project_id)
    view = await desk.engine.project(project_id)
    assert view.can_continue
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert (await desk.texts(project_id))["index.html"] == PAGE
    assert "left-pad" in (await desk.texts(project_id))["package.json"]
    assert_consistent(desk.events)


async def test_a_second_start_is_refused_and_changes_nothing(desk: Desk) -> None:
    project_id = await desk.create()
    results = await asyncio.gather(
        desk.engine.generate(project_id), desk.engine.generate(project_id), return_exceptions=True
    )
    assert sum(isinstance(r, NotAllowedNowError) for r in results) == 1
    await desk.engine.wait(project_id)
    assert desk.states.count("blueprinting") == 1
    assert await desk.state(project_id) == "complete"


# -- the conversation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [{"said": "I will make it red."}])
async def test_a_wish_during_a_run_reaches_the_next_phase(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.say(project_id, "Make it red")
    await desk.until(lambda e: e.type == "wish_queued")
    server.release()
    await desk.engine.wait(project_id)
    [plan] = server.requests_for("plan_phase")
    assert "Make it red" in str(plan.messages[-1]["content"])
    assert [e.payload.status for e in desk.of("wish_queued")] == ["open", "planned", "done"]  # type: ignore[attr-defined]
    assert await desk.state(project_id) == "complete"


@pytest.mark.parametrize("answers", [{"said": "Red it is."}])
async def test_a_wish_after_the_run_starts_a_phase(desk: Desk, server: ModelServer) -> None:
    project_id = await desk.build()
    server.answer(json.dumps(phase("Red", ["red.css"], last=True)), operation="plan_phase")
    server.answer(whole("red.css", "h1 { color: red }\n"), operation="implement_phase")
    await desk.engine.say(project_id, "Make it red")
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert (await desk.texts(project_id))["red.css"]


async def test_a_change_said_during_a_run_is_written_after_the_phase(
    desk: Desk, server: ModelServer
) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.say(project_id, "Mark the style")
    await desk.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    server.release()
    await desk.engine.wait(project_id)
    ended = [e.payload.path for e in desk.events if isinstance(e.payload, FileEnd)]
    assert ended.index("style.css") < ended.index("said.css") < ended.index("later.js")
    assert not desk.of("wish_queued")
    assert await desk.state(project_id) == "complete"


@pytest.mark.parametrize("answers", [{"said": "It counts.\n\n[no change]"}])
async def test_no_change_queues_nothing(desk: Desk) -> None:
    project_id = await desk.build()
    await desk.engine.say(project_id, "What does it do?")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete"
    assert view.messages[-1].text == "It counts."
    assert not desk.of("wish_queued")
    assert desk.states[-1] == "complete"
    assert desk.states.count("complete") == 1


async def test_a_message_that_fails_is_answered_with_a_sentence(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    server.fail(faults.status(401), operation="converse")
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    assert desk.of("error")
    assert await desk.state(project_id) == "complete"


# -- limits ----------------------------------------------------------------------------------------------------


async def test_the_phase_limit_ends_the_run(desk: Desk) -> None:
    project_id = await desk.build(max_phases=1)
    assert await desk.state(project_id) == "complete"
    assert "later.js" not in await desk.texts(project_id)


@pytest.mark.parametrize("answers", [{"said": "I will."}])
async def test_the_phase_limit_with_an_open_wish_ends_idle(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create(max_phases=1)
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.say(project_id, "Make it red")
    await desk.until(lambda e: e.type == "wish_queued")
    server.release()
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "idle"
    assert "limit of 1 phase" in view.reason
    assert view.open_wishes == ("Make it red",)


@pytest.mark.parametrize("answers", [{"said": "I will."}])
async def test_a_wish_after_completion_has_as_many_phases_again(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build(max_phases=2)
    assert await desk.state(project_id) == "complete"
    for path in ("third.js", "fourth.js"):
        server.answer(json.dumps(phase(path, [path], last=False)), operation="plan_phase")
        server.answer(whole(path, LATER), operation="implement_phase")
    await desk.engine.say(project_id, "Make it red")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete", view.reason
    assert {"third.js", "fourth.js"} <= (await desk.texts(project_id)).keys()
    plans = [str(r.messages[-1]["content"]) for r in server.requests_for("plan_phase")]
    final = ["It is the last phase that may be made" in plan for plan in plans]
    assert final == [True, False, True]


async def test_the_budget_ends_the_run_and_more_of_it_goes_on(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build(budget=0.0001)
    view = await desk.engine.project(project_id)
    assert view.state == "idle"
    assert "budget" in view.reason
    assert [r.operation for r in server.requests] == ["blueprint"]
    assert view.can_continue


@pytest.mark.parametrize("answers", [{"second": whole("index.html", "BROKEN\n")}])
async def test_a_page_that_stays_broken_ends_idle_after_three_fixes(
    desk: Desk, server: ModelServer
) -> None:
    for number in range(3):
        server.answer(whole("index.html", f"BROKEN {number}\n"), operation="fix")
    project_id = await desk.build()
    view = await desk.engine.project(project_id)
    assert view.state == "idle"
    assert "500" in view.reason
    assert len(server.requests_for("fix")) == 3


# -- what the person does meanwhile ------------------------------------------------------------------------------


async def test_a_persons_edits_during_a_run_survive(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.stall(after_chars=len("".join(FIRST[:3]))), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: isinstance(e.payload, FileEnd) and e.payload.path == "app.js")
    await desk.until(lambda e: e.type == "deps_installed")
    await desk.engine.create_file(project_id, "mine.js", "// mine\n")
    folder = await desk.folder(project_id)
    (folder / "outside.js").write_text("// by another program\n")
    (folder / "install.mjs").write_text((folder / "install.mjs").read_text() + "// seen\n")
    server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    texts = await desk.texts(project_id)
    assert texts["mine.js"] == "// mine\n"
    assert texts["outside.js"] == "// by another program\n"
    assert texts["install.mjs"].endswith("// seen\n")
    assert texts["later.js"] == LATER
    assert "patched" in texts["app.js"]
    folder = await desk.folder(project_id)
    assert (folder / "mine.js").read_text() == "// mine\n"


async def test_restore_adds_a_version(desk: Desk) -> None:
    project_id = await desk.build()
    newest, oldest = await desk.engine.history(project_id)
    await desk.engine.restore(project_id, oldest.commit)
    texts = await desk.texts(project_id)
    assert "later.js" not in texts
    assert texts["app.js"] == APP
    versions = await desk.engine.history(project_id)
    assert len(versions) == 3
    assert [v.commit for v in versions[1:]] == [newest.commit, oldest.commit]
    await desk.engine.restore(project_id, newest.commit)
    assert (await desk.texts(project_id))["later.js"] == LATER


async def test_no_key_reaches_files_events_or_the_database(desk: Desk, home: Home) -> None:
    from tests.support.model_http import API_KEY

    await desk.build()
    assert API_KEY not in json.dumps([e.to_dict() for e in desk.events])
    for path in home.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert API_KEY.encode() not in path.read_bytes(), path


async def test_the_system_prompt_is_the_same_in_every_request(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    prompts = {request.system_blocks[0]["text"] for request in server.requests}
    assert len(server.requests) >= 5
    assert len(prompts) == 1
    assert str(Path(__file__).parents[2]) not in prompts.pop()


# -- life and death of agents ------------------------------------------------------------------------------------


async def test_agents_are_kept_while_they_are_needed(
    leftovers: Leftovers, desk: Desk, server: ModelServer
) -> None:
    agents = desk.services.agents
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create()
    subscription = await desk.engine.subscribe(project_id)
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    agent = desk.agent(project_id)
    assert await desk.engine._call(agents.get(project_id)) is agent
    for known in list(desk.services.bus._subscriptions[project_id]):
        if known is not subscription:
            await desk.engine.unsubscribe(known)
    await desk.engine.unsubscribe(subscription)
    assert await desk.engine._call(agents.sweep()) == [], "it runs"
    server.release()
    await desk.engine.wait(project_id)
    again = await desk.engine.subscribe(project_id)
    assert await desk.engine._call(agents.sweep()) == [], "somebody looks at it"
    await desk.engine.unsubscribe(again)
    assert await desk.engine._call(agents.sweep()) == [project_id]
    assert agents.loaded(project_id) is None
    assert not leftovers()
    assert await desk.state(project_id) == "complete"


async def test_shutdown_during_a_run_keeps_its_state(
    leftovers: Leftovers, desk: Desk, server: ModelServer, home: Home
) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.shutdown()
    assert not leftovers()
    server.answer("".join(FIRST), operation="continue")
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        view = await engine.project(project_id)
        assert view.state == "implementing_phase"
        assert view.can_continue
        await engine.resume(project_id)
        await engine.wait(project_id)
        assert (await engine.project(project_id)).state == "complete"
    finally:
        await engine.shutdown()


@pytest.mark.parametrize("answers", [{"blueprint": PLANNED_PACKAGE}])
async def test_packages_of_the_plan_come_before_the_files(desk: Desk) -> None:
    project_id = await desk.build()
    assert desk.states[:4] == [
        "blueprinting",
        "installing_deps",
        "implementing_phase",
        "installing_deps",
    ]
    dependencies = json.loads((await desk.texts(project_id))["package.json"])["dependencies"]
    assert dependencies == {"right-pad": "2", "left-pad": "1.3.0"}
