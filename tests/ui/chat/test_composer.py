from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from vibedesk.ui.chat.composer import Composer
from vibedesk.ui.theme.theme import Theme


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Composer:
    made = Composer(theme)
    qtbot.addWidget(made)
    made.resize(364, 90)
    made.show()
    qtbot.waitExposed(made)
    return made


def field(composer: Composer) -> QPlainTextEdit:
    return next(
        f
        for f in composer.findChildren(QPlainTextEdit)
        if f.accessibleName() == "Message to VibeDesk"
    )


def button(composer: Composer, name: str) -> QToolButton:
    return next(b for b in composer.findChildren(QToolButton) if b.accessibleName() == name)


def test_enter_sends_and_empties(qtbot: QtBot, composer: Composer) -> None:
    qtbot.keyClicks(field(composer), "  Add a dark theme ")
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    assert sent.args == ["Add a dark theme", ()]
    assert composer.draft() == ""


def test_shift_enter_begins_a_line(qtbot: QtBot, composer: Composer) -> None:
    qtbot.keyClicks(field(composer), "a")
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(field(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field(composer), "b")
    assert composer.draft() == "a\nb"


def test_nothing_but_blanks_is_not_sent(qtbot: QtBot, composer: Composer) -> None:
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClicks(field(composer), "  ")
        qtbot.keyClick(field(composer), Qt.Key.Key_Return)


def test_up_in_the_empty_field_brings_the_last_message_back(
    qtbot: QtBot, composer: Composer
) -> None:
    qtbot.keyClicks(field(composer), "first")
    qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    qtbot.keyClick(field(composer), Qt.Key.Key_Up)
    assert composer.draft() == "first"
    qtbot.keyClick(field(composer), Qt.Key.Key_Up)
    assert composer.draft() == "first"


def test_grows_from_two_to_eight_lines_then_scrolls(qtbot: QtBot, composer: Composer) -> None:
    line = field(composer).fontMetrics().lineSpacing()
    two = field(composer).height()
    composer.set_draft("\n".join("abcdefgh"[:5]))
    assert field(composer).height() == two + 3 * line
    composer.set_draft("\n".join("x" * 20))
    assert field(composer).height() == two + 6 * line
    composer.set_draft("")
    assert field(composer).height() == two


def test_wrapped_lines_count_too(qtbot: QtBot, composer: Composer) -> None:
    two = field(composer).height()
    composer.set_draft("word " * 60)
    assert field(composer).height() > two


def test_disabled_send_says_why(composer: Composer) -> None:
    send = button(composer, "Send")
    assert not send.isEnabled()
    assert send.toolTip() == "Write something first."
    composer.set_draft("x")
    assert send.isEnabled()
    composer.set_blocked("Choose a model first.")
    assert not send.isEnabled()
    assert send.toolTip() == "Choose a model first."


def test_blocked_composer_keeps_the_text(qtbot: QtBot, composer: Composer) -> None:
    composer.set_blocked("Choose a model first.")
    composer.set_draft("keep me")
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    assert composer.draft() == "keep me"


def test_running_offers_stop_and_still_takes_messages(qtbot: QtBot, composer: Composer) -> None:
    composer.set_running(True)
    composer.set_mode("running")
    assert field(composer).placeholderText() == "Ask for a change. It joins the next phase."
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.mouseClick(button(composer, "Stop"), Qt.MouseButton.LeftButton)
    assert not button(composer, "Send").isVisible()
    composer.set_draft("more")
    assert button(composer, "Send").isVisible()
    composer.set_running(False)
    assert not button(composer, "Stop").isVisible()


def test_sample_is_named_in_the_field(composer: Composer) -> None:
    composer.set_sample(True)
    assert field(composer).placeholderText() == "Recorded example. No model is asked."
