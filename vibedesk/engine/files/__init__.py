"""A project's files: versioned document, work folder, history."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vibedesk.engine.files.project_files import ProjectFiles

__all__ = ["ProjectFiles"]


def __getattr__(name: str) -> object:
    # Loaded on first use: the window's first paint uses parts of this package, but not the document.
    if name == "ProjectFiles":
        from vibedesk.engine.files.project_files import ProjectFiles

        return ProjectFiles
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
