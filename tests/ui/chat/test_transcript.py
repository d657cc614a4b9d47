from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.transcript import Entry, Transcript
from vibedesk.ui.theme.theme import Theme

AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)
MANY = 1000
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


def test_a_thousand_messages_stay_smooth(qtbot: QtBot, theme: Theme) -> None:
    """Loading, a streamed frame, a resize and a scroll step each cost what is visible."""
    panel = ChatPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(384, 860)
    panel.show()
    qtbot.waitExposed(panel)
    started = perf_counter()
    for number in range(MANY // 2):
        at = AT + timedelta(minutes=2 * number)
        panel.add_user_message(f"u{number}", f"Make it better, please, time {number}", at)
        panel.agent_message_done(f"a{number}", PARAGRAPH, at)
    QApplication.sendPostedEvents()
    load = perf_counter() - started

    frames = []
    for number in range(30):
        started = perf_counter()
        panel.agent_message_chunk("live", PARAGRAPH[:80] + ("\n\n" if number % 10 == 9 else " "))
        panel._feed._show_pending()
        QApplication.sendPostedEvents()
        panel.repaint()
        frames.append(perf_counter() - started)

    started = perf_counter()
    panel.resize(420, 860)
    QApplication.sendPostedEvents()
    resize = perf_counter() - started

    bar = panel._transcript.verticalScrollBar()
    scrolls = []
    for _ in range(40):
        started = perf_counter()
        bar.setValue(bar.value() - 120)
        scrolls.append(perf_counter() - started)

    frames.sort()
    scrolls.sort()
    print(
        f"load {load * 1000:.0f} ms, frame {frames[15] * 1000:.1f} ms, worst {frames[-1] * 1000:.1f} ms, "
        f"resize {resize * 1000:.1f} ms, scroll {scrolls[20] * 1000:.1f} ms"
    )
    # Generous: a shared two-core machine. Without virtual rows a resize alone costs seconds.
    assert load < 3.0
    assert frames[15] < 0.050
    assert resize < 0.300
    assert scrolls[20] < 0.050
