"""Acceptance checks that a model wrote or corrected: they are run like the blueprint's own, and keep their phase."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engine.agent.conftest import Bench
from tests.support import model_faults as faults
from tests.support.mendable_app import (
    GOOD,
    IDLE_BUTTON,
    PAGE,
    check,
    make_mendable_template,
    script_app,
)
from tests.support.tiny_app import whole
from vibedesk.engine.events import ChecksCorrected, Diagnostics, SandboxLog

WRITTEN = json.dumps({"checks": [check()], "corrected": []})


async def test_checks_that_are_missing_are_written_and_run(seeing: Bench) -> None:
    script_app(seeing.server, GOOD)
    seeing.server.answer(WRITTEN, operation="checks")
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [result] = view.checks
    assert (result.name, result.passed) == ("Counts", True)
    [told] = seeing.told(ChecksCorrected)
    assert told.checks == [{"name": "Counts", "why": ""}]
    assert len(seeing.asked("checks")) == 1
    assert seeing.asked("fix") == []


async def test_an_app_that_fails_a_written_check_is_mended(seeing: Bench) -> None:
    script_app(seeing.server, IDLE_BUTTON)
    seeing.server.answer(WRITTEN, operation="checks")
    seeing.fix_with(GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    found = next(told.issues for told in seeing.told(Diagnostics) if told.issues)
    assert [(issue["source"], issue["severity"]) for issue in found] == [("check", "blocking")]
    [asked] = seeing.asked("fix")
    assert "The check “Counts” fails. Step 3" in asked
    assert seeing.fixes == [("app.js", "model", True)]
    outcomes = [e.payload.passed for e in seeing.of("check_finished")]  # type: ignore[attr-defined]
    assert outcomes == [False, True]
    assert [result.passed for result in view.checks] == [True]


async def test_a_corrected_check_keeps_its_phase(seeing: Bench) -> None:
    """What the first phase promised is not put off by a change that only renames it."""
    script_app(seeing.server, GOOD, checks=[check()])
    project_id = await seeing.build()
    renamed = {**check(button="Plus"), "phase": 2}
    corrected = {
        "checks": [renamed],
        "corrected": [{"name": "Counts", "why": "It is called Plus."}],
    }
    seeing.server.answer(json.dumps(corrected), operation="checks")
    page = PAGE.replace(">Add<", ">Plus<")
    seeing.server.answer("Done.\n\n" + whole("index.html", page), operation="converse")
    await seeing.engine.say(project_id, "Call it Plus")
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert view.blueprint is not None
    [stored] = view.blueprint["acceptance_checks"]
    assert (stored["phase"], stored["steps"][1]["text"]) == (1, "Plus")


def corrected(check: dict[str, Any], why: str = "It is meant so.") -> str:
    """Return the answer that changes a check."""
    return json.dumps({"checks": [check], "corrected": [{"name": check["name"], "why": why}]})


async def stored_checks(bench: Bench, project_id: str) -> list[dict[str, Any]]:
    blueprint = (await bench.engine.project(project_id)).blueprint
    assert blueprint is not None
    return list(blueprint["acceptance_checks"])


async def test_a_check_is_corrected_twice_at_most_before_the_app_is_mended(seeing: Bench) -> None:
    script_app(seeing.server, GOOD, checks=[check(shown="a")])
    for shown in "bcdefgh":
        seeing.server.answer(corrected(check(shown=shown)), operation="checks")
    seeing.fix_with(GOOD.replace("Number(output.value) + 1", "'c'"))
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(seeing.asked("checks")) == 2
    assert len(seeing.asked("fix")) == 1


async def test_a_model_that_writes_other_checks_for_failed_ones_leaves_them_to_be_mended(
    seeing: Bench,
) -> None:
    script_app(seeing.server, IDLE_BUTTON, checks=[check()])
    for number in range(6):
        answer = {"checks": [check(f"Other {number}", shown="x")], "corrected": []}
        seeing.server.answer(json.dumps(answer), operation="checks")
    seeing.fix_with(GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(seeing.asked("checks")) == 1
    assert [c["name"] for c in await stored_checks(seeing, project_id)] == ["Counts"]


async def test_a_check_of_the_person_is_not_changed_but_a_change_proposed(seeing: Bench) -> None:
    script_app(seeing.server, GOOD, checks=[check(), check("Counts again")])
    project_id = await seeing.build()
    mine = check(shown="42")
    kept = check("Kept", shown="42")
    edited = [mine, (await stored_checks(seeing, project_id))[1], kept]
    await seeing.engine.edit_blueprint(project_id, {"acceptance_checks": edited})
    both = {
        "checks": [check(shown="1"), check("Counts again", shown="42"), kept],
        "corrected": [
            {"name": name, "why": "It counts by one."}
            for name in ("Counts", "Counts again", "Kept")
        ],
    }
    seeing.server.answer(json.dumps(both), operation="checks")
    seeing.fix_with(GOOD.replace("Number(output.value) + 1", "42"))
    await seeing.engine.review(project_id)
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [words] = seeing.notices("check_suggested")
    assert "“Counts”" in words
    assert "It counts by one" in words
    assert "See “1”" in words
    shown = {c["name"]: c["steps"][2]["text"] for c in await stored_checks(seeing, project_id)}
    assert shown == {"Counts": "42", "Counts again": "42", "Kept": "42"}
    [told] = seeing.told(ChecksCorrected)
    assert [each["name"] for each in told.checks] == ["Counts again"], "the other is the model's"


async def test_a_check_that_the_person_edits_meanwhile_stays_theirs(seeing: Bench) -> None:
    script_app(seeing.server, GOOD, checks=[check(button="Plus")])
    seeing.server.answer(corrected(check(shown="2")), operation="checks")
    seeing.server.fail(faults.stall(after_chars=5), operation="checks")
    seeing.fix_with(GOOD + "// looked at\n")
    project_id = await seeing.create()
    await seeing.engine.generate(project_id)
    await seeing.server.wait_until(lambda: bool(seeing.server.requests_for("checks")))
    await seeing.engine.edit_blueprint(project_id, {"acceptance_checks": [check()]})
    seeing.server.release()
    await seeing.engine.wait(project_id)
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [kept] = await stored_checks(seeing, project_id)
    assert [step.get("text") for step in kept["steps"][1:]] == ["Add", "1"]
    assert seeing.told(ChecksCorrected) == []


async def test_an_app_that_does_not_start_without_data_is_mended(
    seeing: Bench, tmp_path: Path
) -> None:
    """Each check begins with an empty database, as whoever gets the app does."""
    seeing.template = make_mendable_template(tmp_path / "keeps-data")
    described = seeing.template / "template.json"
    description = {**json.loads(described.read_text("utf-8")), "fresh_data": {"DATA": "{folder}"}}
    described.write_text(json.dumps(description), "utf-8")
    makes = (
        'import { mkdirSync } from "node:fs";\n'
        "if (process.env.DATA) mkdirSync(process.env.DATA), console.log(`keeps ${process.env.DATA}`);\n"
    )
    fails = f"{makes}if (process.env.DATA) throw new Error('no such table: notes');\n"
    script_app(
        seeing.server,
        GOOD,
        checks=[check(), check("Counts again")],
        also=whole("config.mjs", fails),
    )
    seeing.server.answer(whole("config.mjs", makes), operation="fix")
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = seeing.asked("fix")
    assert "The app does not start where it has no data yet: Error: no such table: notes" in asked
    assert "config.mjs:3" in asked
    outcomes = [e.payload.passed for e in seeing.of("check_finished")]  # type: ignore[attr-defined]
    assert outcomes == [False, False, True, True]
    assert seeing.asked("checks") == [], "what a check expects has nothing to do with it"
    assert seeing.fixes == [("config.mjs", "model", True)]
    kept = {log.line for log in seeing.told(SandboxLog) if log.line.startswith("keeps /tmp/")}
    assert len(kept) == 3
    status, left = await seeing.engine._call(seeing.agent(project_id).runtime.ask(["ls", "/tmp"]))
    assert status == 0
    assert [name for name in left if name.startswith("vibedesk-check-")] == []
    assert len(seeing.notices("other_data")) == 1
