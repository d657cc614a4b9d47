"""What a review of each phase covers: the checks of what is built, what was left for it, what the person asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.agent.conftest import Bench, rewritten
from tests.engine.agent.test_settling import stack
from tests.support import model_faults as faults
from tests.support.mendable_app import (
    GOOD,
    IDLE_BUTTON,
    MESSAGE,
    PAGE,
    STUCK,
    WRONG,
    check,
    script_app,
    wrong,
)
from tests.support.tiny_app import whole
from vibedesk.base.errors import NotAllowedNowError
from vibedesk.engine.events import (
    CheckFinished,
    Diagnostics,
    FixApplied,
    GenerationComplete,
    PhaseComplete,
    WishQueued,
)

NOTHING = json.dumps({"name": "None", "files": [], "install_commands": [], "is_last_phase": True})
CHECKS = [check("First"), {**check("Second"), "phase": 2}, {**check("Of no phase"), "phase": None}]
UNNAMED = PAGE.replace("<button>", '<img src="/dot.svg"><button>')


def plan(path: str, *, last: bool = True) -> str:
    files = [{"path": path, "purpose": "it"}]
    return json.dumps({"name": "More", "description": "", "files": files, "is_last_phase": last})


def script_two_phases(
    bench: Bench, script: str = GOOD, checks: list[dict[str, Any]] = CHECKS
) -> None:
    """Queue a blueprint of two phases and the first one's files."""
    script_app(bench.server, script, checks=checks, phases=2)


def checks_by_phase(bench: Bench) -> list[list[str]]:
    """Return the names of the checks that were run up to the end of each phase."""
    found: list[list[str]] = [[]]
    for event in bench.events:
        if isinstance(event.payload, CheckFinished):
            found[-1].append(event.payload.name)
        elif isinstance(event.payload, PhaseComplete):
            found.append([])
    return found[:-1]


async def until_answered(bench: Bench, project_id: str, words: str) -> None:
    """Say something while the first phase is held up, and let that go on once it is answered."""
    await bench.engine.generate(project_id)
    await bench.until(lambda e: e.type == "file_chunk")
    await bench.engine.say(project_id, words)
    await bench.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    bench.server.release()
    await bench.engine.wait(project_id)


# -- acceptance checks ---------------------------------------------------------------------------------------


async def test_a_change_from_the_conversation_is_no_phase_of_the_plan(seeing: Bench) -> None:
    script_two_phases(seeing)
    seeing.server.fail(faults.stall(after_chars=200), operation="implement_phase")
    seeing.server.answer("Done.\n\n" + whole("said.css", "/* said */\n"), operation="converse")
    seeing.server.answer(plan("more.js"), operation="plan_phase")
    seeing.server.answer(whole("more.js", "export {};\n"), operation="implement_phase")
    project_id = await seeing.create()
    await until_answered(seeing, project_id, "Mark the style")
    assert await seeing.state(project_id) == "complete"
    assert checks_by_phase(seeing) == [["First"], ["First"], ["First", "Second", "Of no phase"]]


async def test_an_app_to_which_nothing_is_added_is_checked_as_a_whole(seeing: Bench) -> None:
    checks = [check("First"), {**check("Second", button="Plus"), "phase": 2}]
    script_two_phases(seeing, checks=checks)
    seeing.server.answer(NOTHING, operation="plan_phase")
    both = PAGE.replace("</button>", "</button> <button>Plus</button>")
    every = GOOD.replace(
        "document.querySelector('button').onclick",
        "for (const b of document.querySelectorAll('button')) b.onclick",
    )
    seeing.server.answer(whole("index.html", both) + whole("app.js", every), operation="fix")
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert view.state == "complete", view.reason
    assert checks_by_phase(seeing) == [["First"], ["First", "Second"] * 2]
    assert [p.name for p in view.phases] == ["Basics", "The last checks"]
    [asked] = seeing.asked("fix")
    assert "Second" in asked


async def test_an_app_whose_plan_ends_early_and_keeps_its_word_is_complete(seeing: Bench) -> None:
    script_two_phases(seeing)
    seeing.server.answer(NOTHING, operation="plan_phase")
    project_id = await seeing.build()
    assert await seeing.state(project_id) == "complete"
    assert checks_by_phase(seeing) == [["First"], ["First", "Second", "Of no phase"]]
    assert len(seeing.asked("implement_phase")) == 1


async def test_the_last_phase_that_is_allowed_has_to_pass_all_checks(seeing: Bench) -> None:
    script_two_phases(seeing)
    project_id = await seeing.build(max_phases=1)
    assert await seeing.state(project_id) == "complete"
    assert checks_by_phase(seeing) == [["First", "Second", "Of no phase"]]


