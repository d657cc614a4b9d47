"""What was found stays in the list until something looked at it again: what a model found, a package, a check by name."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.agent.conftest import Bench, Open, rewritten
from tests.engine.review.security_cases import STRIPE
from tests.engine.sandboxes.egress.tiny_registry import HOLE, TinyRegistry, tiny_registry
from tests.support.mendable_app import (
    GOOD,
    IDLE_BUTTON,
    PAGE,
    check,
    make_mendable_template,
    script_app,
)
from tests.support.model_server import ModelServer
from tests.support.tiny_app import whole
from vibedesk.engine.events import FixApplied, Reviewed

FINDING = {"file": "app.js", "line": 2, "severity": "blocking", "message": "Zero is not shown."}
HINT = {**FINDING, "severity": "warning"}
SHOWN = GOOD + "// shown\n"
NOTHING: list[dict[str, Any]] = []


def findings(bench: Bench, *reviews: list[dict[str, Any]]) -> None:
    for found in reviews:
        bench.server.answer(json.dumps({"still": [], "findings": found}), operation="review")


def next_phase(bench: Bench, path: str, text: str) -> None:
    """Queue a second and last phase that writes one file."""
    files = [{"path": path, "purpose": "it"}]
    plan = {"name": "More", "description": "", "files": files, "is_last_phase": True}
    bench.server.answer(json.dumps(plan), operation="plan_phase")
    bench.server.answer(whole(path, text), operation="implement_phase")


async def given_up(bench: Bench) -> str:
    """Build an app in which a model finds what no model can mend."""
    script_app(bench.server, GOOD)
    findings(bench, [FINDING])
    for _ in range(6):
        bench.server.answer("It looks fine to me.", operation="fix")
    project_id = await bench.build()
    assert await bench.statuses(project_id) == [("Zero is not shown.", "given_up")]
    return project_id


async def say(bench: Bench, project_id: str, path: str, text: str) -> None:
    """Have a change made from the conversation."""
    bench.server.answer("Done.\n\n" + whole(path, text), operation="converse")
    await bench.engine.say(project_id, "Change it")
    await bench.engine.wait(project_id)


# -- what a model found --------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False])
async def test_a_warning_of_a_model_outlives_a_phase_that_leaves_its_file(
    bench: Bench, *, answers: bool
) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, [HINT], *([NOTHING] if answers else []))
    next_phase(bench, "more.js", "export {};\n")
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert len(bench.asked("review")) == 2
    assert await bench.statuses(project_id) == [("Zero is not shown.", "open")]


@pytest.mark.parametrize(("answers", "stays"), [([NOTHING], False), ([[HINT]], True), ([], True)])
async def test_it_is_gone_where_a_model_looked_over_the_changed_file_and_found_nothing(
    bench: Bench, answers: list[list[dict[str, Any]]], *, stays: bool
) -> None:
    script_app(bench.server, GOOD, phases=2)
    findings(bench, [HINT], *answers)
    next_phase(bench, "app.js", SHOWN)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    assert await bench.statuses(project_id) == [("Zero is not shown.", "open")] * stays


async def test_a_file_that_changed_between_two_phases_is_looked_over_too(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    findings(bench, [HINT], NOTHING, NOTHING)
    project_id = await bench.build()
    await say(bench, project_id, "more.js", "export {};\n")
    assert "app.js" not in bench.asked("review")[1].split("Written or changed")[1].split("\n")[0]
    assert await bench.statuses(project_id) == [("Zero is not shown.", "open")]
    (await bench.folder(project_id) / "app.js").write_text(SHOWN, "utf-8")
    await say(bench, project_id, "again.js", "export {};\n")
    assert "app.js" in bench.asked("review")[2].split("Written or changed")[1].split("\n")[0]
    assert await bench.statuses(project_id) == []


async def test_what_a_model_found_and_none_could_mend_is_not_forgotten(bench: Bench) -> None:
    project_id = await given_up(bench)
    findings(bench, NOTHING)
    await say(bench, project_id, "more.js", "export {};\n")
    view = await bench.engine.project(project_id)
    assert (view.state, view.reason) == ("idle", "needs you: Zero is not shown. after 3 tries")
    assert await bench.statuses(project_id) == [("Zero is not shown.", "given_up")]
    assert len(bench.asked("fix")) == 6, "it is not tried anew unasked"


@pytest.mark.parametrize("looks_on", [True, False])
async def test_where_the_person_has_it_changed_a_model_says_whether_it_is_gone(
    open_engine: Open, model: ModelServer, template: Path, *, looks_on: bool
) -> None:
    bench = Bench(open_engine(attended=looks_on, browser=False), model, template)
    project_id = await given_up(bench)
    findings(bench, NOTHING)
    await say(bench, project_id, "app.js", SHOWN)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues, view.waiting) == ("complete", (), None), view.reason
    assert len(bench.asked("fix")) == 6
    await bench.leave()


async def test_what_a_model_found_in_a_file_that_is_deleted_is_gone(bench: Bench) -> None:
    script_app(bench.server, GOOD, also=whole("more.js", "export {};\n"))
    findings(bench, [{**HINT, "file": "more.js"}], NOTHING)
    project_id = await bench.build()
    assert await bench.statuses(project_id) == [("Zero is not shown.", "open")]
    (await bench.folder(project_id) / "more.js").unlink()
    await say(bench, project_id, "again.js", "export {};\n")
    assert await bench.statuses(project_id) == []


@pytest.mark.parametrize(("path", "mended"), [("app.js", True), ("more.js", False)])
async def test_what_was_skipped_counts_again_until_its_phase_changed_it(
    attended: Bench, path: str, *, mended: bool
) -> None:
    project_id = await given_up(attended)
    next_phase(attended, path, SHOWN)
    findings(attended, NOTHING)
    if not mended:
        attended.fix_with(SHOWN)
    await attended.engine.skip_issues(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(attended.asked("fix")) == (6 if mended else 7)
    assert (await attended.texts(project_id))["app.js"] == SHOWN


# -- packages -------------------------------------------------------------------------------------------------

KEY = f'export const stripe = "{STRIPE}";\n'
MANIFEST = {"name": "x", "version": "1.0.0", "private": True}


@pytest.fixture(scope="module")
def template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mendable starter, whose packages are npm's."""
    folder = tmp_path_factory.mktemp("npm") / "starter"
    shutil.copytree(template, folder)
    described = json.loads((folder / "template.json").read_text("utf-8"))
    described["add_command"] = "npm install {packages}"
    (folder / "template.json").write_text(json.dumps(described), "utf-8")
    return folder


