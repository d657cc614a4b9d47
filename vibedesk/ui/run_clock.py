"""How long the agent has worked at what it builds; the time in which it waits or rests does not count."""

from __future__ import annotations

import time


class RunClock:
    """Goes while the agent works and stands while it does not.

    Args:
        seconds: What it has worked already.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._before = seconds
        self._since: float | None = None
        self._complete = False

    def follow(self, state: str, *, running: bool) -> None:
        """Take in how the run stands; what follows on a complete app begins anew."""
        if running and self._complete:
            self._before = 0.0
        self._complete = state == "complete"
        if running and self._since is None:
            self._since = time.monotonic()
        elif not running and self._since is not None:
            self._before += time.monotonic() - self._since
            self._since = None

    @property
    def stands(self) -> bool:
        return self._since is None

    def words(self) -> str:
        """Return minutes and seconds; nothing before the first second."""
        now = 0.0 if self._since is None else time.monotonic() - self._since
        seconds = int(self._before + now)
        return f"{seconds // 60}:{seconds % 60:02d}" if seconds else ""
