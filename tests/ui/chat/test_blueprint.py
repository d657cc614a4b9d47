from __future__ import annotations

import copy

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.chat_gallery import BLUEPRINT
from vibedesk.ui.chat.blueprint_card import BlueprintCard
from vibedesk.ui.chat.blueprint_page import BlueprintPage
from vibedesk.ui.chat.quiet_fields import QuietText
from vibedesk.ui.chat.roadmap import Roadmap, RoadmapItem
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.labels import StatusChip
from vibedesk.ui.widgets.marks import Swatch


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> BlueprintPage:
    made = BlueprintPage(theme)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    qtbot.waitExposed(made)
    made.set_blueprint(BLUEPRINT, "awaiting_approval")
    return made


def named(page: QWidget, name: str) -> QLineEdit:
    return next(f for f in page.findChildren(QLineEdit) if f.accessibleName() == name)


def press(qtbot: QtBot, page: QWidget, name: str) -> None:
    for kind in (QPushButton, QToolButton):
        for found in page.findChildren(kind):
            if found.accessibleName() == name and found.isVisible():
                qtbot.mouseClick(found, Qt.MouseButton.LeftButton)
                return
    pytest.fail(f"no button {name}")


def phases(blueprint: dict[str, object]) -> list[str]:
    return [item["phase"] for item in blueprint["implementation_roadmap"]]  # type: ignore[index,attr-defined]


def test_untouched_blueprint_is_agreed_to_as_it_came(qtbot: QtBot, page: BlueprintPage) -> None:
    with qtbot.waitSignal(page.approve_requested) as approved:
        press(qtbot, page, "Start building")
    assert approved.args == [BLUEPRINT]


def test_edits_are_in_what_is_agreed_to(qtbot: QtBot, page: BlueprintPage) -> None:
    before = copy.deepcopy(BLUEPRINT)
    title = named(page, "Title of the app")
    title.selectAll()
    qtbot.keyClicks(title, "Fern & Friends")
    press(qtbot, page, "Remove the view Plant")
    press(qtbot, page, "Remove the phase Journal and photos")
    with qtbot.waitSignal(page.approve_requested) as approved:
        press(qtbot, page, "Start building")
    blueprint = approved.args[0]
    assert blueprint["title"] == "Fern & Friends"
    assert [view["name"] for view in blueprint["views"]] == ["Today", "Library", "Journal"]
    assert phases(blueprint) == ["Plant library", "Watering schedule", "Reminders"]
    assert blueprint["frameworks"] == BLUEPRINT["frameworks"]
    assert before == BLUEPRINT


def test_arrows_on_a_grip_reorder_the_roadmap(qtbot: QtBot, page: BlueprintPage) -> None:
    grip = next(
        b
        for b in page.findChildren(QToolButton)
        if b.accessibleName() == "Move the phase Reminders"
    )
    qtbot.keyClick(grip, Qt.Key.Key_Up)
    qtbot.keyClick(grip, Qt.Key.Key_Up)
    order = ["Plant library", "Reminders", "Watering schedule", "Journal and photos"]
    assert phases(page.edited_blueprint()) == order
    for _ in range(9):
        qtbot.keyClick(grip, Qt.Key.Key_Down)
    assert phases(page.edited_blueprint())[-1] == "Reminders"


def test_dragging_a_grip_reorders_the_roadmap(qtbot: QtBot, page: BlueprintPage) -> None:
    first = next(
        b
        for b in page.findChildren(QToolButton)
        if b.accessibleName() == "Move the phase Plant library"
    )
    target = next(
        b
        for b in page.findChildren(QToolButton)
        if b.accessibleName() == "Move the phase Reminders"
    )
    qtbot.mousePress(first, Qt.MouseButton.LeftButton)
    at = first.mapFromGlobal(target.mapToGlobal(target.rect().center()))
    qtbot.mouseMove(first, at)
    qtbot.mouseRelease(first, Qt.MouseButton.LeftButton, pos=at)
    assert phases(page.edited_blueprint())[-1] == "Plant library"