@pytest.fixture
async def registry() -> AsyncIterator[TinyRegistry]:
    async with tiny_registry() as registry:
        registry.publish("tiny", "1.0.0")
        registry.publish("tiny", "2.0.0")
        registry.holes["tiny"] = [HOLE]
        yield registry


async def holey(bench: Bench, registry: TinyRegistry) -> str:
    """Build an app that uses a package with a known hole."""
    bench.script(("index.html", PAGE), ("app.js", GOOD))
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert view.state == "complete", view.reason
    folder = Path(view.folder)
    wanted = {"dependencies": {"tiny": "1.0.0"}}
    packages = {"": MANIFEST | wanted, "node_modules/tiny": {"version": "1.0.0"}}
    lock = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}

    def write() -> None:
        (folder / "package.json").write_text(json.dumps(MANIFEST | wanted), "utf-8")
        (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
        lines = f"registry={registry.address}\nfetch-retries=0\n"
        (folder / ".npmrc").write_text(lines, "utf-8")

    await asyncio.to_thread(write)
    return project_id


async def codes(bench: Bench, project_id: str) -> list[tuple[str, str]]:
    view = await bench.engine.project(project_id)
    return sorted((issue["code"], issue["status"]) for issue in view.issues)


async def test_no_package_is_well_because_the_audit_cannot_be_reached(
    bench: Bench, registry: TinyRegistry
) -> None:
    project_id = await holey(bench, registry)
    await bench.engine.security_review(project_id)
    assert await codes(bench, project_id) == [("vulnerable_package", "open")]
    registry.status = 503
    await bench.engine.security_review(project_id)
    missed = [("audit_unavailable", "open"), ("vulnerable_package", "open")]
    assert await codes(bench, project_id) == missed
    registry.hang_up = True
    await bench.engine.security_review(project_id)
    assert await codes(bench, project_id) == missed, "one note, however it is worded"
    registry.hang_up, registry.status = False, 0
    await bench.engine.security_review(project_id)
    assert await codes(bench, project_id) == [("vulnerable_package", "open")]
    registry.holes.clear()
    await bench.engine.security_review(project_id)
    assert await codes(bench, project_id) == []


async def test_a_skipped_package_is_looked_at_again_with_the_rest(
    bench: Bench, registry: TinyRegistry
) -> None:
    project_id = await holey(bench, registry)
    await rewritten(bench, project_id, GOOD + KEY)
    await bench.engine.security_review(project_id)
    found = (await bench.engine.project(project_id)).issues
    [package] = [issue for issue in found if issue["code"] == "vulnerable_package"]
    assert [issue["file"] for issue in found if issue != package] == ["app.js"]
    await bench.engine.skip_issues(project_id, [package["signature"]])

    await rewritten(bench, project_id, GOOD)
    registry.hang_up = True
    # What was skipped is a wish, for which nothing is planned.
    nothing = {"name": "None", "files": [], "install_commands": [], "is_last_phase": True}
    bench.server.answer(json.dumps(nothing), operation="plan_phase")
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    assert await codes(bench, project_id) == [
        ("audit_unavailable", "open"),
        ("vulnerable_package", "skipped"),
    ]
    assert (await bench.engine.project(project_id)).state == "idle", "it is not called complete"
    registry.hang_up = False
    registry.holes.clear()
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    assert await codes(bench, project_id) == []
    assert (await bench.engine.project(project_id)).state == "complete"


async def test_a_mend_of_a_package_that_no_audit_looked_at_is_not_called_one(
    bench: Bench, registry: TinyRegistry
) -> None:
    project_id = await holey(bench, registry)
    await bench.engine.security_review(project_id)
    reviews = len(bench.told(Reviewed))
    registry.hang_up = True
    bench.fix_with(SHOWN)
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.reason.startswith("needs you: tiny")) == ("idle", True), view.reason
    assert [told.verified for told in bench.told(FixApplied)] == [None]
    assert len(bench.asked("fix")) == 1, "another try would be as blind"
    assert bench.notices("not_mended") == [], "it is more than a warning"
    assert len(bench.told(Reviewed)) == reviews + 1
    assert await codes(bench, project_id) == [
        ("audit_unavailable", "open"),
        ("vulnerable_package", "given_up"),
    ]
    registry.hang_up = False
    registry.holes.clear()
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason


