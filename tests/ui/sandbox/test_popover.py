"""What the popover shows of a sandbox and what it asks for."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.sandbox_gallery import DOCKER, LOCAL, MIB, STORED, TITLES, minute
from vibedesk.engine.views import SandboxView
from vibedesk.ui.sandbox.popover import SandboxPopover
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.shadow import SHADOW_ROOM

ABSENT = SandboxView("", "", "absent", "", "auto", "registries")


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """A window with a field and, at its lower edge, the button that the popover belongs to."""
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 800)
    column = QVBoxLayout(made)
    column.addWidget(QPushButton("elsewhere"))
    column.addStretch(1)
    column.addWidget(QPushButton("App is running"))
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=30_000)
    return made


@pytest.fixture
def anchor(window: QWidget) -> QPushButton:
    return next(b for b in window.findChildren(QPushButton) if b.text() == "App is running")


@pytest.fixture
def popover(qtbot: QtBot, theme: Theme, window: QWidget, anchor: QPushButton) -> SandboxPopover:
    made = SandboxPopover(theme, window)
    made.show_state("running", "")
    made.show_view(DOCKER, minute(DOCKER))
    made.set_stored(STORED, TITLES)
    anchor.setFocus()
    made.open(anchor)
    return made


def words(popover: SandboxPopover) -> str:
    return "\n".join(w.text() for w in popover.findChildren(QLabel) if w.isVisible() and w.text())


def button(popover: SandboxPopover, name: str) -> QAbstractButton:
    return next(
        b
        for b in popover.findChildren(QAbstractButton)
        if b.isVisible() and b.accessibleName().startswith(name)
    )


def press(qtbot: QtBot, popover: SandboxPopover, name: str) -> None:
    qtbot.mouseClick(button(popover, name), Qt.MouseButton.LeftButton)


def test_it_says_what_runs_where_and_how_much_it_uses(popover: SandboxPopover) -> None:
    said = words(popover)
    for part in (
        "Docker sandbox",
        "Docker 28.1 on this machine",
        "in a container that it cannot leave",
        "12 %",
        "of 2 cores",
        "412 MB",
        "of 4 GB",
        "312 MB of 8 GB",
        "14",
        "127.0.0.1:5173",
        "1.4 s until the page answered",
    ):
        assert part in said, part
    assert popover._chip.accessibleName() == "Running"
    assert popover._cpu.accessibleName() == "CPU 12 % of 2 cores"
    assert "At most 69 % in the last minute" in popover._cpu.accessibleDescription()


def test_the_local_one_does_not_promise_limits(popover: SandboxPopover) -> None:
    popover.show_view(LOCAL, minute(LOCAL))
    said = words(popover)
    assert "Local sandbox" in said
    assert "of this computer" in said
    assert "Size and network hold in Docker, not in the local sandbox." in said
    assert not popover._disk_bar.isVisible()


def test_one_that_is_gone_shows_no_numbers_and_says_why(popover: SandboxPopover) -> None:
    reason = "The sandbox stopped. It used more than 4 GB. Your files are safe."
    popover.show_state("failed", reason)
    popover.show_view(dataclasses.replace(DOCKER, cpu=None, memory=None, port=None))
    assert reason in words(popover)
    assert "127.0.0.1" not in words(popover)
    assert not popover._meters.isVisible()
    assert button(popover, "Restart").isEnabled()
    assert not button(popover, "Stop").isEnabled()
    assert button(popover, "Open shell").toolTip() == "A shell needs a running sandbox"
    popover.show_state("running", "")
    assert reason not in words(popover)


def test_before_the_first_start_it_offers_to_start(qtbot: QtBot, popover: SandboxPopover) -> None:
    popover.show_state("absent", "")
    popover.show_view(ABSENT)
    assert "Made when the app first runs" in words(popover)
    assert not button(popover, "Rebuild").isEnabled()
    with qtbot.waitSignal(popover.action_requested) as heard:
        press(qtbot, popover, "Start")
    assert heard.args == ["restart"]


@pytest.mark.parametrize(
    ("name", "action"),
    [("Restart", "restart"), ("Stop", "stop"), ("Open shell", "shell"), ("Rebuild", "rebuild")],
)
def test_actions_are_asked_for(
    qtbot: QtBot, popover: SandboxPopover, name: str, action: str
) -> None:
    with qtbot.waitSignal(popover.action_requested) as heard:
        press(qtbot, popover, name)
    assert heard.args == [action]


def test_while_one_is_under_way_the_others_wait(popover: SandboxPopover) -> None:
    width = popover._actions["restart"].width()
    popover.set_busy("restart")
    assert button(popover, "Restarting").width() == width
    for name in ("Restarting", "Stop", "Open shell", "Rebuild"):
        assert not button(popover, name).isEnabled()
    popover.set_busy(None)
    assert button(popover, "Restart").isEnabled()


def test_while_the_app_is_built_it_is_not_restarted_by_hand(popover: SandboxPopover) -> None:
    popover.show_state("running", "", building=True)
    for name in ("Restart", "Rebuild"):
        assert not button(popover, name).isEnabled()
        assert "is being built" in button(popover, name).toolTip()
    assert button(popover, "Open shell").isEnabled()
    popover.show_state("running", "")
    assert button(popover, "Restart").isEnabled()


def test_a_restart_keeps_its_name_on_the_way(popover: SandboxPopover) -> None:
    popover.set_busy("restart")
    popover.show_state("stopped", "")
    assert button(popover, "Restarting")
    popover.set_busy(None)
    assert button(popover, "Start").isEnabled()


def test_what_was_refused_is_said_in_the_popover(popover: SandboxPopover) -> None:
    popover.show_trouble("The app is being built. Stop the build first.")
    assert "Stop the build first." in words(popover)
    popover.show_state("running", "")
    assert "Stop the build first." in words(popover), "a state does not take it away"
    popover.show_trouble("")
    assert "Stop the build first." not in words(popover)


def test_progress_is_one_line(popover: SandboxPopover) -> None:
    popover.show_state("building", "")
    popover.show_progress("Unpacking Node.js")
    assert "Unpacking Node.js" in words(popover)
    popover.show_progress("")
    assert "Unpacking Node.js" not in words(popover)


def combo(popover: SandboxPopover, name: str) -> QComboBox:
    return next(c for c in popover.findChildren(QComboBox) if c.accessibleName() == name)


def test_where_the_app_runs_is_chosen_with_the_keyboard(
    qtbot: QtBot, popover: SandboxPopover
) -> None:
    place = combo(popover, "Where this app runs")
    assert place.currentText() == "Automatic, Docker where it answers"
    place.setFocus()
    with qtbot.waitSignal(popover.place_chosen) as heard:
        qtbot.keyClick(place, Qt.Key.Key_End)
    assert heard.args == ["local"]
    assert place.currentText() == "This computer"


@pytest.mark.parametrize(
    ("view", "chosen", "moves"),
    [
        (DOCKER, "local", True),
        (LOCAL, "docker", True),
        (DOCKER, "docker", False),
        (LOCAL, "local", False),
        (LOCAL, "auto", False),
        (ABSENT, "local", False),
    ],
)
def test_before_it_moves_it_says_when_and_what_becomes_of_what_was_stored(
    popover: SandboxPopover, view: SandboxView, chosen: str, moves: bool
) -> None:
    popover.show_view(dataclasses.replace(view, sandbox=chosen))
    assert popover._runs_in.currentData() == chosen
    said = words(popover)
    assert ("It moves with the next start." in said) == moves
    assert ("What the app stored stays where it is" in said) == moves


def test_a_size_is_chosen_with_the_keyboard(qtbot: QtBot, popover: SandboxPopover) -> None:
    size = combo(popover, "Size of the sandbox")
    size.setFocus()
    with qtbot.waitSignal(popover.size_chosen) as heard:
        qtbot.keyClick(size, Qt.Key.Key_Down)
    assert heard.args == ["lite"]
    assert size.currentText() == "Lite: 1 core, 1 GB memory, 2 GB disk"
    popover.show_view(dataclasses.replace(DOCKER, size="standard-2"))
    assert size.currentText().startswith("Standard 2: 2 cores")


def test_the_network_is_registries_or_none(qtbot: QtBot, popover: SandboxPopover) -> None:
    network = combo(popover, "What the app may reach")
    assert network.currentText() == "Package registries and hosts you allowed"
    network.setFocus()
    with qtbot.waitSignal(popover.network_chosen) as heard:
        qtbot.keyClick(network, Qt.Key.Key_Down)
    assert heard.args == ["none"]


def test_what_a_view_brings_is_no_choice(qtbot: QtBot, popover: SandboxPopover) -> None:
    with (
        qtbot.assertNotEmitted(popover.place_chosen),
        qtbot.assertNotEmitted(popover.size_chosen),
        qtbot.assertNotEmitted(popover.network_chosen),
    ):
        popover.show_view(dataclasses.replace(DOCKER, sandbox="local", size="lite", network="none"))


def test_the_address_is_copied_and_opened(qtbot: QtBot, popover: SandboxPopover) -> None:
    press(qtbot, popover, "Copy the address")
    assert QGuiApplication.clipboard().text() == "http://127.0.0.1:5173"
    assert button(popover, "Copied")
    with qtbot.waitSignal(popover.browser_requested) as heard:
        press(qtbot, popover, "Open in browser")
    assert heard.args == ["http://127.0.0.1:5173"]


# -- what is kept


def test_what_is_kept_is_summed_and_listed_on_demand(qtbot: QtBot, popover: SandboxPopover) -> None:
    assert button(popover, "Kept for sandboxes: 1.2 GB")
    assert "Sandbox of Fernwood" not in words(popover)
    press(qtbot, popover, "Kept for sandboxes")
    for part in ("780 MB", "Sandbox of Fernwood", "Downloaded packages"):
        qtbot.waitUntil(lambda part=part: part in words(popover))
    rows = [w for w in popover.kept.findChildren(QWidget) if "Image" in w.accessibleName()]
    assert rows[0].accessibleName() == "Image: Node.js, Python and tools, 780 MB, in use"
    assert rows[0].toolTip() == "vibedesk-sandbox:139ada67c280"
    with qtbot.waitSignal(popover.clean_requested):
        press(qtbot, popover, "Clean what was not used for 30 days")


def test_cleaning_says_how_it_went(qtbot: QtBot, popover: SandboxPopover) -> None:
    press(qtbot, popover, "Kept for sandboxes")
    popover.kept.set_cleaning(cleaning=True)
    assert not button(popover, "Cleaning").isEnabled()
    popover.kept.set_cleaning(cleaning=False)
    popover.kept.say("412 MB are free again.")
    assert "412 MB are free again." in words(popover)


def test_nothing_kept_is_nothing_to_clean(qtbot: QtBot, popover: SandboxPopover) -> None:
    popover.set_stored(None)
    assert button(popover, "Kept for sandboxes: Measuring")
    popover.set_stored([])
    press(qtbot, popover, "Kept for sandboxes: 0 B")
    assert "Nothing yet." in words(popover)
    assert not button(popover, "Clean").isEnabled()


# -- conduct


def test_escape_closes_it_and_the_focus_returns(
    qtbot: QtBot, popover: SandboxPopover, anchor: QPushButton
) -> None:
    assert popover.isAncestorOf(QApplication.focusWidget())
    with qtbot.waitSignal(popover.closed):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not popover.is_open
    assert QApplication.focusWidget() is anchor


def test_tab_stays_inside_and_reaches_everything(popover: SandboxPopover) -> None:
    reached = []
    for _ in range(40):
        focus = QApplication.focusWidget()
        assert popover.isAncestorOf(focus)
        if focus in reached:
            break
        reached.append(focus)
        focus.focusNextChild()
    names = [w.accessibleName() for w in reached]
    assert names == [
        "Copy the address",
        "Open in browser",
        "Restart",
        "Stop",
        "Open shell",
        "Where this app runs",
        "Size of the sandbox",
        "What the app may reach",
        "Kept for sandboxes: 1.2 GB",
        "Where your apps run…",
        "Rebuild…",
    ]
    reached[0].setFocus()
    reached[0].focusPreviousChild()
    assert QApplication.focusWidget() is reached[-1]


def test_a_press_beside_it_closes_it_and_one_inside_does_not(
    qtbot: QtBot, popover: SandboxPopover
) -> None:
    room = SHADOW_ROOM
    card = popover._card
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPoint(room + 6, room + 6))
    assert popover.is_open
    qtbot.mouseClick(popover, Qt.MouseButton.LeftButton, pos=QPoint(880, 20))
    assert not popover.is_open


def test_focus_elsewhere_closes_it(qtbot: QtBot, popover: SandboxPopover, window: QWidget) -> None:
    elsewhere = next(b for b in window.findChildren(QPushButton) if b.text() == "elsewhere")
    elsewhere.setFocus()
    qtbot.waitUntil(lambda: not popover.is_open)
    assert QApplication.focusWidget() is elsewhere


def test_it_goes_with_what_it_belongs_to(
    qtbot: QtBot, popover: SandboxPopover, anchor: QPushButton, window: QWidget
) -> None:
    anchor.deleteLater()
    QApplication.sendPostedEvents(anchor, QEvent.Type.DeferredDelete.value)
    window.resize(700, 700)
    qtbot.waitUntil(lambda: not popover.is_open)


def test_it_stays_in_the_window_and_scrolls_in_a_low_one(
    qtbot: QtBot, popover: SandboxPopover, window: QWidget
) -> None:
    press(qtbot, popover, "Kept for sandboxes")
    window.resize(500, 420)

    def card() -> object:
        return popover._card.geometry().marginsRemoved(popover._card.layout().contentsMargins())

    qtbot.waitUntil(lambda: window.rect().contains(card()))
    bar = popover._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert popover._scroll.horizontalScrollBar().maximum() == 0
    window.resize(900, 1000)
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_opened_again_it_is_as_new(
    qtbot: QtBot, popover: SandboxPopover, anchor: QPushButton
) -> None:
    for _ in range(3):
        popover.close_over()
        popover.close_over()
        popover.open(anchor)
    assert popover.isAncestorOf(QApplication.focusWidget())
    popover.show_view(dataclasses.replace(DOCKER, memory=500 * MIB), minute(DOCKER))
    assert "500 MB" in words(popover)


def test_everything_that_takes_focus_has_a_name(qtbot: QtBot, popover: SandboxPopover) -> None:
    press(qtbot, popover, "Kept for sandboxes")
    nameless = [
        w
        for w in popover.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.accessibleName()
    ]
    assert nameless == []
