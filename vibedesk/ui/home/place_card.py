"""The quiet card of a first start that says where apps run."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSizePolicy

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import IconLabel, label


class PlaceCard(QFrame):
    """One sentence, and two ways to go on; nothing waits for either."""

    chosen = Signal()
    dismissed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "card")
        tile = frame(
            "dialogicon", hbox(IconLabel(theme, "shipping-container", "accent.text", 18), gap=0)
        )
        tile.setFixedSize(34, 34)
        title = label(self.tr("Where your apps run"), strong=True)
        self._words = label("", tone="secondary", fs="small")
        self._words.setWordWrap(True)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        choose = text_button(theme, self.tr("Choose…"), compact=True)
        choose.clicked.connect(self.chosen)
        later = text_button(theme, self.tr("Not now"), variant="ghost", compact=True)
        later.clicked.connect(self.dismissed)
        words = vbox(title, self._words, gap=1)
        row = hbox(tile, gap=12, margins=(14, 10, 12, 10))
        add_layout(row, words, 1)
        row.addWidget(later)
        row.addWidget(choose)
        self.setLayout(row)

    def set_words(self, words: str) -> None:
        self._words.setText(words)
        self.setAccessibleName(self.tr("Where your apps run. {0}").format(words))
