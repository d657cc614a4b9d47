"""Tinted SVG icons, drawn when they are first shown and never before."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import shiboken6
from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from vibedesk.base.resources import resource

Tint = Callable[[QIcon.Mode, QIcon.State], QColor]
"""Gives an icon's colour at the moment of painting, so that it follows the theme."""


@lru_cache(maxsize=2048)
def tinted_pixmap(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    """Return an icon in one colour (`#AARRGGBB`, as Qt names it) at `size` device-independent pixels.

    Raises:
        FileNotFoundError: There is no such icon.
    """
    tint = QColor(colour)
    source = _source(name).replace("currentColor", tint.name())
    renderer = QSvgRenderer(QByteArray(source.encode()))
    edge = round(size * ratio)
    pixmap = QPixmap(QSize(edge, edge))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(tint.alphaF())
    renderer.render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=256)
def require_icon(name: str) -> None:
    """Raise FileNotFoundError now rather than while painting."""
    path = resource("icons", f"{name}.svg")
    if not path.is_file():
        raise FileNotFoundError(path)


def pixel_ratio(painter: QPainter) -> float:
    """Return how many device pixels a painter's pixel has.

    `painter.device()` would tell too, but makes PySide set up every class it could be: 10 ms at start.
    """
    return max(1.0, abs(painter.deviceTransform().m11()))


class TintedIconEngine(QIconEngine):
    """Draws one icon, or another while it is on, in the colour asked for at paint time."""

    def __init__(self, name: str, name_on: str, own_size: int, tint: Tint) -> None:
        super().__init__()
        self._name = name
        self._name_on = name_on
        self._own_size = own_size
        self._tint = tint

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        edge = _edge(rect.size())
        target = QRect(0, 0, edge, edge)
        target.moveCenter(rect.center())
        painter.drawPixmap(target, self._tinted(edge, pixel_ratio(painter), mode, state))

    def availableSizes(  # noqa: N802
        self, mode: QIcon.Mode = QIcon.Mode.Normal, state: QIcon.State = QIcon.State.Off
    ) -> list[QSize]:
        return [QSize(self._own_size, self._own_size)]

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        # Qt asks in device pixels and gives the pixmap its ratio afterwards.
        return self._tinted(_edge(size), 1.0, mode, state)

    def clone(self) -> QIconEngine:
        made = TintedIconEngine(self._name, self._name_on, self._own_size, self._tint)
        _leave_to_qt(made)
        return made

    def _tinted(self, edge: int, ratio: float, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        name = self._name_on if state == QIcon.State.On else self._name
        colour = self._tint(mode, state).name(QColor.NameFormat.HexArgb)
        return tinted_pixmap(name, colour, edge, ratio)


def _leave_to_qt(engine: QIconEngine) -> None:
    """Let Qt decide when an engine ends.

    PySide hands over what an icon is made of, but not what `clone` returns: that would end at once. So an icon is made
    of it and then forgotten rather than destroyed, since it would take the engine along: some bytes for each clone.
    """
    shiboken6.invalidate(QIcon(engine))


def _edge(size: QSize) -> int:
    return max(1, min(size.width(), size.height()))
