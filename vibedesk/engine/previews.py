"""Previews that are being opened: found again by their project, so that whoever stops it stops them, too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Previews:
    """The tasks that open previews, by project. All methods run on the engine's loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, set[asyncio.Task[Any]]] = {}

    @property
    def projects(self) -> list[str]:
        """The projects whose preview is being opened."""
        return [project_id for project_id in self._tasks if self.opening(project_id)]

    def opening(self, project_id: str) -> bool:
        return bool(self._tasks.get(project_id))

    def start(self, project_id: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin to open a preview; the task is cancelled by `stop`."""
        task = asyncio.create_task(work, name=f"preview {project_id}")
        tasks = self._tasks.setdefault(project_id, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def stop(self, project_id: str) -> None:
        """Cancel what opens the project's preview, and wait until it has ended."""
        tasks = list(self._tasks.pop(project_id, ()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def aclose(self) -> None:
        await asyncio.gather(*map(self.stop, list(self._tasks)))
