"""A model server as values: where it is, what is wrong with it, and what its answers tell of models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.models.keys import ApiKey
from vibedesk.engine.models.provider_config import ServerKind, Wire

_MOST_MODELS = 1_000
_LEAST_CONTEXT: Final = 4_096
"""What Ollama gives a model that nothing is said of; it may give more, but cuts prompts off without a word."""

ProblemCode = Literal[
    "address", "unknown_host", "no_server", "tls", "timeout", "key", "key_missing", "wrong_path",
    "wrong_server", "quota", "rate_limited", "server_down", "model",
]  # fmt: skip


class ServerProblemError(VibeDeskError):
    """A server does not give what is asked of it; `problem` names what is wrong."""

    def __init__(self, problem: ProblemCode, message: str, remedy: str, **rest: Any) -> None:
        super().__init__(message, remedy=remedy, code=f"server_{problem}", **rest)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a provider's models are. `label`: its name for people."""

    label: str
    base_url: str
    wire: Wire = "openai"
    kind: ServerKind = ""
    key: ApiKey | None = None

    @property
    def root(self) -> str:
        """The address without the version that the common paths begin with."""
        return re.sub(r"/(api/)?v\d+[a-z]*/?$", "", self.base_url.rstrip("/"))

    @property
    def models_url(self) -> str:
        base = self.base_url.rstrip("/")
        return (
            f"{base}/v1/models?limit={_MOST_MODELS}"
            if self.wire == "anthropic"
            else f"{base}/models"
        )

    def headers(self) -> dict[str, str]:
        if self.key is None:
            return {"anthropic-version": "2023-06-01"} if self.wire == "anthropic" else {}
        if self.wire == "anthropic" and self.key.kind == "api_key":
            return {"x-api-key": self.key.value, "anthropic-version": "2023-06-01"}
        versions = {"anthropic-version": "2023-06-01"} if self.wire == "anthropic" else {}
        return {"authorization": f"Bearer {self.key.value}", **versions}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model that a server offers, with what it tells of it (`capabilities.ModelCapabilities` by field)."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def entry_name(entry: Mapping[str, Any]) -> str:
    # Google's names have the folder they are in before them.
    return str(entry.get("id") or "").removeprefix("models/")


def entry_facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry of the common list tells, in the words of vLLM, OpenRouter, Anthropic and llama.cpp."""
    meta = _object(entry, "meta")
    top = _object(entry, "top_provider")
    facts: dict[str, Any] = {
        "context_window": _first_count(
            entry.get("max_model_len"),
            entry.get("context_length"),
            entry.get("max_input_tokens"),
            meta.get("n_ctx"),
        ),
        "max_output_tokens": _first_count(
            top.get("max_completion_tokens"), entry.get("max_tokens")
        ),
    }
    modalities = _object(entry, "architecture").get("input_modalities")
    if isinstance(modalities, list):
        facts["images"] = "image" in modalities
    seen = _object(_object(entry, "capabilities"), "image_input").get("supported")
    if isinstance(seen, bool):
        facts["images"] = seen
    price = _price(_object(entry, "pricing"))
    if price:
        facts["price"] = price
    if "reasoning" in (entry.get("supported_parameters") or ()):
        facts["reasoning_efforts"] = ["low", "medium", "high"]
    return {name: value for name, value in facts.items() if value is not None}


def _price(pricing: Mapping[str, Any]) -> dict[str, float]:
    """Return a price that is told in USD per token as one per million."""
    names = {
        "prompt": "input", "completion": "output",
        "input_cache_read": "cached", "input_cache_write": "cache_write",
    }  # fmt: skip
    price: dict[str, float] = {}
    for told, ours in names.items():
        try:
            value = float(pricing[told]) * 1_000_000
        except (KeyError, TypeError, ValueError):
            continue
        if 0 <= value < float("inf"):
            price[ours] = value
    return price if {"input", "output"} <= price.keys() else {}


def lmstudio_facts(listing: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return facts by model, from LM Studio's own list."""
    facts: dict[str, dict[str, Any]] = {}
    for entry in listing.get("data") or ():
        if isinstance(entry, dict):
            size = _first_count(entry.get("loaded_context_length"), entry.get("max_context_length"))
            facts[str(entry.get("id"))] = {
                "images": entry.get("type") == "vlm",
                **({"context_window": size} if size else {}),
            }
    return facts


def llama_cpp_facts(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of the model that a llama.cpp server has, from its properties."""
    size = _first_count(_object(props, "default_generation_settings").get("n_ctx"))
    return {
        "images": _object(props, "modalities").get("vision") is True,
        **({"context_window": size} if size else {}),
    }


def ollama_loaded(running: Mapping[str, Any]) -> dict[str, int]:
    """Return the context of every model that Ollama has in memory, by name."""
    sizes: dict[str, int] = {}
    for entry in running.get("models") or ():
        size = _first_count(entry.get("context_length")) if isinstance(entry, dict) else None
        if size:
            sizes[str(entry.get("name"))] = size
    return sizes


def ollama_facts(told: Mapping[str, Any], loaded: int | None) -> dict[str, Any]:
    """Return the facts of a model, from what Ollama shows of it and the context that it is `loaded` with."""
    most = next(
        (
            size
            for name, size in _object(told, "model_info").items()
            if name.endswith(".context_length") and type(size) is int
        ),
        None,
    )
    wanted = re.search(r"(?m)^num_ctx\s+(\d+)", str(told.get("parameters") or ""))
    size = loaded or (int(wanted[1]) if wanted else None)
    if size is None and most:
        size = min(most, _LEAST_CONTEXT)
    able = told.get("capabilities") or ()
    return {
        "images": "vision" in able,
        **({"reasoning_efforts": ["low", "medium", "high"]} if "thinking" in able else {}),
        **({"context_window": size} if size else {}),
    }


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _first_count(*values: Any) -> int | None:
    return next((value for value in values if type(value) is int and value > 0), None)
