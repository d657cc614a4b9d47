"""The banner over the page when the app threw an error."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from vibedesk.ui.preview.error_banner import ErrorBanner
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.work import Work

pytestmark = pytest.mark.ui


@pytest.fixture
def banner(qtbot: QtBot, theme: Theme) -> ErrorBanner:
    made = ErrorBanner(theme)
    qtbot.addWidget(made)
    made.resize(380, 120)
    made.show_error("TypeError: no plant", "", "TypeError: no plant\n    at App.tsx:3", 2)
    qtbot.waitExposed(made)
    return made


def shown(banner: ErrorBanner) -> set[str]:
    buttons = banner.findChildren(QAbstractButton)
    return {b.accessibleName() for b in buttons if b.isVisible()}


def test_it_offers_to_fix_show_and_dismiss(qtbot: QtBot, banner: ErrorBanner) -> None:
    assert banner.accessibleName() == "The app threw an error, 2 times. TypeError: no plant"
    assert shown(banner) == {"Fix it", "Show", "Dismiss", "More about this error"}
    for name, signal in (
        ("Fix it", banner.fix_requested),
        ("Show", banner.show_requested),
        ("Dismiss", banner.dismissed),
    ):
        with qtbot.waitSignal(signal):
            next(
                b for b in banner.findChildren(QAbstractButton) if b.accessibleName() == name
            ).click()


def said(banner: ErrorBanner) -> list[str]:
    return [part.text() for part in banner.findChildren(QLabel) if part.isVisible()]


def test_while_it_is_mended_there_is_nothing_to_choose(banner: ErrorBanner) -> None:
    banner.set_work("fixing")
    assert shown(banner) == {"Show", "More about this error"}
    assert "Fixing it now. The preview reloads by itself." in said(banner)
    banner.set_work("rest")
    assert "Fix it" in shown(banner)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        ("building", "Waits for the review."),
        ("checks", "Waits for the checks."),
        ("security", "Waits for the security review."),
    ],
)
def test_while_something_else_is_done_it_is_not_called_mended(
    banner: ErrorBanner, work: Work, words: str
) -> None:
    banner.set_work(work)
    assert shown(banner) == {"Show", "Dismiss", "More about this error"}
    assert words in said(banner)
    banner.show_error("TypeError: no leaf", "", "", 1)
    assert words in said(banner), "the next error waits too"


def test_its_menu_switches_fixing_by_itself_and_copies(qtbot: QtBot, banner: ErrorBanner) -> None:
    automatic, _, copy = banner._more.menu().actions()
    with qtbot.assertNotEmitted(banner.automatic_changed):
        banner.set_automatic(automatic=True)
    assert banner.automatic
    with qtbot.waitSignal(banner.automatic_changed) as changed:
        automatic.trigger()
    assert changed.args == [False]
    copy.trigger()
    assert QGuiApplication.clipboard().text() == "TypeError: no plant\n    at App.tsx:3"
