"""Finding words in the open file."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit

from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import label, set_look, set_tone


class FindBar(QFrame):
    """Field, count, next, previous. Enter goes on, Shift Enter back, Esc closes."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "crumbs")
        self._editor: CodeEditor | None = None
        self._found: list[tuple[int, int]] = []
        self._index = -1
        self._field = QLineEdit()
        self._field.setProperty("kind", "toolbar")
        self._field.setPlaceholderText(self.tr("Find"))
        self._field.setAccessibleName(self.tr("Find in this file"))
        self._field.setMaximumWidth(280)
        self._field.textChanged.connect(self._search)
        self._field.installEventFilter(self)
        self._count = label("", tone="muted", fs="small")
        self._case = icon_button(
            theme, "text-aa", self.tr("Match case"), small=True, checkable=True
        )
        self._case.toggled.connect(self._search)
        back = icon_button(
            theme, "caret-up", self.tr("Previous"), small=True, shortcut="Shift+Enter"
        )
        back.clicked.connect(lambda: self._step(-1))
        on = icon_button(theme, "caret-down", self.tr("Next"), small=True, shortcut="Enter")
        on.clicked.connect(lambda: self._step(1))
        close = icon_button(theme, "x", self.tr("Close"), small=True, shortcut="Esc")
        close.clicked.connect(self.hide)
        self.setLayout(
            hbox(
                (self._field, 1),
                self._count,
                None,
                self._case,
                back,
                on,
                close,
                gap=4,
                margins=(12, 3, 8, 3),
            )
        )
        self.setFixedHeight(34)
        self.hide()

    def open_for(self, editor: CodeEditor) -> None:
        """Show the bar, with the editor's selection as first guess."""
        self.set_editor(editor)
        chosen = editor.selected_text()
        if chosen and "\n" not in chosen:
            self._field.setText(chosen)
        self.show()
        self._field.setFocus()
        self._field.selectAll()
        self._search()

    def set_editor(self, editor: CodeEditor | None) -> None:
        """Search in another editor from now on."""
        if self._editor is not None and self._editor is not editor and self.isVisible():
            self._editor.find_all("", match_case=False)
        self._editor = editor
        if self.isVisible():
            self._search()

    def forget(self, editor: CodeEditor) -> None:
        """Let go of an editor that is about to close."""
        if self._editor is editor:
            self._editor = None

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._editor is not None:
            self._editor.find_all("", match_case=False)
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                backwards = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                self._step(-1 if backwards else 1)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
        return False

    def _search(self) -> None:
        if self._editor is None:
            return
        needle = self._field.text()
        self._found = self._editor.find_all(needle, match_case=self._case.isChecked())
        self._index = -1
        set_look(self._field, "invalid", bool(needle) and not self._found)
        if self._found:
            self._step(1)
        else:
            self._count.setText(self.tr("Nothing found") if needle else "")
            set_tone(self._count, "danger" if needle else "muted")

    def _step(self, step: int) -> None:
        if not self._found or self._editor is None:
            return
        self._index = (self._index + step) % len(self._found)
        self._editor.select(*self._found[self._index])
        set_tone(self._count, "muted")
        self._count.setText(
            self.tr("{index} of {count}").format(index=self._index + 1, count=len(self._found))
        )
