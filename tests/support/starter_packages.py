"""The installed packages of a starter, or what a sandbox has for reviews: made once for all tests and linked into projects."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.places import KEPT
from vibedesk.base.resources import resource
from vibedesk.engine.sandboxes.node import find_toolchains

_SHARED = KEPT / "packages"


def starter_with_packages(name: str, folder: Path) -> Path:
    """Lay out the starter `name` in `folder`, which must not exist, with its packages (hard links)."""
    shutil.copytree(resource("templates", name), folder)
    link_packages(name, folder)
    return folder


def link_packages(name: str, folder: Path) -> None:
    """Put the packages of the starter `name` into `folder`, which may not be there yet."""
    _link(resource("templates", name), folder)


def link_review_tools(folder: Path) -> None:
    """Put what Docker's image has for reviews, the native TypeScript, into `folder`, which may not be there yet."""
    _link(resource("sandbox", "review"), folder)
    # It says which packages an app has installed; these are not the app's, and nobody may write to a link.
    (folder / "node_modules" / ".package-lock.json").unlink()


def _link(described: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    packages = folder / "node_modules"
    shutil.copytree(_packages(described), packages, copy_function=os.link, symlinks=True)


def _packages(template: Path) -> Path:
    lock_file = (template / "package-lock.json").read_bytes()
    home = _SHARED / f"{template.name}-{hashlib.sha256(lock_file).hexdigest()[:16]}"
    _SHARED.mkdir(parents=True, exist_ok=True)
    with (_SHARED / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "node_modules").is_dir():
            making = home.with_suffix(".new")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(template / file, making)
            subprocess.run(
                [*find_toolchains()[0].npm, "ci", "--no-audit", "--no-fund"],
                cwd=making,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=200,
                check=True,
            )
            making.rename(home)
    return home / "node_modules"
