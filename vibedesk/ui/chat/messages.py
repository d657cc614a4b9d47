"""What was said: the person's bubble, the agent's heading and the agent's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, QTime, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from vibedesk.ui.chat.image_tray import paint_thumbnail
from vibedesk.ui.chat.markdown_view import MarkdownView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.marks import Mark
from vibedesk.ui.widgets.prose import Prose
from vibedesk.ui.widgets.rings import Dot

_BUBBLE = 318
_BUBBLE_SHARE = 0.84
_BUBBLE_PADDING = (13, 10)
_THUMBNAIL = 44
_THUMBNAIL_GAP = 6


class Picture(NamedTuple):
    """A picture that was sent: what the engine calls it, and its file name."""

    id: str
    name: str


def clock_time(at: datetime) -> str:
    """Return a time of day, of the person's own time zone, as their locale writes it."""
    local = at.astimezone().time()
    clock = QTime(local.hour, local.minute)
    return QLocale().toString(clock, QLocale.FormatType.ShortFormat)


class _Thumbnail(QToolButton):
    """A sent picture; a click shows it large."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._picture = QImage()
        self.setProperty("role", "thumb")
        self.setFixedSize(_THUMBNAIL, _THUMBNAIL)
        self.setAccessibleName(self.tr("Picture {name}").format(name=name))
        self.setToolTip(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def set_picture(self, picture: QImage) -> None:
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        paint_thumbnail(painter, self._theme, area, self._picture)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("accent.focus"), 2))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)


class UserMessage(QWidget):
    """A bubble at the right, as wide as its words and never wider than most of the chat; pictures on top."""

    picture_opened = Signal(str)
    """The id of a picture."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        at: datetime,
        pictures: Sequence[Picture] = (),
        thumbnails: Mapping[str, QImage] | None = None,
    ) -> None:
        super().__init__()
        self._words = Prose(theme)
        self._words.set_text(text)
        self._thumbnails = {picture.id: _Thumbnail(theme, picture.name) for picture in pictures}
        flow = FlowLayout(_THUMBNAIL_GAP)
        for key, button in self._thumbnails.items():
            button.clicked.connect(lambda _=False, key=key: self.picture_opened.emit(key))
            button.set_picture((thumbnails or {}).get(key, QImage()))
            flow.addWidget(button)
        horizontal, vertical = _BUBBLE_PADDING
        margins = (horizontal, vertical, horizontal, vertical)
        parts = (flow, self._words) if pictures else (self._words,)
        column = vbox(*parts, gap=_THUMBNAIL_GAP + 2, margins=margins)
        self._bubble = frame("bubble", column)
        self._bubble.setParent(self)
        self._bubble.setToolTip(clock_time(at))
        said = self.tr("You, {time}: {text}").format(time=clock_time(at), text=text)
        if pictures:
            names = ", ".join(picture.name for picture in pictures)
            said = self.tr("{said} With pictures: {names}").format(said=said, names=names)
        self.setAccessibleName(said)
        self._ideal = self._words.ideal_width()
        theme.changed.connect(self._on_theme_changed)

    @property
    def text(self) -> str:
        return self._words.text()

    def set_thumbnail(self, picture_id: str, picture: QImage) -> None:
        if picture_id in self._thumbnails:
            self._thumbnails[picture_id].set_picture(picture)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        horizontal, vertical = _BUBBLE_PADDING
        inner = self._bubble_width(width) - 2 * horizontal - 2
        return self._words.heightForWidth(inner) + self._strip_height(inner) + 2 * vertical + 2

    def sizeHint(self) -> QSize:
        width = self.width() if self.width() > 0 else _BUBBLE
        return QSize(_BUBBLE, self.heightForWidth(width))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = self._bubble_width(self.width())
        self._bubble.setGeometry(self.width() - width, 0, width, self.height())

    def _strip_height(self, inner: int) -> int:
        if not self._thumbnails:
            return 0
        step = _THUMBNAIL + _THUMBNAIL_GAP
        in_a_row = max(1, (inner + _THUMBNAIL_GAP) // step)
        return -(-len(self._thumbnails) // in_a_row) * step + 2

    def _bubble_width(self, available: int) -> int:
        most = min(max(_BUBBLE, round(available * _BUBBLE_SHARE)), available - 16)
        strip = len(self._thumbnails) * (_THUMBNAIL + _THUMBNAIL_GAP)
        return min(max(self._ideal, strip) + 2 * _BUBBLE_PADDING[0] + 4, most)

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
