"""Running text with the line height of the type scale: wraps, can be selected, has links."""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.labels import Tone

_Source = Literal["plain", "markdown"]
_LEADING_ABOVE = 2
_LIST_INDENT = 20
_LIST_GAP = 2
_GAP = 8


class Prose(QTextBrowser):
    """Text as high as its lines at the width it gets. It never scrolls; what holds it does.

    Only plain text and Markdown are taken, so that nothing a model wrote is read as HTML.
    """

    link_activated = Signal(str)

    def __init__(self, theme: Theme, tone: Tone = "primary", role: str = "body") -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self._role = role
        self._source: tuple[_Source, str] = ("plain", "")
        self.setProperty("role", "prose")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.anchorClicked.connect(lambda url: self.link_activated.emit(url.toString()))
        self.document().setDocumentMargin(0)
        # Qt puts the extra leading of a line above its text; the negative margin splits it.
        self.setViewportMargins(0, -_LEADING_ABOVE, 0, 0)
        # Never Fixed: it would cap the height at the hint of another width and cut the last line.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._render)
        self._render()

    def set_text(self, text: str) -> None:
        """Show plain text; line ends are kept."""
        self._source = ("plain", text)
        self._render()

    def set_markdown(self, markdown: str) -> None:
        """Show Markdown; embedded HTML is shown as the text it is."""
        self._source = ("markdown", markdown)
        self._render()

    def text(self) -> str:
        return self.toPlainText()

    def ideal_width(self) -> int:
        """Return the width at which nothing has to wrap."""
        document = self.document().clone()
        document.setTextWidth(-1)
        return math.ceil(document.idealWidth()) + 1

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        document = self.document()
        before = document.textWidth()
        document.setTextWidth(width)
        height = math.ceil(document.size().height())
        document.setTextWidth(before)
        return height

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(self.width() if self.width() > 0 else 300))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._theme.line_height(self._role))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def _render(self) -> None:
        kind, text = self._source
        document = self.document()
        document.setDefaultFont(self._theme.font(self._role))
        if kind == "markdown":
            features = QTextDocument.MarkdownFeature
            document.setMarkdown(text, features.MarkdownDialectGitHub | features.MarkdownNoHTML)
        else:
            document.setPlainText(text)
        self._set_line_height()
        self._set_colours()
        has_link = _has_link(document)
        policy = Qt.FocusPolicy.StrongFocus if has_link else Qt.FocusPolicy.ClickFocus
        self.setFocusPolicy(policy)
        self.setAccessibleName(document.toPlainText())
        self.updateGeometry()

    def _set_line_height(self) -> None:
        self.document().setIndentWidth(_LIST_INDENT)
        block = self.document().begin()
        while block.isValid():
            format_ = QTextBlockFormat()
            format_.setLineHeight(
                self._theme.line_height(self._role),
                QTextBlockFormat.LineHeightTypes.FixedHeight.value,
            )
            last = not block.next().isValid()
            in_list = block.textList() is not None
            gap = 0 if last or self._source[0] == "plain" else _LIST_GAP if in_list else _GAP
            format_.setTopMargin(0)
            format_.setBottomMargin(gap)
            QTextCursor(block).mergeBlockFormat(format_)
            block = block.next()

    def _set_colours(self) -> None:
        """Give every piece its colour; code its font, because Markdown names one of its own."""
        quiet = self._tone in ("primary", "secondary", "muted")
        ink = self._theme.color(f"text.{self._tone}" if quiet else f"{self._tone}.text")
        block = self.document().begin()
        while block.isValid():
            pieces = block.begin()
            while not pieces.atEnd():
                fragment = pieces.fragment()
                cursor = QTextCursor(self.document())
                cursor.setPosition(fragment.position())
                cursor.setPosition(
                    fragment.position() + fragment.length(), QTextCursor.MoveMode.KeepAnchor
                )
                cursor.mergeCharFormat(self._format_for(fragment.charFormat(), ink))
                pieces += 1
            block = block.next()

    def _format_for(self, present: QTextCharFormat, ink: QColor) -> QTextCharFormat:
        wanted = QTextCharFormat()
        if present.isAnchor():
            wanted.setForeground(self._theme.color("text.link"))
        else:
            wanted.setForeground(ink)
        if present.fontFixedPitch():
            code = self._theme.font("code_sm")
            wanted.setFontFamilies([code.family()])
            wanted.setProperty(QTextCharFormat.Property.FontPixelSize, code.pixelSize())
            wanted.setBackground(self._theme.color("bg.hover"))
        if present.fontWeight() >= QFont.Weight.Bold:
            wanted.setFontWeight(QFont.Weight.DemiBold)
        return wanted


def _has_link(document: QTextDocument) -> bool:
    return any(format_.toCharFormat().isAnchor() for format_ in document.allFormats())
