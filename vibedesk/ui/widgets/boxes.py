"""Layouts written as one expression: widgets, layouts, gaps and stretches in reading order."""

from __future__ import annotations

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
                box.addLayout(item)
            case QWidget():
                box.addWidget(item)
