"""A copy of a project's document for an editor: typing goes out as updates, others' edits come in as edits.

Positions and lengths count UTF-8 bytes, which is what Scintilla and pycrdt both count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pycrdt import Doc, Map, Text

from vibedesk.engine.files.document import FILES_ROOT, PATHS_ROOT
from vibedesk.engine.files.text_diff import apply_text_edits, byte_edits, merged_edits


@dataclass(frozen=True, slots=True)
class RemoteEdit:
    """`removed` bytes at `position` of `path` became `inserted`."""

    path: str
    position: int
    removed: int
    inserted: str


def merged_text(base: str, current: str, edited: str) -> str:
    """Return `current` with what a person made of `base`."""
    return apply_text_edits(current, merged_edits(base, current, edited))


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
        return self._change(text, [(start, min(removed, length - start), inserted)])

    def merge(self, path: str, base: str, edited: str) -> bytes | None:
        """Bring in what a person made of `base`, whatever the text reads now; return the update to send.

        None if nothing is to be done, or there is no such text.
        """
        text = self._text(path)
        if text is None:
            return None
        current = str(text)
        return self._change(text, byte_edits(current, merged_edits(base, current, edited)))

    def _change(self, text: Text, edits: Iterable[tuple[int, int, str]]) -> bytes | None:
        updates: list[bytes] = []
        self._outgoing = updates
        try:
            with self._doc.transaction():
                for start, removed, inserted in edits:
                    if removed:
                        del text[start : start + removed]
                    if inserted:
                        text.insert(start, inserted)
        finally:
            self._outgoing = None
        return updates[0] if updates else None

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
