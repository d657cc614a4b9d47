"""Paints a row of the file tree: chevron, icon, name, and what there is to say at the right."""

from __future__ import annotations

from PySide6.QtCore import (
    QElapsedTimer,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from vibedesk.ui.files.file_marks import PERSON_MARKS, TONES, FileMark, MarkKind
from vibedesk.ui.files.tree_model import Role
from vibedesk.ui.theme.icons import tinted_pixmap
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.rings import paint_ring, spinner_angle

Index = QModelIndex | QPersistentModelIndex
_INSET, _INDENT, _CHEVRON, _ICON, _NAME = 6, 12, 12, 16, 40
_GLYPHS: dict[MarkKind, str] = {
    "errors": "x-circle-fill",
    "warnings": "warning-fill",
    "fixing": "wrench-fill",
    "queued": "circle-dashed",
}


class FileTreeDelegate(QStyledItemDelegate):
    """Draws with the theme of the moment; the view repaints rows with spinners."""

    def __init__(self, theme: Theme, view: QTreeView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._clock = QElapsedTimer()
        self._clock.start()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(10, self._theme.size("row"))

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        field = QLineEdit(parent)
        field.setProperty("kind", "toolbar")
        field.setAccessibleName(self.tr("New name"))
        return field

    def updateEditorGeometry(  # noqa: N802
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        area = _rect(option)
        left = area.left() + _INSET + self._left(index) + _NAME - 9
        editor.setGeometry(QRect(left, area.top(), area.right() - left - _INSET, area.height()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = self._theme
        area = QRectF(_rect(option)).adjusted(_INSET, 0, -_INSET, 0)
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(
            painter, area, selected=selected, hovered=bool(state & QStyle.StateFlag.State_MouseOver)
        )
        is_folder = bool(index.data(Role.IS_FOLDER))
        mark = index.data(Role.MARK)
        assert isinstance(mark, FileMark)
        closed = is_folder and not self._view.isExpanded(index)
        kind: MarkKind | None = (
            (index.data(Role.FOLDER_MARK) if closed else None) if is_folder else mark.shown
        )
        left = area.left() + self._left(index)
        middle = area.center().y()
        self._paint_icon(painter, left, middle, index, closed=closed)
        right = self._paint_mark(
            painter, area.right() - 10, middle, kind, None if is_folder else mark
        )
        if not is_folder:
            right = self._paint_person(painter, right, middle, mark)
        tone = TONES[kind] if kind is not None and not is_folder else "text.secondary"
        if selected and tone == "text.secondary":
            tone = "text.primary"
        font = theme.font("body")
        painter.setFont(font)
        painter.setPen(theme.color(tone))
        room = right - left - _NAME
        name = QFontMetrics(font).elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, int(room)
        )
        words = QRectF(left + _NAME, middle - 10, room, 20)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, name)
        painter.restore()

    def _left(self, index: Index) -> int:
        return 8 + max(0, int(index.data(Role.DEPTH)) * _INDENT)

    def _paint_ground(
        self, painter: QPainter, area: QRectF, *, selected: bool, hovered: bool
    ) -> None:
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("bg.selected" if selected else "bg.hover"))
            painter.drawRoundedRect(area, 6, 6)
        if selected and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.color("accent.focus"), 2))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 5, 5)

    def _paint_icon(
        self, painter: QPainter, left: float, middle: float, index: Index, *, closed: bool
    ) -> None:
        theme, ratio = self._theme, self._view.devicePixelRatioF()
        top = round(middle - _ICON / 2)
        if index.data(Role.IS_FOLDER):
            chevron = theme.pixmap(
                "caret-right" if closed else "caret-down", "text.muted", _CHEVRON, ratio
            )
            painter.drawPixmap(round(left), round(middle - _CHEVRON / 2), chevron)
            folder = theme.pixmap("folder" if closed else "folder-open", "text.muted", _ICON, ratio)
            painter.drawPixmap(round(left) + 18, top, folder)
            return
        icon, colour = theme.filetype(str(index.data(Role.PATH)))
        pixmap = tinted_pixmap(icon, colour.name(QColor.NameFormat.HexArgb), _ICON, ratio)
        painter.drawPixmap(round(left) + 18, top, pixmap)

    def _paint_mark(
        self,
        painter: QPainter,
        right: float,
        middle: float,
        kind: MarkKind | None,
        mark: FileMark | None,
    ) -> float:
        """Paint a mark and return where the name has to end."""
        theme = self._theme
        match kind:
            case None:
                return right
            case "writing":
                ring = QRectF(right - 13, middle - 6.5, 13, 13)
                start = spinner_angle(self._clock.elapsed())
                paint_ring(painter, theme, ring, 0.28, width=2.0, start=start)
                return right - 21
            case "new" | "modified":
                return self._paint_word(
                    painter, right, middle, "N" if kind == "new" else "M", TONES[kind]
                )
            case _:
                glyph = theme.pixmap(_GLYPHS[kind], TONES[kind], 14, self._view.devicePixelRatioF())
                painter.drawPixmap(round(right - 14), round(middle - 7), glyph)
                count = (
                    0
                    if mark is None
                    else {"errors": mark.errors, "warnings": mark.warnings}.get(kind, 0)
                )
                if count:
                    return self._paint_word(painter, right - 18, middle, str(count), TONES[kind])
                return right - 22

    def _paint_person(
        self, painter: QPainter, right: float, middle: float, mark: FileMark
    ) -> float:
        """Paint what the person said of the file and return where the name has to end."""
        glyphs = [icon for name, icon in PERSON_MARKS.items() if name in mark.person]
        tones = ["text.muted"] * len(glyphs)
        if mark.proposed:
            glyphs.append("git-diff")
            tones.append("accent.text")
        for icon, tone in zip(reversed(glyphs), reversed(tones), strict=True):
            glyph = self._theme.pixmap(icon, tone, 12, self._view.devicePixelRatioF())
            painter.drawPixmap(round(right - 12), round(middle - 6), glyph)
            right -= 16
        return right - 4 if glyphs else right

    def _paint_word(
        self, painter: QPainter, right: float, middle: float, word: str, tone: str
    ) -> float:
        font = self._theme.font("caption")
        font.setWeight(QFont.Weight.DemiBold)
        width = max(14, QFontMetrics(font).horizontalAdvance(word))
        painter.setFont(font)
        painter.setPen(self._theme.color(tone))
        place = QRectF(right - width, middle - 10, width, 20)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, word)
        return right - width - 8


def _rect(option: QStyleOptionViewItem) -> QRect:
    rect = option.rect
    assert isinstance(rect, QRect)
    return rect
