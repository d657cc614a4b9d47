"""Objects of Qt's in reference cycles go on Qt's thread, whichever thread allocates."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest
import qasync
from PySide6.QtCore import QElapsedTimer, QObject, QTimer
from PySide6.QtWidgets import QApplication

from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.garbage import collecting_here

pytestmark = pytest.mark.ui


@pytest.fixture
def automatic() -> Iterator[None]:
    """Python's own collector, as every program begins with."""
    gc.enable()
    yield
    gc.disable()


class InACycle(QObject):
    """Notes the thread on which it goes."""

    def __init__(self, ends: list[int]) -> None:
        super().__init__()
        self._self = self
        self._ends = ends
        self._timer = QTimer(self)
        self._timer.start(1)

    def __del__(self) -> None:
        self._ends.append(threading.get_ident())


async def _threads_of_ends() -> list[int]:
    """Drop cycles of Qt's while a thread beside the loop allocates; return where they went."""
    ends: list[int] = []
    stop = threading.Event()

    def allocate() -> None:
        # More than any of this thread's own limits, and nothing of it is garbage.
        while not stop.is_set():
            _kept = [[] for _ in range(20_000)]

    async with collecting_here():
        thread = threading.Thread(target=allocate)
        thread.start()
        try:
            for _ in range(10):
                for _ in range(100):
                    InACycle(ends)
                await asyncio.sleep(0)
            await until(lambda: ends, "garbage is collected")
        finally:
            stop.set()
            await asyncio.to_thread(thread.join)
    return ends


def test_a_cycle_goes_on_the_thread_of_the_loop(qapp: QApplication, automatic: None) -> None:
    # A window of an earlier test that goes only now must not end the loop.
    qapp.setQuitOnLastWindowClosed(False)
    with qasync.QEventLoop(qapp) as loop:
        ends = loop.run_until_complete(_threads_of_ends())
    assert set(ends) == {threading.get_ident()}


@pytest.mark.own_process
def test_a_loop_that_has_ended_leaves_no_timer_to_whichever_thread_collects(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        # Qt's timer of a deadline runs on when the deadline is given up.
        async with asyncio.timeout(0.1):
            await asyncio.sleep(0)

    run_on_qt(qapp, work())
    elsewhere = threading.Thread(target=gc.collect)
    elsewhere.start()
    elsewhere.join()
    elapsed = QElapsedTimer()
    elapsed.start()
    while elapsed.elapsed() < 200:
        # A timer whose object is gone ends the process here.
        qapp.processEvents()
