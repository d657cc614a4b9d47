"""A switch, for settings that apply at once."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton

from vibedesk.ui.theme.theme import Theme

_WIDTH, _HEIGHT = 34, 20
_RING = 3
"""Room around the track for the ring of the keyboard's focus."""
_INSET = 3.5


class Switch(QAbstractButton):
    """On or off; `clicked` tells what a person did, `setChecked` alone tells nobody of them."""

    def __init__(self, theme: Theme, accessible_name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setCheckable(True)
        self.setAccessibleName(accessible_name)
        self.setFixedSize(self.sizeHint())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH + 2 * _RING, _HEIGHT + 2 * _RING)

    def paintEvent(self, event: QPaintEvent) -> None:
        on, colour = self.isChecked(), self._theme.color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(_RING, _RING, _WIDTH, _HEIGHT).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(colour("accent.solid" if on else "border.control"), 1))
        painter.setBrush(colour("accent.solid" if on else "bg.pressed"))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        knob = QRectF(track).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        knob.setWidth(knob.height())
        if on:
            knob.moveRight(track.right() - _INSET)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("text.on_accent" if on else "text.secondary"))
        painter.drawEllipse(knob)
        if self.hasFocus():
            ring = track.adjusted(-2.5, -2.5, 2.5, 2.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("accent.focus"), 2))
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
