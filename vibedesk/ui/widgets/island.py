"""The rounded panel everything lives in, and the gap between two of them that moves their border."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QSplitter, QSplitterHandle, QVBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme


class _Place(IntEnum):
    TOP_LEFT = 0
    TOP_RIGHT = 1
    BOTTOM_LEFT = 2
    BOTTOM_RIGHT = 3

    @property
    def right(self) -> bool:
        return self in (_Place.TOP_RIGHT, _Place.BOTTOM_RIGHT)

    @property
    def bottom(self) -> bool:
        return self in (_Place.BOTTOM_LEFT, _Place.BOTTOM_RIGHT)


class _Corner(QWidget):
    """Covers the square corner of a child that cannot be clipped, such as an editor or a web page.

    One overlay over the whole island would make Qt blend the whole web page in every frame.
    """

    def __init__(self, parent: QWidget, theme: Theme, place: _Place) -> None:
        super().__init__(parent)
        self._theme = theme
        self._place = place
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        edge = theme.radius("lg")
        self.setFixedSize(edge, edge)
        theme.changed.connect(self.update)

    @property
    def place(self) -> _Place:
        return self._place

    def paintEvent(self, event: QPaintEvent) -> None:
        edge = self._theme.radius("lg")
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = -edge if self._place.right else 0
        top = -edge if self._place.bottom else 0
        square, round_ = QPainterPath(), QPainterPath()
        square.addRect(QRectF(0, 0, edge, edge))
        round_.addRoundedRect(
            QRectF(left + 0.5, top + 0.5, 2 * edge - 1, 2 * edge - 1), edge - 0.5, edge - 0.5
        )
        painter.fillPath(square.subtracted(round_), self._theme.color("bg.canvas"))
        painter.setPen(QPen(self._theme.color("border.island"), 1))
        painter.drawPath(round_)


class Island(QFrame):
    """A rounded panel on the canvas. Its children stay inside its border and corners."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "island")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._column.setSpacing(0)
        self._corners = [_Corner(self, theme, place) for place in _Place]

    @property
    def column(self) -> QVBoxLayout:
        """The layout to fill, from top to bottom."""
        return self._column

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        self._column.addWidget(widget, stretch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        edge = self._corners[0].width()
        for corner in self._corners:
            corner.move(
                self.width() - edge if corner.place.right else 0,
                self.height() - edge if corner.place.bottom else 0,
            )
            corner.raise_()


class _GapHandle(QSplitterHandle):
    """The gap between islands; it shows a line only while hovered or dragged."""

    def __init__(self, orientation: Qt.Orientation, parent: GapSplitter, theme: Theme) -> None:
        super().__init__(orientation, parent)
        self._splitter = parent
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._splitter.gap_double_clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.underMouse():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("accent.focus"))
        area = QRectF(self.rect())
        middle = area.center()
        if self.orientation() == Qt.Orientation.Horizontal:
            line = QRectF(middle.x() - 1, area.top() + 12, 2, area.height() - 24)
        else:
            line = QRectF(area.left() + 12, middle.y() - 1, area.width() - 24, 2)
        painter.drawRoundedRect(line, 1, 1)


class GapSplitter(QSplitter):
    """A splitter whose handle is the gap; nothing can be dragged to zero by accident."""

    gap_double_clicked = Signal()

    def __init__(self, orientation: Qt.Orientation, theme: Theme) -> None:
        self._theme = theme
        super().__init__(orientation)
        self.setHandleWidth(theme.size("gap"))
        self.setChildrenCollapsible(False)

    def createHandle(self) -> QSplitterHandle:  # noqa: N802
        return _GapHandle(self.orientation(), self, self._theme)
