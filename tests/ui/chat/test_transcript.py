from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.transcript import Entry, Transcript
from vibedesk.ui.theme.theme import Theme

AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)
MANY = 1000
PATIENCE_MS = 20_000
PARAGRAPH = "Done. The week strip sits under the **greeting**, and `today` is filled in green. " * 3


def row(text: str, height: int) -> QLabel:
    made = QLabel(text)
    made.setFixedHeight(height)
    return made


@pytest.fixture
def transcript(qtbot: QtBot, theme: Theme) -> Transcript:
    made = Transcript(theme)
    qtbot.addWidget(made)
    made.resize(384, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def fill(transcript: Transcript, count: int, height: int = 40) -> list[Entry]:
    entries = [
        transcript.add(
            lambda n=n: row(f"row {n}", height), text=lambda n=n: f"row {n}", estimate=90
        )
        for n in range(count)
    ]
    QApplication.sendPostedEvents()
    return entries


def top_of(entry: Entry) -> int:
    assert entry.widget is not None
    return entry.widget.y()


def test_short_conversations_stand_at_the_bottom(transcript: Transcript) -> None:
    entries = fill(transcript, 2)
    last = entries[-1].widget
    assert last is not None
    assert 0 < transcript.viewport().height() - last.geometry().bottom() < 20


def test_rows_far_away_are_not_made(transcript: Transcript) -> None:
    entries = fill(transcript, MANY)
    assert sum(1 for entry in entries if entry.widget is not None) < 60
    assert entries[-1].widget is not None


def test_the_end_stays_in_sight_while_the_last_row_grows(transcript: Transcript) -> None:
    entries = fill(transcript, 60)
    last = entries[-1].widget
    assert last is not None
    last.setFixedHeight(300)
    QApplication.sendPostedEvents()
    assert last.geometry().bottom() < transcript.viewport().height()
    bar = transcript.verticalScrollBar()
    assert bar.value() == bar.maximum()


def test_what_is_read_does_not_move_when_rows_come_or_grow(transcript: Transcript) -> None:
    entries = fill(transcript, 200)
    transcript.verticalScrollBar().setValue(2000)
    read = next(
        e for e in entries if e.widget is not None and e.widget.isVisible() and top_of(e) > 0
    )
    before = top_of(read)
    fill(transcript, 50)
    assert top_of(read) == before
    assert not transcript.follows


def test_scrolling_up_through_estimates_never_jumps(transcript: Transcript) -> None:
    """Rows above are 40 high and were estimated 90: what is in sight must not jump while they appear."""
    entries = fill(transcript, 300)
    bar = transcript.verticalScrollBar()
    while bar.value() > 0:
        seen = {
            id(e): top_of(e)
            for e in entries
            if e.widget is not None and e.widget.isVisible() and 0 <= top_of(e) < 500
        }
        step = min(37, bar.value())
        bar.setValue(bar.value() - step)
        moved = {
            top_of(e) - seen[id(e)]
            for e in entries
            if id(e) in seen and e.widget is not None and e.widget.isVisible()
        }
        assert moved == {step} or bar.value() == 0
    assert entries[0].widget is not None


def test_rows_stand_below_one_another_whatever_was_estimated(transcript: Transcript) -> None:
    """Rows are 40 high and were estimated 90; some grow afterwards."""
    entries = fill(transcript, 200)
    transcript.verticalScrollBar().setValue(3000)
    for entry in entries[::3]:
        if entry.widget is not None:
            entry.widget.setFixedHeight(75)
    QApplication.sendPostedEvents()
    shown = sorted(
        (e.widget.geometry() for e in entries if e.widget is not None and e.widget.isVisible()),
        key=lambda area: area.top(),
    )
    assert {75, 40} <= {area.height() for area in shown}
    assert {below.top() - above.bottom() - 1 for above, below in pairwise(shown)} == {14}


def test_a_row_higher_than_the_chat_is_in_sight_in_its_middle(transcript: Transcript) -> None:
    fill(transcript, 20)
    [high] = fill(transcript, 1, height=5000)
    fill(transcript, 20)
    transcript.scroll_to(high)
    transcript.verticalScrollBar().setValue(transcript.verticalScrollBar().value() + 2500)
    assert high.widget is not None
    assert high.widget.visibleRegion().boundingRect().height() == transcript.viewport().height()


def test_arrows_move_between_rows_and_copy(qtbot: QtBot, transcript: Transcript) -> None:
    fill(transcript, 30)
    transcript.setFocus()
    for _ in range(3):
        qtbot.keyClick(transcript, Qt.Key.Key_Up)
    assert transcript.accessibleDescription() == "row 26"
    qtbot.keyClick(transcript, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "row 26"
    for _ in range(40):
        qtbot.keyClick(transcript, Qt.Key.Key_Up)
    assert transcript.accessibleDescription() == "row 0"
    assert transcript.verticalScrollBar().value() < 20


def test_removed_rows_leave_no_widget(transcript: Transcript) -> None:
    entries = fill(transcript, 5)
    transcript.remove(entries[2])
    QApplication.sendPostedEvents()
    visible = [w for w in transcript.viewport().findChildren(QWidget) if w.isVisible()]
    assert len(visible) == 4


class Watcher(QObject):
    """Notes which of the rows are laid out anew, and which are painted."""

    def __init__(self, rows: list[QWidget]) -> None:
        super().__init__()
        self.laid_out: set[QWidget] = set()
        self.painted: set[QWidget] = set()
        for watched in rows:
            watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWidget) and event.type() == QEvent.Type.Resize:
            self.laid_out.add(watched)
        elif isinstance(watched, QWidget) and event.type() == QEvent.Type.Paint:
            self.painted.add(watched)
        return False


@pytest.fixture
def long_chat(qtbot: QtBot, theme: Theme) -> ChatPanel:
    """A conversation of a thousand messages, of which the last hundred were read."""
    panel = ChatPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(384, 860)
    panel.show()
    qtbot.waitExposed(panel)
    for number in range(MANY // 2):
        at = AT + timedelta(minutes=2 * number)
        panel.add_user_message(f"u{number}", f"Make it better, please, time {number}", at)
        panel.agent_message_done(f"a{number}", PARAGRAPH, at)
    QApplication.sendPostedEvents()
    entries = panel._transcript.entries
    bar = panel._transcript.verticalScrollBar()
    while entries[-150].widget is None:
        bar.setValue(bar.value() - 400)
    panel._transcript.scroll_to_end()
    QApplication.sendPostedEvents()
    panel.repaint()
    return panel


def made_rows(panel: ChatPanel) -> list[QWidget]:
    return [entry.widget for entry in panel._transcript.entries if entry.widget is not None]


def last_text(panel: ChatPanel) -> str:
    return panel._transcript.entries[-1].text()


def rows_in_sight(panel: ChatPanel) -> set[QWidget]:
    return {each for each in made_rows(panel) if not each.visibleRegion().isEmpty()}


def test_a_long_conversation_makes_only_the_rows_that_were_near(long_chat: ChatPanel) -> None:
    assert len(long_chat._transcript.entries) == MANY * 3 // 2
    made = made_rows(long_chat)
    assert 150 <= len(made) < 200
    assert sum(1 for each in made if each.isVisible()) < 60


def test_a_streamed_frame_lays_out_the_row_that_grows_and_paints_what_is_in_sight(
    qtbot: QtBot, long_chat: ChatPanel
) -> None:
    long_chat.agent_message_chunk("live", "I look at the week strip first. ")
    qtbot.waitUntil(lambda: last_text(long_chat).startswith("I look"), timeout=PATIENCE_MS)
    live = long_chat._transcript.entries[-1]
    qtbot.waitUntil(lambda: live.widget in rows_in_sight(long_chat), timeout=PATIENCE_MS)
    before = rows_in_sight(long_chat)
    watcher = Watcher(made := made_rows(long_chat))
    long_chat.agent_message_chunk("live", PARAGRAPH)
    qtbot.waitUntil(lambda: live.widget in watcher.laid_out & watcher.painted, timeout=PATIENCE_MS)
    assert watcher.laid_out == {live.widget}
    assert watcher.painted <= before | rows_in_sight(long_chat)
    assert made_rows(long_chat) == made


def test_a_resize_measures_and_lays_out_only_the_rows_that_are_near(long_chat: ChatPanel) -> None:
    before = {each.width() for each in made_rows(long_chat)}
    long_chat.resize(420, 860)
    QApplication.sendPostedEvents()
    [width] = {each.width() for each in rows_in_sight(long_chat)}
    assert width not in before
    measured = [e for e in long_chat._transcript.entries if e.measured_width == width]
    laid_out = [each for each in made_rows(long_chat) if each.width() == width]
    assert len(laid_out) <= len(measured) < 60


def test_a_scroll_step_makes_and_measures_only_the_rows_that_come_near(
    long_chat: ChatPanel,
) -> None:
    transcript = long_chat._transcript
    bar = transcript.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    watcher = Watcher(made := made_rows(long_chat))
    bar.setValue(bar.value() - 120)
    assert len(made_rows(long_chat)) <= len(made) + 8
    assert watcher.laid_out == set()
