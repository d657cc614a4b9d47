"""One picture as large as the window allows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import ElidedLabel

LARGEST = QSize(2400, 1600)
_SHARE = 0.86
_LEAST = QSize(320, 240)


class _Picture(QWidget):
    def __init__(self, picture: QImage) -> None:
        super().__init__()
        self._picture = picture

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        painter.drawImage(QRectF(left, top, size.width(), size.height()), self._picture)


class ImageViewer(QDialog):
    """Shows a picture over its window; Escape, the cross and a click on it close it."""

    def __init__(self, theme: Theme, parent: QWidget | None, name: str, picture: QImage) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(name)
        self.setAccessibleName(self.tr("Picture {name}").format(name=name))
        words = ElidedLabel(name, mode=Qt.TextElideMode.ElideMiddle)
        words.setProperty("strong", "mid")
        close = icon_button(theme, "x", self.tr("Close"), shortcut=self.tr("Esc"))
        close.clicked.connect(self.reject)
        shown = _Picture(picture)
        self.setLayout(vbox(hbox((words, 1), close), (shown, 1), gap=10, margins=(16, 10, 16, 16)))
        room = parent.window().size() * _SHARE if parent is not None else LARGEST / 2
        wanted = picture.size() / picture.devicePixelRatio()
        if wanted.width() > room.width() - 32 or wanted.height() > room.height() - 64:
            wanted.scale(room - QSize(32, 64), Qt.AspectRatioMode.KeepAspectRatio)
        self.resize((wanted + QSize(32, 64)).expandedTo(_LEAST))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.reject()
