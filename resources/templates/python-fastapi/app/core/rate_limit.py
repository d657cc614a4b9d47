"""Slows down guessing of passwords: so many tries in so many seconds, for each address."""

import time
from collections import defaultdict, deque


class RateLimit:
    """Counts in memory; a restart forgets."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._tries: defaultdict[str, deque[float]] = defaultdict(deque)

    def allows(self, key: str) -> bool:
        """Note a try, and return whether it may be made."""
        moment = time.monotonic()
        if len(self._tries) > 10_000:
            self._tries.clear()
        tries = self._tries[key]
        while tries and tries[0] < moment - self._seconds:
            tries.popleft()
        tries.append(moment)
        while len(tries) > self._most + 1:
            tries.popleft()
        return len(tries) <= self._most
