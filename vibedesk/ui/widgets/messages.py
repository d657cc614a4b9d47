"""What the window says in its own place: a banner across the top, and the state of an empty panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import Variant, icon_button, text_button
from vibedesk.ui.widgets.labels import IconLabel, label

MessageKind = Literal["danger", "warning", "info", "success"]
MESSAGE_GLYPHS: dict[MessageKind, str] = {
    "danger": "x-circle-fill",
    "warning": "warning-fill",
    "info": "info-fill",
    "success": "check-circle-fill",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAction:
    """Something a person can do about a message: a verb with its object, and a key for the program."""

    key: str
    text: str


class Banner(QWidget):
    """One sentence across the window, 40 high, with what can be done about it."""

    action_triggered = Signal(str)
    dismissed = Signal()

    def __init__(
        self, theme: Theme, kind: MessageKind, text: str, actions: Sequence[MessageAction] = ()
    ) -> None:
        super().__init__()
        self._theme = theme
        self._kind = kind
        self.setFixedHeight(theme.size("banner"))
        self.setAccessibleName(text)
        words = label(text)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        words.setToolTip(text)
        row = hbox(
            IconLabel(theme, MESSAGE_GLYPHS[kind], f"{kind}.text"),
            (words, 1),
            gap=10,
            margins=(12, 0, 8, 0),
        )
        for action in actions:
            button = text_button(theme, action.text, variant="underlined", compact=True)
            button.clicked.connect(lambda _=False, key=action.key: self.action_triggered.emit(key))
            row.addWidget(button)
        close = icon_button(theme, "x", self.tr("Close this message"), size=14, small=True)
        close.clicked.connect(self.dismissed)
        row.addWidget(close)
        self.setLayout(row)
        theme.changed.connect(self.update)

    @property
    def kind(self) -> MessageKind:
        return self._kind

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(self._theme.color(f"{self._kind}.subtle"))
        painter.setPen(QPen(self._theme.color(f"{self._kind}.border"), 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)


class EmptyState(QWidget):
    """What a place says while it has nothing: glyph, title, one sentence, what to do."""

    action_triggered = Signal(str)

    def __init__(
        self,
        theme: Theme,
        icon: str,
        title: str,
        text: str,
        actions: Sequence[MessageAction] = (),
        *,
        tone: Literal["accent", "live", "warning", "danger", "info"] = "accent",
        primary: bool = False,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._tile = _GlyphTile(theme, icon, tone)
        self._title = label(title, fs="title_sm")
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text = label(text, tone="secondary")
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._text.setFixedWidth(360)
        self._buttons = hbox(gap=8)
        buttons = hbox(None, self._buttons, None)
        self.setLayout(
            vbox(
                None,
                hbox(None, self._tile, None),
                6,
                self._title,
                hbox(None, self._text, None),
                8,
                buttons,
                None,
                gap=8,
                margins=(16, 16, 16, 16),
            )
        )
        for index, action in enumerate(actions):
            variant: Variant = "primary" if primary and index == 0 else "default"
            button = text_button(theme, action.text, variant=variant)
            button.clicked.connect(lambda _=False, key=action.key: self.action_triggered.emit(key))
            self._buttons.addWidget(button)

    def set_words(self, title: str, text: str) -> None:
        self._title.setText(title)
        self._text.setText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._text.setFixedWidth(max(120, min(360, self.width() - 32)))


class _GlyphTile(QWidget):
    def __init__(self, theme: Theme, icon: str, tone: str) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._tone = tone
        self.setFixedSize(48, 48)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color(f"{self._tone}.border"), 1))
        if not self._theme.high_contrast:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(f"{self._tone}.subtle"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
        ratio = self.devicePixelRatioF()
        painter.drawPixmap(12, 12, self._theme.pixmap(self._icon, f"{self._tone}.text", 24, ratio))
