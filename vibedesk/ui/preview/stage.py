"""Where the page stands: full width, or as a device in the middle of a dark stage."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QLabel, QLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox
from vibedesk.ui.widgets.labels import IconLabel

_MARGIN = 16
_PILL_BOTTOM = 16


class TintedStrip(QWidget):
    """A line of warning across the panel that stays."""

    def __init__(self, theme: Theme, row: QLayout) -> None:
        super().__init__()
        self._theme = theme
        self.setLayout(row)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("warning.subtle"))
        line = QRect(0, self.height() - 1, self.width(), 1)
        painter.fillRect(line, self._theme.color("warning.border"))


class Stage(QWidget):
    """Holds one page, a device outline around it, and the pill that says that it is out of date."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._page: QWidget | None = None
        self._device_width: int | None = None
        self._words = QLabel()
        self._pill = frame(
            "pill",
            hbox(
                IconLabel(theme, "stack", "on_web.live"), self._words, gap=8, margins=(12, 6, 14, 6)
            ),
        )
        self._pill.setParent(self)
        self._pill.hide()
        theme.changed.connect(self.update)

    def set_page(self, page: QWidget | None) -> None:
        self._page = page
        if page is not None:
            page.setParent(self)
            page.show()
        self._arrange()

    def set_device_width(self, width: int | None) -> None:
        """Show the page at a width in pixels, or as wide as there is room."""
        self._device_width = width
        self._arrange()

    def set_stale(self, words: str | None) -> None:
        self._words.setText(words or "")
        self._pill.setVisible(words is not None)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("bg.sunken"))
        if self._device_width is not None:
            painter.setPen(QPen(self._theme.color("border.strong"), 1))
            painter.drawRect(self._device_area().adjusted(-1, -1, 0, 0))

    def _device_area(self) -> QRect:
        if self._device_width is None:
            return self.rect()
        width = min(self._device_width, self.width() - 2)
        height = self.height() - 2 * _MARGIN
        return QRect((self.width() - width) // 2, _MARGIN, width, height)

    def _arrange(self) -> None:
        if self._page is not None:
            self._page.setGeometry(self._device_area())
        self._words.setMaximumWidth(max(80, self.width() - 96))
        self._words.setWordWrap(
            self._words.fontMetrics().horizontalAdvance(self._words.text()) > self.width() - 96
        )
        self._pill.adjustSize()
        self._pill.move(
            (self.width() - self._pill.width()) // 2,
            self.height() - self._pill.height() - _PILL_BOTTOM,
        )
        self._pill.raise_()
        self.update()
