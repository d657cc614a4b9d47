"""Which models a project asks: the recorded example, or configured providers in order."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from typing import Any

from vibedesk.base.clock import iso
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import BudgetWarning, Notice, Resumed, Usage, Waiting
from vibedesk.engine.models.protocol import ChatModel
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
DEFAULT_PROVIDER = "providers.default"
DEFAULT_MODEL = "providers.default_model"
_WARN_AT = 0.8


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
        return ModelRouter([model], hooks=self._hooks(project_id, options.budget))

    async def model(self, options: ProjectOptions) -> ChatModel:
        if options.sample:
            sample = await asyncio.to_thread(get_sample, options.sample)
            return RecordedModel(sample.folder, pace=_pace())
        settings = await self._database.run(self._settings, durable=False)

        def build() -> ChatModel:
            providers = Providers(settings["custom"])
            provider = options.provider or settings["provider"] or None
            model = options.model
            if not model and provider == settings["provider"]:
                model = settings["model"]
            return providers.build_model(providers.choose(provider, model or None))

        return await asyncio.to_thread(build)

    async def views(self) -> list[ProviderView]:
        settings = await self._database.run(self._settings, durable=False)

        def look() -> list[ProviderView]:
            return [
                ProviderView(
                    name=status.config.name,
                    label=status.config.label,
                    base_url=status.base_url,
                    default_model=(
                        settings["model"]
                        if settings["provider"] == status.config.name and settings["model"]
                        else status.default_model
                    ),
                    ready=status.ready,
                    key_source=status.key.source or "",
                    problem=status.key.problem,
                )
                for status in Providers(settings["custom"]).configured_providers()
            ]

        return await asyncio.to_thread(look)

    async def set_up(self, name: str, *, key: str, base_url: str, model: str) -> None:
        """Make `name` the provider to use: its key goes to the keychain, the rest to the settings."""
        from vibedesk.engine.models.keys import store_key
        from vibedesk.engine.models.provider_config import built_in_providers, parse_provider

        settings = await self._database.run(self._settings, durable=False)
        custom: list[dict[str, Any]] = list(settings["custom"])
        built_in = {config.name for config in built_in_providers()}
        if base_url and name not in built_in:
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
            self._store.set_setting(DEFAULT_PROVIDER, name)
            self._store.set_setting(DEFAULT_MODEL, model)

        await self._database.run(store)

    def _settings(self) -> dict[str, Any]:
        return {
            "custom": self._store.setting(CUSTOM_PROVIDERS, []),
            "provider": self._store.setting(DEFAULT_PROVIDER, ""),
            "model": self._store.setting(DEFAULT_MODEL, ""),
        }

    def _hooks(self, project_id: str, budget: float | None) -> RouterHooks:
        bus, store = self._bus, self._store

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
                spent = before + (call.cost or 0.0)
                if budget and before < _WARN_AT * budget <= spent:
                    emit(BudgetWarning(round(spent, 4), budget))

            await bus.commit(project_id, work)

        return RouterHooks(
            on_waiting=on_waiting, on_resumed=on_resumed, on_notice=on_notice, on_usage=on_usage
        )


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
