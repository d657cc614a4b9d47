"""The parts of a blueprint as editable fields: views, phases, colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QColorDialog,
    QFrame,
    QGridLayout,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from vibedesk.ui.chat.quiet_fields import QuietText, quiet_field, set_editable, written
from vibedesk.ui.chat.row_list import Row, RowList
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
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
        self._name.setPlaceholderText(self.tr("Name of the view"))
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
        name = written(self._name, str(self._view.get("name", "")))
        return {**self._view, "name": name, "description": self._words.text()}

    def set_editable(self, editable: bool) -> None:
        set_editable(self._name, editable)
        set_editable(self._words, editable)
        self._remove.setVisible(editable)

    def focus(self) -> None:
        self._name.setFocus()

    def field_at(self, path: Sequence[str]) -> QWidget:
        return self._words if path and path[0] == "description" else self._name


class ViewGrid(QWidget):
    """The views of the app, in two columns where there is room."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._cards: list[_ViewCard] = []
        self._columns = 1
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(10)
        self._add = text_button(
            theme, self.tr("Add a view"), variant="ghost", icon="plus", compact=True
        )
        self._add.clicked.connect(self._on_add)
        self.setLayout(vbox(self._grid, hbox(self._add, None), gap=4))

    def set_values(self, views: Sequence[Mapping[str, Any]], *, editable: bool) -> None:
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards = [self._make(view, editable=editable) for view in views]
        self._add.setVisible(editable)
        self._arrange()

    def values(self) -> list[dict[str, Any]]:
        return [card.value() for card in self._cards]

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        known = path and path[0].isdigit() and int(path[0]) < len(self._cards)
        return self._cards[int(path[0])].field_at(path[1:]) if known else self._add

    def set_room(self, width: int) -> None:
        """Choose the number of columns for a width."""
        columns = 2 if width >= _TWO_COLUMNS else 1
        if columns != self._columns:
            self._columns = columns
            self._arrange()

    def _make(self, view: Mapping[str, Any], *, editable: bool) -> _ViewCard:
        card = _ViewCard(self._theme, view)
        card.set_editable(editable)
        card.edited.connect(self.edited)
        card.removed.connect(lambda: self._on_removed(card))
        return card

    def _on_add(self) -> None:
        card = self._make({"name": "", "description": ""}, editable=True)
        self._cards.append(card)
        self._arrange()
        # The layout shows it later, and what is hidden takes no focus.
        card.show()
        card.focus()
        self.edited.emit()

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


class _PhaseRow(Row):
    def __init__(self, theme: Theme, phase: Mapping[str, Any]) -> None:
        tr = QCoreApplication.translate
        name = str(phase.get("phase", ""))
        super().__init__(
            theme,
            tr("RoadmapEditor", "Move the phase {phase}").format(phase=name),
            tr("RoadmapEditor", "Remove the phase {phase}").format(phase=name),
        )
        self._phase = dict(phase)
        self._number = label("")
        self._number.setProperty("role", "number")
        self._number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = quiet_field(name, self.tr("Name of the phase"), strong="mid")
        self._name.setPlaceholderText(self.tr("Name of the phase"))
        self._words = QuietText(
            str(phase.get("description", "")), self.tr("What {phase} brings").format(phase=name)
        )
        self._state = label("", tone="muted", fs="small")
        self._name.textEdited.connect(lambda _text: self.edited.emit())
        self._words.textChanged.connect(self.edited)
        words = vbox(self._name, self._words, gap=0)
        row = hbox(self.grip, self._number, gap=8, margins=(8, 8, 8, 8))
        add_layout(row, words, 1)
        row.addWidget(self._state)
        row.addWidget(self.remove)
        self._line = hairline()
        self.setLayout(vbox(self._line, row, gap=0))

    @property
    def name(self) -> str:
        return self._name.text()

    def value(self) -> dict[str, Any]:
        made = dict(self._phase)
        name = written(self._name, str(made.get("phase", "")))
        made.update({"phase": name, "description": self._words.text()})
        return made

    def set_number(self, number: int) -> None:
        self._number.setText(str(number))
        self._line.setVisible(number > 1)

    def set_state(self, words: str, tone: str) -> None:
        self._state.setText(words)
        set_look(self._state, "tone", tone)

    def set_editable(self, *, editable: bool) -> None:
        set_editable(self._name, editable)
        set_editable(self._words, editable)

    def focus(self) -> None:
        self._name.setFocus()

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        return self._words if path and path[0] == "description" else self._name


