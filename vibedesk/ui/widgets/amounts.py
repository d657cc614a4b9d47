"""Amounts of money and of things, as people say them."""

from __future__ import annotations


def money(amount: float) -> str:
    """Return an amount in USD: cents, and more digits below one."""
    if amount and amount < 0.01:
        return f"${amount:.4f}"
    return f"${amount:,.2f}"


def count(amount: float) -> str:
    """Return a number as people say it: 812, 3.1 k, 1.2 M."""
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if amount >= size:
            value = amount / size
            return (
                f"{value:.0f}{unit}" if value >= 100 else f"{value:.1f}".removesuffix(".0") + unit
            )
    return f"{amount:g}"
