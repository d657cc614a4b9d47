"""The panel: tabs, following the agent, typing along, chunks from the engine's thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.ui.editor import panel as editor_panel
from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.editor.menu import EditorMenu
from vibedesk.ui.editor.panel import EditorPanel
from vibedesk.ui.editor.plain import PlainEditor
from vibedesk.ui.editor.scintilla import ScintillaEditor
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
APP = "src/App.tsx"
CARD = "src/components/Card.tsx"


@pytest.fixture
def panel(theme: Theme, qtbot: QtBot) -> Iterator[EditorPanel]:
    made = EditorPanel(theme)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close_all()


def _type(panel: EditorPanel, path: str, words: str) -> None:
    QTest.keyClicks(panel._editors[path].widget, words)


def test_chunks_of_another_thread_arrive_whole_and_in_order(
    panel: EditorPanel, qtbot: QtBot
) -> None:
    chunks = [f"const v{n} = '{n}é🌱';\n" for n in range(3_000)]
    panel.stream_start(APP, "full")

    def write() -> None:
        for chunk in chunks:
            panel.stream_chunk(APP, chunk)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join()
    qtbot.waitUntil(lambda: panel.text(APP) == "".join(chunks), timeout=10_000)


def test_the_view_follows_from_file_to_file_in_one_tab(panel: EditorPanel) -> None:
    for path in (APP, CARD):
        panel.stream_start(path, "full")
        panel.stream_chunk(path, "x\n" * 200)
        panel.stream_end(path, "x\n" * 200)
        assert panel.current_path == path
    assert panel.open_paths == [CARD]


def test_scrolling_stops_following_and_the_chip_takes_it_up_again(
    panel: EditorPanel, qtbot: QtBot
) -> None:
    panel.open_file(APP, "mine\n", pinned=True)
    panel.stream_start(CARD, "full")
    panel.stream_chunk(CARD, "x\n" * 200)
    panel.flush()
    chip = panel._header.chip
    assert chip.isVisible()
    assert chip.text() == "Following"
    with qtbot.waitSignal(panel.follow_changed) as changed:
        QTest.keyClick(panel._editors[CARD].widget, Qt.Key.Key_PageUp)
    assert changed.args == [False]
    assert chip.text() == "Follow"
    panel.open_file(APP, "")
    panel.stream_chunk(CARD, "more\n")
    panel.flush()
    assert panel.current_path == APP
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert panel.current_path == CARD
    assert panel.following
    panel.stream_end(CARD, panel.text(CARD) or "")
    assert not chip.isVisible()


def test_a_file_that_is_not_followed_is_whole_when_it_is_opened_later(panel: EditorPanel) -> None:
    panel.set_following(False)
    panel.stream_start(APP, "append", "kept\n")
    panel.stream_chunk(APP, "one\n")
    panel.flush()
    assert panel.open_paths == []
    panel.open_file(APP, "stale text of the caller")
    panel.stream_chunk(APP, "two\n")
    panel.flush()
    assert panel.text(APP) == "kept\none\ntwo\n"


def test_typing_along_reaches_the_caller_and_the_final_text_wins(
    panel: EditorPanel, qtbot: QtBot
) -> None:
    told: list[tuple[str, int, int, str]] = []
    panel.change.connect(lambda *change: told.append(change))
    panel.stream_start(APP, "full")
    panel.stream_chunk(APP, "one\n")
    panel.flush()
    panel._editors[APP].go_to(1, 1)
    with qtbot.waitSignal(panel.text_edited, timeout=5_000) as edited:
        _type(panel, APP, "my ")
        panel.stream_chunk(APP, "two\n")
        panel.flush()
    assert edited.args == [APP, "my one\ntwo\n"]
    assert told == [(APP, 0, 0, "m"), (APP, 1, 0, "y"), (APP, 2, 0, " ")]
    panel.stream_end(APP, "my one\ntwo\nthree\n")
    assert panel.text(APP) == "my one\ntwo\nthree\n"
    assert len(told) == 3


def test_typing_pins_the_tab(panel: EditorPanel) -> None:
    panel.open_file(APP, "a\n")
    _type(panel, APP, "x")
    panel.open_file(CARD, "b\n")
    assert panel.open_paths == [APP, CARD]
    panel.open_file("index.html", "c\n")
    assert panel.open_paths == [APP, "index.html"]


def test_a_patch_shows_only_when_it_is_applied(panel: EditorPanel) -> None:
    panel.open_file(APP, "a\nb\nc\n", pinned=True)
    panel.stream_start(APP, "patch")
    panel.stream_chunk(APP, "@@ -1 +1 @@\n-b\n+B\n")
    panel.flush()
    assert panel.text(APP) == "a\nb\nc\n"
    panel.stream_end(APP, "a\nB\nc\n")
    assert panel.text(APP) == "a\nB\nc\n"


def test_changes_from_elsewhere_keep_what_is_open_in_step_without_echo(panel: EditorPanel) -> None:
    told: list[object] = []
    panel.change.connect(lambda *change: told.append(change))
    panel.open_file(APP, "é\n", pinned=True)
    panel.apply_edit(APP, 2, 0, "!")
    panel.file_changed(APP, "é!\nmore\n")
    panel.file_changed("unknown.ts", "x")
    assert panel.text(APP) == "é!\nmore\n"
    panel.file_renamed(APP, "src/Main.tsx")
    assert panel.open_paths == ["src/Main.tsx"]
    _type(panel, "src/Main.tsx", "z")
    assert told == [("src/Main.tsx", 0, 0, "z")]
    panel.file_deleted("src/Main.tsx")
    assert panel.current_path is None


def test_what_was_typed_just_before_closing_is_still_told(panel: EditorPanel) -> None:
    told: list[tuple[str, str]] = []
    panel.text_edited.connect(lambda path, text: told.append((path, text)))
    panel.open_file(APP, "a\n")
    _type(panel, APP, "x")
    panel.close_file(APP)
    assert told == [(APP, "xa\n")]


def test_tabs_close_by_middle_click_and_key_and_come_back(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "a\n", pinned=True)
    panel.open_file(CARD, "b\n", pinned=True)
    tabs = panel._tabs
    qtbot.mouseClick(tabs, Qt.MouseButton.MiddleButton, pos=tabs.tabRect(0).center())
    assert panel.open_paths == [CARD]
    panel.activateWindow()
    panel.focus_editor()
    qtbot.waitUntil(lambda: panel._editors[CARD].widget.hasFocus())
    QTest.keyClick(panel._editors[CARD].widget, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.open_paths == [])
    with qtbot.waitSignal(panel.reopen_requested) as asked:
        panel._reopen()
    assert asked.args == [CARD]


def test_the_cross_closes_and_a_click_beside_it_selects(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "a\n", pinned=True)
    panel.open_file(CARD, "b\n", pinned=True)
    tabs = panel._tabs
    with qtbot.waitSignal(panel.current_changed) as changed:
        qtbot.mouseClick(
            tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(0).topLeft() + QPoint(20, 18)
        )
    assert changed.args == [APP]
    qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs._cross(1).center())
    assert panel.open_paths == [APP]


def test_finding_steps_through_the_file_and_escape_gives_the_keyboard_back(
    panel: EditorPanel, qtbot: QtBot
) -> None:
    panel.open_file(APP, "plant\nleaf plant\nPlant\n", pinned=True)
    panel.open_find_bar()
    bar = panel._find
    bar._field.setText("plant")
    assert bar._count.text() == "1 of 3"
    QTest.keyClick(bar._field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert bar._count.text() == "3 of 3"
    bar._case.setChecked(True)
    assert bar._count.text() == "1 of 2"
    bar._field.setText("nowhere")
    assert bar._count.text() == "Nothing found"
    QTest.keyClick(bar._field, Qt.Key.Key_Escape)
    assert not bar.isVisible()


def test_what_is_found_stays_right_whoever_changes_the_file(panel: EditorPanel) -> None:
    panel.open_file(APP, "foo\nbar\nfoo\n", pinned=True)
    panel.open_find_bar()
    bar, editor = panel._find, panel._editors[APP]
    bar._field.setText("foo")
    changes: list[Callable[[], object]] = [
        lambda: _type(panel, APP, "more "),
        lambda: panel.apply_edit(APP, 0, 0, "theirs "),
        lambda: panel.file_changed(APP, "merged " + (panel.text(APP) or "")),
        lambda: panel.stream_start(APP, "full"),
        lambda: panel.stream_chunk(APP, "written foo and foo"),
        lambda: panel.stream_end(APP, "at last written foo and foo"),
    ]
    for change in changes:
        change()
        panel.flush()
        before = panel.text(APP), editor.cursor()
        bar._refresh()
        assert (panel.text(APP), editor.cursor()) == before
        QTest.keyClick(bar._field, Qt.Key.Key_Return)
        assert editor.selected_text() == ("foo" if "foo" in (panel.text(APP) or "") else "")


@pytest.mark.parametrize("kind", [ScintillaEditor, PlainEditor])
def test_a_closed_editor_goes(
    theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, kind: Callable[[Theme], CodeEditor]
) -> None:
    monkeypatch.setattr(editor_panel, "create_editor", kind)
    panel = EditorPanel(theme)
    qtbot.addWidget(panel)
    panel.show()
    editors: list[weakref.ref[CodeEditor]] = []
    for number in range(5):
        path = f"src/{number}.ts"
        panel.open_file(path, "const a = 1;\n" * 50, pinned=True)
        panel.open_find_bar()
        _type(panel, path, "x")
        editors.append(weakref.ref(panel._editors[path]))
    panel.close_all()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert [editor() for editor in editors] == [None] * 5


def test_the_cursor_is_told_for_the_file_in_front(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "one\ntwo\n", pinned=True)
    with qtbot.waitSignal(panel.cursor_moved, check_params_cb=lambda *at: at == (2, 3)):
        panel.go_to(APP, 2, 3)


def test_everything_that_takes_the_keyboard_has_a_name(panel: EditorPanel) -> None:
    panel.open_file(APP, "a\n", pinned=True)
    panel.open_file(CARD, "a\n", pinned=True)
    panel.open_find_bar()
    nameless = [
        child
        for child in panel.findChildren(QWidget)
        if child.isVisible()
        and child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not child.accessibleName()
        and not (isinstance(child, QAbstractButton) and child.text())
    ]
    assert nameless == []


def test_tab_types_until_the_person_lets_it_move_the_focus(
    panel: EditorPanel, qtbot: QtBot
) -> None:
    panel.open_file(APP, "", pinned=True)
    editor = panel._editors[APP]
    panel.activateWindow()
    panel.focus_editor()
    qtbot.waitUntil(editor.widget.hasFocus)
    QTest.keyClick(editor.widget, Qt.Key.Key_Tab)
    assert editor.text() == "  "
    with qtbot.waitSignal(panel.tab_mode_changed) as changed:
        QTest.keyClick(editor.widget, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert changed.args == [True]
    QTest.keyClick(editor.widget, Qt.Key.Key_Tab)
    assert editor.text() == "  "
    assert not editor.widget.hasFocus()


def test_marks_are_cleared_when_a_new_run_begins(panel: EditorPanel) -> None:
    panel.stream_start(APP, "full")
    panel.stream_chunk(APP, "a\nb\n")
    panel.stream_end(APP, "a\nb\n")
    before = panel._editors[APP].widget.grab().toImage()
    panel.clear_marks()
    assert panel._editors[APP].widget.grab().toImage() != before


def test_closing_everything_leaves_the_empty_state(panel: EditorPanel) -> None:
    panel.open_file(APP, "a\n", pinned=True)
    panel.stream_start(CARD, "full")
    panel.close_all()
    assert panel.open_paths == []
    assert panel._stack.currentWidget() is panel._empty


def test_a_review_has_a_tab_of_its_own_and_stays_in_front(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "a\n", pinned=True)
    review = QLabel("the changes")
    panel.show_view("/review/1", review, "Review App.tsx", APP)
    assert panel.current_path is None
    assert panel.open_paths == [APP]
    assert review.isVisible()
    assert not panel._header.isVisible()
    panel.stream_start(CARD, "full")
    assert review.isVisible(), "what is written meanwhile does not push it away"
    panel.stream_end(CARD, "b\n")
    panel.set_view_writing("/review/1", writing=True)
    panel.close_view("/review/1")
    assert panel.current_path == APP
    panel.show_view("/review/1", review, "Review App.tsx", APP, front=False)
    assert panel.current_path == APP
    panel.close_all()
    assert panel.current_path is None
    assert not panel._tabs.isVisible()


def test_a_locked_file_says_so_and_can_still_be_typed_in(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "a\n", pinned=True)
    panel.notes.set_locked(APP, locked=True)
    assert panel.notes._lock.isVisible()
    panel.open_file(CARD, "b\n", pinned=True)
    assert not panel.notes._lock.isVisible()
    panel.file_renamed(APP, "src/Main.tsx")
    panel.open_file("src/Main.tsx", "")
    assert panel.notes._lock.isVisible()
    panel._editors["src/Main.tsx"].widget.setFocus()
    with qtbot.waitSignal(panel.change):
        QTest.keyClicks(panel._editors["src/Main.tsx"].widget, "x")
    with qtbot.waitSignal(panel.lock_requested) as asked:
        panel.notes._lock.acted.emit()
    assert asked.args == ["src/Main.tsx", False]


def test_the_context_menu_edits_regenerates_and_locks(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "abc\n", pinned=True)
    editor = panel._editors[APP]

    def actions() -> dict[str, QAction]:
        return {action.text(): action for action in panel.menu_for(editor).actions()}

    assert not actions()["Copy"].isEnabled()
    actions()["Select all"].trigger()
    assert editor.selected_text() == "abc\n"
    actions()["Cut"].trigger()
    assert editor.text() == ""
    actions()["Undo"].trigger()
    assert editor.text() == "abc\n"
    with qtbot.waitSignal(panel.regenerate_requested) as asked:
        actions()["Regenerate file…"].trigger()
    assert asked.args == [APP]
    with qtbot.waitSignal(panel.lock_requested) as locked:
        actions()["Locked: VibeDesk does not write it"].trigger()
    assert locked.args == [APP, True]
    panel.notes.set_locked(APP, locked=True)
    assert not actions()["Regenerate file…"].isEnabled()


def test_a_right_click_opens_our_menu(panel: EditorPanel, qtbot: QtBot) -> None:
    panel.open_file(APP, "abc\n", pinned=True)
    editor = panel._editors[APP]
    place = QPoint(20, 20)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, place)
    QApplication.sendEvent(editor.widget.viewport(), event)  # type: ignore[attr-defined]
    menu = panel.findChild(EditorMenu)
    assert menu is not None
    assert menu.isVisible()
    menu.close()
