"""Code inside a message: a well with its language, and a button that copies it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetricsF, QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import label

_MOST_HEIGHT = 360
_PADDING = 10


class CodeBlockView(QFrame):
    """Read-only code with its own scroll bars; long blocks do not stretch the conversation."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "well")
        self._language = label("", tone="muted", fs="caption")
        copy = icon_button(theme, "copy", self.tr("Copy code"), size=14, small=True)
        copy.clicked.connect(self.copy)
        self._code = QPlainTextEdit()
        self._code.setProperty("role", "snippet")
        self._code.setReadOnly(True)
        self._code.setTabChangesFocus(True)
        self._code.setFrameShape(QFrame.Shape.NoFrame)
        self._code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._code.document().setDocumentMargin(0)
        self._code.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        head = hbox(self._language, None, copy, margins=(_PADDING, 2, 4, 0))
        body = hbox(self._code, margins=(_PADDING, 0, 2, 6))
        self.setLayout(vbox(head, body, gap=0, margins=(1, 1, 1, 1)))
        theme.changed.connect(self._fit)
        self._fit()

    def set_code(self, language: str, text: str) -> None:
        self._language.setText(language)
        self._code.setAccessibleName(
            self.tr("Code, {language}").format(language=language) if language else self.tr("Code")
        )
        before = self._code.toPlainText()
        if text.startswith(before) and before:
            cursor = self._code.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            cursor.insertText(text[len(before) :])
        elif text != before:
            self._code.setPlainText(text)
        self._fit()

    def text(self) -> str:
        return self._code.toPlainText()

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())

    def sizeHint(self) -> QSize:
        return QSize(240, super().sizeHint().height())

    def _fit(self) -> None:
        font = self._theme.font("code_sm")
        self._code.setFont(font)
        lines = QFontMetricsF(font).lineSpacing() * self._code.blockCount()
        scroll_bar = self._theme.size("scrollbar") if self._is_wide() else 0
        self._code.setFixedHeight(min(_MOST_HEIGHT, round(lines) + scroll_bar + 4))
        self.updateGeometry()

    def _is_wide(self) -> bool:
        """Return whether some line may not fit the narrowest chat."""
        text = self._code.document()
        longest, block = 0, text.begin()
        while block.isValid():
            longest = max(longest, block.length())
            block = block.next()
        return longest > 34
