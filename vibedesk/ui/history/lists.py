"""The two lists of the history page: versions along a line, and the files that one changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from vibedesk.engine.views import FileDiffView
from vibedesk.ui.history.versions import (
    AUTHOR_TONES,
    Version,
    author_words,
    files_words,
)
from vibedesk.ui.theme.icons import tinted_pixmap
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.labels import chip_width, paint_chip
from vibedesk.ui.widgets.times import when_words

Index = QModelIndex | QPersistentModelIndex
_ITEM = Qt.ItemDataRole.UserRole + 1
_VERSION_ROW, _FILE_ROW = 58, 34
_LINE_AT, _TEXT_AT, _NAME_WIDTH = 20, 42, 34


class _Rows(QAbstractListModel):
    """A list of values, each with what a screen reader says of it."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.items: Sequence[Any] = ()
        self.spoken: Sequence[str] = ()
        self.tips: Sequence[str] = ()

    def fill(self, items: Sequence[Any], spoken: Sequence[str], tips: Sequence[str]) -> None:
        self.beginResetModel()
        self.items, self.spoken, self.tips = items, spoken, tips
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self.spoken[index.row()]
            case Qt.ItemDataRole.ToolTipRole:
                return self.tips[index.row()]
            case role if role == _ITEM:
                return self.items[index.row()]
            case _:
                return None


class _List(QListView):
    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.rows = _Rows(self)
        self.setModel(self.rows)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.selectionModel().currentChanged.connect(self._on_current)
        theme.changed.connect(self.viewport().update)

    @property
    def current(self) -> Any:
        return self.currentIndex().data(_ITEM)

    def choose(self, row: int) -> None:
        self.setCurrentIndex(self.rows.index(row, 0))

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(index.data(_ITEM))


