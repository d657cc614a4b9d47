"""The recording with seeded errors, on both wires, one of them in Docker: what tools can mend costs no model, what only a browser sees does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.checker import run_checks
from tests.e2e.studio import Project, Studio, open_studio, serving
from tests.engine.sandboxes.docker.conftest import npm_relay  # noqa: F401
from tests.support.docker_engines import docker_host, docker_image, why_not  # noqa: F401
from tests.support.recordings import recording
from vibedesk.engine.events import Diagnostics, FixApplied
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.views import ProjectView

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SESSION = recording("pomodoro-tasks")
# Where no Docker engine can be started, both run on this machine.
_CASES = [("anthropic", "local"), ("openai", "docker" if why_not() is None else "local")]


@dataclass(frozen=True)
class Mended:
    """The recording, built by an engine with a browser."""

    project: Project
    view: ProjectView
    sandbox: str = ""
    url: str = ""
    told: list[list[Issue]] = field(default_factory=list)


@pytest.fixture(scope="module")
def seeing_studio(
    request: pytest.FixtureRequest,
    starter_packages: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIBEDESK_REVIEW", "full")
        if why_not() is None:
            request.getfixturevalue("docker_image")
            patch.setenv("DOCKER_HOST", request.getfixturevalue("docker_host"))
            patch.setenv("npm_config_registry", request.getfixturevalue("npm_relay"))
        with open_studio(tmp_path_factory.mktemp("studio"), starter_packages) as studio:
            yield studio


@pytest.fixture(scope="module", params=_CASES, ids=["-".join(case) for case in _CASES])
def mended(request: pytest.FixtureRequest, seeing_studio: Studio) -> Iterator[Mended]:
    wire, sandbox = request.param
    wish = (SESSION / "prompt.txt").read_text("utf-8").strip()
    engine = seeing_studio.engine

    async def build(project: Project) -> Mended:
        view = await project.build()
        url = await engine.start_preview(project.id)
        lists = [told.issues for told in project.told(Diagnostics)]
        told = [[Issue.from_dict(issue) for issue in issues] for issues in lists]
        return Mended(project, view, sandbox, url, told)

    async def begin() -> Project:
        return await seeing_studio.project(server, wish, provider=wire, sandbox=sandbox)

    with pytest.MonkeyPatch.context() as patch, serving(patch, SESSION, wire_size=700) as server:
        loop = asyncio.new_event_loop()
        project = loop.run_until_complete(begin())
        yield loop.run_until_complete(build(project))
        loop.run_until_complete(engine.stop_all())
        loop.close()


def test_it_ends_complete_with_nothing_left(mended: Mended) -> None:
    assert mended.view.state == "complete", mended.view.reason
    assert mended.view.sandbox_kind.startswith(mended.sandbox)
    assert [issue for issue in mended.view.issues if issue["severity"] != "warning"] == []
    assert [phase.completed for phase in mended.view.phases] == [True, True]


def test_the_type_errors_are_mended_without_a_model(mended: Mended) -> None:
    fixes = [f for f in mended.project.told(FixApplied) if f.strategy == "deterministic"]
    assert {f.path for f in fixes} == {"src/components/TaskPanel.tsx"}
    assert all(f.verified for f in fixes)
    first = {issue.code for issue in mended.told[0] if issue.source == "types"}
    assert first == {"TS2551", "TS2552"}
    # What the model was asked to mend afterwards has none of them.
    [asked] = mended.project.server.requests_for("fix")
    assert "TS25" not in str(asked.messages[-1])


def test_the_browser_finds_the_third_and_its_recorded_fix_mends_it(mended: Mended) -> None:
    [asked] = mended.project.server.requests_for("fix")
    words = str(asked.messages[-1])
    assert "Cannot read properties of null (reading 'filter')" in words.replace("\\'", "'")
    assert "src/components/TodaySummary.tsx" in words
    fixes = {f.path: f for f in mended.project.told(FixApplied) if f.strategy == "model"}
    assert "src/hooks/useLog.ts" in fixes
    assert all(fix.verified for fix in fixes.values())
    operations = mended.project.operations()
    assert operations.count("fix") == 1
    assert operations.index("plan_phase") > operations.index("fix")
    # The hunks that repair had applied already are no reason to ask again.
    assert "continue" not in operations


def test_its_files_are_as_the_recording_meant_them(mended: Mended) -> None:
    async def panel() -> str:
        return await mended.project.read("src/components/TaskPanel.tsx")

    text = asyncio.run(panel())
    assert text.count("import FinishedList from './FinishedList'") == 1
    assert "{task.pomodoros} 🍅" in text


def test_it_works_in_another_browser(mended: Mended) -> None:
    checked = run_checks(mended.url, SESSION / "expected.json")
    assert checked.ok, str(checked)
