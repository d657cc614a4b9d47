"""The parts of a blueprint as editable fields: views, phases, colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QColorDialog,
    QFrame,
    QGridLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from vibedesk.ui.chat.flow_layout import FlowLayout
from vibedesk.ui.chat.quiet_fields import QuietText, quiet_field, set_editable
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import label, set_look

_TWO_COLUMNS = 560


class _ViewCard(QFrame):
    edited = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, view: Mapping[str, Any]) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._view = dict(view)
        name = str(view.get("name", ""))
        self._name = quiet_field(name, self.tr("Name of the view"), strong="mid")
        self._words = QuietText(
            str(view.get("description", "")), self.tr("What {view} shows").format(view=name)
        )
        self._name.textEdited.connect(lambda _text: self.edited.emit())
        self._words.textChanged.connect(self.edited)
        self._remove = icon_button(
            theme, "x", self.tr("Remove the view {view}").format(view=name), size=14, small=True
        )
        self._remove.clicked.connect(self.removed)
        self.setLayout(
            vbox(
                hbox((self._name, 1), self._remove, gap=4),
                self._words,
                None,
                gap=0,
                margins=(8, 8, 8, 8),
            )
        )

    def value(self) -> dict[str, Any]:
        return {**self._view, "name": self._name.text(), "description": self._words.text()}

    def set_editable(self, editable: bool) -> None:
        set_editable(self._name, editable)
        set_editable(self._words, editable)
        self._remove.setVisible(editable)


class ViewGrid(QWidget):
    """The views of the app, in two columns where there is room."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._cards: list[_ViewCard] = []
        self._columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(10)

    def set_values(self, views: Sequence[Mapping[str, Any]], *, editable: bool) -> None:
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards = []
        for view in views:
            card = _ViewCard(self._theme, view)
            card.set_editable(editable)
            card.edited.connect(self.edited)
            card.removed.connect(lambda card=card: self._on_removed(card))
            self._cards.append(card)
        self._arrange()

    def values(self) -> list[dict[str, Any]]:
        return [card.value() for card in self._cards]

    def set_room(self, width: int) -> None:
        """Choose the number of columns for a width."""
        columns = 2 if width >= _TWO_COLUMNS else 1
        if columns != self._columns:
            self._columns = columns
            self._arrange()

    def _on_removed(self, card: _ViewCard) -> None:
        self._cards.remove(card)
        card.hide()
        card.deleteLater()
        self._arrange()
        self.edited.emit()

    def _arrange(self) -> None:
        while self._grid.takeAt(0) is not None:
            pass
        for index, card in enumerate(self._cards):
            self._grid.addWidget(card, index // self._columns, index % self._columns)
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < self._columns else 0)
        self.updateGeometry()


