"""Hunks one below the other, each with what can be said of it; by mouse or by single keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QScrollBar, QVBoxLayout, QWidget

from vibedesk.ui.review.diff_lines import DiffHunk
from vibedesk.ui.review.line_painter import DiffLayout, DiffLines, text_left
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, StatusChip, label

Decision = Literal["open", "take", "leave"]
_HEAD_HEIGHT = 36
_NARROW = 460


class _HunkHead(QWidget):
    """Range, words and buttons of a hunk; the one at hand has a bar at its left."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.at_hand = False
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("bg.raised"))
        line = self._theme.color("border.subtle")
        painter.fillRect(0, 0, self.width(), 1, line)
        painter.fillRect(0, self.height() - 1, self.width(), 1, line)
        if self.at_hand:
            painter.fillRect(0, 0, 3, self.height(), self._theme.color("accent.solid"))


class _HunkSection(QWidget):
    """One hunk: head, the sentence of a conflict, lines."""

    decided = Signal(str)

    def __init__(self, theme: Theme, hunk: DiffHunk, count: int, *, decidable: bool) -> None:
        super().__init__()
        self._theme = theme
        self._decidable = decidable
        self.decision: Decision = "open"
        self.lines = DiffLines(theme)
        self.lines.set_lines(hunk.lines)
        self._head = _HunkHead(theme)
        place = f"@@ {hunk.start}, {hunk.length}" if hunk.length else f"@@ {max(1, hunk.start)}"
        self._range = label(place, tone="muted", mono=True)
        words = self.tr("Change {number} of {count}").format(number=hunk.index + 1, count=count)
        self._words = ElidedLabel(words)
        self._chip = StatusChip(theme, "")
        self._undo = text_button(theme, self.tr("Undo"), variant="ghost", compact=True)
        self._leave = text_button(theme, self.tr("Leave"), icon="x", compact=True)
        self._take = text_button(theme, self.tr("Take"), icon="check", compact=True)
        for button, name in (
            (self._undo, self.tr("Decide change {0} again")),
            (self._leave, self.tr("Leave change {0} out")),
            (self._take, self.tr("Take change {0}")),
        ):
            button.setAccessibleName(name.format(hunk.index + 1))
        self._leave.setToolTip(self.tr("Leave it out  N"))
        self._take.setToolTip(self.tr("Take it over  Y"))
        self._undo.clicked.connect(lambda: self.decided.emit("open"))
        self._leave.clicked.connect(lambda: self.decided.emit("leave"))
        self._take.clicked.connect(lambda: self.decided.emit("take"))
        row = hbox(
            self._range,
            (self._words, 1),
            self._chip,
            self._undo,
            self._leave,
            self._take,
            gap=8,
            margins=(14, 0, 8, 0),
        )
        self._head.setLayout(row)
        self._head.setFixedHeight(_HEAD_HEIGHT)
        self._conflict = label("", tone="warning")
        self._conflict.setWordWrap(True)
        self._conflict_row = QFrame()
        self._conflict_row.setProperty("role", "conflict")
        glyph = vbox(2, IconLabel(theme, "warning-fill", "warning.text", 14), None, gap=0)
        self._conflict_row.setLayout(hbox(glyph, (self._conflict, 1), margins=(14, 7, 14, 7)))
        self._conflict_row.hide()
        self.setLayout(vbox(self._head, self._conflict_row, self.lines, gap=0))
        self.setAccessibleName(words)
        self.setAccessibleDescription(
            "\n".join(f"{_MARKS[line.side]} {line.text}" for line in hunk.lines)
        )
        self.set_decision("open")

    @property
    def conflict(self) -> str:
        return self._conflict.text()

    def set_at_hand(self, *, at_hand: bool) -> None:
        self._head.at_hand = at_hand
        self._head.update()

    def set_decision(self, decision: Decision, conflict: str = "") -> None:
        self.decision = decision
        self._conflict.setText(conflict)
        self._conflict_row.setVisible(bool(conflict))
        is_open = decision == "open"
        self._chip.setVisible(self._decidable and not is_open)
        self._undo.setVisible(self._decidable and not is_open)
        self._leave.setVisible(self._decidable and is_open)
        self._take.setVisible(self._decidable and is_open)
        if conflict:
            self._chip.set_status(self.tr("Does not fit"), "warning", "warning-fill")
        elif decision == "take":
            self._chip.set_status(self.tr("Taken"), "success", "check-bold")
        elif decision == "leave":
            self._chip.set_status(self.tr("Left out"), "plain", "x-bold")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._range.setVisible(self.width() >= _NARROW)


_MARKS = {"same": " ", "added": "+", "removed": "-"}


