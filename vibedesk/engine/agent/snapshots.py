"""Versions kept in git: taken, listed, compared, restored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import TypeVar

from vibedesk.base.aio import TaskScope, finish
from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import SnapshotCreated
from vibedesk.engine.files.authorship import is_persons
from vibedesk.engine.files.git_repository import FileDifference
from vibedesk.engine.files.history import History, KeptVersion
from vibedesk.engine.files.stored_document import FileChange
from vibedesk.engine.views import FileDiffView, VersionDiffView, VersionView

_log = logging.getLogger(__name__)

T = TypeVar("T")

QUIET_SECONDS = 30.0
"""How long the person must not have changed anything before their edits are kept as a version."""
_MOST_DIFF_CHARACTERS = 400_000


class Snapshots:
    """The history of one project. git works on a worker thread; what it means for the document is one commit.

    What the person edits becomes a version of theirs after a quiet time, and before the agent's next one.

    Args:
        access: The project.
        runtime: Knows where its folder is now.
    """

    def __init__(self, access: ProjectAccess, runtime: AppRuntime) -> None:
        self.quiet_seconds = QUIET_SECONDS
        self._access = access
        self._runtime = runtime
        self._lock = asyncio.Lock()
        self._scope = TaskScope(f"snapshots {access.project_id}")
        self._loop = asyncio.get_running_loop()
        self._quiet: asyncio.TimerHandle | None = None
        self._unsubscribe = access.files.on_change(self._on_change)
        runtime.undo.with_history = self.with_history

    async def take(
        self, label: str, *, author: str, advance_main: bool = False, named: bool = False
    ) -> VersionView:
        """Keep the finished files as they are and tell it; where nothing changed, return the newest version.

        Args:
            label: What people read in the history.
            author: agent, fix or you.
            advance_main: Let the folder's branch `main` follow, as after a phase.
            named: Add a version also where nothing changed.
        """
        if author != "you":
            await self.keep_persons()

        def work(history: History) -> KeptVersion:
            return history.snapshot(label, author, advance_main=advance_main, named=named)

        return (await self._making(work))[0]

    async def keep_persons(self) -> None:
        """Keep what only the person changed since the last version as one of theirs, if there is anything."""
        self._stop_timer()
        await self._making(lambda history: history.snapshot_of_person())

    async def versions(self) -> list[VersionView]:
        """Return the kept versions, newest first."""
        return [version_view(kept) for kept in await asyncio.to_thread(self._history().versions)]

    async def find(self, commit: str) -> VersionView:
        """Return a kept version.

        Raises:
            NotFoundError, InvalidInputError: `commit` names no version, or several.
        """
        return version_view(await asyncio.to_thread(self._history().version, commit))

    async def restore(self, commit: str, also: Callable[[Collection[str]], None]) -> VersionView:
        """Bring a version's files back into the document and return the version that this adds.

        What was there before is kept as a version first. Files that are half written are dropped.

        Args:
            commit: Which version.
            also: Called with the paths that changed, in the transaction that changes them.
        """
        return await self._restored(lambda history: history.restore(commit), also)

    async def restore_file(self, commit: str, path: str) -> VersionView:
        """Bring one file of a version back, as `restore` does."""
        return await self._restored(lambda history: history.restore_file(commit, path))

    async def aclose(self) -> None:
        """Keep edits that are not kept yet, and follow no more."""
        pending = self._quiet is not None
        self._stop_timer()
        await self._access.read(self._unsubscribe)
        await self._scope.aclose()
        if pending:
            await self._keep_quietly()

    async def with_history(self, change: Callable[[History, Emit], T]) -> T:
        """Change the document and add versions in one transaction, on the store's thread; return what `change` does.

        What the person edited before is kept as theirs first. Versions are told also where the change fails.
        """
        await self.keep_persons()

        async def work() -> T:
            history = self._history()
            before = {kept.commit for kept in await asyncio.to_thread(history.versions)}
            try:
                return await self._access.commit(lambda emit: change(history, emit), durable=True)
            finally:
                versions = await asyncio.to_thread(history.versions)
                await self._tell([kept for kept in reversed(versions) if kept.commit not in before])

        async with self._lock:
            return await finish(work())

    # -- inside -----------------------------------------------------------------------------------
    async def _restored(
        self,
        bring_back: Callable[[History], int],
        also: Callable[[Collection[str]], None] | None = None,
    ) -> VersionView:
        def change(history: History, emit: Emit) -> KeptVersion:
            files = self._access.files
            before = files.version
            if also is not None:
                # Beside a whole version nobody goes on with half a file: the version has it, or has it not.
                for draft in self._access.drafts.list():
                    self._access.drop_draft(draft.path, emit)
            with telling_changes(files, emit):
                after = bring_back(history)
            if also is not None:
                also(files.stored.log.changed_paths(before, after))
            return history.versions()[0]

        with timed(self._access, "restore"):
            return version_view(await self.with_history(change))

    async def _making(self, make: Callable[[History], KeptVersion | None]) -> list[VersionView]:
        """Run `make` on a worker thread and tell the version that it added."""

        async def work() -> list[VersionView]:
            history = self._history()
            newest = await asyncio.to_thread(_newest, history)
            with timed(self._access, "snapshot"):
                kept = await asyncio.to_thread(make, history)
            if kept is None:
                return []
            if newest is None or kept.commit != newest.commit:
                await self._tell([kept])
            return [version_view(kept)]

        async with self._lock:
            return await finish(work())

    async def _tell(self, made: list[KeptVersion]) -> None:
        created = [SnapshotCreated(kept.commit, kept.label, kept.author) for kept in made]
        if created:
            await self._access.bus.emit(self._access.project_id, *created)

    def _history(self) -> History:
        access = self._access
        return History(access.database, access.project_id, access.files, self._runtime.folder)

    # -- the person's edits -----------------------------------------------------------------------
    def _on_change(self, change: FileChange) -> None:
        # On the store's thread, inside the transaction.
        if is_persons(change.path, change.origin):
            self._loop.call_soon_threadsafe(self._start_timer)

    def _start_timer(self) -> None:
        self._stop_timer()
        self._quiet = self._loop.call_later(self.quiet_seconds, self._keep_soon)

    def _stop_timer(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None

    def _keep_soon(self) -> None:
        self._quiet = None
        self._scope.start(self._keep_quietly(), name="keep edits")

    async def _keep_quietly(self) -> None:
        try:
            await self.keep_persons()
        except VibeDeskError:
            # They are in the document, and the next version has them.
            _log.exception("edits in %s were not kept as a version", self._access.project_id)


def version_view(kept: KeptVersion) -> VersionView:
    return VersionView(
        commit=kept.commit,
        label=kept.label,
        author=kept.author,
        at=kept.at,
        files_changed=kept.files_changed,
    )


def version_diff(history: History, commit: str, against: str) -> VersionDiffView:
    """Return what a version changed (`against` parent) or what has changed since it (`against` now). Blocks.

    Raises:
        NotFoundError: there is no such version.
    """
    kept = history.version(commit)
    found = (
        history.differences_since(kept.commit)
        if against == "now"
        else history.differences(kept.commit)
    )
    return VersionDiffView(kept.commit, against, tuple(map(_file_diff, found)))


def _file_diff(difference: FileDifference) -> FileDiffView:
    _, mark, rest = difference.patch.partition("\n@@ ")
    hunks = f"@@ {rest}" if mark else ""
    lines = hunks.split("\n")
    return FileDiffView(
        path=difference.path,
        status=difference.status,
        additions=sum(line.startswith("+") for line in lines),
        deletions=sum(line.startswith("-") for line in lines),
        hunks=hunks if len(hunks) <= _MOST_DIFF_CHARACTERS else "",
        binary=difference.binary,
    )


def _newest(history: History) -> KeptVersion | None:
    return next(iter(history.versions()), None)
