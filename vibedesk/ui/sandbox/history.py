"""What a sandbox used over the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vibedesk.engine.views import SandboxView
from vibedesk.ui.sandbox.words import cpu_share
from vibedesk.ui.widgets.gauges import Point

SECONDS = 60.0
_HEADROOM = 1.5


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    cpu: float | None
    memory: int | None
    memory_limit: int | None


class UsageHistory:
    """Keeps a minute of samples. Times are seconds of one clock that only goes forward."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def clear(self) -> None:
        self._samples.clear()

    def add(self, view: SandboxView, at: float) -> None:
        """Take in what is used now."""
        self._samples.append(_Sample(at, cpu_share(view), view.memory, view.memory_limit))
        while self._samples[0].at < at - SECONDS:
            self._samples.popleft()

    def cpu(self) -> list[Point]:
        """Return the CPU's curve, as shares of what may be used."""
        return [(self._when(s), s.cpu) for s in self._samples if s.cpu is not None]

    def memory(self) -> list[Point]:
        """Return the memory's curve, as shares of the limit or of a little more than the most."""
        most = self.memory_measure()
        return [(self._when(s), s.memory / most) for s in self._samples if s.memory is not None]

    def memory_measure(self) -> int:
        """Return how many bytes the top of the memory's curve stands for."""
        limit = self._samples[-1].memory_limit if self._samples else None
        if limit:
            return limit
        return max(1, round(_HEADROOM * self.most_memory()))

    def most_cpu(self) -> float:
        return max((s.cpu for s in self._samples if s.cpu is not None), default=0.0)

    def most_memory(self) -> int:
        return max((s.memory for s in self._samples if s.memory is not None), default=0)

    def _when(self, sample: _Sample) -> float:
        return 1.0 - (self._samples[-1].at - sample.at) / SECONDS
