"""What a test leaves of Qt's goes on the main thread, whichever tests follow it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

_CONFTEST = """
from tests.support.garbage import GarbageOnMainThread

def pytest_configure(config):
    config.pluginmanager.register(GarbageOnMainThread())
"""

_LEAVING = """
import gc, threading
import pytest
from PySide6.QtCore import QObject

ends = []

class InACycle(QObject):
    def __init__(self):
        super().__init__()
        self.me = self

    def __del__(self):
        ends.append(threading.get_ident())

@pytest.fixture
def held():
    yield InACycle()

def test_python_collects_before_qt_is_used():
    assert gc.isenabled()

def test_that_fails(qapp, held):
    in_its_frame = InACycle()
    assert False
"""

_FOLLOWING = """
import threading
import pytest
from test_1_leaving import ends

kept = []

def allocate():
    kept.extend([] for _ in range(2_000))

@pytest.mark.parametrize("number", range(150))
def test_with_a_thread_that_allocates(number):
    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()

def test_all_went_on_the_main_thread():
    assert ends == [threading.get_ident()] * 2
"""


def test_nothing_of_qt_s_is_left_to_a_later_test_s_threads(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nqt_api = pyside6\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    (tmp_path / "test_1_leaving.py").write_text(_LEAVING, encoding="utf-8")
    (tmp_path / "test_2_following.py").write_text(_FOLLOWING, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(_ROOT), "QT_QPA_PLATFORM": "offscreen"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "1 failed, 152 passed" in finished.stdout, finished.stdout
