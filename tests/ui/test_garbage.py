"""Objects of Qt's in reference cycles go on Qt's thread, whichever thread allocates."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest
import qasync
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from tests.ui.qt_loop import until
from vibedesk.base.garbage import Collector, collecting_here

pytestmark = pytest.mark.ui


@pytest.fixture
def automatic(collector: Collector) -> Iterator[None]:
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
    with qasync.QEventLoop(qapp) as loop:
        ends = loop.run_until_complete(_threads_of_ends())
    assert set(ends) == {threading.get_ident()}
