"""The rows of the problems list: problems under the file they are in, or under who found them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from vibedesk.ui.problems.problem import (
    Level,
    Problem,
    is_being_fixed,
    level_words,
    source_words,
    status_words,
)
from vibedesk.ui.work import Work

Index = QModelIndex | QPersistentModelIndex
Grouping = Literal["file", "source"]


@dataclass(frozen=True, slots=True)
class Group:
    """A heading in the list: a file or a source, and how many problems stand under it."""

    title: str
    path: str
    count: int


Row = Group | Problem


class ProblemsModel(QAbstractListModel):
    """Problems in groups, filtered by level. The gravest problem's group comes first."""

    ROW = Qt.ItemDataRole.UserRole + 1
    STATUS = Qt.ItemDataRole.UserRole + 2
    FIXING = Qt.ItemDataRole.UserRole + 3

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._problems: tuple[Problem, ...] = ()
        self._rows: list[Row] = []
        self._grouping: Grouping = "file"
        self._levels: frozenset[Level] = frozenset(("error", "warning"))
        self._work: Work = "rest"

    @property
    def problems(self) -> Sequence[Problem]:
        return self._problems

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Show these, in the order they come, the gravest first."""
        self._problems = tuple(problems)
        self._arrange()

    def set_grouping(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._arrange()

    def set_levels(self, levels: frozenset[Level]) -> None:
        self._levels = levels
        self._arrange()

    def set_work(self, work: Work) -> None:
        """Say what is under way, and with it what becomes of what is open."""
        if work != self._work:
            self._work = work
            last = self.index(max(0, len(self._rows) - 1), 0)
            self.dataChanged.emit(self.index(0, 0), last)

    def row_of(self, signature: str) -> int:
        """Return where a problem stands; -1 where it is not shown."""
        return next(
            (
                at
                for at, row in enumerate(self._rows)
                if isinstance(row, Problem) and row.signature == signature
            ),
            -1,
        )

    def step_from(self, row: int, step: Literal[1, -1]) -> int:
        """Return the row of the next or previous problem, round the end; -1 where there is none."""
        places = [at for at, shown in enumerate(self._rows) if isinstance(shown, Problem)]
        if not places:
            return -1
        if step > 0:
            return next((at for at in places if at > row), places[0])
        return next((at for at in reversed(places) if at < row), places[-1])

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if isinstance(index.data(self.ROW), Group):
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(row)
            case Qt.ItemDataRole.ToolTipRole:
                return row.message.strip() if isinstance(row, Problem) else row.path
            case self.ROW:
                return row
            case self.STATUS:
                return status_words(row, self._work) if isinstance(row, Problem) else ""
            case self.FIXING:
                return isinstance(row, Problem) and is_being_fixed(row, self._work)
            case _:
                return None

    def _spoken(self, row: Row) -> str:
        if isinstance(row, Group):
            return f"{row.title}, {row.count}"
        parts = (
            level_words(row.level),
            row.headline,
            source_words(row.source),
            row.short_place,
            status_words(row, self._work),
        )
        return ", ".join(part for part in parts if part)

    def _arrange(self) -> None:
        by_file = self._grouping == "file"
        name: Callable[[Problem], str] = (lambda p: p.file) if by_file else (lambda p: p.source)
        groups: dict[str, list[Problem]] = {}
        for problem in self._problems:
            if problem.level in self._levels:
                groups.setdefault(name(problem), []).append(problem)
        rows: list[Row] = []
        for key, members in groups.items():
            title = (key or self.tr("The whole app")) if by_file else source_words(key)
            rows.append(Group(title, key if by_file else "", len(members)))
            rows += members
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()
