"""The scrolling column of a conversation, which stays quick however long it gets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QMenu, QWidget

from vibedesk.ui.theme.theme import Theme

_SIDE = 14
_TOP = 14
_BOTTOM = 12
_AHEAD = 400
"""How far outside of the visible part widgets are kept in place, so that scrolling finds them ready."""
_AT_END = 4
_FAR_AWAY = -100_000


@dataclass(eq=False, slots=True)
class Entry:
    """One row of the conversation: made when it first comes near the visible part."""

    build: Callable[[], QWidget]
    text: Callable[[], str]
    gap: int
    height: int
    widget: QWidget | None = None
    measured_width: int = -1


class Transcript(QAbstractScrollArea):
    """Rows below one another; only those near the visible part exist as placed widgets.

    Far rows keep the height they had, or an estimate until they are first seen, so adding, resizing
    and streaming cost what is visible and not what was ever said. While the end is in sight it stays
    in sight; otherwise what is being read does not move.
    """

    end_reached = Signal(bool)
    """The end came into sight (true) or left it (false)."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._entries: list[Entry] = []
        self._known_tops: list[int] | None = None
        self._placed: set[QWidget] = set()
        self._current: Entry | None = None
        self._follows = True
        self._placing = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("role", "transcript")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self._on_theme_changed)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    @property
    def follows(self) -> bool:
        """Whether the end is in sight and stays there."""
        return self._follows

    def add(
        self,
        build: Callable[[], QWidget],
        *,
        gap: int = 14,
        text: Callable[[], str] = str,
        estimate: int = 60,
    ) -> Entry:
        """Append a row.

        Args:
            build: Makes the widget, once, when it is first needed.
            gap: Free space above the row.
            text: What copying the row gives.
            estimate: Height until the row is first seen.
        """
        entry = Entry(build, text, gap, estimate)
        self._entries.append(entry)
        self._known_tops = None
        self._schedule()
        return entry

    def widget_of(self, entry: Entry) -> QWidget:
        """Return the widget of a row, made now if it was not needed yet."""
        if entry.widget is None:
            entry.widget = entry.build()
            entry.widget.setParent(self.viewport())
            # Else it would show itself with the viewport, wherever it happens to be.
            entry.widget.hide()
        return entry.widget

    def remove(self, entry: Entry) -> None:
        self._entries.remove(entry)
        self._known_tops = None
        if self._current is entry:
            self._current = None
        if entry.widget is not None:
            self._placed.discard(entry.widget)
            entry.widget.hide()
            entry.widget.deleteLater()
        self._schedule()

    def clear(self) -> None:
        for entry in self.entries:
            self.remove(entry)
        self._follows = True

    def scroll_to_end(self) -> None:
        """Bring the end into sight, with the next turn of the event loop, and keep it there."""
        self._set_follows(follows=True)
        self._schedule()

    def scroll_to(self, entry: Entry) -> None:
        """Bring a row into sight."""
        self._place()
        top = self._tops()[self._entries.index(entry)]
        bar, view = self.verticalScrollBar(), self.viewport().height()
        if top < bar.value():
            bar.setValue(top - _TOP)
        elif top + entry.height > bar.value() + view:
            bar.setValue(min(top - _TOP, top + entry.height - view + _BOTTOM))

    # Placing -------------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            for entry in self._entries:
                if entry.widget in self._placed:
                    entry.measured_width = -1
            self._place()
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.hasFocus() or self._current is None or self._current.widget is None:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("accent.focus"), 2))
        area = QRectF(self._current.widget.geometry()).adjusted(-5, -4, 5, 4)
        painter.drawRoundedRect(area, 8, 8)

    def _schedule(self) -> None:
        QApplication.postEvent(self.viewport(), QEvent(QEvent.Type.LayoutRequest))

    def _on_theme_changed(self) -> None:
        for entry in self._entries:
            entry.measured_width = -1
        self._schedule()

    def _on_scrolled(self, value: int) -> None:
        if self._placing:
            return
        self._set_follows(follows=value >= self.verticalScrollBar().maximum() - _AT_END)
        self._place()

    def _set_follows(self, *, follows: bool) -> None:
        if follows != self._follows:
            self._follows = follows
            self.end_reached.emit(follows)

    def _place(self) -> None:
        if self._placing or self.viewport().width() <= 2 * _SIDE:
            return
        self._placing = True
        try:
            self._settle_heights()
            self._place_near()
        finally:
            self._placing = False
        self.viewport().update()

    def _settle_heights(self) -> None:
        """Measure what is near the visible part until nothing there changes any more."""
        width = self.viewport().width() - 2 * _SIDE
        anchor, offset = self._anchor(width)
        for _ in range(6):
            changed = False
            for index in self._near(self._tops()):
                entry = self._entries[index]
                if entry.measured_width == width and entry.widget is not None:
                    continue
                height = _height_of(self.widget_of(entry), width)
                entry.measured_width = width
                if height != entry.height:
                    entry.height, changed = height, True
                    self._known_tops = None
            self._set_scroll(anchor, offset)
            if not changed:
                break

    def _anchor(self, width: int) -> tuple[Entry | None, int]:
        """Return the row whose place on the screen must not change, and that place."""
        value = self.verticalScrollBar().value()
        view = self.viewport().height()
        tops = self._tops()
        fallback: tuple[Entry | None, int] = (None, 0)
        for index in self._between(tops, value, value + view):
            entry, offset = self._entries[index], tops[index] - value
            if entry.measured_width == width:
                return entry, offset
            if fallback[0] is None:
                fallback = entry, offset
        return fallback

    def _set_scroll(self, anchor: Entry | None, offset: int) -> None:
        tops = self._tops()
        total = tops[-1] + self._entries[-1].height + _BOTTOM if self._entries else 0
        bar, view = self.verticalScrollBar(), self.viewport().height()
        bar.setPageStep(view)
        bar.setRange(0, max(0, total - view))
        if self._follows:
            bar.setValue(bar.maximum())
        elif anchor is not None:
            bar.setValue(tops[self._entries.index(anchor)] - offset)

    def _place_near(self) -> None:
        tops = self._tops()
        value, width = self.verticalScrollBar().value(), self.viewport().width() - 2 * _SIDE
        near: set[QWidget] = set()
        for index in self._near(tops):
            entry = self._entries[index]
            widget = self.widget_of(entry)
            widget.setGeometry(_SIDE, tops[index] - value, width, entry.height)
            widget.show()
            near.add(widget)
        focused = QApplication.focusWidget()
        for widget in self._placed - near:
            # Not hidden while it has the focus: that would throw the focus somewhere else.
            if focused is not None and widget.isAncestorOf(focused):
                widget.move(_SIDE, _FAR_AWAY)
                near.add(widget)
            else:
                widget.hide()
        self._placed = near

    def _tops(self) -> list[int]:
        if self._known_tops is None:
            self._known_tops, top = [], _TOP
            for index, entry in enumerate(self._entries):
                top += entry.gap if index else 0
                self._known_tops.append(top)
                top += entry.height
        tops = self._known_tops
        end = tops[-1] + self._entries[-1].height if tops else _TOP
        missing = self.viewport().height() - end - _BOTTOM
        return [value + missing for value in tops] if missing > 0 else tops

    def _near(self, tops: Sequence[int]) -> range:
        value = self.verticalScrollBar().value()
        return self._between(tops, value - _AHEAD, value + self.viewport().height() + _AHEAD)

    def _between(self, tops: Sequence[int], first: int, last: int) -> range:
        """Return the rows of which anything stands between two places; found without asking each row."""
        start = bisect_left(tops, first)
        if start and tops[start - 1] + self._entries[start - 1].height >= first:
            start -= 1
        return range(start, bisect_right(tops, last))

    # Keyboard ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Up:
                self._move_current(-1)
            case Qt.Key.Key_Down:
                self._move_current(1)
            case Qt.Key.Key_Home:
                self.verticalScrollBar().setValue(0)
            case Qt.Key.Key_End:
                self.scroll_to_end()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if self._current is not None:
                self._enter(self._current)
            case Qt.Key.Key_C if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.copy_current()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._current is None and self._entries:
            self._current = self._entries[-1]
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._current = self._entry_at(event.pos().y())
        if self._current is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy"), self.copy_current)
        menu.popup(event.globalPos())

    def copy_current(self) -> None:
        """Put the text of the current row on the clipboard."""
        text = self._current.text() if self._current is not None else ""
        if text:
            QGuiApplication.clipboard().setText(text)

    def _move_current(self, step: int) -> None:
        if not self._entries:
            return
        last = len(self._entries) - 1
        index = self._entries.index(self._current) if self._current is not None else last
        index = max(0, min(last, index + step))
        self._current = self._entries[index]
        self.scroll_to(self._current)
        self.setAccessibleDescription(self._current.text())
        self.viewport().update()

    @staticmethod
    def _enter(entry: Entry) -> None:
        if entry.widget is None:
            return
        for child in entry.widget.findChildren(QWidget):
            if child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.isVisibleTo(entry.widget):
                child.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def _entry_at(self, y: int) -> Entry | None:
        for entry in self._entries:
            widget = entry.widget
            if widget is not None and widget.isVisible():
                area = QRect(0, widget.y(), self.width(), widget.height())
                if area.contains(1, y):
                    return entry
        return None


def _height_of(widget: QWidget, width: int) -> int:
    wanted = widget.heightForWidth(width) if widget.hasHeightForWidth() else -1
    if wanted < 0:
        wanted = widget.sizeHint().height()
    return max(widget.minimumHeight(), min(wanted, widget.maximumHeight()))