class DiffView(QWidget):
    """All hunks of one file. Y takes, N leaves, U decides again, J and K go on and back.

    Signals:
        decided: The person decided about a hunk: its index, and take, leave or open.
        current_changed: Another hunk is at hand.
    """

    decided = Signal(int, str)
    current_changed = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._sections: list[_HunkSection] = []
        self._decidable = False
        self._current = -1
        self._layout: DiffLayout = "unified"
        self._page = QFrame()
        self._page.setProperty("role", "diffpage")
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._page)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.viewport().installEventFilter(self)
        # The bar comes and goes with the width, which must not be in the middle of a layout.
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.setInterval(0)
        self._fitting.timeout.connect(self._fit)
        self._sideways = QScrollBar(Qt.Orientation.Horizontal)
        self._sideways.valueChanged.connect(self._shift)
        self.setLayout(vbox((self._area, 1), self._sideways, gap=0))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Changes"))

    @property
    def decisions(self) -> list[Decision]:
        return [section.decision for section in self._sections]

    @property
    def fitting(self) -> list[int]:
        """Return the hunks of which nobody said that they do not fit any more."""
        return [at for at, section in enumerate(self._sections) if not section.conflict]

    @property
    def current(self) -> int:
        """Index of the hunk at hand; -1 where there is none."""
        return self._current

    def show_hunks(self, hunks: Sequence[DiffHunk], *, decidable: bool) -> None:
        """Show other hunks; with `decidable` each can be taken or left."""
        for section in self._sections:
            self._column.removeWidget(section)
            section.hide()
            section.deleteLater()
        self._sections = []
        self._decidable = decidable
        for hunk in hunks:
            section = _HunkSection(self._theme, hunk, len(hunks), decidable=decidable)
            section.lines.set_layout(self._layout)
            section.decided.connect(partial(self._decide, hunk.index))
            self._column.insertWidget(len(self._sections), section)
            self._sections.append(section)
        self._current = -1
        self._area.verticalScrollBar().setValue(0)
        if decidable:
            self.go_to(0)
        self._fitting.start()

    def set_layout(self, layout: DiffLayout) -> None:
        """Show the lines below each other, or old and new side by side."""
        self._layout = layout
        for section in self._sections:
            section.lines.set_layout(layout)
        self._fitting.start()

    def set_decision(self, index: int, decision: Decision, conflict: str = "") -> None:
        """Show a decision without telling anyone; `conflict` says why the hunk does not fit any more."""
        self._sections[index].set_decision(decision, conflict)
        if conflict:
            self.go_to(index)

    def go_to(self, index: int) -> None:
        """Take a hunk at hand and bring it into sight."""
        if not 0 <= index < len(self._sections):
            return
        if index != self._current:
            if 0 <= self._current < len(self._sections):
                self._sections[self._current].set_at_hand(at_hand=False)
            self._current = index
            self._sections[index].set_at_hand(at_hand=True)
            self._describe()
            self.current_changed.emit(index)
        self._page.adjustSize()
        section = self._sections[index]
        top, bar = section.y(), self._area.verticalScrollBar()
        seen = QRect(0, bar.value(), 1, self._area.viewport().height())
        if top < seen.top() or top + min(section.height(), 3 * _HEAD_HEIGHT) > seen.bottom():
            bar.setValue(top)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self._area.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_Y if self._decidable:
                self._decide_current("take")
            case Qt.Key.Key_N if self._decidable:
                self._decide_current("leave")
            case Qt.Key.Key_U if self._decidable:
                self._decide_current("open")
            case Qt.Key.Key_J:
                self.go_to(self._current + 1)
            case Qt.Key.Key_K:
                self.go_to(self._current - 1)
            case Qt.Key.Key_Down:
                bar.setValue(bar.value() + bar.singleStep())
            case Qt.Key.Key_Up:
                bar.setValue(bar.value() - bar.singleStep())
            case Qt.Key.Key_PageDown | Qt.Key.Key_Space:
                bar.setValue(bar.value() + bar.pageStep())
            case Qt.Key.Key_PageUp:
                bar.setValue(bar.value() - bar.pageStep())
            case Qt.Key.Key_Right:
                self._sideways.setValue(self._sideways.value() + 40)
            case Qt.Key.Key_Left:
                self._sideways.setValue(self._sideways.value() - 40)
            case _:
                super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("bg.editor"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fitting.start()
        return False

    def _decide_current(self, decision: Decision) -> None:
        if self._current >= 0:
            self._decide(self._current, decision)

    def _decide(self, index: int, decision: Decision) -> None:
        self.go_to(index)
        self._sections[index].set_decision(decision)
        self._describe()
        self.decided.emit(index, decision)
        if decision != "open":
            following = [*range(index + 1, len(self._sections)), *range(index)]
            for other in following:
                if self._sections[other].decision == "open":
                    self.go_to(other)
                    break

    def _describe(self) -> None:
        """Tell screen readers which change is at hand and what was decided about it."""
        section = self._sections[self._current]
        decisions: dict[Decision, str] = {
            "open": self.tr("not decided"),
            "take": self.tr("taken"),
            "leave": self.tr("left out"),
        }
        words = section.accessibleName()
        if self._decidable:
            words = f"{words}, {decisions[section.decision]}"
        self.setAccessibleDescription(f"{words}\n{section.accessibleDescription()}")

    def _fit(self) -> None:
        """Let the scroll bar go as far as the widest text needs."""
        widest = max((section.lines.text_width() for section in self._sections), default=0)
        column = self._area.viewport().width() // (1 if self._layout == "unified" else 2)
        room = column - text_left(self._layout)
        beyond = max(0, widest - room)
        self._sideways.setRange(0, beyond)
        self._sideways.setPageStep(max(1, room))
        self._sideways.setSingleStep(16)
        self._sideways.setVisible(beyond > 0)
        self._shift(self._sideways.value())

    def _shift(self, shift: int) -> None:
        for section in self._sections:
            section.lines.set_shift(shift)
