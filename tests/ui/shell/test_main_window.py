from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.gallery import open_window, running_phase
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.phase_bar import PhaseView
from vibedesk.ui.shell.regions import focus_region
from vibedesk.ui.shell.top_bar import ProjectChoice
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.messages import MessageAction

_CTRL = Qt.KeyboardModifier.ControlModifier
_ALT = Qt.KeyboardModifier.AltModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def _workspace(window: MainWindow) -> Workspace:
    assert window.workspace is not None
    return window.workspace


def _focus_inside(widget: QWidget) -> bool:
    focus = QApplication.focusWidget()
    return focus is not None and (focus is widget or widget.isAncestorOf(focus))


def _button(window: QWidget, name: str) -> QAbstractButton:
    return next(
        button
        for button in window.findChildren(QAbstractButton)
        if button.accessibleName() == name and button.isVisible()
    )


def test_pages_are_made_when_first_shown(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    window = open_window(theme, tmp_path, projects=3)
    qtbot.addWidget(window)
    assert window._pages == {}
    window.show_page("projects")
    assert list(window._pages) == ["projects"]
    with pytest.raises(KeyError):
        window.show_page("workspace")


def test_ctrl_digits_change_the_layout(qtbot: QtBot, window: MainWindow) -> None:
    panels = _workspace(window).panels
    qtbot.keyClick(window, Qt.Key.Key_3, _CTRL)
    assert not panels.editor.isVisible()
    assert panels.preview.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_2, _CTRL)
    assert panels.editor.isVisible()
    assert not panels.preview.isVisible()
    with qtbot.waitSignal(window.mode_changed) as heard:
        qtbot.keyClick(window, Qt.Key.Key_1, _CTRL)
    assert heard.args == ["build"]
    assert panels.preview.isVisible()
    assert panels.files.isVisible()


def test_the_strip_brings_the_preview_back(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_2, _CTRL)
    qtbot.mouseClick(_button(window, "Show the preview"), Qt.MouseButton.LeftButton)
    assert _workspace(window).panels.preview.isVisible()
    assert window._top._modes.current == "build"


def test_keys_show_and_hide_files_chat_and_dock(qtbot: QtBot, window: MainWindow) -> None:
    workspace = _workspace(window)
    qtbot.keyClick(window, Qt.Key.Key_B, _CTRL)
    assert not workspace.panels.files.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_B, _CTRL)
    assert workspace.panels.files.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_B, _CTRL | _ALT)
    assert not workspace.panels.chat.isVisible()
    qtbot.mouseClick(_button(window, "Chat"), Qt.MouseButton.LeftButton)
    assert workspace.panels.chat.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_J, _CTRL)
    assert workspace.dock_collapsed
    qtbot.waitUntil(lambda: workspace.panels.dock.parentWidget().height() <= 38)
    qtbot.keyClick(window, Qt.Key.Key_J, _CTRL)
    qtbot.waitUntil(lambda: workspace.panels.dock.parentWidget().height() >= 118)


def test_the_dock_folds_by_its_caret_too_and_stays_folded_with_the_project(
    qtbot: QtBot, window: MainWindow
) -> None:
    workspace = _workspace(window)
    qtbot.mouseClick(_button(window, "Fold the dock"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.panels.dock.parentWidget().height() <= 38)
    window.set_project("project-1", "Harbour")
    assert not workspace.dock_collapsed
    window.set_project("project-0", "Fernwood")
    assert workspace.dock_collapsed
    qtbot.keyClick(window, Qt.Key.Key_J, _CTRL)
    assert not workspace.dock_collapsed


def test_keys_go_to_chat_and_editor(qtbot: QtBot, window: MainWindow) -> None:
    panels = _workspace(window).panels
    qtbot.keyClick(window, Qt.Key.Key_L, _CTRL)
    qtbot.waitUntil(lambda: _focus_inside(panels.chat))
    qtbot.keyClick(window, Qt.Key.Key_3, _CTRL)
    qtbot.keyClick(window, Qt.Key.Key_E, _CTRL)
    qtbot.waitUntil(lambda: _focus_inside(panels.editor))
    assert _workspace(window).mode == "build"


def test_f6_goes_round_all_parts_and_back(qtbot: QtBot, window: MainWindow) -> None:
    panels = _workspace(window).panels
    focus_region(panels.chat)
    qtbot.waitUntil(lambda: _focus_inside(panels.chat))
    visited = []
    parts = {
        "chat": panels.chat,
        "phase": _workspace(window).phase_bar,
        "files": panels.files,
        "editor": panels.editor,
        "preview": panels.preview,
        "dock": panels.dock,
        "status": window._status,
        "top": window._top,
        "rail": window._rail,
    }
    for _ in range(len(parts)):
        visited.append(next(name for name, part in parts.items() if _focus_inside(part)))
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
    assert visited == list(parts)
    assert _focus_inside(panels.chat)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6, _SHIFT)
    assert _focus_inside(window._rail)


