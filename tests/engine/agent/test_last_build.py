"""Before an app is called complete it is built as it would be deployed: what only that finds is mended too."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench, ReactBench
from tests.support.mendable_app import GOOD, MESSAGE, PAGE, WRONG
from tests.support.tiny_app import whole
from vibedesk.check_lines import readiness_lines
from vibedesk.engine.events import Diagnostics

# Types know every picture, and the page loads this part only when it is asked for.
LAZY = "import picture from './picture.svg'\n\nexport default function Lazy() {\n  return <img src={picture} alt=\"\" />\n}\n"
MENDED = 'export default function Lazy() {\n  return <svg aria-hidden="true" />\n}\n'
APP = """\
import { lazy, Suspense, useState } from 'react'

const Lazy = lazy(() => import('./Lazy'))

export default function App() {
  const [shown, setShown] = useState(false)
  return <main><h1>Card</h1><button onClick={() => setShown(true)}>Show</button><Suspense>{shown && <Lazy />}</Suspense></main>
}
"""
UNBUILT = [("build", "src/Lazy.tsx")]
FILES = (("src/Lazy.tsx", LAZY), ("src/App.tsx", APP))


def told(react: Bench) -> list[list[tuple[str, str]]]:
    """Return the lists of problems that were told, those like the one before left out: (source, file) of each problem."""
    lists = [
        [(issue["source"], issue["file"]) for issue in told.issues]
        for told in react.told(Diagnostics)
    ]
    return [found for found, _ in itertools.groupby(lists)]


def plan(*paths: str, last: bool) -> str:
    files = [{"path": path, "purpose": "it"} for path in paths]
    return json.dumps(
        {"name": "More", "description": "More", "files": files, "is_last_phase": last}
    )


async def test_what_only_the_build_finds_is_mended_before_the_app_is_complete(
    react: ReactBench,
) -> None:
    react.script(*FILES)
    react.server.answer(whole("src/Lazy.tsx", MENDED), operation="fix")
    project_id = await react.build()
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert told(react) == [UNBUILT, []]
    [asked] = react.asked("fix")
    assert "Could not resolve './picture.svg' in src/Lazy.tsx" in asked
    assert react.fixes == [("src/Lazy.tsx", "model", True)]

    # What the build wrote is nobody's: not the project's, not its history's, not the dev server's.
    folder = Path(view.folder)
    assert (folder / "dist" / "index.html").is_file()
    assert not [p for p in await react.texts(project_id) if p.startswith("dist")]
    assert not [e for e in react.of("file_changed") if e.payload.path.startswith("dist")]  # type: ignore[attr-defined]
    for version in await react.engine.history(project_id):
        diff = await react.engine.version_diff(project_id, version.commit)
        assert not [file.path for file in diff.files if file.path.startswith("dist")]
    lines = [e.payload.line for e in react.of("sandbox_log")]  # type: ignore[attr-defined]
    assert not [line for line in lines if "dist" in line or "restart" in line]
    told_at = next(e.seq for e in react.of("diagnostics"))
    assert not [e for e in react.of("server_started") if e.seq > told_at]

    # The person breaks it again, and asks.
    (folder / "src" / "Lazy.tsx").write_text(LAZY)
    react.server.answer(whole("src/Lazy.tsx", MENDED), operation="fix")
    await react.engine.review(project_id)
    await react.engine.wait(project_id)
    assert await react.state(project_id) == "complete"
    assert len(react.asked("fix")) == 2
    assert told(react) == [UNBUILT, [], UNBUILT, []]


async def test_phases_before_the_last_are_not_built_and_none_is_forgotten(
    react: ReactBench,
) -> None:
    react.script(*FILES, last=False)
    react.server.answer(plan(last=False), operation="plan_phase")
    react.server.answer(whole("src/Lazy.tsx", MENDED), operation="fix")
    project_id = await react.build()
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    closed = [e.seq for e in react.of("phase_complete")]
    found = next(e.seq for e in react.of("diagnostics") if e.payload.issues)  # type: ignore[attr-defined]
    assert len(closed) == 2
    assert closed[0] < found < closed[1], "not by the first phase, but before the app is complete"
    assert told(react) == [UNBUILT, []]


async def test_a_look_at_the_page_alone_builds_nothing(
    react: ReactBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIBEDESK_REVIEW", "page")
    react.script(*FILES)
    project_id = await react.build()
    view = await react.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert not (Path(view.folder) / "dist").exists()


# -- starters of the person's own --------------------------------------------------------------------------

BUILD = """\
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const found = /unbuildable: (.+)/.exec(readFileSync("app.js", "utf8"));
if (found) console.log(`[plugin own] app.js\\nError: ${found[1]}`), process.exit(1);
mkdirSync("out", { recursive: true });
writeFileSync("out/app.js", "");
"""
UNBUILDABLE = GOOD + "// unbuildable: two apps in one\n"


def own_starter(template: Path, folder: Path, *, build_folder: str, ignored: str) -> Path:
    """Make a copy of the mendable starter with a build that refuses `unbuildable: …`; return its folder."""
    shutil.copytree(template, folder)
    described = json.loads((folder / "template.json").read_text())
    described |= {"build_command": "node build.mjs", "build_folder": build_folder}
    (folder / "template.json").write_text(json.dumps(described))
    (folder / "build.mjs").write_text(BUILD)
    (folder / ".gitignore").write_text(f"node_modules\n{ignored}\n")
    return folder


@pytest.fixture
async def own(bench: Bench, template: Path, tmp_path: Path) -> Bench:
    bench.template = own_starter(template, tmp_path / "own", build_folder="out", ignored="out")
    return bench


async def test_what_the_build_found_is_not_called_mended_before_it_ran_again(own: Bench) -> None:
    own.script(("app.js", UNBUILDABLE))
    own.fix_with(WRONG, GOOD)
    project_id = await own.build()
    view = await own.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    first, second = own.asked("fix")
    assert "two apps in one" in first
    # While the types are wrong nothing is built: what was found before is still to be mended.
    assert "two apps in one" in second
    assert MESSAGE in second
    assert own.fixes == [("app.js", "model", None), ("app.js", "model", True)]
    assert (Path(view.folder) / "out" / "app.js").is_file()
    assert "out/app.js" not in await own.texts(project_id)


@pytest.mark.parametrize(("build_folder", "ignored"), [("", "out"), ("out", "other")])
async def test_a_starter_whose_output_might_get_into_the_project_is_not_built(
    bench: Bench, template: Path, tmp_path: Path, build_folder: str, ignored: str
) -> None:
    bench.template = own_starter(
        template, tmp_path / "own", build_folder=build_folder, ignored=ignored
    )
    bench.script(("app.js", UNBUILDABLE))
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert not (Path(view.folder) / "out").exists()


async def test_whether_an_app_may_go_out_the_build_says_too(
    seeing: Bench, template: Path, tmp_path: Path
) -> None:
    seeing.template = own_starter(template, tmp_path / "own", build_folder="out", ignored="out")
    seeing.script(("index.html", PAGE), ("app.js", GOOD))
    project_id = await seeing.build()
    assert (await seeing.engine.check(project_id)).ready
    folder = await seeing.folder(project_id)
    (folder / "app.js").write_text(UNBUILDABLE)
    report = await seeing.engine.check(project_id)
    assert not report.ready
    assert [(i["source"], i["file"]) for i in report.unbuilt] == [("build", "app.js")]
    [found, said] = list(readiness_lines(report, security=False))[-2:]
    assert found == "critical  app.js: two apps in one"
    assert said.startswith("The app cannot be built")
    (folder / "app.js").write_text(GOOD)
    assert (await seeing.engine.check(project_id)).ready
    assert (await seeing.engine.project(project_id)).issues == ()
