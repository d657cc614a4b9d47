"""A file while the model writes it anew: what has come, new lines marked, following the end."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from vibedesk.ui.review.colouring import Colouring
from vibedesk.ui.review.diff_lines import DiffLine
from vibedesk.ui.review.line_painter import DiffLines
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import vbox

_FRAME_MS = 60
_TAB = 2


class WritingView(QWidget):
    """Text that grows. Lines that the old file does not have are marked as new."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._old: frozenset[str] = frozenset()
        self._colouring = Colouring("")
        self._path = ""
        self._whole: list[DiffLine] = []
        self._rest = ""
        self._following = True
        self._lines = DiffLines(theme)
        page = QFrame()
        page.setProperty("role", "diffpage")
        page.setLayout(vbox(self._lines, None, gap=0))
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(page)
        bar = self._area.verticalScrollBar()
        bar.rangeChanged.connect(self._keep_up)
        bar.actionTriggered.connect(self._on_scrolled)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._show)
        self.setLayout(vbox((self._area, 1), gap=0))
        self.setAccessibleName(self.tr("What is being written"))

    @property
    def line_count(self) -> int:
        return len(self._whole) + bool(self._rest)

    def begin(self, path: str) -> None:
        """Start over."""
        self._path = path
        self._colouring = Colouring(path)
        self._whole, self._rest, self._following = [], "", True
        self._timer.start()

    def set_old(self, text: str) -> None:
        """Say what the file was; what has come is marked anew."""
        self._old = frozenset(line.rstrip() for line in text.split("\n"))
        come = "\n".join([*(line.text for line in self._whole), self._rest])
        self.begin(self._path)
        self.add(come)

    def add(self, text: str) -> None:
        """Take in more of it; shown with the next frame."""
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._whole.append(self._line(line, len(self._whole) + 1, last=False))
        self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("bg.editor"))

    def _line(self, text: str, number: int, *, last: bool) -> DiffLine:
        text = text.rstrip("\r").expandtabs(_TAB)
        known = last or not text.strip() or text.rstrip() in self._old
        spans = self._colouring.line(text, last=last)
        return DiffLine("same" if known else "added", None, number, text, spans)

    def _show(self) -> None:
        rest = [self._line(self._rest, len(self._whole) + 1, last=True)] if self._rest else []
        self._lines.set_lines([*self._whole, *rest])

    def _keep_up(self, _least: int, most: int) -> None:
        if self._following:
            self._area.verticalScrollBar().setValue(most)

    def _on_scrolled(self) -> None:
        bar = self._area.verticalScrollBar()
        self._following = bar.sliderPosition() >= bar.maximum()
