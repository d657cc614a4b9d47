"""Paints lines of a diff: numbers, sign, tint, coloured text; one column, or old and new side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.review.diff_lines import DiffLine, opposite
from vibedesk.ui.theme.theme import Theme

DiffLayout = Literal["unified", "split"]
LINE_HEIGHT = 20
_NUMBER, _PADDING, _SIGN = 34, 10, 18
_TINTS = {"added": "diff.add_bg", "removed": "diff.del_bg"}
_STRONG = {"added": "diff.add_bg_strong", "removed": "diff.del_bg_strong"}
_SIGNS = {"added": ("+", "diff.add_text"), "removed": ("-", "diff.del_text")}
Row = tuple[DiffLine | None, DiffLine | None]


class DiffLines(QWidget):
    """Some lines of a diff as high as they are; only what is in sight is painted.

    `shift` moves the texts to the left by so many pixels, under the numbers that stay.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: Sequence[DiffLine] = ()
        self._rows: list[Row] = []
        self._layout: DiffLayout = "unified"
        self._shift = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_lines(self, lines: Sequence[DiffLine]) -> None:
        self._lines = lines
        self._arrange()

    def set_layout(self, layout: DiffLayout) -> None:
        if layout != self._layout:
            self._layout = layout
            self._arrange()

    def set_shift(self, shift: int) -> None:
        if shift != self._shift:
            self._shift = shift
            self.update()

    def text_width(self) -> int:
        """Return how wide the widest text is."""
        metrics = QFontMetricsF(self._theme.font("code"))
        wide = metrics.horizontalAdvance("M")
        widths = (
            len(line.text) * wide if line.text.isascii() else metrics.horizontalAdvance(line.text)
            for line in self._lines
        )
        return round(max(widths, default=0)) + 12

    def sizeHint(self) -> QSize:
        return QSize(240, len(self._rows) * LINE_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, area = self._theme, event.rect()
        painter.fillRect(area, theme.color("bg.editor"))
        painter.setFont(theme.font("code"))
        first = max(0, area.top() // LINE_HEIGHT)
        last = min(len(self._rows), area.bottom() // LINE_HEIGHT + 1)
        for number in range(first, last):
            left, right = self._rows[number]
            top = number * LINE_HEIGHT
            if self._layout == "unified":
                if left is not None:
                    self._paint(painter, left, 0, top, self.width(), (left.old, left.new))
            else:
                half = self.width() // 2
                self._paint_half(painter, left, 0, top, half, old=True)
                self._paint_half(painter, right, half, top, self.width() - half, old=False)
        if self._layout == "split":
            painter.fillRect(
                self.width() // 2, area.top(), 1, area.height(), theme.color("border.subtle")
            )

    def _arrange(self) -> None:
        if self._layout == "split":
            self._rows = opposite(self._lines)
        else:
            self._rows = [(line, None) for line in self._lines]
        self.updateGeometry()
        self.update()

    def _paint_half(
        self,
        painter: QPainter,
        line: DiffLine | None,
        left: int,
        top: int,
        width: int,
        *,
        old: bool,
    ) -> None:
        if line is None:
            place = QRectF(left, top, width, LINE_HEIGHT)
            painter.fillRect(place, self._theme.color("bg.sunken"))
        else:
            self._paint(painter, line, left, top, width, (line.old if old else line.new,))

    def _paint(
        self,
        painter: QPainter,
        line: DiffLine,
        left: int,
        top: int,
        width: int,
        numbers: tuple[int | None, ...],
    ) -> None:
        theme = self._theme
        if line.side != "same":
            place = QRectF(left, top, width, LINE_HEIGHT)
            painter.fillRect(place, theme.color(_TINTS[line.side]))
        painter.setPen(theme.color("syntax.gutter_text"))
        painter.setFont(theme.font("code_sm"))
        for at, number in enumerate(numbers):
            if number is not None:
                box = QRectF(left + at * _NUMBER, top, _NUMBER, LINE_HEIGHT)
                painter.drawText(
                    box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number)
                )
        painter.setFont(theme.font("code"))
        edge = left + len(numbers) * _NUMBER + _PADDING
        if line.side != "same":
            sign, tone = _SIGNS[line.side]
            painter.setPen(theme.color(tone))
            box = QRectF(edge, top, _SIGN, LINE_HEIGHT)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, sign)
        painter.save()
        painter.setClipRect(QRectF(edge + _SIGN, top, left + width - edge - _SIGN, LINE_HEIGHT))
        self._paint_text(painter, line, edge + _SIGN - self._shift, top)
        painter.restore()

    def _paint_text(self, painter: QPainter, line: DiffLine, left: float, top: int) -> None:
        theme = self._theme
        metrics = QFontMetricsF(painter.font())
        text = line.text
        if line.side != "same":
            for start, end in line.strong:
                x = left + metrics.horizontalAdvance(text[:start])
                wide = metrics.horizontalAdvance(text[start:end])
                place = QRectF(x, top + 1, wide, LINE_HEIGHT - 2)
                painter.fillRect(place, theme.color(_STRONG[line.side]))
        baseline = top + (LINE_HEIGHT + metrics.ascent() - metrics.descent()) / 2
        x = left
        for start, end, kind in line.spans or ((0, len(text), "text"),):
            piece = text[start:end]
            painter.setPen(theme.color(f"syntax.{kind}"))
            painter.drawText(QPointF(x, baseline), piece)
            x += metrics.horizontalAdvance(piece)


def text_left(layout: DiffLayout) -> int:
    """Return where the texts of a column begin, right of numbers and sign."""
    return (2 if layout == "unified" else 1) * _NUMBER + _PADDING + _SIGN
