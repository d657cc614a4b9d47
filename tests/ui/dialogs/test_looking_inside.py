"""The inspector and the bug report, on the real engine."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.dialogs.bug_report import BugReportDialog
from vibedesk.ui.dialogs.inspector import InspectorDialog, durations, summary
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine(Home(root=tmp_path / "home", projects=tmp_path / "projects"))
    await asyncio.to_thread(made.start)
    yield made
    await made.shutdown()


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


async def until(condition: object, what: str) -> None:
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"not in time: {what}")


async def test_the_inspector_shows_everything_as_a_tree(
    engine: Engine, parent: QWidget, theme: Theme
) -> None:
    project = await engine.create("", ProjectOptions(sample="kanban-board"))
    dialog = InspectorDialog(theme, parent, app="Board", inspect=partial(engine.inspect, project))
    dialog.show()
    await until(lambda: dialog.tree.texts(), "it is filled")
    shown = dict(dialog.tree.texts())
    assert shown["id"] == project
    assert {"sandbox", "queue", "timings", "usage", "versions"} <= shown.keys()
    model = dialog.tree._model
    row = next(r for r in range(model.rowCount()) if model.item(r).text() == "sandbox")
    dialog.tree.expand(model.index(row, 0))
    inside = model.item(row)
    names = [inside.child(r).text() for r in range(inside.rowCount())]
    assert "state" in names
    dialog._find.setText("network")
    assert "sandbox" in dict(dialog.tree.texts())
    assert "id" not in dict(dialog.tree.texts())
    dialog._find.setText("")
    dialog._on_copy()
    assert f'"id": "{project}"' in QGuiApplication.clipboard().text()
    dialog.close()


def test_durations_come_last_first() -> None:
    timings = [
        {"at": "2026-11-27T10:00:00Z", "operation": "blueprint", "phase": 0, "seconds": 2.0, "outcome": "done"},
        {"at": "2026-11-27T10:01:00Z", "operation": "implement_phase", "phase": 1, "seconds": 70.5, "outcome": "failed"},
    ]  # fmt: skip
    rows = durations(timings).rows
    assert rows[0] == ("2026-11-27 10:01:00", "implement phase", "1", "failed", 70.5)
    assert rows[1][2] == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (True, "yes"),
        ({}, "{}"),
        ({"a": 1}, "{1}"),
        ([1, 2], "[2]"),
        (" a\n b ", "a b"),
    ],
)
def test_values_in_one_line(value: object, expected: str) -> None:
    assert summary(value) == expected


async def test_a_report_is_read_before_it_is_written(
    engine: Engine, parent: QWidget, theme: Theme, tmp_path: Path, qtbot: QtBot
) -> None:
    project = await engine.create("", ProjectOptions(sample="kanban-board"))
    place = tmp_path / "report.zip"
    dialog = BugReportDialog(
        theme,
        parent,
        collect=lambda with_: engine.bug_report(project if with_ else None),
        write=engine.write_bug_report,
        project="Board",
        ask=lambda _parent, name: place if name.endswith(".zip") else None,
    )
    answer = asyncio.create_task(dialog.answer())
    await until(lambda: "project.json" in dialog.names, "it is collected")
    assert not place.exists()
    seen = {}
    for row in range(dialog._files.count()):
        dialog._files.setCurrentRow(row)
        seen[dialog.names[row]] = dialog._text.toPlainText()
    dialog._with.click()
    await until(lambda: "project.json" not in dialog.names, "without the project")
    dialog._with.click()
    await until(lambda: "project.json" in dialog.names, "with it again")
    dialog._save.click()
    assert await asyncio.wait_for(answer, 20) == place
    with zipfile.ZipFile(place) as written:
        assert sorted(written.namelist()) == sorted(seen)
        assert written.read("settings.json").decode() == seen["settings.json"]


async def test_a_place_that_is_taken_is_said_and_nothing_is_lost(
    engine: Engine, parent: QWidget, theme: Theme, tmp_path: Path, qtbot: QtBot
) -> None:
    place = tmp_path / "report.zip"
    place.write_text("mine")
    dialog = BugReportDialog(
        theme, parent, collect=lambda _: engine.bug_report(None), write=engine.write_bug_report,
        ask=lambda _parent, _name: place,
    )  # fmt: skip
    answer = asyncio.create_task(dialog.answer())
    await until(lambda: dialog.names, "it is collected")
    assert dialog._with.isHidden(), "no project is open"
    dialog._save.click()
    await until(lambda: dialog._said.text, "it says so")
    assert place.read_text() == "mine"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert await asyncio.wait_for(answer, 5) is None
