"""An app whose server does not start, or whose packages do not exist, is mended like any other, and told of it once."""

from __future__ import annotations

import json
import shutil

from tests.engine.agent.conftest import Bench
from tests.support.mendable_app import GOOD, MESSAGE, WRONG, script_app
from tests.support.tiny_app import phase, whole


def config_that_throws(words: str) -> str:
    """Return the SCOF of a config that keeps the dev server from starting."""
    return whole("config.mjs", f"throw new Error({json.dumps(words)});\n")


def manifest(**dependencies: str) -> str:
    content = {"name": "tiny-app", "private": True, "dependencies": dependencies}
    return whole("package.json", json.dumps(content) + "\n")


MADE_UP = manifest(**{"no-such-package-at-all": "1"})
SOUND = manifest(**{"tidy-pad": "1.3.0"})
ASKED_FOR = "npm install no-such-package-either\n"
TOLD = f"{MESSAGE} [TS2304]"
REFUSED = "package.json names a package or version that does not exist"


async def changed(bench: Bench, scof: str) -> str:
    """Build a good app, whose packages are there, and make a change of it that the person asks for."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    bench.server.answer("So be it.\n\n" + scof, operation="converse")
    await bench.engine.say(project_id, "Change it")
    await bench.engine.wait(project_id)
    return project_id


def answer_beside_the_point(bench: Bench) -> None:
    """Queue as many fixes that do not help as a model may try."""
    for number in range(3):
        bench.server.answer(whole("notes.txt", f"try {number}\n"), operation="fix")


async def test_what_keeps_the_server_from_starting_is_mended(bench: Bench) -> None:
    script_app(bench.server, GOOD, also=config_that_throws("The port is not named."))
    bench.server.answer(config_that_throws("The host is not named."), operation="fix")
    bench.server.answer(whole("config.mjs", "export {};\n"), operation="fix")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second = bench.asked("fix")
    assert "The port is not named." in first
    assert "The host is not named." in second
    assert bench.fixes == [("config.mjs", "model", False), ("config.mjs", "model", True)]


async def test_a_server_that_never_starts_is_given_up_with_words(bench: Bench) -> None:
    script_app(bench.server, GOOD, also=config_that_throws("The port is not named."))
    answer_beside_the_point(bench)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert view.state == "idle"
    assert view.reason.startswith("needs you: the page does not answer")
    assert any("The port is not named." in issue["message"] for issue in view.issues)
    assert [phase.completed for phase in view.phases] == [False]
    assert {issue["status"] for issue in view.issues} == {"given_up"}


async def test_a_package_that_does_not_exist_is_told_to_one_fix_only(bench: Bench) -> None:
    """What the fix left out is no issue any more, so that the next look is at the code."""
    script_app(bench.server, WRONG, also=ASKED_FOR)
    bench.fix_with(WRONG + "// without it\n", GOOD)
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second = bench.asked("fix")
    assert "there is no package no-such-package-either" in first
    assert TOLD not in first
    assert "there is no package" not in second
    assert TOLD in second


async def test_a_refused_manifest_is_told_until_a_fix_wrote_another(bench: Bench) -> None:
    """The fix of the manifest asks for a package that is made up too: only that is left to mend."""
    bench.server.answer(SOUND + ASKED_FOR, operation="fix")
    bench.fix_with(GOOD + "// without it\n")
    project_id = await changed(bench, MADE_UP)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second = bench.asked("fix")
    assert REFUSED in first
    assert "'no-such-package-at-all' is not in this registry" in first
    assert "there is no package no-such-package-either" in second
    assert REFUSED not in second
    folder = await bench.folder(project_id)
    installed = json.loads((folder / "node_modules" / ".package-lock.json").read_text("utf-8"))
    assert installed == {"packages": {"tidy-pad": "1.3.0"}}


async def test_a_manifest_that_is_refused_in_a_new_sandbox_is_mended(bench: Bench) -> None:
    """Its packages are gone, so that the first install of all is the one that is refused."""
    answer_beside_the_point(bench)
    project_id = await changed(bench, MADE_UP)
    assert await bench.state(project_id) == "idle"
    await bench.engine.stop_sandbox(project_id)
    shutil.rmtree(await bench.folder(project_id) / "node_modules")
    bench.server.answer(SOUND, operation="fix")
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert REFUSED in bench.asked("fix")[-1]


async def test_a_refused_manifest_keeps_no_phase_from_being_written(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    names = json.loads((await bench.texts(project_id))["package.json"])
    names["dependencies"]["no-such-package-at-all"] = "1"
    (await bench.folder(project_id) / "package.json").write_text(json.dumps(names), "utf-8")
    bench.server.answer("That joins the next phase.", operation="converse")
    planned = phase("More", ["more.js"], last=True, packages="npm install right-pad@1.0.0")
    bench.server.answer(json.dumps(planned), operation="plan_phase")
    bench.server.answer(whole("more.js", "export {};\n"), operation="implement_phase")
    bench.server.answer(SOUND, operation="fix")
    await bench.engine.say(project_id, "Add more")
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert REFUSED in bench.asked("fix")[-1]
    assert "more.js" in await bench.texts(project_id)


async def test_what_is_skipped_keeps_nothing_else_from_being_looked_at(attended: Bench) -> None:
    answer_beside_the_point(attended)
    project_id = await changed(attended, whole("app.js", WRONG) + MADE_UP)
    view = await attended.engine.project(project_id)
    assert view.waiting is not None
    assert [issue["message"] for issue in view.issues] == [REFUSED]

    attended.fix_with(GOOD)
    nothing = phase("None", [], last=True)
    attended.server.answer(json.dumps(nothing), operation="plan_phase")
    await attended.engine.skip_issues(project_id)
    await attended.engine.wait(project_id)
    asked = attended.asked("fix")[-1]
    assert TOLD in asked
    assert REFUSED not in asked
    view = await attended.engine.project(project_id)
    assert [phase.completed for phase in view.phases][:2] == [True, True]
    assert (await attended.texts(project_id))["app.js"] == GOOD
