"""The design tokens, read once, and the colours they give for a scheme."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from PySide6.QtGui import QColor

from vibedesk.base.resources import resource

Base = Literal["dark", "light"]


@lru_cache(maxsize=1)
def tokens() -> Mapping[str, Any]:
    """Return the whole of tokens.json."""
    read: Mapping[str, Any] = json.loads(
        resource("design", "tokens.json").read_text(encoding="utf-8")
    )
    return read


@lru_cache(maxsize=4)
def palette_of(base: Base, *, high_contrast: bool) -> Mapping[str, str]:
    """Return every colour of a scheme by its token name, for example `bg.canvas`.

    High contrast is derived: quieter words become primary, borders become control borders, tints go.
    """
    families: Mapping[str, Mapping[str, str]] = tokens()["themes"][base]["color"]
    colours = {
        f"{family}.{key}": value for family, keys in families.items() for key, value in keys.items()
    }
    for family in ("on_web", "brand"):
        keys = tokens()[family]
        colours.update({f"{family}.{key}": value for key, value in keys.items() if key != "note"})
    if high_contrast:
        colours.update(_high_contrast(colours))
    return colours


def _high_contrast(colours: Mapping[str, str]) -> dict[str, str]:
    changed: dict[str, str] = {}
    for name in colours:
        family, _, key = name.partition(".")
        if name in ("text.secondary", "text.muted"):
            changed[name] = colours["text.primary"]
        elif family == "on_web" and key == "muted":
            changed[name] = colours["on_web.text"]
        elif (family == "border" or key in ("border", "user_border")) and family != "on_web":
            changed[name] = colours["border.control"]
        elif key in ("subtle", "user_bg"):
            changed[name] = colours["bg.raised"]
    return changed


def to_qcolor(value: str) -> QColor:
    """Convert `#RRGGBB` or `#RRGGBBAA`; `QColor` itself reads eight digits as `#AARRGGBB`."""
    digits = value.lstrip("#")
    colour = QColor(f"#{digits[:6]}")
    if len(digits) == 8:
        colour.setAlpha(int(digits[6:], 16))
    return colour


def readable_on(background: QColor) -> QColor:
    """Return the ink, dark or light, that reads better on a colour that is not ours."""
    inks = tokens()["thumbnail"]
    dark, light = QColor(inks["ink_dark"]), QColor(inks["ink_light"])
    ground = _luminance(background)
    on_dark = (_luminance(light) + 0.05) / (ground + 0.05)
    on_light = (ground + 0.05) / (_luminance(dark) + 0.05)
    return light if on_dark > on_light else dark


def _luminance(colour: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    return (
        0.2126 * linear(colour.redF())
        + 0.7152 * linear(colour.greenF())
        + 0.0722 * linear(colour.blueF())
    )
