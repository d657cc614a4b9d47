"""Words: labels in the tones and sizes of the type scale, chips and badges."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from vibedesk.ui.theme.fonts import code_family
from vibedesk.ui.theme.icons import pixel_ratio
from vibedesk.ui.theme.theme import Theme

Tone = Literal[
    "primary", "secondary", "muted", "accent", "live", "success", "warning", "danger", "info"
]
FontSize = Literal["caption", "small", "body", "lead", "title_sm", "title", "display"]


def label(
    text: str = "",
    *,
    tone: Tone = "primary",
    fs: FontSize = "body",
    strong: bool | Literal["mid"] = False,
    mono: bool = False,
) -> QLabel:
    """Return a plain-text label; `strong` is weight 600, "mid" is 500."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("tone", tone)
    made.setProperty("fs", fs)
    made.setProperty("strong", "mid" if strong == "mid" else str(strong).lower())
    if mono:
        code_family()
        made.setProperty("mono", True)
    return made


def set_tone(widget: QWidget, tone: str) -> None:
    """Change the `tone` of a label or chip that is already shown."""
    set_look(widget, "tone", tone)


def set_look(widget: QWidget, name: str, value: object) -> None:
    """Set a property the style sheet looks at, and have it looked at again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def key_hint(text: str) -> QLabel:
    """Return a shortcut in its little frame."""
    made = QLabel(text)
    made.setProperty("kbd", True)
    return made


class IconLabel(QWidget):
    """An icon that stands by itself and follows theme and screen; purely decorative."""

    def __init__(self, theme: Theme, icon: str, tone: str = "text.muted", size: int = 16) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._tone = tone
        self._size = size
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)

    def set_icon(self, icon: str, tone: str | None = None) -> None:
        self._icon = icon
        self._tone = tone or self._tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        pixmap = self._theme.pixmap(self._icon, self._tone, self._size, ratio)
        QPainter(self).drawPixmap(0, 0, pixmap)


class ElidedLabel(QLabel):
    """A one-line label that shortens its text to the room it has; the whole text is its tool tip."""

    def __init__(
        self,
        text: str = "",
        *,
        tone: Tone = "primary",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._mode = mode
        self.setText(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        self.setToolTip(self.text() if shown != self.text() else "")
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), Qt.AlignmentFlag.AlignVCenter, shown)


ChipTone = Literal["plain", "accent", "live", "success", "warning", "danger", "info"]


class StatusChip(QWidget):
    """A pill with a glyph and a word; meaning is never in the colour alone."""

    def __init__(self, theme: Theme, text: str, tone: ChipTone = "plain", icon: str = "") -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)
        self.set_status(text, tone, icon)

    def set_status(self, text: str, tone: ChipTone, icon: str = "") -> None:
        self._text, self._tone, self._icon = text, tone, icon
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(chip_width(self._theme, self._text, self._icon), 22)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_chip(painter, self._theme, QRectF(self.rect()), self._text, self._tone, self._icon)


def chip_width(theme: Theme, text: str, icon: str = "") -> int:
    """Return the width `paint_chip` needs."""
    font = theme.font("small")
    font.setWeight(font.Weight.Medium)
    return round(QFontMetricsF(font).horizontalAdvance(text)) + 18 + (17 if icon else 0)


def paint_chip(
    painter: QPainter, theme: Theme, rect: QRectF, text: str, tone: ChipTone, icon: str = ""
) -> None:
    """Paint a status chip, in a widget or in a delegate."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    plain = tone == "plain"
    painter.setBrush(theme.color("bg.hover" if plain else f"{tone}.subtle"))
    painter.setPen(QPen(theme.color("border.subtle" if plain else f"{tone}.border"), 1))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 10.5, 10.5)
    ink = "text.secondary" if plain else f"{tone}.text"
    left = rect.left() + 9
    if icon:
        pixmap = theme.pixmap(icon, ink, 12, pixel_ratio(painter))
        painter.drawPixmap(round(left), round(rect.center().y() - 6), pixmap)
        left += 17
    font = theme.font("small")
    font.setWeight(font.Weight.Medium)
    painter.setFont(font)
    painter.setPen(theme.color(ink))
    words = QRectF(left, rect.top(), rect.right() - left, rect.height())
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)
    painter.restore()


def badge(text: str, tone: Literal["plain", "live", "warning", "danger"] = "plain") -> QLabel:
    """Return a small number in a pill."""
    made = QLabel(text)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setProperty("badge", tone)
    return made
