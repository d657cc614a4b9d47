"""An app is looked at after every phase and mended, within bounds; what stays wrong is the person's to decide."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.agent.conftest import Bench, Open, ReactBench
from tests.support import model_faults as faults
from tests.support.mendable_app import (
    DEBUGGED,
    GOOD,
    IDLE_BUTTON,
    MESSAGE,
    PAGE,
    STUCK,
    THROWS,
    WRONG,
    check,
    script_app,
    wrong,
)
from tests.support.model_http import ReceivedRequest
from tests.support.model_server import ModelServer
from tests.support.tiny_app import whole
from vibedesk.base.errors import NotAllowedNowError, NotFoundError
from vibedesk.engine.events import (
    ChecksCorrected,
    DebugTurn,
    Diagnostics,
    FileDropped,
    RuntimeErrorSeen,
)
from vibedesk.engine.files.replica import DocumentReplica
from vibedesk.engine.review.native_typescript import is_native, native_types
from vibedesk.engine.views import RouteStepView

PNG = b"\x89PNG"


# -- what a browser sees -------------------------------------------------------------------------------------


async def test_an_error_of_the_page_is_mended_and_looked_at_again(seeing: Bench) -> None:
    script_app(seeing.server, THROWS)
    seeing.fix_with(GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = seeing.asked("fix")
    assert "app.js:2" in asked
    assert "Cannot read properties of null" in asked
    assert seeing.fixes == [("app.js", "model", True)]
    lists = [told.issues for told in seeing.told(Diagnostics)]
    assert [i["source"] for i in lists[0]] == ["runtime"]
    assert lists[-1] == []
    # Nobody answers the review and the checks: that is said, and the build goes on.
    assert len(seeing.notices("no_review")) == 1
    assert len(seeing.notices("no_checks")) == 1


async def test_an_error_that_only_a_phone_shows_is_mended_too(seeing: Bench) -> None:
    on_a_phone = f"{GOOD}if (innerWidth < 600) {{\n  const menu = null;\n  menu.open();\n}}\n"
    script_app(seeing.server, on_a_phone)
    seeing.fix_with(GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = seeing.asked("fix")
    assert "app.js:5" in asked
    assert "Only on a screen 375 pixels wide" in asked
    assert seeing.fixes == [("app.js", "model", True)]


async def test_a_blank_page_is_critical(seeing: Bench) -> None:
    blank = '<!doctype html>\n<html lang="en"><title>Counter</title><body></body></html>\n'
    script_app(seeing.server, IDLE_BUTTON, page=blank)
    seeing.server.answer(whole("index.html", PAGE), operation="fix")
    project_id = await seeing.build()
    assert await seeing.state(project_id) == "complete"
    first = next(told.issues for told in seeing.told(Diagnostics) if told.issues)
    assert [(i["code"], i["severity"]) for i in first if i["severity"] != "warning"] == [
        ("blank_page", "critical")
    ]
    assert seeing.fixes == [("index.html", "model", True)]


async def test_a_check_that_tests_the_wrong_thing_is_corrected_with_a_reason(
    seeing: Bench,
) -> None:
    script_app(seeing.server, GOOD, checks=[check(button="Plus")])
    corrected = {
        "checks": [check()],
        "corrected": [{"name": "Counts", "why": "The button is called Add."}],
    }
    seeing.server.answer(json.dumps(corrected), operation="checks")
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert seeing.asked("fix") == []
    [asked] = seeing.asked("checks")
    assert "The check “Counts” fails. Step 2" in asked
    [told] = seeing.told(ChecksCorrected)
    assert told.checks == [{"name": "Counts", "why": "The button is called Add."}]
    [result] = view.checks
    assert (result.passed, result.step) == (True, None)
    assert result.why == "The button is called Add."
    assert (await seeing.engine.check_picture(project_id, result.picture)).startswith(PNG)
    with pytest.raises(NotFoundError):
        await seeing.engine.check_picture(project_id, "0" * 64)

    # And again on request, by name or all of them.
    before = len(seeing.of("check_finished"))
    await seeing.engine.run_checks(project_id, ["Counts"])
    await seeing.engine.run_checks(project_id)
    await seeing.engine.run_checks(project_id, ["Nothing"])
    await seeing.until(lambda _: len(seeing.of("check_finished")) == before + 2)
    assert await seeing.state(project_id) == "complete"
    timings = (await seeing.engine.inspect(project_id))["timings"]
    assert [t["operation"] for t in timings].count("checks") >= 3


WEAKER = {**check(), "steps": check()["steps"][:1]}
HEADING = {"do": "expectText", "selector": "h1", "text": "Counter"}
EMPTIED = {**check(), "steps": [check()["steps"][0], HEADING]}


@pytest.mark.parametrize(
    ("checks", "why"),
    [
        (WEAKER, "It is simpler."),
        (EMPTIED, "The heading is what counts."),
        (check(shown="0"), ""),
        (None, ""),
    ],
    ids=["weaker", "does nothing", "without a reason", "none"],
)
async def test_an_app_that_fails_a_right_check_is_mended(
    seeing: Bench, checks: dict[str, Any] | None, why: str
) -> None:
    script_app(seeing.server, IDLE_BUTTON, checks=[check()])
    answer = {
        "checks": [checks] if checks else [],
        "corrected": [{"name": "Counts", "why": why}] if checks else [],
    }
    seeing.server.answer(json.dumps(answer), operation="checks")
    seeing.fix_with(GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(seeing.asked("checks")) == 1
    assert seeing.told(ChecksCorrected) == []
    [asked] = seeing.asked("fix")
    assert "Step 3" in asked
    assert seeing.fixes == [("app.js", "model", True)]
    outcomes = [e.payload.passed for e in seeing.of("check_finished")]  # type: ignore[attr-defined]
    assert outcomes == [False, True]
    assert view.checks[0].passed


async def test_a_mend_that_was_not_looked_at_is_not_called_one(seeing: Bench) -> None:
    """While the types are wrong no check is run: how the mend of a failed check went is not known then."""
    script_app(seeing.server, IDLE_BUTTON, checks=[check()])
    seeing.fix_with(wrong("Cannot find name 'a'."), GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    _, asked = seeing.asked("fix")
    assert "changed app.js: no outcome" in asked
    assert "The check “Counts” fails" in asked
    assert seeing.fixes == [("app.js", "model", None), ("app.js", "model", True)]


async def test_an_error_that_the_person_meets_is_mended_at_once_unless_switched_off(
    seeing: Bench,
) -> None:
    script_app(seeing.server, GOOD)
    project_id = await seeing.build()
    url = (await seeing.engine.project(project_id)).preview_url
    stack = f"TypeError: x is undefined\n    at HTMLButtonElement.onclick ({url}/app.js:2:9)"

    await seeing.engine.set_setting("fix.automatic", False)
    await seeing.engine.report_runtime_error(project_id, "TypeError: x is undefined", stack, url)
    assert await seeing.statuses(project_id) == [("TypeError: x is undefined", "open")]
    assert await seeing.state(project_id) == "complete"
    [seen] = seeing.told(RuntimeErrorSeen)
    assert (seen.message, seen.source) == ("TypeError: x is undefined", url)

    await seeing.engine.set_setting("fix.automatic", True)
    seeing.fix_with(GOOD + "// mended\n")
    await seeing.engine.report_runtime_error(project_id, "TypeError: x is undefined", stack, url)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = seeing.asked("fix")
    assert "app.js:2:9: TypeError: x is undefined" in asked
    assert "// mended" in (await seeing.texts(project_id))["app.js"]

    # It comes back open when it is met again.
    await seeing.engine.set_setting("fix.automatic", False)
    await seeing.engine.report_runtime_error(project_id, "TypeError: x is undefined", stack, url)
    [again] = (await seeing.engine.project(project_id)).issues
    assert (again["status"], again["times_seen"]) == ("open", 3)
    assert [tried["outcome"] for tried in again["fixes_tried"]] == ["fixed"]


async def test_an_error_met_where_no_browser_looks_is_mended_once(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    await bench.engine.report_runtime_error(project_id, "It does not count")
    assert await bench.statuses(project_id) == [("It does not count", "open")]
    assert bench.asked("fix") == []  # nobody looks on
    bench.fix_with(GOOD + "// mended\n")
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(bench.asked("fix")) == 1


# -- what tools find -------------------------------------------------------------------------------------------


async def test_every_try_is_another_approach_and_then_it_is_debugged(bench: Bench) -> None:
    await bench.engine.set_route(
        "fix",
        [
            RouteStepView(provider="anthropic", model="claude-opus-5"),
            RouteStepView(provider="anthropic", model="claude-haiku-5-5"),
        ],
    )
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    looks = "Which is it?\n\n[show app.js nothing.js]\n[log]\n[run node types.mjs]"
    bench.server.answer(looks, operation="debug")
    bench.server.answer("And who starts it?\n\n[run no-such-program --x]", operation="debug")
    bench.server.answer(DEBUGGED, operation="debug")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason

    first, second, third = bench.asked("fix")
    assert "changed app.js" not in first
    assert "changed app.js: still there" in second
    assert "Send every file that you change whole" not in second
    for asked, closer in ((first, False), (second, True), (third, True)):
        assert ('<last_change path="app.js">' in asked) is closer
        assert ("The server's last lines:\ntiny server" in asked) is closer
    assert "+// try 0" in second
    assert third.count("changed app.js: still there") >= 1
    assert "Send every file that you change whole" in third
    models = [r.body["model"] for r in bench.server.requests_for("fix")]
    assert models == ["claude-opus-5", "claude-haiku-5-5", "claude-opus-5"]

    _, facts, none = bench.asked("debug")
    assert "// try 2" in facts
    assert "There is no text file nothing.js." in facts
    assert "tiny server" in facts
    assert "`node types.mjs` ended with 2" in facts
    assert "Cannot find name 'a'." in facts
    assert "no-such-program" in none
    told = [(turn.turn, turn.role) for turn in bench.told(DebugTurn)]
    assert told == [(1, "model"), (1, "facts"), (2, "model"), (2, "facts"), (3, "model")]
    session = bench.told(DebugTurn)[0].session_id
    transcript = await bench.engine.debug_transcript(project_id, session)
    assert [(t["turn"], t["role"]) for t in transcript] == told
    assert transcript[0]["text"].startswith("Which is it?")
    with pytest.raises(NotFoundError):
        await bench.engine.debug_transcript(project_id, "nobody")
    assert bench.fixes == [("app.js", "model", False)] * 3 + [("app.js", "debug", True)]
    await bench.engine.set_preset("balanced")


EDIT = "cat <<'EOF_E' | patch app.js\n<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\nEOF_E\n"


async def test_a_mend_may_be_search_and_replace(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    edit = EDIT.format(f"// wrong: {MESSAGE}", "// right")
    bench.server.answer(edit, operation="fix")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert (await bench.texts(project_id))["app.js"] == GOOD + "// right\n"
    assert bench.fixes == [("app.js", "model", True)]


@pytest.mark.parametrize(
    "edit", [EDIT.format("nothing like it", "x"), EDIT.format(WRONG[:-1], "x")]
)
async def test_an_edit_that_fits_nowhere_or_drops_most_of_a_file_is_asked_for_as_a_whole_file(
    bench: Bench, edit: str
) -> None:
    script_app(bench.server, WRONG)
    bench.server.answer(edit, operation="fix")
    bench.server.answer(whole("app.js", GOOD), operation="continue")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(bench.notices("patch_refused")) == 1
    assert bench.told(FileDropped) == [FileDropped("app.js")]
    assert (await bench.texts(project_id))["app.js"] == GOOD


async def test_debugging_shows_no_secret_and_no_file_that_is_excluded(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    bench.fix_with(*STUCK)
    roundabout = "require('fs').readFileSync('.e' + 'nv', 'utf8')"
    looks = "[show app.js diary.md .env]\n[run cat .env]\n[run cat ./diary.md]\n"
    bench.server.answer(f'{looks}[run node -p "{roundabout}"]\n', operation="debug")
    bench.server.answer("I do not know.", operation="debug")
    await bench.engine.create_file(project_id, ".env", 'export SHOP="a-value-of-my-own"\n')
    await bench.engine.create_file(project_id, "diary.md", "what only I read\n")
    await bench.engine.mark_file(project_id, "diary.md", "excluded", on=True)
    (await bench.folder(project_id) / "app.js").write_text(WRONG)
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    _, facts = bench.asked("debug")
    assert "// try 2" in facts
    for words in (
        "diary.md is not shown", ".env is not shown", "`cat .env` was not run", "`cat ./diary.md` was not run",
        "\nexport SHOP=\"•••\"",
    ):  # fmt: skip
        assert words in facts
    sent = str([r.body for r in bench.server.requests])
    assert "a-value-of-my-own" not in sent
    assert "what only I read" not in sent
    [session] = {turn.session_id for turn in bench.told(DebugTurn)}
    transcript = await bench.engine.debug_transcript(project_id, session)
    assert "a-value-of-my-own" not in str(transcript)


async def test_a_try_tells_what_it_cost_and_a_debugging_leads_to_its_transcript(
    bench: Bench,
) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    bench.server.answer("I look at it.\n\n[show app.js]", operation="debug")
    bench.server.answer("I do not know.", operation="debug")
    project_id = await bench.build()
    [issue] = (await bench.engine.project(project_id)).issues
    assert issue["status"] == "given_up"
    tries = issue["fixes_tried"]
    assert [(tried["strategy"], tried["outcome"]) for tried in tries] == [
        *[("model", "still there")] * 3,
        ("debug", "no mend"),
    ]
    usage = await bench.engine.usage(project_id)
    asked = {total.key: total for total in usage.by_operation}
    for told, operation in ((tries[:3], "fix"), (tries[3:], "debug")):
        total = asked[operation]
        assert sum(t["tokens"] for t in told) == total.input_tokens + total.output_tokens > 0
        assert total.cost > 0
        assert sum(t["cost"] for t in told) == pytest.approx(total.cost)
        assert all(t["tokens"] > 0 for t in told), "each has its own part"
    turns = await bench.engine.debug_transcript(project_id, tries[3]["session"])
    assert [(turn["turn"], turn["role"]) for turn in turns] == [
        (1, "model"), (1, "facts"), (2, "model"),
    ]  # fmt: skip


async def test_what_is_written_beside_a_try_is_no_part_of_its_cost(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    server, broken_off = bench.server, faults.max_tokens(after_chars=len(WRONG) // 2)
    server.fail(faults.stall(after_chars=0), operation="fix")
    bench.fix_with(STUCK[0])
    server.fail(broken_off, operation="regenerate_file")
    server.answer(whole("index.html", PAGE + "<!-- anew -->\n"), operation="regenerate_file")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await server.wait_until(lambda: server.requests_for("fix") != [])
    proposal = await bench.engine.regenerate_file(project_id, "index.html", "Say that it is new")
    await bench.until(lambda e: e.type == "proposal_ready")
    assert (await bench.engine.proposal(project_id, proposal)).status == "ready"
    # The second try is broken off and gone on with, too: that is a part of it.
    server.fail(broken_off, operation="fix")
    bench.fix_with(GOOD)
    server.release()
    await bench.engine.wait(project_id)
    calls = [
        (call.operation, call.input_tokens + call.output_tokens)
        for call in reversed((await bench.engine.usage(project_id)).calls)
        if call.operation in ("fix", "continue")
    ]
    assert [operation for operation, _ in calls] == ["continue", "fix", "fix", "continue"]
    _, first, second, rest = (tokens for _, tokens in calls)
    agent = bench.agent(project_id)
    [issue] = await bench.engine._call(agent._steps.mending.issues.every())
    assert [tried["tokens"] for tried in issue.fixes] == [first, second + rest]


async def test_where_no_model_debugs_no_try_is_told(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    assert len(bench.notices("no_debug")) == 1
    [issue] = (await bench.engine.project(project_id)).issues
    assert [tried["strategy"] for tried in issue["fixes_tried"]] == ["model"] * 3


async def test_a_phase_has_at_most_eight_fixes_by_a_model(bench: Bench) -> None:
    names = iter("abcdefghijklmnop")

    def answer(request: ReceivedRequest) -> str:
        if request.operation == "fix":
            return whole("app.js", wrong(f"Cannot find name '{next(names)}'."))
        return "I have no idea."

    script_app(bench.server, wrong("Cannot find name 'z'."))
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await bench.until_state("reviewing")
    bench.server.answer_with(answer)
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "idle"
    assert len(bench.asked("fix")) == 8
    assert len(bench.asked("debug")) == 1


async def test_an_answer_that_changes_nothing_is_a_try(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    for _ in range(2):  # it is asked once more
        bench.server.answer("It looks fine to me.", operation="fix")
    bench.fix_with(GOOD)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert "changed nothing: still there" in bench.asked("fix")[-1]


async def test_every_problem_that_stays_is_debugged(bench: Bench) -> None:
    """One that a model has no mend for does not keep the others from being debugged."""
    script_app(bench.server, wrong("Cannot find name 'a'.", "Cannot find name 'b'."))
    bench.fix_with(
        *[wrong("Cannot find name 'a'.", "Cannot find name 'b'.") + f"// {n}\n" for n in range(3)]
    )
    bench.server.answer("I do not know.", operation="debug")
    bench.server.answer(DEBUGGED, operation="debug")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(bench.asked("debug")) == 2


async def test_the_persons_edits_survive_a_fix(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(GOOD)
    bench.server.fail(faults.stall(after_chars=60), operation="fix")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await bench.until_state("fixing")
    await bench.until(
        lambda e: (
            e.type == "file_chunk"
            and e.payload.path == "app.js"
            and bench.server.requests_for("fix")
        )
    )  # type: ignore[attr-defined]
    editor = DocumentReplica()
    editor.apply(*await bench.engine.updates_since(project_id, 0))
    for path, typed in (("index.html", "<!-- mine -->\n"), ("app.js", "// mine\n")):
        update = editor.edit(path, 0, 0, typed)
        assert update is not None
        await bench.engine.apply_update(project_id, update)
    bench.server.release()
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"
    written = await bench.texts(project_id)
    assert written["app.js"] == "// mine\n" + GOOD
    assert written["index.html"] == "<!-- mine -->\n" + PAGE


FINDING = {"file": "app.js", "line": 2, "severity": "blocking", "message": "Zero is not shown."}


async def test_what_a_models_review_finds_is_mended_once(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    hint = {"file": "app.js", "severity": "warning", "message": "A name could be better."}
    elsewhere = {"file": "none.js", "severity": "critical", "message": "There is no such file."}
    new = whole("none.js", "export {};\n")
    findings = {"findings": [FINDING, hint, elsewhere]}
    bench.server.answer(json.dumps(findings), operation="review")
    bench.server.answer(whole("app.js", GOOD + "// shown\n") + new, operation="fix")
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert await bench.statuses(project_id) == [("A name could be better.", "open")]
    assert len(bench.asked("review")) == 1
    [asked] = bench.asked("fix")
    assert "app.js:2: Zero is not shown." in asked
    assert "A name could be better" not in asked
    assert [path for path, _, _ in bench.fixes] == ["app.js", "none.js"]


async def test_checks_need_a_browser(bench: Bench) -> None:
    script_app(bench.server, GOOD, checks=[check()])
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    with pytest.raises(NotAllowedNowError, match="browser"):
        await bench.engine.run_checks(project_id)
    [result] = (await bench.engine.project(project_id)).checks
    assert result.passed is None


async def test_a_review_on_request_mends_what_came_since(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    with pytest.raises(NotAllowedNowError, match="nothing to mend"):
        await bench.engine.fix(project_id)
    assert await bench.state(project_id) == "complete"
    folder = await bench.folder(project_id)
    (folder / "app.js").write_text(WRONG, "utf-8")
    bench.fix_with(GOOD)
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.fixes == [("app.js", "model", True)]
    assert (folder / "app.js").read_text("utf-8") == GOOD
    labels = [version.label for version in await bench.engine.history(project_id)]
    assert labels[0] == f"Fix: {MESSAGE}"


async def failed(bench: Bench, project_id: str, name: str) -> None:
    """Have a check of this name failed when it ran last."""
    agent = bench.agent(project_id)
    store = agent._steps.mending.issues.store
    await agent.access.read(lambda: store._put_check(name, passed=False))


async def test_a_mend_of_a_complete_app_leaves_it_to_the_person_when_the_roadmap_is_planned(
    bench: Bench,
) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    built = (await bench.engine.project(project_id)).blueprint
    assert built is not None
    roadmap = [*built["implementation_roadmap"], {"phase": "Late", "description": "mine"}]
    checks = [check(), {**check("Late"), "phase": 2}]
    await bench.engine.edit_blueprint(
        project_id, {"implementation_roadmap": roadmap, "acceptance_checks": checks}
    )
    await failed(bench, project_id, "Late")
    await bench.engine.report_runtime_error(project_id, "It does not count")
    bench.fix_with(GOOD + "// mended\n")
    for mend in (bench.engine.fix, bench.engine.review):
        await mend(project_id)
        await bench.engine.wait(project_id)
        view = await bench.engine.project(project_id)
        assert (view.state, view.can_continue) == ("complete", True), view.reason
    assert len(bench.asked("fix")) == 1
    assert bench.asked("plan_phase") == []
    assert len(bench.notices("roadmap_open")) == 3, "when it was added, and after each"

    # What does not work of that which is built keeps nobody from going on with the roadmap.
    await failed(bench, project_id, "Counts")
    unfinished = ("idle", "not all of it works: the check “Counts” fails")
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.reason) == unfinished
    nothing = {"name": "None", "files": [], "is_last_phase": True}
    bench.server.answer(json.dumps(nothing), operation="plan_phase")
    for _ in range(2):
        await bench.engine.resume(project_id)
        await bench.engine.wait(project_id)
        assert len(bench.asked("plan_phase")) == 1


async def test_what_only_a_newer_compiler_refuses_is_no_error_of_the_app(
    react: ReactBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox may bring the native TypeScript, which is stricter than the one that the app has."""
    refuses = "console.log(\"src/App.tsx(1,1): error TS5102: Option 'baseUrl' has been removed.\")"
    monkeypatch.setattr(native_types, "__defaults__", (("node", "-e", refuses, "--"),))
    react.script(("src/App.tsx", "export default function App() {\n  return <h1>Card</h1>\n}\n"))
    project_id = await react.build()
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert react.asked("fix") == []


