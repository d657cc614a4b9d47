"""Thin lines above the code that say what holds for the file in front."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel

_HEIGHT = 34


class _Note(QFrame):
    acted = Signal()

    def __init__(self, theme: Theme, icon: str, tone: str, text: str, action: str) -> None:
        super().__init__()
        self.setProperty("role", "filenote")
        self.setFixedHeight(_HEIGHT)
        self.setAccessibleName(text)
        button = text_button(theme, action, variant="link", compact=True)
        button.clicked.connect(self.acted)
        words = ElidedLabel(text, tone="secondary")
        glyph = IconLabel(theme, icon, tone, 14)
        self.setLayout(hbox(glyph, (words, 1), button, gap=8, margins=(12, 0, 8, 0)))


class FileNotes(QWidget):
    """Whether the file in front is locked, and whether a new version of it waits to be looked at.

    Signals:
        unlock_requested: Let the agent write the file in front again.
        review_requested: Show the new version of the file in front.
    """

    unlock_requested = Signal(str)
    review_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._path = ""
        self._locked: set[str] = set()
        self._proposed: set[str] = set()
        self._lock = _Note(
            theme,
            "lock-simple",
            "text.secondary",
            self.tr("Locked: VibeDesk does not write it. You can."),
            self.tr("Unlock"),
        )
        self._proposal = _Note(
            theme,
            "git-diff",
            "accent.text",
            self.tr("A new version of this file waits for your review."),
            self.tr("Review"),
        )
        self._lock.acted.connect(lambda: self.unlock_requested.emit(self._path))
        self._proposal.acted.connect(lambda: self.review_requested.emit(self._path))
        self.setLayout(vbox(self._lock, self._proposal, gap=0))
        self.show_for("")

    def show_for(self, path: str) -> None:
        """Say what holds for this file; "" for none."""
        self._path = path
        self._lock.setVisible(path in self._locked)
        self._proposal.setVisible(path in self._proposed)
        self.setVisible(path in self._locked | self._proposed)

    def is_locked(self, path: str) -> bool:
        return path in self._locked

    def set_locked(self, path: str, *, locked: bool) -> None:
        (self._locked.add if locked else self._locked.discard)(path)
        self.show_for(self._path)

    def set_proposed(self, path: str, *, proposed: bool) -> None:
        (self._proposed.add if proposed else self._proposed.discard)(path)
        self.show_for(self._path)

    def rename(self, old: str, new: str) -> None:
        for known in (self._locked, self._proposed):
            if old in known:
                known.discard(old)
                known.add(new)

    def clear(self) -> None:
        self._locked.clear()
        self._proposed.clear()
        self.show_for("")
