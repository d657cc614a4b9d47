"""A button that shows that what it began goes on."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon, QPixmap, QResizeEvent
from PySide6.QtWidgets import QPushButton

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.rings import Spinner

_HAIR_SPACE = "\u2009"
_ICON_GAP = 4


class BusyButton(QPushButton):
    """A small button whose icon gives way to a spinner and whose word to its -ing form; its width stays.

    Args:
        theme: The look.
        text: What it does.
        busy_text: What it says while it is being done.
        icon: Before the words.
        variant: As of `text_button`.
        icon_only: Show the icon alone; the words are its name then.
    """

    def __init__(
        self,
        theme: Theme,
        text: str,
        busy_text: str,
        icon: str,
        variant: str = "default",
        *,
        icon_only: bool = False,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._words = text
        self._busy_words = busy_text
        self._icon = icon
        self._icon_only = icon_only
        self._busy = False
        self._spinner = Spinner(theme, 14, "live.solid")
        self._spinner.setParent(self)
        self._spinner.hide()
        self.setIconSize(QSize(14, 14))
        self.setProperty("variant", variant)
        self.setProperty("compact", True)
        self._show()

    @property
    def busy(self) -> bool:
        return self._busy

    def set_words(self, text: str, busy_text: str, icon: str) -> None:
        """Change what it does."""
        self._words, self._busy_words, self._icon = text, busy_text, icon
        self._show()

    def set_busy(self, *, busy: bool) -> None:
        self._busy = busy
        self._show()

    def sizeHint(self) -> QSize:
        return self._widened(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        return self._widened(super().minimumSizeHint())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_spinner()

    def _widened(self, hint: QSize) -> QSize:
        if self._icon_only:
            return hint
        metrics = QFontMetrics(self.font())
        shown = metrics.horizontalAdvance(self.text())
        both = [metrics.horizontalAdvance(_HAIR_SPACE + w) for w in (self._words, self._busy_words)]
        return QSize(hint.width() + max(0, max(both) - shown), hint.height())

    def _show(self) -> None:
        words = self._busy_words if self._busy else self._words
        self.setText("" if self._icon_only else _HAIR_SPACE + words)
        self.setAccessibleName(words)
        if self._busy:
            nothing = QPixmap(self.iconSize())
            nothing.fill(Qt.GlobalColor.transparent)
            self.setIcon(QIcon(nothing))
        else:
            self.setIcon(self._theme.icon(self._icon, "text.secondary", 14))
        self._spinner.setVisible(self._busy)
        self._place_spinner()

    def _place_spinner(self) -> None:
        words = QFontMetrics(self.font()).horizontalAdvance(self.text())
        content = self.iconSize().width() + (_ICON_GAP + words if words else 0)
        left = (self.width() - content) // 2
        self._spinner.move(left, (self.height() - self._spinner.height()) // 2)
