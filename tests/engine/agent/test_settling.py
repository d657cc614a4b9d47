"""What is wrong counts as mended only where something was changed, or somebody looked; and a mend is paid for in bounds."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import time
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench, reopened, rewritten
from tests.support import model_faults as faults
from tests.support.mendable_app import (
    DEBUGGED,
    GOOD,
    PAGE,
    STUCK,
    THROWS,
    WRONG,
    check,
    script_app,
    wrong,
)
from tests.support.model_server import ModelServer
from tests.support.tiny_app import misfit, whole
from vibedesk.base.paths import Home
from vibedesk.check_lines import readiness_lines
from vibedesk.engine.agent.run_memory import RunMemory
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import CheckFinished, RuntimeErrorSeen
from vibedesk.engine.files.replica import DocumentReplica
from vibedesk.engine.views import CheckResultView, ReadinessView

FINDING = {"file": "app.js", "line": 2, "severity": "blocking", "message": "Zero is not shown."}
MISFIT = misfit("index.html")
SHOWN = GOOD + "// shown\n"


def refuse_to_fix(bench: Bench, times: int) -> None:
    """Queue answers to `times` fixes that change nothing, though asked once more."""
    for _ in range(2 * times):
        bench.server.answer("It looks fine to me.", operation="fix")


# -- what nobody can look at again ---------------------------------------------------------------------------


async def test_a_finding_of_a_model_is_settled_only_by_a_change(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    bench.server.answer(json.dumps({"findings": [FINDING]}), operation="review")
    refuse_to_fix(bench, 1)
    bench.fix_with(SHOWN)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert "app.js:2: Zero is not shown." in bench.asked("fix")[-1]
    assert (await bench.texts(project_id))["app.js"] == SHOWN


async def test_what_the_person_met_is_settled_only_by_a_change(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    await bench.engine.report_runtime_error(project_id, "It does not count")
    refuse_to_fix(bench, 1)
    bench.fix_with(SHOWN)
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert "It does not count" in bench.asked("fix")[-1]
    assert (await bench.texts(project_id))["app.js"] == SHOWN


@pytest.mark.parametrize("breaks_off", [False, True])
async def test_debugging_that_changed_nothing_settles_nothing(
    bench: Bench, *, breaks_off: bool
) -> None:
    script_app(bench.server, GOOD)
    bench.server.answer(json.dumps({"findings": [FINDING]}), operation="review")
    refuse_to_fix(bench, 3)
    if breaks_off:
        for _ in range(2):
            bench.server.answer("Gone.\n\nrm nowhere.js\n", operation="debug")
        bench.server.fail(faults.no_usage(), operation="debug")  # the first goes through
        bench.server.fail(faults.drop(after_chars=3), operation="debug")
        bench.server.answer("That was all.", operation="continue")
    else:
        bench.server.answer(f"It is the page.\n\n{MISFIT}", operation="debug")
        for _ in range(2):
            bench.server.answer(MISFIT, operation="continue")
    project_id = await bench.build()
    assert len(bench.asked("debug")) == 1 + breaks_off
    view = await bench.engine.project(project_id)
    assert view.state == "idle"
    assert await bench.statuses(project_id) == [("Zero is not shown.", "given_up")]


async def test_debugging_keeps_what_came_before_an_answer_went_bad(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    bench.server.answer(DEBUGGED + MISFIT, operation="debug")
    for _ in range(2):
        bench.server.answer(MISFIT, operation="continue")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.fixes[-1] == ("app.js", "debug", True)
    assert bench.notices("no_debug") == []


# -- what only a browser sees ---------------------------------------------------------------------------------


async def test_what_a_browser_saw_is_not_mended_because_none_looks(
    home: Home, model: ModelServer, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIBEDESK_REVIEW", "full")
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    bench = Bench(engine, model, template)
    script_app(model, THROWS, page=PAGE.replace(' lang="en"', ""))
    bench.fix_with(*[f"{THROWS}// try {number}\n" for number in range(3)])
    project_id = await bench.build()
    before = (await bench.engine.project(project_id)).issues
    assert {(issue["source"], issue["status"]) for issue in before} == {
        ("runtime", "given_up"),
        ("page", "open"),
    }
    monkeypatch.setenv("VIBEDESK_REVIEW", "tools")
    again = await reopened(home, bench, attended=False)
    try:
        await again.engine.review(project_id)
        await again.engine.wait(project_id)
        view = await again.engine.project(project_id)
        assert view.state == "idle"
        assert await again.statuses(project_id) == [(i["message"], i["status"]) for i in before]
    finally:
        await again.aclose()


async def test_a_mend_after_which_something_else_is_wrong_there_is_not_called_one(
    bench: Bench,
) -> None:
    script_app(bench.server, wrong("Cannot find name 'a'."))
    bench.fix_with(wrong("Cannot find name 'b'."), GOOD)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert bench.fixes == [("app.js", "model", False), ("app.js", "model", True)]


async def test_an_error_that_says_something_else_each_time_is_one(seeing: Bench) -> None:
    throws = "throw new Error('No item ' + crypto.randomUUID());\n"
    script_app(seeing.server, throws)
    seeing.fix_with(*[f"{throws}// try {number}\n" for number in range(2)], GOOD)
    project_id = await seeing.build()
    assert await seeing.state(project_id) == "complete"
    assert [verified for _, _, verified in seeing.fixes] == [False, False, True]
    assert "changed app.js: still there" in seeing.asked("fix")[1]


# -- what the person meets ------------------------------------------------------------------------------------


async def typed(bench: Bench, project_id: str, text: str) -> None:
    """Have the person type `text` at the beginning of app.js."""
    editor = DocumentReplica()
    editor.apply(*await bench.engine.updates_since(project_id, 0))
    update = editor.edit("app.js", 0, 0, text)
    assert update is not None
    await bench.engine.apply_update(project_id, update)


async def stack(bench: Bench, project_id: str, *places: str) -> str:
    """Return the trace of an error that was thrown at `places` of the running page."""
    url = (await bench.engine.project(project_id)).preview_url
    return "ReferenceError: cou is not defined" + "".join(f"\n    at {url}/{p}" for p in places)


async def test_an_error_of_half_a_line_is_not_mended_unasked_and_keeps_no_phase_open(
    seeing: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page shows what is typed at once, so it throws where half is there; the other half mends it."""
    monkeypatch.setattr(seeing.services.mending, "quiet_seconds", 8.0)
    script_app(seeing.server, GOOD)
    project_id = await seeing.build()
    await typed(seeing, project_id, "// cou")
    thrown = await stack(seeing, project_id, "app.js:1:1")
    told = asyncio.create_task(
        seeing.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    )
    await seeing.until(lambda e: e.type == "diagnostics" and e.payload.issues)  # type: ignore[attr-defined]
    await typed(seeing, project_id, "// nt\n")
    await told
    await seeing.engine.wait(project_id)
    assert await seeing.statuses(project_id) == [("ReferenceError: cou is not defined", "open")]
    assert seeing.asked("fix") == []

    seeing.server.answer("Done.\n\n" + whole("more.js", "export {};\n"), operation="converse")
    await seeing.engine.say(project_id, "Add more")
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert "more.js" in await seeing.texts(project_id)
    assert seeing.asked("fix") == []


