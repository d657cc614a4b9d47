"""A small and a large subject measured in turn in one run: what the large one costs, as a ratio that has a limit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

Measure = Callable[[], float]
"""Does something once and returns what it cost."""


def cpu_seconds(action: Callable[[], object]) -> float:
    begun = time.process_time()
    action()
    return time.process_time() - begun


def within_limit(
    name: str, small: Measure, large: Measure, *, limit: float, rounds: int, warm_up: int = 1
) -> bool:
    """Measure both in turn, print the medians and their ratio, and return whether that keeps the limit."""
    costs: tuple[list[float], list[float]] = [], []
    for turn in range(warm_up + rounds):
        for subject, measure in ((0, small), (1, large)) if turn % 2 else ((1, large), (0, small)):
            cost = measure()
            if turn >= warm_up:
                costs[subject].append(cost)
    low, high = (statistics.median(each) for each in costs)
    good = high <= low * limit
    print(
        f"  {name}: {low * 1e6:,.1f} / {high * 1e6:,.1f} µs = {high / low:.2f}  (limit {limit})"
        f"{'' if good else '  OVER THE LIMIT'}"
    )
    return good


def exit_status(within_limits: Iterable[bool]) -> int:
    """Say whether all limits were kept, and return what the program ends with."""
    good = all(within_limits)
    print("within the limits" if good else "OVER THE LIMITS")
    return 0 if good else 1
