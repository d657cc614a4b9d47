"""Reference cycles are collected on one thread: the one that owns Qt's objects.

Python collects on whichever thread happens to allocate. An object of Qt's that is destroyed on another thread than its
own leaves its timers behind, and the process crashes when the next of them fires. Programs with a Qt loop and threads
beside it therefore collect by themselves.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_INTERVAL_SECONDS = 0.25
_GROWTH = 1.25
"""How much more than the last whole collection kept calls for the next one, as in Python's own collector."""


@asynccontextmanager
async def collecting_here() -> AsyncIterator[None]:
    """Collect garbage on this loop's thread, and on no other.

    Automatic collection is off from now on, also afterwards: what is left then has to go on the same thread.
    """
    gc.disable()
    collector = asyncio.create_task(_collect_for_ever(), name="garbage")
    try:
        yield
    finally:
        collector.cancel()
        await asyncio.gather(collector, return_exceptions=True)


async def _collect_for_ever() -> None:
    collector = Collector()
    while True:
        await asyncio.sleep(_INTERVAL_SECONDS)
        collector.collect_due()


class Collector:
    """Does what Python's own collector would, when it is asked to."""

    def __init__(self) -> None:
        self._kept = 0

    def collect_due(self) -> None:
        """Collect on this thread those generations whose threshold is passed."""
        young, middle, old = gc.get_count()
        limit_young, limit_middle, limit_old = gc.get_threshold()
        if young <= limit_young:
            return
        if middle <= limit_middle:
            gc.collect(0)
        elif old <= limit_old or len(gc.get_objects(generation=2)) < self._kept * _GROWTH:
            gc.collect(1)
        else:
            gc.collect()
            self._kept = len(gc.get_objects(generation=2))
