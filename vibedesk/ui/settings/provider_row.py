"""A model provider: its key or address, how it stands, and a test that says exactly what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QLineEdit, QWidget

from vibedesk.engine.views import ConnectionView, ProviderView
from vibedesk.ui.settings.cards import ProviderTile, StateLine, Strip
from vibedesk.ui.settings.words import connection_words, provider_state
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.labels import label

_NAME_WIDTH = 216
_BUTTON_WIDTH = 132
_LABEL_WIDTH = 110
_SHOWN_MODELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """What a person entered; empty: as it was. The key is shown nowhere again."""

    key: str = ""
    base_url: str = ""

    def __repr__(self) -> str:
        return f"ProviderEntry(base_url={self.base_url!r})"


class ProviderRow(QWidget):
    """One provider of the list."""

    test_requested = Signal(str, object)
    """Its name and what is in the fields: a ProviderEntry."""
    cancel_requested = Signal(str)
    save_requested = Signal(str, object)
    use_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, theme: Theme, provider: ProviderView) -> None:
        super().__init__()
        self._theme = theme
        self._view = provider
        self._first = False
        self._testing = False
        self._result: ConnectionView | None = None
        self._state = StateLine(theme)
        self._name = label(provider.label, strong="mid")
        head = QWidget()
        head.setFixedWidth(_NAME_WIDTH)
        self._asked = label(self.tr("asked first"), tone="accent", fs="small")
        words = vbox(None, hbox(self._name, self._asked, None, gap=8), self._state, None, gap=1)
        head.setLayout(hbox(ProviderTile(theme, provider.name, provider.label), words, gap=12))
        self._key = self._make_key()
        self._address = self._make_address()
        self._act = text_button(theme, self.tr("Test connection"))
        self._act.setFixedWidth(_BUTTON_WIDTH)
        self._act.clicked.connect(self._on_act)
        self._more = icon_button(
            theme,
            "caret-down",
            self.tr("{0}, more choices").format(provider.label),
            checkable=True,
        )
        self._more.toggled.connect(self._on_more)
        self._main = self._address if self._shows_address() else self._key
        row = hbox(head, (self._main, 1), self._act, self._more, gap=12)
        self._strip = Strip(theme)
        self._strip.hide()
        self._details = self._make_details()
        self._details.hide()
        self.setLayout(vbox(row, self._strip, self._details, gap=8, margins=(16, 9, 10, 9)))
        self.show_provider(provider, first=False)

    @property
    def name(self) -> str:
        return self._view.name

    @property
    def entry(self) -> ProviderEntry:
        """What is in the fields and differs from what is set."""
        address = self._address.text().strip().rstrip("/")
        same = address == self._view.base_url.rstrip("/")
        return ProviderEntry(key=self._key.text().strip(), base_url="" if same else address)

    @property
    def state(self) -> str:
        return self._state.text

    @property
    def message(self) -> str:
        """What the strip below says; empty where there is none."""
        return "" if self._strip.isHidden() else self._strip.text

    def show_provider(self, provider: ProviderView, *, first: bool) -> None:
        """Show how it stands. What is being typed stays. `first`: it is asked before all others."""
        before, self._view, self._first = self._view, provider, first
        if not self._address.isModified() or before.base_url != provider.base_url:
            self._address.setText(provider.base_url)
            self._address.setModified(False)
        self._key.setPlaceholderText(self._key_words())
        self._asked.setVisible(first)
        self._use.setVisible(provider.ready and not first)
        self._remove.setAccessibleName(
            self.tr("Remove {0}").format(provider.label)
            if provider.own
            else self.tr("Forget the key of {0}").format(provider.label)
        )
        self._remove.setText(
            self.tr("Remove {0}").format(provider.label) if provider.own else self.tr("Forget key")
        )
        forgettable = provider.key_source in ("keychain", "file") or provider.overrides_keychain
        self._remove.setVisible(provider.own or forgettable)
        self._refresh()

    def set_testing(self, *, testing: bool) -> None:
        self._testing = testing
        if testing:
            self._result = None
            self._strip.hide()
        self._refresh()

    def show_result(self, result: ConnectionView) -> None:
        """Say how the test went."""
        self._testing, self._result = False, result
        self._refresh()
        names = ", ".join(result.models[:_SHOWN_MODELS])
        rest = len(result.models) - _SHOWN_MODELS
        if rest > 0:
            names = self.tr("{0} and {1} more").format(names, rest)
        found = self.tr("Models found: {0}").format(names) if names else ""
        # The row says it in a word, this in sentences.
        text = f"{result.remedy} {found}".strip()
        self._strip.say("success" if result.ok else "danger", result.message, text)

    def show_trouble(self, message: str, remedy: str) -> None:
        """Say why what was entered could not be kept."""
        self._testing = False
        self._strip.say("danger", message, remedy)
        self._refresh()

    def clear_entry(self) -> None:
        """What was entered is kept; the fields show what is set."""
        self._key.clear()
        self._address.setModified(False)
        self._strip.hide()
        self._result = None
        self._refresh()

    def focus_key(self) -> None:
        self._main.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- inside -------------------------------------------------------------------------------------
    def _shows_address(self) -> bool:
        provider = self._view
        return not provider.key_required and (
            provider.kind == "local" or provider.own or not provider.base_url
        )

    def _make_key(self) -> QLineEdit:
        field = QLineEdit()
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setAccessibleName(self.tr("{0}, key").format(self._view.label))
        field.addAction(
            QAction(self._theme.icon("key", "text.muted", 14), "", field),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        field.textChanged.connect(self._refresh)
        field.returnPressed.connect(self._save)
        return field

    def _make_address(self) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(self.tr("{0}, address").format(self._view.label))
        field.setPlaceholderText("http://127.0.0.1:8000/v1")
        field.addAction(
            QAction(self._theme.icon("globe", "text.muted", 14), "", field),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        field.textEdited.connect(self._refresh)
        field.returnPressed.connect(self._save)
        return field

    def _make_details(self) -> QWidget:
        other = self._key if self._main is self._address else self._address
        words = self.tr("Key") if other is self._key else self.tr("Address")
        what = label(words, tone="secondary", fs="small")
        what.setFixedWidth(_LABEL_WIDTH)
        self._note = StateLine(self._theme, wraps=True)
        self._use = text_button(self._theme, self.tr("Ask it first"), compact=True, icon="arrow-up")
        self._use.setToolTip(
            self.tr("Presets then ask models on your own machines only")
            if self._view.kind == "local"
            else self.tr("Presets put its models before those of other providers")
        )
        self._use.setAccessibleName(self.tr("Ask {0} first").format(self._view.label))
        self._use.clicked.connect(lambda: self.use_requested.emit(self.name))
        self._page = text_button(
            self._theme, self.tr("Get a key"), variant="link", compact=True, icon="arrow-square-out"
        )
        self._page.setVisible(bool(self._view.key_page))
        self._page.setToolTip(self._view.key_page)
        self._page.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(self._view.key_page)))
        self._remove = text_button(self._theme, "", variant="ghost", compact=True)
        self._remove.clicked.connect(lambda: self.remove_requested.emit(self.name))
        self._save_more = text_button(self._theme, self.tr("Save"), compact=True)
        self._save_more.setAccessibleName(self.tr("{0}, save").format(self._view.label))
        self._save_more.clicked.connect(self._save)
        made = QWidget()
        made.setLayout(
            vbox(
                hbox(what, (other, 1), self._save_more, gap=12),
                self._note,
                hbox(self._use, self._page, None, self._remove, gap=8),
                gap=8,
                margins=(_NAME_WIDTH + 12, 0, 40, 4),
            )
        )
        return made

    def _key_words(self) -> str:
        provider = self._view
        match provider.key_source:
            case "environment":
                return self.tr("From {0}").format(
                    provider.key_variable or self.tr("the environment")
                )
            case "keychain":
                return self.tr("••••••••••••  kept in the keychain")
            case "file":
                return self.tr("••••••••••••  kept in the encrypted file")
        if not provider.key_required:
            return self.tr("No key needed, unless the server asks for one")
        return self.tr("Paste a key to use {0}").format(provider.label)

    def _refresh(self) -> None:
        provider, entry = self._view, self.entry
        edited = bool(entry.key or entry.base_url)
        if self._testing:
            self._state.set_state(self.tr("Testing"), "live", busy=True)
        elif self._result is not None:
            ok = self._result.ok
            icon = "check-circle-fill" if ok else "x-circle-fill"
            self._state.set_state(
                connection_words(self._result), "success" if ok else "danger", icon
            )
        else:
            words, tone, icon = provider_state(provider)
            self._state.set_state(words, tone, icon)
        if self._testing:
            self._act.setText(self.tr("Cancel test"))
        elif edited:
            self._act.setText(self.tr("Save and test"))
        else:
            self._act.setText(self.tr("Test connection"))
        possible = self._testing or edited or provider.ready or not provider.key_required
        self._act.setEnabled(possible)
        self._act.setToolTip("" if possible else self.tr("Enter a key first"))
        self._act.setAccessibleName(f"{provider.label}, {self._act.text()}")
        self._save_more.setEnabled(edited and not self._testing)
        self._show_note()

    def _show_note(self) -> None:
        provider = self._view
        if provider.overrides_keychain:
            words = self.tr(
                "{0} is set in the environment and is used instead of the key you entered here."
            ).format(provider.key_variable or self.tr("A key"))
            self._note.set_state(words, "warning", "warning-fill")
        elif provider.key_source == "environment":
            words = self.tr(
                "{0} is set in the environment. A key entered here is used only when that is gone."
            ).format(provider.key_variable or self.tr("A key"))
            self._note.set_state(words, "secondary", "info")
        elif provider.problem:
            self._note.set_state(provider.problem, "warning", "warning-fill")
        else:
            self._note.set_state("")

    def _on_act(self) -> None:
        if self._testing:
            self.cancel_requested.emit(self.name)
        elif self.entry.key or self.entry.base_url:
            self._save()
        else:
            self.test_requested.emit(self.name, self.entry)

    def _save(self) -> None:
        entry = self.entry
        if (entry.key or entry.base_url) and not self._testing:
            self.save_requested.emit(self.name, entry)

    def _on_more(self, shown: bool) -> None:
        self._more.setIcon(
            self._theme.icon("caret-up" if shown else "caret-down", "text.muted", 16)
        )
        self._details.setVisible(shown)
