"""Which models a project asks: the recorded example, or configured providers in order."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from datetime import datetime
from typing import Any

from vibedesk.base.clock import iso
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import BudgetWarning, Notice, Resumed, Usage, Waiting
from vibedesk.engine.models.protocol import BudgetExceededError, ChatModel, ModelRequest
from vibedesk.engine.models.provider_config import (
    built_in_providers,
    check_address,
    parse_provider,
)
from vibedesk.engine.models.providers import Providers
from vibedesk.engine.models.recorded import DEFAULT_PACE, RecordedModel
from vibedesk.engine.models.router import CallUsage, ModelRouter, RouterHooks
from vibedesk.engine.models.samples import get_sample
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.views import ProviderView

PACE_VARIABLE = "VIBEDESK_SAMPLE_PACE"
"""Tokens per second of a recorded example; 0 plays it as fast as possible."""

CUSTOM_PROVIDERS = "providers.custom"
ADDRESSES = "providers.addresses"
"""Addresses that replace those of providers that ship with VibeDesk, by name."""
DEFAULT_PROVIDER = "providers.default"
DEFAULT_MODEL = "providers.default_model"
_WARN_AT = 0.8
_CHECKED_HERE = frozenset({"converse", "continue"})


class ModelChoices:
    """Builds the model router of a project and keeps the provider settings."""

    def __init__(self, database: Database, store: ProjectStore, bus: EventBus) -> None:
        self._database = database
        self._store = store
        self._bus = bus

    async def router(self, project_id: str, options: ProjectOptions) -> ModelRouter:
        """Return the router of a project.

        Raises:
            NoModelError: nothing is set up.
        """
        model = await self.model(options)
        return ModelRouter([model], hooks=self._hooks(project_id))

    async def check_budget(self, project_id: str, request: ModelRequest) -> None:
        """Refuse what a run cannot refuse between its steps: answers and continuations over the budget.

        Raises:
            BudgetExceededError: the project has spent what it may, as its options say now.
        """
        if request.operation not in _CHECKED_HERE:
            return

        def look() -> tuple[float | None, float]:
            return self._budget(project_id), self._store.usage_totals(project_id).cost

        budget, spent = await self._database.run(look, durable=False)
        if budget is not None and spent >= budget:
            raise BudgetExceededError(
                f"The budget of {budget:g} USD is used up, so no model is asked.",
                remedy=f"Raise it with `vibedesk resume {project_id} --budget USD`.",
            )

    def _budget(self, project_id: str) -> float | None:
        return ProjectOptions.from_dict(self._store.get(project_id).options).budget

    async def model(self, options: ProjectOptions) -> ChatModel:
        if options.sample:
            sample = await asyncio.to_thread(get_sample, options.sample)
            return RecordedModel(sample.folder, pace=_pace())
        settings = await self._database.run(self._settings, durable=False)

        def build() -> ChatModel:
            providers = _providers(settings)
            provider = options.provider or settings["provider"] or None
            return providers.build_model(providers.choose(provider, options.model or None))

        return await asyncio.to_thread(build)

    async def views(self) -> list[ProviderView]:
        settings = await self._database.run(self._settings, durable=False)

        def look() -> list[ProviderView]:
            return [
                ProviderView(
                    name=status.config.name,
                    label=status.config.label,
                    base_url=status.base_url,
                    default_model=status.default_model,
                    ready=status.ready,
                    key_source=status.key.source or "",
                    problem=status.key.problem,
                    overrides_keychain=status.key.overrides_keychain,
                )
                for status in _providers(settings).configured_providers()
            ]

        return await asyncio.to_thread(look)

    async def set_up(self, name: str, *, key: str, base_url: str, model: str) -> None:
        """Make `name` the provider to use: its key goes to the keychain, the rest to the settings.

        Without `base_url` one that ships with VibeDesk gets its own address back.

        Raises:
            InvalidInputError: the address is none, or has a key or password in it.
            NotFoundError: there is no such provider.
        """
        from vibedesk.engine.models.keys import store_key

        settings = await self._database.run(self._settings, durable=False)
        custom: list[dict[str, Any]] = list(settings["custom"])
        addresses: dict[str, str] = dict(settings["addresses"])
        built_in = {config.name for config in built_in_providers()}
        if base_url:
            check_address(base_url)
        if name in built_in:
            addresses.pop(name, None)
            if base_url:
                addresses[name] = base_url
        elif base_url:
            entry: dict[str, Any] = {
                "name": name,
                "wire": "openai",
                "title": name,
                "base_url": base_url,
                "default_model": model,
                "key_required": bool(key),
            }
            parse_provider(entry)
            custom = [e for e in custom if e.get("name") != name] + [entry]
        else:
            Providers(custom).get(name)
        if key:
            await asyncio.to_thread(store_key, name, key)

        def store() -> None:
            self._store.set_setting(CUSTOM_PROVIDERS, custom)
            self._store.set_setting(ADDRESSES, addresses)
            self._store.set_setting(DEFAULT_PROVIDER, name)
            self._store.set_setting(DEFAULT_MODEL, model)

        await self._database.run(store)

    def _settings(self) -> dict[str, Any]:
        return {
            "custom": self._store.setting(CUSTOM_PROVIDERS, []),
            "addresses": self._store.setting(ADDRESSES, {}),
            "provider": self._store.setting(DEFAULT_PROVIDER, ""),
            "model": self._store.setting(DEFAULT_MODEL, ""),
        }

    def _hooks(self, project_id: str) -> RouterHooks:
        bus, store = self._bus, self._store
        unpriced: set[str] = set()

        async def on_waiting(reason: str, until: datetime, message: str) -> None:
            waiting = Waiting(reason, iso(until), message)

            def work(emit: Emit) -> None:
                store.update(project_id, waiting=waiting.to_data())
                emit(waiting)

            await bus.commit(project_id, work)

        async def on_resumed(reason: str) -> None:
            def work(emit: Emit) -> None:
                store.update(project_id, waiting=None)
                emit(Resumed(reason))

            await bus.commit(project_id, work)

        async def on_notice(message: str) -> None:
            await bus.emit(project_id, Notice(message, "fallback"))

        async def on_usage(call: CallUsage) -> None:
            def work(emit: Emit) -> None:
                before = store.usage_totals(project_id).cost
                store.add_usage(
                    project_id,
                    {
                        "operation": call.operation,
                        "provider": call.provider,
                        "model": call.model,
                        "input_tokens": call.tokens.input_tokens,
                        "output_tokens": call.tokens.output_tokens,
                        "cached_tokens": call.tokens.cached_tokens,
                        "cost": call.cost,
                        "latency": call.latency_s,
                    },
                )
                emit(
                    Usage(
                        call.operation,
                        call.model,
                        call.tokens.input_tokens,
                        call.tokens.output_tokens,
                        call.tokens.cached_tokens,
                        call.cost,
                    )
                )
                budget = self._budget(project_id)
                if call.cost is None and budget is not None and call.model not in unpriced:
                    unpriced.add(call.model)
                    emit(
                        Notice(
                            f"The price of {call.model} is not known, so the budget cannot stop it.",
                            "unknown_price",
                        )
                    )
                spent = before + (call.cost or 0.0)
                if budget and before < _WARN_AT * budget <= spent:
                    emit(BudgetWarning(round(spent, 4), budget))

            await bus.commit(project_id, work)

        return RouterHooks(
            on_waiting=on_waiting, on_resumed=on_resumed, on_notice=on_notice, on_usage=on_usage
        )


def _providers(settings: dict[str, Any]) -> Providers:
    """Return the providers as Settings has them; what the environment says still overrides that."""
    configs = {config.name: config for config in built_in_providers()}
    configs.update((entry["name"], parse_provider(entry)) for entry in settings["custom"])
    for name, address in settings["addresses"].items():
        if name in configs:
            configs[name] = dataclasses.replace(configs[name], base_url=address)
    chosen = settings["provider"]
    if chosen in configs and settings["model"]:
        configs[chosen] = dataclasses.replace(configs[chosen], default_model=settings["model"])
    return Providers(configs.values())


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
