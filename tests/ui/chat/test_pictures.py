"""Pictures in what is written and in what was sent."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from tests.ui.chat_gallery import picture
from vibedesk.base.errors import InvalidInputError
from vibedesk.ui.chat.composer import Composer
from vibedesk.ui.chat.image_tray import ImageTray
from vibedesk.ui.chat.image_viewer import ImageViewer
from vibedesk.ui.chat.messages import Picture, UserMessage
from vibedesk.ui.chat.pictures import decoded, read_source, thumbnail
from vibedesk.ui.theme.theme import Theme

AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Composer:
    made = Composer(theme)
    qtbot.addWidget(made)
    made.resize(364, 220)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "poster.png"
    path.write_bytes(picture("poster.png", "#fff", "#000").file.data)
    return path


def field(composer: Composer) -> QPlainTextEdit:
    return next(f for f in composer.findChildren(QPlainTextEdit) if "Message" in f.accessibleName())


def chips(tray: ImageTray) -> list[QFrame]:
    QApplication.processEvents()
    found = [f for f in tray.findChildren(QFrame) if f.property("role") == "attached"]
    return [f for f in found if f.isVisible()]


def drop(target: QFrame, mime: QMimeData) -> None:
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(target, QDragEnterEvent(QPoint(9, 9), copy, mime, left, none))
    QApplication.sendEvent(target, QDropEvent(QPointF(9, 9), copy, mime, left, none))


def test_a_picture_from_the_clipboard_is_offered_and_words_are_pasted(
    qtbot: QtBot, composer: Composer
) -> None:
    drawn = QImage(20, 10, QImage.Format.Format_RGB32)
    drawn.fill(QColor("red"))
    QGuiApplication.clipboard().setImage(drawn)
    with qtbot.waitSignal(composer.tray.offered) as offered:
        field(composer).paste()
    file = read_source(offered.args[0][0])
    assert file.name == "Pasted picture.png"
    assert Image.open(io.BytesIO(file.data)).size == (20, 10)
    QGuiApplication.clipboard().setText("only words")
    with qtbot.assertNotEmitted(composer.tray.offered):
        field(composer).paste()
    assert composer.draft() == "only words"


def test_words_with_a_picture_beside_them_are_pasted_as_words(
    qtbot: QtBot, composer: Composer
) -> None:
    mime = QMimeData()
    mime.setText("Name\tAmount")
    mime.setImageData(QImage(5, 5, QImage.Format.Format_RGB32))
    with qtbot.assertNotEmitted(composer.tray.offered):
        field(composer).insertFromMimeData(mime)
    assert composer.draft() == "Name\tAmount"


def test_files_are_dropped_anywhere_on_the_box(
    qtbot: QtBot, composer: Composer, file: Path
) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    box = next(f for f in composer.findChildren(QFrame) if f.property("role") == "composer")
    with qtbot.waitSignal(composer.tray.offered) as offered:
        drop(box, mime)
    assert offered.args == [[file]]
    with qtbot.waitSignal(composer.tray.offered) as offered:
        drop(field(composer).viewport(), mime)  # type: ignore[arg-type]
    assert offered.args == [[file]]


def test_files_are_picked(qtbot: QtBot, composer: Composer, file: Path) -> None:
    attach = next(
        b for b in composer.findChildren(QToolButton) if b.accessibleName() == "Attach pictures"
    )
    qtbot.mouseClick(attach, Qt.MouseButton.LeftButton)
    dialog = composer.findChildren(QFileDialog)[0]
    with qtbot.waitSignal(composer.tray.offered) as offered:
        dialog.filesSelected.emit([str(file)])
    assert offered.args == [[file]]
    dialog.reject()


def test_pictures_go_with_the_message_once_they_are_read(qtbot: QtBot, composer: Composer) -> None:
    attached = picture("poster.jpg", "#fff", "#000")
    composer.set_draft("Like this")
    key = composer.tray.begin("poster.jpg")
    with qtbot.assertNotEmitted(composer.sent):
        composer.send()
    composer.tray.finish(key, attached)
    with qtbot.waitSignal(composer.sent) as sent:
        composer.send()
    assert sent.args == ["Like this", (attached,)]
    assert composer.tray.pictures == ()
    assert not composer.tray.isVisible()


def test_a_picture_goes_by_delete_and_by_its_cross(qtbot: QtBot, composer: Composer) -> None:
    for name in ("one.png", "two.png", "three.png"):
        composer.tray.add(picture(name, "#fff", "#000"))
    first, second, _ = chips(composer.tray)
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Delete)
    cross = second.findChildren(QToolButton)[0]
    assert cross.accessibleName() == "Remove two.png"
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert [p.file.name for p in composer.tray.pictures] == ["three.png"]
    last = chips(composer.tray)[0]
    with qtbot.waitSignal(composer.tray.opened) as opened:
        qtbot.keyClick(last, Qt.Key.Key_Return)
    assert opened.args[0].file.name == "three.png"


def test_a_refused_picture_leaves_its_reason_until_the_next_try(
    qtbot: QtBot, composer: Composer
) -> None:
    tray = composer.tray
    tray.refuse(tray.begin("notes.txt"), "notes.txt is no picture that can be used.")
    assert chips(tray) == []
    assert tray._refusal.isVisible()
    assert "notes.txt" in tray._refusal.text()
    tray.offer([Path("other.png")])
    assert not tray.isVisible()


def test_what_was_taken_away_while_it_was_read_stays_away(composer: Composer) -> None:
    key = composer.tray.begin("slow.png")
    composer.tray.clear()
    composer.tray.finish(key, picture("slow.png", "#fff", "#000"))
    assert composer.tray.pictures == ()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"gone\.png cannot be read"):
        read_source(tmp_path / "gone.png")


def test_a_photo_that_lies_on_its_side_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (600, 300), "blue").save(buffer, "JPEG", exif=exif)
    assert decoded(buffer.getvalue(), QSize(100, 200)).size() == QSize(100, 200)
    assert thumbnail(b"no picture").isNull()


def test_a_sent_message_shows_its_pictures_and_opens_them(qtbot: QtBot, theme: Theme) -> None:
    shown = [Picture("a1", "poster.jpg"), Picture("a2", "sketch.png")]
    message = UserMessage(theme, "Like this", AT, shown)
    qtbot.addWidget(message)
    message.resize(356, message.heightForWidth(356))
    message.show()
    qtbot.waitExposed(message)
    assert "poster.jpg, sketch.png" in message.accessibleName()
    buttons = message.findChildren(QToolButton)
    assert [b.accessibleName() for b in buttons] == ["Picture poster.jpg", "Picture sketch.png"]
    before = buttons[1].grab().toImage().pixelColor(22, 22)
    message.set_thumbnail("a2", picture("sketch.png", "#00ff00", "#00ff00").thumbnail)
    after = buttons[1].grab().toImage().pixelColor(22, 22)
    assert (before.name(), after.name())[1] == "#00ff00" != before.name()
    with qtbot.waitSignal(message.picture_opened) as opened:
        qtbot.keyClick(buttons[1], Qt.Key.Key_Space)
    assert opened.args == ["a2"]
    assert message.height() >= buttons[1].geometry().bottom() + 20


def test_many_pictures_take_more_lines(theme: Theme, qtbot: QtBot) -> None:
    few = UserMessage(theme, "x", AT, [Picture("1", "1.png")])
    many = UserMessage(theme, "x", AT, [Picture(str(n), f"{n}.png") for n in range(8)])
    for message in (few, many):
        qtbot.addWidget(message)
    assert many.heightForWidth(356) == few.heightForWidth(356) + 50


def test_the_large_picture_closes_with_escape(qtbot: QtBot, theme: Theme) -> None:
    large = picture("poster.jpg", "#fff", "#000").thumbnail
    viewer = ImageViewer(theme, None, "poster.jpg", large)
    viewer.open()
    qtbot.waitExposed(viewer)
    assert viewer.accessibleName() == "Picture poster.jpg"
    with qtbot.waitSignal(viewer.finished):
        qtbot.keyClick(viewer, Qt.Key.Key_Escape)
