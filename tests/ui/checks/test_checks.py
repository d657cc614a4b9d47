"""The list of acceptance checks: how they stand, where they failed, pictures, and running them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from tests.ui.mending_samples import CHECKS
from vibedesk.ui.checks.check import Check
from vibedesk.ui.checks.panel import ChecksPanel
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> ChecksPanel:
    made = ChecksPanel(theme)
    qtbot.addWidget(made)
    qtbot.addWidget(made.tools)
    made.resize(1000, 180)
    made.show()
    made.tools.show()
    qtbot.waitExposed(made)
    return made


def corrected(why: str) -> Check:
    return Check(replace(CHECKS[1], why=why))


def shown(panel: ChecksPanel) -> list[str]:
    model = panel.list.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def button(panel: ChecksPanel, name: str) -> QAbstractButton:
    return next(
        b
        for place in (panel, panel.tools)
        for b in place.findChildren(QAbstractButton)
        if b.accessibleName() == name
    )


def test_each_check_says_how_it_stands(panel: ChecksPanel) -> None:
    panel.set_checks([Check(check) for check in CHECKS])
    assert shown(panel) == [
        "Passes, A plant is added and found again, Phase 1, 5 Mar 2025, 00:07",
        "Fails, A watered plant leaves the list of today, Phase 2, 5 Mar 2025, 00:07",
        "Not run yet, The week strip shows seven days, Phase 2",
        "Not run yet, Another person sees their own plants only, Whole app",
    ]
    assert panel.summary == "1 of 4 pass"


def test_a_failed_check_is_at_hand_with_its_step_and_why_it_was_corrected(
    panel: ChecksPanel,
) -> None:
    panel.set_checks([Check(CHECKS[0]), corrected("The list is sorted by date.")])
    assert panel.detail.words().split("\n") == [
        "A watered plant leaves the list of today",
        "Corrected: The list is sorted by date.",
        "Open the page “/today”",
        "Click “Watered”",
        "Do not see “Monty” in main",
        "“Monty” is still there after 5 s.",
        "Reload",
    ]


def test_a_picture_is_fetched_once_and_opens_large(qtbot: QtBot, panel: ChecksPanel) -> None:
    with qtbot.waitSignal(panel.picture_wanted) as wanted:
        panel.set_checks([Check(CHECKS[1])])
    assert wanted.args == ["pic"]
    picture = QImage(20, 10, QImage.Format.Format_RGB32)
    picture.fill(QColor("#2F6B4F"))
    panel.set_picture("pic", picture)
    with qtbot.assertNotEmitted(panel.picture_wanted):
        panel.set_checks([corrected("other")])
    with qtbot.waitSignal(panel.picture_opened) as opened:
        button(panel, "The page at the end of the check. Show it large.").click()
    assert opened.args is not None
    assert opened.args[0] == CHECKS[1].name
    assert opened.args[1].pixelColor(5, 5) == QColor("#2F6B4F")


def test_a_picture_that_could_not_be_fetched_is_asked_for_again(
    qtbot: QtBot, panel: ChecksPanel
) -> None:
    with qtbot.waitSignal(panel.picture_wanted):
        panel.set_checks([Check(CHECKS[1]), Check(CHECKS[2])])
    panel.forget_picture("pic")
    with qtbot.waitSignal(panel.picture_wanted) as again:
        panel.list.choose(CHECKS[2].name)
        panel.list.choose(CHECKS[1].name)
    assert again.args == ["pic"]


def test_what_a_check_showed_before_the_last_change_is_not_counted(panel: ChecksPanel) -> None:
    before = [replace(check, outdated=True) for check in CHECKS[:2]]
    panel.set_checks([Check(check) for check in before])
    assert panel.summary == "2 checks, not run since the last change"
    assert shown(panel) == [
        "Passed before the last change, A plant is added and found again, Phase 1, 5 Mar 2025, 00:07",
        "Failed before the last change, A watered plant leaves the list of today, Phase 2, 5 Mar 2025, 00:07",
    ]
    panel.list.choose(CHECKS[1].name)
    assert panel.detail.state == "Failed before the last change"
    assert "“Monty” is still there after 5 s." in panel.detail.words()
    panel.set_checks([Check(before[0]), Check(CHECKS[1]), Check(CHECKS[2])])
    assert panel.summary == "0 of 3 pass, 1 ran before the last change"
    panel.set_checks([Check(before[0], running=True)])
    assert shown(panel)[0].startswith("Running, ")


@pytest.mark.parametrize("sentences", [(), ("Open the page “/today”",)])
def test_why_a_check_failed_is_said_where_its_step_has_no_sentence_of_its_own(
    panel: ChecksPanel, sentences: tuple[str, ...]
) -> None:
    panel.set_checks([Check(replace(CHECKS[1], sentences=sentences))])
    assert panel.detail.words().split("\n") == [
        CHECKS[1].name,
        *sentences,
        "Do not see “Monty” in main",
        "“Monty” is still there after 5 s.",
    ]


def test_one_click_only_chooses_also_where_the_desktop_activates_by_one(
    qtbot: QtBot, panel: ChecksPanel
) -> None:
    """KDE's style does."""
    panel.set_checks([Check(check) for check in CHECKS])
    panel.list.setStyleSheet("QListView { activate-on-singleclick: 1; }")
    place = panel.list.visualRect(panel.list.model().index(2, 0)).center()
    port, left = panel.list.viewport(), Qt.MouseButton.LeftButton
    with qtbot.assertNotEmitted(panel.run_requested):
        qtbot.mouseClick(port, left, pos=place)
    assert panel.list.current is not None
    assert panel.list.current.name == CHECKS[2].name
    with qtbot.waitSignal(panel.run_requested) as run:
        qtbot.mouseDClick(port, left, pos=place)
    assert run.args == [[CHECKS[2].name]]


