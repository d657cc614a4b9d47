"""All families of entries, one module each."""

from __future__ import annotations

from functools import cache

from tests.corpora.broken import (
    calls,
    config,
    hooks,
    imports,
    jsx,
    names,
    nothing,
    pages,
    python,
    runtime,
    server,
    syntax,
    values,
)
from tests.corpora.broken.entry import Entry

_FAMILIES = (
    names,
    imports,
    values,
    nothing,
    calls,
    syntax,
    jsx,
    hooks,
    config,
    runtime,
    pages,
    server,
    python,
)


@cache
def families() -> dict[str, tuple[Entry, ...]]:
    """Return the entries by the name of their family."""
    return {family.__name__.rpartition(".")[2]: tuple(family.ENTRIES) for family in _FAMILIES}


@cache
def corpus() -> tuple[Entry, ...]:
    """Return every entry of every family."""
    return tuple(entry for entries in families().values() for entry in entries)
