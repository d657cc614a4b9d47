"""Copies a project's files to a folder of the person's choice."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from vibedesk.base.errors import DiskFullError, InvalidInputError
from vibedesk.base.paths import existing_place
from vibedesk.base.text import whole_text


def check_destination(folder: Path) -> Path:
    """Return `folder` as an absolute path; nothing is made yet.

    Raises:
        InvalidInputError: it is there already and not an empty folder, or it cannot be written to.
    """
    target = folder.expanduser().absolute()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InvalidInputError(
                f"{_shown(target)} is there already and not empty.",
                remedy="Choose a new or empty folder.",
            )
        place = existing_place(target)
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
        # statvfs knows read-only mounts, which permission bits do not show to root.
        read_only = hasattr(os, "statvfs") and bool(os.statvfs(place).f_flag & os.ST_RDONLY)
        if read_only or not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
    except (OSError, ValueError) as error:
        raise _unusable(target, error) from error
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
    try:
        for path, content in contents.items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"The disk with {_shown(target)} is full, so not every file was copied.",
                remedy="Free some space, or choose another folder.",
            ) from error
        raise _unusable(target, error) from error
    return len(contents)


def _unusable(target: Path, error: OSError | ValueError) -> InvalidInputError:
    match error:
        case NotADirectoryError():
            why = "a part of its path is a file"
        case PermissionError() | OSError(errno=errno.EROFS):
            why = "it is not allowed to write there"
        case OSError():
            why = error.strerror or "the system refuses it"
        case _:
            why = "it is no valid path"
    return InvalidInputError(
        f"The files cannot be copied to {_shown(target)}: {why}.",
        remedy="Choose another folder for the copy.",
        details={"path": _shown(target)},
    )


def _shown(path: Path) -> str:
    return whole_text(str(path))
