"""Problems in the editor: where they are underlined, what is said of them, and that they move with the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.Qsci import QsciScintilla
from PySide6.QtCore import QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip
from pytestqt.qtbot import QtBot

from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.editor.line_problems import LineProblem, marked_part, told_at
from vibedesk.ui.editor.panel import EditorPanel
from vibedesk.ui.editor.plain import PlainEditor
from vibedesk.ui.editor.scintilla import ScintillaEditor
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
TEXT = "const é = '🌱';\nlet plant = 1;\n  return plant.name;\n"
ERROR = LineProblem(3, 16, "error", "Property 'name' does not exist.")
WARNING = LineProblem(2, 5, "warning", "'plant' is never reassigned.")


@given(st.text(alphabet="ab .;\t", max_size=12), st.integers(0, 20))
def test_the_underlined_part_lies_in_the_line(text: str, column: int) -> None:
    start, end = marked_part(text, column)
    assert 0 <= start <= end <= len(text.rstrip())
    if text.strip():
        assert end > start
        assert text[start:end].strip()


@pytest.mark.parametrize(
    ("text", "column", "marked"),
    [
        ("  return plant.name;", 16, "name"),
        ("  return plant.name;", 0, "return plant.name;"),
        ("  return plant.name;", 99, ";"),
        ("  <Card />", 3, "<"),
        ("", 4, ""),
    ],
)
def test_the_word_at_the_column_is_underlined(text: str, column: int, marked: str) -> None:
    start, end = marked_part(text, column)
    assert text[start:end] == marked


def test_what_is_told_of_one_place_is_told_once() -> None:
    assert told_at([ERROR, WARNING, ERROR]) == f"{ERROR.message}\n\n{WARNING.message}"


@pytest.fixture(params=[ScintillaEditor, PlainEditor])
def editor(request: pytest.FixtureRequest, theme: Theme, qtbot: QtBot) -> Iterator[CodeEditor]:
    make: Callable[[Theme], CodeEditor] = request.param
    made = make(theme)
    made.set_path("src/App.tsx")
    made.widget.resize(500, 300)
    made.widget.show()
    qtbot.waitExposed(made.widget)
    made.set_text(TEXT)
    yield made
    made.close()


def test_problems_move_with_the_text(editor: CodeEditor) -> None:
    editor.show_problems([ERROR, WARNING, LineProblem(99, 1, "error", "beyond the end")])
    assert editor.problem_lines() == [(3, ERROR), (2, WARNING)]
    editor.apply_edit(0, 0, "// é\n// two\n")
    assert editor.problem_lines() == [(5, ERROR), (4, WARNING)]
    editor.merge_text(editor.text().replace("// two\n", ""))
    assert editor.problem_lines() == [(4, ERROR), (3, WARNING)]
    editor.show_problems([WARNING])
    assert editor.problem_lines() == [(2, WARNING)]
    editor.set_text("other\n")
    assert editor.problem_lines() == []


def said_at(editor: CodeEditor, at: QPoint) -> str:
    """Return what the editor has to say at a place; the tool tip itself goes only after a while."""
    assert isinstance(editor, (ScintillaEditor, PlainEditor))
    return editor._hover._told(at)


def test_a_problem_is_said_where_it_is_pointed_at(editor: CodeEditor, qtbot: QtBot) -> None:
    editor.show_problems([ERROR])
    area = editor.widget
    assert isinstance(area, QAbstractScrollArea)
    places = [
        (x, y)
        for y in range(4, 120, 8)
        for x in range(4, 300, 10)
        if said_at(editor, QPoint(x, y)) == ERROR.message
    ]
    assert places, "it is said somewhere"
    rows = {y for _, y in places}
    assert max(rows) - min(rows) < 44, "on its own line, and under it"
    viewport = area.viewport()
    at = QPoint(*places[0])
    event = QHelpEvent(QHelpEvent.Type.ToolTip, at, viewport.mapToGlobal(at))
    QApplication.sendEvent(viewport, event)
    assert QToolTip.text() == ERROR.message
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible(), timeout=3000)


def test_scintilla_says_it_in_the_gutter_too(theme: Theme, qtbot: QtBot) -> None:
    editor = ScintillaEditor(theme)
    editor.widget.resize(500, 300)
    editor.widget.show()
    qtbot.waitExposed(editor.widget)
    editor.set_text(TEXT)
    editor.show_problems([ERROR, WARNING])
    assert [said_at(editor, QPoint(6, y)) for y in (10, 30, 50)] == [
        "",
        WARNING.message,
        ERROR.message,
    ]
    editor.close()


def notes(editor: ScintillaEditor) -> dict[int, str]:
    """Return what is written under which line, lines from 1."""
    found = {}
    for line in range(editor.text().count("\n") + 1):
        length = editor._send(QsciScintilla.SCI_ANNOTATIONGETTEXT, line)
        data = bytearray(length + 1)
        editor._sci.SendScintilla(QsciScintilla.SCI_ANNOTATIONGETTEXT, line, data)
        if length:
            found[line + 1] = data[:length].decode()
    return found


def test_scintilla_writes_errors_under_their_line(theme: Theme, qtbot: QtBot) -> None:
    editor = ScintillaEditor(theme)
    editor.widget.resize(500, 300)
    editor.widget.show()
    qtbot.waitExposed(editor.widget)
    editor.set_text(TEXT)
    twice = LineProblem(3, 3, "error", "'plânt' is undefined.\nIt is declared here.")
    editor.show_problems([ERROR, WARNING, twice, ERROR])
    written = f" {ERROR.message} \n 'plânt' is undefined. "
    assert notes(editor) == {3: written}
    assert editor.text() == TEXT, "it is no part of the text"
    editor.apply_edit(0, 0, "// first\n")
    assert notes(editor) == {4: written}
    editor.show_problems([LineProblem(1, 1, "error", "a long word " * 40)])
    rows = notes(editor)[1].split("\n")
    assert len(rows) == 3
    assert rows[2].endswith("… ")
    assert isinstance(editor.widget, QAbstractScrollArea)
    left = sum(editor._send(QsciScintilla.SCI_GETMARGINWIDTHN, margin) for margin in range(4))
    room = editor.widget.viewport().width() - left
    widths = [editor._send(QsciScintilla.SCI_TEXTWIDTH, 32, row.encode()) for row in rows]
    assert room * 0.7 < max(widths) <= room, "they fill the width, and nothing is cut off"
    editor.show_problems([WARNING])
    assert notes(editor) == {}
    editor.close()


def test_the_panel_marks_open_files_and_those_opened_later(theme: Theme, qtbot: QtBot) -> None:
    panel = EditorPanel(theme)
    qtbot.addWidget(panel)
    panel.open_file("a.ts", TEXT, pinned=True)
    panel.set_problems({"a.ts": [ERROR], "b.ts": [WARNING]})
    panel.open_file("b.ts", TEXT, pinned=True)
    assert panel.problem_lines("a.ts") == [(3, ERROR)]
    assert panel.problem_lines("b.ts") == [(2, WARNING)]
    tabs = panel._tabs
    assert [tabs.accessibleTabName(at) for at in range(2)] == [
        "a.ts, has errors",
        "b.ts, has warnings",
    ]
    panel.set_problems({})
    assert panel.problem_lines("a.ts") == panel.problem_lines("b.ts") == []
    assert tabs.accessibleTabName(0) == "a.ts"
    panel.close_all()
