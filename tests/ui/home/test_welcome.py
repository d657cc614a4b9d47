from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QPlainTextEdit
from pytestqt.qtbot import QtBot

from tests.ui.gallery import project_cards, sample_cards
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.theme.theme import Theme


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> WelcomePage:
    made = WelcomePage(theme)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.set_samples(sample_cards())
    made.set_projects(project_cards(7))
    with qtbot.waitExposed(made):
        made.show()
    return made


def _field(page: WelcomePage) -> QPlainTextEdit:
    return page.findChild(QPlainTextEdit)


def _named(page: WelcomePage, start: str) -> list[QAbstractButton]:
    buttons = page.findChildren(QAbstractButton)
    return [b for b in buttons if b.isVisible() and b.accessibleName().startswith(start)]


def test_enter_hands_the_wish_over_and_shift_enter_makes_a_line(
    qtbot: QtBot, page: WelcomePage
) -> None:
    page.set_model("A model")
    qtbot.keyClicks(_field(page), "  A lane")
    qtbot.keyClick(_field(page), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(_field(page), "booking page")
    with qtbot.waitSignal(page.wish_submitted) as heard:
        qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    assert heard.args == ["A lane\nbooking page"]
    with qtbot.waitSignal(page.wish_submitted):
        qtbot.keyClick(_field(page), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_an_empty_wish_goes_nowhere(qtbot: QtBot, page: WelcomePage) -> None:
    page.set_model("A model")
    plan = _named(page, "Plan it")[0]
    assert not plan.isEnabled()
    assert plan.toolTip()
    with qtbot.assertNotEmitted(page.wish_submitted):
        qtbot.keyClicks(_field(page), "   ")
        qtbot.keyClick(_field(page), Qt.Key.Key_Return)


def test_without_a_model_the_page_offers_to_add_one(qtbot: QtBot, page: WelcomePage) -> None:
    page.set_wish("A lane booking page")
    assert _named(page, "Plan it") == []
    with qtbot.assertNotEmitted(page.wish_submitted):
        qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    with qtbot.waitSignal(page.add_model_requested):
        qtbot.mouseClick(_named(page, "Add a model first")[0], Qt.MouseButton.LeftButton)
    assert page.wish() == "A lane booking page"


def test_a_wish_is_taken_once(qtbot: QtBot, page: WelcomePage) -> None:
    page.set_model("A model")
    page.set_wish("A lane booking page")
    page.set_busy(busy=True)
    with qtbot.assertNotEmitted(page.wish_submitted):
        qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    assert not _named(page, "Plan it")[0].isEnabled()


def test_examples_say_that_they_are_recorded(qtbot: QtBot, page: WelcomePage) -> None:
    sample = _named(page, "Fernwood. ")[0]
    assert "Recorded example, no model is asked" in sample.accessibleName()
    with qtbot.waitSignal(page.sample_chosen) as heard:
        qtbot.keyClick(sample, Qt.Key.Key_Space)
    assert heard.args == ["Fernwood"]


def test_the_four_newest_projects_are_offered(qtbot: QtBot, page: WelcomePage) -> None:
    recent = _named(page, "Fernwood, ") + _named(page, "Ledgerly, ")
    assert len(recent) == 2
    assert _named(page, "Tally, ") == []
    with qtbot.waitSignal(page.project_chosen) as heard:
        qtbot.mouseClick(recent[0], Qt.MouseButton.LeftButton)
    assert heard.args == ["project-0"]
    with qtbot.waitSignal(page.all_projects_requested):
        qtbot.mouseClick(_named(page, "All 7 projects")[0], Qt.MouseButton.LeftButton)


def test_a_narrow_page_needs_no_sideways_scrolling(qtbot: QtBot, page: WelcomePage) -> None:
    page.resize(880, 540)
    for button in page.findChildren(QAbstractButton):
        if button.isVisible():
            right = button.mapTo(page, button.rect().topRight()).x()
            assert right <= page.width(), button.accessibleName()


def test_new_data_replaces_the_old(qtbot: QtBot, page: WelcomePage) -> None:
    page.set_projects([])
    page.set_samples([])
    qtbot.waitUntil(lambda: _named(page, "Fernwood") == [])
