"""Layouts written as one expression: widgets, layouts, gaps and stretches in reading order."""

from __future__ import annotations

import shiboken6
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

Item = QWidget | QLayout | tuple[QWidget, int] | int | None
"""A widget, a layout, a widget with its stretch, a gap in pixels, or `None` for free space."""

Margins = tuple[int, int, int, int]


def hbox(*items: Item, gap: int = 8, margins: Margins = (0, 0, 0, 0)) -> QHBoxLayout:
    """Return a row."""
    row = QHBoxLayout()
    _fill(row, items, gap, margins)
    return row


def vbox(*items: Item, gap: int = 8, margins: Margins = (0, 0, 0, 0)) -> QVBoxLayout:
    """Return a column."""
    column = QVBoxLayout()
    _fill(column, items, gap, margins)
    return column


def frame(role: str, layout: QLayout | None = None) -> QFrame:
    """Return a frame that the style sheet knows by its `role`, for example header, card, well."""
    made = QFrame()
    made.setProperty("role", role)
    if layout is not None:
        made.setLayout(layout)
    return made


def hairline() -> QFrame:
    """Return a one-pixel dividing line."""
    return frame("hline")


def add_layout(outer: QBoxLayout, inner: QLayout, stretch: int = 0) -> None:
    """Add a layout at the end of another: the way to do so, in place of Qt's own `addLayout`.

    Where `outer` has a widget already, PySide makes a wrapper of each item in `inner` and keeps it for as long as
    `outer` lives. Qt deletes an item with its widget and tells nobody, and what comes to lie at its address then
    shares it with the wrapper: PySide crashes when that ends (6.11, `Shiboken::Object::destroy`).
    """
    outer.addLayout(inner, stretch)
    if outer.parentWidget() is not None:
        _forget_items(inner)


def _forget_items(layout: QLayout) -> None:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if isinstance(item, QLayout):
            _forget_items(item)
        elif item is not None and not shiboken6.createdByPython(item):
            shiboken6.invalidate(item)


def _fill(box: QBoxLayout, items: tuple[Item, ...], gap: int, margins: Margins) -> None:
    box.setContentsMargins(*margins)
    box.setSpacing(gap)
    for item in items:
        match item:
            case None:
                box.addStretch(1)
            case int():
                box.addSpacing(item)
            case tuple():
                box.addWidget(*item)
            case QLayout():
                add_layout(box, item)
            case QWidget():
                box.addWidget(item)
