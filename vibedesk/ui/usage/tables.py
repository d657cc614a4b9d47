"""The numbers themselves: a table that sorts by any column, and its CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    Qt,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from vibedesk.engine.views import CallView, UsageReport, UsageSumView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.usage.figures import seconds, tr
from vibedesk.ui.usage.plots import paint_bar
from vibedesk.ui.widgets.amounts import count, money

Grouping = Literal["operations", "phases", "projects", "models", "days", "calls"]
GROUPINGS: tuple[Grouping, ...] = ("operations", "phases", "projects", "models", "days", "calls")
_ROW = 36
_SEEN = 12
_SHARE = Qt.ItemDataRole.UserRole
_BAR_COLUMN = 140

Value = str | float | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column: its head, its name in CSV, how a value is said, and whether it is a number."""

    title: str
    csv: str
    words: Callable[[float], str] | None = None
    bar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns and rows of plain values; None is not known."""

    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Value, ...], ...]


def grouping_name(grouping: Grouping) -> str:
    return {
        "operations": tr("Operations"),
        "phases": tr("Phases"),
        "projects": tr("Projects"),
        "models": tr("Models"),
        "days": tr("Days"),
        "calls": tr("Recent calls"),
    }[grouping]


def table(report: UsageReport, grouping: Grouping, *, of_project: bool = False) -> Table:
    """Return the table of a grouping; calls name their project unless all are `of_project`."""
    match grouping:
        case "operations":
            return _sums(tr("Operation"), "operation", report.by_operation)
        case "phases":
            return _sums(tr("Phase"), "phase", report.by_phase)
        case "projects":
            return _sums(tr("Project"), "project", report.by_project)
        case "models":
            return _sums(tr("Model"), "model", report.by_model)
        case "days":
            return _sums(tr("Day"), "day", tuple(reversed(report.by_day)))
        case "calls":
            return _calls(report, of_project=of_project)


def _sums(title: str, name: str, sums: Sequence[UsageSumView]) -> Table:
    columns = (
        TableColumn(title=title, csv=name),
        TableColumn(title=tr("Requests"), csv="requests", words=count),
        TableColumn(title=tr("Tokens in"), csv="input_tokens", words=count),
        TableColumn(title=tr("From cache"), csv="cached_tokens", words=count),
        TableColumn(title=tr("Tokens out"), csv="output_tokens", words=count),
        TableColumn(title=tr("Mean time"), csv="mean_seconds", words=seconds),
        TableColumn(title=tr("Saved"), csv="saved_usd", words=money),
        TableColumn(title=tr("Cost"), csv="cost_usd", words=money, bar=True),
    )
    rows: list[tuple[Value, ...]] = [
        (
            total.label,
            total.calls,
            total.input_tokens,
            total.cached_tokens,
            total.output_tokens,
            total.mean_seconds,
            total.saved,
            None if total.unpriced == total.calls else total.cost,
        )
        for total in sums
    ]
    return Table(columns=columns, rows=tuple(rows))


def _calls(report: UsageReport, *, of_project: bool) -> Table:
    projects = {total.key: total.label for total in report.by_project}
    columns: tuple[TableColumn, ...] = (
        TableColumn(title=tr("When"), csv="at"),
        TableColumn(title=tr("Project"), csv="project"),
        TableColumn(title=tr("Operation"), csv="operation"),
        TableColumn(title=tr("Model"), csv="model"),
        TableColumn(title=tr("Ended"), csv="outcome"),
        TableColumn(title=tr("In"), csv="input_tokens", words=count),
        TableColumn(title=tr("Cached"), csv="cached_tokens", words=count),
        TableColumn(title=tr("Out"), csv="output_tokens", words=count),
        TableColumn(title=tr("Thinking"), csv="reasoning_tokens", words=count),
        TableColumn(title=tr("Time"), csv="seconds", words=seconds),
        TableColumn(title=tr("Cost"), csv="cost_usd", words=money),
    )
    rows: list[tuple[Value, ...]] = [
        (
            _moment(call),
            projects.get(call.project_id, call.project_id),
            call.operation.replace("_", " "),
            call.model,
            outcome_words(call.outcome),
            call.input_tokens,
            call.cached_tokens,
            call.output_tokens,
            call.reasoning_tokens,
            call.seconds,
            call.cost,
        )
        for call in report.calls
    ]
    if of_project:
        columns = columns[:1] + columns[2:]
        rows = [row[:1] + row[2:] for row in rows]
    return Table(columns=columns, rows=tuple(rows))


def outcome_words(outcome: str) -> str:
    return {
        "finished": tr("finished"),
        "interrupted": tr("interrupted"),
        "cancelled": tr("stopped"),
        "failed": tr("failed"),
    }.get(outcome, outcome)


def _moment(call: CallView) -> str:
    try:
        at = datetime.fromisoformat(call.at.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return call.at
    return at.strftime("%Y-%m-%d %H:%M:%S")


def to_csv(shown: Table) -> str:
    """Return a table as CSV (RFC 4180) with a head; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.csv for column in shown.columns])
    for row in shown.rows:
        writer.writerow(["" if value is None else _safe(value) for value in row])
    return out.getvalue()


