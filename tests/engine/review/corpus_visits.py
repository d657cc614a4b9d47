"""Serves broken projects of the corpus in a local sandbox, and looks at them as the review does."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from tests.starters.workshop import Workshop
from tests.support.starter_packages import starter_with_packages
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.builder.templates import Template, load_template
from vibedesk.engine.repair.fixer import repair
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.review.checkers import Checkers, ask, read_log
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.page_issues import check_issue
from vibedesk.engine.review.served_app import served_app_issues
from vibedesk.engine.review.source_places import report_locator
from vibedesk.engine.sandboxes.driver import (
    OutputLine,
    Sandbox,
    SandboxSpec,
    ServerNotReadyError,
)
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

PYTHON: Final = "python-fastapi"
_LINES = 200  # as many as the running app of a project keeps
_STORED = "public/stored.html"
_STEP_SECONDS = 3.0


@dataclass(frozen=True)
class Looked:
    """What a look found; `log` has the server's last lines."""

    issues: tuple[Issue, ...]
    log: str


class Stage:
    """One starter with its packages, in which one project after the other is laid out and served."""

    def __init__(self, template: Template, folder: Path, sandbox: Sandbox) -> None:
        self._template = template
        self._folder = folder
        self._sandbox = sandbox
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._laid: set[str] = set()
        self._originals, _ = template.files()

    def hear(self, line: OutputLine) -> None:
        self._lines.append(line.text)

    async def look(
        self,
        browser: BrowserProcess,
        files: Mapping[str, str],
        visit: Mapping[str, Any],
        after: str = "",
    ) -> Looked:
        """Serve a project, open the page that `visit` names, take its steps and say what is wrong.

        Args:
            browser: Looks.
            files: What to lay over the starter.
            visit: As a label has it.
            after: A text that the page shows at the end of the steps.
        """
        self._lay_out(files, visit.get("storage"))
        path = visit.get("path", "/")
        try:
            url = await self._start()
        except ServerNotReadyError:
            return self._looked(served_app_issues((), status=0, **self._said))
        report = await browser.visit(url + path)
        issues = served_app_issues(
            [report],
            status=await _status(url + path),
            api_paths=self._template.api_paths,
            locate=await report_locator(url, report),
            given=self._template.untouchable_files,
            log_since=self._said["log"],
            **self._said,
        )
        if "steps" in visit or "storage" in visit or after:
            issues += await self._check(browser, url, visit, after)
        return self._looked(issues)

    async def build(self, files: Mapping[str, str]) -> list[Issue]:
        """Return what keeps a project from being built."""
        self._lay_out(files, None)
        run = partial(ask, self._sandbox)
        return await Checkers(self._template, self._sandbox.workdir, run).build()

    async def mend(self, files: Mapping[str, str]) -> Mapping[str, str]:
        """Return the files as the fixer alone mends them."""
        self._lay_out(files, None)
        texts = {**self._originals, **files}
        service = LanguageService(self._sandbox)
        try:
            result = await repair(await service.diagnose(), texts, service)
        finally:
            await service.aclose()
        return {**files, **result.edits}

    async def _check(
        self, browser: BrowserProcess, url: str, visit: Mapping[str, Any], after: str
    ) -> list[Issue]:
        steps = [{"do": "goto", "path": visit["path"]}, *visit.get("steps", ())]
        if "storage" in visit:
            steps.insert(0, {"do": "goto", "path": "/stored.html"})
        if after:
            steps.append({"do": "expectText", "selector": "body", "text": after})
        outcome = await browser.run_check(
            url, steps, name="visit", api_paths=self._template.api_paths, step_seconds=_STEP_SECONDS
        )
        if outcome.passed:
            return []
        given = self._template.untouchable_files
        server = read_log(**self._said, given=given)
        locate = await report_locator(url, outcome)
        return [check_issue(outcome, picture="", locate=locate, given=given, server=server)]

    async def _start(self) -> str:
        await self._sandbox.stop_server()  # what it still says is not the next one's
        self._lines.clear()
        argv = self._template.dev_argv(self._sandbox.host, self._port)
        return await self._sandbox.start_server(argv, timeout=120)

    @property
    def _port(self) -> int:
        return int(self._sandbox.url.rpartition(":")[2])

    @property
    def _said(self) -> dict[str, str]:
        return {"log": "\n".join(self._lines), "root": self._sandbox.workdir}

    def _looked(self, issues: list[Issue]) -> Looked:
        return Looked(tuple(issues), self._said["log"])

    def _lay_out(self, files: Mapping[str, str], storage: Mapping[str, str] | None) -> None:
        """Write `files` over the starter, in place of what was laid out before."""
        if storage:
            script = "".join(
                f"localStorage.setItem({json.dumps(k)}, {json.dumps(v)});"
                for k, v in storage.items()
            )
            files = {
                **files,
                _STORED: f"<!doctype html><html lang=en><title>Stored</title><p>Stored.</p><script>{script}</script>",
            }
        for path in self._laid - files.keys():
            original = self._originals.get(path)
            (self._folder / path).unlink()
            if original is not None:
                self._write(path, original)
        for path, text in files.items():
            self._write(path, text)
        self._laid = set(files)
        shutil.rmtree(self._folder / "data", ignore_errors=True)

    def _write(self, path: str, text: str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text, "utf-8")


@asynccontextmanager
async def staged(name: str, place: Path) -> AsyncIterator[Stage]:
    """Give the starter `name` with its packages, in the folder `place`, which does not exist yet."""
    folder = await asyncio.to_thread(_installed, name, place)
    driver = LocalDriver(place / "state")
    spec = SandboxSpec(project_id=name, folder=folder, port=pick_port())
    stages: list[Stage] = []
    sandbox = await driver.open(
        spec, on_line=lambda line: stages[0].hear(line), on_status=lambda *_: None
    )
    stages.append(Stage(load_template(name), folder, sandbox))
    try:
        yield stages[0]
    finally:
        await driver.aclose()


def _installed(name: str, place: Path) -> Path:
    place.mkdir()
    if name == PYTHON:
        return Workshop(place / "python").installed(name).folder
    return starter_with_packages(name, place / name)


async def _status(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return (await client.get(url, headers={"accept": "text/html"})).status_code
