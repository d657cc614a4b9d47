"""A code editor without colours, for systems where QScintilla cannot be loaded."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QTextEdit, QWidget

from vibedesk.ui.editor.code_editor import EditCommand, EditorSignals, LineMark
from vibedesk.ui.editor.line_changes import differing_middle
from vibedesk.ui.editor.line_problems import LineProblem, ProblemHover, marked_part, told_at
from vibedesk.ui.editor.navigation_watch import NavigationWatch
from vibedesk.ui.theme.theme import Theme

_FOUND_LIMIT = 5_000
_TONES: dict[LineMark, str] = {
    "writing": "live.subtle",
    "added": "success.subtle",
    "changed": "warning.subtle",
}


class PlainEditor:
    """One `QPlainTextEdit`; fulfils `CodeEditor`."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._edit = QPlainTextEdit()
        self._signals = EditorSignals(self._edit)
        self._edit.setProperty("role", "code")
        self._edit.setFrameShape(QFrame.Shape.NoFrame)
        self._edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._edit.setFont(theme.font("code"))
        self._watch = NavigationWatch(self._edit, self._signals)
        self._known = b""
        self._silent = False
        self._writing = False
        self._marks: list[QTextEdit.ExtraSelection] = []
        self._problems: list[tuple[LineProblem, QTextCursor, QTextCharFormat]] = []
        self._hover = ProblemHover(self._edit, self._told)
        self._edit.textChanged.connect(self._on_text_changed)
        self._edit.cursorPositionChanged.connect(
            lambda: self._signals.cursor_moved.emit(*self.cursor())
        )

    @property
    def signals(self) -> EditorSignals:
        return self._signals

    @property
    def widget(self) -> QWidget:
        return self._edit

    def text(self) -> str:
        return self._edit.toPlainText()

    def set_path(self, path: str) -> None:
        self._edit.setAccessibleName(
            self._edit.tr("Code editor, {name}").format(name=path.rsplit("/", 1)[-1])
        )

    def set_text(self, text: str) -> None:
        self._silent = True
        self._edit.setPlainText(text)
        self._silent = False
        self._known = self._bytes()
        self._problems = []
        self._show_marks([], [])

    def merge_text(self, text: str) -> None:
        position, removed, inserted = differing_middle(
            self._bytes(), text.encode("utf-8", "replace")
        )
        if removed or inserted:
            self.apply_edit(position, removed, inserted.decode("utf-8", "replace"))

    def append(self, text: str) -> None:
        first = self._edit.blockCount() - 1
        self.apply_edit(len(self._known), 0, text)
        if self._writing:
            self._show_marks([range(first, self._edit.blockCount())], self._marks, "writing")

    def apply_edit(self, position: int, removed: int, inserted: str) -> None:
        cursor = QTextCursor(self._edit.document())
        cursor.setPosition(self._units(position))
        cursor.setPosition(self._units(position + removed), QTextCursor.MoveMode.KeepAnchor)
        self._silent = True
        cursor.insertText(inserted)
        self._silent = False
        self._known = self._bytes()

    def set_writing(self, *, writing: bool) -> None:
        self._writing = writing
        if writing:
            self._show_marks([], [])

    def mark_lines(self, mark: LineMark, lines: list[range]) -> None:
        self._show_marks(lines, [], mark)

    def show_problems(self, problems: Sequence[LineProblem]) -> None:
        self._problems = []
        for problem in problems:
            block = self._edit.document().findBlockByNumber(problem.line - 1)
            if problem.line < 1 or not block.isValid():
                continue
            tone = "danger" if problem.level == "error" else "warning"
            look = QTextCharFormat()
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            look.setUnderlineColor(QColor(self._theme.color(f"{tone}.text")))
            look.setBackground(QColor(self._theme.color(f"{tone}.subtle")))
            first, last = (
                _units(block.text(), at) for at in marked_part(block.text(), problem.column)
            )
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + first)
            cursor.setPosition(block.position() + last, QTextCursor.MoveMode.KeepAnchor)
            self._problems.append((problem, cursor, look))
        self._refresh_selections()

    def problem_lines(self) -> list[tuple[int, LineProblem]]:
        return [(_line_of(cursor), problem) for problem, cursor, _ in self._problems]

    def _told(self, at: QPoint) -> str:
        line = self._edit.cursorForPosition(at).blockNumber() + 1
        return told_at([problem for where, problem in self.problem_lines() if where == line])

    def reveal_end(self) -> None:
        bar = self._edit.verticalScrollBar()
        bar.setValue(bar.maximum())

    def reveal_line(self, line: int) -> None:
        self._edit.verticalScrollBar().setValue(line)

    def go_to(self, line: int, column: int = 1) -> None:
        block = self._edit.document().findBlockByNumber(line - 1)
        if block.isValid():
            cursor = QTextCursor(block)
            cursor.movePosition(
                QTextCursor.MoveOperation.Right, n=min(column - 1, block.length() - 1)
            )
            self._edit.setTextCursor(cursor)
            self._edit.centerCursor()

    def cursor(self) -> tuple[int, int]:
        cursor = self._edit.textCursor()
        return cursor.blockNumber() + 1, cursor.positionInBlock() + 1

    def find_all(self, needle: str, *, match_case: bool) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        if not needle:
            return found
        flags = (
            QTextDocument.FindFlag.FindCaseSensitively if match_case else QTextDocument.FindFlag(0)
        )
        document = self._edit.document()
        cursor = document.find(needle, 0, flags)
        while not cursor.isNull() and len(found) < _FOUND_LIMIT:
            found.append(
                (self._position(cursor.selectionStart()), self._position(cursor.selectionEnd()))
            )
            cursor = document.find(needle, cursor, flags)
        return found

    def select(self, start: int, end: int) -> None:
        cursor = self._edit.textCursor()
        cursor.setPosition(self._units(start))
        cursor.setPosition(self._units(end), QTextCursor.MoveMode.KeepAnchor)
        self._edit.setTextCursor(cursor)

    def selection(self) -> tuple[int, int]:
        cursor = self._edit.textCursor()
        return self._position(cursor.selectionStart()), self._position(cursor.selectionEnd())

    def selected_text(self) -> str:
        return self._edit.textCursor().selectedText()

    def zoom(self, steps: int) -> None:
        if steps:
            self._edit.zoomIn(steps)
        else:
            self._edit.setFont(self._theme.font("code"))

    def can(self, command: EditCommand) -> bool:
        match command:
            case "undo":
                return self._edit.document().isUndoAvailable()
            case "redo":
                return self._edit.document().isRedoAvailable()
            case "paste":
                return self._edit.canPaste()
            case "select_all":
                return True
            case _:
                return self._edit.textCursor().hasSelection()

    def do(self, command: EditCommand) -> None:
        name = "selectAll" if command == "select_all" else command
        getattr(self._edit, name)()

    def set_tab_moves_focus(self, *, on: bool) -> None:
        self._watch.tab_moves_focus = on

    def close(self) -> None:
        self._watch.stop()
        self._hover.stop()
        self._edit.deleteLater()

    def _bytes(self) -> bytes:
        return self._edit.toPlainText().encode("utf-8", "replace")

    def _units(self, position: int) -> int:
        """Turn a UTF-8 position of the known text into Qt's UTF-16 one."""
        return len(self._known[:position].decode("utf-8", "ignore").encode("utf-16-le")) // 2

    def _position(self, units: int) -> int:
        text = self._edit.toPlainText().encode("utf-16-le")[: units * 2]
        return len(text.decode("utf-16-le", "ignore").encode())

    def _on_text_changed(self) -> None:
        self._signals.text_changed.emit()
        if self._silent:
            return
        before, self._known = self._known, self._bytes()
        position, removed, inserted = differing_middle(before, self._known)
        if removed:
            self._signals.edited.emit(position, removed, "")
        if inserted:
            self._signals.edited.emit(position, 0, inserted.decode("utf-8", "replace"))

    def _show_marks(
        self,
        lines: list[range],
        kept: list[QTextEdit.ExtraSelection],
        mark: LineMark = "writing",
    ) -> None:
        tint = QTextCharFormat()
        tint.setBackground(QColor(self._theme.color(_TONES[mark])))
        tint.setProperty(QTextCharFormat.Property.FullWidthSelection, True)
        self._marks = list(kept)
        for line in (line for one in lines for line in one):
            cursor = QTextCursor(self._edit.document().findBlockByNumber(line))
            self._marks.append(_selection(cursor, tint))
        self._refresh_selections()

    def _refresh_selections(self) -> None:
        problems = [_selection(cursor, look) for _, cursor, look in self._problems]
        self._edit.setExtraSelections([*self._marks, *problems])


def _units(text: str, characters: int) -> int:
    """Turn characters of a line into Qt's UTF-16 units."""
    return len(text[:characters].encode("utf-16-le")) // 2


def _selection(cursor: QTextCursor, look: QTextCharFormat) -> QTextEdit.ExtraSelection:
    made = QTextEdit.ExtraSelection()
    # To be set, never to be read: PySide keeps what it reads, also when the selection is gone.
    made.cursor, made.format = cursor, look
    return made


def _line_of(cursor: QTextCursor) -> int:
    return cursor.document().findBlock(cursor.selectionStart()).blockNumber() + 1
