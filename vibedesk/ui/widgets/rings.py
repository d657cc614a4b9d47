"""Progress in the round: ring, spinner, and the dot that says that something runs."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QRectF, Qt, QTimer, QVariantAnimation
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.theme.tokens import tokens

_SPINNER_SHARE = 0.28
_FRAME_MS = 33


def paint_ring(
    painter: QPainter,
    theme: Theme,
    rect: QRectF,
    share: float,
    tone: str = "live.solid",
    *,
    width: float = 2.4,
    start: float = 90.0,
) -> None:
    """Paint a ring filled clockwise by `share` (0 to 1), beginning at `start` degrees."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inset = width / 2 + 0.5
    circle = rect.adjusted(inset, inset, -inset, -inset)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("bg.pressed"), width))
    painter.drawEllipse(circle)
    pen = QPen(theme.color(tone), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawArc(circle, round(start * 16), round(-min(1.0, max(0.0, share)) * 360 * 16))
    painter.restore()


def spinner_angle(elapsed_ms: int) -> float:
    """Return where a spinner's arc begins, for delegates that paint one."""
    turn: int = tokens()["motion"]["spinner_ms"]
    return 90.0 - 360.0 * (elapsed_ms % turn) / turn


class Ring(QWidget):
    """A share of a whole as a ring; the words that say it stand beside it or in its description."""

    def __init__(self, theme: Theme, size: int = 16, tone: str = "live.solid") -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self._share = 0.0
        self.setFixedSize(size, size)
        theme.changed.connect(self.update)

    def set_share(self, share: float, tone: str | None = None) -> None:
        self._share = share
        self._tone = tone or self._tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        width = 2.4 if self.width() >= 18 else 2.0
        paint_ring(
            QPainter(self), self._theme, QRectF(self.rect()), self._share, self._tone, width=width
        )


class Spinner(QWidget):
    """Turns while it is visible; the word beside it says what is going on."""

    def __init__(self, theme: Theme, size: int = 14, tone: str = "live.solid") -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self._elapsed = 0
        self.setFixedSize(size, size)
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._turn)
        theme.changed.connect(self.update)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_ring(
            QPainter(self),
            self._theme,
            QRectF(self.rect()),
            _SPINNER_SHARE,
            self._tone,
            width=2.0,
            start=spinner_angle(self._elapsed),
        )

    def _turn(self) -> None:
        self._elapsed += _FRAME_MS
        self.update()


class Dot(QWidget):
    """A small round mark in a tone; it breathes while `set_running(True)`."""

    def __init__(self, theme: Theme, tone: str = "live.solid", size: int = 8) -> None:
        super().__init__()
        self._theme = theme
        self._tone = tone
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)
        self._opacity = 1.0
        self._breath = QVariantAnimation(self)
        self._breath.setDuration(tokens()["motion"]["pulse_ms"])
        self._breath.setLoopCount(-1)
        self._breath.setEasingCurve(QEasingCurve.Type.InOutSine)
        self._breath.setKeyValueAt(0.0, 1.0)
        self._breath.setKeyValueAt(0.5, 0.45)
        self._breath.setKeyValueAt(1.0, 1.0)
        self._breath.valueChanged.connect(self._on_breath)

    def set_tone(self, tone: str) -> None:
        self._tone = tone
        self.update()

    def set_running(self, running: bool) -> None:
        if running:
            self._breath.start()
        else:
            self._breath.stop()
            self._on_breath(1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(self._opacity)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(self._tone))
        painter.drawEllipse(QRectF(self.rect()))

    def _on_breath(self, opacity: float) -> None:
        self._opacity = opacity
        self.update()
