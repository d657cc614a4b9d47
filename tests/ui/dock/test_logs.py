from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QLineEdit, QListView, QToolButton
from pytestqt.qtbot import QtBot

from vibedesk.ui.dock.dock_panel import DockPanel
from vibedesk.ui.dock.logs_model import LogLine, LogModel
from vibedesk.ui.dock.logs_panel import LogsPanel
from vibedesk.ui.theme.theme import Theme

AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)
PATIENCE_MS = 20_000


def lines(*texts: str, stream: str = "vite") -> list[LogLine]:
    return [LogLine(AT, stream, text) for text in texts]


class SmallModel(LogModel):
    MOST = 10


@given(
    st.lists(
        st.one_of(
            st.lists(st.sampled_from(["a", "b", "ab", "c"]), max_size=25),
            st.sampled_from([("filter", ""), ("filter", "A"), ("filter", "b"), ("clear", "")]),
        ),
        max_size=12,
    )
)
def test_model_shows_the_newest_lines_that_match(steps: list[list[str] | tuple[str, str]]) -> None:
    model = SmallModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    kept: list[str] = []
    wanted = ""
    for step in steps:
        if isinstance(step, list):
            model.append(lines(*step))
            kept = (kept + step)[-10:]
        elif step[0] == "filter":
            wanted = step[1].casefold()
            model.set_filter(step[1])
        else:
            model.clear()
            kept = []
        shown = [model.line(row).text for row in range(model.rowCount())]
        assert shown == [text for text in kept if wanted in text]


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> LogsPanel:
    made = LogsPanel(theme)
    qtbot.addWidget(made)
    qtbot.addWidget(made.tools)
    made.resize(900, 160)
    made.show()
    qtbot.waitExposed(made)
    return made


def wait_for(qtbot: QtBot, panel: LogsPanel, count: int) -> None:
    qtbot.waitUntil(lambda: panel.model.rowCount() == count, timeout=PATIENCE_MS)


def view(panel: LogsPanel) -> QListView:
    return panel.findChildren(QListView)[0]


def at_end(panel: LogsPanel) -> bool:
    bar = view(panel).verticalScrollBar()
    return bar.maximum() > 0 and bar.value() == bar.maximum()


