"""The widgets of a window in the order in which the Tab key reaches them."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QWidget


def in_tab_order(origin: QWidget, *, forward: bool = True) -> Iterator[QWidget]:
    """Yield every other widget of the window, from `origin` on to all around."""
    widget = _following(origin, forward=forward)
    while widget is not None and widget is not origin:
        yield widget
        widget = _following(widget, forward=forward)


def _following(widget: QWidget, *, forward: bool) -> QWidget | None:
    found = widget.nextInFocusChain() if forward else widget.previousInFocusChain()
    if found is not None:
        # PySide takes `widget` for the owner of what it returns, and ends that with it. For Qt this changes nothing.
        found.setParent(found.parentWidget())
    return found
