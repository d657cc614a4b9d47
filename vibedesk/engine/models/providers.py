"""From a choice of provider and model to a model that can be asked.

    providers = Providers(custom=settings_entries)          # plain mappings, as Settings stores them
    choice = providers.choose(provider=None, model=None)    # NoModelError where nothing is set up
    model = providers.build_model(choice)                   # imports no SDK; its first request does

Looking up keys may ask the keychain: call off the loop.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.secret_store import SecretStore
from vibedesk.engine.models.anthropic_provider import AnthropicModel
from vibedesk.engine.models.capabilities import (
    ModelCapabilities,
    ModelCatalogue,
    shipped_catalogue,
)
from vibedesk.engine.models.keys import ApiKey, KeyStatus, clean_key, find_key, key_status
from vibedesk.engine.models.openai_provider import OpenAIModel
from vibedesk.engine.models.prices import FREE
from vibedesk.engine.models.protocol import NO_MODEL_REMEDY, ChatModel, NoModelError
from vibedesk.engine.models.provider_config import (
    ProviderConfig,
    Wire,
    built_in_providers,
    parse_provider,
    refuse_secrets,
)
from vibedesk.engine.models.wire import Connection, is_loopback

STALL_VARIABLE: Final = "VIBEDESK_STALL_SECONDS"
"""Overrides how long a model may be silent; for slow local models and for tests."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model of a configured provider."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def connect(wire: Wire, connection: Connection) -> ChatModel:
    """Return the model at the other end, ready to be asked; nothing is sent yet."""
    match wire:
        case "anthropic":
            return AnthropicModel(connection)
        case "openai":
            return OpenAIModel(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """What Settings and doctor say about a provider. `ready`: it can be asked."""

    config: ProviderConfig
    base_url: str
    default_model: str
    key: KeyStatus
    ready: bool


class Providers:
    """The providers that can be used: VibeDesk's own and the person's.

    Args:
        custom: The person's, as mappings (`parse_provider`); one with the name of a built-in replaces it.
        environ: Where keys and addresses are looked up first.
        catalogue: What is known of models.
        told: Facts that local servers tell of their models, by provider and model.
        store: Has the keys that were entered; None: the keychain alone.
    """

    def __init__(
        self,
        custom: Iterable[Mapping[str, Any] | ProviderConfig] = (),
        *,
        environ: Mapping[str, str] | None = None,
        catalogue: ModelCatalogue | None = None,
        told: Mapping[ModelChoice, Mapping[str, Any]] | None = None,
        store: SecretStore | None = None,
    ) -> None:
        self._store = store or SecretStore()
        self._catalogue = catalogue or shipped_catalogue()
        self._told = {} if told is None else told
        self._environ = os.environ if environ is None else environ
        self._configs = {config.name: config for config in built_in_providers()}
        for entry in custom:
            config = entry if isinstance(entry, ProviderConfig) else parse_provider(entry)
            self._configs[config.name] = config

    @property
    def environ(self) -> Mapping[str, str]:
        return self._environ

    def names(self) -> list[str]:
        return list(self._configs)

    def get(self, name: str) -> ProviderConfig:
        """Return a provider.

        Raises:
            NotFoundError: There is none of that name; the remedy names the nearest.
        """
        config = self._configs.get(name)
        if config is None:
            near = difflib.get_close_matches(name, self._configs, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise NotFoundError(
                f"There is no provider “{name}”.",
                remedy=f"{hint}Providers: {', '.join(self._configs)}.",
            )
        return config

    def configured_providers(self) -> list[ProviderStatus]:
        """Return every provider with what is there and what is missing."""
        return [self._status(config) for config in self._configs.values()]

    def choose(self, provider: str | None = None, model: str | None = None) -> ModelChoice:
        """Return the model to use: the one named, else the default of the first provider that is ready.

        Raises:
            NoModelError: Nothing is set up, or the provider has no default model.
            NotFoundError: There is no such provider.
        """
        config = self.get(provider) if provider is not None else self._first_ready()
        name = model or config.model(self._environ)
        if not name:
            raise NoModelError(
                f"No model of {config.label} is chosen.",
                remedy="Name one with --model or in Settings.",
            )
        return ModelChoice(config.name, name)

    def capabilities(self, choice: ModelChoice) -> ModelCapabilities:
        """Return what is known of a model, and what its provider makes of that.

        Raises:
            NotFoundError: There is no such provider.
        """
        config = self.get(choice.provider)
        facts = self._catalogue.find(
            choice.model, provider=config.model_facts, told=self._told.get(choice)
        )
        if facts.temperature is None:
            facts = dataclasses.replace(facts, temperature=config.quirks.temperature)
        return dataclasses.replace(facts, price=FREE) if self.is_free(choice.provider) else facts

    def is_free(self, name: str) -> bool:
        """Tell whether a provider's calls cost nothing, as those of a server that runs its models itself.

        Any other server on this machine may pass them on: it costs once there is a key for it, or cannot be known.

        Raises:
            NotFoundError: There is no such provider.
        """
        config = self.get(name)
        if config.key_required or not config.is_local(self._environ):
            return False
        if config.kind == "local":
            return True
        key = key_status(config.name, config.key_envs, self._environ, self._store)
        return key.source is None and not key.problem

    def connection(
        self,
        choice: ModelChoice,
        *,
        key: str = "",
        base_url: str = "",
        stall_s: float | None = None,
    ) -> Connection:
        """Return how a model is reached; `key` and `base_url` replace what is set.

        Raises:
            NoModelError: The key or the address is missing.
            InvalidInputError: The address has a key or password in it, or the key is none.
            NotFoundError: There is no such provider.
            KeychainUnavailableError: The keychain does not answer.
        """
        config = self.get(choice.provider)
        base_url = base_url or config.address(self._environ)
        if not base_url:
            raise NoModelError(
                f"The address of {config.label} is missing.",
                remedy=f"Set {config.base_url_env} or enter it in Settings."
                if config.base_url_env
                else "Enter it in Settings.",
            )
        refuse_secrets(base_url)
        given = ApiKey(value=clean_key(key), source="keychain") if key else None
        return Connection(
            provider=config.name,
            model=choice.model,
            base_url=base_url,
            key=given or self._key(config, base_url),
            quirks=config.quirks,
            capabilities=self.capabilities(choice),
            stall_s=stall_s or self._stall_s() or config.stall_s,
        )

    def build_model(self, choice: ModelChoice, *, stall_s: float | None = None) -> ChatModel:
        """Return the model, ready to be asked; nothing is sent yet.

        Raises:
            NoModelError: The key or the address is missing.
            InvalidInputError: The address has a key or password in it.
            NotFoundError: There is no such provider.
            KeychainUnavailableError: The keychain does not answer.
        """
        connection = self.connection(choice, stall_s=stall_s)
        return connect(self.get(choice.provider).wire, connection)

    def _key(self, config: ProviderConfig, base_url: str) -> ApiKey | None:
        key = find_key(config.name, config.key_envs, self._environ, self._store)
        if key is None and _needs_key(config, base_url):
            variables = " or ".join(variable.name for variable in config.key_envs[:1])
            raise NoModelError(
                f"There is no key for {config.label}.",
                remedy=f"Enter it in Settings, or set {variables}."
                if variables
                else "Enter it in Settings.",
            )
        return key

    def _status(self, config: ProviderConfig) -> ProviderStatus:
        base_url = config.address(self._environ)
        key = key_status(config.name, config.key_envs, self._environ, self._store)
        has_key = key.source is not None or not _needs_key(config, base_url)
        model = config.model(self._environ)
        return ProviderStatus(
            config=config,
            base_url=base_url,
            default_model=model,
            key=key,
            ready=bool(base_url and model) and has_key,
        )

    def _first_ready(self) -> ProviderConfig:
        for status in self.configured_providers():
            if status.ready:
                return status.config
        raise NoModelError(
            "No model is set up.",
            remedy=NO_MODEL_REMEDY,
        )

    def _stall_s(self) -> float | None:
        raw = self._environ.get(STALL_VARIABLE, "").strip()
        if not raw:
            return None
        try:
            seconds = float(raw)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise InvalidInputError(
                f"{STALL_VARIABLE} is not a number of seconds.",
                remedy="Set it to a number above 0, or unset it.",
                details={"field": STALL_VARIABLE},
            )
        return seconds


def _needs_key(config: ProviderConfig, base_url: str) -> bool:
    """Tell whether a key must be there; servers on this machine rarely want one."""
    return config.key_required and not is_loopback(base_url)
