"""Fields that look like the words in them until they are pointed at or written in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextOption
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QSizePolicy, QWidget

_FRAME = 4
_SCROLLED_OFF = Qt.ScrollBarPolicy.ScrollBarAlwaysOff


class QuietText(QPlainTextEdit):
    """Text that wraps and is as high as its lines. Tab leaves it, and Enter where it is one paragraph.

    Args:
        text: What it says.
        name: What screen readers call it.
        lines: Whether it may have more than one line; then Enter begins one.
    """

    def __init__(self, text: str, name: str, *, lines: bool = False) -> None:
        super().__init__()
        self._lines = lines
        self._given = self._as_shown = ""
        self.setProperty("kind", "quiet")
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(_SCROLLED_OFF)
        self.setHorizontalScrollBarPolicy(_SCROLLED_OFF)
        self.document().setDocumentMargin(2)
        self.setMinimumWidth(40)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.textChanged.connect(self.refit)
        self.set_text(text)
        self.refit()

    def text(self) -> str:
        """Return what is written; the very text that was given while nobody changed it."""
        shown = self.toPlainText()
        if shown == self._as_shown:
            return self._given
        return shown.strip() if self._lines else " ".join(shown.split())

    def set_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)
        self._given, self._as_shown = text, self.toPlainText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._lines:
            self.focusNextChild()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refit()

    def refit(self) -> None:
        """Take the height of the lines."""
        # A plain text document measures its height in lines.
        lines = max(1, round(self.document().size().height()))
        margin = round(2 * self.document().documentMargin())
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + margin + _FRAME)


def quiet_field(text: str, name: str, *, fs: str = "body", strong: str = "false") -> QLineEdit:
    """Return a field of one line."""
    field = QLineEdit(text)
    field.setProperty("kind", "quiet")
    field.setProperty("fs", fs)
    field.setProperty("strong", strong)
    field.setAccessibleName(name)
    field.setCursorPosition(0)
    field.setMinimumWidth(40)
    field.setToolTip(text)
    field.textChanged.connect(field.setToolTip)
    return field


def written(field: QLineEdit, given: str) -> str:
    """Return what a field says: `given` as it was while nobody wrote in it."""
    return field.text().strip() if field.isModified() else given


def set_editable(field: QLineEdit | QuietText, editable: bool) -> None:
    """Let a person write in a field, or only read and copy."""
    field.setReadOnly(not editable)
    focus = Qt.FocusPolicy.StrongFocus if editable else Qt.FocusPolicy.ClickFocus
    field.setFocusPolicy(focus)
    _polish(field)


def _polish(widget: QWidget) -> None:
    widget.style().unpolish(widget)
    widget.style().polish(widget)
