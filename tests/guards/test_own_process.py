"""Tests in processes of their own: what goes wrong there costs one test, and is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

_CONFTEST = """
from tests.support.own_process import OwnProcess

def pytest_configure(config):
    config.addinivalue_line("markers", "own_process: in a process of its own")
    config.pluginmanager.register(OwnProcess())
"""

_TESTS = """
import pytest, subprocess, threading

pytestmark = pytest.mark.own_process

@pytest.mark.timeout(2)
def test_hangs():
    threading.Event().wait()

def test_leaves_a_process():
    subprocess.Popen(["sleep", "300"])

def test_crashes():
    import os
    os.abort()

def test_is_well():
    assert subprocess.run(["true"]).returncode == 0
"""


def test_what_goes_wrong_costs_one_test(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 100\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(_TESTS, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(_ROOT), "PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "3 failed, 1 passed" in finished.stdout
    assert "Timeout (>2.0s) from pytest-timeout" in finished.stdout
    assert "processes are left: sleep" in finished.stdout
    assert "Fatal Python error: Aborted" in finished.stdout
