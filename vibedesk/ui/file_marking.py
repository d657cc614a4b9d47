"""What the person says of files (locked, pinned, excluded), from tree and editor to the engine and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from vibedesk.engine.engine import Engine
from vibedesk.engine.views import FileView
from vibedesk.ui.files.file_marks import PersonMark
from vibedesk.ui.project_panels import ProjectPanels

_MARKS: tuple[PersonMark, ...] = get_args(PersonMark)


class FileMarking:
    """The marks of one project's files as tree and editor show them."""

    def __init__(self, engine: Engine, project_id: str, panels: ProjectPanels) -> None:
        self._engine = engine
        self._project_id = project_id
        self._panels = panels

    def show(self, files: Iterable[FileView]) -> None:
        """Show the marks that a project's files have."""
        for file in files:
            marks = [mark for mark in _MARKS if mark in file.marks]
            self._panels.files.set_person_marks(file.path, marks)
            self._panels.editor.notes.set_locked(file.path, locked="locked" in marks)

    def on_marked(self, path: str, mark: str, *, on: bool) -> None:
        """A file got a mark or lost it."""
        now = self._panels.files.person_marks(path) - {mark}
        if on:
            now |= {known for known in _MARKS if known == mark}
        self._panels.files.set_person_marks(path, now)
        self._panels.editor.notes.set_locked(path, locked="locked" in now)

    async def mark(self, paths: Sequence[str], mark: PersonMark, *, on: bool) -> None:
        """Give files a mark or take it from them; those that have it so already are left alone."""
        for path in paths:
            if (mark in self._panels.files.person_marks(path)) != on:
                await self._engine.mark_file(self._project_id, path, mark, on)
