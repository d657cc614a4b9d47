"""Which models a project asks: the recorded example, or configured providers in order."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vibedesk.base.errors import InvalidInputError, NotFoundError, VibeDeskError
from vibedesk.base.secret_store import SecretStore
from vibedesk.engine.budget import Budgets
from vibedesk.engine.event_bus import EventBus
from vibedesk.engine.models.attempts import RetryPolicy, RoutedModel
from vibedesk.engine.models.capabilities import ModelCatalogue
from vibedesk.engine.models.circuit import CircuitBreakers
from vibedesk.engine.models.keys import KEYCHAIN_SERVICE
from vibedesk.engine.models.protocol import (
    ChatModel,
    NoModelError,
)
from vibedesk.engine.models.provider_config import (
    built_in_providers,
    check_address,
    parse_provider,
)
from vibedesk.engine.models.providers import ModelChoice, Providers
from vibedesk.engine.models.recorded import DEFAULT_PACE, RecordedModel
from vibedesk.engine.models.route_models import build_route, server_of, tells_more
from vibedesk.engine.models.router import ModelRouter
from vibedesk.engine.models.routes import (
    ROUTED,
    USUAL_PRESET,
    RoutedOperation,
    RouteStep,
    check_operation,
    check_preset,
    override_route,
    preset_route,
    read_steps,
    write_steps,
)
from vibedesk.engine.models.samples import get_sample
from vibedesk.engine.project_hooks import project_hooks
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore

PACE_VARIABLE = "VIBEDESK_SAMPLE_PACE"
"""Tokens per second of a recorded example; 0 plays it as fast as possible."""

CUSTOM_PROVIDERS = "providers.custom"
ADDRESSES = "providers.addresses"
"""Addresses that replace those of providers that ship with VibeDesk, by name."""
DEFAULT_PROVIDER = "providers.default"
MODELS = "providers.models"
"""The model that each provider is asked for where nothing names another, by name."""
DEFAULT_MODEL = "providers.default_model"
"""What there was before `MODELS`: the model of the provider asked first. It is still read, and emptied."""
PRESET = "models.preset"
ROUTES = "models.routes"
RETRY = "models.retry"

_FACTS_PATIENCE_S = 3.0


class ModelChoices:
    """Builds the model router of a project and keeps the settings of providers and routes.

    Args:
        database: The home's.
        store: Its settings and projects.
        bus: Where waits, notices and usage are told.
        secrets: Where keys are.
        own_facts: The person's file of facts about models; it need not exist.
    """

    def __init__(
        self,
        database: Database,
        store: ProjectStore,
        bus: EventBus,
        secrets: SecretStore,
        own_facts: Path | None = None,
    ) -> None:
        self._secrets = secrets
        self._database = database
        self._store = store
        self._bus = bus
        self._budgets = Budgets(database, store, bus)
        self._own_facts = own_facts
        self._breakers = CircuitBreakers()
        self._told: dict[ModelChoice, Mapping[str, Any]] = {}

    async def router(self, project_id: str, options: ProjectOptions) -> ModelRouter:
        """Return the router of a project; an operation that no model can be asked for says so when it is asked.

        Raises:
            InvalidInputError: the settings or the person's facts about models cannot be used.
        """
        hooks = project_hooks(self._bus, self._store, self._budgets, project_id)
        if options.sample:
            return ModelRouter([await self.model(options)], hooks=hooks)
        settings = await self.settings()
        policy = RetryPolicy.from_dict(settings["retry"])
        routes = await self._routed(settings, options, ROUTED)
        return ModelRouter([], routes=routes, policy=policy, hooks=hooks, breakers=self._breakers)

    async def model(self, options: ProjectOptions) -> ChatModel:
        """Return the model that a new project asks first.

        Raises:
            NoModelError: nothing is set up, or what is chosen cannot be used.
        """
        if options.sample:
            sample = await asyncio.to_thread(get_sample, options.sample)
            return RecordedModel(sample.folder, pace=_pace())
        steps = (await self._routed(await self.settings(), options, ("blueprint",)))["blueprint"]
        if isinstance(steps, VibeDeskError):
            raise steps
        return steps[0].model

    # -- settings -----------------------------------------------------------------------------------
    async def settings(self) -> dict[str, Any]:
        """Return everything that is set about models, as it is stored."""
        return await self._database.run(self._settings, durable=False)

    def providers(self, settings: Mapping[str, Any]) -> Providers:
        """Return the providers as Settings has them; the environment still overrides that. Reads files.

        Raises:
            InvalidInputError: the person's facts about models cannot be used.
        """
        configs = {config.name: config for config in built_in_providers()}
        configs.update((entry["name"], parse_provider(entry)) for entry in settings["custom"])
        for name, address in settings["addresses"].items():
            if name in configs:
                configs[name] = dataclasses.replace(configs[name], base_url=address)
        for name, model in settings["models"].items():
            if name in configs:
                configs[name] = dataclasses.replace(configs[name], default_model=model)
        return Providers(
            configs.values(),
            catalogue=ModelCatalogue.load(self._own_facts),
            told=self._told,
            store=self._secrets,
        )

    def note_facts(self, choice: ModelChoice, facts: Mapping[str, Any]) -> None:
        """Remember what a model's own server tells of it, until the program ends."""
        if facts:
            self._told[choice] = facts

    def steps(
        self,
        settings: Mapping[str, Any],
        providers: Providers,
        operation: RoutedOperation,
        options: ProjectOptions,
    ) -> list[RouteStep]:
        """Return an operation's steps, whether or not they can be used.

        Raises:
            NoModelError, NotFoundError: the project's own provider is not there or has no model; or no provider can be
                asked, and the one that is chosen for all has none.
        """
        preset = settings["preset"]
        own = settings["routes"].get(operation) if preset == "custom" else None
        steps = (
            read_steps(own, f"models.routes.{operation}")
            if own
            else preset_route(preset, operation, providers, settings["provider"])
        )
        if not steps and not options.provider and settings["provider"] in providers.names():
            # Nobody is asked in its place, so it is said where it has no model.
            providers.choose(settings["provider"], options.model or None)
        return override_route(steps, options.provider, options.model, providers, own=bool(own))

    async def set_preset(self, name: str) -> None:
        """Let a preset answer every operation; `custom`: the routes of one's own.

        Raises:
            InvalidInputError: there is none of that name.
        """
        preset = check_preset(name)
        await self._database.run(lambda: self._store.set_setting(PRESET, preset))

    async def set_route(self, operation: str, steps: Sequence[RouteStep]) -> None:
        """Answer an operation by these steps in order, and use one's own routes; without steps by the usual ones.

        Raises:
            InvalidInputError: the operation has no route, or a step cannot be used.
            NotFoundError: there is no such provider.
        """
        routed = check_operation(operation)
        written = write_steps(steps)
        read_steps(written, f"models.routes.{routed}")
        settings = await self.settings()
        providers = await asyncio.to_thread(self.providers, settings)
        for step in steps:
            providers.get(step.provider)

        def store() -> None:
            routes = dict(self._store.setting(ROUTES, {}))
            routes.pop(routed, None)
            if written:
                routes[routed] = written
            self._store.set_setting(ROUTES, routes)
            self._store.set_setting(PRESET, "custom")

        await self._database.run(store)

    async def set_up(
        self, name: str, *, key: str, base_url: str, model: str, use: bool = True
    ) -> None:
        """Keep what a provider needs, its key in the keychain, the rest in the settings, and `use` it first.

        What is not given stays as it is. Without `base_url`, though, one that ships with VibeDesk gets its own address
        back; and to `use` one that has a usual model without a `model` gets that back.

        Raises:
            InvalidInputError: the address is none, or has a key or password in it.
            NotFoundError: there is no such provider.
        """
        from vibedesk.engine.models.keys import store_key

        settings = await self.settings()
        custom: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in settings["custom"]}
        addresses: dict[str, str] = dict(settings["addresses"])
        models: dict[str, str] = dict(settings["models"])
        built_in = {config.name: config for config in built_in_providers()}
        if base_url:
            check_address(base_url)
        if name in built_in:
            addresses.pop(name, None)
            if base_url:
                addresses[name] = base_url
        elif base_url or name in custom:
            custom[name] = _own_entry(name, custom.get(name, {}), key=key, base_url=base_url)
        else:
            Providers(custom.values()).get(name)
        if model:
            models[name] = model
        elif use and name in built_in and built_in[name].default_model:
            models.pop(name, None)
        if key:
            await asyncio.to_thread(store_key, name, key, self._secrets)

        def store() -> None:
            self._store.set_setting(CUSTOM_PROVIDERS, list(custom.values()))
            self._store.set_setting(ADDRESSES, addresses)
            self._store_models(models)
            if use:
                self._store.set_setting(DEFAULT_PROVIDER, name)

        await self._database.run(store)

    async def remove(self, name: str) -> None:
        """Forget what was set up of a provider: its key and address, and the provider itself if it is the person's own.

        Raises:
            NotFoundError: there is no such provider.
            KeychainUnavailableError: the key cannot be forgotten; nothing was changed.
        """
        settings = await self.settings()
        (await asyncio.to_thread(self.providers, settings)).get(name)
        await asyncio.to_thread(self._secrets.delete, KEYCHAIN_SERVICE, name)

        def store() -> None:
            kept = [
                entry
                for entry in self._store.setting(CUSTOM_PROVIDERS, [])
                if entry["name"] != name
            ]
            addresses = dict(self._store.setting(ADDRESSES, {}))
            addresses.pop(name, None)
            models = self._models()
            models.pop(name, None)
            self._store.set_setting(CUSTOM_PROVIDERS, kept)
            self._store.set_setting(ADDRESSES, addresses)
            self._store_models(models)
            if self._store.setting(DEFAULT_PROVIDER, "") == name:
                self._store.set_setting(DEFAULT_PROVIDER, "")

        await self._database.run(store)

    def _settings(self) -> dict[str, Any]:
        stored = self._store.setting
        return {
            "custom": stored(CUSTOM_PROVIDERS, []),
            "addresses": stored(ADDRESSES, {}),
            "provider": stored(DEFAULT_PROVIDER, ""),
            "models": self._models(),
            "preset": check_preset(stored(PRESET, USUAL_PRESET)),
            "routes": stored(ROUTES, {}),
            "retry": stored(RETRY, {}),
        }

    def _models(self) -> dict[str, str]:
        before = self._store.setting(DEFAULT_MODEL, "")
        models = {self._store.setting(DEFAULT_PROVIDER, ""): before} if before else {}
        return {**models, **self._store.setting(MODELS, {})}

    def _store_models(self, models: Mapping[str, str]) -> None:
        self._store.set_setting(MODELS, dict(models))
        self._store.set_setting(DEFAULT_MODEL, "")

    # -- inside -------------------------------------------------------------------------------------
    async def _routed(
        self,
        settings: Mapping[str, Any],
        options: ProjectOptions,
        operations: Sequence[RoutedOperation],
    ) -> dict[RoutedOperation, Sequence[RoutedModel] | VibeDeskError]:
        """Return the models of every operation, or why it has none."""

        def choose() -> tuple[Providers, dict[RoutedOperation, list[RouteStep] | VibeDeskError]]:
            providers = self.providers(settings)
            chosen: dict[RoutedOperation, list[RouteStep] | VibeDeskError] = {}
            for operation in operations:
                try:
                    chosen[operation] = self.steps(settings, providers, operation, options)
                except (NoModelError, NotFoundError) as error:
                    chosen[operation] = error
            return providers, chosen

        providers, chosen = await asyncio.to_thread(choose)
        wanted = {
            step.choice
            for steps in chosen.values()
            if not isinstance(steps, VibeDeskError)
            for step in steps
        }
        await self._learn_facts(providers, wanted)

        def build() -> dict[RoutedOperation, Sequence[RoutedModel] | VibeDeskError]:
            built: dict[ModelChoice, ChatModel | VibeDeskError] = {}
            named = bool(options.provider or options.model)
            return {
                operation: steps
                if isinstance(steps, VibeDeskError)
                else build_route(steps, providers, built, operation, named=named)
                for operation, steps in chosen.items()
            }

        return await asyncio.to_thread(build)

    async def _learn_facts(self, providers: Providers, choices: Iterable[ModelChoice]) -> None:
        """Ask servers about the models that nobody else knows; one that does not answer is asked another time."""
        from vibedesk.engine.models.servers import fetch_facts

        async def learn(choice: ModelChoice) -> None:
            try:
                server = await asyncio.to_thread(server_of, providers, choice.provider)
                facts = await fetch_facts(server, choice.model, patience_s=_FACTS_PATIENCE_S)
            except VibeDeskError:
                return
            self.note_facts(choice, facts)

        def to_learn() -> list[ModelChoice]:
            return [
                choice
                for choice in choices
                if choice.provider in providers.names()
                and choice not in self._told
                and tells_more(providers, choice)
            ]

        await asyncio.gather(*(learn(choice) for choice in await asyncio.to_thread(to_learn)))


def _own_entry(name: str, stored: Mapping[str, Any], *, key: str, base_url: str) -> dict[str, Any]:
    """Return a provider of the person's own as it is stored: as it was, with what is given now."""
    entry: dict[str, Any] = {"name": name, "wire": "openai", "title": name, **stored}
    entry["base_url"] = base_url or entry.get("base_url", "")
    entry["key_required"] = bool(key) or entry.get("key_required", False)
    parse_provider(entry)
    return entry


def _pace() -> float:
    raw = os.environ.get(PACE_VARIABLE, "").strip()
    if not raw:
        return DEFAULT_PACE
    try:
        pace = float(raw)
    except ValueError:
        pace = -1.0
    if not 0 <= pace < float("inf"):
        raise InvalidInputError(
            f"{PACE_VARIABLE} is not a number of tokens per second.",
            remedy="Set it to 0 (as fast as possible) or more, or unset it.",
        )
    return pace
