"""The line above the composer that says what is being waited for, and how long."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.rings import Spinner


class WaitingStrip(QFrame):
    """A sentence and, while the end of the wait is known, a countdown."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "waiting")
        self._until: datetime | None = None
        self._text = label("", tone="warning", fs="small")
        self._text.setWordWrap(True)
        self._left = label("", tone="warning", fs="small", strong="mid")
        self._spinner = Spinner(theme, 14, "warning.solid")
        self._glyph = IconLabel(theme, "hourglass", "warning.text", 14)
        self._glyph.hide()
        self.setLayout(
            hbox(
                self._spinner,
                self._glyph,
                (self._text, 1),
                self._left,
                margins=(12, 7, 12, 7),
            )
        )
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._count)
        self.hide()

    def set_waiting(self, text: str, until: datetime | None, *, for_person: bool = False) -> None:
        """Show a sentence; an empty one hides the strip. `for_person`: it is their turn, nothing goes on."""
        self._spinner.setVisible(not for_person)
        self._glyph.setVisible(for_person)
        self._text.setText(text)
        self._until = until
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        if text and until is not None:
            self._timer.start()
        else:
            self._timer.stop()
        self._count()

    def _count(self) -> None:
        if self._until is None:
            self._left.hide()
            return
        left = max(self._until - datetime.now(tz=self._until.tzinfo), timedelta())
        minutes, seconds = divmod(round(left.total_seconds()), 60)
        self._left.setText(f"{minutes}:{seconds:02}")
        self._left.show()
