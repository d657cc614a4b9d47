"""One project's files as a CRDT document, in memory.

Two maps: `files` (file id → text) and `paths` (path → file id, or `blob:` and the digest of a binary file). A rename
moves an entry of `paths`, so typing that happens at the same time stays in the text; a delete removes only the
entry, so the text can come back. Editors hold a replica with the same two names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pycrdt import Doc, Map, Text, get_update

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.ids import new_id
from vibedesk.engine.files.path_index import PathIndex, checked_path
from vibedesk.engine.files.text_diff import TextEdit, byte_edits, text_edits

FILES_ROOT = "files"
PATHS_ROOT = "paths"
_BLOB = "blob:"


@dataclass(slots=True)
class DocumentChange:
    """What one change did: the bytes that tell a replica, and the paths it touched."""

    updates: list[bytes] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """Every path that differs afterwards, old names of renamed files included."""
        return sorted(
            self.changed | self.deleted | self.renamed.keys() | set(self.renamed.values())
        )


class ProjectDocument:
    """The document at one version; changes happen inside `changing`.

    After an exception inside `changing` the document must be thrown away: a CRDT cannot take a step back.
    """

    def __init__(self, updates: Iterable[bytes] = ()) -> None:
        self._doc: Doc[Any] = Doc()
        self._files: Map[Any] = self._doc.get(FILES_ROOT, type=Map)
        self._paths: Map[Any] = self._doc.get(PATHS_ROOT, type=Map)
        for update in updates:
            self._doc.apply_update(update)
        self._ids: dict[str, str] = self._paths.to_py() or {}
        self._path_of = {value: path for path, value in self._ids.items() if not _is_blob(value)}
        self._index = PathIndex(self._ids)
        self._change: DocumentChange | None = None
        self._moves: dict[str, Any] = {}  # what a replica sent may be anything
        self._subscriptions = (
            self._doc.observe(self._on_update),
            self._files.observe_deep(self._on_texts),
            self._paths.observe(self._on_paths),
        )

    # ---- reading ------------------------------------------------------------------------

    @property
    def paths(self) -> list[str]:
        return sorted(self._ids)

    def __contains__(self, path: object) -> bool:
        return path in self._ids

    def file_id(self, path: str) -> str | None:
        """Return the id of the text at `path`; None for a binary file and where nothing is."""
        value = self._ids.get(path)
        return None if value is None or _is_blob(value) else value

    def path_of(self, file_id: str) -> str | None:
        """Return where the text is now; None after its file was deleted."""
        return self._path_of.get(file_id)

    def digest(self, path: str) -> str | None:
        """Return the digest of a binary file; None for a text and where nothing is."""
        value = self._ids.get(path)
        return value.removeprefix(_BLOB) if value is not None and _is_blob(value) else None

    def text(self, path: str) -> str:
        """Return the text at `path`.

        Raises:
            NotFoundError: nothing is there.
            InvalidInputError: a binary file is there.
        """
        file_id = self.file_id(path)
        if file_id is None:
            raise self._no_text(path)
        return self.text_of(file_id)

    def text_of(self, file_id: str) -> str:
        return str(self._files[file_id])

    def size(self, path: str) -> int:
        """Return the bytes of a text in UTF-8; 0 for a binary file."""
        file_id = self.file_id(path)
        return 0 if file_id is None else len(self._files[file_id])

    def state(self) -> bytes:
        """Return the whole document as one update."""
        return self._doc.get_update()

    # ---- changing -----------------------------------------------------------------------

    @contextmanager
    def changing(self, origin: str) -> Iterator[DocumentChange]:
        """Collect what the changes inside do; they are one transaction of the document."""
        change = self._change = DocumentChange()
        try:
            with self._doc.transaction(origin=origin):
                yield change
            self._follow(change)
        finally:
            self._change = None

    def apply_update(self, update: bytes, origin: str) -> DocumentChange:
        """Take in what a replica did, and make what two sides did to one path fit together.

        Raises:
            InvalidInputError: it is no update, it rests on one that is not here, or it makes a path that may not be.
        """
        change = self._change = DocumentChange()
        try:
            self._doc.apply_update(update)
            self._check_complete(update)
            self._check_new_paths()
            self._follow(change)
            self._one_path_per_text(origin, change)
        except ValueError as error:
            raise InvalidInputError(
                "A change from the editor could not be read.", remedy="Open the file again."
            ) from error
        finally:
            self._change = None
        return change

    def create_text(self, path: str, text: str) -> str:
        """Make a new file and return the id of its text."""
        self._take(path)
        file_id = new_id()
        self._files[file_id] = Text(text)
        self._paths[path] = file_id
        return file_id

    def edit_text(self, file_id: str, edits: Iterable[TextEdit]) -> None:
        """Make edits (positions in characters, in order) in one text."""
        text: Text = self._files[file_id]
        # pycrdt counts UTF-8 bytes.
        for start, removed, inserted in byte_edits(str(text), edits):
            if removed:
                del text[start : start + removed]
            if inserted:
                text.insert(start, inserted)

    def put_text(self, path: str, text: str) -> str:
        """Make `path` a file that reads `text` and return the text's id.

        A text that exists keeps every character that both share.
        """
        file_id = self.file_id(path)
        if file_id is not None:
            self.edit_text(file_id, text_edits(self.text_of(file_id), text))
            return file_id
        if path in self._ids:  # a binary file becomes a text
            self._index.remove(path)
        return self.create_text(path, text)

    def append_text(self, file_id: str, text: str) -> None:
        """Add to the end; costs what is added."""
        target: Text = self._files[file_id]
        target.insert(len(target), text)

    def put_blob(self, path: str, digest: str) -> None:
        """Make `path` a binary file."""
        if self._ids.get(path) == _BLOB + digest:
            return
        if path not in self._ids:
            self._take(path)
        self._paths[path] = _BLOB + digest

    def revive(self, path: str, file_id: str) -> None:
        """Put a text whose file was deleted back to `path`."""
        self._take(path)
        self._paths[path] = file_id

    def delete(self, path: str) -> None:
        if path not in self._ids:
            raise _no_file(path)
        self._index.remove(path)
        del self._paths[path]

    def rename(self, path: str, new_path: str) -> None:
        value = self._ids.get(path)
        if value is None:
            raise _no_file(path)
        self._index.remove(path)
        self._take(new_path)
        del self._paths[path]
        self._paths[new_path] = value

    # ---- following ----------------------------------------------------------------------

    def _take(self, path: str) -> None:
        self._index.check_free(path)
        self._index.add(path)

    def _on_update(self, event: Any) -> None:
        if self._change is not None:
            self._change.updates.append(bytes(event.update))

    def _on_texts(self, events: list[Any]) -> None:
        if self._change is None:
            return
        for event in events:
            if event.path and (path := self._path_of.get(event.path[0])) is not None:
                self._change.changed.add(path)

    def _on_paths(self, event: Any) -> None:
        for path, what in event.keys.items():
            self._moves[path] = None if what["action"] == "delete" else what["newValue"]

    def _check_complete(self, update: bytes) -> None:
        # pycrdt keeps what rests on a missing update for later, but then loses parts of it (0.14.13): refuse it.
        # What of `update` the document still lacks begins with the number of its authors.
        if get_update(update, self._doc.get_state())[:1] != b"\x00":
            raise InvalidInputError(
                "A change from the editor rests on one that never arrived.",
                remedy="Open the file again.",
            )

    def _check_new_paths(self) -> None:
        for path, value in self._moves.items():
            if value is None:
                self._index.remove(path)
        for path, value in self._moves.items():
            if value is None:
                continue
            if not isinstance(value, str) or not (_is_blob(value) or value in self._files):
                raise InvalidInputError(
                    "A change from the editor names no text.", details={"path": path}
                )
            if path not in self._ids:
                if checked_path(path) != path:
                    raise InvalidInputError(
                        f"{path!r} is no plain path.", remedy="Rename the file."
                    )
                self._take(path)

    def _follow(self, change: DocumentChange) -> None:
        """Bring the indexes up to date with the entries of `paths` that changed."""
        moves, self._moves = self._moves, {}
        left: dict[str, str] = {}
        for path, value in moves.items():
            old = self._ids.get(path)
            if old is not None and old != value:
                left[old] = path
                if self._path_of.get(old) == path:
                    del self._path_of[old]
            if value is None:
                self._index.remove(path)
                self._ids.pop(path, None)
        for path, value in moves.items():
            if value is None:
                continue
            self._index.add(path)
            self._ids[path] = value
            origin = left.pop(value, None)
            if origin is not None and moves[origin] is None:
                change.renamed[origin] = path
                if origin in change.changed:
                    change.changed.discard(origin)
                    change.changed.add(path)
            else:
                change.changed.add(path)
            if not _is_blob(value) and value not in self._path_of:
                self._path_of[value] = path
        for path, value in moves.items():
            if value is None and path not in change.renamed:
                change.changed.discard(path)
                change.deleted.add(path)

    def _one_path_per_text(self, origin: str, change: DocumentChange) -> None:
        # Two sides renamed one file at the same time: it keeps the name that was there first.
        doubled = [
            path
            for path in change.changed | set(change.renamed.values())
            if (file_id := self.file_id(path)) is not None and self._path_of[file_id] != path
        ]
        if not doubled:
            return
        with self._doc.transaction(origin=origin):
            for path in doubled:
                del self._paths[path]
        self._follow(change)
        change.deleted.difference_update(doubled)

    def _no_text(self, path: str) -> InvalidInputError | NotFoundError:
        if path in self._ids:
            return InvalidInputError(f"{path} is a binary file.", details={"path": path})
        return _no_file(path)


def _is_blob(value: str) -> bool:
    return value.startswith(_BLOB)


def _no_file(path: str) -> NotFoundError:
    return NotFoundError(
        f"There is no file {path} in the project.",
        remedy="Look at the project's files.",
        details={"path": path},
    )
