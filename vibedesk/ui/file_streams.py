"""Files that the agent writes at this moment, as editor, tree and chat show them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from vibedesk.engine import events as e
from vibedesk.engine.views import DraftView
from vibedesk.ui.document_sync import DocumentSync
from vibedesk.ui.editor.streams import WriteMode
from vibedesk.ui.project_panels import ProjectPanels

StartTask = Callable[[Coroutine[Any, Any, None]], object]


class FileStreams:
    """Shows what streams in, and brings replica and editor together once a file is whole.

    Args:
        panels: Where it is shown.
        sync: The project's document.
        start: Runs a coroutine for as long as the project is shown.
    """

    def __init__(self, panels: ProjectPanels, sync: DocumentSync, start: StartTask) -> None:
        self._panels = panels
        self._sync = sync
        self._start = start
        self._lines: dict[str, int] = {}
        self._settling: set[str] = set()
        self._existed: set[str] = set()

    def is_streaming(self, path: str) -> bool:
        """Whether an editor of `path` shows more than the replica may have."""
        return path in self._lines or path in self._settling

    def begin_phase(self) -> None:
        """What is written from now on is compared with the files as they are now."""
        self._existed.clear()

    def take_up(self, draft: DraftView) -> None:
        """Show a file that was half written before the project came on screen."""
        self._lines[draft.path] = draft.text.count("\n")
        if draft.mode == "full":
            self._sync.hold(draft.path)
        self._panels.files.set_state(draft.path, "writing")
        self._panels.editor.stream_start(draft.path, _write_mode(draft.mode))
        self._panels.editor.stream_chunk(draft.path, draft.text)

    def show(self, payload: e.FileStart | e.FileChunk | e.FileEnd, *, known: bool) -> None:
        """Show the next piece; `known`: the project had the file already."""
        editor, files, chat = self._panels.editor, self._panels.files, self._panels.chat
        match payload:
            case e.FileStart(path, mode):
                if known:
                    self._existed.add(path)
                self._lines[path] = 0
                if known and mode == "full":
                    self._sync.hold(path)
                files.set_state(path, "writing")
                chat.file_started(path)
                editor.stream_start(path, _write_mode(mode))
            case e.FileChunk(path, chunk):
                self._lines[path] = self._lines.get(path, 0) + chunk.count("\n")
                editor.stream_chunk(path, chunk)
                chat.file_progress(path, self._lines[path])
            case e.FileEnd(path, content):
                lines = self._lines.pop(path, 0)
                editor.stream_end(path, content)
                files.set_state(path, "modified" if path in self._existed else "new")
                chat.file_finished(path, lines, 0)
                self._settle(path)

    def end(self) -> None:
        """The run ended: nothing streams any more."""
        for path in list(self._lines):
            del self._lines[path]
            text = self._panels.editor.text(path)
            self._panels.editor.stream_end(path, text or "")
            self._panels.files.set_state(path, "unchanged")
            # Its place was in a text that will be written anew.
            self._sync.drop_held(path)
            self._settle(path)

    def reconcile(self, path: str) -> None:
        """Make the editor of `path` read what the replica has, unless the agent is writing it."""
        text = self._sync.current(path)
        if text is None or self.is_streaming(path):
            return
        if self._panels.editor.text(path) not in (None, text):
            self._panels.editor.file_changed(path, text)

    def _settle(self, path: str) -> None:
        self._settling.add(path)
        self._start(self._bring_together(path))

    async def _bring_together(self, path: str) -> None:
        """Bring the replica up to what the editor has shown already while it was streamed."""
        await self._sync.fetch()
        self._settling.discard(path)
        self.reconcile(path)
        self._sync.release(path)


def _write_mode(mode: str) -> WriteMode:
    match mode:
        case "patch":
            return "patch"
        case "append":
            return "append"
        case _:
            return "full"
