"""Shows the prose of a message, and never loads anything that it names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser

from vibedesk.ui.chat.document_writer import DocumentEnd, DocumentWriter
from vibedesk.ui.chat.markdown import ProseBlock
from vibedesk.ui.theme.theme import Theme


class RichText(QTextBrowser):
    """Formatted text as high as its lines; selectable; links are reported, never followed.

    Nothing is loaded, whatever the text names: no picture, no file, no page.
    """

    link_activated = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._blocks: Sequence[ProseBlock] = ()
        self._writer: DocumentWriter | None = None
        self._ends: list[DocumentEnd] = []
        self.setProperty("role", "prose")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        # Qt puts the extra leading of a line above its text; the negative margin splits it.
        self.setViewportMargins(0, -2, 0, 0)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.anchorClicked.connect(self._on_anchor_clicked)
        theme.changed.connect(self._render)

    def set_blocks(self, blocks: Sequence[ProseBlock]) -> None:
        """Show these; what stands before the first that is new is not laid out again."""
        same = 0
        for before, after in zip(self._blocks, blocks, strict=False):
            if before is not after and before != after:
                break
            same += 1
        self._blocks = blocks
        self._write_from(same)

    def loadResource(self, kind: int, name: QUrl | str) -> None:  # noqa: N802
        return None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        document = self.document()
        before = document.textWidth()
        if before != width:
            document.setTextWidth(width)
        height = math.ceil(document.size().height())
        if before != width:
            document.setTextWidth(before)
        return height

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(self.width() if self.width() > 0 else 300))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._theme.line_height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def _render(self) -> None:
        self._write_from(0)

    def _write_from(self, first: int) -> None:
        document = self.document()
        if self._writer is None or first == 0:
            document.clear()
            document.setDocumentMargin(0)
            document.setDefaultFont(self._theme.font("body"))
            document.setIndentWidth(18)
            self._writer = DocumentWriter(document, self._theme)
            self._ends = [self._writer.end()]
        else:
            self._writer.go_back(self._ends[first])
            del self._ends[first + 1 :]
        for block in self._blocks[first:]:
            self._writer.write(block.tokens)
            self._ends.append(self._writer.end())
        focus = Qt.FocusPolicy.StrongFocus if self._writer.has_link else Qt.FocusPolicy.ClickFocus
        self.setFocusPolicy(focus)
        self.setAccessibleName(document.toPlainText())
        self.updateGeometry()

    def _on_anchor_clicked(self, url: QUrl) -> None:
        self.link_activated.emit(url.toString())
