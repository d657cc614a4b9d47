"""Copies a project's files to a folder of the person's choice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vibedesk.base.errors import InvalidInputError


def check_destination(folder: Path) -> Path:
    """Return `folder` as an absolute path.

    Raises:
        InvalidInputError: it is there already and not an empty folder.
    """
    target = folder.expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInputError(
            f"{target} is there already and not empty.", remedy="Choose a new or empty folder."
        )
    return target


def export_files(
    texts: Mapping[str, str], binaries: Mapping[str, bytes], destination: Path, source: Path
) -> int:
    """Write the files into `destination`, byte for byte, and return how many.

    Args:
        texts: Text by project path.
        binaries: Bytes by project path.
        destination: A new or empty folder.
        source: The project's own folder, into which nothing is exported.
    """
    target = check_destination(destination)
    if target.is_relative_to(source):
        raise InvalidInputError(
            "A project cannot be exported into itself.", remedy="Choose another folder."
        )
    contents = {**{path: text.encode() for path, text in texts.items()}, **binaries}
    for path, content in contents.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return len(contents)
