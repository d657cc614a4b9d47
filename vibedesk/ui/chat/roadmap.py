"""The phases of an app, one line each, with how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import ElidedLabel, label
from vibedesk.ui.widgets.rings import paint_ring

PhaseState = Literal["todo", "active", "done", "failed"]
_GLYPHS = {
    "done": ("check-circle-fill", "success.text"),
    "failed": ("x-circle-fill", "danger.text"),
    "todo": ("circle", "text.muted"),
}


class RoadmapItem(NamedTuple):
    """One phase. `extra` is a few words such as "7 of 10 files", `share` how much of it is done."""

    name: str
    state: PhaseState
    extra: str = ""
    share: float = 0.1


class _PhaseGlyph(QWidget):
    def __init__(self, theme: Theme, item: RoadmapItem) -> None:
        super().__init__()
        self._theme = theme
        self._item = item
        self.setFixedSize(16, 16)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._item.state == "active":
            paint_ring(painter, self._theme, QRectF(self.rect()), self._item.share, width=2.0)
            return
        glyph = _GLYPHS[self._item.state]
        painter.drawPixmap(0, 0, self._theme.pixmap(*glyph, 16, self.devicePixelRatioF()))


class Roadmap(QWidget):
    """The list of phases, read only."""

    ROW = 26

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._items: list[RoadmapItem] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    @property
    def items(self) -> Sequence[RoadmapItem]:
        return tuple(self._items)

    def set_items(self, items: Sequence[RoadmapItem]) -> None:
        if items == self._items:
            return
        self._items = list(items)
        while (taken := self._column.takeAt(0)) is not None:
            row = taken.widget()
            if isinstance(row, QWidget):
                row.hide()
                row.deleteLater()
        for item in items:
            self._column.addWidget(self._row(item))
        self.setAccessibleName(self.tr("Roadmap"))
        self.setAccessibleDescription(". ".join(self._words(item) for item in items))
        self.updateGeometry()

    def _row(self, item: RoadmapItem) -> QWidget:
        row = QWidget()
        row.setFixedHeight(self.ROW)
        name = ElidedLabel(item.name, tone="primary" if item.state == "active" else "secondary")
        if item.state == "active":
            name.setProperty("strong", "mid")
        tone = {"active": "live", "failed": "danger"}.get(item.state, "muted")
        extra = label(item.extra, fs="small")
        extra.setProperty("tone", tone)
        row.setLayout(hbox(_PhaseGlyph(self._theme, item), (name, 1), extra))
        return row

    def _words(self, item: RoadmapItem) -> str:
        state = {
            "todo": self.tr("to do"),
            "active": self.tr("in progress"),
            "done": self.tr("done"),
            "failed": self.tr("stopped"),
        }[item.state]
        return ", ".join(part for part in (item.name, state, item.extra) if part)
