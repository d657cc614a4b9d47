"""The shadow under floating things, painted once for each size class and stretched after that."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.theme.tokens import tokens

SHADOW_ROOM = 24
"""Free space a floating widget needs around its card."""

_CORE = 8


def paint_shadow(painter: QPainter, theme: Theme, card: QRectF, radius: int) -> None:
    """Paint the shadow of a rounded card; the card itself is painted over it."""
    level = tokens()["elevation"]["3"]
    alpha = level["alpha_dark"] if theme.dark else level["alpha_light"]
    tile = _shadow_tile(radius, round(alpha * 255))
    _draw_nine(painter, tile, card, radius)


@lru_cache(maxsize=8)
def _shadow_tile(radius: int, alpha: int) -> QPixmap:
    """Return a shadow around a tiny card: its corners and edges are what is stretched."""
    room = SHADOW_ROOM
    edge = 2 * (room + radius) + _CORE
    tile = QPixmap(edge, edge)
    tile.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for step in range(room):
        # Rings add up, so a quadratic fall needs a share that falls linearly from ring to ring.
        share = 2.0 * (step + 1) / (room * room)
        painter.setBrush(QColor(0, 0, 0, max(1, round(alpha * share))))
        inset = step + 0.5
        painter.drawRoundedRect(
            QRectF(inset, inset, edge - 2 * inset, edge - 2 * inset),
            radius + room - step,
            radius + room - step,
        )
    painter.end()
    return tile


def _draw_nine(painter: QPainter, tile: QPixmap, card: QRectF, radius: int) -> None:
    offset = 4
    corner = SHADOW_ROOM + radius
    outer = card.adjusted(-SHADOW_ROOM, -SHADOW_ROOM, SHADOW_ROOM, SHADOW_ROOM).toRect()
    outer.translate(0, offset)
    source = (0, corner, tile.width() - corner, tile.width())
    columns = (outer.left(), outer.left() + corner, outer.right() + 1 - corner, outer.right() + 1)
    rows = (outer.top(), outer.top() + corner, outer.bottom() + 1 - corner, outer.bottom() + 1)
    for i in range(3):
        for j in range(3):
            target = QRect(columns[i], rows[j], columns[i + 1] - columns[i], rows[j + 1] - rows[j])
            piece = QRect(
                source[i], source[j], source[i + 1] - source[i], source[j + 1] - source[j]
            )
            painter.drawPixmap(target, tile, piece)