async def test_an_app_whose_roadmap_grew_at_the_phase_limit_is_not_called_complete(
    seeing: Bench,
) -> None:
    script_two_phases(seeing)
    seeing.server.fail(faults.stall(after_chars=200), operation="implement_phase")
    project_id = await seeing.create(max_phases=1)
    await seeing.engine.generate(project_id)
    await seeing.until(lambda e: e.type == "file_chunk")
    steps = [{"phase": name, "description": "Counts"} for name in ("Basics", "Basics", "Late")]
    await seeing.engine.edit_blueprint(project_id, {"implementation_roadmap": steps})
    seeing.server.release()
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert view.state == "idle"
    assert "limit of 1 phases" in view.reason
    assert "roadmap" in view.reason
    assert seeing.told(GenerationComplete) == []
    assert view.can_continue
    # To go on is to allow as many phases again.
    seeing.server.answer(plan("late.js"), operation="plan_phase")
    seeing.server.answer(whole("late.js", "export {};\n"), operation="implement_phase")
    await seeing.engine.resume(project_id)
    await seeing.engine.wait(project_id)
    assert await seeing.state(project_id) == "complete"
    assert checks_by_phase(seeing) == [["First"], ["First", "Second", "Of no phase"]]


# -- checks of phases to come --------------------------------------------------------------------------------

PLUS = PAGE.replace("</button>", "</button> <button>Plus</button>")
COUNTS_BY_ALL = GOOD.replace(
    "document.querySelector('button').onclick",
    "for (const b of document.querySelectorAll('button')) b.onclick",
)


async def before_its_last_check(bench: Bench) -> str:
    """Build the first phase of three, and run all checks: only that of the third fails."""
    project_id = await first_of_three(bench, GOOD, check("Third", button="Plus"))
    await bench.engine.run_checks(project_id)
    assert await failed(bench, project_id) == [("Third", "open")]
    return project_id


async def first_of_three(bench: Bench, script: str, last: dict[str, Any]) -> str:
    """Build the first phase of three, and stop in the plan of the second; the `last` check is one of the third."""
    script_app(bench.server, script, checks=[check("First"), {**last, "phase": 3}], phases=3)
    bench.server.answer(plan("more.js", last=False), operation="plan_phase")
    bench.server.fail(faults.stall(after_chars=0), operation="plan_phase")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await bench.server.wait_until(lambda: bench.server.requests_for("plan_phase") != [])
    await bench.engine.cancel(project_id)
    return project_id


async def failed(bench: Bench, project_id: str) -> list[tuple[str, str]]:
    """Return the checks (names) that are known to fail, with what became of that."""
    view = await bench.engine.project(project_id)
    return [(issue["evidence"]["check"], issue["status"]) for issue in view.issues]


