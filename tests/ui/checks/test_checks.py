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
        "Passes, A plant is added and found again, Phase 1, 00:07",
        "Fails, A watered plant leaves the list of today, Phase 2, 00:07",
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
    panel.set_can_run(can_run=False)
    assert not button(panel, "Run checks").isEnabled()
    assert not button(panel, "Run this one").isEnabled()


def test_checks_that_run_by_themselves_can_be_stopped(qtbot: QtBot, panel: ChecksPanel) -> None:
    panel.set_checks([Check(CHECKS[0])])
    assert not button(panel, "Stop").isVisible()
    panel.set_checks([Check(CHECKS[0], running=True)])
    with qtbot.waitSignal(panel.stop_requested):
        button(panel, "Stop").click()
    with qtbot.assertNotEmitted(panel.stop_requested):
        button(panel, "Stopping").click()
    panel.set_checks([Check(CHECKS[0])])
    panel.set_can_run(can_run=False)
    panel.set_checks([Check(CHECKS[0], running=True)])
    assert not button(panel, "Stop").isVisible(), "the run is stopped where runs are"
