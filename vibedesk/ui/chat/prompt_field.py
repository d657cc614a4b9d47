"""The field a person writes a wish or a message in."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from vibedesk.ui.chat.pictures import offers_pictures, sources_in
from vibedesk.ui.theme.theme import Theme

_PADDING = 4


class PromptField(QPlainTextEdit):
    """Grows with its lines, then scrolls. Enter sends, Shift+Enter begins a line.

    Args:
        theme: The look.
        name: What screen readers call it.
        least: Lines that are always shown.
        most: Lines from which on it scrolls.
        font: A role of the type scale.
        pictures: Whether pasted and dropped pictures are offered; else only words are taken.
    """

    sent = Signal()
    given_up = Signal()
    """Escape was pressed."""
    last_requested = Signal()
    """Up was pressed in the empty field."""
    focus_changed = Signal(bool)
    images_offered = Signal(list)

    def __init__(
        self,
        theme: Theme,
        name: str,
        *,
        least: int,
        most: int,
        font: str = "body",
        pictures: bool = True,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._least, self._most = least, most
        self._font_role = font
        self._pictures = pictures
        self.setProperty("role", "prompt")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)
        self.document().setDocumentMargin(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        theme.changed.connect(self._dress)
        self._dress()

    def set_text(self, text: str) -> None:
        """Put text into the field, the cursor behind it."""
        self.setPlainText(text)
        self.moveCursor(self.textCursor().MoveOperation.End)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
            event.ignore()
        elif event.key() == Qt.Key.Key_Up and not self.toPlainText():
            self.last_requested.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802
        return self._offered(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802
        if self._offered(source):
            self.images_offered.emit(sources_in(source))
        else:
            super().insertFromMimeData(source)

    def _offered(self, mime: QMimeData) -> bool:
        return self._pictures and not self.isReadOnly() and offers_pictures(mime)

    def _dress(self) -> None:
        self.setFont(self._theme.font(self._font_role))
        self._fit()

    def _fit(self) -> None:
        # A plain text document measures its height in lines.
        lines = round(self.document().size().height())
        shown = max(self._least, min(self._most, lines))
        self.setFixedHeight(shown * self.fontMetrics().lineSpacing() + _PADDING)
        policy = Qt.ScrollBarPolicy
        scrolls = lines > self._most
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if scrolls else policy.ScrollBarAlwaysOff
        )
