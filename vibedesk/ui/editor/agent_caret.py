"""The block that shows where VibeDesk is writing, laid over an editor's text."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from vibedesk.ui.theme.theme import Theme

_WIDTH = 8


class AgentCaret(QWidget):
    """Lies over the editor's viewport and lets the mouse through."""

    def __init__(self, theme: Theme, viewport: QWidget) -> None:
        super().__init__(viewport)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(self.tr("VibeDesk is editing here"))
        self.hide()

    def set_shown(self, *, shown: bool) -> None:
        self.setVisible(shown)

    def place(self, x: int, y: int, height: int) -> None:
        self.setGeometry(x, y + 1, _WIDTH, max(2, height - 2))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("live.solid"))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
