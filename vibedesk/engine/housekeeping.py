"""Lets go, once a day, of what nobody uses any more: by age, and never a project."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from vibedesk.base.clock import iso
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.base.text import readable_bytes
from vibedesk.engine.project_sandboxes import ProjectSandboxes
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.keeping import (
    blobs_of_files,
    blobs_of_versions,
    drop_old_rows,
    empty_deleted_projects,
    projects_with_code,
)
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.views import StoredView

_log = logging.getLogger(__name__)

T = TypeVar("T")

DAYS_SETTING = "housekeeping.days"
"""After so many days without use things go."""
KEPT_DAYS = 30
_DONE_SETTING = "housekeeping.done_on"
_LOOK_SECONDS = 3600.0
_AFTER_START_SECONDS = 20.0
_DAY_SECONDS = 86_400.0
_TEMPORARY = ("*.tmp", "vibedesk.db.v*.backup")


class Housekeeping:
    """What one home keeps beside its projects.

    Args:
        home: Where it is.
        database: Of the home.
        store: Its projects and settings.
        sandboxes: Know what is kept for them.
    """

    def __init__(
        self, home: Home, database: Database, store: ProjectStore, sandboxes: ProjectSandboxes
    ) -> None:
        self._home = home
        self._database = database
        self._store = store
        self._sandboxes = sandboxes

    async def run_daily(self) -> None:
        """Clean when it is due, at the start and once a day, until cancelled."""
        await asyncio.sleep(_AFTER_START_SECONDS)
        while True:
            try:
                await self._clean_when_due()
            except VibeDeskError as error:
                _log.warning("house-keeping was not done: %s", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def clean(self, days: int) -> int:
        """Let go what was not used for so many days; return the bytes on disk that became free.

        The database gives its room back to itself: its file stays as large as it is.
        """
        before = iso(datetime.now(UTC) - timedelta(days=days))
        await self._database.run(lambda: drop_old_rows(before))
        await self._database.run(lambda: empty_deleted_projects(before))
        freed = await asyncio.to_thread(_remove_old, self._passing_files(), days)
        freed += await self._remove_blobs(days)
        return freed + await self._sandboxes.clean(days)

    async def stored(self) -> list[StoredView]:
        """Return what is kept, with sizes: for sandboxes, and in the home's folders."""
        folders = await asyncio.to_thread(self._folders)
        return [*await self._sandboxes.kept(), *folders]

    async def _clean_when_due(self) -> None:
        today = datetime.now(UTC).date().isoformat()

        def look() -> tuple[str, object]:
            return (
                self._store.setting(_DONE_SETTING, ""),
                self._store.setting(DAYS_SETTING, KEPT_DAYS),
            )

        done, days = await self._read(look)
        if done == today:
            return
        kept_days = days if isinstance(days, int) and days > 0 else KEPT_DAYS
        freed = await self.clean(kept_days)
        _log.info("house-keeping: %s became free", readable_bytes(freed))
        await self._database.run(lambda: self._store.set_setting(_DONE_SETTING, today))

    def _passing_files(self) -> Iterator[Path]:
        """Yield files that only time makes superfluous: old logs, copies from before a migration, half-written ones."""
        yield from self._home.logs.glob("*.log.*")
        for pattern in _TEMPORARY:
            yield from self._home.root.glob(pattern)

    async def _remove_blobs(self, days: int) -> int:
        """Remove binary content that no version of any project has."""
        old = await asyncio.to_thread(_old_files, self._home.blobs, days)
        if not old:
            return 0
        used = await self._read(blobs_of_files)
        if any(path.name not in used for path in old):
            for project_id in await self._read(projects_with_code):
                used |= await self._read(lambda of=project_id: blobs_of_versions(of))  # type: ignore[misc]
        return await asyncio.to_thread(
            _remove_old, (path for path in old if path.name not in used), days
        )

    def _folders(self) -> list[StoredView]:
        home = self._home
        places = {
            "database": [home.database, *home.root.glob(f"{home.database.name}-*")],
            "backups": list(home.root.glob("vibedesk.db.v*.backup")),
            "logs": [home.logs],
            "blobs": [home.blobs],
            "cache": [home.cache],
            "browser": [home.browser_profiles],
            "trash": [home.root / "trash"],
        }
        found = []
        for kind, paths in places.items():
            files = [file for path in paths for file in _files(path)]
            if size := sum(size for size, _ in files):
                newest = max(changed for _, changed in files)
                used = iso(datetime.fromtimestamp(newest, UTC))
                in_use = kind in ("database", "blobs")
                found.append(StoredView(kind, str(paths[0]), size, used, in_use))
        return found

    async def _read(self, work: Callable[[], T]) -> T:
        return await self._database.run(work, durable=False)


def _files(path: Path) -> Iterator[tuple[int, float]]:
    """Yield (bytes, time of the last change) of every file at or below `path`."""
    for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
        with suppress(OSError):
            facts = file.lstat()
            if not file.is_dir():
                yield facts.st_size, facts.st_mtime


def _old_files(folder: Path, days: int) -> list[Path]:
    end = time.time() - days * _DAY_SECONDS
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime < end]


def _remove_old(paths: Iterator[Path], days: int) -> int:
    """Remove the files that were not changed for so many days; return their bytes."""
    end = time.time() - days * _DAY_SECONDS
    freed = 0
    for path in list(paths):
        with suppress(OSError):
            facts = path.stat()
            if facts.st_mtime < end:
                path.unlink()
                freed += facts.st_size
    return freed
