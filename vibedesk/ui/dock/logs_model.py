"""The last lines of the logs, filtered and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt

_Index = QModelIndex | QPersistentModelIndex


class LogLine(NamedTuple):
    """One line: when, from where, what."""

    at: datetime
    stream: str
    text: str

    def plain(self) -> str:
        return f"{self.at.astimezone():%H:%M:%S}  {self.stream}  {self.text}"


class LogModel(QStringListModel):
    """Keeps the newest `MOST` lines and shows those that contain the filter, whatever their case.

    Qt's own model counts the rows, and its strings stay empty: a view asks for every row whenever it lays itself
    out, and 20,000 questions to Python take longer than a frame.
    """

    MOST = 20_000
    LINE = Qt.ItemDataRole.UserRole + 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: deque[LogLine] = deque()
        self._shown: list[LogLine] = []
        self._filter = ""
        self._longest = 0
        # The first to hear it, so that everybody else already finds the rows that are left.
        self.rowsRemoved.connect(self._drop_shown)

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
        self._shown += shown
        self.insertRows(self.rowCount(), len(shown))

    def clear(self) -> None:
        self._lines.clear()
        self._show_matching()

    def set_filter(self, text: str) -> None:
        self._filter = text.casefold()
        self._show_matching()

    def line(self, row: int) -> LogLine:
        return self._shown[row]

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

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

    def _show_matching(self) -> None:
        self._shown = [line for line in self._lines if self._matches(line)]
        self._longest = max((len(line.text) for line in self._shown), default=0)
        self.setStringList([""] * len(self._shown))

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
            self.removeRows(0, gone)

    def _drop_shown(self, _parent: QModelIndex, first: int, last: int) -> None:
        del self._shown[first : last + 1]
