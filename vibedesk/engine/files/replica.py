"""A copy of a project's document for an editor: typing goes out as updates, others' edits come in as edits.

Positions and lengths count UTF-8 bytes, which is what Scintilla and pycrdt both count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pycrdt import Doc, Map, Text, UndoManager, merge_updates

from vibedesk.engine.files.document import FILES_ROOT, PATHS_ROOT
from vibedesk.engine.files.text_diff import apply_text_edits, byte_edits, merged_edits


@dataclass(frozen=True, slots=True)
class RemoteEdit:
    """`removed` bytes at `position` of `path` became `inserted`."""

    path: str
    position: int
    removed: int
    inserted: str


class Merged:
    """What was merged into one text of a replica; the next merge with it takes that back first. Begins with nothing."""

    def __init__(self) -> None:
        self._file_id = ""
        self._undo = UndoManager()

    def take_back(self, file_id: str, text: Text) -> None:
        """Undo what was merged, exactly: whatever others made of the text since stays."""
        if file_id != self._file_id:
            self._file_id = file_id
            self._undo = UndoManager(scopes=[text])
            # Nothing but what is merged with this is ever undone.
            self._undo.include_origin(self)
        while self._undo.can_undo():
            self._undo.undo()


def merged_text(base: str, current: str, edited: str) -> str:
    """Return `current` with what a person made of `base`."""
    return apply_text_edits(current, merged_edits(base, current, edited))


def joined_updates(updates: Sequence[bytes]) -> bytes:
    """Return one update that does what `updates` (at least one; the same one may come twice) do together."""
    return merge_updates(*updates) if len(updates) > 1 else updates[0]


class DocumentReplica:
    """One editor's copy. Not thread-safe: belongs to whoever made it."""

    def __init__(self) -> None:
        self._doc: Doc[Any] = Doc()
        self._files: Map[Any] = self._doc.get(FILES_ROOT, type=Map)
        self._paths: Map[Any] = self._doc.get(PATHS_ROOT, type=Map)
        self._remote: list[RemoteEdit] | None = None
        self._outgoing: list[bytes] | None = None
        self._subscriptions = (
            self._files.observe_deep(self._on_texts),
            self._doc.observe(self._on_update),
        )
        self.version = 0
        """The newest version of the project that is in here."""

    def apply(self, version: int, updates: Iterable[bytes]) -> list[RemoteEdit]:
        """Take in what happened up to `version`; return the edits of texts that were here before."""
        edits: list[RemoteEdit] = []
        self._remote = edits
        try:
            for update in updates:
                self._doc.apply_update(update)
        finally:
            self._remote = None
        self.version = max(self.version, version)
        return edits

    def text(self, path: str) -> str | None:
        """Return the text at `path`; None where no text is."""
        text = self._text(path)
        return None if text is None else str(text)

    def edit(self, path: str, position: int, removed: int, inserted: str) -> bytes | None:
        """Make an edit of the person's; return the update to send, None if there is no such text."""
        text = self._text(path)
        if text is None:
            return None
        length = len(text)
        start = min(position, length)
        edit = (start, min(removed, length - start), inserted)
        return self._collected(lambda: self._edit(text, [edit]))

    def merge(self, path: str, base: str, edited: str, merged: Merged) -> bytes | None:
        """Bring in what a person made of `base`, whatever the text reads now; return the update to send.

        What was merged with `merged` before is taken back first: a person who went on typing has everything in the text
        once, and where it belongs in the text as it is now.

        Returns:
            None if nothing is to be done, or there is no such text.
        """
        text = self._text(path)
        if text is None:
            return None

        def change() -> None:
            merged.take_back(self._paths[path], text)
            current = str(text)
            edits = byte_edits(current, merged_edits(base, current, edited))
            self._edit(text, edits, origin=merged)

        return self._collected(change)

    def _collected(self, change: Callable[[], None]) -> bytes | None:
        updates: list[bytes] = []
        self._outgoing = updates
        try:
            change()
        finally:
            self._outgoing = None
        return joined_updates(updates) if updates else None

    def _edit(
        self, text: Text, edits: Iterable[tuple[int, int, str]], *, origin: Merged | None = None
    ) -> None:
        with self._doc.transaction(origin):
            for start, removed, inserted in edits:
                if removed:
                    del text[start : start + removed]
                if inserted:
                    text.insert(start, inserted)

    def _text(self, path: str) -> Text | None:
        file_id = self._paths.get(path)
        if not isinstance(file_id, str):
            return None
        found = self._files.get(file_id)
        return found if isinstance(found, Text) else None

    def _on_update(self, event: Any) -> None:
        if self._outgoing is not None:
            self._outgoing.append(bytes(event.update))

    def _on_texts(self, events: list[Any]) -> None:
        if self._remote is None:
            return
        for event in events:
            if event.path:
                self._remote.extend(self._edits(str(event.path[0]), event.delta))

    def _edits(self, file_id: str, delta: list[dict[str, Any]]) -> list[RemoteEdit]:
        path = next((p for p, value in self._paths.items() if value == file_id), None)
        if path is None:
            return []
        edits: list[RemoteEdit] = []
        position = 0
        for step in delta:
            if "retain" in step:
                position += step["retain"]
            elif "delete" in step:
                edits.append(RemoteEdit(path, position, step["delete"], ""))
            elif "insert" in step:
                edits.append(RemoteEdit(path, position, 0, step["insert"]))
                position += len(step["insert"].encode())
        return edits
