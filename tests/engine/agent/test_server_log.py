"""The server's log is part of a review: an error that nothing caught is mended although the page answers well."""

from __future__ import annotations

import pytest

from tests.engine.agent.conftest import Bench, rewritten
from tests.support.mendable_app import GOOD, check, script_app
from tests.support.tiny_app import whole

_TOLD = 'process.on("uncaughtException", (error) => console.error(`[app-error] ${error.stack}`));\n'
# Loads the job anew each time, as a server that is started again would.
_JOBS = f"{_TOLD}setInterval(async () => (await import(`./job.mjs?${{Date.now()}}`)).run(), 100);\n"
_BROKEN_JOB = "const totals = null;\nexport const run = () => totals.add(1);\n"

_COUNTED = f"""{_TOLD}
import {{ subscribe }} from "node:diagnostics_channel";
subscribe("http.server.request.start", ({{ request }}) => {{
  if (request.url.endsWith("?counted")) request.counts.total += 1;
}});
"""
_ASKS = (
    "const output = document.querySelector('output');\n"
    "document.querySelector('button').onclick = async () => {\n"
    "  await fetch('/app.js?counted');\n  output.value = Number(output.value) + 1;\n};\n"
)


async def test_a_job_that_breaks_behind_a_sound_page_is_mended(seeing: Bench) -> None:
    script_app(seeing.server, GOOD, also=whole("config.mjs", _JOBS) + whole("job.mjs", _BROKEN_JOB))
    mended = whole("job.mjs", "export const run = () => 1;\n")
    seeing.server.answer(mended, operation="fix")
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = seeing.asked("fix")
    assert "job.mjs:2" in asked
    assert "Cannot read properties of null (reading 'add')" in asked
    assert seeing.fixes == [("job.mjs", "model", True)]


async def test_what_breaks_in_the_server_while_a_check_passes_is_mended(seeing: Bench) -> None:
    script_app(seeing.server, _ASKS, checks=[check()], also=whole("config.mjs", _COUNTED))
    seeing.fix_with(GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    [asked] = seeing.asked("fix")
    assert "config.mjs:5" in asked
    assert "Cannot read properties of undefined (reading 'total')" in asked


async def test_what_a_check_broke_in_the_server_is_mended_only_once_the_check_ran_again(
    seeing: Bench,
) -> None:
    script_app(seeing.server, _ASKS, checks=[check()], also=whole("config.mjs", _COUNTED))
    # While the types are wrong no check is run, and the page alone breaks nothing.
    seeing.fix_with(_ASKS + "// wrong: Cannot find name 'a'.\n", GOOD)
    project_id = await seeing.build()
    view = await seeing.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    _, second = seeing.asked("fix")
    assert "Cannot find name 'a'." in second
    assert "Cannot read properties of undefined (reading 'total')" in second
    assert seeing.fixes == [("app.js", "model", None), ("app.js", "model", True)]


@pytest.mark.parametrize("by", [None, ["Counts"]], ids=["all", "by name"])
async def test_what_a_check_broke_in_the_server_is_settled_by_the_check(
    seeing: Bench, by: list[str] | None
) -> None:
    looks = {"name": "Looks", "phase": 1, "steps": [{"do": "goto", "path": "/"}]}
    checks = [check(), looks]
    script_app(seeing.server, GOOD, checks=checks, also=whole("config.mjs", _COUNTED))
    project_id = await seeing.build()
    assert await seeing.statuses(project_id) == []
    await rewritten(seeing, project_id, _ASKS)
    await seeing.engine.run_checks(project_id)
    broken = await seeing.statuses(project_id)
    assert broken == [("TypeError: Cannot read properties of undefined (reading 'total')", "open")]
    await rewritten(seeing, project_id, GOOD)
    await seeing.engine.run_checks(project_id, ["Looks"])
    assert await seeing.statuses(project_id) == broken
    await seeing.engine.run_checks(project_id, by)
    assert await seeing.statuses(project_id) == []
