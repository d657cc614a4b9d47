"""Models and keys: presets, the models of each operation, providers with their keys and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from vibedesk.engine.views import (
    ConnectionView,
    DiscoveredServerView,
    ProviderView,
    RoutesView,
    SecretsView,
)
from vibedesk.ui.settings.add_server import AddServer
from vibedesk.ui.settings.cards import Card, PageColumn, Strip
from vibedesk.ui.settings.preset_cards import PresetCards
from vibedesk.ui.settings.provider_row import ProviderRow
from vibedesk.ui.settings.route_rows import KnownModels, RouteRow
from vibedesk.ui.settings.secrets_line import SecretsLine
from vibedesk.ui.settings.words import models_words, preset_words, tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import label

_NAME_COLUMN = 224


class ModelsPage(PageColumn):
    """Shows what it is given and says what the person asks for."""

    preset_chosen = Signal(str)
    route_changed = Signal(str, object)
    routes_reset = Signal()
    list_requested = Signal()
    """Every model that the connected providers offer is wanted."""
    test_requested = Signal(str, object)
    cancel_requested = Signal(str)
    save_requested = Signal(str, object)
    use_requested = Signal(str)
    remove_requested = Signal(str)
    local_chosen = Signal(object, str)
    """A DiscoveredServerView and one of its models."""
    look_requested = Signal()
    add_requested = Signal(object)
    unlock_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            tr("Models and keys"),
            tr("Pick which model does which part of the work. Changes apply from the next step."),
        )
        self._theme = theme
        self._known = KnownModels()
        self._presets: PresetCards | None = None
        self._routes: dict[str, RouteRow] = {}
        self._providers: dict[str, ProviderRow] = {}
        self._trouble = Strip(theme, "warning")
        self._trouble.hide()
        self._preset_place = QVBoxLayout()
        self._route_card = Card()
        self._reset = text_button(
            theme, self.tr("Reset to Balanced"), variant="ghost", compact=True
        )
        self._reset.clicked.connect(self.routes_reset)
        self._secrets = SecretsLine(theme)
        self._secrets.unlock_requested.connect(self.unlock_requested)
        self._local = QWidget()
        self._local_rows = QVBoxLayout(self._local)
        self._local_rows.setContentsMargins(0, 0, 0, 0)
        self._local_rows.setSpacing(8)
        self._look = BusyButton(
            theme,
            self.tr("Look for local servers"),
            self.tr("Looking"),
            "magnifying-glass",
            "ghost",
        )
        self._look.clicked.connect(self.look_requested)
        self._provider_card = Card()
        self._own = AddServer(theme)
        self._own.add_requested.connect(self.add_requested)
        self._list = BusyButton(
            theme,
            self.tr("List all models"),
            self.tr("Listing"),
            "list-bullets",
            "ghost",
        )
        self._list.setToolTip(self.tr("Asks every connected provider which models it has"))
        self._list.clicked.connect(self.list_requested)
        routes_head = hbox(
            label(self.tr("Who does what"), fs="title_sm"), None, self._reset, self._list, gap=8
        )
        heading = hbox(label(self.tr("Providers"), fs="title_sm"), None, self._look, gap=8)
        for item in (
            self._trouble,
            self._preset_place,
            routes_head,
            self._route_card,
            8,
            vbox(heading, self._secrets, gap=4),
            self._local,
            self._provider_card,
            self._own,
        ):
            if isinstance(item, int):
                self.column.addSpacing(item)
            elif isinstance(item, QWidget):
                self.column.addWidget(item)
            else:
                add_layout(self.column, item)
        self._make_route_head()
        self._local.hide()

    # -- what is shown --------------------------------------------------------------------------------
    def show_routes(self, routes: RoutesView, known: KnownModels) -> None:
        """Show presets and routes with what is known of their models."""
        self._known = known
        if routes.problem:
            self._trouble.say("warning", self.tr("Your models.json cannot be used"), routes.problem)
        else:
            self._trouble.hide()
        if self._presets is None:
            self._presets = PresetCards(self._theme, routes.presets)
            self._presets.chosen.connect(self.preset_chosen)
            self._preset_place.addWidget(self._presets)
        self._presets.set_current(routes.preset)
        self._reset.setVisible(routes.preset == "custom")
        self._reset.setToolTip(preset_words("balanced").text)
        for route in routes.routes:
            row = self._routes.get(route.operation)
            if row is None:
                row = self._routes[route.operation] = RouteRow(
                    self._theme, route.operation, lambda: self._known
                )
                row.changed.connect(self.route_changed)
                self._route_card.add_row(row)
            row.show_route(route)

    def show_providers(self, providers: Sequence[ProviderView], first: str) -> None:
        """Show the providers; `first` is the one that is asked before the others."""
        if [p.name for p in providers] != list(self._providers):
            self._make_rows(providers)
        for provider in providers:
            self._providers[provider.name].show_provider(provider, first=provider.name == first)
        self._own.set_taken([p.name for p in providers])

    def show_secrets(self, view: SecretsView) -> None:
        self._secrets.show_state(view)

    def show_secrets_trouble(self, message: str, remedy: str) -> None:
        self._secrets.show_trouble(message, remedy)

    def show_local(self, servers: Sequence[DiscoveredServerView], used: Mapping[str, bool]) -> None:
        """Say which servers were found on this machine; `used`: whether each provider is ready."""
        self._look.set_busy(busy=False)
        while (taken := self._local_rows.takeAt(0)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        for server in servers:
            self._add_local(server, used.get(server.provider, False))
        self._local.setVisible(bool(servers))

    def set_listing(self, *, listing: bool) -> None:
        """Say that the providers are being asked for their models."""
        self._list.set_busy(busy=listing)
        self._list.setEnabled(not listing)

    def set_looking(self) -> None:
        self._look.set_busy(busy=True)

    def set_testing(self, name: str, *, testing: bool) -> None:
        if name in self._providers:
            self._providers[name].set_testing(testing=testing)

    def show_result(self, name: str, result: ConnectionView) -> None:
        if name in self._providers:
            self._providers[name].show_result(result)

    def show_trouble(self, name: str, message: str, remedy: str) -> None:
        """Say at a provider why it could not be set up."""
        if name in self._providers:
            self._providers[name].show_trouble(message, remedy)

    def saved(self, name: str) -> None:
        if name in self._providers:
            self._providers[name].clear_entry()

    def server_added(self) -> None:
        self._own.close_form()

    def show_place(self, name: str) -> None:
        """Bring a provider into view and put the keyboard into its field."""
        row = self._providers.get(name)
        if row is not None:
            self.ensureWidgetVisible(row, 0, 80)
            row.focus_key()

    def provider_row(self, name: str) -> ProviderRow:
        """Return a provider's row.

        Raises:
            KeyError: there is no such provider.
        """
        return self._providers[name]

    def route_row(self, operation: str) -> RouteRow:
        """Return an operation's row.

        Raises:
            KeyError: there is no such operation.
        """
        return self._routes[operation]

    # -- inside -------------------------------------------------------------------------------------
    def _make_route_head(self) -> None:
        operation = label(self.tr("Operation"), tone="muted", fs="small")
        operation.setFixedWidth(_NAME_COLUMN - 16)
        model = label(self.tr("Models, the first that can answer does"), tone="muted", fs="small")
        thinking = label(self.tr("Thinking"), tone="muted", fs="small")
        thinking.setFixedWidth(140)
        self._route_card.set_head(
            hbox(operation, 16, (model, 1), thinking, gap=0, margins=(16, 7, 16, 7))
        )

    def _make_rows(self, providers: Sequence[ProviderView]) -> None:
        self._provider_card.clear()
        self._providers = {}
        for provider in providers:
            row = ProviderRow(self._theme, provider)
            row.test_requested.connect(self.test_requested)
            row.cancel_requested.connect(self.cancel_requested)
            row.save_requested.connect(self.save_requested)
            row.use_requested.connect(self.use_requested)
            row.remove_requested.connect(self.remove_requested)
            self._provider_card.add_row(row)
            self._providers[provider.name] = row

    def _add_local(self, server: DiscoveredServerView, used: bool) -> None:
        strip = Strip(self._theme, "info")
        self._local_rows.addWidget(strip)
        title = self.tr("{0} on this machine: {1}").format(
            server.label, models_words(len(server.models))
        )
        names = ", ".join(server.models) or self.tr("It has no model yet. Load one there first.")
        strip.say("info", title, names)
        if server.in_use:
            strip.buttons.addWidget(
                label(self.tr("In use"), tone="success", fs="small", strong="mid")
            )
        elif server.models:
            words = self.tr("Use another model") if used else self.tr("Use")
            use = text_button(self._theme, words, compact=True)
            use.setAccessibleName(self.tr("Use {0}").format(server.label))
            use.clicked.connect(lambda: self._choose_local(server, use))
            strip.buttons.addWidget(use)

    def _choose_local(self, server: DiscoveredServerView, button: QWidget) -> None:
        if len(server.models) == 1:
            self.local_chosen.emit(server, server.models[0])
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for model in server.models:
            action = QAction(model, menu)
            action.triggered.connect(
                lambda _=False, name=model: self.local_chosen.emit(server, name)
            )
            menu.addAction(action)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
