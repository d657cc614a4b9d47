"""What a test asks about processes: which of those that it started are alive."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from tests.support.prestarted import is_starter

Leftovers = Callable[[], list[psutil.Process]]


def leftovers_since_now() -> Leftovers:
    """Return a function that returns what descends from this process, started after now, and is alive.

    What earlier fixtures of the same worker started serves further tests. Chromium's processes are not counted: they
    stay as long as Qt does; and the processes that further programs are forked from stay, too.
    """
    before = set(_descendants(psutil.Process()))

    def leftovers() -> list[psutil.Process]:
        return [
            process
            for process in _descendants(psutil.Process())
            if process not in before
            and not is_starter(process.pid)
            and is_alive(process)
            and not _is_chromium(process)
        ]

    return leftovers


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is_chromium(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("QtWebEngine")
    except psutil.NoSuchProcess:
        return False


def is_alive(process: psutil.Process) -> bool:
    """Whether it has not ended; one that only waits to be collected has."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
