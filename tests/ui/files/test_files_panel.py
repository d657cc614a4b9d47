"""The files panel by mouse and keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from vibedesk.ui.files.panel import FilesPanel
from vibedesk.ui.files.tree_model import Role
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
FILES = ["src/App.tsx", "src/components/Card.tsx", "public/favicon.svg", "index.html"]


@pytest.fixture
def panel(theme: Theme, qtbot: QtBot) -> FilesPanel:
    made = FilesPanel(theme)
    qtbot.addWidget(made)
    made.set_files(FILES)
    made.resize(236, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


def _click(panel: FilesPanel, qtbot: QtBot, path: str) -> None:
    view = panel._view
    place = view.visualRect(panel._model.index_of(path)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _visible(panel: FilesPanel) -> list[str]:
    index, rows = panel._model.index(0, 0), []
    while index.isValid():
        rows.append(str(index.data(Role.PATH)))
        index = panel._view.indexBelow(index)
    return rows


def test_source_folders_of_a_small_project_are_open(panel: FilesPanel) -> None:
    assert _visible(panel) == [
        "public",
        "src",
        "src/components",
        "src/components/Card.tsx",
        "src/App.tsx",
        "index.html",
    ]


def test_one_click_opens_a_file_or_turns_a_folder(panel: FilesPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.file_activated) as opened:
        _click(panel, qtbot, "src/App.tsx")
    assert opened.args == ["src/App.tsx"]
    _click(panel, qtbot, "public")
    assert "public/favicon.svg" in _visible(panel)


def test_the_keyboard_opens_renames_and_deletes(panel: FilesPanel, qtbot: QtBot) -> None:
    panel.select("src/App.tsx")
    panel.focus_tree()
    view = panel._view
    with qtbot.waitSignal(panel.file_pinned) as pinned:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert pinned.args == ["src/App.tsx"]
    with qtbot.waitSignal(panel.delete_requested) as deleted:
        QTest.keyClick(view, Qt.Key.Key_Delete)
    assert deleted.args == [["src/App.tsx"]]
    QTest.keyClick(view, Qt.Key.Key_F2)
    field = view.findChild(QLineEdit)
    assert field is not None
    with qtbot.waitSignal(panel.rename_requested) as renamed:
        field.setText("Main.tsx")
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert renamed.args == ["src/App.tsx", "src/Main.tsx"]
    assert "src/App.tsx" in _visible(panel)
    panel.file_renamed("src/App.tsx", "src/Main.tsx")
    assert "src/Main.tsx" in _visible(panel)
    assert panel.current_path == "src/Main.tsx"


MARKS = [
    "Locked: VibeDesk does not write it",
    "Pinned: VibeDesk always reads it",
    "Excluded: VibeDesk does not read it",
]


def _names(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def test_the_context_menu_asks_and_copies(panel: FilesPanel, qtbot: QtBot) -> None:
    menu = panel.menu_for(["src/App.tsx"])
    last = ["Rename", "Delete", "Copy path", "Reveal in file manager"]
    assert _names(menu) == ["Open", "Regenerate file…", *MARKS, *last]
    asked: list[str] = []
    panel.reveal_requested.connect(asked.append)
    panel.regenerate_requested.connect(asked.append)
    _run(menu, "Copy path")
    _run(menu, "Reveal in file manager")
    _run(menu, "Regenerate file…")
    assert QGuiApplication.clipboard().text() == "src/App.tsx"
    assert asked == ["src/App.tsx", "src/App.tsx"]
    assert _names(panel.menu_for(["src"])) == [*MARKS, *last]


def test_marks_of_the_person_are_said_and_asked_for(panel: FilesPanel, qtbot: QtBot) -> None:
    panel.set_person_marks("src/App.tsx", ["locked", "pinned"])
    panel.set_state("src/App.tsx", "modified")
    index = panel._model.index_of("src/App.tsx")
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "App.tsx, modified, locked, pinned"
    assert "VibeDesk does not write it" in index.data(Qt.ItemDataRole.ToolTipRole)
    menu = panel.menu_for(["src/App.tsx"])
    checked = [action.text() for action in menu.actions() if action.isChecked()]
    assert checked == MARKS[:2]
    again = next(a for a in menu.actions() if a.text() == "Regenerate file…")
    assert not again.isEnabled(), "a locked file is not written anew"
    with qtbot.waitSignal(panel.mark_requested) as asked:
        _run(panel.menu_for(["src"]), MARKS[0])
    assert asked.args == [["src/App.tsx", "src/components/Card.tsx"], "locked", True]
    with qtbot.waitSignal(panel.mark_requested) as asked:
        _run(menu, MARKS[0])
    assert asked.args == [["src/App.tsx"], "locked", False]


def test_a_new_version_can_be_reviewed_from_the_tree(panel: FilesPanel, qtbot: QtBot) -> None:
    panel.set_proposed("index.html", proposed=True)
    with qtbot.waitSignal(panel.review_requested) as asked:
        _run(panel.menu_for(["index.html"]), "Review the new version")
    assert asked.args == ["index.html"]
    panel.set_proposed("index.html", proposed=False)
    assert "Review the new version" not in _names(panel.menu_for(["index.html"]))


def test_several_rows_are_chosen_and_deleted_together(panel: FilesPanel, qtbot: QtBot) -> None:
    _click(panel, qtbot, "index.html")
    view = panel._view
    control = Qt.KeyboardModifier.ControlModifier
    opened: list[str] = []
    panel.file_activated.connect(opened.append)
    for path in ("src", "src/App.tsx"):
        place = view.visualRect(panel._model.index_of(path)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, control, place)
    assert not opened, "choosing more opens nothing"
    assert view.selected_paths() == ["src", "index.html"]
    with qtbot.waitSignal(panel.delete_requested) as deleted:
        QTest.keyClick(view, Qt.Key.Key_Delete)
    assert deleted.args == [["src", "index.html"]]
    assert "Delete 2 items" in _names(panel.menu_for(view.selected_paths()))


def test_a_folder_is_renamed_in_its_row(panel: FilesPanel, qtbot: QtBot) -> None:
    panel.select("src/components")
    panel.focus_tree()
    QTest.keyClick(panel._view, Qt.Key.Key_F2)
    field = panel._view.findChild(QLineEdit)
    assert field is not None
    with qtbot.waitSignal(panel.rename_requested) as renamed:
        field.setText("parts")
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert renamed.args == ["src/components", "src/parts"]


def test_the_keys_regenerate_the_file_at_hand(panel: FilesPanel, qtbot: QtBot) -> None:
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.select("src/App.tsx")
    panel.focus_tree()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    with qtbot.waitSignal(panel.regenerate_requested) as asked:
        QTest.keyClick(panel._view, Qt.Key.Key_R, both)
    assert asked.args == ["src/App.tsx"]


def _run(menu: QMenu, name: str) -> None:
    next(action for action in menu.actions() if action.text() == name).trigger()


def test_filtering_shows_what_matches_and_says_when_nothing_does(
    panel: FilesPanel, qtbot: QtBot
) -> None:
    panel.start_filter()
    QTest.keyClicks(panel._field, "card")
    assert _visible(panel) == ["src", "src/components", "src/components/Card.tsx"]
    panel.set_state("public/Cardinal.svg", "new")
    panel.set_state("src/other.ts", "new")
    assert "src/other.ts" not in _visible(panel)
    panel._field.setText("wter")
    assert "wter" in panel._nothing.text()
    assert panel._stack.currentWidget() is panel._nothing
    QTest.keyClick(panel._field, Qt.Key.Key_Escape)
    assert "src/other.ts" in _visible(panel)
    assert not panel._field.isVisible()


def test_a_file_being_written_is_shown_and_spins_until_it_is_done(panel: FilesPanel) -> None:
    panel.set_state("src/deep/er/New.tsx", "writing")
    assert "src/deep/er/New.tsx" in _visible(panel)
    assert panel._view._spin.isActive()
    panel.set_state("src/deep/er/New.tsx", "new")
    assert not panel._view._spin.isActive()


def test_a_new_run_clears_states_and_keeps_problems(panel: FilesPanel) -> None:
    panel.set_state("src/App.tsx", "modified")
    panel.set_problems("src/App.tsx", 1)
    panel.clear_states()
    mark = panel._model.index_of("src/App.tsx").data(Role.MARK)
    assert (mark.state, mark.errors) == ("unchanged", 1)


def test_what_the_person_closed_stays_closed(panel: FilesPanel, qtbot: QtBot) -> None:
    _click(panel, qtbot, "src/components")
    panel.set_files([*FILES, "src/New.tsx"])
    assert "src/components/Card.tsx" not in _visible(panel)


def test_no_files_is_said_in_words(panel: FilesPanel) -> None:
    panel.set_files([])
    assert "No files yet" in panel._nothing.text()
    panel.set_state("index.html", "new")
    assert _visible(panel) == ["index.html"]
