"""Where apps run: what is here, and the way to choose."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from vibedesk.ui.sandbox.words import AppPlace
from vibedesk.ui.settings.cards import Card, GlyphTile, PageColumn, StateLine
from vibedesk.ui.settings.words import tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import label


class PlacePage(PageColumn):
    """Says where new projects' apps run and opens the dialog that changes it."""

    change_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            tr("Where apps run"),
            tr(
                "VibeDesk runs the app while it builds it. Each project can have its own choice: press the app's "
                "state at the bottom of the window."
            ),
        )
        self._name = label("", strong="mid")
        self._found = StateLine(theme, wraps=True)
        change = text_button(theme, self.tr("Change…"))
        change.setAccessibleName(self.tr("Change where apps run"))
        change.clicked.connect(self.change_requested)
        row = QWidget()
        words = vbox(self._name, self._found, gap=2)
        line = hbox(GlyphTile(theme, "shipping-container"), gap=12, margins=(16, 14, 16, 14))
        add_layout(line, words, 1)
        line.addWidget(change)
        row.setLayout(line)
        card = Card()
        card.add_row(row)
        self.column.addWidget(card)

    def show_place(self, place: AppPlace, found: str) -> None:
        """Show the choice for new projects and what was found; nothing yet: it is being looked for."""
        names: dict[AppPlace, str] = {
            "auto": self.tr("Docker where it answers, else this computer"),
            "docker": self.tr("Docker"),
            "local": self.tr("This computer"),
        }
        self._name.setText(names[place])
        if found:
            self._found.set_state(found, "secondary", "info")
        else:
            self._found.set_state(self.tr("Looking what is here…"), "muted", busy=True)