def test_checks_are_run_all_or_one(qtbot: QtBot, panel: ChecksPanel) -> None:
    panel.set_checks([Check(check) for check in CHECKS])
    with qtbot.waitSignal(panel.run_requested) as run:
        button(panel, "Run checks").click()
    assert run.args == [[]]
    with qtbot.waitSignal(panel.run_requested) as run:
        button(panel, "Run this one").click()
    assert run.args == [[CHECKS[1].name]]
    panel.list.setFocus()
    with qtbot.waitSignal(panel.run_requested) as run:
        qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert run.args == [[CHECKS[1].name]]


def test_no_check_is_started_twice_or_while_a_run_is_under_way(
    qtbot: QtBot, panel: ChecksPanel
) -> None:
    panel.set_checks([Check(CHECKS[0], running=True), Check(CHECKS[1], running=True)])
    assert panel.summary == "Running the checks"
    with qtbot.assertNotEmitted(panel.run_requested):
        button(panel, "Running").click()
    panel.set_checks([Check(CHECKS[0])])
    panel.set_work("building")
    assert not button(panel, "Run checks").isEnabled()
    assert not button(panel, "Run this one").isEnabled()
    panel.set_work("security")
    assert not button(panel, "Run checks").isEnabled()
    assert button(panel, "Run checks").toolTip() == "The security review is under way."


def test_checks_that_were_asked_for_can_be_stopped_before_the_first_begins(
    qtbot: QtBot, panel: ChecksPanel
) -> None:
    """The app may first have to be installed and started."""
    panel.set_checks([Check(CHECKS[0])])
    assert not button(panel, "Stop").isVisible()
    panel.set_work("checks")
    assert panel.summary == "Preparing the checks"
    with qtbot.assertNotEmitted(panel.run_requested):
        button(panel, "Running").click()
        qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    with qtbot.waitSignal(panel.stop_requested):
        button(panel, "Stop").click()
    with qtbot.assertNotEmitted(panel.stop_requested):
        button(panel, "Stopping").click()
    panel.set_work("rest")
    assert not button(panel, "Stop").isVisible()
    assert button(panel, "Run checks").isEnabled()
    panel.set_work("checks")
    assert panel.summary == "Preparing the checks"
    panel.set_checks([Check(CHECKS[0], running=True)])
    panel.set_checks([Check(CHECKS[0])])
    panel.set_work("checks")
    assert "Preparing" not in panel.summary, "the last one has ended, the look not yet"
    panel.set_work("fixing")
    panel.set_checks([Check(CHECKS[0], running=True)])
    assert not button(panel, "Stop").isVisible(), "the run is stopped where runs are"
