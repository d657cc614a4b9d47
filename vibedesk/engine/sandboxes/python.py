"""Finds what apps in Python run with: the uv that came with VibeDesk, and a Python that is new enough."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MINIMUM_VERSION = (3, 11)
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_PROBE_SECONDS = 20.0
_PROBE = "import sys, venv; print(sys.version_info[:2] >= ({}, {}))".format(*MINIMUM_VERSION)


@dataclass(frozen=True, slots=True)
class PythonToolchain:
    """uv, and where the machine's own Python is not fit, the one that VibeDesk itself runs with."""

    uv: Path
    prefix: Path | None
    """`bin/python3` lies in it; None: the machine's own is used."""


def find_python_tools(path: tuple[str, ...] = SYSTEM_PATH) -> PythonToolchain | None:
    """Return them; None where uv is not installed beside VibeDesk. Blocking: the machine's Python is run.

    Args:
        path: The machine's programs that a sandbox sees.
    """
    from uv import find_uv_bin

    try:
        uv = Path(find_uv_bin()).resolve()
    except FileNotFoundError:
        return None
    machines = shutil.which("python3", path=":".join(path))
    fit = machines is not None and _is_fit(machines)
    return PythonToolchain(uv, None if fit else Path(sys.base_prefix).resolve())


def _is_fit(python: str) -> bool:
    try:
        done = subprocess.run(
            [python, "-I", "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == b"True"
