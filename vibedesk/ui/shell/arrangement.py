"""Where panels go at a window's size, decided by one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vibedesk.ui.theme.tokens import tokens

LayoutMode = Literal["build", "code", "preview"]
TreePlace = Literal["docked", "flyout", "hidden"]
PreviewPlace = Literal["open", "strip", "hidden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Which panels are shown where, and the widths they start with."""

    chat_in_drawer: bool
    tree: TreePlace
    editor: bool
    preview: PreviewPlace
    phase_in_top_bar: bool
    dock_starts_collapsed: bool
    chat_width: int
    preview_width: int


def arrange(width: int, height: int, mode: LayoutMode) -> Arrangement:
    """Return the arrangement for a window of this size in this mode."""
    size, limits = tokens()["size"], tokens()["breakpoints"]
    wide = width >= limits["medium"]
    editor, preview = _middle(width, mode, limits)
    tree: TreePlace = "hidden"
    if editor:
        tree = "docked" if width >= limits["tree_flyout"] else "flyout"
    return Arrangement(
        chat_in_drawer=width < limits["chat_drawer"],
        tree=tree,
        editor=editor,
        preview=preview,
        phase_in_top_bar=height < limits["phase_in_topbar_height"],
        dock_starts_collapsed=height < limits["dock_collapsed_height"],
        chat_width=size["chat_default" if wide else "chat_medium"],
        preview_width=size["preview_default" if wide else "preview_medium"],
    )


def _middle(width: int, mode: LayoutMode, limits: dict[str, Any]) -> tuple[bool, PreviewPlace]:
    """Return whether the editor is shown, and how the preview is."""
    one_place = width < limits["one_of_code_or_preview"]
    match mode:
        case "preview":
            return False, "open"
        case "code":
            return True, "hidden" if one_place else "strip"
        case "build":
            return True, "hidden" if one_place else "open"
