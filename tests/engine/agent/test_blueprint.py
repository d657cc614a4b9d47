"""The blueprint from the outside: sections, starters, questions, approval, edits, images, and wishes that are no web app."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.program import PythonProcess
from tests.support.tiny_app import BLUEPRINT, TINY_TEMPLATE, phase, script_tiny_app, whole
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import BlueprintSection, Notice, QuestionsAnswered
from vibedesk.engine.models.protocol import NoMoreRecordedAnswersError
from vibedesk.engine.project_options import ImageFile, ProjectOptions
from vibedesk.engine.views import ProjectView

QUESTIONS = {
    "questions": [
        {"question": "For whom?", "options": ["me", "my team"], "why": "sign-in"},
        "Which currency?",
        {"question": "Which days?", "options": None},
        {"question": "One too many?"},
    ]
}
CHECKS = [{"name": "counts", "phase": 1, "steps": [{"do": "click", "selector": "button"}]}]
ONE_FILE = phase("Basics", ["index.html"], last=False)
FULL: dict[str, Any] = {
    **BLUEPRINT,
    "initial_phase": ONE_FILE,
    "views": [{"name": "Home", "description": "the counter"}],
    "implementation_roadmap": [
        {"phase": "Basics", "description": "a"},
        {"phase": "More", "description": "b"},
        {"phase": "Polish", "description": "c"},
    ],
    "acceptance_checks": CHECKS,
}
NO_WEB_APP = {**BLUEPRINT, "not_a_web_app": "A macro is no web app; this is a page that counts."}


@pytest.fixture
async def desk(
    home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """An engine that somebody sits in front of."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    desk = Desk(await started(home, attended=True), server)
    yield desk
    await desk.aclose()


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


async def started(home: Home, *, attended: bool) -> Engine:
    engine = Engine(home, attended=attended)
    await asyncio.to_thread(engine.start)
    return engine


def answer(server: ModelServer, *blueprints: object) -> None:
    for blueprint in blueprints:
        server.answer(json.dumps(blueprint), operation="blueprint")


async def waiting_for_approval(desk: Desk, blueprint: object = FULL) -> str:
    answer(desk.server, blueprint)
    return await desk.build(approval=True)


async def view(desk: Desk, project_id: str) -> ProjectView:
    return await desk.engine.project(project_id)


async def say(desk: Desk, project_id: str, text: str, told: str = "") -> None:
    """Say something, and wait for what comes of it; the model answers `told`."""
    if told:
        desk.server.answer(told, operation="converse")
    await desk.engine.say(project_id, text)
    await desk.engine.wait(project_id)


def asked(server: ModelServer, number: int = -1) -> str:
    """Return the text of a blueprint request."""
    content = server.requests_for("blueprint")[number].messages[-1]["content"]
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


# -- sections ---------------------------------------------------------------------------------------------
async def test_each_field_is_told_when_it_is_whole_and_a_late_view_has_them(
    desk: Desk, server: ModelServer
) -> None:
    text = json.dumps(FULL)
    half = text.index('"color_palette"')
    server.fail(faults.stall(after_chars=half), operation="blueprint")
    answer(server, FULL)
    project_id = await desk.create(approval=True)
    await desk.engine.generate(project_id)
    await desk.until(lambda e: getattr(e.payload, "name", "") == "description")
    seen = await view(desk, project_id)
    assert seen.blueprint is None
    assert seen.blueprint_sections == {
        "title": "Counter",
        "project_name": "counter",
        "description": "Counts.",
    }
    server.release()
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    sections = {
        e.payload.name: e.payload.value
        for e in desk.events
        if isinstance(e.payload, BlueprintSection)
    }
    assert seen.blueprint is not None
    assert sections == {name: seen.blueprint[name] for name in FULL}
    assert seen.blueprint_sections == {}


