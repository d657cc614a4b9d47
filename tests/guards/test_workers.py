from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]

_CONFTEST = """
import os
from tests.support.workers import Workers, is_worker, long_ones_first, use_own_screen

def pytest_configure(config):
    config.pluginmanager.register(Workers())
    use_own_screen(config)

def pytest_collection_modifyitems(config, items):
    if is_worker(config):
        long_ones_first(items)
"""

_TESTS = """
import json, os, pytest, subprocess
from pathlib import Path

@pytest.mark.parametrize("number", range({count}))
def test_notes(number):
    facts = [__name__, os.environ["PYTEST_XDIST_WORKER"], os.environ["DISPLAY"]]
    with Path("notes").open("a") as notes:
        notes.write(json.dumps(facts) + "\\n")
"""


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What the tests of a run with two workers noted: module, worker, display."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    for name, count in (("few", 2), ("many", 5), ("more", 3)):
        (folder / f"test_{name}.py").write_text(_TESTS.format(count=count), encoding="utf-8")
    finished = _run_with_two_workers(folder)
    assert finished.returncode == 0, finished.stdout
    return [json.loads(line) for line in (folder / "notes").read_text().splitlines()]


def _run_with_two_workers(folder: Path) -> subprocess.CompletedProcess[str]:
    # It waits for all who have its output: screens that stay would be noticed.
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2"],
        cwd=folder,
        env={"PYTHONPATH": str(_ROOT), "PATH": os.environ["PATH"], "DISPLAY": ":none"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_each_worker_has_a_screen_of_its_own(notes: list[list[str]]) -> None:
    screens = {(worker, display) for _, worker, display in notes}
    assert len(screens) == len({worker for worker, _ in screens}) == 2
    displays = {display for _, display in screens}
    assert len(displays) == 2
    assert ":none" not in displays


def test_a_module_s_tests_stay_together_and_the_longest_is_begun_first(
    notes: list[list[str]],
) -> None:
    workers = {module: {w for m, w, _ in notes if m == module} for module, _, _ in notes}
    assert [len(found) for found in workers.values()] == [1, 1, 1]
    assert len(notes) == 10
    assert workers["test_many"] != workers["test_more"]


_CRASH = """
import os, pytest

@pytest.mark.parametrize("number", range(4))
def test_crashes(number):
    if number == 2:
        os.abort()
"""


def test_a_worker_that_crashes_costs_one_test(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    # By number of tests: both workers have done modules before the crash, and there are more behind it.
    for number in range(8):
        tests = _TESTS.format(count=5 if number < 4 else 2)
        (tmp_path / f"test_{number}.py").write_text(tests, encoding="utf-8")
    (tmp_path / "test_crash.py").write_text(_CRASH, encoding="utf-8")
    finished = _run_with_two_workers(tmp_path)
    assert "1 failed, 31 passed" in finished.stdout
    assert "test_crash.py::test_crashes[2]" in finished.stdout
    assert len((tmp_path / "notes").read_text().splitlines()) == 28


_WAITS = """
from pathlib import Path
import threading

def test_waits():
    Path(__name__).touch()
    threading.Event().wait()

def test_comes_after():
    pass
"""


def test_an_interrupted_run_says_where_each_worker_stands(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    names = ("test_one", "test_two")
    for name in names:
        (tmp_path / f"{name}.py").write_text(_WAITS, encoding="utf-8")
    running = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(_ROOT), "PATH": os.environ["PATH"], "DISPLAY": ":none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not all((tmp_path / name).exists() for name in names):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # As `timeout` does it: to all of them at once.
        os.killpg(running.pid, signal.SIGINT)
        output, _ = running.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    assert {f"{name}.py::test_waits" in output for name in names} == {True}, output
