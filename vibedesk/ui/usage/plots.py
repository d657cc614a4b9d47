"""Plots: stacked bars by day and bars of a share, painted; the first can be read by keyboard and screen reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.usage.figures import Column, Figure, Series, axis_steps
from vibedesk.ui.widgets.amounts import money

_AXIS_GAP = 10
_FOOT = 24
_TOP = 10
_MOST_BAR = 26
_LEAST_TICK = 34
_TIP_WIDTH = 204
_TIP_ROW = 20


class StackedBars(QWidget):
    """Bars made of series. Hover or the arrow keys show one bar's numbers."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._figure = Figure()
        self._words: Callable[[float], str] = money
        self._title = ""
        self._current = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    @property
    def current(self) -> int:
        """The bar whose numbers are shown; -1 for none."""
        return self._current

    def show_figure(self, title: str, figure: Figure, words: Callable[[float], str]) -> None:
        """Draw this; `words` says a value."""
        self._title, self._figure, self._words = title, figure, words
        self._current = -1
        self.setAccessibleName(title)
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(560, 260)

    # -- one bar ------------------------------------------------------------------------------------
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_current(self._column_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._set_current(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._set_current(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._figure.columns) - 1
        steps = {
            Qt.Key.Key_Left: max(0, self._current - 1) if self._current >= 0 else last,
            Qt.Key.Key_Right: min(last, self._current + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        target = steps.get(Qt.Key(event.key()))
        if target is None or last < 0:
            super().keyPressEvent(event)
        else:
            self._set_current(target)

    def _set_current(self, column: int) -> None:
        if column != self._current:
            self._current = column
            self._describe()
            self.update()

    def _describe(self) -> None:
        columns = self._figure.columns
        if 0 <= self._current < len(columns):
            words = self._said(columns[self._current])
        elif columns:
            highest = max(columns, key=lambda c: c.total)
            words = self.tr("{0} columns. The highest: {1}. Arrow keys read one by one.").format(
                len(columns), self._said(highest)
            )
        else:
            words = self.tr("Nothing to show.")
        self.setAccessibleDescription(words)

    def _said(self, column: Column) -> str:
        parts = [
            f"{series.label} {self._words(amount)}"
            for series, amount in zip(self._figure.series, column.values, strict=True)
            if amount
        ]
        return f"{column.title}: {self._words(column.total)}" + (
            f" ({', '.join(parts)})" if len(parts) > 1 else ""
        )

    # -- painting -----------------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font("caption"))
        lines = axis_steps(self._figure.highest)
        area = self._area(lines)
        self._paint_grid(painter, area, lines)
        for place, column in enumerate(self._figure.columns):
            self._paint_bar(painter, area, lines[-1], place, column)
        self._paint_ticks(painter, area)
        if 0 <= self._current < len(self._figure.columns):
            self._paint_current(painter, area)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.color("accent.focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)

    def _area(self, lines: Sequence[float]) -> QRectF:
        metrics = self.fontMetrics()
        left = max(metrics.horizontalAdvance(self._words(line)) for line in lines) + _AXIS_GAP
        return QRectF(left + 4, _TOP, self.width() - left - 10, self.height() - _TOP - _FOOT)

    def _paint_grid(self, painter: QPainter, area: QRectF, lines: Sequence[float]) -> None:
        for line in lines:
            y = round(area.bottom() - line / lines[-1] * area.height()) + 0.5
            painter.setPen(QPen(self._theme.color("chart.grid"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self._theme.color("chart.axis"))
            place = QRectF(0, y - 8, area.left() - _AXIS_GAP, 16)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, right, self._words(line))

    def _slot(self, area: QRectF) -> float:
        return area.width() / max(1, len(self._figure.columns))

    def _paint_bar(
        self, painter: QPainter, area: QRectF, most: float, place: int, column: Column
    ) -> None:
        slot = self._slot(area)
        wide = max(1.5, min(_MOST_BAR, slot * 0.66))
        left = area.left() + slot * place + (slot - wide) / 2
        bottom = area.bottom()
        painter.setPen(Qt.PenStyle.NoPen)
        for series, amount in zip(self._figure.series, column.values, strict=True):
            high = amount / most * area.height()
            if high <= 0:
                continue
            painter.setBrush(self._theme.color(series.tone))
            piece = QRectF(left, bottom - high, wide, high)
            gap = 1.0 if high > 3 else 0.0
            painter.drawRoundedRect(piece.adjusted(0, gap, 0, 0), 2, 2)
            bottom -= high

    def _paint_ticks(self, painter: QPainter, area: QRectF) -> None:
        slot = self._slot(area)
        every = max(1, round(_LEAST_TICK / slot + 0.5)) if slot else 1
        painter.setPen(self._theme.color("chart.axis"))
        for place, column in enumerate(self._figure.columns):
            if place % every == 0:
                middle = area.left() + slot * (place + 0.5)
                box = QRectF(middle - 30, area.bottom() + 4, 60, 16)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, column.tick)

    def _paint_current(self, painter: QPainter, area: QRectF) -> None:
        slot = self._slot(area)
        left = area.left() + slot * self._current
        outline = QRectF(left + 0.5, area.top() - 4, max(4.0, slot - 1), area.height() + 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.color("border.strong"), 1))
        painter.drawRoundedRect(outline, 4, 4)
        column = self._figure.columns[self._current]
        rows = [
            (series, amount)
            for series, amount in zip(self._figure.series, column.values, strict=True)
            if amount
        ]
        high = 34 + (_TIP_ROW * len(rows) + 6 if len(rows) > 0 else 0)
        x = outline.left() - _TIP_WIDTH - 10
        if x < area.left():
            x = min(outline.right() + 10, self.width() - _TIP_WIDTH - 4.0)
        tip = QRectF(x, area.top(), _TIP_WIDTH, high)
        self._paint_tip(painter, tip, column, rows)

    def _paint_tip(
        self,
        painter: QPainter,
        tip: QRectF,
        column: Column,
        rows: Sequence[tuple[Series, float]],
    ) -> None:
        theme = self._theme
        painter.setBrush(theme.color("bg.overlay"))
        painter.setPen(QPen(theme.color("border.strong"), 1))
        painter.drawRoundedRect(tip.adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        font = theme.font("small")
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(theme.color("text.primary"))
        head = QRectF(tip.left() + 12, tip.top() + 6, tip.width() - 24, 22)
        painter.drawText(head, left, column.title)
        painter.drawText(head, right, self._words(column.total))
        painter.setFont(theme.font("small"))
        for place, (series, amount) in enumerate(rows):
            row = QRectF(head.left(), head.bottom() + 4 + _TIP_ROW * place, head.width(), _TIP_ROW)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(series.tone))
            painter.drawRoundedRect(QRectF(row.left(), row.center().y() - 4, 8, 8), 2, 2)
            painter.setPen(theme.color("text.secondary"))
            name = painter.fontMetrics().elidedText(
                series.label,
                Qt.TextElideMode.ElideRight,
                round(row.width() - 84),
            )
            painter.drawText(row.adjusted(16, 0, 0, 0), left, name)
            painter.setPen(theme.color("text.primary"))
            painter.drawText(row, right, self._words(amount))

    def _column_at(self, where: QPointF) -> int:
        area = self._area(axis_steps(self._figure.highest))
        slot = self._slot(area)
        place = int((where.x() - area.left()) // slot) if slot else -1
        inside = area.left() <= where.x() <= area.right()
        return place if inside and 0 <= place < len(self._figure.columns) else -1


class ToneBar(QWidget):
    """A share from 0 to 1 as a bar of a chart's colour; a mark may stand on it."""

    def __init__(self, theme: Theme, tone: str = "accent.solid", height: int = 6) -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self._share = 0.0
        self._mark: float | None = None
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def share(self) -> float:
        return self._share

    @property
    def tone(self) -> str:
        return self._tone

    def set_share(self, share: float, tone: str = "", *, mark: float | None = None) -> None:
        self._share = min(1.0, max(0.0, share))
        self._tone = tone or self._tone
        self._mark = mark
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_bar(painter, self._theme, QRectF(self.rect()), self._share, self._tone)
        if self._mark is not None:
            x = self.width() * self._mark
            painter.fillRect(QRectF(x - 1, 0, 2, self.height()), self._theme.color("bg.surface"))


def paint_bar(painter: QPainter, theme: Theme, place: QRectF, share: float, tone: str) -> None:
    """Paint a share as a bar, in a widget or in a delegate."""
    round_ = place.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("bg.pressed"))
    painter.drawRoundedRect(place, round_, round_)
    if share > 0:
        painter.setBrush(theme.color(tone))
        done = QRectF(place)
        done.setWidth(max(place.height(), place.width() * min(1.0, share)))
        painter.drawRoundedRect(done, round_, round_)