async def test_what_the_person_met_is_mended_once_they_do_not_type(
    attended: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = 1.0
    monkeypatch.setattr(attended.services.mending, "quiet_seconds", quiet)
    script_app(attended.server, GOOD)
    project_id = await attended.build()
    attended.fix_with(GOOD)
    begun = time.monotonic()
    await typed(attended, project_id, "cou;\n")
    thrown = await stack(attended, project_id, "app.js:1:1")
    await attended.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    waited = time.monotonic() - begun
    await attended.engine.wait(project_id)
    assert waited > quiet - 0.01  # times are kept in milliseconds
    assert len(attended.asked("fix")) == 1
    assert await attended.statuses(project_id) == []


async def test_while_checks_run_what_the_page_throws_is_not_the_persons(seeing: Bench) -> None:
    """They may start the server anew: a page that asks it for something fails meanwhile."""
    slow = check()
    slow["steps"].insert(1, {"do": "wait", "ms": 3000})
    script_app(seeing.server, GOOD, checks=[slow])
    project_id = await seeing.build()
    running = asyncio.create_task(seeing.engine.run_checks(project_id))
    await seeing.until(lambda _: len(seeing.of("check_started")) == 2)
    await seeing.engine.report_runtime_error(project_id, "TypeError: Failed to fetch")
    assert len(seeing.of("check_finished")) == 1, "the check ended too early to show anything"
    await running
    assert seeing.told(RuntimeErrorSeen) == []
    assert await seeing.statuses(project_id) == []


# While the next phase is written the page shows the last good one.
SECOND = {
    "name": "More", "description": "More of it", "is_last_phase": True,
    "files": [{"path": path, "purpose": "it"} for path in ("app.js", "more.js")],
}  # fmt: skip


async def write_second_phase(bench: Bench, script: str) -> str:
    """Build up to where the second phase has written `script` as app.js and is writing more.js; return the project."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    first, rest = whole("app.js", script), whole("more.js", "export {};\n")
    bench.server.answer("I will add it.", operation="converse")
    bench.server.answer(json.dumps(SECOND), operation="plan_phase")
    bench.server.answer(first + rest, operation="implement_phase")
    bench.server.fail(faults.stall(after_chars=len(first) + 25), operation="implement_phase")
    await bench.engine.say(project_id, "Add more")
    await bench.until(
        lambda e: e.type == "file_start" and e.payload.path == "more.js"  # type: ignore[attr-defined]
    )
    return project_id


async def test_what_the_page_throws_while_the_next_phase_is_written_is_mended_after_it(
    attended: Bench,
) -> None:
    project_id = await write_second_phase(attended, GOOD)
    thrown = await stack(attended, project_id, "index.html:3:1")
    await attended.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    assert await attended.state(project_id) == "implementing_phase"
    assert [seen.message for seen in attended.told(RuntimeErrorSeen)] == [
        "ReferenceError: cou is not defined"
    ]
    assert await attended.statuses(project_id) == [("ReferenceError: cou is not defined", "open")]
    attended.server.answer(whole("index.html", PAGE + "<!-- mended -->\n"), operation="fix")
    attended.server.release()
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = attended.asked("fix")
    assert "index.html:3:1: ReferenceError: cou is not defined" in asked


async def test_what_the_page_throws_in_code_that_the_next_phase_replaces_is_gone_with_it(
    seeing: Bench,
) -> None:
    """It is met after the new text was written, but in the one before: the page shows that until the phase is whole."""
    project_id = await write_second_phase(seeing, SHOWN)
    thrown = await stack(seeing, project_id, "app.js:1:1")
    await seeing.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    assert await seeing.statuses(project_id) == [("ReferenceError: cou is not defined", "open")]
    seeing.server.release()
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert seeing.asked("fix") == []


@pytest.mark.parametrize(
    ("operation", "state"), [("implement_phase", "implementing_phase"), ("fix", "fixing")]
)
async def test_what_the_page_throws_before_anything_is_built_or_while_it_is_mended_is_not_the_apps(
    attended: Bench, operation: str, state: str
) -> None:
    script_app(attended.server, WRONG)
    attended.fix_with(GOOD)
    attended.server.fail(faults.stall(after_chars=80), operation=operation)  # type: ignore[arg-type]
    project_id = await attended.create()
    await attended.engine.generate(project_id)
    await attended.until_state(state)
    await attended.server.wait_until(lambda: bool(attended.server.requests_for(operation)))
    await attended.engine.report_runtime_error(project_id, "ReferenceError: cou")
    assert await attended.state(project_id) == state
    attended.server.release()
    await attended.engine.wait(project_id)
    assert await attended.state(project_id) == "complete"
    assert attended.told(RuntimeErrorSeen) == []


async def test_an_error_that_the_person_met_is_where_the_app_wrote_it(bench: Bench) -> None:
    """What the dev server sends has other lines, and passes through files that the app did not write."""
    source_map = {"version": 3, "sources": ["app.js"], "names": [], "mappings": ";AAAA"}
    inline = base64.b64encode(json.dumps(source_map).encode()).decode()
    sent = f"{GOOD}//# sourceMappingURL=data:application/json;base64,{inline}\n"
    script_app(bench.server, sent)
    project_id = await bench.build()
    thrown = await stack(bench, project_id, "types.mjs:4:2", "app.js:2:9")
    await bench.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    [met] = (await bench.engine.project(project_id)).issues
    assert (met["file"], met["line"], met["column"]) == ("app.js", 1, 1)


async def test_what_the_person_met_is_looked_at_again_where_a_check_shows_it_as_well(
    seeing: Bench,
) -> None:
    """Else nobody can say that its mend helped: what only the person met shows nowhere again."""
    await seeing.engine.set_setting("fix.automatic", False)
    script_app(seeing.server, GOOD, checks=[check()])
    project_id = await seeing.build()
    await rewritten(seeing, project_id, GOOD.replace("+ 1", "+ cou"))
    thrown = await stack(seeing, project_id, "app.js:2:1")
    await seeing.engine.report_runtime_error(project_id, "ReferenceError: cou", thrown)
    await seeing.engine.set_setting("fix.automatic", True)
    await seeing.engine.run_checks(project_id)
    met = {i["source"]: i for i in (await seeing.engine.project(project_id)).issues}
    assert (met["runtime"]["message"], met["runtime"]["times_seen"]) == (
        "ReferenceError: cou is not defined",
        2,
    )
    assert met["check"]["message"].startswith("The check “Counts” fails.")
    seeing.fix_with(GOOD.replace("+ 1", "+ cou + 1"), GOOD)
    await seeing.engine.fix(project_id, [met["runtime"]["signature"]])
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert seeing.fixes == [("app.js", "model", False), ("app.js", "model", True)]
    # That the first mend did not help is known of the error as well.
    for asked in seeing.asked("fix"):
        assert "app.js:2:1: ReferenceError: cou is not defined" in asked


# -- what was looked at ---------------------------------------------------------------------------------------


async def test_a_review_says_what_looked_and_what_cannot_have(
    bench: Bench,
) -> None:
    """The starter has a type checker and no linter, and no browser looks."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    told = bench.of("reviewed")[-1]
    assert told.payload.sources == ["server", "types"]  # type: ignore[attr-defined]
    view = await bench.engine.project(project_id)
    assert (view.reviewed, view.reviewed_at) == (("server", "types"), told.at)
    assert not view.reviewed_outdated
    await bench.engine.create_file(project_id, "src/more.ts", "export {};\n")
    assert (await bench.engine.project(project_id)).reviewed_outdated


async def outdated(bench: Bench, project_id: str) -> list[tuple[bool | None, bool]]:
    """Return of each check whether it passed, and whether the code changed since."""
    checks = (await bench.engine.project(project_id)).checks
    return [(check.passed, check.outdated) for check in checks]


async def test_what_checks_showed_is_of_the_code_that_they_saw(seeing: Bench) -> None:
    script_app(seeing.server, GOOD, checks=[check(), {**check("Later"), "phase": 1, "steps": []}])
    project_id = await seeing.build()
    assert await outdated(seeing, project_id) == [(True, False), (None, False)]
    [kept] = [v for v in await seeing.engine.history(project_id) if v.author == "agent"][:1]

    await typed(seeing, project_id, "// mine\n")
    assert await outdated(seeing, project_id) == [(True, True), (None, False)]
    report = await seeing.engine.check(project_id)
    assert report.ready
    assert await outdated(seeing, project_id) == [(True, False), (None, False)]

    await seeing.engine.restore(project_id, kept.commit)
    assert await outdated(seeing, project_id) == [(True, True), (None, False)]
    await seeing.engine.run_checks(project_id)
    assert await outdated(seeing, project_id) == [(True, False), (None, False)]


async def test_what_is_typed_while_checks_run_none_of_them_saw(seeing: Bench) -> None:
    """While a run is under way it does not even reach the app."""
    slow = check("Slow")
    slow["steps"].insert(1, {"do": "wait", "ms": 3000})
    script_app(seeing.server, GOOD, checks=[slow, check("Quick")])
    project_id = await seeing.create()
    await seeing.engine.generate(project_id)
    await seeing.until(lambda e: e.type == "check_started")
    await typed(seeing, project_id, "// mine\n")
    assert seeing.of("check_finished") == [], "the check ended too early to show anything"
    await seeing.engine.wait(project_id)
    assert [told.outdated for told in seeing.told(CheckFinished)] == [True, True]
    assert await outdated(seeing, project_id) == [(True, True), (True, True)]
    report = await seeing.engine.check(project_id)
    assert report.ready
    assert await outdated(seeing, project_id) == [(True, False), (True, False)]


async def test_what_is_typed_while_a_run_looks_at_the_app_comes_to_it_with_the_runs_end(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    bench.server.answer(json.dumps({"findings": []}), operation="review")
    bench.server.fail(faults.stall(after_chars=3), operation="review")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await bench.server.wait_until(lambda: bool(bench.server.requests_for("review")))
    await typed(bench, project_id, "// mine\n")
    served = await bench.folder(project_id) / "app.js"
    assert served.read_text("utf-8") == GOOD
    bench.server.release()
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"
    assert served.read_text("utf-8") == f"// mine\n{GOOD}"


async def test_what_is_typed_while_a_model_thinks_about_a_mend_survives_it(bench: Bench) -> None:
    """The model writes the file anew as it was shown it, in an answer that begins long after that."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    await bench.engine.report_runtime_error(project_id, "It does not count")
    bench.server.answer(whole("more.js", "export {};\n") + whole("app.js", SHOWN), operation="fix")
    bench.server.fail(faults.stall(after_chars=3), operation="fix")
    await bench.engine.fix(project_id)
    await bench.server.wait_until(lambda: bool(bench.asked("fix")))
    await typed(bench, project_id, "// mine\n")
    bench.server.release()
    await bench.engine.wait(project_id)
    assert (await bench.texts(project_id))["app.js"] == f"// mine\n{SHOWN}"


async def typed_while_asked(bench: Bench, project_id: str, operation: str) -> None:
    """Have the person type in app.js while the model, which has stopped in an answer, has seen it without that."""
    await bench.server.wait_until(lambda: bool(bench.asked(operation)))
    await typed(bench, project_id, "// mine\n")
    bench.server.release()


async def test_what_is_typed_while_a_model_answers_in_the_chat_survives_its_change(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    bench.server.answer("So be it.\n\n" + whole("app.js", SHOWN), operation="converse")
    bench.server.fail(faults.stall(after_chars=3), operation="converse")
    await bench.engine.say(project_id, "Show it")
    await typed_while_asked(bench, project_id, "converse")
    await bench.engine.wait(project_id)
    assert (await bench.texts(project_id))["app.js"] == f"// mine\n{SHOWN}"


async def test_what_is_typed_after_an_answer_in_the_chat_survives_its_change_over_a_restart(
    home: Home, model: ModelServer, template: Path
) -> None:
    """A run is under way, so the change waits for its end."""
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    bench = Bench(engine, model, template)
    script_app(model, GOOD)
    project_id = await bench.build()
    await engine.report_runtime_error(project_id, "It does not count")
    model.answer(whole("more.js", "export {};\n"), operation="fix")
    model.fail(faults.stall(after_chars=3), operation="fix")
    await engine.fix(project_id)
    await model.wait_until(lambda: bool(bench.asked("fix")))
    model.answer("So be it.\n\n" + whole("app.js", SHOWN), operation="converse")
    await engine.say(project_id, "Show it")
    await bench.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    await typed(bench, project_id, "// mine\n")
    bench = await reopened(home, bench, attended=False)
    try:
        await bench.engine.resume(project_id)
        await bench.engine.wait(project_id)
        assert (await bench.texts(project_id))["app.js"] == f"// mine\n{SHOWN}"
    finally:
        await bench.aclose()


async def test_a_change_from_the_chat_is_not_mixed_with_what_a_model_wrote_meanwhile(
    bench: Bench,
) -> None:
    """Two answers to the same words: the later one counts, as it was sent."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    await bench.engine.report_runtime_error(project_id, "It does not count")
    bench.fix_with(GOOD.replace("+ 1", "+ 2"))
    bench.server.fail(faults.stall(after_chars=3), operation="fix")
    await bench.engine.fix(project_id)
    await bench.server.wait_until(lambda: bool(bench.asked("fix")))
    bench.server.answer(
        "So be it.\n\n" + whole("app.js", GOOD.replace("+ 1", "+ 3")), operation="converse"
    )
    await bench.engine.say(project_id, "Count in threes")
    await bench.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    bench.server.release()
    await bench.engine.wait(project_id)
    assert (await bench.texts(project_id))["app.js"] == GOOD.replace("+ 1", "+ 3")


async def test_what_is_typed_into_a_file_that_a_model_wrote_meanwhile_survives(
    bench: Bench,
) -> None:
    """The model's change gives way to the later answer, as it was sent; what was typed does not."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    await bench.engine.report_runtime_error(project_id, "It does not count")
    bench.fix_with(GOOD.replace("+ 1", "+ 2"))
    bench.server.fail(faults.stall(after_chars=3), operation="fix")
    await bench.engine.fix(project_id)
    await bench.server.wait_until(lambda: bool(bench.asked("fix")))
    bench.server.answer("So be it.\n\n" + whole("app.js", SHOWN), operation="converse")
    await bench.engine.say(project_id, "Show it")
    await bench.until(lambda e: e.type == "message_complete" and e.payload.role == "assistant")  # type: ignore[attr-defined]
    await typed(bench, project_id, "// mine\n")
    bench.server.release()
    await bench.engine.wait(project_id)
    assert (await bench.texts(project_id))["app.js"] == f"// mine\n{SHOWN}"


async def test_what_is_typed_while_a_model_debugs_survives_its_mend(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    bench.server.answer(DEBUGGED, operation="debug")
    bench.server.fail(faults.stall(after_chars=3), operation="debug")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await typed_while_asked(bench, project_id, "debug")
    await bench.engine.wait(project_id)
    assert (await bench.texts(project_id))["app.js"] == f"// mine\n{GOOD}"


async def test_what_is_typed_before_a_debugging_model_sees_the_file_comes_once(
    bench: Bench,
) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    bench.server.answer("Let me see.\n\n[show app.js]\n", operation="debug")
    mended = "// mine\nconst counted = 1;\n"
    bench.server.answer("It is this.\n\n" + whole("app.js", mended), operation="debug")
    bench.server.fail(faults.stall(after_chars=3), operation="debug")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await typed_while_asked(bench, project_id, "debug")
    await bench.engine.wait(project_id)
    assert (await bench.texts(project_id))["app.js"] == mended


async def test_what_is_typed_after_a_debugging_model_saw_the_file_survives_its_mend_over_a_restart(
    home: Home, model: ModelServer, template: Path
) -> None:
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    bench = Bench(engine, model, template)
    script_app(model, WRONG)
    bench.fix_with(*STUCK)
    model.answer("Let me see.\n\n[show app.js]\n", operation="debug")
    model.answer(DEBUGGED, operation="debug")
    model.fail(faults.no_usage(), operation="debug")  # the first goes through
    model.fail(faults.stall(after_chars=3), operation="debug")
    project_id = await bench.create()
    await engine.generate(project_id)
    await model.wait_until(lambda: len(bench.asked("fix")) == len(STUCK))
    await model.wait_until(lambda: len(bench.asked("debug")) == 2)
    await typed(bench, project_id, "// mine\n")
    bench = await reopened(home, bench, attended=False)
    try:
        await bench.engine.resume(project_id)
        await bench.engine.wait(project_id)
        assert (await bench.texts(project_id))["app.js"] == f"// mine\n{GOOD}"
        assert len(bench.asked("debug")) == 3
    finally:
        await bench.aclose()


def test_an_app_is_not_ready_by_checks_of_other_code() -> None:
    seen = CheckResultView("Counts", ("Open the app",), 1, passed=True)
    old = dataclasses.replace(seen, name="Adds", outdated=True)
    assert ReadinessView((seen,)).ready
    report = ReadinessView((seen, old))
    assert not report.ready
    assert list(readiness_lines(report, security=False)) == [
        "pass  Counts",
        "-     Adds: the code changed while it ran",
        "1 of 2 checks pass.",
    ]


# -- what is mended unasked -----------------------------------------------------------------------------------


async def met(bench: Bench, project_id: str, message: str) -> list[tuple[str, str]]:
    """Have the person meet an error; return what is wrong when all came to rest."""
    await bench.engine.report_runtime_error(project_id, message)
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"
    return await bench.statuses(project_id)


async def test_an_error_that_keeps_coming_back_is_mended_unasked_a_few_times_only(
    attended: Bench,
) -> None:
    """A page that is left open reports it for ever; the person may still ask for more."""
    script_app(attended.server, GOOD)
    project_id = await attended.build()
    refuse_to_fix(attended, 1)
    attended.fix_with(*[f"{GOOD}// try {number}\n" for number in range(6)])

    for _ in range(2):  # the first takes two tries
        assert await met(attended, project_id, "It does not count") == []
    asked = len(attended.asked("fix"))
    for _ in range(3):
        assert await met(attended, project_id, "It does not count") == [
            ("It does not count", "open")
        ]
    assert len(attended.asked("fix")) == asked

    await attended.engine.fix(project_id)
    await attended.engine.wait(project_id)
    assert await attended.statuses(project_id) == []
    assert await met(attended, project_id, "It does not add") == []
    assert len(attended.asked("fix")) == asked + 2


async def test_an_app_that_throws_something_else_each_time_is_mended_unasked_a_few_times_only(
    attended: Bench,
) -> None:
    script_app(attended.server, GOOD)
    project_id = await attended.build()
    attended.fix_with(*[f"{GOOD}// try {number}\n" for number in range(6)])
    for what in ("count", "add", "show"):
        assert await met(attended, project_id, f"It does not {what}") == []
    left = await met(attended, project_id, "It does not stop")
    assert left == [("It does not stop", "open")]
    assert len(attended.asked("fix")) == 3
    await attended.engine.fix(project_id)
    await attended.engine.wait(project_id)
    assert await attended.statuses(project_id) == []


def test_after_an_hour_it_is_mended_unasked_again() -> None:
    memory = RunMemory()
    began = [memory.may_mend_unasked(f"2026-11-21T09:{minute:02}:00.000Z") for minute in range(4)]
    assert began == [True, True, True, False]
    memory = RunMemory.from_dict(memory.to_dict())
    assert not memory.may_mend_unasked("2026-11-21T09:59:59.999Z")
    assert memory.may_mend_unasked("2026-11-21T10:00:00.000Z")
    assert not memory.may_mend_unasked("2026-11-21T10:00:30.000Z")


async def test_errors_that_come_at_once_are_one_mend(attended: Bench) -> None:
    script_app(attended.server, GOOD)
    project_id = await attended.build()
    attended.fix_with(*[f"{GOOD}// try {number}\n" for number in range(6)])
    report = attended.engine.report_runtime_error
    await asyncio.gather(*(report(project_id, f"It does not {w}") for w in ("go", "run", "sit")))
    await attended.engine.wait(project_id)
    assert len(attended.agent(project_id)._machine.memory.mended_unasked) == 1
