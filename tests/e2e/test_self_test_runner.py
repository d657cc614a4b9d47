"""The recordings' own checks in our browser: they pass where the reference runner passes them, and notice what is broken.

With `VIBEDESK_CHECKS=both` (`make checks`) the reference runner itself, in Chromium, takes each app beside ours, and has to
say the same: that the checks pass, or the step that fails and what else the page did.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.broken_apps import BROKEN, Broken
from tests.e2e.checker import run_checks
from tests.support.recorded_apps import (
    RecordedApp,
    Stage,
    install_workspace,
    served_app,
    served_wish,
    write_wish,
)
from tests.support.recordings import recording, recordings
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.browser.reports import CheckOutcome, Viewport

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_WISHES_FOLDER = Path(__file__).parents[1] / "recordings" / "wishes"
SLUGS = [folder.name for folder in recordings()]
WISHES = ("habit-tracker", "meeting-rooms")
"""Recorded wishes whose checks our runner takes, too: one that only the browser keeps, and one where several people sign in."""
_BOTH = os.environ.get("VIBEDESK_CHECKS") == "both"
_STEP_SECONDS = 15.0
"""Of what should hold, on a machine that does much else."""
_STEP_SECONDS_OF_BROKEN = 2.0
"""A step that fails is waited for to the end; the recordings' steps hold within a tenth of it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[BrowserProcess]:
    browser = BrowserProcess()
    yield browser
    await browser.aclose()


class Apps:
    """Serves recorded apps, each looked at once before it is checked: Vite prepares packages with the first look."""

    def __init__(self, browser: BrowserProcess, root: Path, until_end: AsyncExitStack) -> None:
        self._browser = browser
        self._root = root
        self._until_end = until_end
        self._served: dict[str, RecordedApp] = {}

    async def finished(self, slug: str) -> RecordedApp:
        """Return the finished app, which is served until the last test."""
        if slug not in self._served:
            serving = self.at(slug, "finished")
            self._served[slug] = await self._until_end.enter_async_context(serving)
        return self._served[slug]

    @asynccontextmanager
    async def at(self, slug: str, stage: Stage) -> AsyncIterator[RecordedApp]:
        """Serve an app as it is after a part of its session, for as long as the context lasts."""
        with served_app(slug, self._root, stage) as app:
            await self._browser.visit(app.url)
            yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apps(
    browser: BrowserProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Apps]:
    root = tmp_path_factory.mktemp("apps")
    install_workspace(root)
    async with AsyncExitStack() as until_end:
        yield Apps(browser, root, until_end)


async def run(
    browser: BrowserProcess,
    app: RecordedApp,
    key: str,
    seconds: float = _STEP_SECONDS,
    holds_before: int = 0,
) -> CheckOutcome:
    """Return what our runner says; with `VIBEDESK_CHECKS=both` the reference runner has to say the same.

    Where a step fails that comes before `holds_before`, the check is taken once more and given time.
    """
    expected = app.expected
    viewport = Viewport(**expected["viewport"])
    outcome = await browser.run_check(
        app.url, expected[key], viewport=viewport, step_seconds=seconds
    )
    if outcome.step is not None and outcome.step < holds_before:
        outcome = await browser.run_check(
            app.url, expected[key], viewport=viewport, step_seconds=_STEP_SECONDS
        )
    if _BOTH:
        told = recording(app.slug) / "expected.json"
        reference = await asyncio.to_thread(run_checks, app.url, told, key)
        failed = None if reference.failed is None else reference.failed["index"]
        # It stops a foreign request by failing it, of which the page's console then tells, too.
        kinds = {e["kind"] for e in reference.errors if e.get("url") not in reference.blocked}
        ours = (outcome.passed, outcome.step, _kinds(outcome), bool(outcome.blocked))
        assert ours == (reference.ok, failed, kinds, bool(reference.blocked)), str(reference)
    return outcome


def _kinds(outcome: CheckOutcome) -> set[str]:
    return {error.kind for error in outcome.errors}


@pytest.mark.parametrize("slug", SLUGS)
async def test_a_recordings_checks_pass(browser: BrowserProcess, apps: Apps, slug: str) -> None:
    app = await apps.finished(slug)
    outcome = await run(browser, app, "checks")
    assert outcome.passed, (outcome.step, outcome.error, outcome.errors, outcome.blocked)
    labels = [step["check"] for step in app.expected["checks"] if "check" in step]
    assert list(outcome.started) == labels


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.app}: {broken.name}")
async def test_a_broken_app_is_noticed_at_the_step_that_shows_it(
    browser: BrowserProcess, apps: Apps, broken: Broken
) -> None:
    app = await apps.finished(broken.app)
    with app.edited(broken.path, broken.old, broken.new):
        if broken.step is None:
            outcome = await run(browser, app, "checks")
        else:
            outcome = await run(browser, app, "checks", _STEP_SECONDS_OF_BROKEN, broken.step)
    assert not outcome.passed
    assert outcome.step == broken.step, outcome.error
    assert outcome.error
    trouble = _kinds(outcome) | ({"blocked"} if outcome.blocked else set())
    assert trouble == ({broken.trouble} if broken.trouble else set()), outcome.errors


PHASE_1: list[tuple[Stage, bool]] = [("phase 1", False), ("phase 1 mended", True)]


@pytest.mark.parametrize(("stage", "passes"), PHASE_1)
async def test_the_seeded_error_is_found_until_it_is_mended(
    browser: BrowserProcess, apps: Apps, stage: Stage, passes: bool
) -> None:
    async with apps.at("pomodoro-tasks", stage) as app:
        outcome = await run(
            browser, app, "phase1_checks", _STEP_SECONDS if passes else _STEP_SECONDS_OF_BROKEN
        )
        report = await browser.visit(app.url)
    assert outcome.passed is passes, outcome.error
    assert ("Cannot read properties of null" in report.overlay) is not passes


@pytest.mark.parametrize("slug", SLUGS)
async def test_the_checks_of_a_conversation_pass_after_it(
    browser: BrowserProcess, apps: Apps, slug: str
) -> None:
    async with apps.at(slug, "conversation") as app:
        for key in ("checks", "conversation_checks"):
            outcome = await run(browser, app, key)
            assert outcome.passed, (key, outcome.step, outcome.error, outcome.errors)


@pytest.mark.parametrize("name", WISHES)
async def test_the_checks_of_a_wish_pass(
    browser: BrowserProcess, name: str, tmp_path: Path
) -> None:
    wish = write_wish(_WISHES_FOLDER / name, tmp_path / "app")
    for check in wish.checks:
        shutil.rmtree(tmp_path / "app" / "data", ignore_errors=True)
        with served_wish(wish) as url:
            steps: list[dict[str, Any]] = check["steps"]
            outcome = await browser.run_check(
                url, steps, name=check["name"], api_paths=wish.api_paths, step_seconds=_STEP_SECONDS
            )
        assert outcome.passed, (check["name"], outcome.sentence, outcome.error, outcome.errors)
