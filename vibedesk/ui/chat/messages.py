"""What was said: the person's bubble, the agent's heading and the agent's words."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QLocale, QSize, QTime, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.chat.markdown_view import MarkdownView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.marks import Mark
from vibedesk.ui.widgets.prose import Prose
from vibedesk.ui.widgets.rings import Dot

_BUBBLE = 318
_BUBBLE_SHARE = 0.84
_BUBBLE_PADDING = (13, 10)


def clock_time(at: datetime) -> str:
    """Return a time of day, of the person's own time zone, as their locale writes it."""
    local = at.astimezone().time()
    clock = QTime(local.hour, local.minute)
    return QLocale().toString(clock, QLocale.FormatType.ShortFormat)


class UserMessage(QWidget):
    """A bubble at the right, as wide as its words and never wider than most of the chat."""

    def __init__(self, theme: Theme, text: str, at: datetime) -> None:
        super().__init__()
        self._words = Prose(theme)
        self._words.set_text(text)
        horizontal, vertical = _BUBBLE_PADDING
        margins = (horizontal, vertical, horizontal, vertical)
        self._bubble = frame("bubble", vbox(self._words, margins=margins))
        self._bubble.setParent(self)
        self._bubble.setToolTip(clock_time(at))
        self.setAccessibleName(
            self.tr("You, {time}: {text}").format(time=clock_time(at), text=text)
        )
        self._ideal = self._words.ideal_width()
        theme.changed.connect(self._on_theme_changed)

    @property
    def text(self) -> str:
        return self._words.text()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        horizontal, vertical = _BUBBLE_PADDING
        inner = self._bubble_width(width) - 2 * horizontal - 2
        return self._words.heightForWidth(inner) + 2 * vertical + 2

    def sizeHint(self) -> QSize:
        width = self.width() if self.width() > 0 else _BUBBLE
        return QSize(_BUBBLE, self.heightForWidth(width))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = self._bubble_width(self.width())
        self._bubble.setGeometry(self.width() - width, 0, width, self.height())

    def _bubble_width(self, available: int) -> int:
        most = min(max(_BUBBLE, round(available * _BUBBLE_SHARE)), available - 16)
        return min(self._ideal + 2 * _BUBBLE_PADDING[0] + 4, most)

    def _on_theme_changed(self) -> None:
        self._ideal = self._words.ideal_width()
        self.updateGeometry()


class AgentHeading(QWidget):
    """Who speaks and since when; a breathing dot while the agent is at work."""

    def __init__(self, theme: Theme, at: datetime) -> None:
        super().__init__()
        self._dot = Dot(theme, "live.solid", 7)
        self._dot.hide()
        name = self.tr("VibeDesk")
        time = clock_time(at)
        self.setLayout(
            hbox(
                Mark(theme, 16),
                label(name, strong=True, fs="small"),
                label(time, tone="muted", fs="small"),
                self._dot,
                None,
                gap=7,
            )
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(18)
        self.setAccessibleName(f"{name}, {time}")

    def set_live(self, live: bool) -> None:
        self._dot.setVisible(live)
        self._dot.set_running(live)
        self._dot.setAccessibleName(self.tr("Working") if live else "")


class AgentMessage(QWidget):
    """The agent's words, which may still be growing. Screen readers get them when they are complete."""

    link_activated = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._view = MarkdownView(theme)
        self._view.link_activated.connect(self.link_activated)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view)

    @property
    def text(self) -> str:
        return self._view.text

    def set_text(self, text: str, *, complete: bool) -> None:
        self._view.set_markdown(text)
        if complete:
            self.setAccessibleName(self.tr("VibeDesk: {text}").format(text=text))
