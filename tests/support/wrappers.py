"""What PySide holds of Qt's that would go without a word."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QMetaObject, QObject


def untold_wrappers() -> list[object]:
    """Return the wrappers of what Qt made and Qt deletes.

    Qt tells PySide when an object or an instance of a class of Python's ends, and nothing of all else. A wrapper that is
    left stays under its address, and what PySide makes at that address next crashes when it ends.
    """
    return [
        one
        for one in shiboken6.Shiboken.getAllValidWrappers()
        if not isinstance(one, QObject | QMetaObject)
        and not shiboken6.createdByPython(one)
        and not shiboken6.ownedByPython(one)
    ]