@pytest.mark.parametrize(
    ("version", "native"),
    [("6.0.3", False), ("~5.9.0", False), ("^7.0.2", True), ("10.1.0", True), ("latest", False)],
)
def test_by_its_version_an_apps_own_compiler_is_native(version: str, native: bool) -> None:
    assert is_native(json.dumps({"devDependencies": {"typescript": version}})) is native
    assert not is_native(json.dumps({"devDependencies": [version]}))
    assert not is_native(version)


# -- where no browser can look -------------------------------------------------------------------------------

Lose = Callable[[Bench], None]


@pytest.fixture
def lose_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lose:
    """Ends a bench's browser, and keeps others from starting until the variable is gone."""

    def lose(bench: Bench) -> None:
        monkeypatch.setenv("QTWEBENGINEPROCESS_PATH", str(tmp_path / "none"))
        if (pid := bench.services._browser.pid) is not None:
            os.kill(pid, signal.SIGKILL)

    return lose


async def test_an_app_that_nobody_could_look_at_is_not_called_complete(
    seeing: Bench, lose_browser: Lose, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_app(seeing.server, THROWS, checks=[check()])
    lose_browser(seeing)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert view.state == "reviewing"
    assert view.waiting is not None
    assert view.waiting.reason == "needs_person"
    assert view.waiting.message.startswith("The app could not be looked at in a browser: ")
    assert [result.passed for result in view.checks] == [None]
    assert seeing.asked("fix") == []

    monkeypatch.delenv("QTWEBENGINEPROCESS_PATH")
    seeing.fix_with(GOOD)
    await seeing.engine.resume(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.waiting, view.issues) == ("complete", None, ()), view.reason
    assert [result.passed for result in view.checks] == [True]
    assert seeing.fixes == [("app.js", "model", True)]


async def test_the_person_may_let_an_app_be_that_nobody_could_look_at(
    seeing: Bench, lose_browser: Lose
) -> None:
    script_app(seeing.server, GOOD, checks=[check()])
    lose_browser(seeing)
    project_id = await seeing.build()
    assert await seeing.state(project_id) == "reviewing"
    await seeing.engine.skip_issues(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.waiting) == ("complete", None), view.reason
    # What they decided once they are not asked again.
    await seeing.engine.review(project_id)
    await seeing.engine.wait(project_id)
    assert await seeing.state(project_id) == "complete"
    # But of what is written after that.
    seeing.server.answer("Done.\n\n" + whole("more.js", "export {};\n"), operation="converse")
    await seeing.engine.say(project_id, "Add more")
    await seeing.engine.wait(project_id)
    assert (await seeing.engine.project(project_id)).waiting is not None


async def test_where_nobody_looks_on_a_build_that_no_browser_saw_ends_unfinished(
    open_engine: Open,
    model: ModelServer,
    template: Path,
    lose_browser: Lose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VIBEDESK_REVIEW", "full")
    bench = Bench(open_engine(attended=False, browser=True), model, template)
    try:
        script_app(bench.server, THROWS)
        lose_browser(bench)
        project_id = await bench.build()
        view = await bench.engine.project(project_id)
        assert view.state == "idle"
        assert "could not be looked at in a browser" in view.reason
    finally:
        await bench.leave()


async def test_a_mend_that_nobody_could_look_at_is_followed_by_no_other(
    seeing: Bench, lose_browser: Lose
) -> None:
    script_app(seeing.server, THROWS)
    seeing.server.fail(faults.stall(after_chars=20), operation="fix")
    seeing.fix_with(GOOD, GOOD + "// 2\n")
    project_id = await seeing.create()
    await seeing.engine.generate(project_id)
    await seeing.until_state("fixing")
    lose_browser(seeing)
    seeing.server.release()
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert view.waiting is not None, view.reason
    assert view.waiting.message.startswith("The app could not be looked at in a browser: ")
    assert len(seeing.asked("fix")) == 1
    assert seeing.asked("debug") == []
    assert seeing.fixes == [("app.js", "model", None)]
