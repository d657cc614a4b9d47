"""Small asyncio pieces: tasks with an owner, and batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)

_CANCEL_SECONDS = 0.5
FRAME_SECONDS = 0.033
"""How long high-rate pieces are gathered before they are stored and told."""


class TaskScope:
    """Tasks that live no longer than their owner and never fail silently."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run `work` until it ends or the scope closes; an exception nobody awaits is logged."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self._owner}/{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def aclose(self) -> None:
        """Cancel every task and wait until each has unwound."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("task %s ended with %r", task.get_name(), task.exception())


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end also when the caller is cancelled meanwhile; the cancellation follows then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and task.exception() is not None:
            _log.warning("it failed while its caller was cancelled: %r", task.exception())
        raise


async def end_within(seconds: float, ending: Coroutine[Any, Any, object], *, what: str) -> bool:
    """Await what ends something, but not for ever; return whether it ended in time.

    Args:
        seconds: How long it may take. After that it is cancelled, and left if not even that ends it soon.
        ending: Its failure is logged, since what is ending anyway can do no better.
        what: Named in the log.
    """
    task = asyncio.ensure_future(ending)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
            _log.warning("%s did not end within %g s and is left", what, seconds)
            return False
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.cancelled() and task.exception() is not None:
        _log.error("%s ended badly", what, exc_info=task.exception())
    return True


class Batcher(Generic[T]):
    """Gathers items and hands them over at most once a frame, in order.

    As an asynchronous context manager it hands over the rest at the end, however the body ends.

    `put` never loses an item: what is gathered is handed over by the next `put` after a frame, by a timer,
    or by `flush`. A failure of the handler is raised by the next `put` or `flush`.
    """

    def __init__(self, handle: Callable[[list[T]], Awaitable[None]]) -> None:
        self._handle = handle
        self._items: list[T] = []
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._last = 0.0
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await finish(self.flush())

    async def put(self, item: T) -> None:
        self._raise_failure()
        self._items.append(item)
        loop = asyncio.get_running_loop()
        if loop.time() - self._last >= FRAME_SECONDS:
            await self.flush()
        elif self._timer is None:
            self._timer = loop.call_at(self._last + FRAME_SECONDS, self._fire)

    def put_nowait(self, item: T) -> None:
        """Gather an item from a callback on the loop; a timer hands it over."""
        self._items.append(item)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FRAME_SECONDS, self._fire)

    async def flush(self) -> None:
        """Hand over everything gathered so far and wait until it is handled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._lock:
            items, self._items = self._items, []
            self._last = asyncio.get_running_loop().time()
            if items:
                await self._handle(items)
        self._raise_failure()

    def _fire(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._flush_in_background())

    async def _flush_in_background(self) -> None:
        try:
            await self.flush()
        except Exception as error:  # noqa: BLE001 - raised by the next put or flush
            self._failure = error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
