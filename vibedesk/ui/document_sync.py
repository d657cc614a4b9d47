"""Keeps the open editors and the project's document in step, both ways, edit by edit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from vibedesk.base.errors import VibeDeskError, as_vibedesk_error
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.replica import DocumentReplica, Merged, RemoteEdit, joined_updates


class _Beside:
    """What the editor of a file shows while the agent writes it, without and with what the person types there."""

    def __init__(self, shown: str) -> None:
        self._written = _encoded(shown)
        self._shown = _encoded(shown)
        self._merged = Merged()
        self.is_unsent = False
        """Whether something was typed since the document got what is typed."""
        self.ended = False
        """Nothing comes any more: it goes as soon as it is in the document."""

    @property
    def is_typed(self) -> bool:
        return self.is_unsent or self._written != self._shown

    @property
    def shown(self) -> str:
        return _decoded(self._shown)

    def stream(self, text: str) -> None:
        data = _encoded(text)
        self._written += data
        self._shown += data

    def type(self, position: int, removed: int, inserted: str) -> None:
        # The agent writes at the end only, so the position holds, however far the editor shows the stream.
        self._shown[position : position + removed] = _encoded(inserted)
        self.is_unsent = True

    def merge_into(self, replica: DocumentReplica, path: str) -> bytes | None:
        self.is_unsent = False
        return replica.merge(path, _decoded(self._written), self.shown, self._merged)


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
        settled: Is told a path whose stream has ended: the replica has what its editor has to show.
    """

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        show: Callable[[Iterable[RemoteEdit]], None],
        on_error: Callable[[VibeDeskError], None],
        settled: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._project_id = project_id
        self._show = show
        self._on_error = on_error
        self._settled = settled
        self._replica = DocumentReplica()
        self._fetching = asyncio.Lock()
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._refused: bytes | None = None
        """What could not be stored; everything typed since rests on it."""
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
        """Bring what others changed into the editors, and what was typed beside streams that ended into the document."""
        async with self._fetching:
            # One that ends from here on may not be in what comes.
            ended = [(path, s[-1]) for path, s in self._beside.items() if s[-1].ended]
            version, updates = await self._engine.updates_since(
                self._project_id, self._replica.version
            )
            # No await from here on: nothing can be typed between reading and showing.
            edits = self._replica.apply(version, updates)
            self._show(edit for edit in edits if not self.is_streaming(edit.path))
            for path, last in ended:
                # The agent may have begun to write the file anew, or deleted or renamed it.
                streams = self._beside.get(path, ())
                if streams and streams[-1] is last and self._replica.text(path) is not None:
                    # Also what is in the document already: it may belong elsewhere in what the agent made of it.
                    self._merge(path, [beside for beside in streams if beside.is_typed])
                    del self._beside[path]
                    self._settled(path)

    def typed(self, path: str, position: int, removed: int, inserted: str) -> None:
        """Take one edit that the person made in the editor of `path` (UTF-8 bytes)."""
        if path in self._beside:
            self._beside[path][-1].type(position, removed, inserted)
        else:
            self._send(self._replica.edit(path, position, removed, inserted))

    # -- beside the agent

    def is_streaming(self, path: str) -> bool:
        """Whether the editor of `path` shows something else than the replica has."""
        return path in self._beside

    def begin_stream(self, path: str, shown: str) -> None:
        """The agent writes `path`, or writes it anew; its editor shows this text now."""
        self._beside.setdefault(path, []).append(_Beside(shown))

    def streamed(self, path: str, text: str) -> None:
        """The agent wrote more, at the end of what the editor shows."""
        self._beside[path][-1].stream(text)

    def stream_is_whole(self, path: str, text: str) -> str:
        """The document reads `text` now; return what the editor has to show until the stream is settled."""
        streams = self._beside[path]
        if any(beside.is_typed for beside in streams):
            return streams[-1].shown
        self._beside[path] = [_Beside(text)]
        return text

    def stream_renamed(self, old: str, new: str) -> None:
        self._beside[new] = self._beside.pop(old)

    def stream_dropped(self, path: str) -> None:
        """The file is gone, and what was typed into it."""
        self._beside.pop(path, None)

    async def end_stream(self, path: str) -> None:
        """The editor shows what it has to: with this fetch, or the next one that succeeds, `path` is settled.

        It is not when the agent begins to write the file anew meanwhile.
        """
        if path in self._beside:
            self._beside[path][-1].ended = True
        await self.fetch()

    # -- sending

    async def send_typed(self) -> None:
        """Send what is typed, in order, until cancelled; what is refused is told, and goes with the next one."""
        while True:
            update = await self._outgoing.get()
            try:
                if self._refused is not None:
                    update = joined_updates([self._refused, update])
                await self._engine.apply_update(self._project_id, update)
                self._refused = None
            except Exception as caught:  # noqa: BLE001 - told, and must not end the sending
                self._refused = update
                self._on_error(as_vibedesk_error(caught))
            finally:
                self._outgoing.task_done()

    async def all_sent(self) -> None:
        """Wait until everything typed so far is stored, also beside what the agent has not written to its end.

        What was refused before is tried once more.
        """
        if any(beside.is_unsent for streams in self._beside.values() for beside in streams):
            try:
                await self.fetch()
            except Exception as caught:  # noqa: BLE001 - what is here already will do
                self._on_error(as_vibedesk_error(caught))
            for path, streams in self._beside.items():
                if self._replica.text(path) is not None:
                    self._merge(path, [beside for beside in streams if beside.is_unsent])
        self._send(self._refused)
        await self._outgoing.join()

    def _merge(self, path: str, typed: Iterable[_Beside]) -> None:
        """Bring what was typed beside streams into the document as it is."""
        for beside in typed:
            self._send(beside.merge_into(self._replica, path))

    def _send(self, update: bytes | None) -> None:
        if update is not None:
            self._outgoing.put_nowait(update)


def _decoded(data: bytearray) -> str:
    return data.decode("utf-8", "replace")


def _encoded(text: str) -> bytearray:
    return bytearray(text.encode("utf-8", "replace"))
