"""The library as a list model: newest first, narrowed by words and by state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from vibedesk.ui.home.card_painting import card_sentence
from vibedesk.ui.home.cards import CardState, ProjectCard

StateFilter = Literal["all"] | CardState
CARD_ROLE = Qt.ItemDataRole.UserRole + 1
"""Gives a row's `ProjectCard`, or `None` for the row that starts a new project."""

_Index = QModelIndex | QPersistentModelIndex


class LibraryModel(QAbstractListModel):
    """Rows of the library. While nothing is narrowed the first row starts a new project."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cards: list[ProjectCard] = []
        self._rows: list[ProjectCard | None] = []
        self._words: tuple[str, ...] = ()
        self._filter: StateFilter = "all"

    @property
    def total(self) -> int:
        return len(self._cards)

    @property
    def found(self) -> int:
        """How many projects are shown."""
        return sum(1 for row in self._rows if row is not None)

    def counts(self) -> Counter[CardState]:
        return Counter(card.state for card in self._cards)

    def set_cards(self, cards: Sequence[ProjectCard]) -> None:
        self._cards = sorted(cards, key=lambda card: -card.updated_at)
        self._narrow()

    def set_search(self, text: str) -> None:
        self._words = tuple(text.casefold().split())
        self._narrow()

    def set_filter(self, state: StateFilter) -> None:
        self._filter = state
        self._narrow()

    def row_of(self, project_id: str) -> int:
        """Return the row of a project, or -1 when it is not shown."""
        for row, card in enumerate(self._rows):
            if card is not None and card.id == project_id:
                return row
        return -1

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        card = self._rows[index.row()]
        if role == CARD_ROLE:
            return card
        if role == Qt.ItemDataRole.DisplayRole:
            return self.tr("New project") if card is None else card.title
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self.tr("New project") if card is None else card_sentence(card)
        return None

    def _narrow(self) -> None:
        self.beginResetModel()
        found = [card for card in self._cards if self._matches(card)]
        whole = not self._words and self._filter == "all"
        self._rows = [None, *found] if whole else list(found)
        self.endResetModel()

    def _matches(self, card: ProjectCard) -> bool:
        if self._filter not in ("all", card.state):
            return False
        text = f"{card.title} {card.description}".casefold()
        return all(word in text for word in self._words)