def test_colours_change_stripe_and_result(page: BlueprintPage) -> None:
    tile = page._form._colours._tiles[1]
    tile.set_colour(QColor("#123456"))
    assert page.edited_blueprint()["color_palette"] == ["#2F6B4F", "#123456", "#D9784C"]
    assert [colour.name() for colour in page._stripe._colours][1] == "#123456"


def test_agreed_blueprint_is_read_only(qtbot: QtBot, page: BlueprintPage) -> None:
    page.set_blueprint(BLUEPRINT, "approved")
    assert named(page, "Title of the app").isReadOnly()
    assert all(field.isReadOnly() for field in page.findChildren(QuietText) if field.isVisible())
    with qtbot.assertNotEmitted(page.approve_requested):
        page.approve()
    assert not any(
        b.isVisible() for b in page.findChildren(QToolButton) if "Move" in b.accessibleName()
    )


def test_the_same_blueprint_again_keeps_edits(qtbot: QtBot, page: BlueprintPage) -> None:
    title = named(page, "Title of the app")
    title.selectAll()
    qtbot.keyClicks(title, "Mine")
    page.set_blueprint(copy.deepcopy(BLUEPRINT), "awaiting_approval")
    assert page.edited_blueprint()["title"] == "Mine"


def test_ask_for_changes_is_passed_on(qtbot: QtBot, page: BlueprintPage) -> None:
    with qtbot.waitSignal(page.changes_requested):
        press(qtbot, page, "Ask for changes")


def test_long_descriptions_wrap(qtbot: QtBot, page: BlueprintPage) -> None:
    view = next(
        f for f in page.findChildren(QuietText) if f.accessibleName() == "What Library shows"
    )
    short = next(
        f for f in page.findChildren(QuietText) if f.accessibleName() == "What Journal shows"
    )
    qtbot.waitUntil(lambda: view.height() > short.height(), timeout=2000)
    page.resize(384, 700)
    qtbot.waitUntil(lambda: view.width() < 340)
    assert page._form._views._columns == 1


def test_card_shows_section_by_section(qtbot: QtBot, theme: Theme) -> None:
    card = BlueprintCard(theme)
    qtbot.addWidget(card)
    card.resize(356, 300)
    card.show()

    def visible(kind: type[QWidget]) -> int:
        QApplication.processEvents()
        return sum(1 for w in card.findChildren(kind) if w.isVisible())

    start = next(
        b for b in card.findChildren(QPushButton) if b.accessibleName() == "Start building"
    )
    card.set_blueprint({"title": "Fernwood"}, "streaming")
    assert (visible(Swatch), visible(StatusChip)) == (0, 0)
    card.set_blueprint({k: BLUEPRINT[k] for k in ("title", "color_palette", "views")}, "streaming")
    assert (visible(Swatch), visible(StatusChip)) == (3, 4)
    assert not start.isVisible()
    card.set_blueprint(BLUEPRINT, "awaiting_approval")
    assert start.isVisible()
    roadmap = card.findChildren(Roadmap)[0]
    assert [item.name for item in roadmap.items][:2] == ["Plant library", "Watering schedule"]
    card.set_roadmap([RoadmapItem("Plant library", "active", "3 of 5 files", 0.6)])
    card.set_blueprint(
        {**BLUEPRINT, "implementation_roadmap": [{"phase": "Plant library"}]}, "approved"
    )
    assert roadmap.items[0].extra == "3 of 5 files"
    assert not start.isVisible()


def test_many_colours_show_as_three_swatches(qtbot: QtBot, theme: Theme) -> None:
    card = BlueprintCard(theme)
    qtbot.addWidget(card)
    card.set_blueprint(
        {"color_palette": ["#0e1311", "#161d1a", "#27322d", "#ecf2ec", "bad"]}, "approved"
    )
    assert len(card.findChildren(Swatch)) == 3
