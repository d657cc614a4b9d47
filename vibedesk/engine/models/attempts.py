"""Which model is asked next, and when: retries, fallbacks and rounds through an outage, as one decision after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.models.circuit import CircuitBreakers
from vibedesk.engine.models.protocol import (
    NO_MODEL_REMEDY,
    BrokenAnswerError,
    ChatModel,
    ModelError,
    ModelRequest,
    NoModelError,
    ReasoningEffort,
    StreamInterruptedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long to wait, times in seconds.

    A model is asked up to `max_tries` times, then the next one in order. When none is left, they are asked again,
    once each, round after round, until `outage_s` have passed since the first failure: an outage of that length is
    survived. Answers that are broken are asked for at most `max_tries` times of each model, because they cost.

    The wait before try n+1 is `base_s * 2**(n-1)`, at most `max_s`, with up to `jitter` of it added at random; a
    provider's own Retry-After is waited for exactly, unless it is longer than `patience_s`, or than
    `fallback_wait_s` while another model can be asked.
    """

    max_tries: int = 4
    base_s: float = 1.0
    max_s: float = 30.0
    jitter: float = 0.25
    patience_s: float = 300.0
    fallback_wait_s: float = 60.0
    outage_s: float = 120.0

    @classmethod
    def from_dict(cls, stored: Any) -> RetryPolicy:
        """Read what Settings stores; fields that are missing are as usual.

        Raises:
            InvalidInputError: a field is unknown or no number of 0 or more.
        """
        if not isinstance(stored, Mapping):
            raise _invalid("models.retry", "it is an object")
        known = {known.name for known in fields(cls)}
        for name, value in stored.items():
            if name not in known:
                raise _invalid(name, "there is no such setting")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise _invalid(name, "it is a number of 0 or more")
        if "max_tries" in stored and (
            type(stored["max_tries"]) is not int or stored["max_tries"] < 1
        ):
            raise _invalid("max_tries", "it is a whole number of 1 or more")
        return cls(**stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedModel:
    """A model, and how its route wants it asked; None and empty: as the request says."""

    model: ChatModel
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: ReasoningEffort = ""

    def shape(self, request: ModelRequest) -> ModelRequest:
        """Return the request as this step asks it."""
        return replace(
            request,
            temperature=request.temperature if self.temperature is None else self.temperature,
            max_output_tokens=self.max_output_tokens or request.max_output_tokens,
            reasoning_effort=self.reasoning_effort or request.reasoning_effort,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The next call: `step` after `wait` seconds. `failed`: the step that failed before it and why, None at first."""

    step: RoutedModel
    wait: float = 0.0
    failed: tuple[RoutedModel, ModelError] | None = None


@dataclass(slots=True)
class _Tried:
    """What became of one step so far."""

    tries: int = 0
    broken: int = 0
    given_up: bool = False
    error: ModelError | None = None


class Attempts:
    """The calls of one question. `next` says which, `failed` how it went.

    Args:
        steps: In order of preference.
        policy: Retries and waits.
        breakers: Models that are not to be asked while another one can be.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        steps: Sequence[RoutedModel],
        policy: RetryPolicy,
        breakers: CircuitBreakers,
        clock: Callable[[], float],
    ) -> None:
        self._steps = list(steps)
        self._policy = policy
        self._breakers = breakers
        self._clock = clock
        self._tried = [_Tried() for _ in self._steps]
        self._round = 1
        self._position: int | None = None
        self._asked_this_round: set[int] = set()
        self._began: float | None = None

    def next(self) -> Turn:
        """Return the next call.

        Raises:
            ModelError: there is none; the last failure, whose `details` name every model's.
        """
        if not self._steps:
            raise NoModelError("No model is set up.", remedy=NO_MODEL_REMEDY)
        if self._position is None:
            return self._take(self._first(), 0.0, None)
        tried, position = self._tried[self._position], self._position
        error = tried.error
        assert error is not None, "the call before has not failed"
        failed = (self._steps[position], error)
        wait = self._wait_for(position)
        others = [n for n in self._usable() if n != position and n not in self._asked_this_round]
        patience = self._policy.fallback_wait_s if others else self._policy.patience_s
        in_round = tried.tries < self._policy.max_tries if self._round == 1 else False
        if (
            not tried.given_up
            and in_round
            and wait <= patience
            and not (others and self._is_open(position))
        ):
            return self._take(position, wait, failed)
        if others:
            return self._take(others[0], 0.0, failed)
        return self._next_round(failed)

    def failed(self, error: ModelError) -> None:
        """Note that the call that `next` named failed."""
        assert self._position is not None, "nothing was asked"
        tried = self._tried[self._position]
        tried.tries += 1
        tried.error = error
        if isinstance(error, BrokenAnswerError | StreamInterruptedError):
            tried.broken += 1
        tried.given_up = not error.retryable or tried.broken >= self._policy.max_tries
        if self._began is None:
            self._began = self._clock()

    def _next_round(self, failed: tuple[RoutedModel, ModelError]) -> Turn:
        """Return the first call of the next round, if the outage may last that long."""
        lasted = self._clock() - (self._began or 0.0)
        left = [
            n
            for n, tried in enumerate(self._tried)
            if not tried.given_up and self._wait_for(n) <= self._policy.patience_s
        ]
        if not left or lasted >= self._policy.outage_s:
            raise self._all_failed(failed[1])
        self._round += 1
        self._asked_this_round.clear()
        chosen = next((n for n in left if not self._is_open(n)), left[0])
        return self._take(chosen, self._wait_for(chosen), failed)

    def _take(
        self, position: int, wait: float, failed: tuple[RoutedModel, ModelError] | None
    ) -> Turn:
        self._position = position
        self._asked_this_round.add(position)
        return Turn(step=self._steps[position], wait=wait, failed=failed)

    def _first(self) -> int:
        return next((n for n in range(len(self._steps)) if not self._is_open(n)), 0)

    def _usable(self) -> list[int]:
        return [
            n for n, tried in enumerate(self._tried) if not tried.given_up and not self._is_open(n)
        ]

    def _is_open(self, position: int) -> bool:
        model = self._steps[position].model
        return self._breakers.is_open(model.provider, model.name)

    def _wait_for(self, position: int) -> float:
        """Return how long to wait before a step is asked again; nothing if it has not failed."""
        tried = self._tried[position]
        if tried.error is None:
            return 0.0
        if tried.error.retry_after is not None:
            return max(tried.error.retry_after, 0.0)
        wait = min(self._policy.base_s * 2.0 ** (tried.tries - 1), self._policy.max_s)
        return wait * (1 + self._policy.jitter * random.random())

    def _all_failed(self, last: ModelError) -> ModelError:
        failures = [
            (step.model.name, tried.error)
            for step, tried in zip(self._steps, self._tried, strict=True)
            if tried.error is not None
        ]
        if len(failures) > 1:
            last.details.update({name: error.message for name, error in failures})
        return last


def _invalid(name: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"The setting models.retry cannot be used: {name}: {reason}.",
        details={"field": name, "reason": reason},
    )
