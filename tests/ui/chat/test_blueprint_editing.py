"""Every part of a blueprint can be changed; what cannot be like this is said at its field."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.chat_gallery import BLUEPRINT, NO_WEB_APP, STARTERS
from vibedesk.ui.chat.blueprint_card import BlueprintCard
from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.card_header import CardHeader
from vibedesk.ui.chat.quiet_fields import QuietText
from vibedesk.ui.chat.roadmap import RoadmapItem
from vibedesk.ui.chat.step_editor import StepEditor
from vibedesk.ui.theme.theme import Theme

WHOLE: dict[str, Any] = {
    **BLUEPRINT,
    "project_name": "fernwood",
    "user_flow": {"ui_layout": "One column.\n\nA bar on top.", "ui_design": "", "user_journey": ""},
    "data_flow": "Plants in a  table",
    "architecture": {"data_flow": "Page to server"},
    "initial_phase": {
        "name": "Plant library",
        "description": "Plants, one by one.",
        "files": [{"path": "src/App.tsx", "purpose": "The page", "changes": None}],
        "install_commands": ["npm install date-fns@4"],
        "is_last_phase": False,
    },
    "not_a_web_app": "",
}


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> BlueprintPage:
    made = BlueprintPage(theme)
    qtbot.addWidget(made)
    made.resize(1100, 900)
    made.show()
    qtbot.waitExposed(made)
    made.set_starters(STARTERS)
    made.set_blueprint(WHOLE, "awaiting_approval")
    return made


def find(where: QWidget, name: str) -> QWidget:
    QApplication.processEvents()
    for kind in (QPushButton, QToolButton, QLineEdit, QuietText, QComboBox):
        for found in where.findChildren(kind):
            if found.accessibleName() == name and found.isVisibleTo(where):
                return found
    pytest.fail(f"nothing is called {name}")


def press(qtbot: QtBot, page: QWidget, name: str) -> None:
    qtbot.mouseClick(find(page, name), Qt.MouseButton.LeftButton)


def write(qtbot: QtBot, where: QWidget, name: str, text: str) -> None:
    field = find(where, name)
    assert isinstance(field, QLineEdit | QuietText)
    field.selectAll()
    qtbot.keyClicks(field, text)


def choose(box: QWidget, words: str) -> None:
    assert isinstance(box, QComboBox)
    box.setCurrentText(words)
    box.activated.emit(box.currentIndex())


def test_what_nobody_touched_is_as_it_was(page: BlueprintPage) -> None:
    assert page.edited_blueprint() == WHOLE
    assert not page.changed
    assert not find(page, "Re-plan").isEnabled()


def test_every_part_can_be_changed(qtbot: QtBot, page: BlueprintPage) -> None:
    given = copy.deepcopy(WHOLE)
    write(qtbot, page, "Name of the project's folder", "fern")
    write(qtbot, page, "How the screen is laid out", "Two columns")
    write(qtbot, page, "What data there is and where it is kept", "A list")
    write(qtbot, page, "How data moves inside", "Straight")
    write(qtbot, page, "Name of the first phase", "Basics")
    write(qtbot, page, "What src/App.tsx is for", "All of it")
    write(qtbot, page, "Command that installs packages", "npm install hono")
    write(qtbot, page, "Something worth knowing", "It needs a browser")
    choose(find(page, "Starter of the app"), "React and Vite")
    press(qtbot, page, "Remove tailwindcss@4.1.2")
    qtbot.keyClicks(find(page, "Add a framework or package"), "zod@4\r")
    press(qtbot, page, "Add a view")
    write(qtbot, page, "What  shows", "Everything at once")
    press(qtbot, page, "Remove the colour #F4EFE4")
    assert page.changes() == {
        "project_name": "fern",
        "user_flow": {**given["user_flow"], "ui_layout": "Two columns"},
        "data_flow": "A list",
        "architecture": {"data_flow": "Straight"},
        "initial_phase": {
            **given["initial_phase"],
            "name": "Basics",
            "files": [{"path": "src/App.tsx", "purpose": "All of it", "changes": None}],
            "install_commands": ["npm install hono"],
        },
        "pitfalls": ["It needs a browser"],
        "template": "react-vite",
        "frameworks": ["react@19.2.0", "vite@8.0.1", "date-fns@4.1.0", "zod@4"],
        "views": [*given["views"], {"name": "", "description": "Everything at once"}],
        "color_palette": ["#2F6B4F", "#D9784C"],
    }


def test_checks_read_as_sentences_and_change_step_by_step(
    qtbot: QtBot, page: BlueprintPage
) -> None:
    name = "A plant is added and found again"
    texts = [w.accessibleName() for w in page.findChildren(QWidget) if w.isVisibleTo(page)]
    assert any("3. Write “Monty” into the field “Name”" in text for text in texts)
    press(qtbot, page, f"Change the steps of {name}")
    row = find(page, "Name of the check").parentWidget()
    assert row is not None
    write(qtbot, row, "Words to write", "Basil")
    choose(find(page, f"When {name} is checked"), "When it is complete")
    press(qtbot, row, "Add a step")
    added = [b for b in row.findChildren(QComboBox) if b.accessibleName() == "What is done"][-1]
    choose(added, "See in the address")
    where = added.parentWidget()
    assert where is not None
    write(qtbot, where, "Part of the address", "/plants")
    removes = [b for b in row.findChildren(QToolButton) if b.accessibleName() == "Remove this step"]
    qtbot.mouseClick(removes[0], Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    grips = [b for b in row.findChildren(QToolButton) if b.accessibleName() == "Move this step"]
    visible = sorted(
        (g for g in grips if g.isVisibleTo(row)), key=lambda g: g.mapTo(row, g.pos()).y()
    )
    qtbot.keyClick(visible[-1], Qt.Key.Key_Up)
    check = page.edited_blueprint()["acceptance_checks"][0]
    assert check == {
        "name": name,
        "phase": None,
        "steps": [
            {"do": "click", "selector": "button", "text": "Add a plant"},
            {"do": "fill", "selector": "[aria-label='Name']", "value": "Basil"},
            {"do": "press", "key": "Enter"},
            {"do": "expectUrl", "text": "/plants"},
            {"do": "expectText", "selector": "ul", "text": "Monty"},
        ],
    }


def test_numbers_of_a_step_are_figures_wherever_the_person_lives(
    qtbot: QtBot, theme: Theme, default_locale: Callable[[str], None]
) -> None:
    default_locale("de_DE")
    editor = StepEditor(theme)
    qtbot.addWidget(editor)
    editor.set_values([{"do": "wait", "ms": 500}], editable=True)
    editor.show()
    write(qtbot, editor, "Milliseconds", "1.500")
    assert editor.values() == [{"do": "wait", "ms": "1500"}]


def test_checks_are_added_removed_and_ordered(qtbot: QtBot, page: BlueprintPage) -> None:
    first, second = (check["name"] for check in WHOLE["acceptance_checks"])
    qtbot.keyClick(find(page, f"Move the check {second}"), Qt.Key.Key_Up)
    assert [c["name"] for c in page.edited_blueprint()["acceptance_checks"]] == [second, first]
    press(qtbot, page, f"Remove the check {first}")
    press(qtbot, page, "Add a check")
    added = page.focusWidget()
    assert isinstance(added, QLineEdit)
    qtbot.keyClicks(added, "It opens")
    checks = page.edited_blueprint()["acceptance_checks"]
    assert [c["name"] for c in checks] == [second, "It opens"]
    assert checks[1]["steps"] == [{"do": "goto", "path": "/"}]


def test_discard_takes_back_and_replan_hands_over_what_changed(
    qtbot: QtBot, page: BlueprintPage
) -> None:
    write(qtbot, page, "Title of the app", "Fern & Friends")
    press(qtbot, page, "Remove the view Plant")
    with qtbot.waitSignal(page.replan_requested) as asked:
        press(qtbot, page, "Re-plan")
    assert sorted(asked.args[0]) == ["title", "views"]
    press(qtbot, page, "Discard")
    assert page.edited_blueprint() == WHOLE
    assert not find(page, "Re-plan").isEnabled()
    page.set_edited_before(edited=True)
    assert find(page, "Re-plan").isEnabled()


@pytest.mark.parametrize(
    ("field", "at"),
    [
        ("title", "Title of the app"),
        ("views.1.name", "Name of the view"),
        ("implementation_roadmap.2.phase", "Name of the phase"),
        ("color_palette.1", "Colour #F4EFE4"),
        ("template", "Starter of the app"),
        ("acceptance_checks.1.phase", "When A watered plant leaves the list of today is checked"),
        ("acceptance_checks.1.steps.0.path", "Address, such as /settings"),
        ("initial_phase.files.0.path", "Path of the file"),
        ("user_flow.ui_layout", "How the screen is laid out"),
    ],
)
def test_a_problem_is_said_at_its_field(
    qtbot: QtBot, page: BlueprintPage, field: str, at: str
) -> None:
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.show_problem(field, "It cannot be empty.")
    wrong = page.focusWidget()
    assert wrong is not None
    assert wrong.accessibleName() == at
    assert wrong.property("invalid") is True
    assert wrong.accessibleDescription() == "It cannot be empty."
    said = next(w for w in page.findChildren(QLabel) if w.text() == "It cannot be empty.")
    assert said.isVisible()
    write(qtbot, page, "Title of the app", "Other")
    assert not said.isVisible()
    assert not wrong.property("invalid")


def test_while_it_is_built_checks_and_coming_phases_can_be_saved(
    qtbot: QtBot, page: BlueprintPage
) -> None:
    page.set_blueprint(WHOLE, "approved")
    page.set_roadmap(
        [RoadmapItem(p["phase"], "done" if n == 0 else "todo") for n, p in enumerate(WHOLE["implementation_roadmap"])]
    )  # fmt: skip
    QApplication.processEvents()
    names = [f for f in page.findChildren(QLineEdit) if f.accessibleName() == "Name of the phase"]
    assert [f.isReadOnly() for f in names if f.isVisibleTo(page)] == [True, False, False, False]
    title = find(page, "Title of the app")
    assert isinstance(title, QLineEdit)
    assert title.isReadOnly()
    press(qtbot, page, "Remove the phase Reminders")
    with qtbot.waitSignal(page.save_requested) as saved:
        press(qtbot, page, "Save changes")
    assert list(saved.args[0]) == ["implementation_roadmap"]
    press(qtbot, page, "Discard")
    assert not page.changed


@pytest.mark.parametrize("kind", [BlueprintPage, BlueprintCard])
def test_what_is_no_web_app_lets_choose(qtbot: QtBot, theme: Theme, kind: type[Any]) -> None:
    widget = kind(theme)
    qtbot.addWidget(widget)
    widget.resize(900, 600)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_blueprint({"title": "Queue", "not_a_web_app": NO_WEB_APP}, "streaming")
    assert not [b for b in widget.findChildren(QPushButton) if b.isVisible() and b.text() == "Stop"]
    widget.set_blueprint({**WHOLE, "not_a_web_app": NO_WEB_APP}, "awaiting_approval")
    assert any(NO_WEB_APP in w.accessibleName() for w in widget.findChildren(QWidget))
    starts = [b for b in widget.findChildren(QPushButton) if b.accessibleName() == "Start building"]
    assert not any(b.isVisible() for b in starts)
    with qtbot.waitSignal(widget.stop_requested):
        press(qtbot, widget, "Stop")
    agreed = widget.approve_requested if kind is BlueprintPage else widget.approved
    with qtbot.waitSignal(agreed):
        press(qtbot, widget, "Build the nearest thing")


def test_the_card_has_the_checks_behind_a_chevron(qtbot: QtBot, theme: Theme) -> None:
    card = BlueprintCard(theme)
    qtbot.addWidget(card)
    card.resize(356, 600)
    card.show()
    card.set_blueprint(WHOLE, "awaiting_approval")
    header = card.findChildren(CardHeader)[0]
    assert header.accessibleName() == "2 checks to pass, collapsed"
    qtbot.keyClick(header, Qt.Key.Key_Return)
    QApplication.processEvents()
    shown = "\n".join(w.accessibleName() for w in card.findChildren(QWidget) if w.isVisible())
    assert "2. Click “Add a plant”" in shown
    assert "A watered plant leaves the list of today" in card.text()
