"""Many small source files in one text: a line `=== PATH` begins each."""

from __future__ import annotations

from pathlib import Path


def read_bundle(path: Path) -> dict[str, str]:
    """Return path → text."""
    found: dict[str, str] = {}
    for part in path.read_text("utf-8").split("\n=== ")[1:]:
        name, _, text = part.partition("\n")
        found[name] = text.rstrip("\n") + "\n"
    return found
