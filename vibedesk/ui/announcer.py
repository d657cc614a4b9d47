"""Tells screen readers what changed, politely and not too often."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent


class Announcer(QObject):
    """Announces phase changes, finish and failure for one window.

    At most one announcement goes out in `interval_ms`; of those that come in between only the newest
    is kept, because it is the one that is still true.
    """

    INTERVAL_MS = 5000

    def __init__(self, speaker: QObject, interval_ms: int = INTERVAL_MS) -> None:
        """Announce in the name of `speaker`, a widget or window that screen readers know."""
        super().__init__(speaker)
        self._speaker = speaker
        self._interval = interval_ms
        self._since_last = QElapsedTimer()
        self._pending = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_due)

    def announce(self, text: str) -> None:
        """Say a sentence now, or as soon as the last one is old enough."""
        if self._since_last.isValid():
            left = self._interval - self._since_last.elapsed()
            if left > 0:
                self._pending = text
                self._timer.start(left)
                return
        self._say(text)

    def _on_due(self) -> None:
        text, self._pending = self._pending, ""
        if text:
            self._say(text)

    def _say(self, text: str) -> None:
        self._since_last.start()
        event = QAccessibleAnnouncementEvent(self._speaker, text)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)