@pytest.mark.parametrize(
    "unsafe", [KEY, "document.body.innerHTML = location.hash;\n"], ids=["secret", "sink"]
)
async def test_unsafe_code_is_mended_and_looked_for_again(
    bench: Bench, registry: TinyRegistry, unsafe: str
) -> None:
    registry.holes.clear()
    project_id = await holey(bench, registry)
    await rewritten(bench, project_id, f"// Counts.\n{unsafe}{GOOD}")
    await bench.engine.security_review(project_id)
    [found] = (await bench.engine.project(project_id)).issues
    assert (found["source"], found["file"], found["line"]) == ("security", "app.js", 2)
    bench.fix_with(f"// Counts.\n{GOOD}")
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = bench.asked("fix")
    assert "app.js:2" in asked
    assert bench.fixes == [("app.js", "model", True)]


def manifest(version: str) -> str:
    return whole("package.json", json.dumps(MANIFEST | {"dependencies": {"tiny": version}}) + "\n")


async def test_a_mend_whose_packages_were_refused_is_tried_again(
    bench: Bench, registry: TinyRegistry, tmp_path: Path
) -> None:
    starter = tmp_path / "syncs"
    await asyncio.to_thread(shutil.copytree, bench.template, starter)
    described = json.loads((starter / "template.json").read_text("utf-8"))
    described["sync_command"] = "npm install --no-audit"
    (starter / "template.json").write_text(json.dumps(described), "utf-8")
    # With it nobody but the install says what does not exist.
    (starter / "bunfig.toml").write_text("# A company's own registry.\n", "utf-8")
    bench.template = starter
    project_id = await holey(bench, registry)
    await bench.engine.security_review(project_id)
    for version in ("9.9.9", "2.0.0"):
        bench.server.answer(manifest(version), operation="fix")
    await bench.engine.fix(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second = bench.asked("fix")
    hole = "Prototype Pollution"
    assert hole in first
    assert hole in second, "that a version does not exist tells nothing of what was to be mended"
    assert bench.fixes == [("package.json", "model", None), ("package.json", "model", True)]


# -- checks by name -------------------------------------------------------------------------------------------


async def test_a_check_that_passes_by_name_settles_its_own_issue_only(seeing: Bench) -> None:
    script_app(seeing.server, GOOD, checks=[check("First"), check("Second")])
    project_id = await seeing.build()
    await rewritten(seeing, project_id, IDLE_BUTTON)
    await seeing.engine.run_checks(project_id)
    failed = sorted(await seeing.statuses(project_id))
    assert [message.split(" fails")[0] for message, _ in failed] == [
        "The check “First”",
        "The check “Second”",
    ]
    await rewritten(seeing, project_id, GOOD)
    await seeing.engine.run_checks(project_id, ["First", "No such check"])
    assert await seeing.statuses(project_id) == failed[1:]
    shown = {c.name: c.passed for c in (await seeing.engine.project(project_id)).checks}
    assert shown == {"First": True, "Second": False}
    await seeing.engine.run_checks(project_id, ["Second"])
    assert await seeing.statuses(project_id) == []


async def test_a_check_of_an_app_that_does_not_start_settles_nothing(
    seeing: Bench, tmp_path: Path
) -> None:
    seeing.template = make_mendable_template(tmp_path / "keeps-data")
    described = seeing.template / "template.json"
    description = {**json.loads(described.read_text("utf-8")), "fresh_data": {"DATA": "{folder}"}}
    described.write_text(json.dumps(description), "utf-8")
    starts, fails = "export {};\n", "if (process.env.DATA) throw new Error('no such table');\n"
    script_app(seeing.server, GOOD, checks=[check("First")], also=whole("config.mjs", starts))
    project_id = await seeing.build()

    async def run() -> list[str]:
        await seeing.engine.run_checks(project_id, ["First"])
        issues = (await seeing.engine.project(project_id)).issues
        return sorted(issue["code"] for issue in issues)

    await rewritten(seeing, project_id, IDLE_BUTTON)
    assert await run() == ["check_failed"]
    await rewritten(seeing, project_id, fails, "config.mjs")
    assert await run() == ["check_failed", "no_start"]
    await rewritten(seeing, project_id, starts, "config.mjs")
    assert await run() == ["check_failed"]
    await rewritten(seeing, project_id, GOOD)
    assert await run() == []
