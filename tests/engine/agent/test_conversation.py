"""Talking at any moment: what the model is told, how a long conversation is carried on, and the queue."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_http import ReceivedRequest
from tests.support.model_server import ModelServer
from tests.support.tiny_app import INSIDE_FIRST_FILE, SECOND_PHASE, phase, whole
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.engine.builder.transcript import MOST_CHARACTERS

SAID = {"said": "It counts.\n\n[no change]"}


async def say(desk: Desk, project_id: str, text: str, answer: str | None = None) -> ReceivedRequest:
    """Say something, wait for the answer, and return the request that asked for it."""
    if answer is not None:
        desk.server.answer(answer, operation="converse")
    await desk.engine.say(project_id, text)
    await desk.engine.wait(project_id)
    return desk.server.requests_for("converse")[-1]


def words(request: ReceivedRequest, turn: int = -1) -> str:
    return json.dumps(request.messages[turn]["content"], ensure_ascii=False)


@pytest.mark.parametrize("answers", [SAID])
async def test_the_model_is_told_what_happened_since_its_last_answer(desk: Desk) -> None:
    project_id = await desk.build()
    first = words(await say(desk, project_id, "What does it do?"))
    assert "phase 1 was finished: Basics" in first
    assert "the app was complete" in first
    assert "Phases: 1 Basics; 2 More" in first
    _, oldest = await desk.engine.history(project_id)
    await desk.engine.create_file(project_id, "mine.js", "one\ntwo\n")
    await desk.engine.delete_file(project_id, "later.js")
    await desk.engine.rename_file(project_id, "style.css", "look.css")
    page = await desk.folder(project_id) / "index.html"
    page.write_text(page.read_text() + "<p>by hand</p>\n")
    await desk.engine.restore_file(project_id, oldest.commit, "app.js")
    second = words(await say(desk, project_id, "And now?", "Still.\n\n[no change]"))
    for line in (
        "the person changed mine.js (+2 −0 lines)",
        "the person changed index.html (+1 −0 lines)",
        "the person deleted later.js",
        "the person renamed style.css to look.css",
        "a version was kept: Restored app.js",
    ):
        assert line in second
    assert "was finished" not in second
    third = words(await say(desk, project_id, "Thanks", "You are welcome.\n\n[no change]"))
    assert "the person changed" not in third


@pytest.mark.parametrize("answers", [SAID])
async def test_requests_of_a_conversation_begin_alike(desk: Desk) -> None:
    project_id = await desk.create()
    requests = [
        await say(desk, project_id, f"Question {n}", f"Answer {n}.\n\n[no change]")
        for n in range(4)
    ]
    for before, after in itertools.pairwise(requests[1:]):
        shared = len(before.messages) - 1
        assert [m["role"] for m in after.messages[:shared]] == ["user", "assistant"] * (shared // 2)
        for turn in range(shared):
            assert words(after, turn) == words(before, turn)


async def say_much(desk: Desk, project_id: str, messages: range) -> None:
    """Say something long for each number; more than four are too long for a request."""
    for number in messages:
        text = f"message {number} " + "x" * (MOST_CHARACTERS // 5)
        await say(desk, project_id, text, "Yes.\n\n[no change]")


@pytest.mark.parametrize("answers", [SAID])
async def test_a_long_conversation_is_summed_up(desk: Desk, server: ModelServer) -> None:
    server.answer("They like round numbers.", operation="summarize")
    project_id = await desk.create()
    await say_much(desk, project_id, range(5))
    assert len(server.requests_for("summarize")) == 1
    request = await say(desk, project_id, "And?", "Well.\n\n[no change]")
    sent = json.dumps(request.body)
    assert "message 0 " not in sent
    assert "message 4 " in sent
    assert "They like round numbers." in sent
    assert "no_summary" not in {e.payload.code for e in desk.of("notice")}  # type: ignore[attr-defined]
    view = await desk.engine.project(project_id)
    assert len(view.messages) == 12
    assert view.messages[0].text.startswith("message 0 ")
    assert not desk.of("error")
    again = await say(desk, project_id, "Go on", "Fine.\n\n[no change]")
    assert len(server.requests_for("summarize")) == 1
    assert (again.system, words(again, 0)) == (request.system, words(request, 0))


@pytest.mark.parametrize("answers", [SAID])
async def test_what_no_model_sums_up_is_kept_and_tried_again(
    desk: Desk, server: ModelServer
) -> None:
    server.answer(" \n", operation="summarize")
    project_id = await desk.create()
    await say_much(desk, project_id, range(5))
    [notice] = desk.of("notice")
    assert notice.payload.code == "no_summary"  # type: ignore[attr-defined]
    server.answer("They like round numbers.", operation="summarize")
    assert "message 0 " in json.dumps(
        (await say(desk, project_id, "And?", "Well.\n\n[no change]")).messages
    )
    sent = json.dumps((await say(desk, project_id, "So?", "Yes.\n\n[no change]")).body)
    assert "message 0 " not in sent
    assert "They like round numbers." in sent
    timings = (await desk.engine.inspect(project_id))["timings"]
    outcomes = [t["outcome"] for t in timings if t["operation"] == "summarize"]
    assert outcomes == ["failed", "done"]


@pytest.mark.parametrize("answers", [SAID])
async def test_what_no_model_sums_up_is_cut_where_it_grows_without_end(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.create()
    await say_much(desk, project_id, range(11))
    sent = json.dumps((await say(desk, project_id, "And?", "Well.\n\n[no change]")).messages)
    assert "message 0 " not in sent
    assert "message 10 " in sent
    notices = [e.payload.message for e in desk.of("notice") if e.payload.code == "no_summary"]  # type: ignore[attr-defined]
    assert "It is tried again later." in notices[0]
    assert "It is left out of requests." in notices[-1]


@pytest.mark.parametrize("answers", [SAID])
async def test_an_answer_that_breaks_off_is_written_anew(desk: Desk, server: ModelServer) -> None:
    project_id = await desk.create()
    server.fail(faults.drop(after_chars=6), operation="converse")
    await say(desk, project_id, "What does it do?")
    kinds = [e.type for e in desk.events if e.type.startswith("message_")]
    assert kinds.index("message_restarted") > kinds.index("message_chunk")
    view = await desk.engine.project(project_id)
    assert [m.text for m in view.messages] == ["What does it do?", "It counts."]


@pytest.mark.parametrize("answers", [SAID])
async def test_questions_are_answered_while_the_blueprint_is_made_and_after_a_failure(
    desk: Desk, server: ModelServer
) -> None:
    server.fail(faults.stall(after_chars=20), operation="blueprint")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "blueprint_chunk")
    await desk.engine.say(project_id, "What will it be?")
    await desk.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    assert "the blueprint is being made" in words(server.requests_for("converse")[0])
    server.fail(faults.status(401), operation="implement_phase")
    server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "error"
    asked = words(await say(desk, project_id, "What is wrong?", "The key.\n\n[no change]"))
    assert "the last step failed" in asked
    assert "an error was shown" in asked
    assert await desk.state(project_id) == "error"


EXPLAINED = "In a terminal:\n\n```\nrm style.css\n```\n\nI did not do it.\n\n[no change]\n"


@pytest.mark.parametrize("answers", [{"said": EXPLAINED}])
async def test_a_command_that_is_only_explained_is_not_carried_out(desk: Desk) -> None:
    project_id = await desk.build()
    await say(desk, project_id, "How would I delete style.css myself?")
    view = await desk.engine.project(project_id)
    assert (view.state, len(view.phases), view.open_wishes) == ("complete", 2, ())
    assert "style.css" in await desk.texts(project_id)
    assert view.messages[-1].text.endswith("```\n\nI did not do it.")


# -- the queue -----------------------------------------------------------------------------------------------


async def queue_two_wishes(
    desk: Desk, server: ModelServer, **options: object
) -> tuple[str, list[str]]:
    """Begin a build that stands still in its first file; return the project and the ids of two wishes."""
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    server.answer("It joins the next phase.", operation="converse")
    project_id = await desk.create(**options)
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    for text in ("Make it red", "Make it blink"):
        await desk.engine.say(project_id, text)
        await desk.until(lambda e, text=text: e.type == "wish_queued" and e.payload.text == text)  # type: ignore[misc]
    return project_id, [wish.id for wish in (await desk.engine.project(project_id)).wishes]


@pytest.mark.parametrize("answers", [{"said": "It joins the next phase."}])
async def test_the_queue_can_be_edited_until_a_phase_takes_it_up(
    desk: Desk, server: ModelServer
) -> None:
    project_id, [red, blinking] = await queue_two_wishes(desk, server)
    await desk.engine.edit_queue(project_id, red, "  Make it green  ")
    await desk.engine.edit_queue(project_id, blinking, None)
    with pytest.raises(NotFoundError):
        await desk.engine.edit_queue(project_id, blinking, "Again")
    with pytest.raises(InvalidInputError):
        await desk.engine.edit_queue(project_id, red, " ")
    told = [(e.payload.text, e.payload.status) for e in desk.of("wish_queued")]  # type: ignore[attr-defined]
    assert told[2:] == [("Make it green", "open"), ("Make it blink", "removed")]
    [wish] = (await desk.engine.project(project_id)).wishes
    assert (wish.text, wish.status, wish.phase) == ("Make it green", "open", None)
    server.release()
    await desk.until(lambda e: e.type == "wish_queued" and e.payload.status == "planned")  # type: ignore[attr-defined]
    await desk.engine.wait(project_id)
    assert "Make it green" in words(server.requests_for("plan_phase")[0])
    assert "blink" not in words(server.requests_for("plan_phase")[0])
    assert (await desk.engine.project(project_id)).wishes == ()
    with pytest.raises(NotAllowedNowError, match="has built"):
        await desk.engine.edit_queue(project_id, red, "Make it blue")


@pytest.mark.parametrize("how", ["cancelled", "failed"])
@pytest.mark.parametrize("answers", [{"said": "It joins the next phase."}])
async def test_a_phase_that_ends_early_gives_its_wishes_back(
    desk: Desk, server: ModelServer, how: str
) -> None:
    project_id, [red, blinking] = await queue_two_wishes(desk, server)
    if how == "cancelled":
        server.fail(faults.stall(after_chars=30), operation="implement_phase")
        server.release()
        await desk.until(lambda e: e.type == "phase_designed" and e.payload.phase["number"] == 2)  # type: ignore[attr-defined]
        await desk.engine.cancel(project_id)
    else:
        server.fail(faults.status(401), operation="implement_phase")
        server.release()
        await desk.engine.wait(project_id)
    wishes = (await desk.engine.project(project_id)).wishes
    assert [(w.id, w.status, w.phase) for w in wishes] == [(red, "open", 2), (blinking, "open", 2)]
    await desk.engine.edit_queue(project_id, blinking, "Make it glow")
    server.answer(json.dumps(phase("Glow", ["glow.css"], last=True)), operation="plan_phase")
    server.answer(whole("glow.css", "h1 { color: gold }\n"), operation="implement_phase")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert (await desk.engine.project(project_id)).wishes == ()
    told = [(e.payload.wish_id, e.payload.status) for e in desk.of("wish_queued")]  # type: ignore[attr-defined]
    assert [status for wish, status in told if wish == red] == [
        "open", "planned", "open", "planned", "done",
    ]  # fmt: skip
    plan = words(server.requests_for("plan_phase")[-1])
    assert "Make it glow" in plan
    assert "Make it red" not in plan


NOTHING = {"name": "None", "files": [], "is_last_phase": True}
QUEUED = {"said": "It joins the next phase."}


def settled(desk: Desk) -> list[tuple[str, str, int | None]]:
    """Return (wish, status, phase) of everything that became of the queue after its wishes were open."""
    told = [e.payload for e in desk.of("wish_queued")]
    return [(w.text, w.status, w.phase) for w in told if w.status != "open"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("answers", [{**QUEUED, "plan": {**SECOND_PHASE, "answers": [2]}}])
async def test_a_wish_that_a_plan_leaves_out_leads_to_another_phase(
    desk: Desk, server: ModelServer
) -> None:
    project_id, _ = await queue_two_wishes(desk, server)
    # One that names none is for all that are left.
    red = {**phase("Red", ["red.css"], last=True), "answers": []}
    server.answer(json.dumps(red), operation="plan_phase")
    server.answer(whole("red.css", "h1 { color: red }\n"), operation="implement_phase")
    server.release()
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert (view.state, len(view.phases), view.wishes) == ("complete", 3, ()), view.reason
    assert settled(desk) == [
        ("Make it blink", "planned", 2),
        ("Make it blink", "done", 2),
        ("Make it red", "planned", 3),
        ("Make it red", "done", 3),
    ]
    designed = [e.payload.phase["is_last_phase"] for e in desk.of("phase_designed")]  # type: ignore[attr-defined]
    assert designed == [False, False, True], "the plan called itself the last with a wish left"
    first, second = map(words, server.requests_for("plan_phase"))
    assert r"1. Make it red\n2. Make it blink\n" in first
    assert r"1. Make it red\n\n" in second
    told = words(server.requests_for("implement_phase")[1])
    assert ("Make it blink" in told, "Make it red" in told) == (True, False)


@pytest.mark.parametrize("answers", [{**QUEUED, "plan": {**NOTHING, "answers": [2]}}])
async def test_a_plan_without_files_settles_only_the_wishes_that_it_names(
    desk: Desk, server: ModelServer
) -> None:
    project_id, _ = await queue_two_wishes(desk, server)
    # Nothing is said of wishes: it means all of them.
    red = phase("Red", ["red.css"], last=True)
    server.answer(json.dumps(red), operation="plan_phase")
    server.answer(whole("red.css", "h1 { color: red }\n"), operation="implement_phase")
    server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert settled(desk) == [
        ("Make it blink", "done", None),
        ("Make it red", "planned", 2),
        ("Make it red", "done", 2),
    ]


@pytest.mark.parametrize("answers", [{**QUEUED, "plan": {**SECOND_PHASE, "answers": [2]}}])
async def test_a_wish_left_out_at_the_phase_limit_is_not_called_complete(
    desk: Desk, server: ModelServer
) -> None:
    project_id, [red, _] = await queue_two_wishes(desk, server, max_phases=2)
    server.release()
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert (view.state, view.reason) == (
        "idle",
        "the limit of 2 phases is reached with open wishes",
    )
    assert [(wish.id, wish.status) for wish in view.wishes] == [(red, "open")]
