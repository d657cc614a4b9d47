"""What is stored and known of a project, as a tree, and how long its operations took."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import (
    QGuiApplication,
    QPainter,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import QHeaderView, QLineEdit, QStackedLayout, QTreeView, QWidget

from vibedesk.base.errors import VibeDeskError
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.settings.cards import StateLine
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.usage.figures import seconds
from vibedesk.ui.usage.tables import Table, TableColumn, UsageTable
from vibedesk.ui.widgets.boxes import add_layout, hbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import Segment, Segmented, text_button

Json = dict[str, Any]
Inspect = Callable[[], Awaitable[Json]]

_HEIGHT = 460
_LONGEST = 300
_NAME_WIDTH = 250


class InspectorDialog(AwaitableDialog[None]):
    """Shows what `inspect` gives; it is asked again on demand."""

    def __init__(self, theme: Theme, parent: QWidget | None, *, app: str, inspect: Inspect) -> None:
        title = self.tr("Inside {0}").format(app)
        super().__init__(theme, parent, title)
        self._inspect = inspect
        self._facts: Json = {}
        self._tasks = WidgetTasks(self, self._say)
        self.add_heading(title, "tree-structure")
        self.add_text(
            self.tr("Everything that is stored and known of this project, without secrets.")
        )
        self._which = Segmented(
            theme,
            self.tr("What to show"),
            [
                Segment(key="state", text=self.tr("State"), icon="tree-structure"),
                Segment(key="durations", text=self.tr("Durations"), icon="timer"),
            ],
        )
        self._which.chosen.connect(self._on_which)
        self._find = QLineEdit()
        self._find.setProperty("kind", "search")
        self._find.setPlaceholderText(self.tr("Find a name or value"))
        self._find.setAccessibleName(self.tr("Find a name or value"))
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._on_find)
        self._again = BusyButton(
            theme, self.tr("Look again"), self.tr("Looking"), "arrow-clockwise"
        )
        self._again.setAutoDefault(False)
        self._again.clicked.connect(lambda: self._tasks.start(self._look()))
        add_layout(self.column, hbox(self._which, (self._find, 1), self._again, gap=10))
        self._tree = FactsTree(theme)
        self._durations = UsageTable(theme)
        self._durations.setProperty("role", "inspector")
        self._views = QStackedLayout()
        self._views.addWidget(self._tree)
        self._views.addWidget(self._durations)
        place = QWidget()
        place.setFixedHeight(_HEIGHT)
        place.setLayout(self._views)
        self.column.addWidget(place)
        self._said = StateLine(theme, wraps=True)
        self.column.addWidget(self._said)
        copy = text_button(theme, self.tr("Copy as JSON"), icon="copy")
        copy.setAutoDefault(False)
        copy.clicked.connect(self._on_copy)
        close = text_button(theme, self.tr("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.accept)
        self.add_buttons(copy, close)
        self.fit(theme.size("dialog_lg"))
        self._tasks.start(self._look())

    @property
    def tree(self) -> FactsTree:
        return self._tree

    @property
    def durations(self) -> UsageTable:
        return self._durations

    async def _look(self) -> None:
        self._again.set_busy(busy=True)
        try:
            self._facts = await self._inspect()
        except VibeDeskError:
            self._again.set_busy(busy=False)
            raise
        self._again.set_busy(busy=False)
        self._tree.show_facts(self._facts)
        self._tree.filter(self._find.text())
        shown = durations(self._facts.get("timings") or ())
        self._durations.show_table(self.tr("Durations"), shown)
        self._durations.setMaximumHeight(16777215)
        self._durations.setMinimumHeight(0)

    def _on_which(self, key: str) -> None:
        self._views.setCurrentIndex(0 if key == "state" else 1)
        self._find.setEnabled(key == "state")

    def _on_find(self, text: str) -> None:
        self._tree.filter(text)

    def _on_copy(self) -> None:
        text = json.dumps(self._facts, indent=2, ensure_ascii=False, default=str)
        QGuiApplication.clipboard().setText(text)
        self._said.set_state(self.tr("Copied."), "success", "check-circle-fill")

    def _say(self, error: VibeDeskError) -> None:
        self._said.set_state(str(error), "danger", "x-circle-fill")


def durations(timings: Sequence[Mapping[str, Any]]) -> Table:
    """Return how long operations took, the last one first."""
    columns = (
        TableColumn(title="When", csv="at"),
        TableColumn(title="Operation", csv="operation"),
        TableColumn(title="Phase", csv="phase"),
        TableColumn(title="Ended", csv="outcome"),
        TableColumn(title="Took", csv="seconds", words=seconds, bar=True),
    )
    rows = [
        (
            str(timing.get("at", "")).replace("T", " ")[:19],
            str(timing.get("operation", "")).replace("_", " "),
            str(timing.get("phase") or ""),
            str(timing.get("outcome", "")),
            float(timing.get("seconds") or 0.0),
        )
        for timing in reversed(list(timings))
    ]
    return Table(columns=columns, rows=tuple(rows))


class FactsTree(QTreeView):
    """JSON as a tree of names and values; branches are made when they are opened."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._facts: Any = {}
        self._model = QStandardItemModel(0, 2, self)
        self.setModel(self._model)
        self.setProperty("role", "inspector")
        self.setAccessibleName(self.tr("State"))
        self.setUniformRowHeights(True)
        self.setIndentation(18)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.expanded.connect(self._on_expanded)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)

    def show_facts(self, facts: Json) -> None:
        """Show this; what was open is closed."""
        self._facts = facts
        self._model.clear()
        self._model.setHorizontalHeaderLabels([self.tr("Name"), self.tr("Value")])
        self._fill(self._model.invisibleRootItem(), facts)
        head = self.header()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        head.resizeSection(0, _NAME_WIDTH)
        head.setStretchLastSection(True)

    def filter(self, text: str) -> None:
        """Show only what has `text` in its name or value, on whatever level."""
        root = self._model.invisibleRootItem()
        wanted = text.strip().lower()
        for row in range(root.rowCount()):
            item = root.child(row, 0)
            name = item.text()
            found = not wanted or wanted in name.lower() or _has(self._facts.get(name), wanted)
            self.setRowHidden(row, QModelIndex(), not found)

    def texts(self) -> list[tuple[str, str]]:
        """Return the names and values of the first level that are shown."""
        root = self._model.invisibleRootItem()
        return [
            (root.child(row, 0).text(), root.child(row, 1).text())
            for row in range(root.rowCount())
            if not self.isRowHidden(row, QModelIndex())
        ]

    def drawBranches(  # noqa: N802 - Qt's
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        if not self._model.hasChildren(index):
            return
        name = "caret-down" if self.isExpanded(index) else "caret-right"
        pixmap = self._theme.pixmap(name, "text.muted", 12, self.devicePixelRatioF())
        painter.drawPixmap(rect.right() - 14, rect.center().y() - 5, pixmap)

    def _fill(self, parent: QStandardItem, value: Any) -> None:
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, child in pairs:
            key = QStandardItem(str(name))
            shown = QStandardItem(summary(child))
            shown.setToolTip(str(child)[:_LONGEST] if isinstance(child, str) else "")
            if isinstance(child, Mapping | list | tuple) and child:
                key.setData(child, Qt.ItemDataRole.UserRole)
                # Something has to be there for the branch to be drawn.
                key.appendRow([QStandardItem(""), QStandardItem("")])
            parent.appendRow([key, shown])

    def _on_expanded(self, index: QModelIndex) -> None:
        item = self._model.itemFromIndex(index)
        value = item.data(Qt.ItemDataRole.UserRole)
        if value is not None:
            item.setData(None, Qt.ItemDataRole.UserRole)
            item.removeRows(0, item.rowCount())
            self._fill(item, value)


def summary(value: Any) -> str:
    """Return a value in one short line."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return f"{{{len(value)}}}" if value else "{}"
        case list() | tuple():
            return f"[{len(value)}]" if value else "[]"
        case _:
            text = " ".join(str(value).split())
            return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _has(value: Any, wanted: str) -> bool:
    match value:
        case Mapping():
            return any(wanted in str(k).lower() or _has(v, wanted) for k, v in value.items())
        case list() | tuple():
            return any(_has(item, wanted) for item in value)
        case _:
            return wanted in str(value).lower()
