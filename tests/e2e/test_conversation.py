"""What a person says while the app is built, after it, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from time import monotonic

import pytest

from tests.e2e.studio import Project, Studio, blueprint, plan, whole_file
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.program import Program
from tests.support.tiny_app import FIRST as FIRST_FILES
from tests.support.tiny_app import INSIDE_FIRST_FILE, TINY_TEMPLATE, script_tiny_app
from vibedesk.base.paths import Home
from vibedesk.engine.events import (
    FileEnd,
    FileStart,
    GenerationComplete,
    MessageComplete,
    WishQueued,
)

pytestmark = pytest.mark.e2e

FIRST = whole_file("src/one.ts", "export const one = 1\n")
SECOND = whole_file("src/two.ts", "export const two = 2\n")


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.01)


@pytest.fixture
async def half_way(studio: Studio, server: ModelServer) -> Project:
    """A project whose first phase is being written: the model holds inside its file."""
    server.answer(blueprint("src/one.ts", last=False), operation="blueprint")
    server.answer(FIRST, operation="implement_phase")
    server.fail(faults.stall(after_chars=FIRST.index("one = 1")), operation="implement_phase")
    server.answer(json.dumps(plan("src/two.ts")), operation="plan_phase")
    server.answer(SECOND, operation="implement_phase")
    project = await studio.project(server)
    await studio.engine.generate(project.id)
    await until(lambda: project.told(FileStart))
    return project


async def answered(project: Project, count: int = 1) -> None:
    def replies() -> list[MessageComplete]:
        return [m for m in project.told(MessageComplete) if m.role == "assistant"]

    await until(lambda: len(replies()) == count)


async def test_a_change_that_is_asked_for_during_a_phase_follows_it(
    half_way: Project, server: ModelServer, studio: Studio
) -> None:
    change = "I add it.\n\n" + whole_file("src/said.ts", "export const said = true\n")
    server.answer(change, operation="converse")
    await studio.engine.say(half_way.id, "add a word")
    await answered(half_way)
    assert not any(end.path == "src/said.ts" for end in half_way.told(FileEnd))
    server.release()
    view = await half_way.finish()
    assert view.state == "complete", view.reason
    written = [end.path for end in half_way.told(FileEnd)]
    assert written == ["src/one.ts", "src/said.ts", "src/two.ts"]
    assert [phase.completed for phase in view.phases] == [True, True, True]
    assert await half_way.on_disk("src/said.ts") == b"export const said = true\n"
    assert len(half_way.told(GenerationComplete)) == 1
    half_way.assert_gapless()


async def test_a_wish_during_a_phase_joins_the_next_plan(
    half_way: Project, server: ModelServer, studio: Studio
) -> None:
    server.answer("That joins the next phase.", operation="converse")
    await studio.engine.say(half_way.id, "and please a purple button")
    await answered(half_way)
    server.release()
    view = await half_way.finish()
    assert view.state == "complete", view.reason
    for operation in ("plan_phase", "implement_phase"):
        question = str(server.requests_for(operation)[-1].messages[-1]["content"])
        assert "and please a purple button" in question
    statuses = [wish.status for wish in half_way.told(WishQueued)]
    assert statuses == ["open", "planned", "done"]


async def test_two_messages_are_answered_in_their_order(
    half_way: Project, server: ModelServer, studio: Studio
) -> None:
    server.answer("First.\n\n[no change]", operation="converse")
    server.answer("Second.\n\n[no change]", operation="converse")
    await studio.engine.say(half_way.id, "one?")
    await studio.engine.say(half_way.id, "two?")
    await answered(half_way, 2)
    server.release()
    view = await half_way.finish()
    assert view.state == "complete", view.reason
    said = [m.text for m in half_way.told(MessageComplete)]
    assert [text for text in said if text in ("First.", "Second.")] == ["First.", "Second."]
    assert half_way.told(WishQueued) == []
    second = [str(turn["content"]) for turn in server.requests_for("converse")[1].messages]
    assert any("First." in turn for turn in second), "the model sees what was said before"


async def test_a_wish_after_the_build_is_planned_and_built(
    half_way: Project, server: ModelServer
) -> None:
    server.release()
    assert (await half_way.finish()).state == "complete"
    server.answer("I plan it.", operation="converse")
    server.answer(json.dumps(plan("src/three.ts")), operation="plan_phase")
    server.answer(
        whole_file("src/three.ts", "export const three = 3\n"), operation="implement_phase"
    )
    view = await half_way.say("a third one, please")
    assert view.state == "complete", view.reason
    assert await half_way.read("src/three.ts") == "export const three = 3\n"
    assert [done.phases for done in half_way.told(GenerationComplete)] == [2, 3]


async def test_a_change_with_a_package_installs_it_first(
    half_way: Project, server: ModelServer
) -> None:
    server.release()
    assert (await half_way.finish()).state == "complete"
    server.answer(
        "With a package.\n\nnpm install nanoid@5.1.6\n"
        + whole_file("src/id.ts", "import 'nanoid'\n"),
        operation="converse",
    )
    view = await half_way.say("ids, please")
    assert view.state == "complete", view.reason
    assert '"nanoid": "5.1.6"' in await half_way.read("package.json")
    assert b"nanoid" in await half_way.on_disk("package-lock.json")
    assert await half_way.on_disk("src/id.ts") == b"import 'nanoid'\n"


# -- on the command line, to a run that is not there any more ---------------------------------------------


def test_a_change_said_to_a_killed_run_is_made(server: ModelServer, home: Home) -> None:
    script_tiny_app(server)
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    program = Program(
        "build", "Count", "--template", TINY_TEMPLATE, "--home", home.root, "--json",
        env=server.environment(),
    )  # fmt: skip
    program.until_type("file_chunk")
    program.kill()
    server.answer("".join(FIRST_FILES), operation="continue")
    said = say(server, home, program.project_id)
    assert said.end() == 0, said.stderr
    assert said.of("state_change")[-1]["data"]["state"] == "complete"
    assert "said.css" in [end["data"]["path"] for end in said.of("file_end")]


def test_a_change_said_after_a_failure_says_how_to_go_on(server: ModelServer, home: Home) -> None:
    script_tiny_app(server)
    server.fail(faults.status(401), operation="implement_phase")
    program = Program(
        "build", "Count", "--template", TINY_TEMPLATE, "--provider", "anthropic",
        "--home", home.root, "--json", env=server.environment(),
    )  # fmt: skip
    assert program.end() == 1
    said = say(server, home, program.project_id)
    assert said.end() == 1
    assert f"Go on with: vibedesk resume {program.project_id}" in said.stderr


def say(server: ModelServer, home: Home, project_id: str) -> Program:
    return Program(
        "say", project_id, "Mark the style", "--home", home.root, "--json",
        env=server.environment(),
    )  # fmt: skip
