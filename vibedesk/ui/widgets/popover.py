"""A card that opens beside what it belongs to, over everything else in the window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget
from shiboken6 import isValid

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout
from vibedesk.ui.widgets.shadow import SHADOW_ROOM, paint_shadow
from vibedesk.ui.widgets.tab_order import in_tab_order

_GAP = 6
_EDGE = 8


class Popover(QWidget):
    """Covers `host` with nothing but its card. Escape, a press beside it and focus elsewhere close it.

    The Tab key stays inside; the focus returns to where it was. Fill `head` and `body`; the body scrolls where the
    window is too low.

    Args:
        theme: The look.
        host: The window whose whole area it may use.
        width: Of the card.
    """

    closed = Signal()

    def __init__(self, theme: Theme, host: QWidget, width: int) -> None:
        super().__init__(host)
        self._host = host
        self._anchor: QWidget | None = None
        self._opener: QWidget | None = None
        self._wanted_width = width
        self._card = _Card(theme, self)
        self.head = QVBoxLayout()
        self.head.setContentsMargins(0, 0, 0, 0)
        self._page = QFrame()
        self._page.setProperty("role", "popover")
        self.body = QVBoxLayout(self._page)
        self.body.setContentsMargins(0, 0, 0, 0)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._page)
        self._page.installEventFilter(self)
        self._card.installEventFilter(self)
        column = QVBoxLayout(self._card)
        room = SHADOW_ROOM
        column.setContentsMargins(room + 1, room + 1, room + 1, room + 1)
        column.setSpacing(0)
        add_layout(column, self.head)
        column.addWidget(self._scroll, 1)
        host.installEventFilter(self)
        self.hide()

    @property
    def is_open(self) -> bool:
        return not self.isHidden()

    def open(self, anchor: QWidget) -> None:
        """Open beside `anchor`, above it where there is more room above, and take the keyboard."""
        self._anchor = anchor
        self._opener = QApplication.focusWidget()
        self.setGeometry(self._host.rect())
        self.show()
        self.raise_()
        self._place()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus_changed)
        first = self._stops()
        if first:
            first[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def close_over(self) -> None:
        """Close it, if it is open, and give the keyboard back."""
        if not self.is_open:
            return
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.disconnect(self._on_focus_changed)
        focus = QApplication.focusWidget()
        had_focus = focus is None or self.isAncestorOf(focus)
        self.hide()
        opener, self._opener = self._opener, None
        if had_focus and opener is not None and isValid(opener) and opener.isVisible():
            opener.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if (watched is self._host and kind == QEvent.Type.Resize) or (
            watched in (self._page, self._card) and kind == QEvent.Type.LayoutRequest
        ):
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_over()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close_over()

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 - Qt's
        stops = self._stops()
        if not stops:
            return False
        focus = QApplication.focusWidget()
        place = next((i for i, stop in enumerate(stops) if stop is focus), -1 if forward else 0)
        target = stops[(place + (1 if forward else -1)) % len(stops)]
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        target.setFocus(reason)
        if self._page.isAncestorOf(target):
            self._scroll.ensureWidgetVisible(target)
        return True

    def _stops(self) -> list[QWidget]:
        """Return what the Tab key stops at, in order."""
        return [
            candidate
            for candidate in in_tab_order(self)
            if self.isAncestorOf(candidate)
            and candidate.isVisible()
            and candidate.isEnabled()
            and candidate.focusPolicy() & Qt.FocusPolicy.TabFocus
            and candidate.focusProxy() is None
        ]

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        # Menus, lists and dialogs of its own are windows of their own.
        if new is not None and new.window() is self._host.window() and not self._holds(new):
            self.close_over()

    def _holds(self, widget: QWidget) -> bool:
        return widget is self or self.isAncestorOf(widget)

    def _place(self) -> None:
        if not self.is_open or self._anchor is None:
            return
        if not isValid(self._anchor):
            # What it belongs to is gone, and with it the reason to be open.
            self._anchor = None
            self.close_over()
            return
        self.setGeometry(self._host.rect())
        room, host = SHADOW_ROOM, self._host.rect()
        top_left = self._anchor.mapTo(self._host, QPoint(0, 0))
        above = top_left.y() - _GAP - _EDGE
        below = host.height() - top_left.y() - self._anchor.height() - _GAP - _EDGE
        width = min(self._wanted_width, host.width() - 2 * _EDGE)
        inner = width - 2
        wanted = _height(self.head, inner) + _height(self.body, inner) + 2
        height = min(wanted, max(above, below))
        left = min(max(_EDGE, top_left.x()), host.width() - width - _EDGE)
        if above >= below:
            top = top_left.y() - _GAP - height
        else:
            top = top_left.y() + self._anchor.height() + _GAP
        self._card.setGeometry(left - room, top - room, width + 2 * room, height + 2 * room)


def _height(layout: QVBoxLayout, width: int) -> int:
    if layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return layout.totalSizeHint().height()


class _Card(QWidget):
    """The card and its shadow. What it holds lies inside."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        theme.changed.connect(self.update)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        room = SHADOW_ROOM
        if self.rect().adjusted(room, room, -room, -room).contains(event.position().toPoint()):
            event.accept()
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = SHADOW_ROOM
        card = QRectF(self.rect()).adjusted(room, room, -room, -room)
        radius = self._theme.radius("lg")
        paint_shadow(painter, self._theme, card, radius)
        painter.setBrush(self._theme.color("bg.overlay"))
        painter.setPen(QPen(self._theme.color("border.strong"), 1))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), radius - 0.5, radius - 0.5)
