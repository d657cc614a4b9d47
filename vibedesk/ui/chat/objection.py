"""Says that a wish is no web app, before anything is spent on it, and lets the person choose."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.prose import Prose


class Objection(QFrame):
    """The model's sentence; with it, while a choice is open, to build the nearest thing or to stop."""

    agreed = Signal()
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "objection")
        self._words = Prose(theme, "secondary")
        build = text_button(
            theme,
            self.tr("Build the nearest thing"),
            variant="primary",
            icon="hammer",
            compact=True,
        )
        build.clicked.connect(self.agreed)
        stop = text_button(theme, self.tr("Stop"), compact=True)
        stop.clicked.connect(self.stop_requested)
        flow = FlowLayout()
        flow.addWidget(build)
        flow.addWidget(stop)
        self._choice = QWidget()
        self._choice.setLayout(flow)
        title = label(self.tr("This is not a web app"), strong="mid")
        title.setWordWrap(True)
        glyph = IconLabel(theme, "warning-fill", "warning.text", 16)
        column = vbox(title, self._words, self._choice, gap=6)
        row = hbox(vbox(2, glyph, None, gap=0), gap=10, margins=(14, 11, 14, 12))
        add_layout(row, column, 1)
        self.setLayout(row)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    @property
    def has_words(self) -> bool:
        return bool(self._words.text())

    def set_words(self, words: str, *, choose: bool) -> None:
        """Say it, or with an empty text nothing; `choose`: the person has to decide now."""
        if words != self._words.text():
            self._words.set_text(words)
        self._choice.setVisible(choose)
        self.setAccessibleName(self.tr("This is not a web app") + f". {words}")
        self.setVisible(bool(words))
