"""What is known of models: sizes, what they take, what they cost. Shipped as data; a person's own file overrides it.

catalogue = ModelCatalogue.load(home.root / MODELS_FILE)       # InvalidInputError names the place of a mistake
facts = catalogue.find("claude-sonnet-5-5")
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from vibedesk.base.errors import InvalidInputError
from vibedesk.base.resources import resource
from vibedesk.engine.models.prices import ModelPrice, read_price

MODELS_FILE: Final = "models.json"
"""A person's own facts, in the home."""

PromptCaching = Literal["none", "automatic", "explicit"]
"""Whether a prompt's beginning is cached: never, by itself, or where the request marks it."""


PriceOrigin = Literal["shipped", "server", "person"]
"""Who says what a model costs: the list that ships with VibeDesk, the model's server, or the person's own facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCapabilities:
    """Facts of one model; sizes in tokens.

    `temperature`, `structured_output` None: as its provider's other models. `reasoning_efforts`: those of `ReasoningEffort` that it
    takes. `price` None: unknown; `price_from`: who says it. `known`: the facts are of this model, and no cautious defaults.
    """

    context_window: int
    max_output_tokens: int
    images: bool = False
    structured_output: bool | None = None
    prompt_caching: PromptCaching = "none"
    reasoning_efforts: tuple[str, ...] = ()
    temperature: bool | None = None
    price: ModelPrice | None = None
    price_from: PriceOrigin = "shipped"
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCatalogue:
    """Facts by model family (the beginning of a model's name), and the day the prices were looked up.

    `own` are the person's facts; they win, fact by fact.
    """

    as_of: date
    unknown: Mapping[str, Any]
    families: Mapping[str, Mapping[str, Any]]
    own: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    @classmethod
    def load(cls, own: Path | None = None) -> ModelCatalogue:
        """Return the shipped facts and those in the file `own`, which need not exist. Reads files.

        Raises:
            InvalidInputError: `own` cannot be used; `details` names file and place. It is left as it is.
        """
        shipped = shipped_catalogue()
        return shipped if own is None else dataclasses.replace(shipped, own=_read_own(own))

    def find(
        self,
        model: str,
        *,
        provider: Mapping[str, Any] | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> ModelCapabilities:
        """Return what is known of `model`.

        Args:
            model: Its name, also with a maker's prefix as routers of models have it.
            provider: Facts that hold for its provider's models that are not known.
            told: Facts that its own server tells; better than shipped ones.
        """
        shipped = _longest(self.families, model)
        own = _longest(self.own, model)
        values = {
            **self.unknown,
            **(provider or {}),
            **(shipped or {}),
            **(told or {}),
            **(own or {}),
        }
        known = shipped is not None or own is not None or "context_window" in (told or {})
        price = values.pop("price", None)
        origin: PriceOrigin = "server" if "price" in (told or {}) else "shipped"
        values["reasoning_efforts"] = tuple(values.get("reasoning_efforts", ()))
        return ModelCapabilities(
            **values,
            price=None if price is None else read_price(price),
            price_from="person" if "price" in (own or {}) else origin,
            known=known,
        )

    def names(self) -> list[str]:
        return [*self.families, *(name for name in self.own if name not in self.families)]


@lru_cache(maxsize=1)
def shipped_catalogue() -> ModelCatalogue:
    """Return the facts that ship with VibeDesk."""
    data = json.loads(resource("models", "capabilities.json").read_text(encoding="utf-8"))
    for name, facts in data["models"].items():
        check_facts(facts, f"models.{name}")
    return ModelCatalogue(
        as_of=date.fromisoformat(data["as_of"]), unknown=data["unknown"], families=data["models"]
    )


def check_facts(facts: Any, place: str, source: str = "") -> None:
    """Refuse facts that are none.

    Raises:
        InvalidInputError: `details` names the `place`, and `source`, the file.
    """

    def refuse(where: str, reason: str) -> InvalidInputError:
        file = source or "the list of models"
        return InvalidInputError(
            f"{file} has a mistake at {where}: {reason}.",
            remedy="Correct it or remove the file; nothing was changed." if source else "",
            details={"file": source, "field": where, "reason": reason},
        )

    if not isinstance(facts, Mapping):
        raise refuse(place, "it is an object with facts")
    for name, value in facts.items():
        reason = _wrong_fact(name, value)
        if reason:
            raise refuse(f"{place}.{name}", reason)


def _wrong_fact(name: str, value: Any) -> str:
    """Return what is wrong with one fact; empty where nothing is."""
    match name:
        case "context_window" | "max_output_tokens":
            fine, reason = type(value) is int and value > 0, "it is a number of tokens above 0"
        case "images" | "structured_output" | "temperature":
            fine, reason = isinstance(value, bool), "it is true or false"
        case "prompt_caching":
            fine, reason = value in get_args(PromptCaching), "it is none, automatic or explicit"
        case "reasoning_efforts":
            known = {"low", "medium", "high"}
            fine = isinstance(value, list) and all(effort in known for effort in value)
            reason = "it is a list of low, medium and high"
        case "price":
            return _wrong_price(value)
        case _:
            return "there is no such fact"
    return "" if fine else reason


def _wrong_price(value: Any) -> str:
    try:
        price = read_price(value)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "it has at least input and output, in USD per million tokens"
    numbers = [n for part in (price.usual, price.long) if part for n in dataclasses.astuple(part)]
    return "" if all(0 <= n < float("inf") for n in numbers) else "a price is 0 or more"


def _read_own(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, "", "it cannot be read as text") from error
    try:
        data = json.loads(text)
    except ValueError as error:
        place = (
            f"line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise _unreadable(path, place, "it is no JSON") from error
    models = data.get("models") if isinstance(data, dict) else None
    if not isinstance(models, dict):
        raise _unreadable(path, "models", "it is an object with a list of models by name")
    for name, facts in models.items():
        check_facts(facts, f"models.{name}", str(path))
    return models


def _unreadable(path: Path, place: str, reason: str) -> InvalidInputError:
    at = f" at {place}" if place else ""
    return InvalidInputError(
        f"{path} has a mistake{at}: {reason}.",
        remedy="Correct it or remove the file; nothing was changed.",
        details={"file": str(path), "field": place, "reason": reason},
    )


def _longest(families: Mapping[str, Mapping[str, Any]], model: str) -> Mapping[str, Any] | None:
    """Return the facts of the longest family that `model` belongs to."""
    whole = model.lower()
    name = whole.rsplit("/", 1)[-1]
    # Routers of models write claude-sonnet-5.5 for claude-sonnet-5-5.
    spellings = {whole, name, name.replace(".", "-")}
    fitting = [
        family
        for family in families
        if any(_belongs(spelling, family.lower()) for spelling in spellings)
    ]
    return families[max(fitting, key=len)] if fitting else None


def _belongs(name: str, family: str) -> bool:
    """Tell whether `name` is the family or a dated variant of it; gpt-5.4-mini is no gpt-5.4."""
    if not name.startswith(family):
        return False
    rest = name[len(family) :]
    return not rest or (
        rest[0] in "-@:[" and (rest[1:2].isdigit() or rest.startswith(("-latest", "[", ":")))
    )
