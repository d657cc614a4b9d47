"""Versions kept in git: taken, listed, restored."""

from __future__ import annotations

import asyncio

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import SnapshotCreated
from vibedesk.engine.files.history import History, KeptVersion
from vibedesk.engine.views import VersionView


class Snapshots:
    """The history of one project. git works on a worker thread; what it means for the document is one commit.

    Args:
        access: The project.
        runtime: Knows where its folder is now.
    """

    def __init__(self, access: ProjectAccess, runtime: AppRuntime) -> None:
        self._access = access
        self._runtime = runtime

    async def take(self, label: str, *, author: str, advance_main: bool = False) -> VersionView:
        """Keep the finished files as they are and tell it; where nothing changed, return the newest version."""
        history = self._history()
        newest = await asyncio.to_thread(_newest, history)
        kept = await asyncio.to_thread(history.snapshot, label, author, advance_main=advance_main)
        if newest is None or kept.commit != newest.commit:
            created = SnapshotCreated(kept.commit, kept.label, kept.author)
            await self._access.bus.emit(self._access.project_id, created)
        return version_view(kept)

    async def versions(self) -> list[VersionView]:
        """Return the kept versions, newest first."""
        return [version_view(kept) for kept in await asyncio.to_thread(self._history().versions)]

    async def restore(self, commit: str) -> VersionView:
        """Bring a version's files back into the document and return the version that this adds.

        What was there before is kept as a version first.
        """
        history = self._history()
        before = {kept.commit for kept in await asyncio.to_thread(history.versions)}

        def bring_back(emit: Emit) -> None:
            with telling_changes(self._access.files, emit):
                history.restore(commit)

        await self._access.commit(bring_back, durable=True)
        versions = await asyncio.to_thread(history.versions)
        made = [kept for kept in reversed(versions) if kept.commit not in before]
        created = [SnapshotCreated(kept.commit, kept.label, kept.author) for kept in made]
        await self._access.bus.emit(self._access.project_id, *created)
        return version_view(versions[0])

    def _history(self) -> History:
        access = self._access
        return History(access.database, access.project_id, access.files, self._runtime.folder)


def version_view(kept: KeptVersion) -> VersionView:
    return VersionView(
        commit=kept.commit,
        label=kept.label,
        author=kept.author,
        at=kept.at,
        files_changed=kept.files_changed,
    )


def _newest(history: History) -> KeptVersion | None:
    return next(iter(history.versions()), None)
