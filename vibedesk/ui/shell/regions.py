"""Moving the keyboard between the parts of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from vibedesk.ui.widgets.tab_order import in_tab_order


def focus_next_region(regions: Sequence[QWidget], *, backwards: bool) -> QWidget | None:
    """Focus the next visible region after the one that has the keyboard; return it.

    A region is entered where it was left, else at its first widget that takes the keyboard.
    """
    open_ = [region for region in regions if region.isVisible() and _entry(region) is not None]
    if not open_:
        return None
    focus = QApplication.focusWidget()
    inside = [
        index
        for index, region in enumerate(open_)
        if focus is not None and (region is focus or region.isAncestorOf(focus))
    ]
    if inside:
        target = (inside[0] + (-1 if backwards else 1)) % len(open_)
    else:
        target = len(open_) - 1 if backwards else 0
    focus_region(open_[target])
    return open_[target]


def focus_region(region: QWidget) -> bool:
    """Give the keyboard to a region; return whether anything in it takes it."""
    entry = _entry(region)
    if entry is None:
        return False
    entry.setFocus(Qt.FocusReason.TabFocusReason)
    return True


def _entry(region: QWidget) -> QWidget | None:
    left_at = region.focusWidget()
    if _takes_keyboard(left_at):
        return left_at
    if _takes_keyboard(region):
        return region
    inside = (child for child in in_tab_order(region) if region.isAncestorOf(child))
    return next((child for child in inside if _takes_keyboard(child)), None)


def _takes_keyboard(widget: QWidget | None) -> bool:
    if widget is None or not widget.isEnabled() or not widget.isVisible():
        return False
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