async def test_a_check_of_a_later_phase_is_run_where_the_person_has_it_mended(
    seeing: Bench,
) -> None:
    project_id = await before_its_last_check(seeing)
    seeing.server.answer(whole("index.html", PLUS), operation="fix")
    seeing.server.answer(whole("app.js", COUNTS_BY_ALL), operation="fix")
    await seeing.engine.fix(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("idle", ()), view.reason
    assert seeing.fixes == [("index.html", "model", False), ("app.js", "model", True)]
    assert {c.name: c.passed for c in view.checks} == {"First": True, "Third": True}


async def test_a_check_of_a_later_phase_that_stays_failed_is_the_persons_to_decide(
    seeing: Bench,
) -> None:
    project_id = await before_its_last_check(seeing)
    seeing.fix_with(*(GOOD + f"// try {number}\n" for number in range(3)))
    await seeing.engine.fix(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert view.waiting is not None, view.reason
    assert await failed(seeing, project_id) == [("Third", "given_up")]
    seeing.server.answer(
        whole("index.html", PLUS) + whole("app.js", COUNTS_BY_ALL), operation="fix"
    )
    await seeing.engine.fix(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("idle", ()), view.reason


async def test_a_check_of_a_later_phase_keeps_no_earlier_one_open_and_stays_known(
    seeing: Bench,
) -> None:
    project_id = await before_its_last_check(seeing)
    seeing.server.answer(whole("more.js", "export {};\n"), operation="implement_phase")
    seeing.server.answer(plan("app.js"), operation="plan_phase")
    written = whole("index.html", PLUS) + whole("app.js", COUNTS_BY_ALL)
    seeing.server.answer(written, operation="implement_phase")
    await seeing.engine.resume(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert seeing.asked("fix") == []
    payloads = [event.payload for event in seeing.events]
    closed = payloads.index(PhaseComplete(2))
    known = [told.issues for told in payloads[:closed] if isinstance(told, Diagnostics)][-1]
    assert [i["evidence"]["check"] for i in known] == ["Third"], "nobody looked at it again"


async def test_what_the_person_met_keeps_a_phase_open_although_a_later_check_shows_it_as_well(
    seeing: Bench,
) -> None:
    await seeing.engine.set_setting("fix.automatic", False)
    throws = GOOD + "output.onclick = () => cou();\n"
    last = check("Third", shown="0")
    last["steps"][1] = {"do": "click", "selector": "output"}
    last["steps"].append({"do": "expectText", "selector": "h1", "text": "Clicked"})
    project_id = await first_of_three(seeing, throws, last)
    await seeing.engine.start_preview(project_id)
    thrown = await stack(seeing, project_id, "app.js:3:24")
    await seeing.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    await seeing.engine.run_checks(project_id)
    met = {i["source"]: i for i in (await seeing.engine.project(project_id)).issues}
    assert (met["runtime"]["message"], met["runtime"]["times_seen"]) == (
        "ReferenceError: cou is not defined",
        2,
    )
    assert met["check"]["evidence"]["check"] == "Third"

    seeing.server.answer(whole("more.js", "export {};\n"), operation="implement_phase")
    seeing.fix_with(GOOD)
    seeing.server.answer(plan("index.html"), operation="plan_phase")
    clicked = whole("index.html", PAGE.replace("<h1>Counter", "<h1>Clicked"))
    seeing.server.answer(clicked, operation="implement_phase")
    await seeing.engine.resume(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    payloads = [event.payload for event in seeing.events]
    [mended] = [payload for payload in payloads if isinstance(payload, FixApplied)]
    assert mended.issue == "ReferenceError: cou is not defined"
    assert payloads.index(mended) < payloads.index(PhaseComplete(2))


async def test_what_a_check_showed_that_the_blueprint_has_no_more_is_gone(seeing: Bench) -> None:
    project_id = await before_its_last_check(seeing)
    await seeing.engine.edit_blueprint(project_id, {"acceptance_checks": [check("First")]})
    await seeing.engine.run_checks(project_id)
    assert await failed(seeing, project_id) == []


# -- warnings that the person wants gone ---------------------------------------------------------------------


async def warned(bench: Bench) -> tuple[str, list[str]]:
    """Build an app with a warning; return it and the warnings' signatures."""
    script_app(bench.server, GOOD, page=UNNAMED)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert view.state == "complete"
    assert {issue["severity"] for issue in view.issues} == {"warning"}
    assert bench.asked("fix") == []
    return project_id, [str(issue["signature"]) for issue in view.issues]


@pytest.mark.parametrize("named", [True, False])
async def test_a_warning_is_mended_on_request(seeing: Bench, named: bool) -> None:
    project_id, warnings = await warned(seeing)
    seeing.server.answer(whole("index.html", PAGE), operation="fix")
    await seeing.engine.fix(project_id, warnings if named else ())
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert seeing.fixes == [("index.html", "model", True)]


async def test_a_warning_that_cannot_be_mended_stays_one(seeing: Bench) -> None:
    project_id, warnings = await warned(seeing)
    for number in range(3):
        text = UNNAMED.replace("Counter</h1>", f"Counter {number}</h1>")
        seeing.server.answer(whole("index.html", text), operation="fix")
    await seeing.engine.fix(project_id, warnings)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.waiting) == ("complete", None), view.reason
    assert [(i["signature"], i["status"]) for i in view.issues] == [(s, "open") for s in warnings]
    assert len(seeing.asked("fix")) == 3
    assert seeing.asked("debug") == []
    assert len(seeing.notices("not_mended")) == 1


# -- what was left for later ---------------------------------------------------------------------------------


UNFINISHED = "not all of it works: "


async def skipped(bench: Bench, *, planned: str, written: str) -> str:
    """Build an app that stays wrong, skip that, and let the next phase write `written`."""
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK, *STUCK)
    project_id = await bench.build()
    bench.server.answer(planned, operation="plan_phase")
    bench.server.answer(written, operation="implement_phase")
    await bench.engine.skip_issues(project_id)
    await bench.engine.wait(project_id)
    return project_id


async def test_a_skipped_problem_leads_the_next_phase_and_is_gone_with_it(attended: Bench) -> None:
    planned, written = plan("app.js"), whole("app.js", GOOD)
    project_id = await skipped(attended, planned=planned, written=written)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert [told.status for told in attended.told(WishQueued)] == ["open", "planned", "done"]


async def test_a_skipped_problem_that_its_phase_leaves_counts_again(attended: Bench) -> None:
    planned, written = plan("more.js"), whole("more.js", "export {};\n")
    project_id = await skipped(attended, planned=planned, written=written)
    view = await attended.engine.project(project_id)
    assert view.waiting is not None, view.reason
    assert await attended.statuses(project_id) == [(MESSAGE, "given_up")]
    assert len(attended.asked("fix")) == 2 * len(STUCK), "it was tried anew"


# -- a person who says what to do ----------------------------------------------------------------------------


async def test_a_wish_said_where_they_were_asked_is_built(attended: Bench) -> None:
    script_app(attended.server, WRONG)
    attended.fix_with(*STUCK)
    project_id = await attended.build()
    attended.server.answer("I will take the name out.", operation="converse")
    attended.server.answer(plan("app.js"), operation="plan_phase")
    attended.server.answer(whole("app.js", GOOD), operation="implement_phase")
    await attended.engine.say(project_id, "Leave the name out")
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.waiting, view.issues) == ("complete", None, ()), view.reason
    # The phase that was left unfinished is complete with the one that took it over, and no file is taken for written.
    assert [(p.number, p.completed) for p in view.phases] == [(1, True), (2, True)]
    assert len(attended.asked("implement_phase")) == 2
    assert attended.asked("continue") == []


async def test_a_plan_that_has_nothing_for_it_does_not_close_what_is_unfinished(
    attended: Bench,
) -> None:
    script_app(attended.server, WRONG)
    attended.fix_with(*STUCK)
    project_id = await attended.build()
    attended.server.answer("I will see to it.", operation="converse")
    attended.server.answer(NOTHING, operation="plan_phase")
    attended.fix_with(GOOD)
    await attended.engine.say(project_id, "Do what you can")
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert [(p.name, p.completed) for p in view.phases] == [
        ("Basics", True),
        ("The last checks", True),
    ]
    [words] = attended.notices("nothing_planned")
    assert "“Do what you can”" in words


# -- what nobody can look at again ---------------------------------------------------------------------------


async def test_a_fix_that_nobody_can_check_is_not_called_one_that_helped(bench: Bench) -> None:
    script_app(bench.server, IDLE_BUTTON)
    project_id = await bench.build()
    bench.fix_with(GOOD)
    await bench.engine.report_runtime_error(project_id, "It does not count")
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    assert bench.fixes == [("app.js", "model", None)]
    assert (await bench.engine.project(project_id)).issues == ()


# -- what keeps an app from being called whole ---------------------------------------------------------------


async def test_a_phase_that_is_half_written_is_neither_reviewed_nor_closed(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    bench.server.fail(faults.stall(after_chars=500), operation="implement_phase")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await bench.until(lambda e: e.type == "file_chunk")
    await bench.engine.cancel(project_id)
    with pytest.raises(NotAllowedNowError, match="not written to its end"):
        await bench.engine.review(project_id)
    assert [p.completed for p in (await bench.engine.project(project_id)).phases] == [False]


async def test_a_skipped_problem_keeps_nothing_else_from_being_checked(seeing: Bench) -> None:
    script_app(seeing.server, wrong(MESSAGE).replace("+ 1", "+ 2"), checks=[check()])
    still = [WRONG.replace("+ 1", "+ 2") + f"// try {number}\n" for number in range(3)]
    seeing.fix_with(*still, WRONG)
    project_id = await seeing.build()
    assert (await seeing.engine.project(project_id)).waiting is not None
    seeing.server.answer(NOTHING, operation="plan_phase")
    await seeing.engine.skip_issues(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.reason) == ("idle", UNFINISHED + "Cannot find name 'a'")
    assert [(c.name, c.passed) for c in view.checks] == [("Counts", True)]
    assert "The check “Counts” fails" in seeing.asked("fix")[-1]

    # Whoever goes on wants it to work; and a check that is skipped is no more than skipped.
    await rewritten(seeing, project_id, IDLE_BUTTON)
    seeing.fix_with(*[f"{IDLE_BUTTON}// {number}\n" for number in range(3)])
    await seeing.engine.resume(project_id)
    await seeing.engine.wait(project_id)
    assert (await seeing.engine.project(project_id)).waiting is not None
    seeing.server.answer(NOTHING, operation="plan_phase")
    await seeing.engine.skip_issues(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert view.state == "idle"
    assert view.reason.startswith(f"{UNFINISHED}The check “Counts” fails")
    assert view.wishes == ()
    seeing.fix_with(GOOD)
    await seeing.engine.fix(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert [(c.name, c.passed) for c in view.checks] == [("Counts", True)]
    assert len(seeing.asked("plan_phase")) == 2
