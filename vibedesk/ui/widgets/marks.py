"""Small painted marks: the product's own, and the colours of an app."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLayout, QVBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout

_MARK_GRID = 28
_STRIPE = 4.5


def paint_mark(painter: QPainter, theme: Theme, rect: QRectF) -> None:
    """Paint the product mark into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / _MARK_GRID, rect.height() / _MARK_GRID)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("brand.tile"))
    painter.drawRoundedRect(QRectF(0, 0, _MARK_GRID, _MARK_GRID), 8, 8)
    stroke = QPainterPath(QPointF(7.2, 9.2))
    stroke.lineTo(12.3, 19.1)
    stroke.cubicTo(12.8, 20.1, 14.3, 20.1, 14.8, 19.1)
    stroke.lineTo(17.7, 13.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(
        QPen(
            theme.color("brand.stroke"),
            2.6,
            Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.RoundCap,
            Qt.PenJoinStyle.RoundJoin,
        )
    )
    painter.drawPath(stroke)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("brand.dot"))
    painter.drawEllipse(QPointF(19.9, 8.9), 2.5, 2.5)
    painter.restore()


class Mark(QWidget):
    """The product mark."""

    def __init__(self, theme: Theme, size: int = 28) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_mark(QPainter(self), self._theme, QRectF(self.rect()))


class Swatch(QWidget):
    """One colour of an app, with its value as tool tip and name."""

    def __init__(self, theme: Theme, colour: str, size: int = 26) -> None:
        super().__init__()
        self._theme = theme
        self._colour = QColor(colour)
        self.setFixedSize(size, size)
        self.setToolTip(colour)
        self.setAccessibleName(self.tr("Colour {value}").format(value=colour))
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("border.strong"), 1))
        painter.setBrush(self._colour)
        radius = min(6.5, self.width() / 4)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


def stripe_colours(palette: Sequence[str]) -> list[QColor]:
    """Return the valid colours of an app's palette, in order."""
    return [colour for colour in map(QColor, palette) if colour.isValid()]


class TopStripeCard(QFrame):
    """A card whose first pixels show an app's palette, clipped to the card's radius."""

    def __init__(self, theme: Theme, palette: Sequence[str] = ()) -> None:
        super().__init__()
        self._theme = theme
        self._colours = stripe_colours(palette)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 5, 1, 1)
        self._column.setSpacing(0)
        theme.changed.connect(self.update)

    @property
    def column(self) -> QVBoxLayout:
        """The layout to fill, from top to bottom."""
        return self._column

    def set_palette(self, palette: Sequence[str]) -> None:
        self._colours = stripe_colours(palette)
        self.update()

    def add(self, item: QWidget | QLayout) -> None:
        if isinstance(item, QWidget):
            self._column.addWidget(item)
        else:
            add_layout(self._column, item)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 9, 9)
        painter.fillPath(outline, self._theme.color("bg.raised"))
        painter.save()
        painter.setClipPath(outline)
        paint_stripe(painter, QRectF(0, 0, self.width(), _STRIPE), self._colours)
        painter.restore()
        painter.setPen(QPen(self._theme.color("border.default"), 1))
        painter.drawPath(outline)


def paint_stripe(painter: QPainter, rect: QRectF, colours: Sequence[QColor]) -> None:
    """Paint colours side by side; the first takes a double share."""
    if not colours:
        return
    unit = rect.width() / (len(colours) + 1)
    left = rect.left()
    for index, colour in enumerate(colours):
        width = unit * (2 if index == 0 else 1)
        painter.fillRect(QRectF(left, rect.top(), width + 1, rect.height()), colour)
        left += width
