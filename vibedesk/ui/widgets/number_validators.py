"""What may be typed where a number is asked for: the same in every locale, so that it can be read as it stands."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QObject
from PySide6.QtGui import QDoubleValidator, QIntValidator, QValidator


class DecimalValidator(QDoubleValidator):
    """Takes a number between two bounds, with a point; a comma becomes one.

    Args:
        least: The smallest that is taken.
        most: The largest.
        decimals: Digits after the point.
        parent: Ends it.
        optional: Whether nothing at all is taken, too.
    """

    def __init__(
        self, least: float, most: float, decimals: int, parent: QObject, *, optional: bool = False
    ) -> None:
        super().__init__(least, most, decimals, parent)
        self._optional = optional
        self.setNotation(QDoubleValidator.Notation.StandardNotation)
        self.setLocale(_plain())

    def validate(self, text: str, position: int) -> object:
        if self._optional and not text:
            return QValidator.State.Acceptable, text, position
        return super().validate(text.replace(",", "."), position)


class WholeValidator(QIntValidator):
    """Takes a whole number between two bounds, in figures only; see `DecimalValidator`."""

    def __init__(self, least: int, most: int, parent: QObject, *, optional: bool = False) -> None:
        super().__init__(least, most, parent)
        self._optional = optional
        self.setLocale(_plain())

    def validate(self, text: str, position: int) -> object:
        if self._optional and not text:
            return QValidator.State.Acceptable, text, position
        return super().validate(text, position)


def _plain() -> QLocale:
    made = QLocale.c()
    made.setNumberOptions(QLocale.NumberOption.RejectGroupSeparator)
    return made
