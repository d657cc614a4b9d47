"""The app's own variables: what it is given to run with, by the person's consent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.views import SecretsView, VariableView
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.settings.cards import Card, StateLine
from vibedesk.ui.settings.secrets_line import SecretsLine
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.fonts import code_family
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label

_LIST_HEIGHT = 296
_NAME_WIDTH = 226


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableEntry:
    """What a person wants a variable to be; `value` None leaves the one it has."""

    name: str
    value: str | None
    secret: bool
    consent: bool

    def __repr__(self) -> str:
        return (
            f"VariableEntry(name={self.name!r}, secret={self.secret!r}, consent={self.consent!r})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableActions:
    """What the dialog may do; each may raise a VibeDeskError, which the dialog says."""

    load: Callable[[], Awaitable[list[VariableView]]]
    keep: Callable[[VariableEntry], Awaitable[None]]
    remove: Callable[[str], Awaitable[None]]
    secrets: Callable[[], Awaitable[SecretsView]]
    unlock: Callable[[str], Awaitable[SecretsView]]


class VariablesDialog(AwaitableDialog[None]):
    """Lists, adds, changes and removes the variables of one project; everything applies at once.

    Args:
        theme: The look.
        parent: The window it belongs to.
        app: What the app is called.
        actions: What it may do.
        wanted: The variable to begin with, because the app asked for it.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        app: str,
        actions: VariableActions,
        wanted: str = "",
    ) -> None:
        title = self.tr("Variables of {0}").format(app)
        super().__init__(theme, parent, title)
        self._actions = actions
        self._wanted = wanted
        self._rows: dict[str, VariableRow] = {}
        self._tasks = WidgetTasks(self, self._say)
        self.add_heading(title, "password")
        self.add_text(
            self.tr(
                "Keys and settings that the app itself needs, such as a key for payments. The app gets one only "
                "where you say so. VibeDesk's own keys are never given to it, and no model sees a secret value."
            )
        )
        self._secrets = SecretsLine(theme)
        self._secrets.unlock_requested.connect(lambda words: self._tasks.start(self._unlock(words)))
        self.column.addWidget(self._secrets)
        self._list = Card()
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        inside.setLayout(vbox(self._list, None, gap=0))
        self._scroll.setWidget(inside)
        self.column.addWidget(self._scroll)
        self._new = _NewVariable(theme)
        self._new.kept.connect(self._on_kept)
        self.column.addWidget(self._new)
        self._said = StateLine(theme, wraps=True)
        self.column.addWidget(self._said)
        close = text_button(theme, self.tr("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.accept)
        self.add_buttons(close)
        self._show([])
        self.fit(theme.size("dialog_lg"))
        self._tasks.start(self._refresh())

    def row(self, name: str) -> VariableRow:
        """Return a variable's row.

        Raises:
            KeyError: there is no such variable.
        """
        return self._rows[name]

    @property
    def names(self) -> list[str]:
        return list(self._rows)

    # -- inside -------------------------------------------------------------------------------------
    async def _refresh(self) -> None:
        views = await self._actions.load()
        self._secrets.show_state(await self._actions.secrets())
        self._show(views)

    def _show(self, views: Sequence[VariableView]) -> None:
        edited = {name: row.typed for name, row in self._rows.items() if row.typed}
        self._list.clear()
        self._rows = {}
        for view in views:
            row = VariableRow(self.theme, view)
            row.kept.connect(self._on_kept)
            row.removed.connect(lambda name: self._tasks.start(self._remove(name)))
            row.set_typed(edited.get(view.name, ""))
            self._list.add_row(row)
            self._rows[view.name] = row
        if not views:
            empty = QWidget()
            words = label(
                self.tr("The app has no variables. Add one below, or wait until it asks."),
                tone="muted",
            )
            words.setWordWrap(True)
            empty.setLayout(hbox(words, margins=(16, 14, 16, 14)))
            self._list.add_row(empty)
        wanted = self._rows.get(self._wanted)
        if wanted is not None:
            self._wanted = ""
            # Once it has its place.
            QTimer.singleShot(0, wanted, lambda: self._go_to(wanted))
        # New rows count only once Qt has shown them.
        QTimer.singleShot(0, self, self._fit_list)

    def _fit_list(self) -> None:
        layout = self._list.layout()
        if layout is not None:
            high = layout.totalHeightForWidth(self.theme.size("dialog_lg") - 2 * 24)
            self._scroll.setFixedHeight(min(_LIST_HEIGHT, high))

    def _go_to(self, row: VariableRow) -> None:
        self._scroll.ensureWidgetVisible(row)
        row.focus_value()

    def _on_kept(self, entry: VariableEntry) -> None:
        self._tasks.start(self._keep(entry))

    async def _keep(self, entry: VariableEntry) -> None:
        try:
            await self._actions.keep(entry)
        except VibeDeskError as error:
            self._say(error)
            if entry.name in self._rows:
                self._rows[entry.name].reset_consent()
            return
        self._said.set_state("")
        if entry.name in self._rows:
            self._rows[entry.name].set_typed("")
        else:
            self._new.clear()
        await self._refresh()

    async def _remove(self, name: str) -> None:
        await self._actions.remove(name)
        self._said.set_state("")
        await self._refresh()

    async def _unlock(self, passphrase: str) -> None:
        try:
            self._secrets.show_state(await self._actions.unlock(passphrase))
        except VibeDeskError as error:
            self._secrets.show_trouble(error.message, error.remedy)

    def _say(self, error: VibeDeskError) -> None:
        self._said.set_state(str(error), "danger", "x-circle-fill")


class VariableRow(QWidget):
    """One variable."""

    kept = Signal(object)
    removed = Signal(str)

    def __init__(self, theme: Theme, view: VariableView) -> None:
        super().__init__()
        self._view = view
        name = ElidedLabel(view.name)
        code_family()
        name.setProperty("mono", True)
        purpose = label(self._purpose(), tone="muted", fs="small")
        purpose.setWordWrap(True)
        head = QWidget()
        head.setFixedWidth(_NAME_WIDTH)
        glyph = IconLabel(theme, "lock-simple" if view.secret else "text-aa", "text.muted", 14)
        glyph.setToolTip(self.tr("Secret") if view.secret else self.tr("Not secret"))
        row = hbox(vbox(3, glyph, None, gap=0), gap=9)
        add_layout(row, vbox(name, purpose, gap=1), 1)
        head.setLayout(row)
        self._value = QLineEdit("" if view.secret else view.value)
        if view.secret:
            self._value.setEchoMode(QLineEdit.EchoMode.Password)
        self._value.setPlaceholderText(self._hint())
        self._value.setAccessibleName(self.tr("{0}, value").format(view.name))
        self._value.textChanged.connect(self._refresh)
        self._value.returnPressed.connect(self._keep)
        self._save = text_button(theme, self.tr("Save"), compact=True)
        self._save.setAutoDefault(False)
        self._save.setAccessibleName(self.tr("{0}, save").format(view.name))
        self._save.clicked.connect(self._keep)
        self._consent = QCheckBox(self.tr("Give it to the running app"))
        self._consent.setChecked(view.consent)
        self._consent.setAccessibleName(self.tr("Give {0} to the running app").format(view.name))
        self._consent.clicked.connect(self._on_consent)
        self._state = StateLine(theme)
        remove = icon_button(theme, "trash", self.tr("Remove {0}").format(view.name))
        remove.clicked.connect(lambda: self.removed.emit(view.name))
        right = vbox(
            hbox((self._value, 1), self._save, remove, gap=6),
            hbox(self._consent, None, self._state, gap=8),
            gap=6,
        )
        outer = hbox(gap=14, margins=(14, 11, 8, 11))
        outer.addWidget(head, 0, Qt.AlignmentFlag.AlignTop)
        add_layout(outer, right, 1)
        self.setLayout(outer)
        self._say_state()
        self._refresh()

    @property
    def typed(self) -> str:
        """What is typed and not kept yet."""
        text = self._value.text()
        return text if text != ("" if self._view.secret else self._view.value) else ""

    def set_typed(self, text: str) -> None:
        if text or self._view.secret:
            self._value.setText(text)

    def focus_value(self) -> None:
        self._value.setFocus(Qt.FocusReason.OtherFocusReason)

    def reset_consent(self) -> None:
        """Show the consent that holds: the change was refused."""
        self._consent.setChecked(self._view.consent)

    def _purpose(self) -> str:
        if self._view.purpose:
            return self._view.purpose
        return self.tr("Added by you") if self._view.asked_by == "you" else ""

    def _hint(self) -> str:
        if self._view.secret and self._view.has_value:
            return self.tr("••••••••••••  kept, type to replace it")
        return self.tr("Enter a value")

    def _say_state(self) -> None:
        if not self._view.has_value:
            words = (
                self.tr("The app asks for it")
                if self._view.asked_by != "you"
                else self.tr("No value yet")
            )
            self._state.set_state(words, "warning", "warning-fill")
        elif self._view.consent:
            self._state.set_state(self.tr("The app has it"), "success", "check-circle-fill")
        else:
            self._state.set_state(self.tr("Kept, not given to the app"), "muted", "")

    def _refresh(self) -> None:
        self._save.setEnabled(bool(self.typed))

    def _keep(self) -> None:
        if self.typed:
            self._tell(self._value.text())

    def _on_consent(self) -> None:
        self._tell(self._value.text() if self.typed else None)

    def _tell(self, value: str | None) -> None:
        self.kept.emit(
            VariableEntry(
                name=self._view.name,
                value=value,
                secret=self._view.secret,
                consent=self._consent.isChecked(),
            )
        )


class _NewVariable(QWidget):
    """The line that adds one."""

    kept = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._name = QLineEdit()
        self._name.setPlaceholderText("STRIPE_SECRET_KEY")
        self._name.setAccessibleName(self.tr("New variable, name"))
        self._name.setFixedWidth(_NAME_WIDTH)
        self._name.textChanged.connect(self._refresh)
        self._value = QLineEdit()
        self._value.setPlaceholderText(self.tr("Value"))
        self._value.setAccessibleName(self.tr("New variable, value"))
        self._value.textChanged.connect(self._refresh)
        self._secret = QCheckBox(self.tr("Secret"))
        self._secret.setChecked(True)
        self._secret.setAccessibleName(self.tr("New variable, secret"))
        self._secret.toggled.connect(self._on_secret)
        self._consent = QCheckBox(self.tr("Give it to the running app"))
        self._consent.setAccessibleName(self.tr("New variable, give it to the running app"))
        self._add = text_button(theme, self.tr("Add variable"), icon="plus")
        self._add.setAutoDefault(False)
        self._add.clicked.connect(self._keep)
        for field in (self._name, self._value):
            field.returnPressed.connect(self._keep)
        inside = vbox(
            hbox(self._name, (self._value, 1), gap=10),
            hbox(self._secret, self._consent, None, self._add, gap=16),
            gap=10,
            margins=(14, 12, 14, 12),
        )
        self.setLayout(hbox(frame("panelcard", inside)))
        self._on_secret(True)
        self._refresh()

    def clear(self) -> None:
        self._name.clear()
        self._value.clear()
        self._secret.setChecked(True)
        self._consent.setChecked(False)

    def _on_secret(self, secret: bool) -> None:
        mode = QLineEdit.EchoMode.Password if secret else QLineEdit.EchoMode.Normal
        self._value.setEchoMode(mode)

    def _refresh(self) -> None:
        missing = "" if self._name.text().strip() else self.tr("Enter a name first")
        self._add.setEnabled(not missing)
        self._add.setToolTip(missing)

    def _keep(self) -> None:
        name = self._name.text().strip()
        if name:
            self.kept.emit(
                VariableEntry(
                    name=name,
                    value=self._value.text() or None,
                    secret=self._secret.isChecked(),
                    consent=self._consent.isChecked(),
                )
            )
