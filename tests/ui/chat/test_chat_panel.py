from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui import chat_gallery
from vibedesk.ui.announcer import Announcer
from vibedesk.ui.chat.blueprint_card import BlueprintCard
from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.messages import AgentHeading, AgentMessage
from vibedesk.ui.chat.outcome_cards import ContinueCard
from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.waiting_strip import WaitingStrip
from vibedesk.ui.chat.writing_card import WritingCard
from vibedesk.ui.theme.theme import Theme

AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> ChatPanel:
    return show(qtbot, ChatPanel(theme))


def show(qtbot: QtBot, panel: ChatPanel, width: int = 384) -> ChatPanel:
    qtbot.addWidget(panel)
    panel.resize(width, 860)
    panel.show()
    qtbot.waitExposed(panel)
    QApplication.sendPostedEvents()
    return panel


def field(panel: ChatPanel) -> QPlainTextEdit:
    return next(
        f for f in panel.findChildren(QPlainTextEdit) if f.accessibleName() == "Message to VibeDesk"
    )


def send(qtbot: QtBot, panel: ChatPanel, text: str) -> None:
    panel.set_draft(text)
    qtbot.keyClick(field(panel), Qt.Key.Key_Return)


def press(qtbot: QtBot, parent: QWidget, name: str) -> None:
    button = next(
        b
        for kind in (QPushButton, QToolButton)
        for b in parent.findChildren(kind)
        if b.accessibleName() == name and b.isVisible()
    )
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(panel: ChatPanel, kind: type[QWidget]) -> list[QWidget]:
    QApplication.sendPostedEvents()
    return [w for w in panel.findChildren(kind) if w.isVisible()]


def test_a_message_is_sent_and_shown_only_when_told(qtbot: QtBot, panel: ChatPanel) -> None:
    with qtbot.waitSignal(panel.message_sent) as sent:
        send(qtbot, panel, "Add a search field")
    assert sent.args == ["Add a search field", ()]


