from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu, QPlainTextEdit
from pytestqt.qtbot import QtBot

from tests.ui.chat_gallery import picture
from tests.ui.gallery import project_cards, sample_cards, starters
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
    assert heard.args == ["A lane\nbooking page", ()]
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


def test_where_apps_run_is_a_quiet_card_that_goes(qtbot: QtBot, page: WelcomePage) -> None:
    assert _named(page, "Choose…") == []
    page.offer_place("Looking what is here…")
    page.offer_place("Docker answers. Each app gets a container that it cannot leave.")
    qtbot.waitUntil(lambda: len(_named(page, "Choose…")) == 1)
    with qtbot.waitSignal(page.place_requested):
        qtbot.mouseClick(_named(page, "Choose…")[0], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.place_dismissed):
        qtbot.mouseClick(_named(page, "Not now")[0], Qt.MouseButton.LeftButton)
    page.offer_place(None)
    page.offer_place(None)
    assert _named(page, "Choose…") == []


def test_pictures_and_the_estimate_go_with_the_wish(qtbot: QtBot, page: WelcomePage) -> None:
    page.set_model("A model")
    with qtbot.waitSignal(page.wish_changed) as changed:
        page.set_wish("A lane booking page")
    assert changed.args == ["A lane booking page"]
    page.set_estimate("About $0.40–1.20", "From your last 5 finished projects.")
    shown = next(w for w in page.findChildren(QLabel) if w.text() == "About $0.40–1.20")
    assert shown.isVisible()
    assert shown.toolTip() == "From your last 5 finished projects."
    attached = picture("poster.jpg", "#fff", "#000")
    key = page.tray.begin("poster.jpg")
    assert not _named(page, "Plan it")[0].isEnabled()
    page.tray.finish(key, attached)
    with qtbot.waitSignal(page.wish_submitted) as heard:
        qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    assert heard.args == ["A lane booking page", (attached,)]


def _menu(page: WelcomePage) -> QMenu:
    """Open the choice of starters as a person does."""
    [button] = _named(page, "Starter, ")
    button.click()
    return next(menu for menu in page.findChildren(QMenu) if menu.isVisible())


def _entry(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def test_a_starter_is_chosen_for_one_wish(qtbot: QtBot, page: WelcomePage) -> None:
    page.set_model("A model")
    assert _named(page, "Starter, chosen by the plan")
    page.starters.set_starters(starters())
    menu = _menu(page)
    names = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert names == [
        "Chosen by the plan", "React with Vite", "Python with FastAPI", "Our own",
        "Add your own…", "Remove one of yours",
    ]  # fmt: skip
    _entry(menu, "Our own").trigger()
    menu.close()
    assert page.starters.chosen == "our-own"
    assert _named(page, "Starter, Our own")
    page.starters.set_starters(starters()[:2])
    assert page.starters.chosen == "", "it is gone"
    page.starters.choose("react-vite")
    page.starters.choose("")
    assert _named(page, "Starter, chosen by the plan")


def test_only_ones_own_starters_can_be_removed(qtbot: QtBot, page: WelcomePage) -> None:
    page.starters.set_starters(starters()[:2])
    menu = _menu(page)
    assert "Remove one of yours" not in [action.text() for action in menu.actions()]
    with qtbot.waitSignal(page.starters.add_requested):
        _entry(menu, "Add your own…").trigger()
    menu.close()
    page.starters.set_starters(starters())
    menu = _menu(page)
    own = _entry(menu, "Remove one of yours").menu()
    assert isinstance(own, QMenu)
    assert [action.text() for action in own.actions()] == ["Our own"]
    with qtbot.waitSignal(page.starters.remove_requested) as heard:
        own.actions()[0].trigger()
    menu.close()
    assert heard.args == ["our-own"]
