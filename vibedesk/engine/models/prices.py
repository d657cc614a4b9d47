"""Prices of models as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens of each kind."""

    input: float
    output: float
    cached: float
    cache_write: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """Prices of a model.

    `long` holds for the whole call when the prompt has more than `long_above` tokens; after the day `until`
    nothing is known.
    """

    usual: Price
    long: Price | None = None
    long_above: int = 0
    until: date | None = None

    def for_prompt(self, tokens: int) -> Price:
        return self.long if self.long is not None and tokens > self.long_above else self.usual

    def holds_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


FREE: Final = ModelPrice(usual=Price(input=0.0, output=0.0, cached=0.0, cache_write=0.0))


def read_price(entry: Mapping[str, Any]) -> ModelPrice:
    """Return the price that plain data says.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it says none.
    """
    long = entry.get("long_prompt")
    until = entry.get("until")
    return ModelPrice(
        usual=_price(entry),
        long=_price(long) if long else None,
        long_above=int(long["above"]) if long else 0,
        until=date.fromisoformat(until) if until else None,
    )


def _price(entry: Mapping[str, Any]) -> Price:
    base = float(entry["input"])
    return Price(
        input=base,
        output=float(entry["output"]),
        cached=float(entry.get("cached", base)),
        cache_write=float(entry.get("cache_write", base)),
    )
