"""Slows down guessing and floods: so many tries of one key in so many seconds."""

import math
import time
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

from fastapi import Request

_MOST_KEYS = 10_000


class RateLimit:
    """Counts in memory, for as many keys as fit; a restart forgets."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._tries: dict[str, list[float]] = {}
        # Routes run in several threads.
        self._lock = Lock()

    def count(self, key: str) -> int:
        """Count a try and return 0; or return in how many seconds it may be made, and do not count it."""
        with self._lock:
            moment = time.monotonic()
            tries = [tried for tried in self._tries.pop(key, []) if tried > moment - self._seconds]
            self._tries[key] = tries
            if len(tries) >= self._most:
                return max(1, math.ceil(tries[0] + self._seconds - moment))
            tries.append(moment)
            if len(self._tries) > _MOST_KEYS:
                del self._tries[next(iter(self._tries))]
            return 0

    def take_back(self, key: str) -> None:
        """Count the newest try no more."""
        with self._lock:
            tries = self._tries.pop(key, [])[:-1]
            if tries:
                self._tries[key] = tries

    def forget(self, key: str) -> None:
        """Count none of the tries so far."""
        with self._lock:
            self._tries.pop(key, None)


def network_of(request: Request) -> str:
    """Return what its tries are counted by: its address; of IPv6 the network (/64), since one host has all of it."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))
