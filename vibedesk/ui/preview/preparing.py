"""What the preview says while the place where the app runs is being prepared."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label, set_look
from vibedesk.ui.widgets.rings import Spinner

_MOST_WIDTH = 360
_SAYS_TIME_FROM = 10


class PreparingView(QWidget):
    """A title, a sentence, the last line of what is done, and after ten seconds how long it has taken."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._since = QElapsedTimer()
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_time)
        self._spinner = Spinner(theme, 24, "live.solid")
        self._hourglass = IconLabel(theme, "hourglass", "warning.text", 24)
        inside = hbox(self._spinner, self._hourglass, margins=(11, 11, 11, 11))
        self._tile = tile = frame("worktile", inside)
        tile.setFixedSize(48, 48)
        self._title = label("", fs="title_sm")
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text = label("", tone="secondary")
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._line = ElidedLabel("", tone="muted", mode=Qt.TextElideMode.ElideMiddle)
        self._line.setProperty("fs", "small")
        self._line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._well = frame("well", hbox((self._line, 1), margins=(12, 6, 12, 6)))
        self._time = label("", tone="muted", fs="small")
        self._time.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._time.setMinimumHeight(16)
        self.setLayout(
            vbox(
                None,
                hbox(None, tile, None),
                6,
                self._title,
                hbox(None, self._text, None),
                6,
                hbox(None, self._well, None),
                self._time,
                None,
                gap=8,
                margins=(16, 16, 16, 16),
            )
        )

    def show_words(self, title: str, text: str, line: str = "", *, waiting: bool = False) -> None:
        """Show what is done or, with `waiting`, waited for; another title begins another measure of time."""
        self._spinner.setVisible(not waiting)
        self._hourglass.setVisible(waiting)
        set_look(self._tile, "tone", "warning" if waiting else "live")
        if title != self._title.text():
            self._since.start()
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._line.setText(line)
        self._well.setVisible(bool(line))
        self.setAccessibleName(" ".join(part for part in (title, text, line) if part))
        self._show_time()

    def forget(self) -> None:
        """Begin anew with the next words."""
        self._title.setText("")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = max(120, min(_MOST_WIDTH, self.width() - 32))
        self._text.setFixedWidth(width)
        self._well.setFixedWidth(width)

    def _show_time(self) -> None:
        seconds = self._since.elapsed() // 1000 if self._since.isValid() else 0
        minutes, rest = divmod(seconds, 60)
        self._time.setText(f"{minutes}:{rest:02}" if seconds >= _SAYS_TIME_FROM else "")
