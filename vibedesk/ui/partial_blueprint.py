"""Reads as much of a blueprint as has come, for the card that grows while the model writes."""

from __future__ import annotations

from typing import Any


def partial_blueprint(text: str) -> dict[str, Any]:
    """Return the fields that stand in the beginning of a JSON answer; empty where none do yet."""
    start = text.find("{")
    if start < 0:
        return {}
    import json_repair

    try:
        found = json_repair.loads(text[start:], skip_json_loads=True)
    except (ValueError, RecursionError, IndexError):
        return {}
    return found if isinstance(found, dict) and found.get("title") else {}
