"""A panel that lies over its neighbours: the chat drawer and the file flyout of narrow windows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.shadow import SHADOW_ROOM, paint_shadow


class Overlay(QWidget):
    """Covers the left part of `host`, as high as it. Escape closes it."""

    closed = Signal()

    def __init__(self, theme: Theme, host: QWidget, width: int) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self._wanted_width = width
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1 + SHADOW_ROOM, 1)
        host.installEventFilter(self)
        theme.changed.connect(self.update)
        self.hide()

    def take(self, widget: QWidget) -> None:
        """Take a panel in; it leaves when another layout takes it."""
        self._column.addWidget(widget)
        widget.show()

    def open(self) -> None:
        self._place()
        self.show()
        self.raise_()

    def close_over(self) -> None:
        """Close it, if it is open, and say so."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_over()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(self.rect()).adjusted(0, 0, -SHADOW_ROOM, 0)
        radius = self._theme.radius("lg")
        paint_shadow(painter, self._theme, card, radius)
        painter.setBrush(self._theme.color("bg.surface"))
        painter.setPen(QPen(self._theme.color("border.strong"), 1))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def _place(self) -> None:
        width = min(self._wanted_width, self._host.width())
        self.setGeometry(0, 0, width + SHADOW_ROOM, self._host.height())
