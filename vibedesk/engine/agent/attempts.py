"""What a run tries again by itself, and what the person is told when that did not help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.events import Notice
from vibedesk.engine.models.protocol import BadAnswerError
from vibedesk.engine.store.records import Json
from vibedesk.engine.store.usage import UsageFilter, usage_sums, usage_total

MOST_SAME_ERRORS: Final = 3
_MOST_ERRORS: Final = 6


async def take_step(step: Callable[[], Awaitable[None]], access: ProjectAccess) -> None:
    """Take a step of a run; where the model's answer could not be used, take it again.

    Raises:
        BadAnswerError: the same error came three times, or six came in all; the person has to decide.
        VibeDeskError: as the step raises it; everything else is not tried again here.
    """
    failed: list[str] = []
    while True:
        try:
            await step()
            return
        except BadAnswerError as error:
            failed.append(error.message)
            if not error.retryable:
                raise
            if failed.count(error.message) >= MOST_SAME_ERRORS or len(failed) >= _MOST_ERRORS:
                times = failed.count(error.message)
                often = (
                    f"That happened {times} times"
                    if times >= MOST_SAME_ERRORS
                    else f"No answer of {len(failed)} could be used"
                )
                raise BadAnswerError(
                    f"{error.message} {often}, so the run stopped.",
                    remedy="Say in the chat what to do differently, choose another model, or continue.",
                    details=error.details,
                    retryable=False,
                ) from error
            words = f"{error.message} Trying once more."
            await access.bus.emit(access.project_id, Notice(words, error.code))


async def spent(access: ProjectAccess, since: str, operation: str) -> Json:
    """Return what the project's calls of an operation came to since that time (UTC): `tokens`, and `cost` in USD.

    Without a call there is neither, and no cost where no price is known.
    """
    wanted = UsageFilter(project_id=access.project_id, since=since, operation=operation)
    total = await access.read(lambda: usage_total(wanted))
    if not total.calls:
        return {}
    tokens = total.input_tokens + total.output_tokens
    priced = total.calls > total.unpriced
    return {"tokens": tokens, "cost": total.cost} if priced else {"tokens": tokens}


async def with_costs(error: VibeDeskError, access: ProjectAccess, since: str) -> VibeDeskError:
    """Return `error` with what the run had tried since that time (UTC) and what it cost, if it asked models."""

    def look() -> dict[str, str]:
        sums = usage_sums(UsageFilter(project_id=access.project_id, since=since), "model")
        if not sums:
            return {}
        tried = ", ".join(
            f"{s.key} ({s.calls} {'call' if s.calls == 1 else 'calls'})" for s in sums
        )
        unpriced = " or more" if any(s.unpriced for s in sums) else ""
        cost = f"{sum(s.cost for s in sums):.4f}"
        known = {"cost": cost} if any(s.calls > s.unpriced for s in sums) else {}
        return {"tried": tried, "spent": f"{cost} USD{unpriced}", **known}

    error.details = {**error.details, **await access.read(look)}
    return error
