"""The row of open files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QElapsedTimer, QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QTabBar

from vibedesk.ui.theme.icons import tinted_pixmap
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.rings import paint_ring, spinner_angle

_HEIGHT = 38
_LEFT, _ICON, _GAP, _CLOSE, _RIGHT = 12, 16, 6, 24, 6
_WIDEST = 240
Problems = Literal["", "error", "warning"]
"""The gravest of what is known to be wrong in a file."""
_PROBLEM_LOOKS = {
    "error": ("x-circle-fill", "danger.text"),
    "warning": ("warning-fill", "warning.text"),
}


@dataclass(slots=True)
class _Tab:
    path: str
    pinned: bool
    writing: bool = False
    view_of: str = ""
    """The file that this is a view of, such as a review; empty for a file itself."""
    problems: Problems = ""


class FileTabs(QTabBar):
    """Tabs by path: icon, name, close cross; a spinner and an aqua line while the file is being written.

    Signals:
        file_selected: Another tab came to the front.
        close_requested: Cross or middle click.
        pin_requested: Double click.
    """

    file_selected = Signal(str)
    close_requested = Signal(str)
    pin_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._files: list[_Tab] = []
        self._hovered = -1
        self._clock = QElapsedTimer()
        self._clock.start()
        self._spin = QTimer(self)
        self._spin.setInterval(33)
        self._spin.timeout.connect(self._turn_spinners)
        self.setFixedHeight(_HEIGHT)
        self.setExpanding(False)
        self.setMovable(True)
        self.setDrawBase(False)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Open files"))
        self.tabMoved.connect(self._on_moved)
        self.currentChanged.connect(self._on_current_changed)
        theme.changed.connect(self.update)

    @property
    def paths(self) -> list[str]:
        return [tab.path for tab in self._files]

    @property
    def current_path(self) -> str | None:
        index = self.currentIndex()
        return self._files[index].path if 0 <= index < len(self._files) else None

    def open(self, path: str, *, pinned: bool) -> None:
        """Add a tab behind the others, without bringing it to the front."""
        self._files.append(_Tab(path, pinned))
        self.blockSignals(True)
        self.addTab(path.rsplit("/", 1)[-1])
        self.blockSignals(False)
        self._describe(len(self._files) - 1)

    def open_view(self, key: str, title: str, file: str) -> None:
        """Add a tab for something about a file, named by a `key` that is no path of a project."""
        self._files.append(_Tab(key, pinned=True, view_of=file))
        self.blockSignals(True)
        self.addTab(title)
        self.blockSignals(False)
        self._describe(len(self._files) - 1)

    def select(self, path: str) -> None:
        """Bring a tab to the front without telling anyone."""
        self.blockSignals(True)
        self.setCurrentIndex(self.paths.index(path))
        self.blockSignals(False)
        self.update()

    def remove(self, path: str) -> None:
        index = self.paths.index(path)
        del self._files[index]
        self.blockSignals(True)
        self.removeTab(index)
        self.blockSignals(False)
        self.update()

    def rename(self, old: str, new: str) -> None:
        index = self.paths.index(old)
        self._files[index].path = new
        self.setTabText(index, new.rsplit("/", 1)[-1])
        self._describe(index)

    def pin(self, path: str) -> None:
        index = self.paths.index(path)
        if not self._files[index].pinned:
            self._files[index].pinned = True
            self.setTabText(index, self.tabText(index))
            self.update()

    def pinned(self, path: str) -> bool:
        return self._files[self.paths.index(path)].pinned

    def set_writing(self, path: str, *, writing: bool) -> None:
        index = self.paths.index(path)
        self._files[index].writing = writing
        self._describe(index)
        if writing:
            self._spin.start()
        elif not any(tab.writing for tab in self._files):
            self._spin.stop()
        self.update()

    def set_problems(self, path: str, problems: Problems) -> None:
        index = self.paths.index(path)
        if self._files[index].problems != problems:
            self._files[index].problems = problems
            self._describe(index)
            self.update()

    def tabSizeHint(self, index: int) -> QSize:  # noqa: N802
        words = QFontMetrics(self._font(index)).horizontalAdvance(self.tabText(index))
        width = _LEFT + _ICON + _GAP + words + _GAP + _CLOSE + _RIGHT
        return QSize(min(_WIDEST, width), _HEIGHT)

    def minimumTabSizeHint(self, index: int) -> QSize:  # noqa: N802
        return self.tabSizeHint(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("bg.surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._theme.color("border.subtle"))
        for index in range(self.count()):
            if self.tabRect(index).intersects(event.rect()):
                self._paint_tab(painter, index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(event.position().toPoint())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(QPoint(-1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        on_cross = self._cross_at(event.position().toPoint()) >= 0
        if event.button() == Qt.MouseButton.LeftButton and not on_cross:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        index = (
            self.tabAt(at) if event.button() == Qt.MouseButton.MiddleButton else self._cross_at(at)
        )
        if event.button() == Qt.MouseButton.LeftButton:
            super().mouseReleaseEvent(event)
        if index >= 0:
            self.close_requested.emit(self._files[index].path)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        index = self.tabAt(at)
        if index >= 0 and self._cross_at(at) < 0:
            self.pin_requested.emit(self._files[index].path)

    def _on_moved(self, origin: int, target: int) -> None:
        self._files.insert(target, self._files.pop(origin))

    def _on_current_changed(self, index: int) -> None:
        if 0 <= index < len(self._files):
            self.file_selected.emit(self._files[index].path)

    def _describe(self, index: int) -> None:
        tab = self._files[index]
        self.setTabToolTip(index, tab.view_of or tab.path)
        name = self.tabText(index)
        if tab.problems:
            has = {
                "error": self.tr("{name}, has errors"),
                "warning": self.tr("{name}, has warnings"),
            }
            name = has[tab.problems].format(name=name)
        self.setAccessibleTabName(
            index, self.tr("{name}, being written").format(name=name) if tab.writing else name
        )

    def _turn_spinners(self) -> None:
        for index, tab in enumerate(self._files):
            if tab.writing:
                self.update(self._cross(index))

    def _hover(self, at: QPoint) -> None:
        hovered = self.tabAt(at)
        if hovered != self._hovered or hovered >= 0:
            self._hovered = hovered
            self.update()

    def _cross(self, index: int) -> QRect:
        place = self.tabRect(index)
        left = place.right() - _RIGHT - _CLOSE
        return QRect(left, place.center().y() - _CLOSE // 2 + 1, _CLOSE, _CLOSE)

    def _cross_at(self, at: QPoint) -> int:
        index = self.tabAt(at)
        return index if index >= 0 and self._cross(index).contains(at) else -1

    def _font(self, index: int) -> QFont:
        font = self._theme.font("body")
        font.setItalic(index < len(self._files) and not self._files[index].pinned)
        return font

    def _paint_tab(self, painter: QPainter, index: int) -> None:
        theme, tab, place = self._theme, self._files[index], self.tabRect(index)
        current = index == self.currentIndex()
        if current:
            painter.fillRect(place, theme.color("bg.editor"))
            line = "live.solid" if tab.writing else "accent.solid"
            painter.fillRect(place.left(), 0, place.width(), 2, theme.color(line))
        painter.fillRect(place.right(), 0, 1, place.height(), theme.color("border.subtle"))
        middle = place.center().y() + 1
        ratio = self.devicePixelRatioF()
        icon, colour = theme.filetype(tab.path)
        if tab.view_of:
            icon, colour = "git-diff", theme.color("accent.text")
        icon_at = QPoint(place.left() + _LEFT, middle - _ICON // 2)
        painter.drawPixmap(icon_at, _file_icon(icon, colour, ratio))
        cross = self._cross(index)
        words = QRect(icon_at.x() + _ICON + _GAP, place.top(), 0, place.height() + 2)
        words.setRight(cross.left() - 2)
        font = self._font(index)
        painter.setFont(font)
        shown = current or index == self._hovered
        tone = "danger.text" if tab.problems == "error" else ""
        painter.setPen(theme.color(tone or ("text.primary" if shown else "text.muted")))
        name = QFontMetrics(font).elidedText(
            self.tabText(index), Qt.TextElideMode.ElideMiddle, words.width()
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, name)
        self._paint_end(painter, index, cross, ratio)
        if current and self.hasFocus():
            painter.setPen(theme.color("accent.focus"))
            painter.drawRoundedRect(QRectF(place).adjusted(2.5, 4.5, -3.5, -3.5), 5, 5)

    def _paint_end(self, painter: QPainter, index: int, cross: QRect, ratio: float) -> None:
        theme = self._theme
        pointed = index == self._hovered and cross.contains(self.mapFromGlobal(self.cursor().pos()))
        if pointed:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("bg.hover"))
            painter.drawRoundedRect(cross.adjusted(2, 2, -2, -2), 5, 5)
        if self._files[index].writing and not pointed:
            ring = QRectF(cross).adjusted(5, 5, -5, -5)
            paint_ring(
                painter, theme, ring, 0.28, width=2.0, start=spinner_angle(self._clock.elapsed())
            )
        elif self._files[index].problems and index != self._hovered:
            icon, tone = _PROBLEM_LOOKS[self._files[index].problems]
            painter.drawPixmap(cross.x() + 5, cross.y() + 5, theme.pixmap(icon, tone, 14, ratio))
        elif index in (self._hovered, self.currentIndex()):
            tone = "text.primary" if pointed else "text.muted"
            painter.drawPixmap(cross.x() + 6, cross.y() + 6, theme.pixmap("x", tone, 12, ratio))


def _file_icon(name: str, colour: QColor, ratio: float) -> QPixmap:
    return tinted_pixmap(name, colour.name(QColor.NameFormat.HexArgb), _ICON, ratio)
