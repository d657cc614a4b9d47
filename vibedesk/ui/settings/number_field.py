"""A number in a setting: taken when it makes sense, else the one before stays."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit

from vibedesk.ui.widgets.number_validators import DecimalValidator

_WIDTH = 64


class ReturningField(QLineEdit):
    """Shows again what was entered last when it is left with something that its validator does not take.

    Args:
        text: What it shows at first.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self._entered = text
        self.editingFinished.connect(lambda: self.show_entered(self.text()))

    def show_entered(self, text: str) -> None:
        """Show a text as if it had been entered."""
        self._entered = text
        self.setText(text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.hasAcceptableInput():
            self.setText(self._entered)


class NumberField(ReturningField):
    """A number between two bounds.

    Args:
        name: For people who hear it.
        least: The smallest that is taken.
        most: The largest.
        decimals: Digits after the point.
    """

    changed = Signal(float)
    """A person entered another number."""

    def __init__(self, name: str, least: float, most: float, *, decimals: int = 0) -> None:
        super().__init__()
        self._decimals = decimals
        self._number = least
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName(name)
        self.setValidator(DecimalValidator(least, most, decimals, self))
        self.setToolTip(self.tr("From {0} to {1}").format(self._text(least), self._text(most)))
        self.editingFinished.connect(self._take)

    @property
    def number(self) -> float:
        return self._number

    def set_number(self, number: float) -> None:
        """Show a number without telling anyone."""
        self._number = number
        self.show_entered(self._text(number))

    def _take(self) -> None:
        number = float(self.text())
        if number != self._number:
            self._number = number
            self.changed.emit(number)
        self.show_entered(self._text(number))

    def _text(self, number: float) -> str:
        return f"{number:.{self._decimals}f}"
