"""Which files of a large project the requests show, as the server receives them."""

from __future__ import annotations

import json

import pytest

from tests.engine.agent.conftest import Desk
from tests.support.model_http import ReceivedRequest
from tests.support.tiny_app import MARK, PAGE, whole
from vibedesk.base.paths import Home
from vibedesk.engine.models.capabilities import MODELS_FILE

LARGE = "export const value = 1;\n" * 250
"""Thirty of these are more than is ever shown whole."""
PARTS = "".join(whole(f"parts/part{number:02}.js", LARGE) for number in range(30))


async def large_project(desk: Desk) -> str:
    project_id = await desk.build()
    for number in range(30):
        await desk.engine.create_file(project_id, f"parts/part{number:02}.js", LARGE)
    await desk.engine.create_file(
        project_id, "parts/greeting.js", "export const hello = 'Hello';\n"
    )
    return project_id


async def say(desk: Desk, project_id: str, text: str, *answers: str) -> list[ReceivedRequest]:
    before = len(desk.server.requests)
    for answer in answers:
        desk.server.answer(answer, operation="converse")
    await desk.engine.say(project_id, text)
    await desk.engine.wait(project_id)
    return desk.server.requests[before:]


def told(request: ReceivedRequest) -> str:
    return json.dumps(request.body, ensure_ascii=False)


def shows(request: ReceivedRequest, path: str) -> bool:
    return f'<file path=\\"{path}\\">' in told(request)


@pytest.mark.parametrize("answers", [{"said": "Yes.\n\n[no change]"}])
async def test_what_matters_is_shown_and_marks_are_kept(desk: Desk) -> None:
    project_id = await large_project(desk)
    await desk.engine.mark_file(project_id, "parts/part07.js", "pinned", True)
    await desk.engine.mark_file(project_id, "parts/part08.js", "excluded", True)
    await desk.engine.mark_file(project_id, "parts/greeting.js", "locked", True)
    words = "Is the greeting of part08.js friendly?"
    (request,) = await say(desk, project_id, words)
    assert shows(request, "parts/greeting.js")
    assert "never write them: parts/greeting.js" in told(request)
    assert shows(request, "parts/part07.js")
    assert not shows(request, "parts/part08.js")
    assert "part08.js" in told(request).partition("Files that are there but not shown")[2]
    assert len(told(request)) < 100_000 < 30 * len(LARGE)


@pytest.mark.parametrize("answers", [{"said": "[show parts/part21.js ../secret parts/none.js]"}])
async def test_an_answer_that_asks_for_a_file_is_asked_for_again_with_it(desk: Desk) -> None:
    project_id = await large_project(desk)
    reply = "I marked the style.\n\n" + whole("said.css", MARK)
    first, second = await say(desk, project_id, "Mark the style", reply)
    assert "[show path/one.ts" in told(first)
    assert not shows(first, "parts/part21.js")
    assert shows(second, "parts/part21.js")
    assert "[show path/one.ts" not in told(second)
    assert (await desk.texts(project_id))["said.css"] == MARK
    spoken = [e.payload.text for e in desk.of("message_complete")]  # type: ignore[attr-defined]
    assert spoken[-1] == "I marked the style."


@pytest.mark.parametrize("answers", [{"said": "[show parts/part21.js]"}])
async def test_an_answer_that_asks_twice_is_an_error(desk: Desk) -> None:
    project_id = await large_project(desk)
    requests = await say(desk, project_id, "Mark the style", "[show parts/part22.js]")
    assert len(requests) == 2
    assert "asked for files instead" in desk.of("error")[-1].payload.message  # type: ignore[attr-defined]
    assert (await desk.engine.project(project_id)).wishes == ()


@pytest.mark.parametrize("answers", [{"second": whole("index.html", "BROKEN\n") + PARTS}])
async def test_a_mend_may_ask_for_a_file_once(desk: Desk) -> None:
    for answer in ("[show parts/part21.js]", whole("index.html", PAGE)):
        desk.server.answer(answer, operation="fix")
    project_id = await desk.build()
    assert (await desk.state(project_id)) == "complete"
    first, second = desk.server.requests_for("fix")
    assert shows(first, "index.html")
    assert not shows(first, "parts/part21.js")
    assert shows(second, "parts/part21.js")
    assert "[show path/one.ts" not in told(second)
    assert "nothing_changed" not in [e.payload.code for e in desk.of("notice")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("answers", [{"said": "Yes.\n\n[no change]"}])
async def test_a_pinned_file_that_no_model_can_read_is_told_once(desk: Desk) -> None:
    project_id = await desk.build()
    await desk.engine.create_file(project_id, "vast.txt", "all of the data\n" * 200_000)
    await desk.engine.mark_file(project_id, "vast.txt", "pinned", True)
    (request,) = await say(desk, project_id, "Is the style marked?")
    assert len(told(request)) < 100_000
    assert shows(request, "index.html")
    assert not shows(request, "vast.txt")
    assert "too large to be shown, even where they are asked for: vast.txt" in told(request)
    await say(desk, project_id, "And now?", "Yes.\n\n[no change]")
    notices = [e.payload for e in desk.of("notice") if e.payload.code == "too_large_to_show"]  # type: ignore[attr-defined]
    (notice,) = notices
    assert notice.message == (  # type: ignore[attr-defined]
        "Too large for the model to read with everything else, so it is told only the name: vast.txt. "
        "Keep less in it, unpin it, or choose a model with a larger window."
    )


@pytest.mark.parametrize("answers", [{"said": "Yes.\n\n[no change]"}])
async def test_a_small_window_is_not_filled_beyond_what_it_holds(desk: Desk, home: Home) -> None:
    facts = {"claude-sonnet-5-5": {"context_window": 16_000, "max_output_tokens": 4_000}}
    (home.root / MODELS_FILE).write_text(json.dumps({"models": facts}), encoding="utf-8")
    project_id = await large_project(desk)
    (request,) = await say(desk, project_id, "Is the greeting friendly?")
    assert shows(request, "parts/greeting.js")
    assert len(json.dumps(request.body)) / 4 + request.body["max_tokens"] < 16_000