class VersionList(_List):
    """Versions, newest first."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.setItemDelegate(_VersionDelegate(theme, self))
        self.setAccessibleName(self.tr("Versions"))

    def show_versions(self, versions: Sequence[Version]) -> None:
        """Show these; the one that was chosen stays so, if it is among them."""
        before = self.current
        spoken = [
            ", ".join(
                (
                    version.label,
                    version.name,
                    author_words(version.author),
                    when_words(version.at),
                    files_words(version.files),
                    *((self.tr("current"),) if version.current else ()),
                )
            )
            for version in versions
        ]
        self.rows.fill(versions, spoken, [version.label for version in versions])
        if isinstance(before, Version):
            self.choose_commit(before.commit)

    def choose_commit(self, commit: str) -> bool:
        """Choose a version; return whether it is there."""
        for row, version in enumerate(self.rows.items):
            if version.commit == commit:
                self.choose(row)
                return True
        return False


class ChangedFiles(_List):
    """The files of a comparison."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.setItemDelegate(_FileDelegate(theme, self))
        self.setAccessibleName(self.tr("Changed files"))

    def show_files(self, files: Sequence[FileDiffView]) -> None:
        before = self.current
        spoken = [
            self.tr("{path}, {status}, {added} lines added, {removed} removed").format(
                path=file.path,
                status=self._status(file.status),
                added=file.additions,
                removed=file.deletions,
            )
            for file in files
        ]
        self.rows.fill(files, spoken, [file.path for file in files])
        row = next(
            (
                at
                for at, file in enumerate(files)
                if isinstance(before, FileDiffView) and file.path == before.path
            ),
            0,
        )
        if files:
            self.choose(row)

    def _status(self, status: str) -> str:
        words = {"added": self.tr("new"), "deleted": self.tr("deleted")}
        return words.get(status, self.tr("changed"))


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, radius: int) -> QRectF:
        theme, state = self._theme, option.state
        rect = option.rect
        area = QRectF(rect)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = area.adjusted(8, 0, -8, 0) if radius else area
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("bg.selected" if selected else "bg.hover"))
            painter.drawRoundedRect(place, radius, radius)
        if selected and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent.focus"), 2))
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), radius, radius)
        return area

    def _text(
        self,
        painter: QPainter,
        place: QRectF,
        text: str,
        role: str,
        tone: str,
        *,
        bold: bool = False,
    ) -> float:
        """Draw one line, shortened to its place; return its width."""
        font = self._theme.font(role)
        if bold:
            font.setWeight(QFont.Weight.Medium)
        metrics = QFontMetricsF(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.setFont(font)
        painter.setPen(self._theme.color(tone))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        return metrics.horizontalAdvance(shown)


class _VersionDelegate(_Delegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, _VERSION_ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        version = index.data(_ITEM)
        assert isinstance(version, Version)
        painter.save()
        area = self._ground(painter, option, self._theme.radius("md"))
        self._paint_line(painter, area, index, version)
        right = area.right() - 18
        top = area.top() + 9
        files = files_words(version.files)
        metrics = QFontMetricsF(self._theme.font("small"))
        wide = metrics.horizontalAdvance(files) + 2
        second = QRectF(0, top + 20, 0, 18)
        self._text(
            painter,
            QRectF(right - wide, second.top(), wide + 4, 18),
            files,
            "small",
            "text.secondary",
        )
        end = right
        if version.current:
            words = self._view.tr("Current")
            chip = chip_width(self._theme, words)
            paint_chip(
                painter, self._theme, QRectF(right - chip, top - 2, chip, 22), words, "accent"
            )
            end = right - chip - 8
        left = area.left() + _TEXT_AT
        place = QRectF(left, top, end - left, 20)
        self._text(painter, place, version.label, "body", "text.primary", bold=True)
        self._text(
            painter,
            QRectF(left, top + 20, _NAME_WIDTH, 18),
            version.name,
            "small",
            "text.secondary",
        )
        who = f"{author_words(version.author)}, {when_words(version.at)}"
        room = right - wide - left - _NAME_WIDTH - 8
        place = QRectF(left + _NAME_WIDTH, top + 20, room, 18)
        self._text(painter, place, who, "small", "text.secondary")
        painter.restore()

    def _paint_line(self, painter: QPainter, area: QRectF, index: Index, version: Version) -> None:
        theme = self._theme
        x, middle = area.left() + _LINE_AT, area.top() + 20
        painter.setPen(QPen(theme.color("border.strong"), 1.5))
        last = index.row() == self._view.model().rowCount() - 1
        if index.row() > 0:
            painter.drawLine(QPointF(x, area.top()), QPointF(x, middle - 6))
        if not last:
            painter.drawLine(QPointF(x, middle + 6), QPointF(x, area.bottom() + 1))
        painter.setPen(Qt.PenStyle.NoPen)
        tone = "accent.solid" if version.current else AUTHOR_TONES.get(version.author, "text.muted")
        painter.setBrush(theme.color(tone))
        painter.drawEllipse(QPointF(x, middle), 4, 4)


class _FileDelegate(_Delegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, _FILE_ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        file = index.data(_ITEM)
        assert isinstance(file, FileDiffView)
        theme = self._theme
        painter.save()
        area = self._ground(painter, option, 0)
        icon, colour = theme.filetype(file.path)
        ratio = self._view.devicePixelRatioF()
        pixmap = tinted_pixmap(icon, colour.name(QColor.NameFormat.HexArgb), 16, ratio)
        painter.drawPixmap(round(area.left()) + 14, round(area.center().y() - 8), pixmap)
        right = self._paint_counts(painter, area, file)
        left = area.left() + 38
        folder, _, name = file.path.rpartition("/")
        tone = "text.primary"
        font = theme.font("body")
        font.setStrikeOut(file.status == "deleted")
        room = right - left - 8
        painter.setFont(font)
        painter.setPen(theme.color(tone))
        metrics = QFontMetricsF(font)
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
        place = QRectF(left, area.top(), room, area.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        used = metrics.horizontalAdvance(shown) + 6
        if folder and room - used > 24:
            place = QRectF(left + used, area.top() + 1, room - used, area.height())
            self._text(painter, place, folder.rsplit("/", 1)[-1], "small", "text.secondary")
        painter.restore()

    def _paint_counts(self, painter: QPainter, area: QRectF, file: FileDiffView) -> float:
        """Draw what was added and removed at the right; return where the name has to end."""
        right = area.right() - 12
        font = self._theme.font("code_sm")
        font.setPixelSize(11)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        counts = ((file.deletions, "-", "diff.del_text"), (file.additions, "+", "diff.add_text"))
        for count, sign, tone in counts:
            if not count:
                continue
            words = f"{sign}{count}"
            wide = metrics.horizontalAdvance(words)
            painter.setPen(self._theme.color(tone))
            place = QRectF(right - wide, area.top(), wide + 2, area.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
            right -= wide + 8
        return right
