"""Notices within a moment that an app writes more than it may, where the engine's disk knows no quotas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

from vibedesk.base.aio import TaskScope
from vibedesk.base.text import readable_bytes
from vibedesk.engine.sandboxes.docker.docker_sandbox import DockerSandbox
from vibedesk.engine.sandboxes.docker.keeper import DiskSpace, Keeper
from vibedesk.engine.sandboxes.driver import SandboxError
from vibedesk.engine.sandboxes.sizes import GIB

_log = logging.getLogger(__name__)

_LEAST_FREE = GIB
_SMALL_CHANGE = 32 * 1024 * 1024
_NEAR = 2 * _SMALL_CHANGE
_ENTRY_BYTES = 4096  # what one counts at least
_MEASURE_SECONDS = 20.0
_FAILED_SECONDS = 2.0
_LEAST_PART = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How one sandbox's files were counted."""

    space: DiskSpace
    """The disk's when it began."""
    began: float
    took: float
    used: int | None
    """Bytes; None where they could not be counted."""

    def is_old(self, space: DiskSpace, limit: int, now: float) -> bool:
        """Whether they are to be counted again.

        The disk tells what was written since, by all programs together; it misses what others freed meanwhile. So a
        sandbox near its limit is counted whenever something changed. One that is far from it, and cannot have come
        there, rests as long as its count took: a million files must not keep the machine busy.
        """
        rested = now - self.began - self.took
        if self.used is None:
            return rested > _FAILED_SECONDS
        left = limit - self.used
        entries = self.space.entries - space.entries
        written = self.space.free - space.free + _ENTRY_BYTES * entries
        if written > left:
            return True
        outdated = now - self.began > _MEASURE_SECONDS
        if left < _NEAR:
            return outdated or written != 0
        return rested >= self.took and (outdated or abs(written) > _SMALL_CHANGE)


class DiskWatch:
    """Looks at the disk's free space often, and at each sandbox's files when that changes.

    On a machine that is idle else, a sandbox over its limit is ended within 2 s where it has up to some 150,000 files of
    its own; to count more takes longer, and it may begin to write just after it was counted. The engine's disk is looked
    at meanwhile.

    Args:
        keeper: Measures.
        least_free: Bytes that apps must leave free on the engine's disk; else it depends on the disk.
    """

    def __init__(self, keeper: Keeper, *, least_free: int | None = None) -> None:
        self._keeper = keeper
        self._least_free = least_free
        self._counts: dict[str, Count] = {}
        self._counting: set[str] = set()
        self._floor: int | None = None
        self._scope = TaskScope("disk watch")

    async def look(self, awake: Collection[DockerSandbox]) -> None:
        """Look once; call it often while sandboxes are awake. It does not wait for files to be counted.

        Raises:
            SandboxError: the keeper does not answer.
        """
        space = await self._keeper.space()
        if self._sank(space):
            for sandbox in awake:
                sandbox.end_because(
                    f"Docker's disk is nearly full: {readable_bytes(space.free)} are left. The app was "
                    "stopped before it fills it. Your files are safe; free some space, then start it again.",
                )
            return
        known = {sandbox.key for sandbox in awake}
        self._counts = {key: count for key, count in self._counts.items() if key in known}
        now = asyncio.get_running_loop().time()
        for sandbox in awake:
            last = self._counts.get(sandbox.key)
            old = last is None or last.is_old(space, sandbox.size.disk, now)
            if old and sandbox.key not in self._counting:
                self._counting.add(sandbox.key)
                self._scope.start(self._count(sandbox, space), name=f"count {sandbox.key}")

    async def aclose(self) -> None:
        await self._scope.aclose()

    async def _count(self, sandbox: DockerSandbox, space: DiskSpace) -> None:
        key, loop = sandbox.key, asyncio.get_running_loop()
        began = loop.time()
        used: int | None = None
        try:
            used = await self._keeper.sandbox_bytes(key)
        except SandboxError as error:
            last = self._counts.get(key)
            if last is None or last.used is not None:
                _log.info("the files of sandbox %s could not be counted: %s", key, error.message)
            return
        finally:
            self._counting.remove(key)
            took = loop.time() - began
            self._counts[key] = Count(space=space, began=began, took=took, used=used)
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
