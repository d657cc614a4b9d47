"""The pictures that go with what is being written: small, by name, to be looked at and taken away."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QSizePolicy, QWidget

from vibedesk.ui.chat.pictures import PICTURE_TYPES, Attached, Source
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.flow_layout import FlowLayout
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label
from vibedesk.ui.widgets.rings import Spinner

_TILE = 32
_WORDS = 82
_OPENS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_REMOVES = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


def paint_thumbnail(
    painter: QPainter, theme: Theme, rect: QRectF, picture: QImage, radius: float = 6
) -> None:
    """Paint the middle of a picture as a rounded square; a null one as a glyph."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    outline = QPainterPath()
    outline.addRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    painter.fillPath(outline, theme.color("bg.sunken"))
    if picture.isNull():
        glyph = theme.pixmap("image", "text.muted", 16, painter.device().devicePixelRatioF())
        painter.drawPixmap(round(rect.center().x() - 8), round(rect.center().y() - 8), glyph)
    else:
        side = min(picture.width(), picture.height())
        source = QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
        painter.save()
        painter.setClipPath(outline)
        painter.drawImage(rect, picture, source)
        painter.restore()
    painter.setPen(QPen(theme.color("border.default"), 1))
    painter.drawPath(outline)


class _Tile(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._picture = QImage()
        self._spinner = Spinner(theme, 16)
        self.setLayout(hbox(self._spinner, margins=(8, 8, 8, 8)))
        self.setFixedSize(_TILE, _TILE)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)

    def set_picture(self, picture: QImage) -> None:
        self._picture = picture
        self._spinner.hide()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._spinner.isVisibleTo(self):
            paint_thumbnail(QPainter(self), self._theme, QRectF(self.rect()), self._picture)


class _Chip(QFrame):
    """One picture. Enter and a click show it large, Delete and the cross take it away."""

    opened = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setProperty("role", "attached")
        self.picture: Attached | None = None
        self._name = name
        self._tile = _Tile(theme)
        words = ElidedLabel(name, mode=Qt.TextElideMode.ElideMiddle)
        words.setProperty("fs", "small")
        words.setProperty("strong", "mid")
        words.setMaximumWidth(_WORDS)
        self._size = label("", tone="muted", fs="caption")
        remove = icon_button(
            theme, "x", self.tr("Remove {name}").format(name=name), size=12, small=True
        )
        remove.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        remove.clicked.connect(self.removed)
        column = vbox(words, self._size, gap=0)
        self.setLayout(hbox(self._tile, column, remove, gap=6, margins=(4, 4, 2, 4)))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(self.tr("{name}. Delete removes it.").format(name=name))
        self._say(self.tr("being read"))

    def set_picture(self, picture: Attached) -> None:
        self.picture = picture
        self._tile.set_picture(picture.thumbnail)
        size = QLocale().formattedDataSize(
            len(picture.file.data), 1, QLocale.DataSizeFormat.DataSizeTraditionalFormat
        )
        self._size.setText(size)
        self._say(size)

    def sizeHint(self) -> QSize:
        return QSize(min(super().sizeHint().width(), _TILE + _WORDS + 46), _TILE + 10)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _OPENS:
            self.opened.emit()
        elif event.key() in _REMOVES:
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def _say(self, size: str) -> None:
        self._size.setText(size)
        self.setAccessibleName(self.tr("Picture {name}, {size}").format(name=self._name, size=size))
        self.setAccessibleDescription(self.tr("Enter shows it, Delete removes it"))


class ImageTray(QWidget):
    """Holds the pictures of one message. Whoever fills it reads and checks them.

    `begin` shows that a picture is being read; `finish` or `refuse` ends that.
    """

    changed = Signal()
    offered = Signal(list)
    """Of `Source`: pasted, dropped or picked, to be read and checked."""
    opened = Signal(object)
    """An `Attached` is to be shown large."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._chips: dict[int, _Chip] = {}
        self._next = 0
        self._flow = FlowLayout(6)
        chips = QWidget()
        chips.setLayout(self._flow)
        self._box = chips
        self._refusal = _refusal_label()
        glyph = IconLabel(theme, "warning-circle-fill", "danger.text", 14)
        self._refused = QWidget()
        self._refused.setLayout(hbox(vbox(2, glyph, None, gap=0), (self._refusal, 1), gap=6))
        self.setLayout(vbox(chips, self._refused, gap=6))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Pictures"))
        self._refresh()

    @property
    def pictures(self) -> tuple[Attached, ...]:
        """Those that are ready, in their order."""
        return tuple(c.picture for c in self._chips.values() if c.picture is not None)

    @property
    def reading(self) -> bool:
        """Whether one is not ready yet."""
        return any(chip.picture is None for chip in self._chips.values())

    def offer(self, sources: list[Source]) -> None:
        """Have these read, checked and added."""
        self._set_refusal("")
        if sources:
            self.offered.emit(sources)

    def choose(self) -> None:
        """Let the person pick files."""
        dialog = QFileDialog(self.window(), self.tr("Attach pictures"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(self.tr("Pictures") + f" ({PICTURE_TYPES})")
        dialog.filesSelected.connect(self._on_files_selected)
        dialog.open()

    def begin(self, name: str) -> int:
        """Show that a picture is being read; return the key to end that with."""
        key, self._next = self._next, self._next + 1
        self._add(key, name)
        return key

    def finish(self, key: int, picture: Attached) -> None:
        """Show a picture that can be sent; one that was taken away meanwhile is dropped."""
        if key in self._chips:
            self._chips[key].set_picture(picture)
            self._refresh()

    def refuse(self, key: int, reason: str) -> None:
        """Say why a picture cannot be sent."""
        self.remove(key)
        self._set_refusal(reason)

    def add(self, picture: Attached) -> None:
        """Show a picture that was checked before."""
        self.finish(self.begin(picture.file.name), picture)

    def remove(self, key: int) -> None:
        chip = self._chips.pop(key, None)
        if chip is None:
            return
        if chip.hasFocus():
            chip.focusPreviousChild()
        self._flow.removeWidget(chip)
        chip.hide()
        chip.deleteLater()
        self._refresh()

    def clear(self) -> None:
        for key in list(self._chips):
            self.remove(key)
        self._set_refusal("")

    def _add(self, key: int, name: str) -> None:
        chip = _Chip(self._theme, name)
        chip.opened.connect(lambda: self._on_opened(key))
        chip.removed.connect(lambda: self._on_removed(key))
        self._chips[key] = chip
        self._flow.addWidget(chip)
        self._refresh()

    def _on_opened(self, key: int) -> None:
        picture = self._chips[key].picture
        if picture is not None:
            self.opened.emit(picture)

    def _on_removed(self, key: int) -> None:
        self._set_refusal("")
        self.remove(key)

    def _on_files_selected(self, files: list[str]) -> None:
        self.offer([Path(file) for file in files])

    def _set_refusal(self, reason: str) -> None:
        self._refusal.setText(reason)
        self._refusal.setAccessibleName(reason)
        self._refresh()

    def _refresh(self) -> None:
        self._box.setVisible(bool(self._chips))
        self._refused.setVisible(bool(self._refusal.text()))
        self.setVisible(bool(self._chips) or bool(self._refusal.text()))
        self.updateGeometry()
        self.changed.emit()


def _refusal_label() -> QLabel:
    made = label("", tone="danger", fs="small")
    made.setWordWrap(True)
    return made
