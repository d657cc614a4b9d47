"""Runs tests marked `own_process` each in a Python process of its own.

The real window is made once a process: Qt's application, Chromium and the editor's bindings outlive it, and a second
window among their remains is nothing that a user ever has.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.support.prestarted import WINDOW, start_with_output

_CHILD = "TESTS_IN_OWN_PROCESS"
_SECONDS = 900
# Libraries with a plug-in of pytest's beside them; no test asserts there.
_EARLY_IMPORTS = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
_KEPT_CHARACTERS = 20_000
_GRACE_SECONDS = 30.0  # Chromium's processes end after the program that started them


class OwnProcess:
    """The pytest plug-in."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        if item.get_closest_marker("own_process") is None or os.environ.get(_CHILD):
            return None
        # The child keeps the test's time limit. Kept here too it would end first, and with it this whole worker.
        item.ihook.pytest_timeout_cancel_timer(item=item)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        started = time.time()
        outcome, output = _run(item)
        self._report(item, outcome, output, started)
        # pytest sets up and tears down along the way from one test to the next; this one stands in it, too.
        item.session._setupstate.teardown_exact(nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _report(self, item: pytest.Item, outcome: str, output: str, started: float) -> None:
        for when in ("setup", "call", "teardown"):
            here = outcome if when == "call" else "passed"
            report = pytest.TestReport(
                nodeid=item.nodeid,
                location=item.location,
                keywords={},
                outcome=here,  # type: ignore[arg-type]
                longrepr=output if here == "failed" else None,
                when=when,  # type: ignore[arg-type]
                duration=time.time() - started if when == "call" else 0.0,
                start=started,
                stop=time.time(),
            )
            item.ihook.pytest_runtest_logreport(report=report)


def _run(item: pytest.Item) -> tuple[str, str]:
    """Return (passed or failed, output); a skip inside counts as failed, since nothing of it was tested."""
    # A file, not a pipe: a process that the test leaves behind would hold a pipe open, and this one would wait for it.
    with tempfile.TemporaryFile() as output_file:
        child = start_with_output(
            output_file.fileno(),
            *("-q", "-rs", "-p", "no:cacheprovider", "-W", _EARLY_IMPORTS, item.nodeid),
            env={**os.environ, _CHILD: "1"},
            cwd=item.config.rootpath,
            module="pytest",
            imported=WINDOW,
        )
        left: list[str] = []
        try:
            code = child.wait(_SECONDS)
            left = _left_behind(child.pid)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait(_GRACE_SECONDS)
        output_file.seek(0)
        output = output_file.read().decode(errors="replace")[-_KEPT_CHARACTERS:]
    if code is None:
        return "failed", f"not done within {_SECONDS} s\n{output}"
    if left:
        return "failed", f"processes are left: {', '.join(left)}\n{output}"
    passed = code == 0 and "1 passed" in output
    return "passed" if passed else "failed", output


def _left_behind(group: int) -> list[str]:
    """Return what still runs of a process group whose leader has ended, and does not end by itself."""
    ends = time.monotonic() + _GRACE_SECONDS
    while (left := list(_running(group))) and time.monotonic() < ends:
        time.sleep(0.1)
    return left


def _running(group: int) -> Iterator[str]:
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                yield process.name()
