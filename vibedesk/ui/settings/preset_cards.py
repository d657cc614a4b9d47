"""Presets as cards; one of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QWidget

from vibedesk.ui.settings.words import preset_words
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import LayoutButton
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label

_HEIGHT = 104


class PresetCards(QWidget):
    """The presets side by side; one Tab stop, arrows move inside."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, presets: Sequence[str]) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Presets"))
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._cards: dict[str, LayoutButton] = {}
        row = hbox(gap=10)
        for preset in presets:
            words = preset_words(preset)
            title = ElidedLabel(words.title)
            title.setProperty("strong", "true")
            text = label(words.text, tone="muted", fs="small")
            text.setWordWrap(True)
            face = vbox(
                hbox(
                    IconLabel(theme, words.icon, "accent.text", 16),
                    (title, 1),
                    gap=8,
                ),
                text,
                None,
                gap=6,
                margins=(12, 12, 10, 10),
            )
            card = LayoutButton(face, words.title, role="presetcard")
            card.setAccessibleDescription(words.text)
            card.setCheckable(True)
            card.setFixedHeight(_HEIGHT)
            card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            card.clicked.connect(lambda _=False, key=preset: self.chosen.emit(key))
            self._group.addButton(card)
            self._cards[preset] = card
            row.addWidget(card, 1)
        self.setLayout(row)

    @property
    def current(self) -> str:
        return next((key for key, card in self._cards.items() if card.isChecked()), "")

    def set_current(self, preset: str) -> None:
        """Show a choice without telling anyone."""
        if preset in self._cards:
            self._cards[preset].setChecked(True)
