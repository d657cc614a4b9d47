"""Taking away what is given up of a home's sandboxes; what Docker does not let go is tried again later."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container

from vibedesk.base.aio import TaskScope
from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.keeper import Keeper
from vibedesk.engine.sandboxes.driver import SandboxEngineDownError, SandboxError

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 60.0  # Docker may take minutes for each thing that it cannot remove


class Removals:
    """Removes sandboxes of one home by their keys: containers, volumes and, where wanted, files.

    A key is removed by one task at a time, which goes on whoever stops waiting for it; so whoever waits for `finish`
    of a key may use it again.

    Args:
        connection: The engine.
        keeper: Of the home's files; it must run where files are to go.
        owner: The home's id.
    """

    def __init__(self, connection: DockerConnection, keeper: Keeper, owner: str) -> None:
        self._connection = connection
        self._keeper = keeper
        self._owner = owner
        self._scope = TaskScope("docker removals")
        self._left: dict[str, bool] = {}
        self._removing: dict[str, asyncio.Task[None]] = {}
        self._retrying: asyncio.Task[None] | None = None
        self._retry_at = 0.0

    def add(self, key: str, *, with_files: bool) -> None:
        """Let a sandbox be removed by the next `finish` or `retry`."""
        self._left[key] = with_files or self._left.get(key, False)

    async def finish(self, key: str) -> None:
        """Return when nothing is left to be removed of this sandbox.

        Raises:
            SandboxError: it could not be removed. That is tried again later.
        """
        while key in self._left:
            task = self._removing.get(key)
            if task is None or task.done():
                work = self._remove(key, with_files=self._left[key])
                task = self._removing[key] = self._scope.start(work, name=key)
            await asyncio.shield(task)

    async def finish_all(self) -> None:
        """Remove all that is left, one after the other; what cannot be removed is logged and stays for later."""
        for key in list(self._left):
            try:
                await self.finish(key)
            except SandboxError as error:
                _log.warning("sandbox %s could not be removed: %s", key, error.message)
                self._retry_at = self._now() + _RETRY_SECONDS
                if isinstance(error, SandboxEngineDownError):
                    return

    def retry(self, *, at_once: bool) -> None:
        """Begin `finish_all` beside everything else, if it does not run.

        Args:
            at_once: Also if something could not be removed a moment ago.
        """
        due = at_once or self._now() >= self._retry_at
        if self._left and due and (self._retrying is None or self._retrying.done()):
            self._retrying = self._scope.start(self.finish_all(), name="all")

    async def aclose(self) -> None:
        """Wait no longer for what is being removed."""
        await self._scope.aclose()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _remove(self, key: str, *, with_files: bool) -> None:
        def remove(client: Any) -> None:
            for container in containers.containers_of(client, self._owner, key):
                remove_container(container)
            for name in containers.volume_names(self._owner, key):
                with contextlib.suppress(NotFound):
                    volume = client.volumes.get(name)
                    if containers.is_ours(volume, self._owner):
                        volume.remove()

        try:
            await self._connection.call(remove)
            if with_files:
                await self._keeper.remove_sandbox(key)
            if self._left[key] is with_files:  # else its files are to go as well by now
                del self._left[key]
        finally:
            self._removing.pop(key, None)


def remove_container(container: Container) -> None:
    """Remove a container, running or not. Blocking."""
    with contextlib.suppress(NotFound):
        container.remove(force=True)
