"""The list of acceptance checks: state, name, phase, and when it was last run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from vibedesk.ui.checks.check import Check, State, phase_words, ran_words, state_words
from vibedesk.ui.theme.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_CHECK = Qt.ItemDataRole.UserRole + 1
LOOKS: dict[State, tuple[str, str]] = {
    "running": ("circle-notch", "live.text"),
    "passed": ("check-circle-fill", "success.text"),
    "failed": ("x-circle-fill", "danger.text"),
    "outdated": ("clock-counter-clockwise", "text.muted"),
    "unknown": ("circle-dashed", "text.muted"),
}
_ROW, _SIDE, _ICON, _GAP = 30, 14, 16, 8
_STATE, _PHASE, _WHEN = 84, 84, 104
_WITH_PHASE, _WITH_WHEN = 560, 460


class _Rows(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.checks: Sequence[Check] = ()

    def fill(self, checks: Sequence[Check]) -> None:
        same = [c.name for c in checks] == [c.name for c in self.checks]
        if not same:
            self.beginResetModel()
        self.checks = tuple(checks)
        if not same:
            self.endResetModel()
        elif checks:
            self.dataChanged.emit(self.index(0, 0), self.index(len(checks) - 1, 0))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.checks)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        check = self.checks[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                parts = (
                    state_words(check),
                    check.name,
                    phase_words(check),
                    ran_words(check),
                    self.tr("corrected") if check.why else "",
                )
                return ", ".join(part for part in parts if part)
            case Qt.ItemDataRole.ToolTipRole:
                return check.name
            case role if role == _CHECK:
                return check
            case _:
                return None


class CheckList(QListView):
    """Checks in the order they come; one is at hand. A double click and Enter run it."""

    chosen = Signal(str)
    """The name of the check at hand; "" for none."""
    run_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "problems")
        self._rows = _Rows(self)
        self.setModel(self._rows)
        self.setItemDelegate(_CheckDelegate(theme, self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Checks"))
        self.selectionModel().currentChanged.connect(lambda *_: self._tell())
        # Not `activated`: some desktops activate by a single click.
        self.doubleClicked.connect(self._run_current)
        theme.changed.connect(self.viewport().update)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run_current()
        else:
            super().keyPressEvent(event)

    @property
    def checks(self) -> Sequence[Check]:
        return self._rows.checks

    @property
    def current(self) -> Check | None:
        check = self.currentIndex().data(_CHECK)
        return check if isinstance(check, Check) else None

    def show_checks(self, checks: Sequence[Check]) -> None:
        """Show these; the one at hand stays so if it is among them, else a failed one is."""
        before = self.current.name if self.current is not None else ""
        self._rows.fill(checks)
        names = [check.name for check in checks]
        if before in names:
            self.choose(before)
        elif checks:
            failed = next((check.name for check in checks if check.state == "failed"), names[0])
            self.choose(failed)
        self._tell()

    def choose(self, name: str) -> None:
        """Bring a check to hand, if it is there."""
        for row, check in enumerate(self._rows.checks):
            if check.name == name:
                self.setCurrentIndex(self._rows.index(row, 0))

    def _run_current(self) -> None:
        if self.current is not None:
            self.run_requested.emit(self.current.name)

    def _tell(self) -> None:
        self.chosen.emit(self.current.name if self.current is not None else "")


class _CheckDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        check = index.data(_CHECK)
        if not isinstance(check, Check):
            return
        theme = self._theme
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        place = area.adjusted(6, 1, -6, -1)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("bg.selected" if selected else "bg.hover"))
            painter.drawRoundedRect(place, 6, 6)
        if selected and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent.focus"), 2))
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 5, 5)
        self._paint_check(painter, area, check)
        painter.restore()

    def _paint_check(self, painter: QPainter, area: QRectF, check: Check) -> None:
        theme = self._theme
        icon, tone = LOOKS[check.state]
        left, right = area.left() + _SIDE, area.right() - _SIDE
        glyph = theme.pixmap(icon, tone, _ICON, self._view.devicePixelRatioF())
        painter.drawPixmap(round(left), round(area.center().y() - _ICON / 2), glyph)
        left += _ICON + _GAP
        wide = area.width() >= _WITH_WHEN
        if check.state == "outdated":
            words = state_words(check) if wide else self.tr("Outdated")
            columns = [(words, _STATE + (_WHEN if wide else 0), tone)]
        else:
            columns = [(state_words(check), _STATE, tone)]
            columns += [(ran_words(check), _WHEN, "text.muted")] if wide else []
        if area.width() >= _WITH_PHASE:
            columns.append((phase_words(check), _PHASE, "text.muted"))
        painter.setFont(theme.font("small"))
        for words, width, ink in columns:
            right -= width
            painter.setPen(theme.color(ink))
            box = QRectF(right, area.top(), width - 8, area.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)
        font = theme.font("body")
        painter.setFont(font)
        painter.setPen(theme.color("text.primary"))
        metrics = QFontMetricsF(font)
        room = right - left - _GAP
        if check.why:
            room -= 22
        name = metrics.elidedText(check.name, Qt.TextElideMode.ElideRight, room)
        box = QRectF(left, area.top(), room, area.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        if check.why:
            mark = theme.pixmap("pencil-simple", "info.text", 14, self._view.devicePixelRatioF())
            after = left + metrics.horizontalAdvance(name) + 6
            painter.drawPixmap(round(after), round(area.center().y() - 7), mark)
