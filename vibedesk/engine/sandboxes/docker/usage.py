"""What a container uses, from the engine's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vibedesk.engine.sandboxes.driver import SandboxUsage
from vibedesk.engine.sandboxes.sizes import SandboxSize


class UsageMeter:
    """Turns the engine's counters into rates, from one look to the next."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self.disk = 0
        """Bytes, as the keeper measured them last."""

    def usage(self, stats: Mapping[str, Any], size: SandboxSize) -> SandboxUsage | None:
        """Return the usage; None where the engine has no figures (it does not run)."""
        try:
            used = float(stats["cpu_stats"]["cpu_usage"]["total_usage"])
            whole = float(stats["cpu_stats"]["system_cpu_usage"])
            cores = float(stats["cpu_stats"].get("online_cpus") or 1)
            memory = stats["memory_stats"]
            inner = memory.get("stats", {})
            # What the system would give back at once is no use: cgroup v1 and v2 call it differently.
            cache = inner.get("total_inactive_file", inner.get("inactive_file", 0))
            held = max(0, int(memory["usage"]) - int(cache))
            processes = int(stats.get("pids_stats", {}).get("current", 0))
        except (KeyError, TypeError, ValueError):
            return None
        cpu = 0.0
        if self._last is not None and whole > self._last[1]:
            cpu = max(0.0, (used - self._last[0]) / (whole - self._last[1]) * cores)
        self._last = (used, whole)
        return SandboxUsage(
            cpu=cpu,
            memory=held,
            processes=processes,
            disk=self.disk,
            cpu_limit=size.cpus,
            memory_limit=size.memory,
            disk_limit=size.disk,
        )