def _safe(value: Value) -> Value:
    # A project may be called "=cmd…", which a spreadsheet would run.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return round(value, 6) if isinstance(value, float) else value


class TableModel(QAbstractTableModel):
    """The rows of a table in the order that was asked for."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._table = Table(columns=(), rows=())
        self._order: list[int] = []

    def show_table(self, shown: Table) -> None:
        self.beginResetModel()
        self._table = shown
        self._order = list(range(len(shown.rows)))
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self._order)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self._table.columns)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        column = self._table.columns[index.column()]
        value = self._table.rows[self._order[index.row()]][index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._said(column, value)
            case Qt.ItemDataRole.TextAlignmentRole if column.words is not None:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.ToolTipRole if column.words is None:
                return value
            case _ if role == _SHARE and column.bar and isinstance(value, int | float):
                most = max(
                    (float(row[index.column()] or 0.0) for row in self._table.rows), default=0.0
                )
                return float(value) / most if most else 0.0
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if orientation != Qt.Orientation.Horizontal or section >= len(self._table.columns):
            return None
        column = self._table.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = (
                Qt.AlignmentFlag.AlignLeft if column.words is None else Qt.AlignmentFlag.AlignRight
            )
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column; what is not known comes last."""
        if not 0 <= column < len(self._table.columns):
            return
        rows = self._table.rows
        downwards = order == Qt.SortOrder.DescendingOrder
        known = [n for n in range(len(rows)) if rows[n][column] is not None]
        unknown = [n for n in range(len(rows)) if rows[n][column] is None]
        known.sort(key=lambda n: _sort_key(rows[n][column]), reverse=downwards)
        self.layoutAboutToBeChanged.emit()
        self._order = known + unknown
        self.layoutChanged.emit()

    @staticmethod
    def _said(column: TableColumn, value: Value) -> str:
        if value is None:
            return tr("not counted")
        if column.words is not None and isinstance(value, int | float):
            return column.words(value)
        return str(value)


def _sort_key(value: Value) -> tuple[float, str]:
    if isinstance(value, int | float):
        return float(value), ""
    return 0.0, str(value).lower()


def _wide_column(shown: Table) -> str:
    """Return which column takes the room that is left."""
    names = [column.csv for column in shown.columns]
    return "model" if "outcome" in names and "model" in names else names[0] if names else ""


class UsageTable(QTableView):
    """Shows a table as high as its rows, a dozen at most."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._model = TableModel(self)
        self.setModel(self._model)
        self.setItemDelegate(_CellDelegate(theme, self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(64)
        head.setFixedHeight(30)
        head.setSortIndicatorClearable(True)

    @property
    def rows(self) -> int:
        return self._model.rowCount()

    def show_table(self, name: str, shown: Table) -> None:
        """Show a table; the order it came in stays until a head is clicked."""
        self.setSortingEnabled(False)
        self._model.show_table(shown)
        head = self.horizontalHeader()
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for place, column in enumerate(shown.columns):
            wide = column.words is None and column.csv == _wide_column(shown)
            mode = (
                QHeaderView.ResizeMode.Stretch if wide else QHeaderView.ResizeMode.ResizeToContents
            )
            head.setSectionResizeMode(place, mode)
            if column.bar:
                head.setSectionResizeMode(place, QHeaderView.ResizeMode.Fixed)
                head.resizeSection(place, _BAR_COLUMN + 96)
        self.setAccessibleName(name)
        seen = max(1, min(_SEEN, self._model.rowCount()))
        self.setFixedHeight(seen * _ROW + head.height() + 4)

    def text_at(self, row: int, column: int) -> str:
        return str(self._model.data(self._model.index(row, column)))


class _CellDelegate(QStyledItemDelegate):
    """Paints a bar before a number where the column has bars."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        share = index.data(_SHARE)
        if share is None:
            return
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(rect.left() + 12, rect.center().y() - 2.5, _BAR_COLUMN, 5)
        paint_bar(painter, self._theme, place, float(share), "chart.c1")
        painter.restore()
