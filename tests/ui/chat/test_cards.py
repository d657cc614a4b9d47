from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from vibedesk.ui.chat.activity_card import ActivityCard, ActivityGroup, seconds_text
from vibedesk.ui.chat.card_header import CardHeader
from vibedesk.ui.chat.outcome_cards import CompleteCard, ErrorCard
from vibedesk.ui.chat.writing_card import WritingCard, _FileRows, elided_path
from vibedesk.ui.theme.theme import Theme

PLANNED = [f"src/file{number}.ts" for number in range(10)]


@pytest.fixture
def writing(qtbot: QtBot, theme: Theme) -> WritingCard:
    card = WritingCard(theme, PLANNED)
    qtbot.addWidget(card)
    card.resize(356, card.sizeHint().height())
    card.show()
    qtbot.waitExposed(card)
    return card


def rows(card: WritingCard) -> _FileRows:
    return card.findChildren(_FileRows)[0]


def test_writing_shows_last_three_running_and_queued(writing: WritingCard) -> None:
    for path in PLANNED[:7]:
        writing.start_file(path)
        writing.finish_file(path, 10, 2)
    writing.start_file(PLANNED[7])
    writing.set_lines(PLANNED[7], 29)
    header = writing.findChildren(CardHeader)[0].accessibleName()
    assert "Writing 10 files" in header
    assert "7 done" in header
    said = rows(writing).accessibleDescription()
    assert said.split(". ") == [
        "src/file4.ts, finished",
        "src/file5.ts, finished",
        "src/file6.ts, finished",
        "and 4 more finished",
        "src/file7.ts, being written",
        "src/file8.ts, queued",
        "src/file9.ts, queued",
    ]


def test_finished_writing_folds_to_one_line(qtbot: QtBot, writing: WritingCard) -> None:
    for path in PLANNED:
        writing.finish_file(path, 10, 2)
    writing.end(complete=True)
    assert not rows(writing).isVisible()
    header = writing.findChildren(CardHeader)[0]
    assert "Wrote 10 files" in header.accessibleName()
    qtbot.keyClick(header, Qt.Key.Key_Space)
    assert rows(writing).isVisible()


def test_stopped_writing_names_what_is_done(writing: WritingCard) -> None:
    writing.finish_file(PLANNED[0], 10, 0)
    writing.start_file(PLANNED[1])
    writing.end(complete=False)
    assert "Wrote 1 of 10 files" in writing.text()
    assert "src/file1.ts, stopped" in rows(writing).accessibleDescription()


def test_clicking_and_enter_open_files_but_not_queued_ones(
    qtbot: QtBot, writing: WritingCard
) -> None:
    writing.start_file(PLANNED[0])
    writing.finish_file(PLANNED[0], 1, 0)
    with qtbot.waitSignal(writing.file_clicked) as clicked:
        qtbot.mouseClick(rows(writing), Qt.MouseButton.LeftButton, pos=QPoint(60, 15))
    assert clicked.args == [PLANNED[0]]
    with qtbot.assertNotEmitted(writing.file_clicked):
        qtbot.mouseClick(rows(writing), Qt.MouseButton.LeftButton, pos=QPoint(60, 40))
    with qtbot.waitSignal(writing.file_clicked):
        qtbot.keyClick(rows(writing), Qt.Key.Key_Return)


def test_paths_lose_folders_first(theme: Theme, qtbot: QtBot) -> None:
    metrics = QFontMetricsF(theme.font("code_sm"))
    wide = metrics.horizontalAdvance("components/WateringSchedule.tsx")
    assert elided_path("src/components/WateringSchedule.tsx", metrics, wide + 1) == (
        "components/WateringSchedule.tsx"
    )
    narrow = elided_path("src/components/WateringSchedule.tsx", metrics, wide / 3)
    assert narrow.startswith("W")
    assert "…" in narrow


