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
        if not draft.is_new:
            self._existed.add(draft.path)
        # What a patch or an addition is made to is not known here yet; it shows when it is made.
        if draft.mode == "full":
            before = "" if draft.is_new else self._shown(draft.path)
            self._growing.add(draft.path)
            self._sync.begin_stream(draft.path, draft.text)
            self._panels.editor.stream_start(draft.path, "full", before)
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
                if before is None and not known:
                    before = ""
                shown_as = _write_mode(mode)
                if before is None and mode == "append":
                    # What comes after a text that is not here shows when all of it is.
                    shown_as = "patch"
                editor.stream_start(path, shown_as, before)
                if shown_as == "patch":
                    # Its editor shows the document until then, and what is typed goes there.
                    self._growing.discard(path)
                    if self._sync.is_streaming(path):
                        self._settle(path)
                else:
                    self._growing.add(path)
                    self._sync.begin_stream(path, "" if mode == "full" else before or "")
            case e.FileChunk(path, chunk):
                self._lines[path] = self._lines.get(path, 0) + chunk.count("\n")
                editor.stream_chunk(path, chunk)
                if path in self._growing:
                    self._sync.streamed(path, chunk)
                chat.file_progress(path, self._lines[path])
            case e.FileEnd(path, content):
                lines = self._lines.pop(path, 0)
                self._growing.discard(path)
                if self._sync.is_streaming(path):
                    editor.stream_end(path, self._sync.stream_is_whole(path, content))
                    self._settle(path)
                else:
                    self._start(self._show_as_it_is(path))
                files.set_state(path, "modified" if path in self._existed else "new")
                chat.file_finished(path, lines, 0)

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
            self._sync.begin_stream(new, self._shown(new) or "")
        if new not in self._lines:
            self._settle(new)

    def deleted(self, path: str) -> None:
        """The file is gone, and with it what was typed into it."""
        self._lines.pop(path, None)
        self._growing.discard(path)
        self._sync.stream_dropped(path)
        self._panels.chat.file_dropped(path)

    def dropped(self, path: str) -> None:
        """What came of the file counts for nothing: it reads as before, with what was typed."""
        if self._lines.pop(path, None) is None:
            return
        self._growing.discard(path)
        self._panels.files.set_state(path, "unchanged")
        self._panels.chat.file_dropped(path)
        if self._sync.is_streaming(path):
            self._panels.editor.stream_end(path, self._shown(path))
            self._settle(path)
        else:
            self._start(self._show_as_it_is(path))

    def end(self) -> None:
        """The run ended: nothing streams any more."""
        for path in list(self._lines):
            self.dropped(path)

    def settled(self, path: str) -> None:
        """Replica and document are one again: the editor shows them, with what was typed beside the stream."""
        text, shown = self._sync.current(path), self._panels.editor.text(path)
        if text is not None and shown not in (None, text):
            self._panels.editor.file_changed(path, text)

    def _shown(self, path: str) -> str | None:
        """Return what the editor of `path` shows, or would show; None where that is not known here."""
        self._panels.editor.flush()
        text = self._panels.editor.text(path)
        return text if text is not None else self._sync.current(path)

    async def _show_as_it_is(self, path: str) -> None:
        """End the stream of a file whose editor shows the document."""
        try:
            await self._sync.fetch()
        finally:
            # Unless it is written again already.
            if path not in self._lines:
                self._panels.editor.stream_end(path, self._shown(path))

    def _settle(self, path: str) -> None:
        self._start(self._sync.end_stream(path))


def _write_mode(mode: str) -> WriteMode:
    match mode:
        case "patch":
            return "patch"
        case "append":
            return "append"
        case _:
            return "full"
