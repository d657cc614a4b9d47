"""Short notes that float at the lower right of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.messages import MESSAGE_GLYPHS, MessageAction, MessageKind
from vibedesk.ui.widgets.shadow import SHADOW_ROOM, paint_shadow


class Toast(QWidget):
    """A short note that floats. It leaves after a while unless it is an error, hovered or focused."""

    action_triggered = Signal(str)
    closed = Signal()

    LIFETIME_MS = 6000

    def __init__(
        self,
        theme: Theme,
        kind: MessageKind,
        title: str,
        text: str = "",
        actions: Sequence[MessageAction] = (),
    ) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(f"{title} {text}".strip())
        self.setFixedWidth(theme.size("toast") + 2 * SHADOW_ROOM)
        top = hbox(
            IconLabel(theme, MESSAGE_GLYPHS[kind], f"{kind}.text"),
            _wrapping(title, strong=True),
            gap=10,
        )
        top.setStretch(1, 1)
        for action in actions:
            button = text_button(theme, action.text, variant="link", compact=True)
            button.clicked.connect(lambda _=False, key=action.key: self.action_triggered.emit(key))
            top.addWidget(button)
        close = icon_button(theme, "x", self.tr("Close"), size=14, small=True)
        close.clicked.connect(self.closed)
        top.addWidget(close)
        column = vbox(top, gap=2, margins=(14, 10, 8, 12))
        if text:
            add_layout(column, hbox(26, (_wrapping(text), 1), gap=0, margins=(0, 0, 8, 0)))
        room = SHADOW_ROOM
        self.setLayout(vbox(frame("none", column), margins=(room, room, room, room)))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.LIFETIME_MS)
        self._timer.timeout.connect(self._on_timeout)
        if kind != "danger":
            self._timer.start()
        theme.changed.connect(self.update)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self._timer.isActive():
            self._timer.start()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        if self._timer.isActive():
            self._timer.start()

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

    def _on_timeout(self) -> None:
        focus = QApplication.focusWidget()
        focused = focus is not None and self.isAncestorOf(focus)
        if self.underMouse() or focused:
            self._timer.start()
        else:
            self.closed.emit()


class ToastStack(QWidget):
    """Keeps at most three toasts at the lower right of a window, the newest below."""

    MOST = 3

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self._toasts: list[Toast] = []
        self.hide()

    @property
    def toasts(self) -> Sequence[Toast]:
        return tuple(self._toasts)

    def show_toast(self, toast: Toast) -> None:
        """Show a toast and take it over."""
        while len(self._toasts) >= self.MOST:
            self._remove(self._toasts[0])
        toast.setParent(self)
        toast.closed.connect(lambda: self._remove(toast))
        self._toasts.append(toast)
        toast.show()
        self.place()

    def _remove(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.hide()
            toast.deleteLater()
            self.place()

    def place(self) -> None:
        """Go to the window's lower right; the window says when it changed its size."""
        if not self._toasts:
            self.hide()
            return
        overlap = 2 * SHADOW_ROOM - 8
        top = 0
        for toast in self._toasts:
            toast.resize(toast.width(), toast.heightForWidth(toast.width()))
            toast.move(0, top)
            top += toast.height() - overlap
        size = (self._toasts[0].width(), top + overlap)
        corner = QPoint(self._window.width() - size[0], self._window.height() - size[1])
        inset = QPoint(SHADOW_ROOM - 16, SHADOW_ROOM - self._theme.size("statusbar") - 10)
        self.setGeometry(corner.x() + inset.x(), corner.y() + inset.y(), *size)
        self.show()
        self.raise_()


def _wrapping(text: str, *, strong: bool = False) -> QLabel:
    made = label(text, tone="primary" if strong else "secondary", strong=strong)
    made.setWordWrap(True)
    return made
