"""A bound on how many work at once, with a fair line: whoever came first goes on first.

Places belong to keys (a project's id). A key may take more than one; it counts once, and what it holds is free again
when all of them are released.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from vibedesk.base.aio import finish

_log = logging.getLogger(__name__)

AGENTS_SETTING = "agents.most_at_once"
MOST_AGENTS = 5
SANDBOXES_SETTING = "sandbox.most_at_once"
MOST_SANDBOXES = 10

PositionSink = Callable[[int], Awaitable[None]]
"""Told the place in line, from 1."""


def limit_from(setting: Any, default: int) -> int:
    """Return a stored limit, or `default` where it is no whole number above 0."""
    usable = isinstance(setting, int) and not isinstance(setting, bool) and setting > 0
    return setting if usable else default


class Place:
    """One taken place."""

    def __init__(self, slots: Slots, key: str) -> None:
        self._slots: Slots | None = slots
        self.key = key

    def release(self) -> None:
        """Give the place back. Idempotent."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots._released(self)  # noqa: SLF001 - the two are one


@dataclass(slots=True)
class _Holding:
    """What one key holds."""

    used: int = 0
    """When it was last used; a higher number is later."""
    places: set[Place] = field(default_factory=set)
    refused: bool = False
    """It was asked for its place and kept it; it is not asked again before something is said about it."""


class _Waiter:
    """Somebody in the line. `changed` is set with everything that may matter to them."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.place: Place | None = None
        self.changed = asyncio.Event()


class Slots:
    """Places for at most `limit` keys. All methods run on one event loop.

    Args:
        limit: How many keys may hold a place at once, at least 1. It can be changed at any time: nobody loses a
            place by that.
        give_back: Asks a key that is not busy to release its places; returns whether it did. Asked one at a time,
            the one that was used longest ago first, and only while somebody waits.
    """

    def __init__(
        self, limit: int, give_back: Callable[[str], Coroutine[Any, Any, bool]] | None = None
    ) -> None:
        self._limit = max(limit, 1)
        self._give_back = give_back
        self._held: dict[str, _Holding] = {}
        self._line: list[_Waiter] = []
        self._idle: set[str] = set()
        self._clock = itertools.count()
        self._closed = False

    @property
    def limit(self) -> int:
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = max(limit, 1)
        self._settle()

    @property
    def holders(self) -> tuple[str, ...]:
        """The keys that hold a place."""
        return tuple(self._held)

    @property
    def line(self) -> tuple[str, ...]:
        """The keys that wait, first come first."""
        return tuple(dict.fromkeys(waiter.key for waiter in self._line))

    async def acquire(self, key: str, on_wait: PositionSink | None = None) -> Place:
        """Take a place, waiting in line for it where none is free; a key that holds one has it at once.

        Args:
            key: Whose place it is.
            on_wait: Awaited with the place in line when waiting begins and whenever it changes.
        """
        waiter = _Waiter(key)
        self._line.append(waiter)
        self._settle()
        try:
            return await self._wait(waiter, on_wait)
        except BaseException:
            if waiter.place is not None:
                waiter.place.release()
            else:
                self._line.remove(waiter)
                self._settle()
            raise

    def set_busy(self, key: str, busy: bool) -> None:
        """Say whether a place of this key is needed, now and from now on; one that is not may be asked back.

        Nothing said means that it is.
        """
        holding = self._held.get(key)
        if holding is not None:
            holding.refused = False
            if busy or key not in self._idle:
                holding.used = next(self._clock)
        if busy:
            self._idle.discard(key)
        else:
            self._idle.add(key)
        self._settle()

    def close(self) -> None:
        """Let nobody through any more, who waits waits until cancelled: everything is about to end."""
        self._closed = True

    async def _wait(self, waiter: _Waiter, on_wait: PositionSink | None) -> Place:
        told = 0
        while waiter.place is None:
            waiter.changed.clear()
            if await self._asked_back(waiter):
                continue
            position = self.line.index(waiter.key) + 1
            if position != told and on_wait is not None:
                told = position
                await on_wait(position)
                continue
            await waiter.changed.wait()
        return waiter.place

    async def _asked_back(self, waiter: _Waiter) -> bool:
        """Ask one key that is not busy for its place, if it is this waiter's turn; return whether anybody was asked."""
        give_back = self._give_back
        if give_back is None or self._closed or self._line[0] is not waiter:
            return False
        idle = [(h.used, k) for k, h in self._held.items() if k in self._idle and not h.refused]
        if not idle:
            return False
        _, key = min(idle)
        holding = self._held[key]
        # Also where the place is kept after all: the same one is not asked again and again.
        holding.refused = True
        try:
            # Whoever is asked stops in order, also when nobody waits for it any more.
            gave = await finish(give_back(key))
        except Exception:  # noqa: BLE001 - the newcomer waits on, it is not theirs to fail
            _log.exception("%s could not give its place back", key)
        else:
            if gave and self._held.get(key) is holding:
                _log.warning("%s said that it gave its place back and holds it still", key)
        return True

    def _settle(self) -> None:
        """Let through who may go on, and tell the others that something changed."""
        if self._closed:
            return
        for waiter in tuple(self._line):
            if waiter.key in self._held or len(self._held) < self._limit:
                self._line.remove(waiter)
                waiter.place = self._take(waiter.key)
            waiter.changed.set()

    def _take(self, key: str) -> Place:
        place = Place(self, key)
        holding = self._held.get(key)
        if holding is None:
            holding = self._held[key] = _Holding()
        holding.used = next(self._clock)
        holding.refused = False
        holding.places.add(place)
        return place

    def _released(self, place: Place) -> None:
        holding = self._held[place.key]
        holding.places.remove(place)
        if not holding.places:
            del self._held[place.key]
            self._settle()


__all__ = [
    "AGENTS_SETTING",
    "MOST_AGENTS",
    "MOST_SANDBOXES",
    "SANDBOXES_SETTING",
    "Place",
    "PositionSink",
    "Slots",
    "limit_from",
]