def test_chunks_are_shown_once_a_frame(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.agent_message_start("a", AT)
    words = [f"word{number} " for number in range(200)]
    for word in words:
        panel.agent_message_chunk("a", word)
    assert shown(panel, AgentMessage) == []
    qtbot.waitUntil(lambda: bool(shown(panel, AgentMessage)), timeout=2000)
    message = shown(panel, AgentMessage)[0]
    assert isinstance(message, AgentMessage)
    assert message.text == "".join(words)


def test_the_final_text_wins_over_chunks(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.agent_message_chunk("a", "Hal")
    panel.agent_message_done("a", "Half and whole", AT)
    messages = shown(panel, AgentMessage)
    assert [m.text for m in messages if isinstance(m, AgentMessage)] == ["Half and whole"]
    qtbot.wait(60)
    assert [m.text for m in messages if isinstance(m, AgentMessage)] == ["Half and whole"]


def test_messages_close_together_share_a_heading(panel: ChatPanel) -> None:
    panel.agent_message_done("a", "one", AT)
    panel.agent_message_done("b", "two", AT + timedelta(seconds=30))
    assert len(shown(panel, AgentHeading)) == 1
    panel.agent_message_done("c", "three", AT + timedelta(seconds=200))
    assert len(shown(panel, AgentHeading)) == 2
    panel.add_user_message("u", "hm", AT + timedelta(seconds=201))
    panel.agent_message_done("d", "four", AT + timedelta(seconds=202))
    assert len(shown(panel, AgentHeading)) == 3


def test_the_same_message_twice_is_one(panel: ChatPanel) -> None:
    for _ in range(2):
        panel.add_user_message("u", "hi", AT)
        panel.agent_message_done("a", "hello", AT)
    assert len(panel._transcript.entries) == 3


def test_while_the_blueprint_waits_words_are_about_the_plan(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.set_blueprint(chat_gallery.BLUEPRINT, "awaiting_approval")
    assert field(panel).placeholderText() == "Ask about the plan, or change it in words."
    with qtbot.waitSignal(panel.message_sent) as sent:
        send(qtbot, panel, "Two views are enough")
    assert sent.args == ["Two views are enough", ()]


def test_blueprint_is_agreed_to_from_the_card(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.set_blueprint(chat_gallery.BLUEPRINT, "awaiting_approval")
    QApplication.sendPostedEvents()
    with qtbot.waitSignal(panel.approve_requested) as approved:
        press(qtbot, shown(panel, BlueprintCard)[0], "Start building")
    assert approved.args == [chat_gallery.BLUEPRINT]


def test_blueprint_page_opens_in_the_panel_and_leads_back(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.set_blueprint(chat_gallery.BLUEPRINT, "awaiting_approval")
    QApplication.sendPostedEvents()
    press(qtbot, shown(panel, BlueprintCard)[0], "Open blueprint")
    assert panel.blueprint_page.isVisible()
    press(qtbot, panel.blueprint_page, "Ask for changes")
    assert not panel.blueprint_page.isVisible()
    assert panel._composer.isVisible()


def test_what_is_put_into_the_composer_leaves_what_is_written_there(panel: ChatPanel) -> None:
    panel.set_draft("half a thou")
    panel._on_suggestion("Add a dark theme")
    assert panel.draft() == "Add a dark theme\nhalf a thou"


def test_a_blueprint_page_that_stands_elsewhere_opens_by_itself_and_goes(
    qtbot: QtBot, theme: Theme
) -> None:
    page = BlueprintPage(theme)
    qtbot.addWidget(page)
    panel = show(qtbot, ChatPanel(theme, page))
    shown: list[bool] = []
    panel.blueprint_shown.connect(shown.append)
    panel.set_blueprint({"title": "Fernwood"}, "streaming")
    assert shown == []
    panel.set_blueprint(chat_gallery.BLUEPRINT, "awaiting_approval")
    assert shown == [True]
    press(qtbot, panel, "Chat")
    assert shown == [True, False]
    assert panel._composer.isVisible()
    QApplication.sendPostedEvents()
    press(qtbot, shown_card(panel), "Edit")
    assert shown == [True, False, True]
    assert page.edited_blueprint() == chat_gallery.BLUEPRINT
    with qtbot.waitSignal(panel.approve_requested):
        page.approve()
    assert shown[-1] is False


def shown_card(panel: ChatPanel) -> QWidget:
    return shown(panel, BlueprintCard)[0]


def test_a_changed_blueprint_gets_a_card_of_its_own(panel: ChatPanel) -> None:
    panel.set_blueprint(chat_gallery.BLUEPRINT, "awaiting_approval")
    panel.add_user_message("u", "Two views are enough", AT)
    panel.set_blueprint({"title": "Fernwood"}, "streaming")
    panel.set_blueprint({**chat_gallery.BLUEPRINT, "views": []}, "awaiting_approval")
    cards = shown(panel, BlueprintCard)
    assert len(cards) == 2
    starts = [
        b
        for b in panel.findChildren(QPushButton)
        if b.accessibleName() == "Start building" and b.isVisible()
    ]
    assert len(starts) == 1


def test_files_come_and_go_in_one_card(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.begin_activity("writing", ["a.ts", "b.ts"])
    panel.file_started("a.ts")
    panel.file_progress("a.ts", 12)
    panel.file_finished("a.ts", 12, 0)
    panel.file_started("unplanned.ts")
    panel.file_finished("unplanned.ts", 3, 0)
    panel.file_finished("b.ts", 1, 1)
    panel.end_activity()
    card = shown(panel, WritingCard)[0]
    assert isinstance(card, WritingCard)
    assert "Wrote 3 files" in card.text()


def test_files_without_a_plan_get_a_card(panel: ChatPanel) -> None:
    panel.file_started("late.ts")
    assert len(shown(panel, WritingCard)) == 1


def test_error_ends_running_work_and_offers_retry(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.set_running(True)
    panel.file_started("a.ts")
    panel.show_error("The model did not answer.", "Your files are safe.")
    QApplication.sendPostedEvents()
    assert all(card.ended for card in panel.findChildren(WritingCard))
    with qtbot.waitSignal(panel.retry_requested):
        press(qtbot, panel, "Try again")


def test_error_actions_are_named_to_the_window(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.show_error("The key was rejected (401).", "", [("model_settings", "Replace key")])
    QApplication.sendPostedEvents()
    with qtbot.waitSignal(panel.action_requested) as action:
        press(qtbot, panel, "Replace key")
    assert action.args == ["model_settings"]


def test_continue_is_offered_once_and_goes_away(qtbot: QtBot, panel: ChatPanel) -> None:
    panel.show_continue("Continue at file 8?")
    panel.show_continue("Continue at file 8?")
    assert len(shown(panel, ContinueCard)) == 1
    with qtbot.waitSignal(panel.continue_requested):
        press(qtbot, panel, "Continue")
    assert shown(panel, ContinueCard) == []


def test_waiting_counts_down_and_ends(qtbot: QtBot, panel: ChatPanel) -> None:
    until = datetime.now(tz=UTC) + timedelta(seconds=42)
    panel.set_waiting("Anthropic asks us to slow down.", until)
    strip = panel.findChildren(WaitingStrip)[0]
    assert strip.isVisible()
    assert strip._left.text() in ("0:42", "0:41")
    panel.set_waiting("It needs your yes.", None, for_person=True)
    assert field(panel).placeholderText() == "Answer, or ask what this does."
    panel.set_waiting(None)
    assert not strip.isVisible()
    assert field(panel).placeholderText() == "What should change?"


def test_sample_is_named_in_header_and_field(panel: ChatPanel) -> None:
    panel.set_sample(True)
    assert panel._sample.isVisible()
    assert panel._sample.accessibleName() == "Recorded example. No model is asked."
    assert "Recorded example" in field(panel).placeholderText()


def test_links_to_files_open_files_and_addresses_go_to_the_window(
    qtbot: QtBot, panel: ChatPanel
) -> None:
    with qtbot.waitSignal(panel.file_clicked) as file:
        panel._feed.link_activated.emit("src/App.tsx#L10")
    assert file.args == ["src/App.tsx"]
    with qtbot.waitSignal(panel.link_clicked) as link:
        panel._feed.link_activated.emit("https://example.org")
    assert link.args == ["https://example.org"]


def test_clear_forgets_the_project(panel: ChatPanel) -> None:
    panel.set_blueprint(chat_gallery.BLUEPRINT, "awaiting_approval")
    panel.add_user_message("u", "hi", AT)
    panel.set_running(True)
    panel.clear()
    assert panel._transcript.entries == ()
    assert panel.draft() == ""
    assert field(panel).placeholderText() == "What should change?"
    panel.add_user_message("u", "hi", AT)
    assert len(panel._transcript.entries) == 1


def test_reading_above_shows_the_way_back_to_the_latest(qtbot: QtBot, panel: ChatPanel) -> None:
    for number in range(60):
        panel.agent_message_done(f"a{number}", "words " * 20, AT + timedelta(minutes=number))
    QApplication.sendPostedEvents()
    assert not panel._latest.isVisible()
    panel._transcript.verticalScrollBar().setValue(100)
    assert panel._latest.isVisible()
    qtbot.mouseClick(panel._latest, Qt.MouseButton.LeftButton)
    assert not panel._latest.isVisible()
    assert panel._transcript.follows


@pytest.mark.parametrize("state", list(chat_gallery.PANELS))
def test_everything_that_takes_focus_has_a_name(qtbot: QtBot, theme: Theme, state: str) -> None:
    panel = show(qtbot, chat_gallery.PANELS[state](theme))
    nameless = [
        widget
        for widget in panel.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.accessibleName()
    ]
    assert nameless == []


@pytest.mark.parametrize("state", list(chat_gallery.PANELS))
def test_tab_reaches_composer_and_every_button(qtbot: QtBot, theme: Theme, state: str) -> None:
    panel = show(qtbot, chat_gallery.PANELS[state](theme))
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.focus_composer()
    reached: set[int] = set()
    for _ in range(80):
        focused = QApplication.focusWidget()
        assert focused is not None
        reached.add(id(focused))
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    buttons = [
        b
        for kind in (QPushButton, QToolButton)
        for b in panel.findChildren(kind)
        if b.isVisible() and b.isEnabled() and b.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    on_screen = [b for b in buttons if not b.visibleRegion().isEmpty()]
    assert [b.accessibleName() for b in on_screen if id(b) not in reached] == []


@pytest.mark.parametrize("width", chat_gallery.WIDTHS)
def test_cards_fit_every_chat_width(qtbot: QtBot, theme: Theme, width: int) -> None:
    panel = show(qtbot, chat_gallery.PANELS["trouble"](theme), width)
    assert panel.width() == width
    view = panel._transcript.viewport()
    for entry in panel._transcript.entries:
        if entry.widget is not None and entry.widget.isVisible():
            assert entry.widget.geometry().right() <= view.width()
            assert entry.widget.minimumSizeHint().width() <= entry.widget.width()


def test_the_look_can_change_while_everything_is_shown(qtbot: QtBot, theme: Theme) -> None:
    panels = [show(qtbot, build(theme)) for build in chat_gallery.PANELS.values()]
    try:
        for scheme in ("light", "high_contrast", "dark"):
            theme.set_scheme(scheme)
            QApplication.processEvents()
            surface = theme.color("bg.surface").name()
            for panel in panels:
                assert panel.grab().toImage().pixelColor(6, 60).name() == surface
    finally:
        theme.set_scheme("dark")


def test_announcements_keep_their_distance_and_the_newest(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def heard(event: QAccessibleEvent) -> None:
        said.append(event.message())  # type: ignore[attr-defined]

    monkeypatch.setattr(QAccessible, "updateAccessibility", staticmethod(heard))
    speaker = QWidget()
    qtbot.addWidget(speaker)
    announcer = Announcer(speaker, interval_ms=150)
    for text in ("Phase 1", "Phase 2", "Phase 3"):
        announcer.announce(text)
    assert said == ["Phase 1"]
    qtbot.waitUntil(lambda: len(said) == 2, timeout=2000)
    assert said == ["Phase 1", "Phase 3"]