def test_every_focusable_widget_has_a_name(qtbot: QtBot, window: MainWindow) -> None:
    window.set_phase(running_phase())
    window.show_banner("warning", "A banner.", [MessageAction(key="a", text="Act")])
    window.show_toast("danger", "A toast", "with words")
    for page in ("welcome", "projects", "workspace"):
        window.show_page(page)
        nameless = [
            widget
            for widget in window.findChildren(QWidget)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.isVisible()
            and not widget.accessibleName()
            and not isinstance(widget, QMenu)
        ]
        assert nameless == [], page


def test_stop_is_asked_only_while_something_can_be_stopped(
    qtbot: QtBot, window: MainWindow
) -> None:
    with qtbot.assertNotEmitted(window.stop_requested):
        qtbot.keyClick(window, Qt.Key.Key_Period, _CTRL)
    window.set_phase(running_phase())
    with qtbot.waitSignal(window.stop_requested):
        qtbot.keyClick(window, Qt.Key.Key_Period, _CTRL)
    with qtbot.waitSignal(window.stop_requested):
        qtbot.mouseClick(_button(window, "Stop"), Qt.MouseButton.LeftButton)


def test_a_pause_is_asked_once_and_only_while_something_runs(
    qtbot: QtBot, window: MainWindow
) -> None:
    keys = _CTRL | _SHIFT
    asked = replace(running_phase(), pause="asked")
    for phase in (PhaseView(), asked):
        window.set_phase(phase)
        with qtbot.assertNotEmitted(window.pause_requested):
            qtbot.keyClick(window, Qt.Key.Key_Period, keys)
    assert not _button(window, "Pause").isEnabled()
    window.set_phase(running_phase())
    with qtbot.waitSignal(window.pause_requested):
        qtbot.keyClick(window, Qt.Key.Key_Period, keys)
    with qtbot.waitSignal(window.pause_requested):
        qtbot.mouseClick(_button(window, "Pause"), Qt.MouseButton.LeftButton)


def test_a_paused_run_can_be_stopped_and_can_go_on(qtbot: QtBot, window: MainWindow) -> None:
    window.set_phase(replace(running_phase(), control="paused", pause="none"))
    for name, wanted in (
        ("Stop", window.stop_requested),
        ("Continue", window.continue_requested),
    ):
        with qtbot.waitSignal(wanted):
            qtbot.mouseClick(_button(window, name), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.stop_requested):
        qtbot.keyClick(window, Qt.Key.Key_Period, _CTRL)


def test_a_cut_off_run_can_go_on(qtbot: QtBot, window: MainWindow) -> None:
    window.set_phase(PhaseView(title="Watering schedule", control="continue", tone="warning"))
    with qtbot.waitSignal(window.continue_requested):
        qtbot.mouseClick(_button(window, "Continue"), Qt.MouseButton.LeftButton)


def test_the_phase_bar_folds_when_all_is_done_and_unfolds_on_news(
    qtbot: QtBot, window: MainWindow
) -> None:
    bar = _workspace(window).phase_bar
    window.set_phase(running_phase())
    window.set_phase(PhaseView(title="Fernwood", overline="4 phases", tone="success", share=1.0))
    assert bar._fold_timer.isActive()
    bar.fold()
    assert bar.height() == 34
    window.set_phase(running_phase())
    assert not bar.folded
    assert bar.minimumHeight() == 52


def test_a_low_window_keeps_phase_and_stop_in_the_top_bar(qtbot: QtBot, window: MainWindow) -> None:
    window.set_phase(running_phase())
    window.resize(1200, 640)
    qtbot.waitUntil(lambda: not _workspace(window).phase_bar.isVisible())
    assert window._top._phase.isVisible()
    with qtbot.waitSignal(window.stop_requested):
        qtbot.mouseClick(_button(window, "Stop"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.pause_requested):
        qtbot.mouseClick(_button(window, "Pause"), Qt.MouseButton.LeftButton)
    window.set_phase(replace(running_phase(), control="paused", pause="none"))
    with qtbot.waitSignal(window.continue_requested):
        qtbot.mouseClick(_button(window, "Continue"), Qt.MouseButton.LeftButton)
    assert _button(window, "Stop").isEnabled()


def test_a_narrow_window_has_a_chat_drawer_and_a_file_flyout(
    qtbot: QtBot, window: MainWindow
) -> None:
    workspace = _workspace(window)
    window.resize(980, 700)
    qtbot.waitUntil(lambda: not workspace.panels.chat.isVisible())
    window.set_unread(3)
    qtbot.mouseClick(_button(window, "Chat, 3 new"), Qt.MouseButton.LeftButton)
    assert workspace.panels.chat.isVisible()
    qtbot.waitUntil(lambda: _focus_inside(workspace.panels.chat))
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not workspace.panels.chat.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_B, _CTRL)
    assert workspace.panels.files.isVisible()
    window.resize(1600, 1000)
    qtbot.waitUntil(lambda: workspace.panels.chat.isVisible())
    assert workspace.panels.files.isVisible()
    assert not workspace.arrangement.chat_in_drawer


