"""The timeline of a phase: which step runs, how far it is, what is done, what comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.rings import paint_ring

StepState = Literal["todo", "active", "waiting", "done", "fixing", "failed"]
"""A step that waits is the running one, held up by something that will pass."""
StripTone = Literal["live", "warning", "success", "danger"]

_NODE = 20.0
_WORD_GAP = 7.0
_LABELS_FROM = 640
_WIDE_TITLE_FROM = 560


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStep:
    """One step of the timeline; `share` (0 to 1) and `extra` belong to the running one."""

    key: str
    title: str
    state: StepState = "todo"
    share: float = 0.0
    extra: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    fill: str | None
    border: str
    ink: str
    icon: str | None


_LOOKS: dict[StepState, _Look] = {
    "todo": _Look(None, "border.strong", "text.muted", None),
    "active": _Look(None, "live.solid", "text.primary", None),
    "waiting": _Look(None, "warning.solid", "text.primary", None),
    "done": _Look("success.subtle", "success.border", "success.text", "check-bold"),
    "fixing": _Look("warning.subtle", "warning.border", "warning.text", "wrench-fill"),
    "failed": _Look("danger.subtle", "danger.border", "danger.text", "x-bold"),
}


@dataclass(frozen=True, slots=True)
class _Placed:
    step: PhaseStep
    title: str
    extra: str
    left: float
    width: float


class PhaseStrip(QWidget):
    """Painted timeline. Names of finished and coming steps go first when room is short."""

    step_activated = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._overline = ""
        self._title = ""
        self._steps: tuple[PhaseStep, ...] = ()
        self._cursor = 0
        self.setFixedHeight(theme.size("phase_strip") - 4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(300)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Phase timeline"))
        theme.changed.connect(self.update)

    @property
    def steps(self) -> Sequence[PhaseStep]:
        return self._steps

    def set_heading(self, overline: str, title: str) -> None:
        """Set the two lines at the left, for example "Phase 2 of 4" and the phase's name."""
        self._overline, self._title = overline, title
        self._describe()

    def set_steps(self, steps: Sequence[PhaseStep]) -> None:
        self._steps = tuple(steps)
        self._cursor = min(self._cursor, max(0, len(self._steps) - 1))
        self._describe()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for placed in self._place():
            if placed.left - 6 <= event.position().x() <= placed.left + placed.width + 6:
                self.step_activated.emit(placed.step.key)
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._steps:
            ahead = (key == Qt.Key.Key_Right) == (
                self.layoutDirection() == Qt.LayoutDirection.LeftToRight
            )
            last = len(self._steps) - 1
            self._cursor = min(last, max(0, self._cursor + (1 if ahead else -1)))
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._steps:
            self.step_activated.emit(self._steps[self._cursor].key)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.LayoutDirectionChange):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_heading(painter)
        placed = self._place()
        for index, item in enumerate(placed):
            self._paint_node(painter, item, index)
            self._paint_words(painter, item)
            if index + 1 < len(placed):
                self._paint_line(painter, item, placed[index + 1])

    def _describe(self) -> None:
        said = {
            "todo": self.tr("to do"),
            "active": self.tr("running"),
            "waiting": self.tr("waiting"),
            "done": self.tr("done"),
            "fixing": self.tr("being fixed"),
            "failed": self.tr("has problems"),
        }
        steps = ". ".join(
            " ".join(part for part in (f"{s.title}: {said[s.state]}", s.extra) if part)
            for s in self._steps
        )
        heading = ", ".join(part for part in (self._overline, self._title) if part)
        self.setAccessibleDescription(f"{heading}. {steps}.")
        self.update()

    @property
    def _heading_width(self) -> float:
        return 172.0 if self.width() >= _WIDE_TITLE_FROM else 128.0

    def _words_font(self) -> QFont:
        font = self._theme.font("small")
        font.setWeight(QFont.Weight.Medium)
        return font

    def _place(self) -> list[_Placed]:
        """Return every step with its place from left to right."""
        begin, end = self._heading_width + 28, float(self.width() - 8)
        metrics = QFontMetricsF(self._words_font())
        quiet = end - begin < _LABELS_FROM
        measured = []
        for step in self._steps:
            title = "" if quiet and step.state in ("todo", "done") else step.title
            extra = step.extra if title else ""
            width = _NODE
            for words in (title, extra):
                width += _WORD_GAP + metrics.horizontalAdvance(words) if words else 0.0
            measured.append((step, title, extra, width))
        free = end - begin - sum(width for *_, width in measured)
        gap = max(6.0, free / max(1, len(measured) - 1))
        placed, left = [], begin
        for step, title, extra, width in measured:
            placed.append(_Placed(step, title, extra, left, width))
            left += width + gap
        return placed

    def _paint_heading(self, painter: QPainter) -> None:
        theme, width = self._theme, self._heading_width
        middle = self.height() / 2
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("text.muted"))
        painter.drawText(
            QRectF(15, middle - 18, width, 16), Qt.AlignmentFlag.AlignVCenter, self._overline
        )
        font = theme.font("body_strong")
        painter.setFont(font)
        painter.setPen(theme.color("text.primary"))
        shown = QFontMetricsF(font).elidedText(self._title, Qt.TextElideMode.ElideRight, width)
        top = middle - 2 if self._overline else middle - 9
        painter.drawText(QRectF(15, top, width, 18), Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_node(self, painter: QPainter, placed: _Placed, index: int) -> None:
        theme, step = self._theme, placed.step
        look = _LOOKS[step.state]
        node = QRectF(placed.left, self.height() / 2 - _NODE / 2, _NODE, _NODE)
        if step.state in ("active", "waiting"):
            paint_ring(painter, theme, node, step.share, look.border)
        else:
            painter.setPen(QPen(theme.color(look.border), 1.5))
            painter.setBrush(theme.color(look.fill) if look.fill else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(node.adjusted(0.75, 0.75, -0.75, -0.75))
        if look.icon is not None:
            pixmap = theme.pixmap(look.icon, look.ink, 12, self.devicePixelRatioF())
            painter.drawPixmap(QPointF(node.left() + 4, node.top() + 4), pixmap)
        elif step.state == "todo":
            font = theme.font("caption")
            font.setWeight(QFont.Weight.DemiBold)
            painter.setFont(font)
            painter.setPen(theme.color(look.ink))
            painter.drawText(node, Qt.AlignmentFlag.AlignCenter, str(index + 1))
        if self.hasFocus() and index == self._cursor:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent.focus"), 2))
            painter.drawEllipse(node.adjusted(-3, -3, 3, 3))

    def _paint_words(self, painter: QPainter, placed: _Placed) -> None:
        if not placed.title:
            return
        theme, state = self._theme, placed.step.state
        font = self._words_font()
        painter.setFont(font)
        running = state in ("active", "waiting", "fixing")
        tone = "text.primary" if running else "text.muted" if state == "todo" else "text.secondary"
        painter.setPen(theme.color(tone))
        left = placed.left + _NODE + _WORD_GAP
        line = QRectF(left, self.height() / 2 - 10, 400, 20)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, placed.title)
        if placed.extra:
            tone = {
                "active": "live.text",
                "waiting": "warning.text",
                "fixing": "warning.text",
                "failed": "danger.text",
            }.get(state, "text.muted")
            painter.setPen(theme.color(tone))
            line.translate(QFontMetricsF(font).horizontalAdvance(placed.title) + _WORD_GAP, 0)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, placed.extra)

    def _paint_line(self, painter: QPainter, placed: _Placed, after: _Placed) -> None:
        reached = after.step.state != "todo"
        tone = "success.border" if reached else "border.default"
        begin, end = placed.left + placed.width + 9, after.left - 9
        if end > begin + 2:
            painter.setPen(
                QPen(self._theme.color(tone), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
            )
            middle = self.height() / 2
            painter.drawLine(QPointF(begin, middle), QPointF(end, middle))


class ProgressEdge(QWidget):
    """Two pixels of progress along the lower edge of an island. It never runs backwards in one run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._share = 0.0
        self._tone: StripTone = "live"
        self.setFixedHeight(2)
        theme.changed.connect(self.update)

    def set_progress(self, share: float, tone: StripTone) -> None:
        self._share, self._tone = min(1.0, max(0.0, share)), tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        bar = QRectF(0, 0, self.width() * self._share, 2)
        QPainter(self).fillRect(bar, self._theme.color(f"{self._tone}.solid"))
