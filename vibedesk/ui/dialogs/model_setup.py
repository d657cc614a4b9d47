"""First start: which model builds the apps, or an example to watch instead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.views import DiscoveredServerView, SecretsView
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.settings.cards import Strip
from vibedesk.ui.settings.secrets_line import SecretsLine
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented, icon_button, text_button
from vibedesk.ui.widgets.labels import IconLabel, label, set_look

Provider = Literal["anthropic", "openai", "openai_compatible"]
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The model a person chose. The key is for the keychain and is never shown again."""

    provider: Provider | str
    """One of the three, or what a server on this machine is set up as."""
    model: str
    key: str = ""
    base_url: str = ""

    def __repr__(self) -> str:
        return f"ModelChoice(provider={self.provider!r}, model={self.model!r})"


SetupAnswer = ModelChoice | Literal["sample", "more"]
Check = Callable[[ModelChoice], Awaitable[str | None]]
"""Tries a choice; returns what is wrong with it as a sentence, or `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlace:
    """Where the key will be kept, and how that is opened where it is locked."""

    state: Callable[[], Awaitable[SecretsView]]
    unlock: Callable[[str], Awaitable[SecretsView]]


Look = Callable[[], Awaitable[Sequence[DiscoveredServerView]]]
"""Looks for model servers on this machine."""


class ModelSetupDialog(AwaitableDialog[SetupAnswer]):
    """Provider, key and model, checked before the dialog closes."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        models: dict[Provider, str] | None = None,
        keychain: str = "",
        check: Check | None = None,
        provider: Provider = "anthropic",
        reason: str = "",
        keys: KeyPlace | None = None,
        look: Look | None = None,
    ) -> None:
        """Build the dialog.

        Args:
            theme: The look.
            parent: The window it belongs to.
            models: A model name to begin with, for each provider.
            keychain: What the system's keychain is called; empty for a general word.
            check: Tries the choice before the dialog closes.
            provider: The provider that is chosen first.
            reason: A sentence shown first, for example that a key was rejected.
            keys: Says where keys are kept, instead of the general words.
            look: Finds servers on this machine; those are offered above the fields.
        """
        title = self.tr("Choose a model")
        super().__init__(theme, parent, title)
        self._models = dict(models or {})
        self._check = check
        self._checking: asyncio.Task[None] | None = None
        self._keys = keys
        self._tasks = WidgetTasks(self, lambda error: self._show_problem(str(error)))
        self.add_heading(title, "brain")
        self.add_text(
            self.tr(
                "The model turns your words into code. You pay its provider directly; VibeDesk adds "
                "nothing. Nothing is sent anywhere until you build something."
            )
        )
        self._providers = Segmented(
            theme,
            self.tr("Provider"),
            (
                Segment(key="anthropic", text="Anthropic"),
                Segment(key="openai", text="OpenAI"),
                Segment(key="openai_compatible", text=self.tr("OpenAI-compatible")),
            ),
        )
        self._providers.chosen.connect(self._on_provider)
        self._local = QVBoxLayout()
        self._local.setSpacing(8)
        add_layout(self.column, self._local)
        more = text_button(theme, self.tr("More providers"), variant="link", compact=True)
        more.setAutoDefault(False)
        more.clicked.connect(lambda: self.give("more"))
        add_layout(self.column, hbox(self._providers, None, more))
        self._make_fields(keychain)
        self._make_buttons()
        self._providers.set_current(provider)
        self._on_provider(provider)
        self._show_problem(reason)
        self.fit(theme.size("dialog_md"))
        self._key.setFocus()
        if keys is not None:
            self._tasks.start(self._show_keys(keys))
        if look is not None:
            self._tasks.start(self._show_local(look))

    # Building ------------------------------------------------------------------------------

    def _make_fields(self, keychain: str) -> None:
        self._url = self._field(self.tr("Address"))
        self._url.setPlaceholderText("http://localhost:11434/v1")
        self._url_row = self._labelled(self.tr("Address"), self._url)
        self._key = self._field(self.tr("Key"))
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        self._reveal = icon_button(self.theme, "eye", self.tr("Show the key"), checkable=True)
        self._reveal.toggled.connect(self._on_reveal)
        self._key_label = label(self.tr("Key"), strong="mid")
        self._model = self._field(self.tr("Model"))
        store = keychain or self.tr("the system's keychain")
        kept = self.tr("Your key is kept in {keychain}, never in a file.").format(keychain=store)
        self._kept = SecretsLine(self.theme, narrow=True)
        self._kept.show_state(SecretsView("keychain", False, kept))
        self._kept.unlock_requested.connect(lambda words: self._tasks.start(self._unlock(words)))
        self._problem = label("", tone="danger", fs="small")
        self._problem.setWordWrap(True)
        self._problem_icon = IconLabel(self.theme, "warning-fill", "danger.text", 14)
        key = vbox(self._key_label, hbox((self._key, 1), self._reveal, gap=4), self._kept, gap=4)
        problem = hbox(self._problem_icon, (self._problem, 1), gap=6)
        self.column.addWidget(self._url_row)
        add_layout(self.column, key)
        self.column.addWidget(self._labelled(self.tr("Model"), self._model))
        add_layout(self.column, problem)

    def _make_buttons(self) -> None:
        sample = text_button(self.theme, self.tr("Watch an example instead"), variant="ghost")
        sample.setAutoDefault(False)
        sample.clicked.connect(lambda: self.give("sample"))
        later = text_button(self.theme, self.tr("Not now"))
        later.setAutoDefault(False)
        later.clicked.connect(self.reject)
        self._use = text_button(self.theme, self.tr("Use this model"), variant="primary")
        self._use.setDefault(True)
        self._use.clicked.connect(self._on_use)
        row = self.add_buttons(later, self._use)
        row.insertWidget(0, sample)

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.textChanged.connect(self._on_edited)
        return field

    @staticmethod
    def _labelled(text: str, field: QLineEdit) -> QWidget:
        words = QLabel(text)
        words.setProperty("strong", "mid")
        words.setBuddy(field)
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(words)
        column.addWidget(field)
        return made

    # What is chosen ------------------------------------------------------------------------

    def choice(self) -> ModelChoice:
        provider = self._provider()
        return ModelChoice(
            provider=provider,
            model=self._model.text().strip(),
            key=self._key.text().strip(),
            base_url=self._url.text().strip().rstrip("/") if self._needs_url() else "",
        )

    def _provider(self) -> Provider:
        match self._providers.current:
            case "openai":
                return "openai"
            case "openai_compatible":
                return "openai_compatible"
            case _:
                return "anthropic"

    def _needs_url(self) -> bool:
        return self._provider() == "openai_compatible"

    def _missing(self) -> str:
        """Return what is still needed, as a sentence, or nothing."""
        choice = self.choice()
        if self._needs_url():
            url = QUrl(choice.base_url)
            if url.scheme() not in ("http", "https") or not url.host():
                return self.tr("The address begins with http:// or https:// and names a host.")
            if url.scheme() == "http" and choice.key and url.host() not in _LOOPBACK:
                return self.tr("A key travels only over https, or to this computer.")
        elif not choice.key:
            return self.tr("Enter the key first.")
        return "" if choice.model else self.tr("Enter the name of the model first.")

    # What is here --------------------------------------------------------------------------

    async def _show_keys(self, keys: KeyPlace) -> None:
        self._kept.show_state(await keys.state())

    async def _unlock(self, passphrase: str) -> None:
        if self._keys is None:
            return
        try:
            self._kept.show_state(await self._keys.unlock(passphrase))
        except VibeDeskError as error:
            self._kept.show_trouble(error.message, error.remedy)
        else:
            self._show_problem("")

    async def _show_local(self, look: Look) -> None:
        for server in await look():
            if not server.models:
                continue
            strip = Strip(self.theme, "info")
            self._local.addWidget(strip)
            title = self.tr("{0} runs on this computer").format(server.label)
            strip.say("info", title, self.tr("{0}, free and private").format(server.models[0]))
            use = text_button(self.theme, self.tr("Use it"), compact=True)
            use.setAccessibleName(self.tr("Use {0}").format(server.label))
            use.setAutoDefault(False)
            choice = ModelChoice(
                provider=server.provider, model=server.models[0], base_url=server.base_url
            )
            use.clicked.connect(lambda _=False, choice=choice: self._use_local(choice))
            strip.buttons.addWidget(use)

    def _use_local(self, choice: ModelChoice) -> None:
        if self._check is None:
            self.give(choice)
        elif self._checking is None:
            self._checking = self._tasks.start(self._try(self._check, choice))

    # Reactions -----------------------------------------------------------------------------

    def _on_provider(self, _key: str) -> None:
        needs_url = self._needs_url()
        self._url_row.setVisible(needs_url)
        self._key_label.setText(self.tr("Key (if it needs one)") if needs_url else self.tr("Key"))
        hint = {"anthropic": "sk-ant-…", "openai": "sk-…"}.get(self._provider(), "")
        self._key.setPlaceholderText(hint)
        self._model.setText(self._models.get(self._provider(), ""))
        self._on_edited()
        self.fit(self.theme.size("dialog_md"))

    def _on_edited(self) -> None:
        missing = self._missing()
        self._use.setEnabled(not missing and self._checking is None)
        self._use.setToolTip(missing)
        self._show_problem("")

    def _on_reveal(self, shown: bool) -> None:
        mode = QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password
        self._key.setEchoMode(mode)
        self._reveal.setIcon(self.theme.icon("eye-slash" if shown else "eye", "text.muted", 16))
        words = self.tr("Hide the key") if shown else self.tr("Show the key")
        self._reveal.setAccessibleName(words)
        self._reveal.setToolTip(words)

    def _on_use(self) -> None:
        if self._missing() or self._checking is not None:
            return
        if self._check is None:
            self.give(self.choice())
            return
        self._checking = self._tasks.start(self._try(self._check, self.choice()))

    async def _try(self, check: Check, choice: ModelChoice) -> None:
        """Check the choice; close the dialog if it works, else say why not."""
        self._use.setEnabled(False)
        self._use.setText(self.tr("Checking"))
        try:
            problem = await check(choice)
        finally:
            self._checking = None
            self._use.setText(self.tr("Use this model"))
            self._use.setEnabled(True)
        if problem is None:
            self.give(choice)
        else:
            self._show_problem(problem)

    def done(self, result: int) -> None:
        if self._checking is not None:
            self._checking.cancel()
        super().done(result)

    def _show_problem(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        self._problem_icon.setVisible(bool(text))
        self._problem.setAccessibleName(text)
        set_look(self._key, "invalid", "true" if text else "false")
        if text:
            self._key.setAccessibleDescription(text)


async def ask_model(
    theme: Theme,
    parent: QWidget | None,
    *,
    models: dict[Provider, str] | None = None,
    keychain: str = "",
    check: Check | None = None,
    provider: Provider = "anthropic",
    reason: str = "",
    keys: KeyPlace | None = None,
    look: Look | None = None,
) -> SetupAnswer | None:
    """Ask for a model: a choice, "sample" to watch an example, "more" for the settings, or `None` for not now."""
    dialog = ModelSetupDialog(
        theme,
        parent,
        models=models,
        keychain=keychain,
        check=check,
        provider=provider,
        reason=reason,
        keys=keys,
        look=look,
    )
    return await dialog.answer()
