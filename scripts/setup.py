"""Set-up of a checkout: system libraries, then `.venv` with the pinned packages; nothing twice.

Runs on a bare Python 3.11 to 3.13 before anything is installed, so it uses the standard library only.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import system_packages

ROOT = Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """A step failed; the text says which and what to do."""


class Environment:
    """The virtual environment of one checkout.

    A stamp, written last, says what it was made from: no stamp or another one means that it is made
    anew, so an interrupted set-up is simply redone.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / ".venv"
        self._stamp = self._folder / "made-from"

    @property
    def python(self) -> Path:
        return self._folder / "bin" / "python"

    def is_current(self) -> bool:
        return (
            self.python.exists()
            and self._stamp.is_file()
            and self._stamp.read_text(encoding="utf-8") == self._digest()
        )

    def make(self) -> None:
        """Build the environment from nothing.

        Raises:
            SetupError: when a step failed; the next call starts over.
        """
        self._stamp.unlink(missing_ok=True)
        print(f"Making {self._folder} with Python {sys.version.split()[0]}.", flush=True)
        self._step(
            "making the virtual environment",
            sys.executable,
            "-m",
            "venv",
            "--clear",
            str(self._folder),
        )
        print("Installing the pinned packages (several hundred MB the first time).", flush=True)
        # The build backend comes first, so that it is the pinned one too.
        self._pip_install("hatchling", "editables")
        self._pip_install("--no-build-isolation", "--editable", ".[dev]")
        self._stamp.write_text(self._digest(), encoding="utf-8")

    def _digest(self) -> str:
        """Return a fingerprint of the pins, the interpreter, and the place (scripts name it)."""
        pyproject = tomllib.loads((self._root / "pyproject.toml").read_text(encoding="utf-8"))
        asked_for = json.dumps([pyproject["build-system"], pyproject["project"]], sort_keys=True)
        pins = (self._root / "constraints.txt").read_text(encoding="utf-8")
        parts = [asked_for, pins, sys.version, sys.base_prefix, str(self._root)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _pip_install(self, *arguments: str) -> None:
        quiet = () if sys.stdout.isatty() else ("--quiet",)
        self._step(
            "installing the Python packages",
            str(self.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *quiet,
            "--only-binary=:all:", "--constraint", str(self._root / "constraints.txt"), *arguments,
        )  # fmt: skip

    def _step(self, doing: str, *command: str) -> None:
        if subprocess.run(command, cwd=self._root, check=False).returncode != 0:
            raise SetupError(
                f"Set-up stopped while {doing}; the tool's own message is above.\n"
                "Most often the network or a proxy is in the way, or the disk is full. "
                "Then run `make setup` again: it starts this step over."
            )


def install_system_packages(purpose: str, *, has_display: bool) -> None:
    """Install what `purpose` ("run" or "test") needs from the system.

    Raises:
        SystemPackagesError: when something that cannot be done without is missing.
    """
    needed = list(system_packages.TESTS) if purpose == "test" else []
    if purpose == "run" and has_display:
        needed.extend(system_packages.WINDOW)
    if importlib.util.find_spec("ensurepip") is None:
        needed.append(system_packages.venv_module(sys.version_info[:2]))
    system_packages.ensure(needed)
    try:
        system_packages.ensure(system_packages.SANDBOX)
    except system_packages.SystemPackagesError as error:
        print(
            f"{error}\nVibeDesk works without it, but the apps it builds then run with your own rights."
        )


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the checkout, so that two commands started together do not set it up at once."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up of this checkout is running; waiting for it.", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up this checkout of VibeDesk.")
    parser.add_argument("purpose", choices=["run", "test"], help="what it has to be ready for")
    purpose = parser.parse_args().purpose
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    environment = Environment(ROOT)
    try:
        with _alone(ROOT):
            install_system_packages(purpose, has_display=has_display)
            if not environment.is_current():
                environment.make()
                print("Set-up is done.", flush=True)
    except (SetupError, system_packages.SystemPackagesError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up was interrupted; the next run starts it over.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
