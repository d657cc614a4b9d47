"""How an agent waits: for its turn, and for what is gone for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.slots import Place, Slots
from vibedesk.engine.waiting import Wait

LOOK_AGAIN_SECONDS = 2.0
PATIENCE_SECONDS = 900.0


async def take_place(access: ProjectAccess, slots: Slots, what: str = "place") -> Place:
    """Take the project's place among `slots`; the person is told the place in line while it waits.

    Args:
        access: The project; its id is the key.
        slots: Where.
        what: What is waited for, in one or two words.
    """
    place: Place | None = None
    try:
        async with Wait(access.bus, access.store, access.project_id, "slot") as wait:

            async def tell(position: int) -> None:
                await wait.tell(f"Waiting for a free {what}: {ordinal(position)} in line.")

            place = await slots.acquire(access.project_id, tell)
    except BaseException:
        if place is not None:
            place.release()
        raise
    return place


async def wait_until(
    access: ProjectAccess,
    ready: Callable[[], Awaitable[bool]],
    otherwise: VibeDeskError,
    *,
    reason: str,
    message: str,
    every: float = LOOK_AGAIN_SECONDS,
    at_most: float = PATIENCE_SECONDS,
) -> None:
    """Wait until `ready`, which is asked for the first time after `every` seconds.

    Args:
        access: The project that waits.
        ready: Whether it can go on; a `VibeDeskError` of its means no.
        otherwise: Raised when `at_most` seconds were not enough: what went wrong in the first place.
        reason: As in `Waiting`.
        message: For the person: what is missing, and that it goes on by itself.
        every: Seconds between two looks.
        at_most: How many seconds to be patient.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + at_most
    async with Wait(access.bus, access.store, access.project_id, reason) as wait:
        await wait.tell(message)
        while loop.time() < end:
            await asyncio.sleep(every)
            if await _is_so(ready):
                return
        raise otherwise


async def _is_so(ready: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await ready()
    except VibeDeskError:
        return False


def ordinal(number: int) -> str:
    """Return the number as in a row: 1st, 2nd, 3rd, 4th."""
    ending = "th"
    if number % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
