"""The time as it is stored and sent."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the time now in UTC as ISO 8601 with milliseconds: 2026-11-21T09:30:00.123Z."""
    return iso(datetime.now(UTC))


def iso(moment: datetime) -> str:
    """Return `moment` in the form in which times are stored and sent."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
