"""For questions whose answer is of no use in part: one that breaks off is asked for again, from its beginning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from vibedesk.engine.models.protocol import StreamInterruptedError

T = TypeVar("T")

_MOST_ANSWERS = 3


async def whole_answer(
    ask: Callable[[], Awaitable[T]], restart: Callable[[], Awaitable[object]] | None = None
) -> T:
    """Return what `ask` returns, called again where its answer breaks off.

    Args:
        ask: Streams one answer and returns what it came to.
        restart: Awaited before `ask` is called again: what it had shown is void.

    Raises:
        StreamInterruptedError: the third answer broke off, too.
    """
    for _ in range(_MOST_ANSWERS - 1):
        try:
            return await ask()
        except StreamInterruptedError:
            if restart is not None:
                await restart()
    return await ask()
