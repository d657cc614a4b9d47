from __future__ import annotations

import subprocess
import sys

from tests.support.processes import Leftovers, leftovers_since_now

_PARENT = "import subprocess as s; p = s.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"


def _start() -> tuple[subprocess.Popen[str], int]:
    """Start a program that starts another one; return that one's id, too."""
    process = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def _end(process: subprocess.Popen[str], grandchild: int) -> None:
    subprocess.run(["kill", "-9", str(grandchild)], check=True)
    process.communicate()


def _ids(leftovers: Leftovers) -> set[int]:
    return {process.pid for process in leftovers()}


def test_what_a_test_leaves_is_found_with_all_that_it_started() -> None:
    served, of_served = _start()
    leftovers = leftovers_since_now()
    left, of_left = _start()
    try:
        assert _ids(leftovers) == {left.pid, of_left}, "what serves other tests is not counted"
    finally:
        _end(left, of_left)
        _end(served, of_served)
    assert not leftovers()
