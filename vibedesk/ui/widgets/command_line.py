"""A command that a person is to run, with a button that copies it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import label

_SAYS_COPIED_MS = 1600


class CopyButton(QToolButton):
    """Copies a text and says so for a moment."""

    def __init__(self, theme: Theme, name: str, text: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._name = name
        self._text = text
        self.setProperty("small", True)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_SAYS_COPIED_MS)
        self._back.timeout.connect(self._rest)
        self.clicked.connect(self._copy)
        self._rest()

    def set_text(self, text: str) -> None:
        self._text = text

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)
        self.setIcon(self._theme.icon("check-bold", "success.text", 14))
        self.setToolTip(self.tr("Copied"))
        self.setAccessibleName(self.tr("Copied"))
        self._back.start()

    def _rest(self) -> None:
        self.setIcon(self._theme.icon("copy", "text.muted", 14))
        self.setToolTip(self._name)
        self.setAccessibleName(self._name)


class CommandLine(QFrame):
    """One line in a well; it can be selected, and copied as a whole."""

    def __init__(self, theme: Theme, command: str) -> None:
        super().__init__()
        self.command = command
        self.setProperty("role", "well")
        words = label(command, mono=True)
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        copy = CopyButton(theme, self.tr("Copy {0}").format(command), command)
        self.setLayout(hbox((words, 1), copy, gap=6, margins=(10, 4, 4, 4)))
