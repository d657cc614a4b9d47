"""Rows that are written in, moved, removed and added: phases, checks, steps, lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import icon_button, text_button


class Grip(QToolButton):
    """Moves a row: drag it, or press Up and Down on it."""

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


class Row(QWidget):
    """One row with what moves and removes it; places both in its own layout."""

    edited = Signal()

    def __init__(self, theme: Theme, move: str, remove: str) -> None:
        super().__init__()
        self.grip = Grip(theme, move)
        self.remove = icon_button(theme, "x", remove, size=14, small=True)

    def value(self) -> Any:
        """Return what the row says; the very value it was made of while nothing was changed."""
        raise NotImplementedError

    def set_number(self, number: int) -> None:
        """Take the place `number`, counted from 1."""

    def set_editable(self, *, editable: bool) -> None:
        """Let a person write in it, or only read."""

    def focus(self) -> None:
        """Put the keyboard into its first field."""

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        """Return the field that holds what `path` names in the row's value, if it is one of its own."""
        return None


class RowList(QFrame):
    """Rows in their order; moved by their grips.

    Args:
        theme: The look.
        make: Makes a row of a value.
        add: What the button says that adds one.
        blank: The value of an added one.
        least: How many there are at least.
        role: The frame's look.
    """

    edited = Signal()

    def __init__(
        self,
        theme: Theme,
        make: Callable[[Any], Row],
        *,
        add: str,
        blank: Any,
        least: int = 0,
        role: str = "card",
    ) -> None:
        super().__init__()
        self.setProperty("role", role)
        self._make_row = make
        self._blank = blank
        self._least = least
        self._fixed = 0
        self._editable = False
        self._shown_rows: list[Row] = []
        self._add_button = text_button(theme, add, variant="ghost", icon="plus", compact=True)
        self._add_button.clicked.connect(self._on_add)
        self._foot = QWidget()
        self._foot.setLayout(hbox(self._add_button, None, margins=(6, 4, 6, 4)))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._column.setSpacing(0)
        self._column.addWidget(self._foot)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(self._shown_rows)

    def set_values(self, values: Sequence[Any], *, editable: bool, fixed: int = 0) -> None:
        """Show these; the first `fixed` can only be read and stay in their places."""
        self._editable, self._fixed = editable, fixed
        for row in self._shown_rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._shown_rows = [self._make(value) for value in values]
        self._foot.setVisible(editable)
        self._arrange()

    def set_fixed(self, fixed: int) -> None:
        """Let the first `fixed` rows only be read from now on."""
        self._fixed = fixed
        self._arrange()

    def values(self) -> list[Any]:
        return [row.value() for row in self._shown_rows]

    def field_at(self, path: Sequence[str]) -> QWidget | None:
        """Return the field that holds what `path` names in the values ("2", "name"), or the nearest thing."""
        if not path or not path[0].isdigit() or int(path[0]) >= len(self._shown_rows):
            return self._add_button
        row = self._shown_rows[int(path[0])]
        return row.field_at(path[1:]) or row

    def _make(self, value: Any) -> Row:
        row = self._make_row(value)
        row.edited.connect(self.edited)
        row.grip.moved.connect(lambda step: self._move(row, self._shown_rows.index(row) + step))
        row.grip.dragged_to.connect(lambda at: self._on_dragged(row, at))
        row.remove.clicked.connect(lambda: self._on_removed(row))
        return row

    def _on_add(self) -> None:
        row = self._make(self._blank)
        self._shown_rows.append(row)
        self._arrange()
        # The layout shows it later, and what is hidden takes no focus.
        row.show()
        row.focus()
        self.edited.emit()

    def _on_dragged(self, row: Row, at: QPoint) -> None:
        y = self.mapFromGlobal(at).y()
        below = [other for other in self._shown_rows if other.geometry().top() <= y]
        self._move(row, max(self._fixed, len(below) - 1))

    def _move(self, row: Row, index: int) -> None:
        if not self._fixed <= index < len(self._shown_rows) or self._shown_rows.index(row) == index:
            return
        self._shown_rows.remove(row)
        self._shown_rows.insert(index, row)
        self._arrange()
        row.grip.setFocus()
        self.edited.emit()

    def _on_removed(self, row: Row) -> None:
        self._shown_rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._arrange()
        self._add_button.setFocus()
        self.edited.emit()

    def _arrange(self) -> None:
        for index, row in enumerate(self._shown_rows):
            if self._column.indexOf(row) != index:
                self._column.insertWidget(index, row)
            editable = self._editable and index >= self._fixed
            row.set_number(index + 1)
            row.set_editable(editable=editable)
            row.grip.setVisible(editable)
            row.remove.setVisible(editable and len(self._shown_rows) > self._least)
        self.updateGeometry()
