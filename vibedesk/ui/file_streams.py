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
        self._existed: set[str] = set()
        self._growing: set[str] = set()
        """Those of which the editor shows each piece as it comes."""

    def begin_phase(self) -> None:
        """What is written from now on is compared with the files as they are now."""
        self._existed.clear()

    def take_up(self, draft: DraftView) -> None:
        """Show a file that was half written before the project came on screen."""
        self._lines[draft.path] = draft.text.count("\n")
        self._panels.files.set_state(draft.path, "writing")
        # What a patch or an addition is made to is not known here yet; it shows when it is made.
        if draft.mode == "full":
            self._growing.add(draft.path)
            self._sync.begin_stream(draft.path, draft.text)
            self._panels.editor.stream_start(draft.path, "full")
            self._panels.editor.stream_chunk(draft.path, draft.text)

    def show(self, payload: e.FileStart | e.FileChunk | e.FileEnd, *, known: bool) -> None:
        """Show the next piece; `known`: the project had the file already."""
        editor, files, chat = self._panels.editor, self._panels.files, self._panels.chat
        match payload:
            case e.FileStart(path, mode):
                if known:
                    self._existed.add(path)
                self._lines[path] = 0
                files.set_state(path, "writing")
                chat.file_started(path)
                before = self._shown(path)
                self._sync.begin_stream(path, "" if mode == "full" else before)
                editor.stream_start(path, _write_mode(mode), before)
                (self._growing.discard if mode == "patch" else self._growing.add)(path)
            case e.FileChunk(path, chunk):
                self._lines[path] = self._lines.get(path, 0) + chunk.count("\n")
                editor.stream_chunk(path, chunk)
                if path in self._growing:
                    self._sync.streamed(path, chunk)
                chat.file_progress(path, self._lines[path])
            case e.FileEnd(path, content):
                lines = self._lines.pop(path, 0)
                self._growing.discard(path)
                if not self._sync.is_streaming(path):
                    self._sync.begin_stream(path, self._shown(path))
                editor.stream_end(path, self._sync.stream_is_whole(path, content))
                files.set_state(path, "modified" if path in self._existed else "new")
                chat.file_finished(path, lines, 0)
                self._settle(path)

    def renamed(self, old: str, new: str) -> None:
        """The file, and its open editor, have another path; the replica learns of it only now."""
        if old in self._lines:
            self._lines[new] = self._lines.pop(old)
        if old in self._growing:
            self._growing.remove(old)
            self._growing.add(new)
        if self._sync.is_streaming(old):
            self._sync.stream_renamed(old, new)
        elif self._panels.editor.text(new) is not None:
            self._sync.begin_stream(new, self._shown(new))
        if new not in self._lines:
            self._settle(new)

    def end(self) -> None:
        """The run ended: nothing streams any more."""
        for path in list(self._lines):
            del self._lines[path]
            self._panels.editor.stream_end(path, self._shown(path))
            self._panels.files.set_state(path, "unchanged")
            self._settle(path)
        self._growing.clear()

    def _shown(self, path: str) -> str:
        """Return what the editor of `path` shows, or would show."""
        self._panels.editor.flush()
        text = self._panels.editor.text(path)
        return text if text is not None else self._sync.current(path) or ""

    def _settle(self, path: str) -> None:
        self._start(self._bring_together(path))

    async def _bring_together(self, path: str) -> None:
        """Make editor and replica read the same again, with what was typed beside the stream."""
        if await self._sync.end_stream(path):
            text = self._sync.current(path)
            if text is not None and self._panels.editor.text(path) not in (None, text):
                self._panels.editor.file_changed(path, text)


def _write_mode(mode: str) -> WriteMode:
    match mode:
        case "patch":
            return "patch"
        case "append":
            return "append"
        case _:
            return "full"
