"""Pictures that a person gives with a wish or a message: where they come from, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QCoreApplication,
    QIODevice,
    QMimeData,
    QSize,
    Qt,
    QUrl,
)
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage, QImageReader
from PySide6.QtWidgets import QFrame

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.project_options import ImageFile
from vibedesk.ui.widgets.labels import set_look

Source = Path | QImage
"""A file that was dropped, picked or copied, or a picture from the clipboard."""

PICTURE_TYPES = "*.png *.jpg *.jpeg *.webp *.gif"
_ENOUGH = 32 * 1024 * 1024
"""More than the engine takes: what is longer is refused by its size without reading all of it."""
_THUMBNAIL = 128


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture that can be sent, and what is shown of it (null where it cannot be shown)."""

    file: ImageFile
    thumbnail: QImage


def offers_pictures(mime: QMimeData) -> bool:
    """Tell whether something dragged or copied is files or a picture, and not words with a picture beside."""
    if any(url.isLocalFile() for url in mime.urls()):
        return True
    words = mime.text().strip() if mime.hasFormat("text/plain") else ""
    return mime.hasImage() and (not words or QUrl(words).scheme() in ("http", "https"))


def sources_in(mime: QMimeData) -> list[Source]:
    """Return the files or the picture of something for which `offers_pictures` holds."""
    files: list[Source] = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    if files:
        return files
    picture = QImage(mime.imageData())
    return [] if picture.isNull() else [picture]


def source_name(source: Source) -> str:
    if isinstance(source, Path):
        return source.name
    return QCoreApplication.translate("pictures", "Pasted picture.png")


def read_source(source: Source) -> ImageFile:
    """Return a picture's bytes; blocks.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    name = source_name(source)
    if isinstance(source, QImage):
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        # PySide declares the format as bytes and takes text only.
        source.save(buffer, "PNG")  # type: ignore[call-overload]
        return ImageFile(name, bytes(buffer.data().data()))
    try:
        with source.open("rb") as file:
            return ImageFile(name, file.read(_ENOUGH))
    except OSError as error:
        raise InvalidInputError(
            QCoreApplication.translate("pictures", "{0} cannot be read.").format(name),
            remedy=QCoreApplication.translate("pictures", "Choose a picture that you may open."),
            details={"file": name, "reason": str(error)},
        ) from error


def decoded(data: bytes, most: QSize) -> QImage:
    """Return a picture, upright and no larger than `most`; null where Qt cannot read it. Blocks."""
    held = QByteArray(data)
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid():
        if reader.transformation().value & 4:  # stored lying on its side
            most = most.transposed()
        if size.width() > most.width() or size.height() > most.height():
            reader.setScaledSize(size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def thumbnail(data: bytes) -> QImage:
    """Return a small copy; see `decoded`."""
    return decoded(data, QSize(_THUMBNAIL, _THUMBNAIL))


class DropFrame(QFrame):
    """A box of its look that takes pictures dropped anywhere on it."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setAcceptDrops(True)

    def take_sources(self, sources: list[Source]) -> None:
        """Take what was dropped."""
        raise NotImplementedError

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if offers_pictures(event.mimeData()):
            event.acceptProposedAction()
            set_look(self, "dropping", True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        set_look(self, "dropping", False)

    def dropEvent(self, event: QDropEvent) -> None:
        set_look(self, "dropping", False)
        event.acceptProposedAction()
        self.take_sources(sources_in(event.mimeData()))