async def test_an_answer_that_is_asked_for_again_begins_anew(
    desk: Desk, server: ModelServer
) -> None:
    server.answer('{"title": "Half", "description": 7}', operation="blueprint")
    await waiting_for_approval(desk)
    kinds = [e.type for e in desk.events if e.type.startswith("blueprint_")]
    restarted = kinds.index("blueprint_restarted")
    assert "blueprint_section" in kinds[:restarted]
    titles = [
        e.payload.value
        for e in desk.events
        if isinstance(e.payload, BlueprintSection) and e.payload.name == "title"
    ]
    assert titles == ["Half", "Counter"]


async def test_the_starter_is_laid_out_while_the_rest_of_the_blueprint_streams(
    desk: Desk, server: ModelServer
) -> None:
    source = await desk.engine.add_template(str(TINY_TEMPLATE))
    blueprint = {"title": "A", "template": source.name, **BLUEPRINT}
    server.fail(
        faults.stall(after_chars=json.dumps(blueprint).index('"description"')),
        operation="blueprint",
    )
    answer(server, blueprint)
    project_id = await desk.engine.create("Count", ProjectOptions(approval=True))
    await desk.watch(project_id)
    assert (await view(desk, project_id)).files == ()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "server_started")
    assert (await view(desk, project_id)).state == "blueprinting"
    server.release()
    await desk.engine.wait(project_id)
    assert (await view(desk, project_id)).state == "awaiting_approval"


async def test_another_starter_is_laid_out_when_the_person_changes_it(
    desk: Desk, home: Home
) -> None:
    source = await desk.engine.add_template(str(TINY_TEMPLATE))
    project_id = await waiting_for_approval(desk)
    with pytest.raises(NotFoundError):
        await desk.engine.edit_blueprint(project_id, {"template": "no-such-starter"})
    await desk.engine.edit_blueprint(project_id, {"template": source.name})
    blueprint = (await view(desk, project_id)).blueprint
    assert blueprint is not None
    assert blueprint["template"] == source.name


# -- acceptance checks --------------------------------------------------------------------------------------
async def test_steps_that_are_not_understood_are_left_out_with_a_notice(
    desk: Desk, server: ModelServer
) -> None:
    check = {"name": "adds", "steps": ["click 'Add'", "wiggle the mouse"]}
    project_id = await waiting_for_approval(desk, {**FULL, "acceptance_checks": [check]})
    blueprint = (await view(desk, project_id)).blueprint
    assert blueprint is not None
    assert [step["do"] for step in blueprint["acceptance_checks"][0]["steps"]] == ["click"]
    notices = [e.payload for e in desk.events if isinstance(e.payload, Notice)]
    assert any("wiggle" in n.message for n in notices if n.code == "check_steps_left_out")


# -- a first phase that cannot be written -------------------------------------------------------------------
UNWRITABLE = {**FULL, "initial_phase": phase("Basics", ["server.mjs"], last=False)}


async def test_a_plan_that_cannot_be_written_is_made_anew_with_the_reason(
    desk: Desk, server: ModelServer
) -> None:
    answer(server, UNWRITABLE)
    project_id = await waiting_for_approval(desk)
    seen = await view(desk, project_id)
    assert seen.state == "awaiting_approval"
    assert seen.blueprint is not None
    assert seen.blueprint["initial_phase"]["files"][0]["path"] == "index.html"
    assert "server.mjs" in asked(server)
    assert "The plan leaves" not in asked(server, 0)


async def test_plans_that_cannot_be_written_are_no_dead_end(
    desk: Desk, server: ModelServer
) -> None:
    answer(server, *[UNWRITABLE] * 3)
    project_id = await desk.build()
    assert (await view(desk, project_id)).state == "error"
    assert len(server.requests_for("blueprint")) == 3
    answer(server, FULL)
    server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
    await desk.engine.resume(project_id)
    await desk.until_state("reviewing")
    assert "The plan leaves server.mjs as it is" in asked(server)


