"""Questions before the plan, and the budget: what the run waits for a person to say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.chat_gallery import QUESTIONS
from vibedesk.ui.chat.budget_strip import BudgetStrip
from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.question_card import QuestionCard
from vibedesk.ui.theme.theme import Theme

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> QuestionCard:
    made = QuestionCard(theme, QUESTIONS, is_open=True)
    qtbot.addWidget(made)
    made.resize(356, 420)
    made.show()
    qtbot.waitExposed(made)
    return made


def button(where: QWidget, name: str) -> QPushButton:
    return next(
        b for b in where.findChildren(QPushButton) if name in (b.text(), b.accessibleName())
    )


def fields(card: QuestionCard) -> list[QLineEdit]:
    return card.findChildren(QLineEdit)


def test_options_and_words_are_given_as_answers(qtbot: QtBot, card: QuestionCard) -> None:
    assert not button(card, "Answer").isEnabled()
    qtbot.mouseClick(button(card, "Anyone"), Qt.MouseButton.LeftButton)
    qtbot.keyClicks(fields(card)[2], "Sundays")
    with qtbot.waitSignal(card.answered) as answered:
        qtbot.mouseClick(button(card, "Answer"), Qt.MouseButton.LeftButton)
    assert answered.args == [["Anyone", "", "Sundays"]]


def test_one_option_at_most_and_words_win(qtbot: QtBot, card: QuestionCard) -> None:
    for option in ("Just me", "Anyone"):
        qtbot.mouseClick(button(card, option), Qt.MouseButton.LeftButton)
    assert not button(card, "Just me").isChecked()
    qtbot.keyClicks(fields(card)[0], "My club")
    assert not button(card, "Anyone").isChecked()
    with qtbot.waitSignal(card.answered) as answered:
        qtbot.keyClick(fields(card)[0], Qt.Key.Key_Return, CTRL)
    assert answered.args == [["My club", "", ""]]
    qtbot.mouseClick(button(card, "Just me"), Qt.MouseButton.LeftButton)
    assert fields(card)[0].text() == ""
    qtbot.mouseClick(button(card, "Just me"), Qt.MouseButton.LeftButton)
    assert not button(card, "Answer").isEnabled()


def test_all_are_skipped_at_once(qtbot: QtBot, card: QuestionCard) -> None:
    with qtbot.waitSignal(card.answered) as answered:
        qtbot.mouseClick(button(card, "Skip all"), Qt.MouseButton.LeftButton)
    assert answered.args == [None]


def test_the_keyboard_goes_from_question_to_question(qtbot: QtBot, card: QuestionCard) -> None:
    card.activateWindow()
    qtbot.waitUntil(card.isActiveWindow)
    card.focus()
    assert button(card, "Just me").hasFocus()
    qtbot.keyClick(button(card, "Just me"), Qt.Key.Key_Space)
    assert button(card, "Just me").isChecked()
    fields(card)[0].setFocus()
    qtbot.keyClick(fields(card)[0], Qt.Key.Key_Return)
    assert fields(card)[1].hasFocus()
    fields(card)[2].setFocus()
    with qtbot.waitSignal(card.answered) as answered:
        qtbot.keyClick(fields(card)[2], Qt.Key.Key_Return)
    assert answered.args == [["Just me", "", ""]]


def test_answered_questions_stay_as_text(qtbot: QtBot, theme: Theme) -> None:
    panel = ChatPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(384, 700)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show_questions(QUESTIONS, is_open=True)
    given = ("Anyone", "", "Sundays")
    panel.show_questions(
        [replace(q, answer=a) for q, a in zip(QUESTIONS, given, strict=True)], is_open=False
    )
    QApplication.processEvents()
    cards = panel.findChildren(QuestionCard)
    assert len(cards) == 1
    assert not cards[0].is_open
    assert cards[0].text().splitlines() == [
        "Who uses it? Anyone",
        "Where should the nudge appear? Skipped",
        "Which days should it leave out? Sundays",
    ]
    assert not [b for b in cards[0].findChildren(QPushButton) if b.isVisible()]


def test_questions_that_were_left_say_so(theme: Theme, qtbot: QtBot) -> None:
    panel = ChatPanel(theme)
    qtbot.addWidget(panel)
    panel.show_questions(QUESTIONS[:1], is_open=True)
    panel.close_questions()
    assert panel._questions is not None
    assert panel._questions.text() == "Who uses it? Not answered"


@pytest.fixture
def strip(qtbot: QtBot, theme: Theme) -> BudgetStrip:
    made = BudgetStrip(theme)
    qtbot.addWidget(made)
    made.resize(364, 90)
    return made


def test_a_reached_limit_is_raised_or_the_run_stopped(qtbot: QtBot, strip: BudgetStrip) -> None:
    strip.set_reached(1.02, 1.0)
    qtbot.waitExposed(strip)
    assert "$1.00 limit is reached" in strip.accessibleName()
    amount = strip.findChildren(QLineEdit)[0]
    assert amount.text() == "2.00"
    amount.selectAll()
    qtbot.keyClicks(amount, "1.0")
    assert not button(strip, "Raise").isEnabled()
    assert "Already spent: $1.02" in button(strip, "Raise").toolTip()
    with qtbot.assertNotEmitted(strip.raised):
        qtbot.keyClick(amount, Qt.Key.Key_Return)
    amount.selectAll()
    qtbot.keyClicks(amount, "3.5")
    with qtbot.waitSignal(strip.raised) as raised:
        qtbot.keyClick(amount, Qt.Key.Key_Return)
    assert raised.args == [3.5]
    with qtbot.waitSignal(strip.stop_requested):
        qtbot.mouseClick(button(strip, "Stop"), Qt.MouseButton.LeftButton)


def test_a_limit_may_be_written_with_a_comma(qtbot: QtBot, strip: BudgetStrip) -> None:
    strip.set_reached(1.02, 1.0)
    qtbot.waitExposed(strip)
    amount = strip.findChildren(QLineEdit)[0]
    amount.selectAll()
    qtbot.keyClicks(amount, "3,5")
    with qtbot.waitSignal(strip.raised) as raised:
        qtbot.keyClick(amount, Qt.Key.Key_Return)
    assert raised.args == [3.5]


def test_a_warning_can_be_closed_and_does_not_stop(qtbot: QtBot, strip: BudgetStrip) -> None:
    strip.warn(0.83, 1.0)
    qtbot.waitExposed(strip)
    assert strip.accessibleName().startswith("$0.83 of the $1.00 limit is spent.")
    assert not button(strip, "Stop").isVisible()
    close = strip.findChildren(QToolButton)[0]
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert not strip.isVisible()
