"""The line above the code: where the file is, and whether the view follows the agent."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import chip_width, paint_chip

_HEIGHT = 32
_CARET = 12


class Breadcrumbs(QWidget):
    """The path of a file, folder by folder; the first folders give way when it is narrow."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: list[str] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        theme.changed.connect(self.update)

    def set_path(self, path: str) -> None:
        self._parts = path.split("/") if path else []
        self.setAccessibleName(path)
        self.setToolTip(path)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        font = self._theme.font("small")
        painter.setFont(font)
        metrics = QFontMetrics(font)
        parts = self._fitting(metrics)
        x = 0
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            width = metrics.horizontalAdvance(part)
            painter.setPen(self._theme.color("text.primary" if last else "text.muted"))
            room = max(0, self.width() - x)
            words = metrics.elidedText(part, Qt.TextElideMode.ElideMiddle, room) if last else part
            painter.drawText(QRectF(x, 0, room, _HEIGHT), Qt.AlignmentFlag.AlignVCenter, words)
            x += width + 4
            if not last:
                caret = self._theme.pixmap(
                    "caret-right", "text.muted", _CARET, self.devicePixelRatioF()
                )
                painter.drawPixmap(x, _HEIGHT // 2 - _CARET // 2, caret)
                x += _CARET + 4

    def _fitting(self, metrics: QFontMetrics) -> list[str]:
        parts = list(self._parts)

        def width() -> int:
            return sum(metrics.horizontalAdvance(part) + _CARET + 8 for part in parts)

        while len(parts) > 2 and width() > self.width():
            parts[0:2] = ["…"]
            if len(parts) > 2 and width() > self.width():
                del parts[1]
        return parts


class FollowChip(QAbstractButton):
    """Reads "Following" while the view goes with the agent, else "Follow"; a click turns it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setCheckable(True)
        self.setChecked(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(22)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.toggled.connect(self._describe)
        theme.changed.connect(self.update)
        self._describe(checked=True)

    def sizeHint(self) -> QSize:
        return QSize(chip_width(self._theme, self.text(), "broadcast"), 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        tone = "live" if self.isChecked() else "plain"
        paint_chip(painter, self._theme, area, self.text(), tone, "broadcast")  # type: ignore[arg-type]
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.color("accent.focus"), 2))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 10, 10)

    def _describe(self, checked: bool) -> None:
        self.setText(self.tr("Following") if checked else self.tr("Follow"))
        self.setAccessibleName(self.text())
        self.setToolTip(
            self.tr("The view goes with what VibeDesk writes. Scroll or click to stay here.")
            if checked
            else self.tr("Go along with what VibeDesk writes")
        )
        self.updateGeometry()
        self.update()


class FileHeader(QFrame):
    """Breadcrumbs and the follow chip."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "crumbs")
        self.setFixedHeight(_HEIGHT)
        self.crumbs = Breadcrumbs(theme)
        self.chip = FollowChip(theme)
        self.chip.hide()
        self.setLayout(hbox((self.crumbs, 1), self.chip, gap=8, margins=(12, 0, 12, 0)))
