"""Identifiers: ULIDs, sortable by time, one alphabet for every kind of scope."""

from __future__ import annotations

from typing import NewType

from ulid import ULID

ProjectId = NewType("ProjectId", str)


def new_id() -> str:
    """Return a fresh ULID as its 26-character text."""
    return str(ULID())
