"""The line at the bottom: small facts, changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import LayoutButton
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.rings import Dot


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusItem:
    """One fact. With `dot` a round mark in that tone leads it, else the icon, if any.

    `clickable` makes it a button; the bar then emits the item's key.
    """

    key: str
    text: str
    icon: str = ""
    dot: str = ""
    tooltip: str = ""
    clickable: bool = False


class StatusBar(QWidget):
    """Facts at the left and at the right."""

    item_clicked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: dict[str, tuple[StatusItem, _StatusWidget]] = {}
        self.setFixedHeight(theme.size("statusbar"))
        self._left = hbox(gap=12)
        self._right = hbox(gap=12)
        self.setLayout(hbox(self._left, None, self._right, gap=12, margins=(16, 0, 12, 0)))

    def set_items(self, left: Sequence[StatusItem], right: Sequence[StatusItem]) -> None:
        """Show these facts; what did not change is not touched."""
        wanted = {item.key for item in (*left, *right)}
        for key in [key for key in self._shown if key not in wanted]:
            self._shown.pop(key)[1].deleteLater()
        self._fill(self._left, left)
        self._fill(self._right, right)

    def _fill(self, row: QHBoxLayout, items: Sequence[StatusItem]) -> None:
        for place, item in enumerate(items):
            known = self._shown.get(item.key)
            if known is not None and known[1].takes(known[0], item):
                if known[0] != item:
                    known[1].show_item(item)
                widget = known[1]
            else:
                if known is not None:
                    known[1].deleteLater()
                widget = _StatusWidget(self._theme, item)
                widget.clicked.connect(lambda key=item.key: self.item_clicked.emit(key))
            self._shown[item.key] = (item, widget)
            present = row.itemAt(place)
            if present is None or present.widget() is not widget:
                row.insertWidget(place, widget)


class _StatusWidget(QWidget):
    clicked = Signal()

    def __init__(self, theme: Theme, item: StatusItem) -> None:
        super().__init__()
        self._words = label("", tone="muted", fs="small")
        self._dot = Dot(theme, item.dot, 8) if item.dot else None
        self._button: LayoutButton | None = None
        lead = self._dot or (IconLabel(theme, item.icon, "text.muted", 14) if item.icon else None)
        face = hbox(gap=6)
        if lead is not None:
            face.addWidget(lead)
        face.addWidget(self._words)
        if item.clickable:
            face.setContentsMargins(4, 0, 4, 0)
            self._button = LayoutButton(face, item.text, role="status")
            self._button.setFixedHeight(22)
            self._button.clicked.connect(lambda: self.clicked.emit())
            self.setLayout(hbox(self._button))
        else:
            self.setLayout(face)
        self.show_item(item)

    @staticmethod
    def takes(shown: StatusItem, item: StatusItem) -> bool:
        """Whether the same widget can show the other item."""
        return (shown.icon, bool(shown.dot), shown.clickable) == (
            item.icon,
            bool(item.dot),
            item.clickable,
        )

    def show_item(self, item: StatusItem) -> None:
        self._words.setText(item.text)
        self.setToolTip(item.tooltip)
        if self._dot is not None:
            self._dot.set_tone(item.dot)
        if self._button is not None:
            self._button.setAccessibleName(item.text)
            self._button.updateGeometry()