# -- questions ----------------------------------------------------------------------------------------------
ASKED_AND_KILLED = """
import asyncio, pathlib
from vibedesk.base.paths import resolve_home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions

async def main():
    engine = Engine(resolve_home(), attended=True)
    engine.start()
    options = ProjectOptions(template={template!r}, approval=True)
    project_id = await engine.create("Count things for me", options)
    await engine.generate(project_id)
    await engine.wait(project_id)
    print(project_id, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_questions_survive_a_kill_and_lead_to_a_blueprint(
    home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    answer(server, QUESTIONS, FULL)
    process = PythonProcess(ASKED_AND_KILLED.format(template=str(TINY_TEMPLATE)), server)
    project_id = await asyncio.to_thread(process.first_line)
    await asyncio.to_thread(process.kill)
    engine = await started(home, attended=True)
    again = Desk(engine, server)
    try:
        seen = await engine.project(project_id)
        assert (seen.state, seen.running, seen.can_continue) == ("blueprinting", False, False)
        assert seen.waiting is not None
        assert seen.waiting.reason == "answers"
        assert [q.question for q in seen.questions] == [
            "For whom?",
            "Which currency?",
            "Which days?",
        ]
        assert seen.questions[0].options == ("me", "my team")
        assert seen.questions[0].answer is None
        with pytest.raises(NotAllowedNowError):
            await engine.resume(project_id)
        with pytest.raises(InvalidInputError):
            await engine.answer(project_id, ["a", "b", "c", "d"])
        await again.watch(project_id)
        await engine.answer(project_id, ["my team", None])
        await engine.wait(project_id)
        seen = await engine.project(project_id)
        assert seen.state == "awaiting_approval"
        assert [q.answer for q in seen.questions] == ["my team", "", ""]
        assert "my team" in asked(server)
        assert '"questions"' not in asked(server)
        assert [e.type for e in again.events if e.type in ("resumed", "questions_answered")] == [
            "questions_answered",
            "resumed",
        ]
        with pytest.raises(NotAllowedNowError):
            await engine.answer(project_id, None)
    finally:
        await again.aclose()


async def test_a_message_instead_of_answers_goes_into_the_plan(
    desk: Desk, server: ModelServer
) -> None:
    answer(server, QUESTIONS, FULL)
    project_id = await desk.build(approval=True)
    await say(desk, project_id, "Just for me, in euros", "I plan it for you alone, in euros.")
    assert "Just for me, in euros" in asked(server)
    assert (await view(desk, project_id)).state == "awaiting_approval"
    assert desk.of("questions_asked")
    [told] = [e.payload for e in desk.events if isinstance(e.payload, QuestionsAnswered)]
    assert [q["answer"] for q in told.questions] == ["", "", ""]


async def test_a_question_back_is_answered_and_those_before_the_plan_stay_open(
    desk: Desk, server: ModelServer
) -> None:
    answer(server, QUESTIONS, FULL)
    project_id = await desk.build(approval=True)
    told = "With a team people sign in.\n\n[no change]"
    await say(desk, project_id, "What difference does this make?", told)
    [request] = server.requests_for("converse")
    assert "You asked: For whom? (me / my team) Why: sign-in" in str(request.messages)
    seen = await view(desk, project_id)
    assert seen.waiting is not None
    assert (seen.state, seen.waiting.reason) == ("blueprinting", "answers")
    assert [q.answer for q in seen.questions] == [None, None, None]
    assert seen.messages[-1].text == "With a team people sign in."
    await desk.engine.answer(project_id, ["me", None, None])
    await desk.engine.wait(project_id)
    assert (await view(desk, project_id)).state == "awaiting_approval"
    assert "What difference" not in asked(server)


async def test_stopping_at_the_questions_skips_them(desk: Desk, server: ModelServer) -> None:
    answer(server, QUESTIONS, FULL)
    project_id = await desk.build(approval=True)
    await desk.engine.cancel(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, seen.waiting, seen.can_continue) == ("idle", None, True)
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert (await view(desk, project_id)).state == "awaiting_approval"


async def test_nobody_is_asked_where_nobody_looks_on(
    home: Home, desk: Desk, server: ModelServer
) -> None:
    answer(server, QUESTIONS)
    project_id = await desk.build()
    await desk.engine.shutdown()
    answer(server, QUESTIONS, NO_WEB_APP)
    engine = await started(home, attended=False)
    alone = Desk(engine, server)
    try:
        await alone.watch(project_id)
        await engine.resume(project_id)
        # The model asks again; without anybody to answer that is an answer in the wrong form.
        await engine.wait(project_id)
        seen = await engine.project(project_id)
        assert (seen.state, seen.can_continue) == ("idle", True)
        assert seen.reason.startswith("A macro is no web app; this is a page that counts. Continue")
        await engine.resume(project_id)
        await alone.until_state("implementing_phase")
        await engine.cancel(project_id)
        assert len(server.requests_for("blueprint")) == 3
    finally:
        await alone.aclose()


# -- no web app ---------------------------------------------------------------------------------------------
async def test_a_wish_that_is_no_web_app_waits_for_the_person_before_more_is_spent(
    desk: Desk, server: ModelServer
) -> None:
    answer(server, NO_WEB_APP)
    project_id = await desk.build(approval=False)
    seen = await view(desk, project_id)
    assert seen.state == "awaiting_approval"
    assert seen.waiting is not None
    assert seen.waiting.message.startswith("A macro is no web app")
    assert [r.operation for r in server.requests if r.operation] == ["blueprint"]


# -- editing and approval -----------------------------------------------------------------------------------
async def test_every_field_can_be_edited_and_a_wrong_edit_names_it(desk: Desk) -> None:
    project_id = await waiting_for_approval(desk)
    changes: dict[str, Any] = {
        "title": "Tally",
        "views": [{"name": "Start", "description": "d"}, {"name": "About", "description": ""}],
        "user_flow": {"ui_layout": "one column"},
        "color_palette": ["#fff", "#102030"],
        "initial_phase": {"files": [{"path": "index.html", "purpose": "p", "changes": None}]},
        "acceptance_checks": [{"name": "n", "phase": 2, "steps": [{"do": "reload"}]}],
    }
    await desk.engine.edit_blueprint(project_id, changes)
    seen = await view(desk, project_id)
    assert seen.blueprint is not None
    assert seen.title == "Tally"
    assert seen.blueprint["views"] == changes["views"]
    assert seen.blueprint["user_flow"]["ui_layout"] == "one column"
    assert seen.blueprint["initial_phase"]["name"] == ONE_FILE["name"]
    assert set(seen.edited_fields) == changes.keys()
    with pytest.raises(InvalidInputError) as caught:
        await desk.engine.edit_blueprint(project_id, {"views": [{"name": "A"}, {}]})
    assert caught.value.details["field"] == "views.1.name"
    assert (await view(desk, project_id)).blueprint == seen.blueprint


async def test_planning_anew_keeps_the_persons_edits_word_for_word(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await waiting_for_approval(desk)
    mine = [{"phase": "Everything at once", "description": "as I say"}]
    await desk.engine.edit_blueprint(project_id, {"implementation_roadmap": mine})
    answer(server, {**FULL, "title": "Other", "initial_phase": {**ONE_FILE, "name": "Fitting"}})
    await desk.engine.replan(project_id)
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert seen.state == "awaiting_approval"
    assert seen.blueprint is not None
    assert seen.blueprint["implementation_roadmap"] == mine
    assert seen.blueprint["initial_phase"]["name"] == "Fitting"
    assert seen.edited_fields == ("implementation_roadmap",)
    assert "Everything at once" in asked(server)


async def test_what_is_asked_about_the_plan_is_answered_and_changes_nothing(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await waiting_for_approval(desk)
    await desk.engine.edit_blueprint(project_id, {"title": "Tally"})
    before = (await view(desk, project_id)).blueprint
    told = "They are what could go wrong.\n\n[no change]"
    await say(desk, project_id, "What does the pitfalls section mean?", told)
    [request] = server.requests_for("converse")
    assert "Nothing is built yet" in str(request.messages[-1])
    seen = await view(desk, project_id)
    assert (seen.state, seen.blueprint, seen.open_wishes) == ("awaiting_approval", before, ())
    assert [m.text for m in seen.messages] == [
        "What does the pitfalls section mean?", "They are what could go wrong.",
    ]  # fmt: skip
    assert len(server.requests_for("blueprint")) == 1


async def test_a_plan_that_is_changed_in_words_keeps_what_the_person_wrote_in_it(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await waiting_for_approval(desk)
    mine = [{"phase": "Everything at once", "description": "as I say"}]
    await desk.engine.edit_blueprint(project_id, {"title": "Tally", "implementation_roadmap": mine})
    answer(server, {**FULL, "color_palette": ["#00ff00"]})
    # A change of an app that is not there yet is none of its files.
    told = f"I take green.\n\n{whole('index.html', '<h1>Green</h1>')}"
    await say(desk, project_id, "Make it green", told)
    seen = await view(desk, project_id)
    assert seen.blueprint is not None
    assert seen.state == "awaiting_approval"
    assert (seen.title, seen.blueprint["implementation_roadmap"]) == ("Tally", mine)
    assert seen.blueprint["color_palette"] == ["#00ff00"]
    assert seen.messages[-1].text == "I take green."
    assert "Make it green" in asked(server)
    answer(server, FULL)
    told = "In three steps, then.\n\n[anew implementation_roadmap]"
    await say(desk, project_id, "No, in three steps after all", told)
    seen = await view(desk, project_id)
    assert seen.blueprint is not None
    assert seen.blueprint["implementation_roadmap"] == FULL["implementation_roadmap"]
    assert (seen.title, seen.edited_fields) == ("Tally", ("title",))
    assert seen.messages[-1].text == "In three steps, then."
    server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
    await desk.engine.approve(project_id)
    await desk.until_state("reviewing")
    assert "<h1>Green</h1>" not in str(await desk.texts(project_id))


@pytest.mark.parametrize("change", ["", whole("index.html", "<h1>Green</h1>")])
async def test_what_is_said_after_a_plan_was_stopped_builds_nothing_unapproved(
    desk: Desk, server: ModelServer, change: str
) -> None:
    project_id = await waiting_for_approval(desk)
    await desk.engine.cancel(project_id)
    await say(desk, project_id, "Make it green", f"I take that up.\n\n{change}")
    seen = await view(desk, project_id)
    assert seen.state == "awaiting_approval"
    assert len(server.requests_for("blueprint")) == 1
    assert server.requests_for("implement_phase") == []
    assert len(seen.open_wishes) == (0 if change else 1)  # a change in the reply needs no wish


async def test_the_plan_of_a_recorded_example_is_not_talked_about(desk: Desk) -> None:
    """The one message that it has an answer to is about the app, and would be used up."""
    options = ProjectOptions(sample="kanban-board", approval=True)
    project_id = await desk.engine.create("", options)
    await desk.watch(project_id)
    await desk.engine.generate(project_id)
    await desk.until_state("awaiting_approval")
    with pytest.raises(NoMoreRecordedAnswersError, match="recorded example"):
        await desk.engine.say(project_id, "Make it green")
    assert (await view(desk, project_id)).messages == ()


async def test_an_answer_about_the_plan_that_fails_can_be_tried_again(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await waiting_for_approval(desk)
    server.fail(faults.status(401), operation="converse")
    await say(desk, project_id, "What is it for?")
    assert desk.of("error")
    server.answer("For counting.\n\n[no change]", operation="converse")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, seen.messages[-1].text) == ("awaiting_approval", "For counting.")
    with pytest.raises(NotAllowedNowError, match="approval"):
        await desk.engine.resume(project_id)


async def test_planning_anew_that_fails_can_be_tried_again(desk: Desk, server: ModelServer) -> None:
    project_id = await waiting_for_approval(desk)
    await desk.engine.edit_blueprint(project_id, {"title": "Mine"})
    server.fail(faults.status(401), operation="blueprint")
    await desk.engine.replan(project_id)
    await desk.engine.wait(project_id)
    assert (await view(desk, project_id)).state == "error"
    answer(server, FULL)
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, seen.title) == ("awaiting_approval", "Mine")


async def test_while_the_app_is_built_only_what_is_to_come_can_be_edited(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await waiting_for_approval(desk)
    server.fail(faults.stall(after_chars=5), operation="implement_phase")
    server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
    await desk.engine.approve(project_id, {"title": "Tally"})
    await server.wait_until(lambda: bool(server.requests_for("implement_phase")))
    roadmap: list[dict[str, str]] = FULL["implementation_roadmap"]
    later = [roadmap[0], {"phase": "Else", "description": "mine"}]
    await desk.engine.edit_blueprint(
        project_id, {"implementation_roadmap": later, "acceptance_checks": []}
    )
    for change in ({"title": "X"}, {"implementation_roadmap": later[1:]}):
        with pytest.raises(NotAllowedNowError) as caught:
            await desk.engine.edit_blueprint(project_id, change)
        assert caught.value.details["field"] in change
    blueprint = (await view(desk, project_id)).blueprint
    assert blueprint is not None
    assert (blueprint["title"], blueprint["implementation_roadmap"]) == ("Tally", later)
    answer_plan = {"name": "Else", "files": [], "is_last_phase": True}
    server.answer(json.dumps(answer_plan), operation="plan_phase")
    server.release()
    await desk.engine.wait(project_id)
    [plan] = server.requests_for("plan_phase")
    assert "Else" in json.dumps(plan.body)


LATE = {"phase": "Late", "description": "mine"}
LATE_PLAN = json.dumps(phase("Late", ["late.css"], last=True))


def script_late(server: ModelServer) -> None:
    """Queue the plan and the file of a step that is added late; the first plan takes all steps known before."""
    server.answer(LATE_PLAN, operation="plan_phase")
    server.answer("cat > late.css <<'E'\n* { top: 0 }\nE\n", operation="implement_phase")


async def built_in_one(desk: Desk, server: ModelServer) -> str:
    """Return a project whose only planned phase, the last one, is about to be approved."""
    first = {**FULL, "initial_phase": phase("Basics", ["index.html"], last=True)}
    server.answer(json.dumps([]), operation="questions")
    server.answer(json.dumps(first), operation="blueprint")
    server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
    return await desk.build(approval=True)


async def test_a_step_that_is_added_while_the_last_phase_runs_is_built(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await built_in_one(desk, server)
    server.fail(faults.stall(after_chars=5), operation="implement_phase")
    await desk.engine.approve(project_id)
    await server.wait_until(lambda: bool(server.requests_for("implement_phase")))
    roadmap = [*FULL["implementation_roadmap"], LATE]
    await desk.engine.edit_blueprint(project_id, {"implementation_roadmap": roadmap})
    script_late(server)
    server.release()
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, len(seen.phases)) == ("complete", 2), seen.reason
    assert "late.css" in {file.path for file in seen.files}
    [plan] = server.requests_for("plan_phase")
    assert "Late" in json.dumps(plan.body)
    assert not seen.can_continue


async def test_a_step_that_is_added_to_a_complete_app_is_built_when_it_goes_on(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await built_in_one(desk, server)
    await desk.engine.approve(project_id)
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, seen.can_continue) == ("complete", False), seen.reason
    assert server.requests_for("plan_phase") == [], (
        "that it has fewer phases than steps is the plan's"
    )
    roadmap = [*FULL["implementation_roadmap"], LATE]
    await desk.engine.edit_blueprint(project_id, {"implementation_roadmap": roadmap})
    seen = await view(desk, project_id)
    assert (seen.state, seen.can_continue) == ("complete", True)
    told = [e.payload.message for e in desk.of("notice") if e.payload.code == "roadmap_open"]  # type: ignore[attr-defined]
    assert told == ["The roadmap has what no phase was planned for. Continue, and it is planned."]
    script_late(server)
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, len(seen.phases), seen.can_continue) == ("complete", 2, False), seen.reason
    assert "late.css" in {file.path for file in seen.files}


async def test_a_late_step_that_a_plan_needs_nothing_for_is_said_so(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await built_in_one(desk, server)
    await desk.engine.approve(project_id)
    await desk.engine.wait(project_id)
    roadmap = [*FULL["implementation_roadmap"], LATE]
    await desk.engine.edit_blueprint(project_id, {"implementation_roadmap": roadmap})
    nothing = {"name": "None", "files": [], "is_last_phase": True}
    server.answer(json.dumps(nothing), operation="plan_phase")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, seen.can_continue) == ("complete", False), seen.reason
    told = [e.payload for e in desk.of("notice")]
    assert [n.code for n in told if "roadmap" in n.message] == ["roadmap_open", "nothing_planned"]  # type: ignore[attr-defined]


async def test_a_step_that_is_added_while_a_plan_has_nothing_more_is_planned(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await waiting_for_approval(desk)
    server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
    server.fail(faults.stall(after_chars=5), operation="plan_phase")
    nothing = {"name": "None", "files": [], "is_last_phase": True}
    server.answer(json.dumps(nothing), operation="plan_phase")
    await desk.engine.approve(project_id)
    await server.wait_until(lambda: bool(server.requests_for("plan_phase")))
    roadmap = [*FULL["implementation_roadmap"], LATE]
    await desk.engine.edit_blueprint(project_id, {"implementation_roadmap": roadmap})
    script_late(server)
    server.release()
    await desk.engine.wait(project_id)
    seen = await view(desk, project_id)
    assert (seen.state, seen.can_continue) == ("complete", False), seen.reason
    assert "late.css" in {file.path for file in seen.files}
    first, second = (json.dumps(plan.body) for plan in server.requests_for("plan_phase"))
    assert "Late" not in first
    assert "Late" in second


async def left_in_the_middle(desk: Desk, project_id: str, command: Awaitable[object]) -> None:
    """Cancel who waits for a command while the agent is in the midst of another one."""
    lock = desk.agent(project_id)._commands

    async def take() -> None:
        await lock.acquire()

    async def waits() -> bool:
        return any(not waiter.done() for waiter in lock._waiters or ())  # type: ignore[attr-defined]

    async def let_go() -> None:
        lock.release()

    await desk.engine._call(take())
    caller = asyncio.ensure_future(command)
    async with asyncio.timeout(10):
        while not await desk.engine._call(waits()):  # noqa: ASYNC110 - a lock tells nobody who waits
            await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await desk.engine._call(let_go())


@pytest.mark.parametrize("way", ["approve", "replan", "answer", "resume"])
async def test_who_leaves_the_project_at_once_has_asked_all_the_same(
    desk: Desk, server: ModelServer, way: str
) -> None:
    project_id = await waiting_for_approval(desk, QUESTIONS if way == "answer" else FULL)
    engine = desk.engine
    server.fail(faults.stall(), times=2)
    if way == "resume":
        await engine.approve(project_id)
        await server.wait_until(lambda: bool(server.requests_for("implement_phase")))
        await engine.cancel(project_id)
    commands: dict[str, Callable[[], Awaitable[object]]] = {
        "approve": lambda: engine.approve(project_id),
        "replan": lambda: engine.replan(project_id),
        "answer": lambda: engine.answer(project_id, ["me"]),
        "resume": lambda: engine.resume(project_id),
    }
    before = len(server.requests)
    await left_in_the_middle(desk, project_id, commands[way]())
    await server.wait_until(lambda: len(server.requests) > before)


# -- images -------------------------------------------------------------------------------------------------
def picture(colour: str, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), colour).save(buffer, form)
    return buffer.getvalue()


def sent_images(wire: str, messages: list[dict[str, Any]]) -> list[bytes]:
    """Return the images of the last turn, which must have the provider's own form."""
    found = []
    for part in messages[-1]["content"]:
        if wire == "anthropic" and part["type"] == "image":
            assert part["source"].keys() == {"type", "media_type", "data"}
            assert (part["source"]["type"], part["source"]["media_type"]) == ("base64", "image/png")
            found.append(base64.b64decode(part["source"]["data"]))
        if wire == "openai" and part["type"] == "image_url":
            head, data = part["image_url"]["url"].split(",", 1)
            assert head == "data:image/png;base64"
            found.append(base64.b64decode(data))
    return found


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
async def test_images_go_with_the_wish_the_first_phase_and_the_message(
    wire: str, home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment(wire).items():
        monkeypatch.setenv(name, value)
    desk = Desk(await started(home, attended=True), server)
    try:
        answer(server, FULL)
        options = ProjectOptions(template=str(TINY_TEMPLATE), max_phases=1)
        images = [
            ImageFile("sketch.png", picture("red")),
            ImageFile("b.gif", picture("blue", "GIF")),
        ]
        project_id = await desk.engine.create("Count", options, images)
        await desk.watch(project_id)
        server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
        await desk.engine.generate(project_id)
        await desk.engine.wait(project_id)
        server.answer("Nice.\n\n[no change]", operation="converse")
        await desk.engine.say(project_id, "Like this?", [ImageFile("c.png", picture("lime"))])
        await desk.engine.wait(project_id)

        seen = await view(desk, project_id)
        assert [(a.name, a.media_type, a.width, a.height) for a in seen.attachments] == [
            ("sketch.png", "image/png", 30, 20),
            ("b.gif", "image/png", 30, 20),
            ("c.png", "image/png", 30, 20),
        ]
        kept = [await desk.engine.attachment(project_id, a.id) for a in seen.attachments]
        for operation, wanted in (
            ("blueprint", kept[:2]), ("implement_phase", kept[:2]), ("converse", kept[2:]),
        ):  # fmt: skip
            [request] = server.requests_for(operation)
            assert sent_images(wire, request.messages) == wanted
        said = next(m for m in seen.messages if m.role == "user")
        assert [a.name for a in said.attachments] == ["c.png"]
        told = next(e for e in desk.of("message_complete") if e.to_dict()["data"]["role"] == "user")
        assert [a["id"] for a in told.to_dict()["data"]["attachments"]] == [said.attachments[0].id]
        json.dumps([e.to_dict() for e in desk.events])
        with pytest.raises(NotFoundError):
            await desk.engine.attachment(project_id, project_id)
    finally:
        await desk.aclose()


async def test_the_images_of_a_later_wish_go_with_the_phase_that_builds_it(
    desk: Desk, server: ModelServer
) -> None:
    script_tiny_app(server, said="I make it look like that in the next phase.")
    project_id = await desk.build()
    server.answer(json.dumps(phase("Look", ["look.css"], last=True)), operation="plan_phase")
    server.answer(whole("look.css", "a{}\n"), operation="implement_phase")
    await desk.engine.say(project_id, "Like this", [ImageFile("sketch.png", picture("red"))])
    await desk.engine.wait(project_id)
    [kept] = (await view(desk, project_id)).attachments
    sketch = await desk.engine.attachment(project_id, kept.id)
    for operation in ("plan_phase", "implement_phase"):
        *before, last = server.requests_for(operation)
        assert sent_images("anthropic", last.messages) == [sketch], operation
        assert not any("image" in str(request.body["messages"]) for request in before)
    server.answer("Nothing to do.\n\n[no change]", operation="converse")
    await desk.engine.say(project_id, "And now?")
    await desk.engine.wait(project_id)
    assert "base64" not in str(server.requests_for("converse")[-1].body)


async def test_an_image_that_cannot_be_used_makes_no_project(desk: Desk) -> None:
    too_many = [ImageFile("a.png", picture("red"))] * 9
    for images in ([ImageFile("notes.txt", b"words")], too_many):
        with pytest.raises(InvalidInputError):
            await desk.engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)), images)
    assert await desk.engine.projects() == []


async def test_the_terminal_takes_images_and_says_which_it_cannot_read(
    home: Home, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    shot = tmp_path / "shot.png"
    shot.write_bytes(picture("red"))

    async def build(image: Path) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vibedesk", "build", "Count", "--template", str(TINY_TEMPLATE),
            "--sandbox", "auto", "--max-phases", "1", "--image", str(image),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, errors = await process.communicate()
        return process.returncode or 0, errors.decode()

    status, errors = await build(tmp_path / "gone.png")
    assert status == 1
    assert "gone.png cannot be read" in errors
    answer(server, FULL)
    server.answer("cat > index.html <<'E'\n<h1>Hi</h1>\nE\n", operation="implement_phase")
    status, errors = await build(shot)
    assert (status, errors) == (0, "")
    assert sent_images("anthropic", server.requests_for("blueprint")[0].messages) == [
        picture("red")
    ]
