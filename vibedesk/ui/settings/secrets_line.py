"""Where keys are kept, said aloud; and the passphrase where there is no keychain."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from vibedesk.engine.views import SecretsView
from vibedesk.ui.settings.cards import StateLine, Strip
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.busy_button import BusyButton

_FIELD = 220


class SecretsLine(QWidget):
    """One line where keys are safe; a strip with a field where a passphrase is needed first."""

    unlock_requested = Signal(str)

    def __init__(self, theme: Theme, *, narrow: bool = False) -> None:
        super().__init__()
        self._view: SecretsView | None = None
        self._line = StateLine(theme, wraps=True)
        self._strip = Strip(theme, "warning", stacked=narrow)
        self._field = QLineEdit()
        self._field.setEchoMode(QLineEdit.EchoMode.Password)
        self._field.setFixedWidth(_FIELD)
        self._field.setAccessibleName(self.tr("Passphrase for your keys"))
        self._field.returnPressed.connect(self._unlock)
        self._field.textChanged.connect(self._refresh)
        self._button = BusyButton(theme, self.tr("Unlock"), self.tr("Unlocking"), "lock-simple")
        self._button.clicked.connect(self._unlock)
        self._strip.buttons.addWidget(self._field)
        self._strip.buttons.addWidget(self._button)
        if narrow:
            self._strip.buttons.addStretch(1)
        self.setLayout(vbox(hbox((self._line, 1)), self._strip, gap=0))
        self._strip.hide()

    @property
    def locked(self) -> bool:
        return self._view is not None and self._view.locked

    @property
    def text(self) -> str:
        return self._strip.text if self.locked else self._line.text

    def show_state(self, view: SecretsView) -> None:
        """Say where secrets are kept."""
        self._view = view
        self._button.set_busy(busy=False)
        if view.locked:
            self._line.set_state("")
            new = view.kind == "none"
            self._field.setPlaceholderText(
                self.tr("New passphrase") if new else self.tr("Passphrase")
            )
            words = (
                (self.tr("Keep keys here"), self.tr("Keeping"))
                if new
                else (self.tr("Unlock"), self.tr("Unlocking"))
            )
            self._button.set_words(*words, "lock-simple")
            title = (
                self.tr("Your keys need a passphrase") if new else self.tr("Your keys are locked")
            )
            self._strip.say("warning", title, view.message)
        else:
            self._field.clear()
            self._strip.hide()
            if view.kind == "keychain":
                self._line.set_state(view.message, "secondary", "shield-check")
            else:
                self._line.set_state(view.message, "warning", "warning-fill")
        self._refresh()

    def show_trouble(self, message: str, remedy: str) -> None:
        """Say why the passphrase did not do."""
        self._button.set_busy(busy=False)
        self._strip.say("danger", message, remedy)
        self._field.selectAll()
        self._field.setFocus()

    def _refresh(self) -> None:
        self._button.setEnabled(bool(self._field.text()) and not self._button.busy)

    def _unlock(self) -> None:
        if self._field.text() and not self._button.busy:
            self._button.set_busy(busy=True)
            self.unlock_requested.emit(self._field.text())
