"""Noticing that something changed in a project's folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from vibedesk.engine.files.ignore_rules import NEVER_ENTERED, TEMPORARY_PREFIX

_DEBOUNCE_MILLISECONDS = 400
_STEP_MILLISECONDS = 50


async def watch_folder(folder: Path, stop: asyncio.Event | None = None) -> AsyncIterator[set[str]]:
    """Yield the project paths in which something happened, once a burst of changes is over.

    The first set is empty and comes when the folder is watched: nobody was told of what happened before. Our own
    temporary files and folders that only tools write are left out. Ends when `stop` is set or the task is cancelled;
    `folder` must exist.
    """
    root = await asyncio.to_thread(folder.resolve)

    def wanted(_change: Change, path: str) -> bool:
        parts = Path(path).relative_to(root).parts
        return not any(part in NEVER_ENTERED or part.startswith(TEMPORARY_PREFIX) for part in parts)

    watching = awatch(
        root,
        watch_filter=wanted,
        debounce=_DEBOUNCE_MILLISECONDS,
        step=_STEP_MILLISECONDS,
        stop_event=stop,
    )
    async with aclosing(watching):
        coming = asyncio.ensure_future(anext(watching, None))
        try:
            await asyncio.sleep(0)  # its first step watches the folder
            yield set()
            changes = await coming
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        while changes is not None:
            yield {Path(path).relative_to(root).as_posix() for _, path in changes}
            changes = await anext(watching, None)
