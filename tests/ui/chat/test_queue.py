"""The queue above the composer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from vibedesk.engine.views import WishView
from vibedesk.ui.chat.composer import Composer
from vibedesk.ui.theme.theme import Theme

OPEN = WishView("w1", "Add a dark theme", "open", None)
PLANNED = WishView("w2", "Show the week", "planned", 3)
DONE = WishView("w3", "Rounder cards", "done", 2)


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Composer:
    made = Composer(theme)
    qtbot.addWidget(made)
    made.resize(364, 400)
    made.show()
    qtbot.waitExposed(made)
    return made


def rows(composer: Composer) -> list[QFrame]:
    found = [f for f in composer.findChildren(QFrame) if f.property("role") == "queued"]
    return sorted((f for f in found if f.isVisible()), key=lambda row: row.y())


def press(qtbot: QtBot, row: QFrame, name: str) -> None:
    button = next(b for b in row.findChildren(QToolButton) if b.accessibleName() == name)
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def writing(row: QFrame) -> QPlainTextEdit:
    return row.findChildren(QPlainTextEdit)[0]


def test_wishes_stand_in_their_order_with_how_they_stand(composer: Composer) -> None:
    composer.set_queue([DONE, PLANNED, OPEN])
    QApplication.sendPostedEvents()
    assert [row.accessibleName() for row in rows(composer)] == [
        "done: Rounder cards",
        "in phase 3: Show the week",
        "queued: Add a dark theme",
    ]
    for row, changeable in zip(rows(composer), (False, False, True), strict=True):
        assert any(b.isVisible() for b in row.findChildren(QToolButton)) is changeable
    composer.set_queue([])
    assert rows(composer) == []


def test_an_open_wish_is_changed_in_place(qtbot: QtBot, composer: Composer) -> None:
    composer.set_queue([OPEN])
    row = rows(composer)[0]
    press(qtbot, row, "Edit queued message")
    assert writing(row).toPlainText() == "Add a dark theme"
    qtbot.keyClicks(writing(row), ", and a light one")
    with qtbot.waitSignal(composer.wish_edited) as edited:
        qtbot.keyClick(writing(row), Qt.Key.Key_Return)
    assert edited.args == ["w1", "Add a dark theme, and a light one"]
    assert not writing(row).isVisible()


def test_escape_keeps_the_wish_as_it_was(qtbot: QtBot, composer: Composer) -> None:
    composer.set_queue([OPEN])
    row = rows(composer)[0]
    press(qtbot, row, "Edit queued message")
    with qtbot.assertNotEmitted(composer.wish_edited):
        qtbot.keyClicks(writing(row), " not this")
        qtbot.keyClick(writing(row), Qt.Key.Key_Escape)
    assert not writing(row).isVisible()
    press(qtbot, row, "Edit queued message")
    assert writing(row).toPlainText() == "Add a dark theme"


def test_a_wish_is_taken_back(qtbot: QtBot, composer: Composer) -> None:
    composer.set_queue([PLANNED, OPEN])
    with qtbot.waitSignal(composer.wish_removed) as removed:
        press(qtbot, rows(composer)[1], "Remove queued message")
    assert removed.args == ["w1"]


def test_others_may_change_while_one_is_edited(qtbot: QtBot, composer: Composer) -> None:
    composer.set_queue([OPEN])
    press(qtbot, rows(composer)[0], "Edit queued message")
    qtbot.keyClicks(writing(rows(composer)[0]), "!")
    composer.set_queue([OPEN, PLANNED])
    assert writing(rows(composer)[0]).toPlainText() == "Add a dark theme!"


def test_words_are_not_lost_when_the_wish_is_taken_up_meanwhile(
    qtbot: QtBot, composer: Composer
) -> None:
    composer.set_queue([OPEN])
    press(qtbot, rows(composer)[0], "Edit queued message")
    qtbot.keyClicks(writing(rows(composer)[0]), " in blue")
    composer.set_queue([WishView("w1", OPEN.text, "planned", 2)])
    assert composer.draft() == "Add a dark theme in blue"
    assert rows(composer)[0].accessibleName() == "in phase 2: Add a dark theme"


def test_many_wishes_scroll(qtbot: QtBot, composer: Composer) -> None:
    composer.set_queue([WishView(str(n), f"Wish {n}", "open", None) for n in range(12)])
    assert composer._queue.height() <= 150
    assert composer._queue.verticalScrollBar().maximum() > 0 or qtbot.waitUntil(
        lambda: composer._queue.verticalScrollBar().maximum() > 0
    )
