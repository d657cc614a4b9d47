"""What a provider is, as data: VibeDesk's own list and the person's."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from vibedesk.base.errors import InvalidInputError
from vibedesk.base.resources import resource
from vibedesk.engine.models.capabilities import check_facts
from vibedesk.engine.models.keys import KeyVariable
from vibedesk.engine.models.wire import DEFAULT_STALL_S, WireQuirks, is_loopback

Wire = Literal["anthropic", "openai"]
Kind = Literal["cloud", "local"]
ServerKind = Literal["", "anthropic", "openrouter", "ollama", "lmstudio", "llama-cpp", "vllm"]
Tier = Literal["best", "balanced", "cheap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One provider. Its key is looked up in `key_envs`, then in the keychain under `name`; it is never in here.

    `base_url_env` and `model_env` name environment variables that override `base_url` and `default_model`.
    `kind`: a local server costs nothing, wherever on the network it is. `server`: whose own addresses tell more of
    its models. `tiers`: the models of the presets best and cheap where they are not the default one. `model_facts`:
    what holds for models that nothing else is known of. `key_page`: where a person gets a key.
    """

    name: str
    wire: Wire
    title: str = ""
    base_url: str = ""
    base_url_env: str = ""
    key_envs: tuple[KeyVariable, ...] = ()
    key_required: bool = True
    default_model: str = ""
    model_env: str = ""
    kind: Kind = "cloud"
    server: ServerKind = ""
    key_page: str = ""
    tiers: Mapping[str, str] = field(default_factory=dict)
    model_facts: Mapping[str, Any] = field(default_factory=dict)
    quirks: WireQuirks = field(default_factory=WireQuirks)
    stall_s: float = DEFAULT_STALL_S

    @property
    def label(self) -> str:
        return self.title or self.name

    def address(self, environ: Mapping[str, str]) -> str:
        """Return the base URL in force; empty if none is set."""
        return _from_environ(environ, self.base_url_env) or self.base_url

    def model(self, environ: Mapping[str, str]) -> str:
        """Return the model to use where none is chosen; empty if there is none."""
        return _from_environ(environ, self.model_env) or self.default_model

    def tier(self, tier: Tier, environ: Mapping[str, str]) -> str:
        """Return the model of a tier; the usual one where it has none of its own."""
        return self.tiers.get(tier, "") or self.model(environ)

    def is_local(self, environ: Mapping[str, str]) -> bool:
        """Tell whether what is asked stays with the person's own machines, as far as its address says."""
        return self.kind == "local" or is_loopback(self.address(environ))


@lru_cache(maxsize=1)
def built_in_providers() -> tuple[ProviderConfig, ...]:
    """Return the providers that VibeDesk knows, in order of preference."""
    text = resource("models", "providers.json").read_text(encoding="utf-8")
    return tuple(parse_provider(entry) for entry in json.loads(text)["providers"])


def parse_provider(data: Mapping[str, Any]) -> ProviderConfig:
    """Read a provider from plain data, as Settings stores it and `providers.json` spells it.

    Raises:
        InvalidInputError: A field is missing, unknown or wrong; `details` names it.
    """
    fields = {known.name for known in dataclasses.fields(ProviderConfig)}
    _refuse_unknown(data, fields, "")
    values = dict(data)
    _require_text(values, "name", fields - _NO_TEXT)
    if values.get("wire") not in get_args(Wire):
        raise _invalid("wire", "it is “anthropic” or “openai”")
    if values.get("base_url"):
        check_address(values["base_url"])
    stall = values.get("stall_s", DEFAULT_STALL_S)
    if not isinstance(stall, int | float) or isinstance(stall, bool) or stall <= 0:
        raise _invalid("stall_s", "it is a number of seconds above 0")
    if not isinstance(values.get("key_required", True), bool):
        raise _invalid("key_required", "it is true or false")
    if values.get("kind", "cloud") not in get_args(Kind):
        raise _invalid("kind", "it is “cloud” or “local”")
    if values.get("server", "") not in get_args(ServerKind):
        raise _invalid("server", f"it is one of {', '.join(get_args(ServerKind)[1:])}")
    tiers = values.get("tiers") or {}
    if not isinstance(tiers, Mapping) or not all(
        tier in get_args(Tier) and isinstance(model, str) for tier, model in tiers.items()
    ):
        raise _invalid("tiers", "it is the names of the models best and cheap")
    check_facts(values.get("model_facts") or {}, "model_facts")
    values["key_envs"] = tuple(_key_variable(entry) for entry in values.get("key_envs") or ())
    values["quirks"] = _quirks(values.get("quirks") or {})
    return ProviderConfig(**values)


