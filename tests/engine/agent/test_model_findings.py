"""What a model finds by reading, from its question to its mend: what it is told, and what settles it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.agent.conftest import Bench
from tests.engine.agent.test_reach_of_review import NOTHING
from tests.support.mendable_app import GOOD, WRONG, script_app
from tests.support.tiny_app import whole
from vibedesk.engine.events import FixApplied
from vibedesk.engine.store.tables import IssueRow

FINDING = {"file": "app.js", "line": 2, "severity": "blocking", "message": "Zero is not shown."}
OTHER = {"file": "more.js", "severity": "blocking", "message": "More is never used."}
LACKS = {"file": "gone.js", "severity": "blocking", "message": "Nobody can sign in."}
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


async def test_a_mend_of_what_nobody_asked_about_is_not_named_by_what_is_no_fault(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    findings(bench, FINDING)
    bench.server.answer(f"{NO_FAULT}\n\n{whole('more.js', MORE)}", operation="fix")
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert [(fix.path, fix.issue) for fix in bench.told(FixApplied)] == [("more.js", "")]
    labels = [version.label for version in await bench.engine.history(project_id)]
    assert "Fix: more.js" in labels


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
    findings(bench, FINDING, OTHER, LACKS, {**LACKS, "file": "", "message": "No way out."})
    # What is sent as it is changes nothing.
    changed = whole("app.js", GOOD) + whole("more.js", MORE * 2)
    bench.server.answer(changed + whole("help.js", MORE), operation="fix")
    bench.fix_with(SHOWN)
    for path in ("gone.js", "out.js"):
        bench.server.answer(whole(path, MORE), operation="fix")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second, *others = (asked.split("</problems>") for asked in bench.asked("fix"))
    for words in ("Nobody can sign in. (gone.js) (review ", "No way out.", "More is never used."):
        assert words in first[0]
    assert "app.js:2: Zero is not shown. (review " in second[0]
    assert "More is never used." not in second[0]
    assert "Nobody can sign in." in second[0], "nothing that is missing was written"
    assert "No way out." in second[0], "a new file may be for either of two that are missing"
    assert "- changed more.js, help.js: its file was left as it was\n" in second[1]
    assert "- changed more.js, help.js: nothing shows that this was for it\n" in second[1]
    for asked in others:
        assert ("Nobody can sign in." in asked[0]) != ("No way out." in asked[0]), "one alone"
    paths = ["more.js", "help.js", "app.js", "gone.js", "out.js"]
    assert bench.fixes == [(path, "model", None) for path in paths]


async def test_what_is_missing_is_settled_by_a_change_that_was_asked_for_nothing_else(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    findings(bench, LACKS)
    bench.fix_with(SHOWN)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(bench.asked("fix")) == 1


async def test_debugging_settles_only_what_it_was_in_the_file_of(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    findings(bench, FINDING)
    for _ in range(3):
        bench.fix_with(GOOD)
    bench.server.answer(f"It is never kept.\n\n{whole('more.js', MORE)}", operation="debug")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert view.reason == "needs you: Zero is not shown. after 4 tries"
    [issue] = view.issues
    assert issue["status"] == "given_up"
    assert [(tried["paths"], tried["outcome"]) for tried in issue["fixes_tried"]] == [
        *[([], "its file was left as it was")] * 3,
        (["more.js"], "its file was left as it was"),
    ]


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


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ({"findings": []}, True),
        ({"still": ["app.js:2: Zero is not shown."], "findings": []}, True),
        ({"still": [1]}, True),
        ({"still": "2", "findings": []}, True),
        ({"still": "none", "findings": []}, False),
    ],
)
async def test_only_a_review_that_says_what_is_still_there_closes_what_was_found_before(
    bench: Bench, said: dict[str, Any], *, stays: bool
) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, {**FINDING, "severity": "warning"})
    for _ in range(2):
        bench.server.answer(json.dumps(said), operation="review")
    next_phase(bench, "app.js", SHOWN)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert await severities(bench, project_id) == (
        {"Zero is not shown.": "warning"} if stays else {}
    )
    understood = said.keys() == {"still", "findings"} and isinstance(said["still"], str)
    assert len(bench.asked("review")) == (2 if understood else 3)
    assert understood or "Field required" in bench.asked("review")[2]


async def test_a_review_that_never_says_what_is_still_there_is_taken_for_what_it_finds(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, {**FINDING, "severity": "warning"})
    slow = {**FINDING, "severity": "warning", "message": "Slow."}
    for _ in range(2):
        bench.server.answer(json.dumps({"findings": [slow]}), operation="review")
    next_phase(bench, "app.js", SHOWN)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    expected = {"Zero is not shown.": "warning", "Slow.": "warning"}
    assert await severities(bench, project_id) == expected


async def test_what_was_kept_by_another_rule_stays_one_and_the_same(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    findings(bench, {**FINDING, "severity": "warning"})
    project_id = await bench.build()
    store = bench.agent(project_id).access.database

    def rename() -> None:
        IssueRow.update(signature="old", status="skipped").where(
            IssueRow.project == project_id
        ).execute()

    await store.run(rename, durable=True)
    bench.server.answer(json.dumps({"still": [1], "findings": [FINDING]}), operation="review")
    bench.server.answer("Done.\n\n" + whole("app.js", SHOWN), operation="converse")
    await bench.engine.say(project_id, "Change it")
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert [(issue["signature"], issue["status"]) for issue in view.issues] == [("old", "skipped")]
    assert bench.asked("fix") == []


# -- the app as a whole -----------------------------------------------------------------------------------------


async def test_where_the_plan_ends_early_a_model_looks_for_what_was_promised(bench: Bench) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench)
    bench.server.answer(NOTHING, operation="plan_phase")
    findings(bench, LACKS)
    bench.server.answer(whole("gone.js", MORE), operation="fix")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert [p.name for p in view.phases] == ["Basics", "The last checks"]
    first, second = bench.asked("review")
    assert "Written or changed in this phase: index.html, app.js." in first
    assert "Written or changed" not in second
    assert "It is the last phase" in second
    assert "what the wish and the blueprint promise" in second
    assert bench.asked("checks") == []
    assert bench.fixes == [("gone.js", "model", None)]


async def test_what_was_looked_over_as_the_last_is_not_looked_over_once_more(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    findings(bench)
    project_id = await bench.build()
    bench.server.answer("I will see to it.", operation="converse")
    bench.server.answer(NOTHING, operation="plan_phase")
    await bench.engine.say(project_id, "Do what you can")
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"
    assert len(bench.asked("review")) == 1


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
