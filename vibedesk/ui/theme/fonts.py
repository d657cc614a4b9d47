"""Which font families are used; bundled ones are loaded when something first needs them."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache

from PySide6.QtGui import QFontDatabase

from vibedesk.base.resources import resource
from vibedesk.ui.theme.tokens import tokens

_log = logging.getLogger(__name__)
_PLATFORMS = {"darwin": "macos", "win32": "windows"}
_CODE_FILES = (
    "JetBrainsMonoNL-Regular.ttf",
    "JetBrainsMonoNL-Italic.ttf",
    "JetBrainsMonoNL-SemiBold.ttf",
)
_INTERFACE_FILES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")


@lru_cache(maxsize=1)
def interface_family() -> str:
    """Return the platform's own interface font, else the bundled Inter."""
    platform = _PLATFORMS.get(sys.platform, "linux")
    for family in tokens()["font"]["ui"][platform]:
        if family.startswith(".") or QFontDatabase.hasFamily(family):
            return str(family)
    return _load(_INTERFACE_FILES) or _system(QFontDatabase.SystemFont.GeneralFont)


@lru_cache(maxsize=1)
def code_family() -> str:
    """Return the bundled code font, which has no ligatures that would jump while code streams."""
    return _load(_CODE_FILES) or _installed_code_family()


def _installed_code_family() -> str:
    for family in tokens()["font"]["mono"]["families"]:
        if QFontDatabase.hasFamily(family):
            return str(family)
    return _system(QFontDatabase.SystemFont.FixedFont)


def _load(files: tuple[str, ...]) -> str:
    """Register font files; return the family of the first, or nothing if it could not be read."""
    family = ""
    for name in files:
        font_id = QFontDatabase.addApplicationFont(str(resource("fonts", name)))
        found = QFontDatabase.applicationFontFamilies(font_id) if font_id >= 0 else []
        if not found:
            _log.warning("font %s could not be loaded", name)
        family = family or (found[0] if found else "")
    return family


def _system(font: QFontDatabase.SystemFont) -> str:
    return QFontDatabase.systemFont(font).family()
