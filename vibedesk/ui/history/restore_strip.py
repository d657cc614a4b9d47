"""The line that asks in its own place before a version is brought back, and says why it cannot be."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import IconLabel, label, set_look


class RestoreStrip(QFrame):
    """One sentence with its two answers, or without any.

    Signals:
        agreed: Do it.
        refused: Don't; also by Esc.
    """

    agreed = Signal()
    refused = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._glyph = IconLabel(theme, "info-fill", "info.text", 16)
        self._words = label("")
        self._words.setWordWrap(True)
        self._refuse = text_button(theme, self.tr("Cancel"), compact=True)
        self._agree = text_button(theme, "", variant="primary", compact=True)
        self._refuse.clicked.connect(self.refused)
        self._agree.clicked.connect(self.agreed)
        glyph = vbox(None, self._glyph, None, gap=0)
        self.setLayout(
            hbox(glyph, (self._words, 1), self._refuse, self._agree, margins=(12, 6, 8, 6))
        )
        self.setProperty("role", "infostrip")

    def ask(self, question: str, action: str) -> None:
        self._show(question, asking=True)
        self._agree.setText(action)
        self._agree.setAccessibleName(action)

    def say(self, sentence: str) -> None:
        self._show(sentence, asking=False)

    def focus_refuse(self) -> None:
        self._refuse.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._refuse.isHidden():
            self.refused.emit()
        else:
            super().keyPressEvent(event)

    def _show(self, text: str, *, asking: bool) -> None:
        self._words.setText(text)
        self.setAccessibleName(text)
        self._refuse.setVisible(asking)
        self._agree.setVisible(asking)
        self._glyph.set_icon(
            "info-fill" if asking else "warning-fill", "info.text" if asking else "warning.text"
        )
        set_look(self, "role", "infostrip" if asking else "warningstrip")
