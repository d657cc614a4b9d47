"""The application style sheet: style.qss and what refines it, with the tokens of a scheme put in."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from vibedesk.base.resources import resource
from vibedesk.ui.theme.tokens import tokens

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PLACE = re.compile(r"\{\{([\w.]+)\}\}")


@lru_cache(maxsize=1)
def _template() -> str:
    """Return style.qss followed by the other sheets of the folder, which may refine its rules."""
    folder = resource("qss")
    base = folder / "style.qss"
    sheets = [base, *sorted(sheet for sheet in folder.glob("*.qss") if sheet != base)]
    return _COMMENT.sub("", "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets))


def stylesheet(css_colour: Callable[[str], str], glyphs: str) -> str:
    """Return the style sheet.

    Args:
        css_colour: Gives a colour token as CSS.
        glyphs: Name of the folder under qss/glyphs whose images fit the scheme.
    """
    radius, size = tokens()["radius"], tokens()["size"]
    folder = resource("qss", "glyphs", glyphs).as_posix()

    def value(place: re.Match[str]) -> str:
        family, _, key = place.group(1).partition(".")
        match family:
            case "r":
                return f"{radius[key]}px"
            case "s":
                return f"{size[key]}px"
            case "glyphs":
                return folder
            case _:
                return css_colour(place.group(1))

    return _PLACE.sub(value, _template())
