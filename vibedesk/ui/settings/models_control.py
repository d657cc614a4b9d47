"""Feeds the page of models from the engine, and does there what the person asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.engine import Engine
from vibedesk.engine.views import (
    DiscoveredServerView,
    ModelView,
    ProviderView,
    RouteStepView,
)
from vibedesk.ui.settings.add_server import NewServer
from vibedesk.ui.settings.model_picker import ModelOption
from vibedesk.ui.settings.models_page import ModelsPage
from vibedesk.ui.settings.provider_row import ProviderEntry
from vibedesk.ui.settings.route_rows import KnownModels
from vibedesk.ui.tasks import ErrorHandler, WidgetTasks

_DEFAULT = "providers.default"
_ADDRESSES = "providers.addresses"
_USUAL_PRESET = "balanced"


class ModelsControl(QObject):
    """Joins the page of models and the engine.

    Args:
        page: The page.
        engine: Started already.
        failed: Told what went wrong that no place of the page is there for.
    """

    changed = Signal()
    """Which models are asked may be different now."""

    def __init__(self, page: ModelsPage, engine: Engine, failed: ErrorHandler) -> None:
        super().__init__(page)
        self._page = page
        self._engine = engine
        self._tasks = WidgetTasks(self, failed)
        self._providers: list[ProviderView] = []
        self._listed: dict[str, tuple[str, ...]] = {}
        self._facts: dict[tuple[str, str], ModelView] = {}
        self._tests: dict[str, asyncio.Task[None]] = {}
        self._looked = False
        # One after the other, or an older answer could be shown last.
        self._refreshing = asyncio.Lock()
        page.preset_chosen.connect(lambda name: self._do(self._choose_preset(name)))
        page.route_changed.connect(lambda op, steps: self._do(self._change_route(op, steps)))
        page.routes_reset.connect(lambda: self._do(self._choose_preset(_USUAL_PRESET)))
        page.list_requested.connect(lambda: self._do(self._list_models()))
        page.test_requested.connect(self._on_test)
        page.cancel_requested.connect(self._on_cancel)
        page.save_requested.connect(lambda name, entry: self._do(self._save(name, entry)))
        page.use_requested.connect(lambda name: self._do(self._use(name)))
        page.remove_requested.connect(lambda name: self._do(self._remove(name)))
        page.local_chosen.connect(lambda server, model: self._do(self._use_local(server, model)))
        page.look_requested.connect(lambda: self._do(self._look()))
        page.add_requested.connect(lambda server: self._do(self._add(server)))
        page.unlock_requested.connect(lambda words: self._do(self._unlock(words)))

    def refresh(self) -> None:
        """Show how things stand; the first time local servers are looked for too."""
        self._do(self._refresh())
        if not self._looked:
            self._looked = True
            self._do(self._look())

    # -- what is shown --------------------------------------------------------------------------------
    async def _refresh(self) -> None:
        async with self._refreshing:
            self._providers = await self._engine.providers()
            routes = await self._engine.routes()
            first = str(await self._engine.setting(_DEFAULT, default="") or "")
            ready = [p.name for p in self._providers if p.ready]
            first = first if first in ready else next(iter(ready), "")
            self._page.show_secrets(await self._engine.secrets_state())
            self._page.show_providers(self._providers, first)
            used = {(s.provider, s.model) for route in routes.routes for s in route.steps}
            self._page.show_routes(routes, await self._known(used))

    async def _known(self, used: set[tuple[str, str]]) -> KnownModels:
        options: list[ModelOption] = []
        ordered = sorted(self._providers, key=lambda p: not p.ready)
        for provider in ordered:
            also = [model for name, model in sorted(used) if name == provider.name]
            names = list(
                dict.fromkeys([*provider.models, *also, *self._listed.get(provider.name, ())])
            )
            await self._learn(provider.name, names)
            options += [
                ModelOption(
                    provider=provider.name,
                    provider_label=provider.label,
                    model=name,
                    facts=self._facts.get((provider.name, name)),
                    ready=provider.ready,
                    free=provider.free,
                )
                for name in names
            ]
        return KnownModels(
            options=tuple(options),
            labels={p.name: p.label for p in self._providers},
            free=frozenset(p.name for p in self._providers if p.free),
        )

    async def _learn(self, provider: str, names: Sequence[str]) -> None:
        new = [name for name in names if (provider, name) not in self._facts]
        if new:
            facts = await self._engine.model_facts(provider, new)
            self._facts.update({(provider, view.name): view for view in facts})

    # -- routes ---------------------------------------------------------------------------------------
    async def _choose_preset(self, name: str) -> None:
        await self._engine.set_preset(name)
        await self._changed()

    async def _change_route(self, operation: str, steps: Sequence[RouteStepView]) -> None:
        routes = await self._engine.routes()
        if routes.preset != "custom":
            # What is not changed stays as the preset had it.
            for route in routes.routes:
                if route.operation != operation and route.steps:
                    await self._engine.set_route(route.operation, route.steps)
        try:
            await self._engine.set_route(operation, steps)
        finally:
            await self._changed()

    # -- providers ------------------------------------------------------------------------------------
    def _on_test(self, name: str, entry: ProviderEntry) -> None:
        self._on_cancel(name)
        self._page.set_testing(name, testing=True)
        task = self._tasks.start(self._test(name, entry), name=f"test {name}")
        if task is not None:
            self._tests[name] = task

    def _on_cancel(self, name: str) -> None:
        running = self._tests.pop(name, None)
        if running is not None and not running.done():
            running.cancel()
            self._page.set_testing(name, testing=False)

    async def _test(self, name: str, entry: ProviderEntry) -> None:
        provider = self._named(name)
        try:
            result = await self._engine.test_connection(
                name,
                key=entry.key,
                base_url=entry.base_url,
                model=provider.default_model if provider is not None else "",
            )
        except VibeDeskError as error:
            self._page.show_trouble(name, error.message, error.remedy)
            return
        self._page.show_result(name, result)
        if result.models:
            self._listed[name] = result.models
            self._facts = {key: view for key, view in self._facts.items() if key[0] != name}
            await self._refresh()
        await self._keep_found_model(name, result.model)

    async def _keep_found_model(self, name: str, model: str) -> None:
        """Let a provider that has no model yet be asked for the one that answered its test."""
        provider = self._named(name)
        if model and provider is not None and not provider.default_model:
            await self._set_up(name, model=model)
            await self._changed()

    async def _list_models(self) -> None:
        """Ask every provider that is ready for its models; what keeps one from telling is said at its row."""
        self._page.set_listing(listing=True)
        ready = [provider.name for provider in self._providers if provider.ready]
        await asyncio.gather(*(self._list_of(name) for name in ready))
        self._page.set_listing(listing=False)
        await self._refresh()

    async def _list_of(self, name: str) -> None:
        try:
            views = await self._engine.list_models(name)
        except VibeDeskError as error:
            self._page.show_trouble(name, error.message, error.remedy)
            return
        self._listed[name] = tuple(view.name for view in views)
        self._facts.update({(name, view.name): view for view in views})

    async def _save(self, name: str, entry: ProviderEntry) -> None:
        try:
            await self._set_up(name, key=entry.key, base_url=entry.base_url)
        except VibeDeskError as error:
            self._page.show_trouble(name, error.message, error.remedy)
            return
        self._page.saved(name)
        await self._changed()
        self._on_test(name, ProviderEntry())

    async def _set_up(
        self, name: str, *, key: str = "", base_url: str = "", model: str = "", use: bool = False
    ) -> None:
        """Keep it; an address that was set before stays, and the first one to be set up is used."""
        addresses = dict(await self._engine.setting(_ADDRESSES, default={}) or {})
        nothing_ready = not any(p.ready for p in self._providers)
        await self._engine.set_up_provider(
            name,
            key=key,
            base_url=base_url or addresses.get(name, ""),
            model=model,
            use=use or nothing_ready,
        )

    async def _use(self, name: str) -> None:
        await self._set_up(name, use=True)
        await self._changed()

    async def _remove(self, name: str) -> None:
        self._on_cancel(name)
        await self._engine.remove_provider(name)
        self._page.saved(name)
        await self._changed()

    async def _add(self, server: NewServer) -> None:
        await self._engine.set_up_provider(
            server.name,
            key=server.key,
            base_url=server.base_url,
            model=server.model,
            use=not any(p.ready for p in self._providers),
        )
        self._page.server_added()
        await self._changed()
        self._page.show_place(server.name)
        self._on_test(server.name, ProviderEntry())

    # -- servers on this machine ------------------------------------------------------------------------
    async def _look(self) -> None:
        self._page.set_looking()
        try:
            found = await self._engine.discover_local()
        except VibeDeskError:
            self._page.show_local([], {})
            raise
        self._listed.update({server.provider: server.models for server in found})
        self._page.show_local(found, {p.name: p.ready for p in self._providers})
        if found:
            await self._refresh()

    async def _use_local(self, server: DiscoveredServerView, model: str) -> None:
        provider = self._named(server.provider)
        same = provider is not None and provider.base_url.rstrip("/") == server.base_url
        await self._set_up(
            server.provider, base_url="" if same else server.base_url, model=model, use=True
        )
        await self._changed()
        await self._look()

    # -- the passphrase ---------------------------------------------------------------------------------
    async def _unlock(self, passphrase: str) -> None:
        try:
            view = await self._engine.unlock_secrets(passphrase)
        except VibeDeskError as error:
            self._page.show_secrets_trouble(error.message, error.remedy)
            return
        self._page.show_secrets(view)
        await self._changed()

    # -- inside -------------------------------------------------------------------------------------
    async def _changed(self) -> None:
        await self._refresh()
        self.changed.emit()

    def _named(self, name: str) -> ProviderView | None:
        return next((p for p in self._providers if p.name == name), None)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work)
