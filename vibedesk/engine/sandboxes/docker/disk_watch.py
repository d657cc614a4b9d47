"""Notices within a moment that an app writes more than it may, where the engine's disk knows no quotas."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from vibedesk.base.text import readable_bytes
from vibedesk.engine.sandboxes.docker.docker_sandbox import DockerSandbox
from vibedesk.engine.sandboxes.docker.keeper import DiskSpace, Keeper
from vibedesk.engine.sandboxes.sizes import GIB

_LEAST_FREE = GIB
_SMALL_CHANGE_BYTES = 32 * 1024 * 1024
_SMALL_CHANGE_ENTRIES = 8_000
_MEASURE_SECONDS = 20.0
_LONG_SECONDS = 0.5
_LEAST_PART = 50


class DiskWatch:
    """Looks at the disk's free space often, and at the sandboxes' files when that changes.

    Args:
        keeper: Measures.
        least_free: Bytes that apps must leave free on the engine's disk; else it depends on the disk.
    """

    def __init__(self, keeper: Keeper, *, least_free: int | None = None) -> None:
        self._keeper = keeper
        self._least_free = least_free
        self._then = DiskSpace(free=0, total=0, entries=0)
        self._measured_at = self._rest_until = 0.0
        self._measured: frozenset[str] = frozenset()
        self._floor: int | None = None

    async def look(self, awake: Collection[DockerSandbox]) -> None:
        """Look once; call it often while sandboxes are awake."""
        space = await self._keeper.space()
        if self._sank(space):
            for sandbox in awake:
                sandbox.end_because(
                    f"Docker's disk is nearly full: {readable_bytes(space.free)} are left. The app was "
                    "stopped before it fills it. Your files are safe; free some space, then start it again.",
                )
        elif self._is_time(space, awake):
            loop = asyncio.get_running_loop()
            self._then, self._measured_at = space, loop.time()
            await self._measure(awake)
            took = loop.time() - self._measured_at
            self._rest_until = loop.time() + (took if took > _LONG_SECONDS else 0.0)

    def _is_time(self, space: DiskSpace, awake: Collection[DockerSandbox]) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._rest_until:
            return False  # an app with a million files must not keep the machine busy with counting them
        late = now - self._measured_at > _MEASURE_SECONDS
        unknown = not self._measured.issuperset(sandbox.key for sandbox in awake)
        near = any(s.disk_used > s.size.disk - 2 * _SMALL_CHANGE_BYTES for s in awake)
        change = abs(self._then.free - space.free)
        entries = abs(self._then.entries - space.entries)
        return (
            late
            or unknown
            or change > (0 if near else _SMALL_CHANGE_BYTES)
            or entries > (0 if near else _SMALL_CHANGE_ENTRIES)
        )

    async def _measure(self, sandboxes: Collection[DockerSandbox]) -> None:
        found = await self._keeper.sandbox_bytes([s.key for s in sandboxes])
        self._measured = frozenset(found)
        for sandbox in sandboxes:
            used = found.get(sandbox.key, 0)
            sandbox.note_disk(used)
            if used > sandbox.size.disk:
                sandbox.end_because(
                    f"The app filled its disk: more than {readable_bytes(sandbox.size.disk)}. Your files are "
                    "safe; rebuild the sandbox to empty it.",
                )

    def _sank(self, space: DiskSpace) -> bool:
        """Whether the disk became nearly full since the last look.

        Files that an app deleted and holds open are in nobody's folder, so measuring does not find them. A disk that
        was full before is none of the apps' doing; of what is left there they may take half.
        """
        least = self._least_free or min(_LEAST_FREE, space.total // _LEAST_PART)
        floor, self._floor = self._floor, least
        if space.free >= least:
            return False
        if floor is None or space.free < floor:
            self._floor = space.free // 2
            return floor is not None
        self._floor = floor
        return False
