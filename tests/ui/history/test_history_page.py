"""The history page by itself: finding versions, looking at one, asking before it is brought back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.engine.views import FileDiffView, VersionDiffView, VersionView
from vibedesk.ui.history.page import HistoryPage
from vibedesk.ui.history.versions import Version, versions_of
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.times import when_words

pytestmark = pytest.mark.ui
NOW = datetime.now().astimezone().replace(hour=12, minute=0)
ROWS = (
    ("Reminders", "agent", 6),
    ("Fixed: dates", "fix", 1),
    ("Mine", "you", 2),
    ("Basics", "agent", 9),
)
VIEWS = [
    VersionView(f"{n:040x}", label, author, (NOW - timedelta(minutes=n)).isoformat(), files)
    for n, (label, author, files) in enumerate(ROWS, 1)
]
FILES = (
    FileDiffView("src/App.tsx", "changed", 1, 1, "@@ -1,2 +1,2 @@\n-old\n+new\n same"),
    FileDiffView("logo.png", "added", 0, 0, "", binary=True),
)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> HistoryPage:
    made = HistoryPage(theme)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=30_000)
    made.set_versions(versions_of(VIEWS))
    return made


def shown(page: HistoryPage) -> list[str]:
    return [version.name for version in page._list.rows.items]


def words(widget: QWidget) -> str:
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if w.isVisible())


def button(page: QWidget, name: str) -> QAbstractButton:
    return next(
        b
        for b in page.findChildren(QAbstractButton)
        if b.isVisible() and b.accessibleName() == name
    )


def test_versions_are_numbered_from_the_oldest_and_say_everything(page: HistoryPage) -> None:
    assert shown(page) == ["v4", "v3", "v2", "v1"]
    index = page._list.rows.index(1, 0)
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert (
        spoken == f"Fixed: dates, v3, Automatic fix, {when_words(versions_of(VIEWS)[1].at)}, 1 file"
    )
    assert "current" in page._list.rows.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert page.chosen is not None
    assert page.chosen.label == "Reminders"


def test_versions_are_found_by_words_and_by_who_made_them(page: HistoryPage) -> None:
    QTest.keyClicks(page._find, "fixed d")
    assert shown(page) == ["v3"]
    page._find.setText("v1")
    assert shown(page) == ["v1"]
    page._find.clear()
    page._author.setCurrentIndex(page._author.findData("you"))
    assert shown(page) == ["v2"]
    page._find.setText("nothing")
    assert "Nothing found." in words(page)
    assert not page.detail._restore.isVisible()


def test_a_version_shows_its_files_and_each_difference(page: HistoryPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.detail.diff_wanted) as wanted:
        page.choose(VIEWS[2].commit)
    assert wanted.args == [VIEWS[2].commit, "parent"]
    page.detail.set_diff(VersionDiffView(VIEWS[1].commit, "parent", ()))
    assert not page.detail._file_head.isVisible(), "an answer that came too late is not shown"
    page.detail.set_diff(VersionDiffView(VIEWS[2].commit, "parent", FILES))
    assert "src/App.tsx" in words(page)
    assert "2 files, +1 -1" in page.detail._facts.text()
    assert page.detail._view._sections[0].lines._lines[0].side == "removed"
    QTest.keyClick(page.detail._files, Qt.Key.Key_Down)
    assert "This is no text file." in words(page)
    with qtbot.waitSignal(page.detail.diff_wanted) as wanted:
        button(page, "Since then").click()
    assert wanted.args == [VIEWS[2].commit, "now"]
    page.detail.set_diff(VersionDiffView(VIEWS[2].commit, "now", ()))
    assert "The files are as they were in this version." in words(page)


def test_restoring_asks_in_place_and_tells_that_nothing_is_lost(
    page: HistoryPage, qtbot: QtBot
) -> None:
    page.choose(VIEWS[2].commit)
    page.detail.set_diff(VersionDiffView(VIEWS[2].commit, "parent", FILES))
    told: list[str] = []
    page.detail.restore_requested.connect(told.append)
    page.detail._restore.click()
    assert "This adds version 5 with the files of v2. Nothing is lost." in words(page)
    assert page.detail._strip._refuse.hasFocus()
    QTest.keyClick(page.detail._strip._refuse, Qt.Key.Key_Escape)
    assert not page.detail._strip.isVisible()
    assert not told
    page.detail._restore.click()
    page.detail._strip._agree.click()
    assert told == [VIEWS[2].commit]
    page.detail._restore_file.click()
    assert "Bring App.tsx back as it was in v2?" in words(page)
    with qtbot.waitSignal(page.detail.restore_file_requested) as asked:
        page.detail._strip._agree.click()
    assert asked.args == [VIEWS[2].commit, "src/App.tsx"]


def test_nothing_is_restored_while_a_run_is_under_way(page: HistoryPage) -> None:
    page.choose(VIEWS[2].commit)
    page.detail.set_diff(VersionDiffView(VIEWS[2].commit, "parent", FILES))
    page.detail._restore.click()
    page.detail.set_running(running=True)
    assert "VibeDesk is building." in words(page)
    for item in (page.detail._restore, page.detail._restore_file):
        assert not item.isEnabled()
        assert "Stop the run first" in item.toolTip()
    page.detail.set_running(running=False)
    assert page.detail._restore.isEnabled()
    assert not page.detail._strip.isVisible()
    page.choose(VIEWS[0].commit)
    assert not page.detail._restore.isEnabled(), "the newest is what there is"


def test_a_version_is_kept_with_a_name(page: HistoryPage, qtbot: QtBot) -> None:
    page._keep.click()
    QTest.keyClick(page._name, Qt.Key.Key_Escape)
    assert not page._name.isVisible()
    page.start_keeping()
    assert page._name.hasFocus()
    QTest.keyClicks(page._name, " before the new look ")
    with qtbot.waitSignal(page.keep_requested) as kept:
        QTest.keyClick(page._name, Qt.Key.Key_Return)
    assert kept.args == ["before the new look"]


def test_an_empty_history_says_what_will_be_there(page: HistoryPage) -> None:
    page.clear()
    assert "VibeDesk saves one after every phase" in words(page)


def test_everything_that_can_be_focused_has_a_name(page: HistoryPage) -> None:
    page.detail.set_diff(VersionDiffView(VIEWS[0].commit, "parent", FILES))
    nameless = [
        w
        for w in page.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.accessibleName()
    ]
    assert not nameless


@pytest.mark.parametrize(
    ("days", "said"), [(0, "12:00"), (1, "yesterday 12:00"), (40, NOW - timedelta(days=40))]
)
def test_when_is_said_as_people_do(days: int, said: object) -> None:
    text = when_words(NOW - timedelta(days=days), NOW)
    assert text == said if isinstance(said, str) else text.endswith(", 12:00")


def test_versions_know_their_words() -> None:
    version: Version = versions_of(VIEWS)[0]
    assert version.matches("REMIND", "")
    assert version.matches("remind v4", "agent")
    assert not version.matches("remind", "you")
