"""Keeps the open editors and the project's document in step, both ways, edit by edit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vibedesk.base.errors import VibeDeskError, as_vibedesk_error
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.replica import DocumentReplica, RemoteEdit, merged_text


@dataclass(slots=True)
class _Beside:
    """What the editor of a file shows while the agent writes it, without and with what the person types there."""

    written: bytearray
    shown: bytearray

    @property
    def texts(self) -> tuple[str, str]:
        return self.written.decode("utf-8", "replace"), self.shown.decode("utf-8", "replace")

    @property
    def is_typed(self) -> bool:
        return self.written != self.shown


class DocumentSync:
    """One project's replica beside its editors.

    What the person types goes into the replica at once, so editor and replica always read the same, and is sent
    in order. What others changed is fetched and comes out as edits for the editor, so caret and undo stay.

    While the agent writes a file, its editor shows what is not in the document yet. What is typed there is merged
    into the document when the stream has ended, whole or not, and when the project is left before that.

    Args:
        engine: Where the document lives.
        project_id: Whose it is.
        show: Applies others' edits to the editors.
        on_error: Is told when an edit could not be stored.
    """

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        show: Callable[[Iterable[RemoteEdit]], None],
        on_error: Callable[[VibeDeskError], None],
    ) -> None:
        self._engine = engine
        self._project_id = project_id
        self._show = show
        self._on_error = on_error
        self._replica = DocumentReplica()
        self._fetching = asyncio.Lock()
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._beside: dict[str, list[_Beside]] = {}
        """The streams of each path that is being written; all but the last broke off."""

    async def text(self, path: str) -> str | None:
        """Return the text of `path` as it is now."""
        await self.fetch()
        return self._replica.text(path)

    def current(self, path: str) -> str | None:
        """Return the text of `path` as it was last fetched, with what was typed since."""
        return self._replica.text(path)

    async def fetch(self) -> None:
        """Bring what others changed into the editors."""
        async with self._fetching:
            version, updates = await self._engine.updates_since(
                self._project_id, self._replica.version
            )
            # No await from here on: nothing can be typed between reading and showing.
            edits = self._replica.apply(version, updates)
            self._show(edit for edit in edits if not self.is_streaming(edit.path))

    def typed(self, path: str, position: int, removed: int, inserted: str) -> None:
        """Take one edit that the person made in the editor of `path` (UTF-8 bytes)."""
        if path in self._beside:
            # The agent writes at the end only, so the position holds, however far the editor shows the stream.
            shown = self._beside[path][-1].shown
            shown[position : position + removed] = _encoded(inserted)
        else:
            self._send(self._replica.edit(path, position, removed, inserted))

    # -- beside the agent

    def is_streaming(self, path: str) -> bool:
        """Whether the editor of `path` shows something else than the replica has."""
        return path in self._beside

    def begin_stream(self, path: str, shown: str) -> None:
        """The agent writes `path`, or writes it anew; its editor shows this text now."""
        self._beside.setdefault(path, []).append(_Beside(_encoded(shown), _encoded(shown)))

    def streamed(self, path: str, text: str) -> None:
        """The agent wrote more, at the end of what the editor shows."""
        beside, data = self._beside[path][-1], _encoded(text)
        beside.written += data
        beside.shown += data

    def stream_is_whole(self, path: str, text: str) -> str:
        """The document reads `text` now; return what the editor has to show: that with what was typed."""
        shown = text
        for beside in self._beside[path]:
            written, edited = beside.texts
            shown = merged_text(written, shown, edited)
        last = self._only_last(path)
        last.written, last.shown = _encoded(text), _encoded(shown)
        return shown

    def stream_renamed(self, old: str, new: str) -> None:
        self._beside[new] = self._beside.pop(old)

    async def end_stream(self, path: str) -> bool:
        """Bring what was typed into the document; return whether editor and replica belong together again.

        They do not when the agent began to write the file anew meanwhile.
        """
        last = self._beside[path][-1] if path in self._beside else None
        await self.fetch()
        if path not in self._beside or self._beside[path][-1] is not last:
            return False
        self._merge(path)
        del self._beside[path]
        return True

    # -- sending

    async def send_typed(self) -> None:
        """Send what is typed, in order, until cancelled; what is refused is told, and the next one sent."""
        while True:
            update = await self._outgoing.get()
            try:
                await self._engine.apply_update(self._project_id, update)
            except Exception as caught:  # noqa: BLE001 - told, and must not end the sending
                self._on_error(as_vibedesk_error(caught))
            finally:
                self._outgoing.task_done()

    async def all_sent(self) -> None:
        """Wait until everything typed so far is stored, also beside what the agent has not written to its end."""
        if any(beside.is_typed for streams in self._beside.values() for beside in streams):
            try:
                await self.fetch()
            except Exception as caught:  # noqa: BLE001 - what is here already will do
                self._on_error(as_vibedesk_error(caught))
            for path in self._beside:
                self._merge(path)
        await self._outgoing.join()

    def _merge(self, path: str) -> None:
        """Bring what was typed beside the streams of `path` into the document as it is."""
        for beside in self._beside[path]:
            if beside.is_typed:
                self._send(self._replica.merge(path, *beside.texts))
        last = self._only_last(path)
        last.written = last.shown[:]

    def _only_last(self, path: str) -> _Beside:
        del self._beside[path][:-1]
        return self._beside[path][0]

    def _send(self, update: bytes | None) -> None:
        if update is not None:
            self._outgoing.put_nowait(update)


def _encoded(text: str) -> bytearray:
    return bytearray(text.encode("utf-8", "replace"))