_NO_TEXT = frozenset(
    {
        "wire",
        "kind",
        "server",
        "tiers",
        "model_facts",
        "key_envs",
        "key_required",
        "quirks",
        "stall_s",
    }
)


def _from_environ(environ: Mapping[str, str], variable: str) -> str:
    return environ.get(variable, "").strip() if variable else ""


def _quirks(data: Mapping[str, Any]) -> WireQuirks:
    _refuse_unknown(data, {known.name for known in dataclasses.fields(WireQuirks)}, "quirks.")
    for name, value in data.items():
        if name == "max_tokens_parameter":
            valid = value in ("max_tokens", "max_completion_tokens")
        elif name == "max_output_tokens":
            valid = value is None or (type(value) is int and value > 0)
        elif name == "reasoning":
            valid = value in ("", "reasoning_effort", "reasoning", "output_config")
        elif name == "headers":
            valid = isinstance(value, Mapping) and all(
                isinstance(text, str) for pair in value.items() for text in pair
            )
        elif name == "extra_body":
            valid = isinstance(value, Mapping)
        else:
            valid = isinstance(value, bool)
        if not valid:
            raise _invalid(f"quirks.{name}", f"it cannot be {value!r}")
    return WireQuirks(**data)


def _key_variable(entry: Any) -> KeyVariable:
    values = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(values, Mapping) or not isinstance(values.get("name"), str):
        raise _invalid("key_envs", "each is the name of an environment variable")
    match values.get("kind", "api_key"):
        case ("api_key" | "auth_token") as kind:
            return KeyVariable(name=values["name"], kind=kind)
    raise _invalid("key_envs", "its kind is “api_key” or “auth_token”")


def _require_text(values: Mapping[str, Any], required: str, names: set[str]) -> None:
    for name in names:
        if not isinstance(values.get(name, ""), str):
            raise _invalid(name, "it is text")
    if not str(values.get(required, "")).strip():
        raise _invalid(required, "it is missing")


def check_address(url: str) -> None:
    """Refuse what is no address of a server, or holds more than that.

    Raises:
        InvalidInputError: It is none, or it has a key or password in it.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise _invalid("base_url", "it starts with http:// or https://")
    refuse_secrets(url)


def refuse_secrets(url: str) -> None:
    """Refuse an address with a user, password or query in it: that would be stored and shown in plain text.

    Raises:
        InvalidInputError: It has one; the message does not repeat it.
    """
    _, has_user, _ = url.partition("://")[2].split("/", 1)[0].rpartition("@")
    if has_user or "?" in url or "#" in url:
        raise InvalidInputError(
            "The provider's address has a user name, password or query in it.",
            remedy="Put the key in the key field (or in its environment variable); "
            "the address is only where the server is.",
            details={"field": "base_url", "reason": "it is stored and shown in plain text"},
        )


def _refuse_unknown(data: Mapping[str, Any], known: set[str], prefix: str) -> None:
    for name in data:
        if name not in known:
            raise _invalid(f"{prefix}{name}", "there is no such setting")


def _invalid(name: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        "This provider cannot be set up like that.",
        remedy="Correct it in Settings.",
        details={"field": name, "reason": reason},
    )
