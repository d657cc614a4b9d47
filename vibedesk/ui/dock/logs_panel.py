"""The logs of a project: filter, clear, copy, and following the end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QFontMetricsF, QGuiApplication, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from vibedesk.ui.dock.logs_model import LogLine, LogModel
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button

_FLUSH_MS = 33
_SIDE = 13
_TIME_COLUMN = 72
_STREAM_COLUMN = 72
_MOST_WIDTH_CHARACTERS = 2000
_STREAM_TONES = {
    "sandbox": "text.muted",
    "agent": "accent.text",
    "write": "live.text",
    "vite": "success.text",
    "server": "success.text",
    "tsc": "warning.text",
    "lint": "warning.text",
    "warning": "warning.text",
    "stderr": "warning.text",
    "error": "danger.text",
}


class _LineDelegate(QStyledItemDelegate):
    """Paints time, stream and text in columns; the stream's colour also tints warnings and errors."""

    def __init__(self, theme: Theme, model: LogModel, view: QListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._model = model
        self._view = view

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        font = self._theme.font("code_sm")
        characters = min(self._model.longest, _MOST_WIDTH_CHARACTERS)
        text = QFontMetricsF(font).horizontalAdvance("0") * characters
        width = 2 * _SIDE + _TIME_COLUMN + _STREAM_COLUMN + text
        return QSize(round(width), self._theme.line_height("code_sm"))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        line = index.data(LogModel.LINE)
        if not isinstance(line, LogLine):
            return
        area = QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, self._theme.color("bg.selected"))
        painter.setFont(self._theme.font("code_sm"))
        tone = _STREAM_TONES.get(line.stream, "text.secondary")
        loud = tone in ("warning.text", "danger.text")
        left = area.left() + _SIDE
        for text, colour, width in (
            (f"{line.at.astimezone():%H:%M:%S}", "text.muted", _TIME_COLUMN),
            (line.stream, tone, _STREAM_COLUMN),
            (line.text, tone if loud else "text.secondary", 0),
        ):
            painter.setPen(self._theme.color(colour))
            box = QRectF(left, area.top(), width or area.right() - left, area.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
            left += width
        painter.restore()


class _LogView(QListView):
    """The list; follows the end while the end is in sight."""

    def __init__(self, theme: Theme, model: LogModel) -> None:
        super().__init__()
        self.setProperty("role", "logs")
        self.setModel(model)
        self.setItemDelegate(_LineDelegate(theme, model, self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Log lines"))


class LogsPanel(QFrame):
    """Shows log lines as they come. Batches are shown once a frame."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "logpage")
        self._model = LogModel(self)
        self._view = _LogView(theme, self._model)
        self._pending: list[LogLine] = []
        self._follows = True
        self._flush = QTimer(self)
        self._flush.setSingleShot(True)
        self._flush.setInterval(_FLUSH_MS)
        self._flush.timeout.connect(self._show_pending)
        self._known_longest = 0
        self.setLayout(vbox(self._view, gap=0))
        self._tools = self._make_tools(theme)
        copy = QAction(self.tr("Copy"), self._view)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self._view.addAction(copy)
        self._view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._view.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self._view.verticalScrollBar().rangeChanged.connect(self._on_range_changed)
        theme.changed.connect(self._view.viewport().update)

    @property
    def model(self) -> LogModel:
        return self._model

    @property
    def tools(self) -> QWidget:
        """Filter, follow, copy and clear, for the header of the dock."""
        return self._tools

    @property
    def follows(self) -> bool:
        return self._follows

    def append(self, lines: Iterable[tuple[datetime, str, str]]) -> None:
        """Add (time, stream, line); a text of several lines becomes several."""
        for at, stream, text in lines:
            self._pending += [LogLine(at, stream, part) for part in text.split("\n")]
        if not self._flush.isActive():
            self._flush.start()

    def clear(self) -> None:
        self._pending.clear()
        self._model.clear()
        self._known_longest = 0
        self.set_follows(True)

    def set_filter(self, text: str) -> None:
        """Show only lines with this in their text or stream."""
        if self._filter.text() != text:
            self._filter.setText(text)
            return
        self._model.set_filter(text)
        self._refresh_width()
        if self._follows:
            self._view.scrollToBottom()

    def set_follows(self, follows: bool) -> None:
        """Stay at the end as lines come, or stay where the person reads."""
        self._follows = follows
        self._follow.setChecked(follows)
        if follows:
            self._view.scrollToBottom()

    def copy(self) -> None:
        """Copy the selected lines, or all shown ones if none is selected."""
        rows = sorted(index.row() for index in self._view.selectionModel().selectedIndexes())
        wanted = rows or range(self._model.rowCount())
        text = "\n".join(self._model.line(row).plain() for row in wanted)
        QGuiApplication.clipboard().setText(text)

    def _make_tools(self, theme: Theme) -> QWidget:
        self._filter = QLineEdit()
        self._filter.setProperty("kind", "toolbar")
        self._filter.setPlaceholderText(self.tr("Filter"))
        self._filter.setAccessibleName(self.tr("Filter log lines"))
        self._filter.setClearButtonEnabled(True)
        self._filter.addAction(
            theme.icon("funnel", "text.muted", 14), QLineEdit.ActionPosition.LeadingPosition
        )
        self._filter.setMinimumWidth(80)
        self._filter.setMaximumWidth(150)
        self._filter.textChanged.connect(self.set_filter)
        self._follow = icon_button(
            theme, "arrow-down", self.tr("Follow new lines"), size=15, small=True, checkable=True
        )
        self._follow.setChecked(True)
        self._follow.clicked.connect(self.set_follows)
        copy = icon_button(theme, "copy", self.tr("Copy log lines"), size=15, small=True)
        copy.clicked.connect(self.copy)
        clear = icon_button(theme, "trash", self.tr("Clear the log"), size=15, small=True)
        clear.clicked.connect(self.clear)
        return frame("plain", hbox(self._filter, self._follow, copy, clear, gap=2))

    def _show_pending(self) -> None:
        lines, self._pending = self._pending, []
        self._model.append(lines)
        self._refresh_width()

    def _refresh_width(self) -> None:
        """Lay the list out again when a longer line came, which uniform sizes do not notice."""
        if self._model.longest != self._known_longest:
            self._known_longest = self._model.longest
            self._view.scheduleDelayedItemsLayout()

    def _on_scrolled(self, value: int) -> None:
        at_end = value >= self._view.verticalScrollBar().maximum() - 4
        if at_end != self._follows:
            self._follows = at_end
            self._follow.setChecked(at_end)

    def _on_range_changed(self, _least: int, most: int) -> None:
        if self._follows:
            self._view.verticalScrollBar().setValue(most)
