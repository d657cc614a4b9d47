"""The last lines of the logs, filtered and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

_Index = QModelIndex | QPersistentModelIndex


class LogLine(NamedTuple):
    """One line: when, from where, what."""

    at: datetime
    stream: str
    text: str

    def plain(self) -> str:
        return f"{self.at.astimezone():%H:%M:%S}  {self.stream}  {self.text}"


class LogModel(QAbstractListModel):
    """Keeps the newest `MOST` lines and shows those that contain the filter, whatever their case."""

    MOST = 20_000
    LINE = Qt.ItemDataRole.UserRole + 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: deque[LogLine] = deque()
        self._shown: list[LogLine] = []
        self._filter = ""
        self._longest = 0

    @property
    def lines(self) -> Sequence[LogLine]:
        return tuple(self._lines)

    @property
    def longest(self) -> int:
        """Length of the longest line that is or was shown since the last clear."""
        return self._longest

    def append(self, lines: Iterable[LogLine]) -> None:
        added = list(lines)[-self.MOST :]
        self._lines.extend(added)
        self._forget(len(self._lines) - self.MOST)
        shown = [line for line in added if self._matches(line)]
        if not shown:
            return
        self._longest = max(self._longest, *(len(line.text) for line in shown))
        first = len(self._shown)
        self.beginInsertRows(QModelIndex(), first, first + len(shown) - 1)
        self._shown += shown
        self.endInsertRows()

    def clear(self) -> None:
        self.beginResetModel()
        self._lines.clear()
        self._shown = []
        self._longest = 0
        self.endResetModel()

    def set_filter(self, text: str) -> None:
        self.beginResetModel()
        self._filter = text.casefold()
        self._shown = [line for line in self._lines if self._matches(line)]
        self._longest = max((len(line.text) for line in self._shown), default=0)
        self.endResetModel()

    def line(self, row: int) -> LogLine:
        return self._shown[row]

    def rowCount(self, parent: _Index | None = None) -> int:
        return len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        line = self._shown[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return line.plain()
            case self.LINE:
                return line
            case _:
                return None

    def _matches(self, line: LogLine) -> bool:
        if not self._filter:
            return True
        return self._filter in line.text.casefold() or self._filter in line.stream.casefold()

    def _forget(self, surplus: int) -> None:
        """Drop the oldest lines."""
        if surplus <= 0:
            return
        gone = sum(1 for line in islice(self._lines, surplus) if self._matches(line))
        for _ in range(surplus):
            self._lines.popleft()
        # Lines of the batch being added are not shown yet.
        gone = min(gone, len(self._shown))
        if gone:
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
            del self._shown[:gone]
            self.endRemoveRows()
