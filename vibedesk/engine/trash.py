"""Where the folders of deleted projects go."""

from __future__ import annotations

import shutil
from pathlib import Path

from vibedesk.base.errors import StorageError
from vibedesk.engine.agent.project_setup import unused_name


def move_to_trash(folder: Path, fallback: Path) -> str:
    """Move `folder` to the desktop's trash, or into `fallback` where there is none; return where to find it.

    Blocking. Where the folder is not there any more, nothing is done and the answer is empty.

    Raises:
        StorageError: neither was possible; the folder is as it was.
    """
    if not folder.is_dir():
        return ""
    from send2trash import send2trash

    try:
        send2trash(folder)
    except OSError:
        return str(_keep_in(fallback, folder))
    return "trash"


def _keep_in(trash: Path, folder: Path) -> Path:
    try:
        trash.mkdir(parents=True, exist_ok=True)
        target = trash / unused_name(folder.name, set(), trash)
        shutil.move(folder, target)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} could not be moved to the trash.",
            remedy="Close programs that use it and try again; nothing was deleted.",
        ) from error
    return target
