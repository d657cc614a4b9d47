"""What the editor panel asks of a code editor, whichever widget it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from vibedesk.ui.editor.line_problems import LineProblem

LineMark = Literal["writing", "added", "changed"]
"""What the change bar beside a line says."""


EditCommand = Literal["undo", "redo", "cut", "copy", "paste", "select_all"]
"""What a context menu offers to do with the text."""


class EditorSignals(QObject):
    """What a code editor tells; goes with the editor's widget, its parent.

    Signals:
        edited: The person, not the program, changed the text: position and removed length in UTF-8 bytes,
            inserted text.
        text_changed: The text is another one, whoever changed it; told before `edited`.
        cursor_moved: Line and column of the cursor, counted from 1.
        navigated: The person scrolled, clicked or used a key.
        menu_requested: The person wants the context menu at a place of the screen.
    """

    edited = Signal(int, int, str)
    text_changed = Signal()
    cursor_moved = Signal(int, int)
    navigated = Signal()
    menu_requested = Signal(QPoint)


class CodeEditor(Protocol):
    """One file's text in a widget. Positions are UTF-8 bytes, as in the shared document."""

    @property
    def signals(self) -> EditorSignals: ...

    @property
    def widget(self) -> QWidget: ...

    def text(self) -> str: ...

    def set_path(self, path: str) -> None:
        """Choose language and accessible name."""
        ...

    def set_text(self, text: str) -> None:
        """Start over with a text; undo and marks are cleared."""
        ...

    def merge_text(self, text: str) -> None:
        """Become `text` by changing only what differs; cursor, scroll position and undo stay."""
        ...

    def append(self, text: str) -> None:
        """Write at the end. It cannot be undone and does not move the cursor."""
        ...

    def apply_edit(self, position: int, removed: int, inserted: str) -> None:
        """Take in another writer's change."""
        ...

    def set_writing(self, *, writing: bool) -> None:
        """Show the agent's caret at the end and mark what is appended."""
        ...

    def mark_lines(self, mark: LineMark, lines: list[range]) -> None:
        """Replace all marks by `mark` on some lines, counted from 0."""
        ...

    def show_problems(self, problems: Sequence[LineProblem]) -> None:
        """Mark and underline problems in place of those before; from then on they move with the text."""
        ...

    def problem_lines(self) -> list[tuple[int, LineProblem]]:
        """Return on which lines, from 1, the problems stand by now."""
        ...

    def reveal_end(self) -> None: ...

    def reveal_line(self, line: int) -> None:
        """Bring a line, counted from 0, into the view without moving the cursor."""
        ...

    def go_to(self, line: int, column: int = 1) -> None:
        """Put the cursor at a place, counted from 1, and show it."""
        ...

    def cursor(self) -> tuple[int, int]: ...

    def find_all(self, needle: str, *, match_case: bool) -> list[tuple[int, int]]:
        """Return where a text occurs, at most some thousand places, and mark them; "" clears the marks."""
        ...

    def select(self, start: int, end: int) -> None: ...

    def selection(self) -> tuple[int, int]:
        """Return start and end of what is selected; both are the cursor's place where nothing is."""
        ...

    def selected_text(self) -> str: ...

    def zoom(self, steps: int) -> None:
        """Make the text larger or smaller; 0 resets."""
        ...

    def can(self, command: EditCommand) -> bool:
        """Return whether a command would do anything now."""
        ...

    def do(self, command: EditCommand) -> None:
        """Do it as if by its keys."""
        ...

    def set_tab_moves_focus(self, *, on: bool) -> None:
        """Let Tab go to the next widget instead of typing."""
        ...

    def close(self) -> None:
        """Let go of the widget."""
        ...
