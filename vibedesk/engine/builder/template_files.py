"""Which files of a starter's folder become a project's: plain ones, no packages, no git, no secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.files.ignore_rules import NEVER_ENTERED, IgnoreRules

META = "template.json"
_MOST_FILES = 2_000
_MOST_BYTES = 50_000_000


def plain_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (project path, place) of what belongs to a starter, in order; links are never followed. Blocking.

    Raises:
        InvalidInputError: that is more than a starter may have.
    """
    rules = IgnoreRules(lambda path: _ignore_file(folder / path))
    size = 0
    for count, path in enumerate(_below(folder, "", rules), start=1):
        place = folder / path
        size += place.stat().st_size
        if count > _MOST_FILES or size > _MOST_BYTES:
            raise InvalidInputError(
                f"The template {folder.name!r} is too large.",
                remedy=f"A template has at most {_MOST_FILES} files and {_MOST_BYTES // 1_000_000} MB; "
                "leave out what is generated, with a .gitignore.",
            )
        yield path, place


def read_files(folder: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return a starter's text files and binary files by project path, without its description. Blocking."""
    texts: dict[str, str] = {}
    binaries: dict[str, bytes] = {}
    for path, place in plain_files(folder):
        if path == META:
            continue
        content = place.read_bytes()
        try:
            texts[path] = content.decode()
        except UnicodeDecodeError:
            binaries[path] = content
    return texts, binaries


def _below(folder: Path, inner: str, rules: IgnoreRules) -> Iterator[str]:
    with os.scandir(folder / inner) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{inner}/{entry.name}" if inner else entry.name
        if entry.is_symlink() or entry.name in NEVER_ENTERED:
            continue
        if entry.is_dir():
            if rules.enters(path):
                yield from _below(folder, path, rules)
        elif entry.is_file() and rules.takes(path):
            yield path


def _ignore_file(place: Path) -> str | None:
    return (
        place.read_text("utf-8", "replace") if place.is_file() and not place.is_symlink() else None
    )
