"""Circuit breakers: a model that keeps failing is left alone for a while, by every project of the engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float | None = None


class CircuitBreakers:
    """One breaker for each model, by provider and name; not thread-safe.

    It opens after `after` failures in a row. When `for_s` seconds have passed, one call is let through: its success
    closes the breaker, its failure keeps it open as long again.

    Args:
        after: Failures in a row.
        for_s: Seconds.
        clock: Monotonic seconds.
    """

    def __init__(
        self, *, after: int = 5, for_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._after = after
        self._for_s = for_s
        self._clock = clock
        self._circuits: dict[tuple[str, str], _Circuit] = {}

    def is_open(self, provider: str, model: str) -> bool:
        """Tell whether the model should not be asked now."""
        circuit = self._circuits.get((provider, model))
        return (
            circuit is not None
            and circuit.open_until is not None
            and self._clock() < circuit.open_until
        )

    def asked(self, provider: str, model: str) -> None:
        """Note that a call begins: while one tries a breaker that was open, no other does."""
        circuit = self._circuits.get((provider, model))
        if circuit is not None and circuit.open_until is not None:
            circuit.open_until = self._clock() + self._for_s

    def succeeded(self, provider: str, model: str) -> None:
        self._circuits.pop((provider, model), None)

    def failed(self, provider: str, model: str) -> None:
        """Note a failure that may pass."""
        circuit = self._circuits.setdefault((provider, model), _Circuit())
        circuit.failures += 1
        if circuit.failures >= self._after:
            circuit.open_until = self._clock() + self._for_s
