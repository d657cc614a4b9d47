"""Keeps the open editors and the project's document in step, both ways, edit by edit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vibedesk.base.errors import VibeDeskError, as_vibedesk_error
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.replica import DocumentReplica, RemoteEdit


@dataclass(frozen=True, slots=True)
class _Typed:
    """An edit in a file that the agent streams into; it goes into the replica once that has the stream."""

    path: str
    position: int
    removed: int
    inserted: str


class DocumentSync:
    """One project's replica beside its editors.

    What the person types goes into the replica at once, so editor and replica always read the same, and is sent
    in order. What others changed is fetched and comes out as edits for the editor, so caret and undo stay.

    Args:
        engine: Where the document lives.
        project_id: Whose it is.
        is_streaming: Whether the agent streams into a path right now; its editor shows that text already.
        show: Applies others' edits to the editors.
        reconcile: Makes the editor of a path read what the replica has; called when an edit that was made
            beside the agent's stream is in.
        on_error: Is told when an edit could not be stored.
    """

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        is_streaming: Callable[[str], bool],
        show: Callable[[Iterable[RemoteEdit]], None],
        reconcile: Callable[[str], None],
        on_error: Callable[[VibeDeskError], None],
    ) -> None:
        self._engine = engine
        self._project_id = project_id
        self._is_streaming = is_streaming
        self._show = show
        self._reconcile = reconcile
        self._on_error = on_error
        self._replica = DocumentReplica()
        self._fetching = asyncio.Lock()
        self._outgoing: asyncio.Queue[bytes | _Typed] = asyncio.Queue()
        self._held: dict[str, list[_Typed]] = {}

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
            self._show(edit for edit in edits if not self._is_streaming(edit.path))

    def typed(self, path: str, position: int, removed: int, inserted: str) -> None:
        """Take one edit that the person made in the editor of `path` (UTF-8 bytes)."""
        if path in self._held:
            self._held[path].append(_Typed(path, position, removed, inserted))
            return
        if self._is_streaming(path):
            self._outgoing.put_nowait(_Typed(path, position, removed, inserted))
            return
        update = self._replica.edit(path, position, removed, inserted)
        if update is not None:
            self._outgoing.put_nowait(update)

    def hold(self, path: str) -> None:
        """Keep what is typed in `path` until `release`: a rewrite is in the document only when it is whole."""
        self._held[path] = []

    def release(self, path: str) -> None:
        """Send what was kept."""
        for item in self._held.pop(path, ()):
            self._outgoing.put_nowait(item)

    def drop_held(self, path: str) -> None:
        """Forget what was kept: the text it was typed into did not come to be."""
        self._held.pop(path, None)

    async def send_typed(self) -> None:
        """Send what is typed, in order, until cancelled; what is refused is told, and the next one sent."""
        while True:
            item = await self._outgoing.get()
            try:
                update = await self._update_of(item)
                if update is not None:
                    await self._engine.apply_update(self._project_id, update)
                if isinstance(item, _Typed):
                    self._reconcile(item.path)
            except Exception as caught:  # noqa: BLE001 - told, and must not end the sending
                self._on_error(as_vibedesk_error(caught))
            finally:
                self._outgoing.task_done()

    async def all_sent(self) -> None:
        """Wait until everything typed so far is stored."""
        await self._outgoing.join()

    async def _update_of(self, item: bytes | _Typed) -> bytes | None:
        if isinstance(item, bytes):
            return item
        # The agent only appends to what it streams, so the position holds once the replica has the stream.
        await self.fetch()
        return self._replica.edit(item.path, item.position, item.removed, item.inserted)