def test_activities_fold_but_never_running_or_failed_ones(qtbot: QtBot, theme: Theme) -> None:
    group = ActivityGroup(theme)
    qtbot.addWidget(group)
    group.show()
    for number in range(5):
        group.set_activity(
            f"c{number}", "command", f"step {number}", seconds=2.5, state="done", detail=""
        )
    group.set_activity("bad", "install", "x", seconds=1, state="failed", detail="npm error")
    group.set_activity("run", "server", "y", seconds=None, state="running", detail="")
    visible = [card for card in group.findChildren(ActivityCard) if card.isVisible()]
    assert [card.state for card in visible] == ["failed", "running"]
    fold = group.findChildren(CardHeader)[0]
    assert "Ran 5 steps, 12 s" in fold.accessibleName()
    qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    assert sum(card.isVisible() for card in group.findChildren(ActivityCard)) == 7


def test_an_activity_is_brought_up_to_date(qtbot: QtBot, theme: Theme) -> None:
    group = ActivityGroup(theme)
    qtbot.addWidget(group)
    group.set_activity("i", "install", "hono", seconds=None, state="running", detail="")
    assert "Installing, hono, running" in group.text()
    group.set_activity("i", "install", "hono", seconds=4.13, state="done", detail="ok")
    assert "Installed, hono, 4.1 s, done" in group.text()
    assert len(group.findChildren(ActivityCard)) == 1


def test_failed_activity_opens_its_output(qtbot: QtBot, theme: Theme) -> None:
    card = ActivityCard(theme, "install")
    qtbot.addWidget(card)
    card.show()
    card.set_activity("x", seconds=1, state="failed", detail="npm error code ETARGET")
    output = card.findChildren(QPlainTextEdit)[0]
    assert output.isVisible()
    assert output.toPlainText() == "npm error code ETARGET"


def test_durations_read_like_speech() -> None:
    assert [seconds_text(value) for value in (0.24, 4.13, 14.2, 125)] == [
        "0.2 s",
        "4.1 s",
        "14 s",
        "2:05 min",
    ]


def test_error_card_names_everything_and_acts(qtbot: QtBot, theme: Theme) -> None:
    card = ErrorCard(
        theme, "The key was rejected (401).", "Nothing is lost.", [("k", "Replace key")]
    )
    qtbot.addWidget(card)
    card.show()
    assert card.accessibleName() == "The key was rejected (401).. Nothing is lost."
    with qtbot.waitSignal(card.action_triggered) as action:
        qtbot.mouseClick(card.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert action.args == ["k"]


def test_error_card_tells_what_was_tried_and_what_it_cost(qtbot: QtBot, theme: Theme) -> None:
    told = {"tried": "Added the type\nAsked a stronger model", "cost": "0.2134", "log": "TS2322"}
    card = ErrorCard(theme, "It came back three times.", "", [("retry", "Try again")], told)
    qtbot.addWidget(card)
    card.show()
    lines = card.text().splitlines()
    assert lines[1:] == ["Added the type", "Asked a stronger model", "Cost of the tries: $0.21"]
    log = card.findChildren(QPlainTextEdit)[0]
    assert not log.isVisible()
    qtbot.mouseClick(card.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert log.isVisible()
    assert log.toPlainText() == "TS2322"


def test_error_card_has_links_that_stay_when_it_is_decided(qtbot: QtBot, theme: Theme) -> None:
    told = {
        "cost": "$0.21, 53.2 k tokens",
        "links": [("debugging:s1", "Show how it was debugged")],
    }
    card = ErrorCard(theme, "I could not mend this.", "", [("skip", "Skip it")], told)
    qtbot.addWidget(card)
    card.show()
    assert card.text().splitlines()[-1] == "Cost of the tries: $0.21, 53.2 k tokens"
    card.retire()
    link = next(b for b in card.findChildren(QPushButton) if b.isVisible())
    with qtbot.waitSignal(card.action_triggered) as action:
        qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    assert action.args == ["debugging:s1"]


def test_summary_needs_only_a_title(qtbot: QtBot, theme: Theme) -> None:
    card = CompleteCard(theme, {"title": "Fernwood is ready"})
    qtbot.addWidget(card)
    assert card.text() == "Fernwood is ready"
