"""How the rows of the problems list look."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from vibedesk.ui.problems.model import Group, Index, ProblemsModel
from vibedesk.ui.problems.problem import Level, Problem, source_words
from vibedesk.ui.theme.icons import tinted_pixmap
from vibedesk.ui.theme.theme import Theme

LEVEL_LOOKS: dict[Level, tuple[str, str]] = {
    "error": ("x-circle-fill", "danger.text"),
    "warning": ("warning-fill", "warning.text"),
}
_ROW, _GROUP = 30, 26
_SIDE, _ICON, _GAP = 14, 16, 8
_SOURCE, _PLACE, _STATUS, _GLYPH_ONLY = 68, 168, 150, 24
_WITH_SOURCE, _WITH_STATUS = 640, 640


class ProblemDelegate(QStyledItemDelegate):
    """Paints a heading, or a problem in columns: severity, message, who found it, place, status.

    Where the list is narrow, who found it is left out, and the status is its glyph.
    """

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        is_group = isinstance(index.data(ProblemsModel.ROW), Group)
        return QSize(200, _GROUP if is_group else _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ProblemsModel.ROW)
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, Group):
            self._paint_group(painter, area, row)
        elif isinstance(row, Problem):
            self._paint_ground(painter, area, option)
            self._paint_problem(painter, area, index, row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRectF, option: QStyleOptionViewItem) -> None:
        theme, state = self._theme, option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        place = area.adjusted(6, 1, -6, -1)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("bg.selected" if selected else "bg.hover"))
            painter.drawRoundedRect(place, 6, 6)
        if selected and self._view.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent.focus"), 2))
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 5, 5)

    def _paint_group(self, painter: QPainter, area: QRectF, group: Group) -> None:
        theme = self._theme
        left = area.left() + _SIDE
        if group.path:
            icon, colour = theme.filetype(group.path)
            ratio = self._view.devicePixelRatioF()
            glyph = tinted_pixmap(icon, colour.name(colour.NameFormat.HexArgb), 14, ratio)
            painter.drawPixmap(round(left + 1), round(area.center().y() - 7), glyph)
            left += _ICON + _GAP
        font = theme.font("small")
        font.setWeight(font.Weight.Medium)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        count = f"{group.count}"
        room = area.right() - left - 40
        words = metrics.elidedText(group.title, Qt.TextElideMode.ElideMiddle, room)
        painter.setPen(theme.color("text.secondary"))
        painter.drawText(_line(left, area, room), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setPen(theme.color("text.muted"))
        after = left + metrics.horizontalAdvance(words) + _GAP
        painter.drawText(_line(after, area, 40), Qt.AlignmentFlag.AlignVCenter, count)

    def _paint_problem(
        self, painter: QPainter, area: QRectF, index: Index, problem: Problem
    ) -> None:
        status = str(index.data(ProblemsModel.STATUS))
        theme, ratio = self._theme, self._view.devicePixelRatioF()
        left, right = area.left() + _SIDE, area.right() - _SIDE
        icon, tone = LEVEL_LOOKS[problem.level]
        quiet = problem.status == "skipped"
        glyph = theme.pixmap(icon, "text.muted" if quiet else tone, _ICON, ratio)
        painter.drawPixmap(round(left), round(area.center().y() - _ICON / 2), glyph)
        left += _ICON + _GAP
        wide = area.width() >= _WITH_STATUS
        right -= _STATUS if wide else _GLYPH_ONLY
        if status:
            tone, icon = _status_look(problem, fixing=index.data(ProblemsModel.FIXING))
            self._paint_status(painter, area, right, status if wide else "", tone, icon)
        right = self._column(painter, area, right, _PLACE, problem.short_place, mono=True)
        if area.width() >= _WITH_SOURCE:
            words = source_words(problem.source)
            right = self._column(painter, area, right, _SOURCE, words)
        font = theme.font("body")
        painter.setFont(font)
        painter.setPen(theme.color("text.muted" if quiet else "text.primary"))
        room = right - left - _GAP
        words = QFontMetricsF(font).elidedText(problem.headline, Qt.TextElideMode.ElideRight, room)
        painter.drawText(_line(left, area, room), Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_status(
        self, painter: QPainter, area: QRectF, left: float, status: str, tone: str, icon: str
    ) -> None:
        theme = self._theme
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color(tone))
        if icon:
            glyph = theme.pixmap(icon, tone, 14, self._view.devicePixelRatioF())
            painter.drawPixmap(round(left), round(area.center().y() - 7), glyph)
            left += 14 + 6
        painter.drawText(_line(left, area, _STATUS), Qt.AlignmentFlag.AlignVCenter, status)

    def _column(
        self,
        painter: QPainter,
        area: QRectF,
        right: float,
        width: float,
        text: str,
        *,
        mono: bool = False,
    ) -> float:
        """Paint a column that ends at `right` and return where it begins."""
        font = self._theme.font("code_sm" if mono else "small")
        painter.setFont(font)
        painter.setPen(self._theme.color("text.secondary" if mono else "text.muted"))
        words = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, width - 12)
        begin = right - width
        painter.drawText(_line(begin, area, width - 12), Qt.AlignmentFlag.AlignVCenter, words)
        return begin


def _status_look(problem: Problem, *, fixing: bool) -> tuple[str, str]:
    """Return (tone, icon) of what becomes of a problem."""
    if problem.status == "given_up":
        return "danger.text", "hand-palm"
    return ("warning.text", "wrench-fill") if fixing else ("text.muted", "")


def _line(left: float, area: QRectF, width: float) -> QRectF:
    return QRectF(left, area.top(), width, area.height())
