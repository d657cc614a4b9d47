"""A server of the person's own: a name, where it is, perhaps a key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from vibedesk.ui.settings.words import tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import label

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServer:
    """What a person entered; the key is shown nowhere again."""

    name: str
    base_url: str
    model: str
    key: str = ""

    def __repr__(self) -> str:
        return f"NewServer(name={self.name!r}, base_url={self.base_url!r})"


def server_problem(server: NewServer, taken: Sequence[str]) -> str:
    """Return what is still wrong with it, as a sentence, or nothing."""
    url = QUrl(server.base_url)
    if not _NAME.fullmatch(server.name):
        return tr("The name has small letters, digits and dashes, like my-server.")
    if server.name in taken:
        return tr("There is a provider of that name.")
    if url.scheme() not in ("http", "https") or not url.host():
        return tr("The address begins with http:// or https:// and names a host.")
    if url.scheme() == "http" and server.key and url.host() not in _LOOPBACK:
        return tr("A key travels only over https, or to this computer.")
    return ""


class AddServer(QWidget):
    """The button that opens the form, and the form."""

    add_requested = Signal(object)
    """A NewServer."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._taken: tuple[str, ...] = ()
        self._open = text_button(
            theme, self.tr("Add a server of your own"), variant="link", icon="plus", compact=True
        )
        self._open.clicked.connect(self._on_open)
        self._name = self._field(self.tr("Name"), "my-server")
        self._address = self._field(self.tr("Address"), "https://models.example.org/v1")
        self._model = self._field(self.tr("Model"), self.tr("Found by the test, if empty"))
        self._key = self._field(self.tr("Key, if it needs one"), "")
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        self._problem = label("", tone="muted", fs="small")
        self._problem.setWordWrap(True)
        self._add = text_button(theme, self.tr("Add server"))
        self._add.clicked.connect(self._on_add)
        cancel = text_button(theme, self.tr("Cancel"), variant="ghost")
        cancel.clicked.connect(self.close_form)
        self._form = QWidget()
        self._form.setLayout(
            vbox(
                label(self.tr("A server that speaks OpenAI's protocol"), strong="mid"),
                hbox(
                    (_named(self.tr("Name"), self._name), 1),
                    (_named(self.tr("Address"), self._address), 2),
                    gap=12,
                ),
                hbox(
                    (_named(self.tr("Model"), self._model), 1),
                    (_named(self.tr("Key, if it needs one"), self._key), 2),
                    gap=12,
                ),
                hbox((self._problem, 1), cancel, self._add, gap=8),
                gap=10,
            )
        )
        self._form.hide()
        self.setLayout(vbox(hbox(self._open, None), self._form, margins=(14, 8, 14, 10)))
        self._refresh()

    def set_taken(self, names: Sequence[str]) -> None:
        """Say which names are in use."""
        self._taken = tuple(names)
        self._refresh()

    def close_form(self) -> None:
        self._form.hide()
        self._open.show()
        for field in (self._name, self._address, self._model, self._key):
            field.clear()

    def server(self) -> NewServer:
        return NewServer(
            name=self._name.text().strip(),
            base_url=self._address.text().strip().rstrip("/"),
            model=self._model.text().strip(),
            key=self._key.text().strip(),
        )

    def _field(self, name: str, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(self.tr("New server, {0}").format(name))
        field.setPlaceholderText(hint)
        field.textChanged.connect(self._refresh)
        field.returnPressed.connect(self._on_add)
        return field

    def _on_open(self) -> None:
        self._open.hide()
        self._form.show()
        self._name.setFocus()

    def _refresh(self) -> None:
        server = self.server()
        problem = server_problem(server, self._taken)
        begun = bool(server.name and server.base_url)
        self._problem.setText(problem if begun else "")
        self._add.setEnabled(not problem)
        self._add.setToolTip(problem)

    def _on_add(self) -> None:
        server = self.server()
        if not server_problem(server, self._taken):
            self.add_requested.emit(server)


def _named(text: str, field: QWidget) -> QWidget:
    words = label(text, tone="secondary", fs="small")
    words.setBuddy(field)
    made = QWidget()
    made.setLayout(vbox(words, field, gap=3))
    return made
