"""Several pytest processes at once (pytest-xdist's workers): how many, which tests go together, whose screen is which.

A module's tests stay in one worker, since they share what the module sets up. Modules that take long come first, so
that no worker is left alone with one of them at the end. One module puts Docker's image together meanwhile; the others
that need it come after those that do not. Each worker has a screen of its own, so that no window takes
the focus from another test's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_SCREEN = "1600x1000x24"  # as in scripts/on_virtual_screen.sh
_DISPLAY = "display"
_MAKES_THE_IMAGE = "tests/e2e/test_main_job.py[recipe-finder-docker]"
_LONG = (
    "tests/e2e/",
    "tests/chaos/",
    "tests/engine/repair/test_corpus.py",
    "tests/engine/sandboxes/",
    "tests/engine/agent/",
    "tests/starters/",
    "tests/engine/review/",
)
_APART_BY_PARAMETER = ("tests/chaos/test_kills.py", "tests/e2e/test_main_job.py")
"""Each of these sets up everything anew for the next parameter."""


def number_of_workers() -> int:
    """What `-n auto` means here: more than cores, because many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


class Workers:
    """The plug-in of the process that hands out the tests."""

    def __init__(self) -> None:
        self._screens: list[subprocess.Popen[bytes]] = []
        self._scheduler: ByModule | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LoadScopeScheduling:
        config.option.loadscopereorder = False  # `long_ones_first` has given them their order
        self._scheduler = ByModule(config, log)
        return self._scheduler

    def pytest_keyboard_interrupt(self) -> None:
        """Say where each worker stands: pytest shows where this process waits, which is never a test."""
        for node, test in self._scheduler.at_hand() if self._scheduler is not None else ():
            print(f"{node} is in {test}", flush=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        if shutil.which("Xvfb") is not None:
            screen, display = _start_screen()
            self._screens.append(screen)
            node.workerinput[_DISPLAY] = display

    def pytest_unconfigure(self) -> None:
        for screen in self._screens:
            screen.terminate()
            screen.wait()


class ByModule(LoadScopeScheduling):
    """Hands out whole modules."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)

    def at_hand(self) -> Iterator[tuple[str, str]]:
        """Yield each worker and the test that it is in."""
        for node, scopes in self.assigned_work.items():
            for tests in scopes.values():
                test = next((test for test, done in tests.items() if not done), None)
                if test is not None:
                    yield node.gateway.id, test
                    break

    def remove_node(self, node: WorkerController) -> str | None:
        """Take a worker out that ended or crashed; return the test in which it crashed.

        xdist 3.8 would hand out again the modules which a crashed worker had finished. They hold no test whose end
        calls for more work, so the workers would wait for ever.
        """
        unfinished = {
            scope: tests
            for scope, tests in self.assigned_work.pop(node).items()
            if not all(tests.values())
        }
        if not unfinished:
            return None
        # In the order in which they were handed out: it crashed in the first test that is not done, which has failed.
        first = next(iter(unfinished.values()))
        crashed = next(test for test, done in first.items() if not done)
        first[crashed] = True
        self.workqueue.update(
            {scope: tests for scope, tests in unfinished.items() if not all(tests.values())}
        )
        for other in self.nodes:
            if (
                other in self.registered_collections
            ):  # one that still collects is served when it has
                self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        # A worker begins a test only when it knows the next one, and asks for more only when one has ended: with a
        # single test it would wait for ever.
        while (
            self.workqueue
            and not node.shutting_down
            and self._pending_of(self.assigned_work[node]) < 2
        ):
            self._assign_work_unit(node)
        super()._reschedule(node)


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def long_ones_first(items: list[pytest.Item]) -> None:
    """Put tests in the order in which their modules are handed out: as the head of this file says, then by their number."""
    sizes = Counter(_scope(item.nodeid) for item in items)
    need_docker = {_scope(item.nodeid) for item in items if "docker" in item.nodeid.lower()}

    def place(item: pytest.Item) -> tuple[bool, int, int]:
        scope = _scope(item.nodeid)
        kinds = [kind for kind, start in enumerate(_LONG) if scope.startswith(start)]
        kind = min(kinds, default=len(_LONG))
        if scope in need_docker:
            kind = max(kind, _LONG.index("tests/engine/sandboxes/"))
        return (scope != _MAKES_THE_IMAGE, kind, -sizes[scope])

    items.sort(key=place)


def _scope(nodeid: str) -> str:
    """Return what stays together, in one worker."""
    module = nodeid.partition("::")[0]
    return module + "".join(nodeid.partition("[")[1:]) if module in _APART_BY_PARAMETER else module


def use_own_screen(config: pytest.Config) -> None:
    """In a worker: open windows on the screen that was started for it."""
    display = getattr(config, "workerinput", {}).get(_DISPLAY)
    if display is not None:
        os.environ["DISPLAY"] = display


def _start_screen() -> tuple[subprocess.Popen[bytes], str]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        try:
            screen = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[writing],
            )
        finally:
            os.close(writing)
        number = told.readline().strip().decode()
    if not number:
        raise pytest.UsageError(f"Xvfb did not start: it ended with {screen.wait()}")
    return screen, f":{number}"
