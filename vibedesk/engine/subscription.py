"""One listener's queue of a project's events."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable

from vibedesk.engine.events import Event


class Subscription:
    """One listener's queue. Filled on the engine's loop, read anywhere.

    Either `drain` it when `on_ready` was called (from the engine's thread), or iterate it with `async for`
    on the reader's own loop.
    """

    def __init__(self, project_id: str, on_ready: Callable[[], None] | None = None) -> None:
        self.project_id = project_id
        self._on_ready = on_ready
        self._events: deque[Event] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def push(self, event: Event) -> None:
        with self._lock:
            if self._closed:
                return
            self._events.append(event)
        self._wake()

    def drain(self) -> list[Event]:
        """Return everything that came since the last call, in order."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
        return events

    def close(self) -> None:
        """End the subscription; an iteration ends after what is queued."""
        with self._lock:
            self._closed = True
        self._wake()

    @property
    def closed(self) -> bool:
        return self._closed

    def _wake(self) -> None:
        if self._on_ready is not None:
            self._on_ready()
        waiter = self._waiter
        if waiter is not None:
            loop, event = waiter
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def __aiter__(self) -> AsyncIterator[Event]:
        ready = asyncio.Event()
        self._waiter = (asyncio.get_running_loop(), ready)
        while True:
            ready.clear()
            for event in self.drain():
                yield event
            if self._closed and not self._events:
                return
            if not self._events:
                await ready.wait()
