"""One project's document and its log, kept in step. Used on the database's owner thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from pycrdt import merge_updates

from vibedesk.base.errors import (
    InvalidInputError,
    NotAllowedNowError,
    NotFoundError,
    StorageError,
)
from vibedesk.engine.files.document import DocumentChange, ProjectDocument
from vibedesk.engine.store.code_log import CodeLog
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.file_marks import FileMarks

_log = logging.getLogger(__name__)

_LEAST_SNAPSHOT_BYTES = 10 * 1024
_NOTHING = (b"", b"\x00\x00")
_MODELS = frozenset({"agent", "fix"})


class LockedFileError(NotAllowedNowError):
    """A model's change touches a file that the person locked."""

    code = "locked"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file differs since `version`; `new_path` is set when it was renamed."""

    kind: Literal["changed", "renamed", "deleted"]
    path: str
    version: int
    origin: str
    new_path: str | None = None


Subscriber = Callable[[FileChange], None]


class StoredDocument:
    """The document as it is stored, held open from the first use until `release`."""

    def __init__(self, database: Database, project_id: str) -> None:
        self.log = CodeLog(project_id)
        self.marks = FileMarks(project_id)
        self._database = database
        self._document: ProjectDocument | None = None
        self._version = 0
        self._log_bytes = 0
        self._snapshot_bytes = 0
        self._compacting = False
        self._subscribers: list[Subscriber] = []

    # ---- reading ------------------------------------------------------------------------

    def current(self) -> ProjectDocument:
        """Return the document at the newest stored version."""
        head = self.log.head()
        if self._document is None or self._version != head:
            self._document = ProjectDocument(self.log.load(head))
            self._version = head
            self._log_bytes, self._snapshot_bytes = self.log.sizes(head)
        return self._document

    def at(self, version: int) -> ProjectDocument:
        """Build the document of any version.

        Raises:
            NotFoundError: there is no such version.
        """
        if not 0 <= version <= self.log.head():
            raise NotFoundError(f"The code has no version {version}.")
        return ProjectDocument(self.log.load(version))

    def release(self) -> None:
        """Let the document go from memory; the next use loads it again."""
        self._document = None

    # ---- changing -----------------------------------------------------------------------

    @contextmanager
    def changing(
        self, origin: str, differences: Mapping[str, str] | None = None
    ) -> Iterator[ProjectDocument]:
        """Change the document and store what changed, in the running transaction.

        Args:
            origin: Who changes it: agent, fix, user, disk, restore.
            differences: By path, what to remember as the file's last difference.

        Raises:
            LockedFileError: a model (agent, fix) changes a file that the person locked; nothing changed.
        """
        document = self.current()
        self._database.after_rollback(self.release)
        try:
            with document.changing(origin) as change:
                yield document
            self._store(document, change, origin, differences or {})
        except BaseException:
            # A CRDT cannot step back: what is in memory is no longer what is stored.
            self.release()
            raise

    def apply_update(self, update: bytes, origin: str) -> list[str]:
        """Take in what a replica did, and return the paths that changed.

        Raises:
            InvalidInputError: it is no update, or it makes a path that may not be; nothing changed.
        """
        document = self.current()
        self._database.after_rollback(self.release)
        try:
            change = document.apply_update(update, origin)
            self._store(document, change, origin, {})
            return change.paths
        except BaseException as error:
            self.release()
            if type(error).__name__ == "PanicException":  # pycrdt's, and no Exception
                raise InvalidInputError(
                    "A change from the editor could not be read.", remedy="Open the file again."
                ) from error
            raise

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Have every change told inside its transaction; call what is returned to stop."""
        self._subscribers.append(subscriber)

        def stop() -> None:
            with suppress(ValueError):
                self._subscribers.remove(subscriber)

        return stop

    def _store(
        self,
        document: ProjectDocument,
        change: DocumentChange,
        origin: str,
        differences: Mapping[str, str],
    ) -> None:
        updates = [update for update in change.updates if update not in _NOTHING]
        if not updates:
            return
        if origin in _MODELS:
            self._refuse_locked(change)
        data = updates[0] if len(updates) == 1 else merge_updates(*updates)
        version = self._version + 1
        self.log.append(version, origin, change.paths, data)
        for path, new_path in change.renamed.items():
            self.log.move_file(path, new_path)
            self.marks.move(path, new_path)
        for path in change.deleted:
            self.log.drop_file(path)
            self.marks.drop(path)
        for path in change.changed:
            self.log.put_file(
                path,
                size=document.size(path),
                diff=differences.get(path),
                blob=document.digest(path),
            )
        self._version = version
        self._log_bytes += len(data)
        self._compact_when_due()
        self._tell(change, version, origin)

    def _refuse_locked(self, change: DocumentChange) -> None:
        locked = self.marks.locked(change.paths)
        if locked:
            raise LockedFileError(
                f"{locked[0]} is locked.",
                remedy="Unlock it in the files panel, then ask again.",
                details={"path": locked[0]},
            )

    def _tell(self, change: DocumentChange, version: int, origin: str) -> None:
        told = [
            *(FileChange("deleted", path, version, origin) for path in sorted(change.deleted)),
            *(
                FileChange("renamed", path, version, origin, new_path)
                for path, new_path in sorted(change.renamed.items())
            ),
            *(FileChange("changed", path, version, origin) for path in sorted(change.changed)),
        ]
        for subscriber in tuple(self._subscribers):
            for one in told:
                subscriber(one)

    # ---- compacting ---------------------------------------------------------------------

    def _compact_when_due(self) -> None:
        due = self._log_bytes > max(_LEAST_SNAPSHOT_BYTES, self._snapshot_bytes)
        if due and not self._compacting:
            self._compacting = True
            self._database.after_commit(self._hand_in_compaction)
            self._database.after_rollback(self._compaction_over)

    def _hand_in_compaction(self) -> None:
        try:
            future = self._database.submit(self._compact, durable=False)
        except StorageError:
            self._compacting = False  # closing: it is due again after the next change
        else:
            future.add_done_callback(self._on_compacted)

    def _compact(self) -> None:
        document = self.current()
        if self._log_bytes > max(_LEAST_SNAPSHOT_BYTES, self._snapshot_bytes):
            state = document.state()
            self.log.add_snapshot(self._version, state)
            self._log_bytes, self._snapshot_bytes = 0, len(state)
            self._database.after_rollback(self.release)

    def _on_compacted(self, future: Future[None]) -> None:
        self._compaction_over()
        if (error := future.exception()) is not None:
            _log.warning("could not compact the code of %s: %s", self.log.project_id, error)

    def _compaction_over(self) -> None:
        self._compacting = False
