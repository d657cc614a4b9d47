"""Where a download of the previewed app is put."""

from __future__ import annotations

from pathlib import Path, PurePath

_LONGEST = 120


def free_name(folder: Path, wanted: str) -> str:
    """Return a plain file name that is not taken in `folder` yet."""
    name = PurePath(wanted.replace("\\", "/")).name.strip(". ")[-_LONGEST:] or "download"
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    number = 1
    while (folder / name).exists():
        number += 1
        name = f"{stem} ({number}){suffix}"
    return name
