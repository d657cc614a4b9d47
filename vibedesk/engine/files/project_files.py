"""The files of one project: read, write, rename, and every version there ever was.

Methods may be called from any thread; off the database's owner thread they block until it has done the work. On it
(inside `await database.run(files.write, …)`) they join the running transaction.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.engine.files.authorship import is_persons
from vibedesk.engine.files.blobs import BlobStore
from vibedesk.engine.files.document import ProjectDocument
from vibedesk.engine.files.path_index import checked_path
from vibedesk.engine.files.stored_document import StoredDocument, Subscriber
from vibedesk.engine.files.text_diff import apply_text_edits, merged_edits, unified_diff
from vibedesk.engine.scof.edits import apply_edits
from vibedesk.engine.store.code_log import CodeUpdate
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.file_marks import FileMark
from vibedesk.engine.store.tables import DraftRow

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FilesAt(Mapping[str, str]):
    """The files of one version: a mapping from path to text, and the binary files' digests beside it."""

    version: int
    texts: Mapping[str, str]
    blobs: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, path: str) -> str:
        return self.texts[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


class ProjectFiles:
    """One project's files.

    Args:
        database: Where they are stored.
        project_id: Whose they are; the project need not have any yet.
        blobs: Where binary content is kept; beside the database by default.
    """

    def __init__(
        self, database: Database, project_id: str, *, blobs: BlobStore | None = None
    ) -> None:
        self.project_id = project_id
        self.database = database
        self.blobs = blobs or BlobStore(database.path.parent / "blobs")
        self.stored = StoredDocument(database, project_id)

    # ---- reading ------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The newest version; it grows by one with every change."""
        return self.database.call(self.stored.log.head)

    def read(self, path: str) -> str:
        """Return the text at `path`.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: it is a binary file.
        """
        return self.database.call(lambda: self.stored.current().text(checked_path(path)))

    def read_binary(self, path: str) -> bytes:
        """Return the bytes of any file; a text's in UTF-8."""
        return self.database.call(self._read_binary, checked_path(path))

    def exists(self, path: str) -> bool:
        return self.database.call(lambda: path in self.stored.current())

    def list(self) -> builtins.list[str]:
        """Return every path in order, files that are still being written included."""
        return self.database.call(lambda: self.stored.current().paths)

    def locked(self, paths: Iterable[str]) -> builtins.list[str]:
        """Return which of some paths the person locked against models."""
        return self.database.call(lambda: self.stored.marks.locked(paths))

    def marks(self) -> dict[str, frozenset[str]]:
        """Return path → what the person said of it: locked, pinned, excluded."""
        return self.database.call(self.stored.marks.all)

    def mark(self, path: str, mark: FileMark, *, on: bool) -> None:
        """Say something of a file, or take it back.

        Raises:
            NotFoundError: there is no such file.
            NotAllowedNowError: a new file that is still being written cannot be locked.
        """
        self.database.call(self._mark, checked_path(path), mark, on)

    def open_paths(self) -> set[str]:
        """Return the new files that are still being written; nothing of them is materialised or committed."""
        return self.database.call(self._open_paths)

    def texts(self) -> dict[str, str]:
        """Return the text of every finished text file by path."""
        return dict(self.closed().texts)

    def closed(self) -> FilesAt:
        """Return every finished file as it is now."""
        return self.database.call(self._closed)

    def at(self, version: int) -> FilesAt:
        """Return the files of any version, exactly as they were.

        Raises:
            NotFoundError: there is no such version.
        """
        return self.database.call(lambda: _files_at(self.stored.at(version), version))

    def without_person(self, version: int) -> dict[str, str]:
        """Return the texts of `version` that the person has changed since, as they would read without that.

        What others changed since then is in them.
        """
        return self.database.call(self._without_person, version)

    # ---- changing -----------------------------------------------------------------------

    def write(self, path: str, text: str, origin: str) -> int:
        """Make the file at `path` read `text`, and return the version.

        A file that exists keeps every character that both texts share, so what others type into it meanwhile
        survives. The same text again is no new version.

        Raises:
            InvalidInputError: no file may be at `path`.
        """
        return self.write_all({path: text}, origin)

    def write_all(
        self,
        texts: Mapping[str, str],
        origin: str,
        *,
        blobs: Mapping[str, bytes] | None = None,
        deleted: Iterator[str] | builtins.list[str] | tuple[str, ...] = (),
    ) -> int:
        """Write (and delete) several files as one version; nothing happens if one of them may not be."""
        clean = {checked_path(path): clean_text(text) for path, text in texts.items()}
        digests = {checked_path(path): self.blobs.put(data) for path, data in (blobs or {}).items()}
        return self.database.call(self._put, clean, digests, builtins.list(deleted), origin)

    def write_binary(self, path: str, data: bytes, origin: str) -> int:
        """Make the file at `path` hold `data`, and return the version."""
        return self.write_all({}, origin, blobs={path: data})

    def write_bytes(self, path: str, data: bytes, origin: str) -> int:
        """Write `data` as a text if it is one (UTF-8 without NUL), else as a binary file; return the version."""
        text = decoded_text(data)
        if text is None:
            return self.write_binary(path, data, origin)
        return self.write(path, text, origin)

    def edit(self, path: str, search: str, replace: str, origin: str) -> int:
        """Replace one passage of a file, as `scof.apply_edits` does, and return the version.

        Raises:
            PatchError: the passage is not there, or more than once; nothing changed.
            NotFoundError: there is no such file (an empty `search` makes one).
        """
        return self.database.call(self._edit, checked_path(path), search, replace, origin)

    def merge(self, path: str, base: str, text: str, origin: str) -> int:
        """Bring into a file what turned `base` into `text`, and return the version.

        What others changed since `base` stays; a file that is gone meanwhile stays gone.
        """
        return self.database.call(self._merge, checked_path(path), base, clean_text(text), origin)

    def delete(self, path: str, origin: str) -> int:
        """Delete a file, or all files of a folder, and return the version; `undelete` brings a file back.

        Raises:
            NotFoundError: there is no such file or folder.
        """
        return self.database.call(self._delete, checked_path(path), origin)

    def undelete(self, path: str, origin: str) -> int:
        """Bring back the file that was last deleted at `path`, with what was typed into it since.

        Raises:
            NotFoundError: none was.
            InvalidInputError: something else is there now.
        """
        return self.database.call(self._undelete, checked_path(path), origin)

    def rename(self, path: str, new_path: str, origin: str) -> int:
        """Give a file or a folder another path and return the version; typing goes on undisturbed.

        Raises:
            NotFoundError: there is no such file or folder.
            InvalidInputError: the new path is taken or may not be; nothing was renamed.
        """
        return self.database.call(self._rename, checked_path(path), checked_path(new_path), origin)

    def replace_all(self, files: FilesAt, origin: str) -> int:
        """Make the project consist of exactly these finished files, and return the version.

        The blobs must be known. Files that are still being written stay as they are.
        """
        return self.database.call(self._replace_all, files, origin)

    # ---- replicas -----------------------------------------------------------------------

    def replay(self, start: int, end: int) -> Iterator[CodeUpdate]:
        """Return (version, at, origin, update) for every change after `start` up to `end`."""
        return iter(self.database.call(lambda: builtins.list(self.stored.log.updates(start, end))))

    def updates_since(self, version: int) -> builtins.list[bytes]:
        """Return what brings a replica that is at `version` (0: an empty one) to now."""
        log = self.stored.log
        return self.database.call(lambda: log.since(version, log.head()))

    def apply_update(self, update: bytes, origin: str) -> int:
        """Take in what a replica did, and return the version; known changes are no new version.

        Raises:
            InvalidInputError: it is no update, or makes a path that may not be; nothing changed.
        """
        return self.apply_update_to(update, origin)[0]

    def apply_update_to(self, update: bytes, origin: str) -> tuple[int, builtins.list[str]]:
        """As `apply_update`; return the version and the paths that changed."""
        return self.database.call(self._apply_update_to, update, origin)

    def on_change(self, subscriber: Subscriber) -> Callable[[], None]:
        """Have every change told, inside its transaction on the owner thread; returns what stops it."""
        return self.stored.subscribe(subscriber)

    def release(self) -> None:
        """Let the document go from memory until it is next needed."""
        self.database.call(self.stored.release)

    # ---- on the owner thread ------------------------------------------------------------

    def _read_binary(self, path: str) -> bytes:
        document = self.stored.current()
        digest = document.digest(path)
        return document.text(path).encode() if digest is None else self.blobs.get(digest)

    def _open_paths(self) -> set[str]:
        document = self.stored.current()
        rows = DraftRow.select(DraftRow.file_id).where(
            (DraftRow.project == self.project_id) & DraftRow.base.is_null()
        )
        return {path for row in rows if (path := document.path_of(row.file_id)) is not None}

    def _mark(self, path: str, mark: FileMark, on: bool) -> None:
        if path not in self.stored.current():
            raise NotFoundError(f"There is no file {path} in the project.", details={"path": path})
        if mark == "locked" and on and path in self._open_paths():
            raise NotAllowedNowError(
                f"{path} is just being written.", remedy="Lock it when it is whole."
            )
        self.stored.marks.set(path, mark, on=on)

    def _closed(self) -> FilesAt:
        document = self.stored.current()
        return _files_at(document, self.stored.log.head(), without=self._open_paths())

    def _without_person(self, version: int) -> dict[str, str]:
        before = self.stored.at(version)
        texts: dict[str, str] = {}
        for path, changes in self.stored.log.changes(version, self.stored.log.head()).items():
            runs = groupby(changes, key=lambda change: is_persons(path, change[1]))
            others = [[number for number, _ in run] for persons, run in runs if not persons]
            if sum(map(len, others)) < len(changes) and before.file_id(path) is not None:
                texts[path] = self._with_runs(path, before.text(path), others)
        return texts

    def _with_runs(self, path: str, text: str, runs: Iterable[Sequence[int]]) -> str:
        """Return a file's text with what came of it in these runs of versions, and in no others."""
        for run in runs:
            old, new = self._text_at(path, run[0] - 1), self._text_at(path, run[-1])
            text = apply_text_edits(text, merged_edits(old, text, new))
        return text

    def _text_at(self, path: str, version: int) -> str:
        """Return a file's text at a version; empty where it had none."""
        document = self.stored.at(version)
        return "" if document.file_id(path) is None else document.text(path)

    def _put(
        self,
        texts: Mapping[str, str],
        digests: Mapping[str, str],
        deleted: builtins.list[str],
        origin: str,
    ) -> int:
        document = self.stored.current()
        differences = {
            path: unified_diff(path, document.text(path) if document.file_id(path) else "", text)
            for path, text in texts.items()
        }
        with self.stored.changing(origin, differences) as document:
            for path in deleted:
                document.delete(path)
            for path, digest in digests.items():
                document.put_blob(path, digest)
            for path, text in texts.items():
                document.put_text(path, text)
        return self.stored.log.head()

    def _edit(self, path: str, search: str, replace: str, origin: str) -> int:
        document = self.stored.current()
        if path not in document and search:
            raise NotFoundError(f"There is no file {path} in the project.", details={"path": path})
        old = document.text(path) if path in document else ""
        return self._put({path: clean_text(apply_edits(old, [(search, replace)]))}, {}, [], origin)

    def _merge(self, path: str, base: str, text: str, origin: str) -> int:
        document = self.stored.current()
        if path not in document and base:
            return self.stored.log.head()
        current = document.text(path) if path in document else ""
        merged = apply_text_edits(current, merged_edits(base, current, text))
        return self._put({path: merged}, {}, [], origin)

    def _undelete(self, path: str, origin: str) -> int:
        log = self.stored.log
        gone = log.last_touch(path)
        before = self.stored.at(gone - 1) if gone else None
        if before is None or path in self.stored.current() or path not in before:
            if path in self.stored.current():
                raise InvalidInputError(f"{path} exists.", remedy="Rename or delete it first.")
            raise NotFoundError(f"No file {path} was deleted.", details={"path": path})
        with self.stored.changing(origin) as document:
            file_id = before.file_id(path)
            if file_id is not None:
                document.revive(path, file_id)
            else:
                document.put_blob(path, before.digest(path) or "")
        return log.head()

    def _delete(self, path: str, origin: str) -> int:
        return self._put({}, {}, self._files_of(path), origin)

    def _rename(self, path: str, new_path: str, origin: str) -> int:
        if path != new_path:
            moves = {old: new_path + old[len(path) :] for old in self._files_of(path)}
            with self.stored.changing(origin) as document:
                for old, new in moves.items():
                    document.rename(old, checked_path(new))
        return self.stored.log.head()

    def _files_of(self, path: str) -> builtins.list[str]:
        """Return the files in a folder; the path itself where it is no folder."""
        inside = [p for p in self.stored.current().paths if p.startswith(f"{path}/")]
        return inside or [path]

    def _replace_all(self, files: FilesAt, origin: str) -> int:
        document = self.stored.current()
        wanted = files.texts.keys() | files.blobs.keys()
        gone = [path for path in document.paths if path not in wanted | self._open_paths()]
        return self._put(files.texts, files.blobs, gone, origin)

    def _apply_update_to(self, update: bytes, origin: str) -> tuple[int, builtins.list[str]]:
        paths = self.stored.apply_update(update, origin)
        return self.stored.log.head(), paths


def clean_text(text: str) -> str:
    """Return `text` with what no UTF-8 can hold (lone surrogates) replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text)
    return text


def decoded_text(data: bytes) -> str | None:
    """Return the text that `data` is in UTF-8; None if it is binary."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _files_at(
    document: ProjectDocument, version: int, *, without: set[str] | None = None
) -> FilesAt:
    paths = [path for path in document.paths if path not in (without or ())]
    return FilesAt(
        version,
        {path: document.text(path) for path in paths if document.file_id(path)},
        {path: digest for path in paths if (digest := document.digest(path))},
    )
