"""Buttons: with words, with an icon only, with a layout inside, and the segmented choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QButtonGroup, QFrame, QLayout, QPushButton, QToolButton, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox

Variant = Literal["default", "primary", "ghost", "danger", "link", "underlined"]
_HAIR_SPACE = "\u2009"
_INK: dict[Variant, str] = {
    "default": "text.secondary",
    "primary": "text.on_accent",
    "ghost": "text.secondary",
    "danger": "text.on_danger",
    "link": "accent.text",
    "underlined": "text.primary",
}


def text_button(
    theme: Theme,
    text: str,
    *,
    variant: Variant = "default",
    icon: str = "",
    compact: bool = False,
    tooltip: str = "",
) -> QPushButton:
    """Return a button with words, 32 high or 26 when compact."""
    size = 14 if compact else 16
    made = QPushButton(theme.icon(icon, _INK[variant], size) if icon else QIcon(), "")
    made.setText(f"{_HAIR_SPACE}{text}" if icon else text)
    made.setAccessibleName(text)
    made.setIconSize(QSize(size, size))
    made.setProperty("variant", variant)
    made.setProperty("compact", compact)
    made.setToolTip(tooltip)
    return made


def icon_button(
    theme: Theme,
    icon: str,
    accessible_name: str,
    *,
    tone: str = "text.muted",
    size: int = 16,
    small: bool = False,
    checkable: bool = False,
    shortcut: str = "",
) -> QToolButton:
    """Return a square button of 28 (24 when small) with an icon; the tool tip is its name and shortcut."""
    made = QToolButton()
    made.setIcon(theme.icon(icon, tone, size, on="text.primary" if checkable else None))
    made.setIconSize(QSize(size, size))
    made.setCheckable(checkable)
    made.setAccessibleName(accessible_name)
    made.setToolTip(f"{accessible_name}  {shortcut}" if shortcut else accessible_name)
    made.setProperty("small", small)
    return made


class LayoutButton(QToolButton):
    """A button whose face is a layout of labels: exact gaps, badges, several tones."""

    def __init__(self, face: QLayout, accessible_name: str, role: str = "face") -> None:
        super().__init__()
        self.setLayout(face)
        self.setAccessibleName(accessible_name)
        self.setProperty("role", role)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        wanted = layout.sizeHint() if layout is not None else QSize()
        return QSize(wanted.width(), max(28, wanted.height()))

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        wanted = layout.minimumSize() if layout is not None else QSize()
        return QSize(wanted.width(), max(28, wanted.height()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One choice of a `Segmented`."""

    key: str
    text: str
    icon: str = ""
    tooltip: str = ""


class Segmented(QFrame):
    """A few exclusive choices side by side; one Tab stop, arrows move inside."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, accessible_name: str, segments: Sequence[Segment]) -> None:
        super().__init__()
        self.setProperty("role", "segbox")
        self.setAccessibleName(accessible_name)
        self.setFixedHeight(30)
        row = hbox(gap=2, margins=(2, 2, 2, 2))
        self.setLayout(row)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, QToolButton] = {}
        for segment in segments:
            button = self._make(theme, segment)
            button.clicked.connect(lambda _=False, key=segment.key: self.chosen.emit(key))
            self._group.addButton(button)
            self._buttons[segment.key] = button
            row.addWidget(button)
        self.set_current(segments[0].key)

    @property
    def current(self) -> str:
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def set_current(self, key: str) -> None:
        """Show a choice without telling anyone."""
        self._buttons[key].setChecked(True)

    def set_text(self, key: str, text: str) -> None:
        button = self._buttons[key]
        button.setText(text if button.icon().isNull() else f"{_HAIR_SPACE}{text}")
        button.setAccessibleName(text)

    def set_shown(self, key: str, *, shown: bool) -> None:
        """Leave a choice out while it makes no sense; the chosen one always stays."""
        button = self._buttons[key]
        button.setVisible(shown or button.isChecked())

    @staticmethod
    def _make(theme: Theme, segment: Segment) -> QToolButton:
        button = QToolButton()
        button.setText(f"{_HAIR_SPACE}{segment.text}" if segment.icon else segment.text)
        button.setAccessibleName(segment.text)
        button.setToolTip(segment.tooltip)
        button.setCheckable(True)
        button.setProperty("role", "seg")
        if segment.icon:
            button.setIcon(theme.icon(segment.icon, "text.muted", 14, on="text.primary"))
            button.setIconSize(QSize(14, 14))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return button
