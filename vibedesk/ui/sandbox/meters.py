"""A card that says how much of something is in use, now and over the last minute."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QSizePolicy

from vibedesk.ui.sandbox.words import tr
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.gauges import Point, Sparkline
from vibedesk.ui.widgets.labels import IconLabel, label


class Meter(QFrame):
    """Name, amount, measure and curve."""

    def __init__(self, theme: Theme, name: str, icon: str, tone: str) -> None:
        super().__init__()
        self.setProperty("role", "well")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._name = name
        self._amount = label("", fs="title_sm")
        self._measure = label("", tone="muted", fs="small")
        self._curve = Sparkline(theme, tone, QSize(80, 34), grows=True)
        head = hbox(
            IconLabel(theme, icon, "text.muted", 14),
            label(name, tone="muted", fs="small"),
            None,
            gap=6,
        )
        numbers = hbox(self._amount, self._measure, None, gap=6)
        self.setLayout(
            vbox(
                vbox(head, numbers, gap=2, margins=(12, 9, 12, 4)),
                self._curve,
                gap=0,
                margins=(1, 1, 1, 6),
            )
        )

    def show_usage(
        self, amount: str, measure: str, points: Sequence[Point], most: str = ""
    ) -> None:
        """Show the amount now, of what, and the last minute with its most."""
        self._amount.setText(amount)
        self._measure.setText(measure)
        self._curve.set_points(points)
        now = " ".join(part for part in (self._name, amount, measure) if part)
        self.setAccessibleName(now)
        self.setAccessibleDescription(
            tr("At most {0} in the last minute").format(most) if most and points else ""
        )
        self.setToolTip(self.accessibleDescription())
