"""What model calls cost: public list prices as data, with their date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from vibedesk.base.resources import resource
from vibedesk.engine.models.protocol import TokenUsage

_PER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens of each kind."""

    input: float
    output: float
    cached: float
    cache_write: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """Prices of a model; `long` holds for the whole call when the prompt has more than `long_above` tokens."""

    usual: Price
    long: Price | None = None
    long_above: int = 0

    def for_prompt(self, tokens: int) -> Price:
        return self.long if self.long is not None and tokens > self.long_above else self.usual


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices by model family (prefix of the model's name) and the day they were looked up."""

    as_of: date
    families: dict[str, ModelPrice]

    def find(self, model: str) -> ModelPrice | None:
        """Return the price of the longest family that `model` belongs to."""
        name = model.lower().rsplit("/", 1)[-1]
        fitting = [family for family in self.families if _belongs(name, family)]
        return self.families[max(fitting, key=len)] if fitting else None


@lru_cache(maxsize=1)
def price_list() -> PriceList:
    """Return the prices that ship with VibeDesk."""
    data = json.loads(resource("models", "prices.json").read_text(encoding="utf-8"))
    families = {family: _model_price(entry) for family, entry in data["prices"].items()}
    return PriceList(as_of=date.fromisoformat(data["as_of"]), families=families)


def call_cost(usage: TokenUsage, model: str) -> float | None:
    """Return the cost of a call in USD, None where the price is not known."""
    found = price_list().find(model)
    if found is None:
        return None
    price = found.for_prompt(usage.input_tokens)
    plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
    total = (
        plain * price.input
        + usage.cached_tokens * price.cached
        + usage.cache_write_tokens * price.cache_write
        + usage.output_tokens * price.output
    )
    return total / _PER


def _belongs(name: str, family: str) -> bool:
    """Tell whether `name` is the family or a dated variant of it; gpt-5.4-mini is no gpt-5.4."""
    if not name.startswith(family):
        return False
    rest = name[len(family) :]
    return not rest or (
        rest[0] in "-@:[" and (rest[1:2].isdigit() or rest.startswith(("-latest", "[", ":")))
    )


def _model_price(entry: dict[str, Any]) -> ModelPrice:
    long = entry.get("long_prompt")
    return ModelPrice(
        usual=_price(entry),
        long=_price(long) if long else None,
        long_above=int(long["above"]) if long else 0,
    )


def _price(entry: dict[str, Any]) -> Price:
    base = float(entry["input"])
    return Price(
        input=base,
        output=float(entry["output"]),
        cached=float(entry.get("cached", base)),
        cache_write=float(entry.get("cache_write", base)),
    )
