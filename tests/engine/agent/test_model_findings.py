"""What a model finds by reading, from its question to its mend: what it is told, and what settles it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.agent.conftest import Bench
from tests.support.mendable_app import GOOD, WRONG, script_app
from tests.support.tiny_app import whole

FINDING = {"file": "app.js", "line": 2, "severity": "blocking", "message": "Zero is not shown."}
OTHER = {"file": "more.js", "severity": "blocking", "message": "More is never used."}
SHOWN = GOOD + "// shown\n"
MORE = "export const more = 1;\n"
NO_FAULT = "[no fault 1: the wish wants it empty at first]"


def findings(bench: Bench, *found: dict[str, Any], still: tuple[int, ...] = ()) -> None:
    answer = {"still": still, "findings": found}
    bench.server.answer(json.dumps(answer), operation="review")


def next_phase(bench: Bench, path: str, text: str) -> None:
    files = [{"path": path, "purpose": "keeps the rest"}]
    plan = {"name": "More", "description": "It keeps.", "files": files, "is_last_phase": True}
    bench.server.answer(json.dumps(plan), operation="plan_phase")
    bench.server.answer(whole(path, text), operation="implement_phase")


async def severities(bench: Bench, project_id: str) -> dict[str, str]:
    view = await bench.engine.project(project_id)
    assert {issue["status"] for issue in view.issues} <= {"open"}
    return {issue["message"]: issue["severity"] for issue in view.issues}


# -- what is no fault -----------------------------------------------------------------------------------------


async def test_a_finding_that_is_called_no_fault_stays_as_a_warning_with_the_reason(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    findings(bench, FINDING)
    bench.server.answer(NO_FAULT, operation="fix")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert view.state == "complete", view.reason
    [asked] = bench.asked("fix")
    assert "- app.js:2: Zero is not shown. (review 1)\n" in asked
    assert "[no fault 1: " in asked
    [issue] = view.issues
    assert (issue["severity"], issue["status"]) == ("warning", "open")
    assert [tried["outcome"] for tried in issue["fixes_tried"]] == [
        "no fault: the wish wants it empty at first"
    ]
    [told] = bench.notices("no_fault")
    assert "Zero is not shown." in told
    assert "the wish wants it empty at first" in told
    assert bench.fixes == []


async def test_who_says_it_in_the_wrong_form_is_asked_for_the_right_one(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    findings(bench, FINDING)
    bench.server.answer("It looks fine to me.", operation="fix")
    bench.server.answer(NO_FAULT, operation="fix")
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    first, second = bench.asked("fix")
    assert "Whole files only" not in first
    assert "Whole files only" in second
    assert "[no fault 1: " in second
    assert await severities(bench, project_id) == {"Zero is not shown.": "warning"}


async def test_other_findings_of_the_same_question_are_mended(bench: Bench) -> None:
    script_app(bench.server, GOOD, also=whole("more.js", MORE))
    findings(bench, FINDING, OTHER)
    bench.server.answer(f"{NO_FAULT}\n\n{whole('more.js', MORE * 2)}", operation="fix")
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert await severities(bench, project_id) == {"Zero is not shown.": "warning"}
    assert bench.fixes == [("more.js", "model", None)]


async def test_what_a_tool_shows_is_never_called_no_fault(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    for _ in range(2):
        bench.server.answer(NO_FAULT, operation="fix")
    bench.fix_with(GOOD)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert not any("[no fault 1: " in asked for asked in bench.asked("fix"))
    assert bench.notices("no_fault") == []


async def test_what_the_person_wants_mended_is_left_where_it_is_called_no_fault(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    findings(bench, {**FINDING, "severity": "warning"})
    project_id = await bench.build()
    bench.server.answer(NO_FAULT, operation="fix")
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"
    assert len(bench.asked("fix")) == 1
    assert await severities(bench, project_id) == {"Zero is not shown.": "warning"}
    assert len(bench.notices("no_fault")) == 1


# -- what settles one -------------------------------------------------------------------------------------------


async def test_a_try_settles_only_what_it_was_in_the_file_of(bench: Bench) -> None:
    script_app(bench.server, GOOD, also=whole("more.js", MORE))
    nowhere = {"file": "gone.js", "severity": "blocking", "message": "Nobody can sign in."}
    findings(bench, FINDING, OTHER, nowhere)
    bench.server.answer(whole("more.js", MORE * 2), operation="fix")
    bench.fix_with(SHOWN)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second = bench.asked("fix")
    assert "Nobody can sign in. (gone.js) (review " in first
    assert "More is never used." in first
    problems = second.split("</problems>")[0]
    assert "app.js:2: Zero is not shown. (review 1)" in problems
    assert "More is never used." not in problems
    assert "Nobody can sign in." not in problems
    assert "- changed more.js: its file was left as it was\n" in second
    assert bench.fixes == [("more.js", "model", None), ("app.js", "model", None)]


async def test_a_mend_is_named_by_the_finding_of_its_file(bench: Bench) -> None:
    script_app(bench.server, GOOD, also=whole("more.js", MORE))
    findings(bench, FINDING, OTHER)
    both = whole("app.js", SHOWN) + whole("more.js", MORE * 2)
    bench.server.answer(both + whole("new.js", MORE), operation="fix")
    await bench.build()
    told = {event.payload.path: event.payload.issue for event in bench.of("fix_applied")}  # type: ignore[attr-defined]
    assert told == {
        "app.js": "Zero is not shown.",
        "more.js": "More is never used.",
        "new.js": "Zero is not shown.",
    }


# -- what a review is told --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "still", "stays"),
    [("more.js", (), True), ("app.js", (1,), True), ("app.js", (), False)],
)
async def test_a_review_is_told_what_is_known(
    bench: Bench, path: str, *, still: tuple[int, ...], stays: bool
) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, FINDING)
    bench.server.answer(NO_FAULT, operation="fix")
    findings(bench, still=still)
    next_phase(bench, path, SHOWN)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    first, second = bench.asked("review")
    known = "app.js:2: Zero is not shown. (no fault: the wish wants it empty at first)"
    listed = "Known already" in second
    assert ("Known already" in first, listed) == (False, path == "more.js")
    assert f"- {known}\n" in second if listed else f"1. {known}\n" in second
    expected = {"Zero is not shown.": "warning"} if stays else {}
    assert await severities(bench, project_id) == expected


async def test_what_was_called_no_fault_does_not_block_when_it_is_found_once_more(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, FINDING)
    bench.server.answer(NO_FAULT, operation="fix")
    findings(bench, FINDING)
    next_phase(bench, "app.js", SHOWN)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert len(bench.asked("fix")) == 1
    assert await severities(bench, project_id) == {"Zero is not shown.": "warning"}


async def test_what_weighs_more_by_now_blocks(bench: Bench) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, {**FINDING, "severity": "warning"})
    findings(bench, FINDING)
    next_phase(bench, "more.js", MORE)
    bench.fix_with(SHOWN)
    project_id = await bench.build()
    assert "- app.js:2: Zero is not shown. (warning)\n" in bench.asked("review")[1]
    assert await bench.state(project_id) == "complete"
    assert await severities(bench, project_id) == {}
    assert bench.fixes == [("app.js", "model", None)]


async def test_a_review_is_told_what_its_phase_was_to_do(bench: Bench) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench)
    findings(bench)
    next_phase(bench, "more.js", MORE)
    await bench.build()
    first, second = bench.asked("review")
    assert "What it was to do: Basics. Counts\n- index.html: it\n" in first
    assert "Later phases follow" in first
    assert "What it was to do: More. It keeps.\n- more.js: keeps the rest\n" in second
    assert "It is the last phase" in second


async def test_a_finding_stands_at_the_line_that_it_quotes(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    quote = GOOD.splitlines()[1]
    findings(bench, {"file": "./app.js", "quote": quote, "severity": "low", "message": "Slow."})
    project_id = await bench.build()
    [issue] = (await bench.engine.project(project_id)).issues
    assert (issue["file"], issue["line"], issue["severity"]) == ("app.js", 2, "warning")
