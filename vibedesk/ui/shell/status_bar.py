"""The line at the bottom: small facts, changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox
from vibedesk.ui.widgets.buttons import LayoutButton
from vibedesk.ui.widgets.gauges import Point, Sparkline
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.rings import Dot

_CURVE = QSize(40, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFigure:
    """A number that belongs to a fact, with the curve it made lately where `curve` is not None."""

    icon: str
    text: str
    curve: tuple[Point, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusItem:
    """One fact. With `dot` a round mark in that tone leads it, else the icon, if any, in `tone`.

    `clickable` makes it a button; the bar then emits the item's key. `figures` follow the words and belong to
    the same button. `details` says the figures in words, for screen readers: the name stays as it is, so that a
    number that changes every other second is not read out each time.
    """

    key: str
    text: str
    icon: str = ""
    dot: str = ""
    tone: str = "text.muted"
    tooltip: str = ""
    clickable: bool = False
    figures: tuple[StatusFigure, ...] = ()
    details: str = ""


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

    def widget_of(self, key: str) -> QWidget | None:
        """Return what shows a fact, for what opens beside it."""
        shown = self._shown.get(key)
        return shown[1].button if shown is not None else None

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
            if row.indexOf(widget) != place:
                row.insertWidget(place, widget)


class _StatusWidget(QWidget):
    clicked = Signal()

    def __init__(self, theme: Theme, item: StatusItem) -> None:
        super().__init__()
        self._words = label("", tone="muted", fs="small")
        self._theme = theme
        self._figures: list[_Figure] = []
        self._dot = Dot(theme, item.dot, 8) if item.dot else None
        self._button: LayoutButton | None = None
        self._icon = (
            IconLabel(theme, item.icon, item.tone, 14) if item.icon and not item.dot else None
        )
        lead = self._dot or self._icon
        face = hbox(gap=6)
        if lead is not None:
            face.addWidget(lead)
        face.addWidget(self._words)
        self._figures_row = hbox(gap=12)
        add_layout(face, self._figures_row)
        if item.clickable:
            face.setContentsMargins(4, 0, 4, 0)
            self._button = LayoutButton(face, item.text, role="status")
            self._button.setFixedHeight(22)
            self._button.clicked.connect(lambda: self.clicked.emit())
            self.setLayout(hbox(self._button))
        else:
            self.setLayout(face)
        self.show_item(item)

    @property
    def button(self) -> QWidget:
        return self._button or self

    @staticmethod
    def takes(shown: StatusItem, item: StatusItem) -> bool:
        """Whether the same widget can show the other item."""
        return (bool(shown.icon), bool(shown.dot), shown.clickable) == (
            bool(item.icon),
            bool(item.dot),
            item.clickable,
        )

    def show_item(self, item: StatusItem) -> None:
        self._words.setText(item.text)
        self.setToolTip(item.tooltip)
        if self._dot is not None:
            self._dot.set_tone(item.dot)
        if self._icon is not None:
            self._icon.set_icon(item.icon, item.tone)
        if self._button is not None:
            self._button.setAccessibleName(item.text)
            self._button.setAccessibleDescription(item.details)
        self._show_figures(item.figures)
        if self._button is not None:
            self._button.updateGeometry()

    def _show_figures(self, figures: Sequence[StatusFigure]) -> None:
        """Show these; the button stays the same one, since something may be open beside it."""
        if [shown.build for shown in self._figures] != [_build(figure) for figure in figures]:
            for gone in self._figures:
                self._figures_row.removeWidget(gone)
                gone.hide()
                gone.deleteLater()
            self._figures = [_Figure(self._theme, figure) for figure in figures]
            for made in self._figures:
                self._figures_row.addWidget(made)
            self._figures_row.setContentsMargins(6 if figures else 0, 0, 0, 0)
        for shown, figure in zip(self._figures, figures, strict=True):
            shown.show_figure(figure)


class _Figure(QWidget):
    """A number that changes in place and never gets narrower, so that what follows it stands still."""

    def __init__(self, theme: Theme, figure: StatusFigure) -> None:
        super().__init__()
        self.build = _build(figure)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._words: QLabel = label("", tone="muted", fs="small")
        self._curve = Sparkline(theme, "text.muted", _CURVE) if figure.curve is not None else None
        row = hbox(gap=6)
        if figure.icon:
            row.addWidget(IconLabel(theme, figure.icon, "text.muted", 14))
        row.addWidget(self._words)
        if self._curve is not None:
            row.addWidget(self._curve)
        self.setLayout(row)

    def show_figure(self, figure: StatusFigure) -> None:
        self._words.setText(figure.text)
        self._words.ensurePolished()
        wanted = self._words.sizeHint().width()
        self._words.setMinimumWidth(max(wanted, self._words.minimumWidth()))
        if self._curve is not None:
            self._curve.set_points(figure.curve or ())


def _build(figure: StatusFigure) -> tuple[str, bool]:
    """Return what decides of which parts a figure is made."""
    return figure.icon, figure.curve is not None
