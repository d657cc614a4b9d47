"""The review of one file by keys and buttons."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.review.test_diff_lines import diff
from vibedesk.ui.review.page import ReviewPage
from vibedesk.ui.review.regenerate_dialog import RegenerateDialog
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
OLD = "".join(f"line {n}\n" for n in range(60))
NEW = OLD.replace("line 3\n", "line three\n").replace("line 30\n", "").replace("line 50", "fifty")


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> ReviewPage:
    made = ReviewPage(theme, "src/lines.txt", "Write three as a word")
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=30_000)
    made.set_old(OLD)
    return made


def show_hunks(page: ReviewPage) -> None:
    page.show_hunks(diff(OLD, NEW, "src/lines.txt"))
    page.setFocus()


def words(widget: QWidget) -> str:
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if w.isVisible())


def button(page: QWidget, name: str) -> QAbstractButton:
    return next(
        b
        for b in page.findChildren(QAbstractButton)
        if b.isVisible() and b.accessibleName() == name
    )


def test_it_fills_while_it_is_written_and_can_be_cancelled(page: ReviewPage, qtbot: QtBot) -> None:
    assert "Asking for it" in words(page)
    page.add("line 0\nline 1\nnew")
    assert "Writing, 3 of about 61 lines" in words(page)
    sides = [line.side for line in page._writing._whole]
    page.add(" line\nline 3\n")
    qtbot.waitUntil(lambda: len(page._writing._lines._lines) == 4)
    assert sides == ["same", "same"]
    assert [line.side for line in page._writing._lines._lines] == ["same", "same", "added", "same"]
    with qtbot.waitSignal(page.drop_requested):
        button(page, "Cancel").click()


def test_each_change_is_decided_by_keys_and_the_chosen_ones_are_taken(
    page: ReviewPage, qtbot: QtBot
) -> None:
    show_hunks(page)
    view = page._view
    assert view.hasFocus()
    with qtbot.waitSignal(page.take_requested) as asked:
        button(page, "Take all 3 changes").click()
    assert asked.args == [[0, 1, 2]]
    QTest.keyClick(view, Qt.Key.Key_Y)
    assert (view.decisions, view.current) == (["take", "open", "open"], 1)
    assert view.accessibleDescription().startswith("Change 2 of 3, not decided\n")
    QTest.keyClick(view, Qt.Key.Key_N)
    QTest.keyClick(view, Qt.Key.Key_K)
    QTest.keyClick(view, Qt.Key.Key_K)
    assert view.current == 0
    QTest.keyClick(view, Qt.Key.Key_U)
    QTest.keyClick(view, Qt.Key.Key_J)
    QTest.keyClick(view, Qt.Key.Key_J)
    QTest.keyClick(view, Qt.Key.Key_Y)
    assert view.decisions == ["open", "leave", "take"]
    with qtbot.waitSignal(page.take_requested) as asked:
        button(page, "Take 1 of 3 changes").click()
    assert asked.args == [[2]]
    with qtbot.waitSignal(page.take_requested) as asked:
        button(page, "Take all").click()
    assert asked.args == [[0, 1, 2]]


def test_buttons_of_a_change_say_which_and_can_be_taken_back(page: ReviewPage) -> None:
    show_hunks(page)
    button(page, "Leave change 2 out").click()
    assert page._view.decisions == ["open", "leave", "open"]
    assert not button(page, "Take 0 of 3 changes").isEnabled()
    button(page, "Decide change 2 again").click()
    button(page, "Take change 2").click()
    assert page.chosen == [1]


def test_a_change_that_does_not_fit_is_marked_with_the_sentence(page: ReviewPage) -> None:
    show_hunks(page)
    for _ in range(3):
        QTest.keyClick(page._view, Qt.Key.Key_Y)
    page.set_busy(busy=True)
    assert not button(page, "Take 3 of 3 changes").isEnabled()
    page.show_conflict(1, "Change 2 does not fit any more.")
    assert "Change 2 does not fit any more." in words(page)
    assert page.chosen == [0, 2]
    assert page._view.current == 1
    button(page, "Decide change 2 again").click()
    assert "does not fit" not in words(page)


def test_all_are_taken_but_those_that_do_not_fit(page: ReviewPage, qtbot: QtBot) -> None:
    show_hunks(page)
    heard: list[list[int]] = []
    page.take_requested.connect(heard.append)
    button(page, "Take all 3 changes").click()
    page.show_conflict(1, "Change 2 does not fit any more.")
    assert page._view.decisions == ["take", "leave", "take"]
    assert page._view.current == 1
    assert not page._take_all.isVisible(), "all that fit are taken"
    button(page, "Take 2 of 3 changes").click()
    page.show_conflict(2, "Change 3 does not fit any more.")
    assert page._view.decisions == ["take", "leave", "leave"]
    button(page, "Decide change 1 again").click()
    button(page, "Take all").click()
    assert heard == [[0, 1, 2], [0, 2], [0]]
    button(page, "Decide change 2 again").click()
    button(page, "Take all").click()
    assert heard[-1] == [0, 1], "the person wants to try it again"
    page.show_conflict(1, "Change 2 does not fit any more.")
    button(page, "Take 1 of 3 changes").click()
    page.show_conflict(0, "Change 1 does not fit any more.")
    assert not button(page, "Take 0 of 3 changes").isEnabled()
    assert not page._take_all.isVisible()


def test_side_by_side_is_offered_where_there_is_room(page: ReviewPage) -> None:
    show_hunks(page)
    assert page._layout_choice.isVisible()
    tall = page._view._sections[0].lines.sizeHint().height()
    button(page, "Side by side").click()
    assert page._view._sections[0].lines.sizeHint().height() < tall
    page.resize(420, 600)
    assert not page._layout_choice.isVisible()
    assert page._view._sections[0].lines.sizeHint().height() == tall


@pytest.mark.parametrize("state", ["interrupted", "failed", "same"])
def test_what_cannot_be_reviewed_says_why(page: ReviewPage, qtbot: QtBot, state: str) -> None:
    if state == "interrupted":
        page.show_interrupted()
        assert "VibeDesk was closed while it wrote this file." in words(page)
    elif state == "failed":
        page.show_failed("The model is gone.", "Use another one.")
        assert "The model is gone. Use another one." in words(page)
    else:
        page.show_hunks([])
        assert "Nothing would change" in words(page)
        assert not page._again.isVisible()
    if state != "same":
        with qtbot.waitSignal(page.again_requested):
            button(page, "Ask again").click()
    with qtbot.waitSignal(page.drop_requested):
        button(page, "Drop").click()


def test_everything_that_can_be_focused_has_a_name(page: ReviewPage) -> None:
    show_hunks(page)
    nameless = [
        w
        for w in page.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.accessibleName()
    ]
    assert not nameless


def test_the_dialog_wants_words_and_offers_the_recent_ones(theme: Theme, qtbot: QtBot) -> None:
    dialog = RegenerateDialog(theme, None, "src/App.tsx", ["Make it blue"], "")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "Regenerate App.tsx" in words(dialog)
    start = button(dialog, "Regenerate")
    assert not start.isEnabled()
    QTest.keyClick(dialog._field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.isVisible()
    menu = dialog._recent.menu()
    assert menu is not None
    menu.actions()[0].trigger()
    assert start.isEnabled()
    QTest.keyClick(dialog._field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog._answer == "Make it blue"


def test_long_lines_are_reached_sideways_under_their_numbers(
    page: ReviewPage, qtbot: QtBot
) -> None:
    long = OLD.replace("line 3\n", f"line 3{' and more' * 30}\n")
    page.show_hunks(diff(OLD, long, "src/lines.txt"))
    bar = page._view._sideways
    qtbot.waitUntil(lambda: bar.isVisible() and bar.height() > 0)
    QTest.keyClick(page._view, Qt.Key.Key_Right)
    assert page._view._sections[0].lines._shift == bar.value() > 0
    page.resize(3000, 600)
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert page._view._sections[0].lines._shift == 0
    page.resize(500, 600)
    qtbot.waitUntil(lambda: bar.isVisible() and bar.height() > 0)
