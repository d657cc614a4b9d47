"""How much of something is used: now as a bar, and over the last while as a small curve."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme

Point = tuple[float, float]
"""When, from 0 (the oldest shown) to 1 (now), and how much, from 0 to 1."""

_BAR = 4
_TIGHT = 0.9
_FILL = 0.22


class Sparkline(QWidget):
    """A curve of the last while without axes; the words that say it stand beside it.

    Args:
        theme: The look.
        tone: Colour of the curve.
        size: What it takes at least; it grows sideways with its place if `grows`.
        grows: Whether it does, with a ground line and a tint below the curve.
    """

    def __init__(
        self,
        theme: Theme,
        tone: str,
        size: QSize,
        *,
        grows: bool = False,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self._hint = size
        self._grows = grows
        self._points: tuple[Point, ...] = ()
        across = QSizePolicy.Policy.Expanding if grows else QSizePolicy.Policy.Fixed
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)

    @property
    def points(self) -> Sequence[Point]:
        return self._points

    def set_points(self, points: Sequence[Point]) -> None:
        """Show these, oldest first."""
        if tuple(points) != self._points:
            self._points = tuple(points)
            self.update()

    def sizeHint(self) -> QSize:
        return self._hint

    def minimumSizeHint(self) -> QSize:
        return self._hint

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1.5, -1, -1.5)
        if self._grows:
            painter.setPen(QPen(self._theme.color("chart.grid"), 1))
            ground = area.bottom() + 0.5
            painter.drawLine(QPointF(0, ground), QPointF(self.width(), ground))
        curve = self._curve(area)
        if len(curve) < 2:
            return
        if self._grows and not self._theme.high_contrast:
            self._paint_tint(painter, area, curve)
        pen = QPen(self._theme.color(self._tone), 1.5 if self._grows else 1.3)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(curve))

    def _curve(self, area: QRectF) -> list[QPointF]:
        return [
            QPointF(
                area.left() + min(1.0, max(0.0, when)) * area.width(),
                area.bottom() - min(1.0, max(0.0, much)) * area.height(),
            )
            for when, much in self._points
        ]

    def _paint_tint(self, painter: QPainter, area: QRectF, curve: list[QPointF]) -> None:
        below = QPainterPath(QPointF(curve[0].x(), area.bottom()))
        for point in curve:
            below.lineTo(point)
        below.lineTo(QPointF(curve[-1].x(), area.bottom()))
        tint, clear = self._theme.color(self._tone), self._theme.color(self._tone)
        tint.setAlphaF(_FILL)
        clear.setAlphaF(0.02)
        fade = QLinearGradient(0, area.top(), 0, area.bottom())
        fade.setColorAt(0.0, tint)
        fade.setColorAt(1.0, clear)
        painter.fillPath(below, fade)


class ShareBar(QWidget):
    """A part of a whole as a bar of four pixels; amber when little is left."""

    def __init__(self, theme: Theme, tone: str = "accent.solid") -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self._share = 0.0
        self.setFixedHeight(_BAR)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def share(self) -> float:
        return self._share

    def set_share(self, share: float) -> None:
        """Show a share from 0 to 1."""
        self._share = min(1.0, max(0.0, share))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        painter.setBrush(self._theme.color("bg.pressed"))
        painter.drawRoundedRect(whole, _BAR / 2, _BAR / 2)
        if self._share > 0:
            tone = "warning.solid" if self._share >= _TIGHT else self._tone
            painter.setBrush(self._theme.color(tone))
            done = QRectF(0, 0, max(_BAR, whole.width() * self._share), _BAR)
            painter.drawRoundedRect(done, _BAR / 2, _BAR / 2)