def python_calls(action: Callable[[], None]) -> int:
    """Return how many functions of Python are called meanwhile, also by Qt."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


def test_text_of_several_lines_becomes_several(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append([(AT, "stderr", "one\ntwo"), (AT, "vite", "three")])
    wait_for(qtbot, panel, 3)
    assert panel.model.line(1) == LogLine(AT, "stderr", "two")


def test_keeps_twenty_thousand_lines(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append((AT, "vite", f"line {number}") for number in range(25_000))
    wait_for(qtbot, panel, 20_000)
    assert panel.model.line(0).text == "line 5000"
    panel.set_filter("LINE 1999")
    assert [panel.model.line(row).text for row in range(panel.model.rowCount())] == [
        f"line {number}" for number in range(19_990, 20_000)
    ]


def test_what_comes_in_one_frame_is_one_change_and_no_reset(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append((AT, "vite", f"line {number}") for number in range(20_000))
    wait_for(qtbot, panel, 20_000)
    model, changes = panel.model, list[tuple[object, ...]]()
    model.rowsInserted.connect(lambda _, first, last: changes.append(("inserted", first, last)))
    model.rowsRemoved.connect(lambda _, first, last: changes.append(("removed", first, last)))
    for signal in (model.modelReset, model.layoutChanged, model.dataChanged):
        signal.connect(lambda *_: changes.append(("all",)))
    for number in range(100):
        panel.append([(AT, "vite", f"more {number}")])
    qtbot.waitUntil(lambda: model.line(model.rowCount() - 1).text == "more 99", timeout=PATIENCE_MS)
    assert changes == [("removed", 0, 99), ("inserted", 19_900, 19_999)]


def test_new_lines_cost_what_is_in_sight_and_not_what_was_ever_logged(
    qtbot: QtBot, panel: LogsPanel
) -> None:
    def show_ten_more() -> None:
        panel.model.append(lines(*(f"more {number}" for number in range(10))))
        QApplication.processEvents()
        panel.repaint()

    counted = []
    for held in (500, 10_000):
        panel.append((AT, "vite", f"line {number}") for number in range(held))
        qtbot.waitUntil(lambda held=held: panel.model.rowCount() >= held, timeout=PATIENCE_MS)
        show_ten_more()
        counted.append(python_calls(show_ten_more))
    assert counted[1] < counted[0] + 100


def test_follows_the_end_until_a_person_scrolls(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append((AT, "vite", f"line {number}") for number in range(200))
    qtbot.waitUntil(lambda: at_end(panel), timeout=PATIENCE_MS)
    view(panel).verticalScrollBar().setValue(100)
    assert not panel.follows
    panel.append([(AT, "vite", "late")])
    wait_for(qtbot, panel, 201)
    assert view(panel).verticalScrollBar().value() == 100
    panel.set_follows(True)
    qtbot.waitUntil(lambda: at_end(panel), timeout=PATIENCE_MS)
    panel.append([(AT, "vite", "later")])
    wait_for(qtbot, panel, 202)
    qtbot.waitUntil(lambda: at_end(panel), timeout=PATIENCE_MS)


def test_filter_field_matches_text_and_stream(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append([(AT, "tsc", "unused"), (AT, "vite", "HMR update"), (AT, "vite", "ready")])
    wait_for(qtbot, panel, 3)
    filter_ = panel.tools.findChildren(QLineEdit)[0]
    qtbot.keyClicks(filter_, "hmr")
    assert panel.model.rowCount() == 1
    filter_.clear()
    qtbot.keyClicks(filter_, "tsc")
    assert panel.model.rowCount() == 1


def test_copies_selected_lines_else_all(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append([(AT, "vite", "one"), (AT, "tsc", "two")])
    wait_for(qtbot, panel, 2)
    panel.copy()
    clock = f"{AT.astimezone():%H:%M:%S}"
    assert QGuiApplication.clipboard().text() == f"{clock}  vite  one\n{clock}  tsc  two"
    index = panel.model.index(1, 0)
    view(panel).selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)
    panel.copy()
    assert QGuiApplication.clipboard().text() == f"{clock}  tsc  two"


def test_clear_also_drops_what_was_not_shown_yet(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append([(AT, "vite", "one")])
    panel.clear()
    qtbot.wait(80)
    assert panel.model.rowCount() == 0


def test_long_lines_can_be_scrolled_to(qtbot: QtBot, panel: LogsPanel) -> None:
    panel.append([(AT, "vite", "short")])
    wait_for(qtbot, panel, 1)
    assert view(panel).horizontalScrollBar().maximum() == 0
    panel.append([(AT, "vite", "x" * 300)])
    wait_for(qtbot, panel, 2)
    qtbot.waitUntil(lambda: view(panel).horizontalScrollBar().maximum() > 0, timeout=PATIENCE_MS)


@pytest.fixture
def dock(qtbot: QtBot, theme: Theme, panel: LogsPanel) -> DockPanel:
    made = DockPanel(theme)
    qtbot.addWidget(made)
    made.add_page("logs", "Logs", "list-bullets", panel, panel.tools)
    made.resize(900, 196)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_folded_dock_shows_only_its_header(qtbot: QtBot, dock: DockPanel, panel: LogsPanel) -> None:
    fold = next(b for b in dock.findChildren(QToolButton) if b.accessibleName() == "Fold the dock")
    with qtbot.waitSignal(dock.fold_requested):
        qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(dock.collapsed_changed) as changed:
        dock.set_collapsed(True)
    assert changed.args == [True]
    assert fold.accessibleName() == "Unfold the dock"
    assert not panel.isVisible()
    with qtbot.waitSignal(dock.collapsed_changed):
        dock.show_page("logs")
    assert panel.isVisible()


def test_dock_shows_pages_by_their_tabs(qtbot: QtBot, theme: Theme, dock: DockPanel) -> None:
    other = LogsPanel(theme)
    dock.add_page("terminal", "Terminal", "terminal-window", other, other.tools)
    assert dock.current == "logs"
    tab = next(b for b in dock.findChildren(QToolButton) if b.accessibleName() == "Terminal")
    with qtbot.waitSignal(dock.page_changed) as page:
        qtbot.mouseClick(tab, Qt.MouseButton.LeftButton)
    assert page.args == ["terminal"]
    assert other.isVisible()


def test_everything_that_takes_focus_has_a_name(dock: DockPanel) -> None:
    widgets = [
        *dock.findChildren(QToolButton),
        *dock.findChildren(QLineEdit),
        *dock.findChildren(QListView),
    ]
    nameless = [w for w in widgets if w.isVisible() and w.focusPolicy() and not w.accessibleName()]
    assert [w for w in nameless if not isinstance(w.parent(), QLineEdit)] == []