def test_the_editor_keeps_its_least_width_in_every_window(qtbot: QtBot, window: MainWindow) -> None:
    panels = _workspace(window).panels
    for width in (1600, 1440, 1340, 1200, 1100, 960):
        window.resize(width, 800)
        qtbot.waitUntil(lambda wide=width: window.width() == wide)
        qtbot.waitUntil(lambda: panels.editor.width() >= 300)
        assert panels.editor.mapTo(window, panels.editor.rect().topRight()).x() <= width


def test_moved_panels_stay_moved_and_a_double_click_resets(
    qtbot: QtBot, window: MainWindow
) -> None:
    workspace = _workspace(window)
    splitter = workspace._splitter
    start = splitter.sizes()[0]
    splitter.setSizes([450, 1100])
    splitter.splitterMoved.emit(450, 1)
    window.set_project("project-1", "Ledgerly")
    assert abs(splitter.sizes()[0] - start) <= 2
    window.set_project("project-0", "Fernwood")
    assert abs(splitter.sizes()[0] - 450) <= 4
    splitter.gap_double_clicked.emit()
    assert abs(splitter.sizes()[0] - start) <= 2


def test_the_preview_gets_more_room_once(qtbot: QtBot, window: MainWindow) -> None:
    middle = _workspace(window)._work.middle_splitter
    window.favour_preview()
    assert abs(middle.sizes()[1] - 520) <= 2


def test_a_project_is_switched_in_the_top_bar(qtbot: QtBot, window: MainWindow) -> None:
    window.set_project_choices(
        [ProjectChoice(id="project-0", title="Fernwood"), ProjectChoice(id="other", title="A & B")]
    )
    qtbot.mouseClick(_button(window, "Switch project, current Fernwood"), Qt.MouseButton.LeftButton)
    menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
    assert [action.text() for action in menu.actions()][:2] == ["Fernwood", "A && B"]
    with qtbot.waitSignal(window.open_project_requested) as heard:
        menu.actions()[1].trigger()
    assert heard.args == ["other"]
    menu.close()


def test_the_rail_shows_work_that_runs_elsewhere(qtbot: QtBot, window: MainWindow) -> None:
    window.set_working(working=True)
    assert not window._rail._dot.isVisible()
    window.show_page("projects")
    assert window._rail._dot.isVisible()
    assert window._rail._build.accessibleName() == "Build, work is running"
    qtbot.mouseClick(window._rail._build, Qt.MouseButton.LeftButton)
    assert window.page == "workspace"
    assert not window._rail._dot.isVisible()


def test_ctrl_n_leads_to_the_prompt(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.new_project_requested):
        qtbot.keyClick(window, Qt.Key.Key_N, _CTRL)
    assert window.page == "welcome"
    qtbot.waitUntil(
        lambda: (
            (QApplication.focusWidget() or window).accessibleName() == "Describe the app you want"
        )
    )


def test_the_gravest_banner_is_seen_and_the_next_follows(qtbot: QtBot, window: MainWindow) -> None:
    window.show_banner("info", "An update is ready.", key="update")
    window.show_banner("danger", "The disk is full.", key="disk")
    window.show_banner("warning", "You are offline.", key="offline")
    slot = window._banners
    assert slot.banner is not None
    assert slot.banner.accessibleName() == "The disk is full."
    with qtbot.waitSignal(window.banner_dismissed) as heard:
        slot.banner.dismissed.emit()
    assert heard.args == ["disk"]
    assert slot.banner.accessibleName() == "You are offline."
    window.dismiss_banner("offline")
    window.dismiss_banner("update")
    assert slot.banner is None
    assert not slot.isVisible()


def test_a_toasts_action_is_done_and_the_toast_leaves(qtbot: QtBot, window: MainWindow) -> None:
    done: list[str] = []
    action = MessageAction(key="again", text="Start again")
    window.show_toast("danger", "It stopped", "", [(action, lambda: done.append("again"))])
    qtbot.mouseClick(_button(window, "Start again"), Qt.MouseButton.LeftButton)
    assert done == ["again"]
    assert list(window._toasts.toasts) == []


def test_a_new_scheme_repaints_the_window_and_is_remembered(
    qtbot: QtBot, window: MainWindow
) -> None:
    window._on_scheme_chosen("light")
    canvas = window.grab().toImage().pixelColor(window.width() // 2, window.height() - 4)
    assert canvas == QColor(Theme("light").color("bg.canvas"))
    assert window.store.scheme() == "light"


def test_closing_asks_first(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    window = open_window(theme, tmp_path, projects=0)
    qtbot.addWidget(window)
    window._may_close = False
    window.show_page("welcome")
    window.show()
    with qtbot.waitSignal(window.closing):
        assert not window.close()
    window.allow_close()
    assert window.close()


def test_f11_fills_the_screen(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(window.isFullScreen)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(lambda: not window.isFullScreen())