class _Grip(QToolButton):
    """Moves a phase: drag it, or press Up and Down on it."""

    moved = Signal(int)
    dragged_to = Signal(QPoint)

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setProperty("role", "grip")
        self.setIcon(theme.icon("dots-six-vertical", "text.muted", 16))
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setAccessibleName(name)
        self.setToolTip(self.tr("Drag to move, or press Up and Down"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.moved.emit(step)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged_to.emit(event.globalPosition().toPoint())


class _PhaseRow(QWidget):
    edited = Signal()

    def __init__(self, theme: Theme, phase: Mapping[str, Any]) -> None:
        super().__init__()
        self._phase = dict(phase)
        name = str(phase.get("phase", ""))
        self.grip = _Grip(theme, self.tr("Move the phase {phase}").format(phase=name))
        self.remove = icon_button(
            theme, "x", self.tr("Remove the phase {phase}").format(phase=name), size=14, small=True
        )
        self._number = label("")
        self._number.setProperty("role", "number")
        self._number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = quiet_field(name, self.tr("Name of the phase"), strong="mid")
        self._words = QuietText(
            str(phase.get("description", "")), self.tr("What {phase} brings").format(phase=name)
        )
        self._state = label("", tone="muted", fs="small")
        self._name.textEdited.connect(lambda _text: self.edited.emit())
        self._words.textChanged.connect(self.edited)
        words = vbox(self._name, self._words, gap=0)
        row = hbox(self.grip, self._number, gap=8, margins=(8, 8, 8, 8))
        row.addLayout(words, 1)
        row.addWidget(self._state)
        row.addWidget(self.remove)
        self._line = hairline()
        self.setLayout(vbox(self._line, row, gap=0))

    @property
    def name(self) -> str:
        return self._name.text()

    def value(self) -> dict[str, Any]:
        return {**self._phase, "phase": self._name.text(), "description": self._words.text()}

    def set_number(self, number: int) -> None:
        self._number.setText(str(number))
        self._line.setVisible(number > 1)

    def set_state(self, words: str, tone: str) -> None:
        self._state.setText(words)
        set_look(self._state, "tone", tone)

    def set_editable(self, editable: bool) -> None:
        set_editable(self._name, editable)
        set_editable(self._words, editable)
        self.grip.setVisible(editable)
        self.remove.setVisible(editable)


class RoadmapEditor(QFrame):
    """The phases in their order; rows are dragged by their grip or moved with the arrow keys."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._theme = theme
        self._rows: list[_PhaseRow] = []
        self._editable = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._column.setSpacing(0)

    def set_values(self, phases: Sequence[Mapping[str, Any]], *, editable: bool) -> None:
        self._editable = editable
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = [self._make(phase) for phase in phases]
        self._arrange()

    def values(self) -> list[dict[str, Any]]:
        return [row.value() for row in self._rows]

    def set_states(self, states: Mapping[str, tuple[str, str]]) -> None:
        """Show words and tone beside the phases of these names."""
        for row in self._rows:
            row.set_state(*states.get(row.name, ("", "muted")))

    def _make(self, phase: Mapping[str, Any]) -> _PhaseRow:
        row = _PhaseRow(self._theme, phase)
        row.edited.connect(self.edited)
        row.grip.moved.connect(lambda step: self._move(row, self._rows.index(row) + step))
        row.grip.dragged_to.connect(lambda at: self._on_dragged(row, at))
        row.remove.clicked.connect(lambda: self._on_removed(row))
        return row

    def _on_dragged(self, row: _PhaseRow, at: QPoint) -> None:
        y = self.mapFromGlobal(at).y()
        below = [other for other in self._rows if other.geometry().top() <= y]
        self._move(row, max(0, len(below) - 1))

    def _move(self, row: _PhaseRow, index: int) -> None:
        if not 0 <= index < len(self._rows) or self._rows.index(row) == index:
            return
        self._rows.remove(row)
        self._rows.insert(index, row)
        self._arrange()
        row.grip.setFocus()
        self.edited.emit()

    def _on_removed(self, row: _PhaseRow) -> None:
        self._rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._arrange()
        self.edited.emit()

    def _arrange(self) -> None:
        for number, row in enumerate(self._rows, 1):
            self._column.removeWidget(row)
            self._column.addWidget(row)
            row.set_number(number)
            row.set_editable(self._editable)
            # The last phase stays: an app is built in at least one.
            row.remove.setVisible(self._editable and len(self._rows) > 1)


class _ColourTile(QToolButton):
    """One colour; a click opens the colour chooser."""

    chosen = Signal()

    def __init__(self, theme: Theme, colour: str) -> None:
        super().__init__()
        self.setProperty("role", "colourtile")
        self._theme = theme
        self._original = colour
        self._colour = QColor(colour)
        self.clicked.connect(self._choose)
        theme.changed.connect(self.update)
        self._say()

    def value(self) -> str:
        unchanged = QColor(self._original) == self._colour
        return self._original if unchanged else self._colour.name()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = self.hasFocus()
        edge = self._theme.color("accent.focus" if focused else "border.strong")
        painter.setPen(QPen(edge, 2 if focused else 1))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -23), 6, 6)
        painter.setPen(self._theme.color("text.secondary"))
        painter.setFont(self._theme.font("code_sm"))
        words = self.rect().adjusted(0, self.height() - 18, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft, self.value())

    def _choose(self) -> None:
        dialog = QColorDialog(self._colour, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Choose a colour"))
        dialog.colorSelected.connect(self.set_colour)
        dialog.open()

    def set_colour(self, colour: QColor) -> None:
        self._colour = colour
        self._say()
        self.update()
        self.chosen.emit()

    def _say(self) -> None:
        self.setAccessibleName(self.tr("Colour {value}").format(value=self.value()))
        self.setToolTip(self.value())


class ColourRow(QWidget):
    """The colours of the app."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tiles: list[_ColourTile] = []
        self._flow = FlowLayout(8)
        self.setLayout(self._flow)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_values(self, colours: Sequence[str], *, editable: bool) -> None:
        self._flow.clear()
        self._tiles = []
        for colour in colours:
            tile = _ColourTile(self._theme, colour)
            tile.setEnabled(editable)
            tile.chosen.connect(self.edited)
            self._tiles.append(tile)
            self._flow.addWidget(tile)

    def values(self) -> list[str]:
        return [tile.value() for tile in self._tiles]


def section(title: str, body: QWidget, note: str = "") -> QWidget:
    """Return a titled part of the page."""
    head = hbox(label(title, strong=True), None, label(note, tone="muted", fs="small"))
    made = frame("plain", vbox(head, body, gap=10))
    made.setAccessibleName(title)
    return made
