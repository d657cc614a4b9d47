"""Finding words in the open file."""

from __future__ import annotations

from bisect import bisect_left

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit

from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import label, set_look, set_tone

_PAUSE_MS = 150


class FindBar(QFrame):
    """Field, count, next, previous. Enter goes on, Shift Enter back, Esc closes.

    What is found is looked for again when the text has changed, whoever changed it; the cursor stays where it is.
    """

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "crumbs")
        self._editor: CodeEditor | None = None
        self._found: list[tuple[int, int]] = []
        self._stale = QTimer(self)
        self._stale.setSingleShot(True)
        self._stale.setInterval(_PAUSE_MS)
        self._stale.timeout.connect(self._refresh)
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

    def set_editor(self, editor: CodeEditor) -> None:
        """Search in another editor from now on."""
        if self._editor is not editor:
            self._let_go()
            self._editor = editor
            editor.signals.text_changed.connect(self._on_text_changed)
        if self.isVisible():
            self._search()

    def forget(self, editor: CodeEditor) -> None:
        """Let go of an editor that is about to close."""
        if self._editor is editor:
            self._let_go()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._stale.stop()
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

    def _let_go(self) -> None:
        self._stale.stop()
        self._found = []
        if self._editor is not None:
            self._editor.signals.text_changed.disconnect(self._on_text_changed)
            if self.isVisible():
                self._editor.find_all("", match_case=False)
        self._editor = None

    def _on_text_changed(self) -> None:
        if self.isVisible() and not self._stale.isActive():
            self._stale.start()

    def _search(self) -> None:
        """Look for another text, and go to the first place where it is."""
        self._find()
        self._go(0)

    def _refresh(self) -> None:
        """Look for the same text in the file as it reads now."""
        self._find()
        self._count_found()

    def _find(self) -> None:
        self._stale.stop()
        if self._editor is not None:
            needle = self._field.text()
            self._found = self._editor.find_all(needle, match_case=self._case.isChecked())

    def _step(self, step: int) -> None:
        if self._stale.isActive():
            self._find()
        at, on_one = self._place()
        self._go(at + on_one if step > 0 else at - 1)

    def _go(self, index: int) -> None:
        if self._found and self._editor is not None:
            self._editor.select(*self._found[index % len(self._found)])
        self._count_found()

    def _place(self) -> tuple[int, bool]:
        """Return how many of what is found begin before the selection, and whether the selection is the next one."""
        if self._editor is None:
            return 0, False
        selection = self._editor.selection()
        at = bisect_left(self._found, selection)
        return at, self._found[at : at + 1] == [selection]

    def _count_found(self) -> None:
        needed = bool(self._field.text())
        missing = needed and not self._found
        at, on_one = self._place()
        if on_one:
            words = self.tr("{index} of {count}").format(index=at + 1, count=len(self._found))
        elif self._found:
            words = self.tr("{count} found").format(count=len(self._found))
        else:
            words = self.tr("Nothing found") if needed else ""
        self._count.setText(words)
        set_tone(self._count, "danger" if missing else "muted")
        set_look(self._field, "invalid", missing)
