"""What model calls cost, in USD."""

from __future__ import annotations

from datetime import UTC, datetime

from vibedesk.engine.models.prices import ModelPrice
from vibedesk.engine.models.protocol import TokenUsage

_PER = 1_000_000


def call_cost(usage: TokenUsage, price: ModelPrice | None) -> float | None:
    """Return the cost of a call in USD: what the provider says itself, else by the list; None where unknown."""
    if usage.cost is not None:
        return usage.cost
    if price is None or not price.holds_on(datetime.now(UTC).date()):
        return None
    held = price.for_prompt(usage.input_tokens)
    plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
    total = (
        plain * held.input
        + usage.cached_tokens * held.cached
        + usage.cache_write_tokens * held.cache_write
        + usage.output_tokens * held.output
    )
    return total / _PER


def cache_saving(usage: TokenUsage, price: ModelPrice | None) -> float | None:
    """Return what reading from the cache saved against the plain input price, in USD; None where unknown."""
    if price is None or not price.holds_on(datetime.now(UTC).date()):
        return None
    held = price.for_prompt(usage.input_tokens)
    return usage.cached_tokens * (held.input - held.cached) / _PER
