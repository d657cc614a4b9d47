"""The one accessor of `resources/`, in a checkout and in an installed package alike."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def resources_root() -> Path:
    """Return the folder that holds icons, fonts, prompts, templates and samples."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent / "resources"


def resource(*parts: str) -> Path:
    """Return the path of one resource; it need not exist."""
    return resources_root().joinpath(*parts)