class RoadmapEditor(RowList):
    """The phases in their order."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            theme,
            lambda phase: _PhaseRow(theme, phase),
            add=QCoreApplication.translate("RoadmapEditor", "Add a phase"),
            blank={"phase": "", "description": ""},
            least=1,
        )

    def names(self) -> list[str]:
        return [row.name for row in self.rows if isinstance(row, _PhaseRow)]

    def set_states(self, states: Mapping[str, tuple[str, str]]) -> None:
        """Show words and tone beside the phases of these names."""
        for row in self.rows:
            if isinstance(row, _PhaseRow):
                row.set_state(*states.get(row.name, ("", "muted")))


class _ColourTile(QToolButton):
    """One colour; a click opens the colour chooser, Delete and the cross take it away."""

    chosen = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, colour: str) -> None:
        super().__init__()
        self.setProperty("role", "colourtile")
        self._theme = theme
        self._original = colour
        self._colour = QColor(colour)
        self._remove = icon_button(theme, "x", "", size=12, small=True)
        self._remove.setParent(self)
        self._remove.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._remove.clicked.connect(self.removed)
        self.clicked.connect(self.choose)
        theme.changed.connect(self.update)
        self._say()

    def value(self) -> str:
        unchanged = QColor(self._original) == self._colour
        return self._original if unchanged else self._colour.name()

    def set_editable(self, *, editable: bool) -> None:
        self.setEnabled(editable)
        self._remove.setVisible(editable)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._remove.move(self.width() - 22, self.height() - 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        wrong = bool(self.property("invalid"))
        edge = "accent.focus" if self.hasFocus() else "danger.text" if wrong else "border.strong"
        painter.setPen(QPen(self._theme.color(edge), 2 if self.hasFocus() or wrong else 1))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -23), 6, 6)
        painter.setPen(self._theme.color("text.secondary"))
        painter.setFont(self._theme.font("code_sm"))
        words = self.rect().adjusted(0, self.height() - 18, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft, self.value())

    def choose(self) -> None:
        """Open the colour chooser."""
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
        self.setAccessibleDescription(self.tr("Enter changes it, Delete removes it"))
        self.setToolTip(self.value())
        remove = self.tr("Remove the colour {value}").format(value=self.value())
        self._remove.setAccessibleName(remove)
        self._remove.setToolTip(remove)


class ColourRow(QWidget):
    """The colours of the app."""

    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tiles: list[_ColourTile] = []
        self._flow = FlowLayout(8)
        self._add = icon_button(theme, "plus", self.tr("Add a colour"))
        self._add.clicked.connect(self._on_add)
        tiles = QWidget()
        tiles.setLayout(self._flow)
        self.setLayout(vbox(tiles, hbox(self._add, None), gap=2))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_values(self, colours: Sequence[str], *, editable: bool) -> None:
        self._flow.clear()
        self._tiles = []
        self._editable = editable
        self._add.setVisible(editable)
        for colour in colours:
            self._append(colour)

    def values(self) -> list[str]:
        return [tile.value() for tile in self._tiles]

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        known = path and path[0].isdigit() and int(path[0]) < len(self._tiles)
        return self._tiles[int(path[0])] if known else self._add

    def _append(self, colour: str) -> _ColourTile:
        tile = _ColourTile(self._theme, colour)
        tile.set_editable(editable=self._editable)
        tile.chosen.connect(self.edited)
        tile.removed.connect(lambda: self._on_removed(tile))
        self._tiles.append(tile)
        self._flow.addWidget(tile)
        return tile

    def _on_add(self) -> None:
        usual = self._theme.color("text.secondary").name()
        tile = self._append(self._tiles[-1].value() if self._tiles else usual)
        self.updateGeometry()
        self.edited.emit()
        tile.choose()

    def _on_removed(self, tile: _ColourTile) -> None:
        self._tiles.remove(tile)
        self._flow.removeWidget(tile)
        tile.hide()
        tile.deleteLater()
        self._add.setFocus()
        self.edited.emit()


def section(title: str, body: QWidget, note: str = "") -> QWidget:
    """Return a titled part of the page."""
    head = hbox(label(title, strong=True), None, label(note, tone="muted", fs="small"))
    made = frame("plain", vbox(head, body, gap=10))
    made.setAccessibleName(title)
    return made
