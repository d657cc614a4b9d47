"""Both code editors keep the same contract: bytes count, the program's changes are never echoed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pycrdt import Doc, Text
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.editor.plain import PlainEditor
from vibedesk.ui.editor.scintilla import ScintillaEditor
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
TEXT = "const a = 'é🌱';\n\nexport default a;\n"


@pytest.fixture(params=[ScintillaEditor, PlainEditor])
def editor(request: pytest.FixtureRequest, theme: Theme, qtbot: QtBot) -> Iterator[CodeEditor]:
    make: Callable[[Theme], CodeEditor] = request.param
    made = make(theme)
    made.set_path("src/App.tsx")
    made.widget.resize(400, 300)
    made.widget.show()
    qtbot.waitExposed(made.widget)
    yield made
    made.close()


@pytest.fixture
def edits(editor: CodeEditor) -> list[tuple[int, int, str]]:
    told: list[tuple[int, int, str]] = []
    editor.signals.edited.connect(lambda *edit: told.append(edit))
    return told


def test_what_the_program_writes_is_shown_and_not_told(
    editor: CodeEditor, edits: list[tuple[int, int, str]]
) -> None:
    editor.set_text(TEXT)
    editor.append("// end é\n")
    editor.apply_edit(0, 5, "let")
    editor.merge_text(editor.text().replace("default ", ""))
    editor.set_writing(writing=True)
    editor.append("more\n")
    editor.mark_lines("changed", [range(2)])
    editor.set_writing(writing=False)
    assert editor.text() == "let a = 'é🌱';\n\nexport a;\n// end é\nmore\n"
    assert edits == []


def test_what_the_person_types_keeps_a_shared_document_in_step(
    editor: CodeEditor, edits: list[tuple[int, int, str]]
) -> None:
    editor.set_text(TEXT)
    document = Doc()
    shared = document.get("text", type=Text)
    shared += TEXT

    def follow(position: int, removed: int, inserted: str) -> None:
        if removed:
            del shared[position : position + removed]
        if inserted:
            shared.insert(position, inserted)

    editor.signals.edited.connect(follow)
    keys = editor.widget
    editor.go_to(1, 12)
    for letter in "über 🌱 ":
        # QTest itself only knows the keys of an ASCII keyboard.
        QApplication.sendEvent(
            keys, QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)
        )
    QTest.keyClick(keys, Qt.Key.Key_End)
    QTest.keyClick(keys, Qt.Key.Key_Return)
    QTest.keyClicks(keys, "// x")
    QTest.keyClick(keys, Qt.Key.Key_Backspace)
    QTest.keyClick(keys, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(keys, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(keys, "q")
    QTest.keyClick(keys, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert edits
    assert str(shared) == editor.text()
    assert "über" in editor.text()


def test_typing_along_keeps_both_texts(
    editor: CodeEditor, edits: list[tuple[int, int, str]]
) -> None:
    editor.set_text("one\n")
    editor.set_writing(writing=True)
    editor.go_to(1, 1)
    QTest.keyClicks(editor.widget, "my ")
    editor.append("two\n")
    QTest.keyClicks(editor.widget, "own ")
    editor.append("three\n")
    assert editor.text() == "my own one\ntwo\nthree\n"
    assert "".join(inserted for _, _, inserted in edits) == "my own "


def test_merging_a_final_text_leaves_the_cursor_where_it_was(editor: CodeEditor) -> None:
    editor.set_text("a\nb\nc\n")
    editor.go_to(3, 1)
    editor.merge_text("a\nnew\nlines\nb\nc\n")
    assert editor.cursor() == (5, 1)


def test_finding_counts_and_selects_in_bytes(editor: CodeEditor) -> None:
    editor.set_text("Å plant é\nPLANT\nplant")
    found = editor.find_all("plant", match_case=False)
    assert len(found) == 3
    data = editor.text().encode()
    assert [data[start:end].decode().lower() for start, end in found] == ["plant"] * 3
    editor.select(*editor.find_all("plant", match_case=True)[1])
    assert editor.selected_text() == "plant"
    assert editor.cursor()[0] == 3
    assert editor.find_all("", match_case=False) == []


def test_the_person_scrolling_or_clicking_is_noticed(editor: CodeEditor, qtbot: QtBot) -> None:
    editor.set_text(TEXT * 50)
    editor.reveal_end()
    with qtbot.waitSignal(editor.signals.navigated):
        QTest.keyClick(editor.widget, Qt.Key.Key_Up)


def test_it_has_a_name_for_screen_readers(editor: CodeEditor) -> None:
    assert editor.widget.accessibleName() == "Code editor, App.tsx"


class TestScintilla:
    """What only the real one can do."""

    @pytest.fixture
    def sci(self, theme: Theme, qtbot: QtBot) -> Iterator[ScintillaEditor]:
        made = ScintillaEditor(theme)
        made.set_path("a.tsx")
        made.widget.resize(500, 300)
        made.widget.show()
        qtbot.waitExposed(made.widget)
        yield made
        made.close()

    def test_undo_takes_back_the_persons_words_and_never_the_agents(
        self, sci: ScintillaEditor
    ) -> None:
        sci.set_text("start\n")
        sci.go_to(1, 1)
        QTest.keyClicks(sci.widget, "me ")
        sci.append("agent é\n")
        for _ in range(5):
            QTest.keyClick(sci.widget, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert sci.text() == "start\nagent é\n"
        QTest.keyClick(sci.widget, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
        assert sci.text() == "me start\nagent é\n"

    def test_nul_and_carriage_returns_survive(self, sci: ScintillaEditor) -> None:
        sci.set_text("a\0b\r\nc")
        sci.append("\0d\r\n")
        assert sci.text() == "a\0b\r\nc\0d\r\n"

    def test_lines_are_as_high_as_designed_at_every_zoom(self, sci: ScintillaEditor) -> None:
        assert sci._send(sci._sci.SCI_TEXTHEIGHT, 0) == 20
        sci.zoom(6)
        assert sci._send(sci._sci.SCI_TEXTHEIGHT, 0) > 26
        sci.zoom(0)
        assert sci._send(sci._sci.SCI_TEXTHEIGHT, 0) == 20

    def test_the_end_of_a_large_file_is_coloured_without_one_long_step(
        self, sci: ScintillaEditor, qtbot: QtBot
    ) -> None:
        line = 'export const plant = { name: "fern" };\n'
        sci.set_text(line * 8_000)
        sci.reveal_end()
        start = len(line.encode()) * 7_999
        qtbot.waitUntil(lambda: sci._send(sci._sci.SCI_GETSTYLEAT, start) == 5, timeout=20_000)

    def test_the_windows_shortcuts_are_left_to_the_window(self, sci: ScintillaEditor) -> None:
        kept = {
            chr(command.key() & 0xFFFF)
            for command in sci._sci.standardCommands().commands()
            if command.key() & 0x04000000 and chr(command.key() & 0xFFFF).isalpha()
        }
        assert kept <= set("ACVXYZ")
