from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListView, QMenu
from pytestqt.qtbot import QtBot

from tests.ui.gallery import project_cards
from vibedesk.ui.home.cards import ProjectCard, card_state
from vibedesk.ui.home.library_model import CARD_ROLE, LibraryModel
from vibedesk.ui.home.projects import ProjectsPage
from vibedesk.ui.theme.theme import Theme


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> ProjectsPage:
    made = ProjectsPage(theme)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.set_projects(project_cards(200))
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    return made


def _view(page: ProjectsPage) -> QListView:
    return page.findChild(QListView)


def _titles(page: ProjectsPage) -> list[str]:
    model = _view(page).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_the_library_is_shown_newest_first(page: ProjectsPage) -> None:
    titles = _titles(page)
    assert titles[:3] == ["New project", "Fernwood", "Ledgerly"]
    assert len(titles) == 201


def test_words_narrow_the_library_in_any_order(qtbot: QtBot, page: ProjectsPage) -> None:
    qtbot.keyClicks(page.findChild(QLineEdit), "club TIDE")
    assert _titles(page)
    assert all(title.startswith("Tidepool") for title in _titles(page))


def test_a_search_without_result_says_so_and_can_be_cleared(
    qtbot: QtBot, page: ProjectsPage
) -> None:
    qtbot.keyClicks(page.findChild(QLineEdit), "wter")
    assert not _view(page).isVisible()
    clear = next(
        b for b in page.findChildren(QAbstractButton) if b.accessibleName() == "Show all projects"
    )
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert len(_titles(page)) == 201
    assert _view(page).isVisible()


def test_states_filter_and_count(qtbot: QtBot, page: ProjectsPage) -> None:
    building = next(
        b for b in page.findChildren(QAbstractButton) if b.accessibleName() == "Building 25"
    )
    qtbot.mouseClick(building, Qt.MouseButton.LeftButton)
    assert len(_titles(page)) == 25
    assert all(title.startswith("Ledgerly") for title in _titles(page))


def test_the_keyboard_walks_opens_and_deletes(qtbot: QtBot, page: ProjectsPage) -> None:
    view = _view(page)
    page.focus_first()
    qtbot.waitUntil(view.hasFocus)
    with qtbot.waitSignal(page.new_project_requested):
        qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    with qtbot.waitSignal(page.project_chosen) as heard:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert heard.args == ["project-0"]
    with qtbot.waitSignal(page.delete_requested) as heard:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert heard.args == ["project-0"]


def test_a_click_opens(qtbot: QtBot, page: ProjectsPage) -> None:
    view = _view(page)
    place = view.visualRect(view.model().index(1, 0)).center()
    with qtbot.waitSignal(page.project_chosen) as heard:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard.args == ["project-0"]


def test_the_menu_opens_and_deletes(qtbot: QtBot, page: ProjectsPage) -> None:
    view = _view(page)
    place: QPoint = view.visualRect(view.model().index(2, 0)).center()
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), event)
    menu = next(menu for menu in page.findChildren(QMenu) if menu.isVisible())
    with qtbot.waitSignal(page.delete_requested) as heard:
        menu.actions()[-1].trigger()
    assert heard.args == ["project-1"]
    menu.close()


def test_new_data_keeps_the_current_project(qtbot: QtBot, page: ProjectsPage) -> None:
    view = _view(page)
    view.setCurrentIndex(view.model().index(5, 0))
    before = view.currentIndex().data(CARD_ROLE).id
    page.set_projects(project_cards(200)[2:])
    assert view.currentIndex().data(CARD_ROLE).id == before


def test_an_empty_library_says_what_to_do(qtbot: QtBot, page: ProjectsPage) -> None:
    page.set_projects([])
    start = next(
        b for b in page.findChildren(QAbstractButton) if b.accessibleName() == "Start a project"
    )
    assert start.isVisible()
    with qtbot.waitSignal(page.new_project_requested):
        qtbot.mouseClick(start, Qt.MouseButton.LeftButton)


def test_columns_fit_the_width(qtbot: QtBot, page: ProjectsPage) -> None:
    view = _view(page)
    for width, columns in ((1600, 4), (1200, 3), (700, 2)):
        page.resize(width, 900)
        qtbot.waitUntil(lambda count=columns: _columns(view) == count)
        last = view.visualRect(view.model().index(columns - 1, 0))
        assert last.right() <= view.viewport().width()


def _columns(view: QListView) -> int:
    model = view.model()
    tops = [view.visualRect(model.index(row, 0)).top() for row in range(8)]
    return tops.count(tops[0])


def test_cards_are_told_to_screen_readers_in_words(qtbot: QtBot) -> None:
    model = LibraryModel()
    model.set_cards(
        [
            ProjectCard(
                id="x", title="Tally", state="interrupted", updated_text="Monday", sample=True
            )
        ]
    )
    said = model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Tally, Interrupted, Monday, Recorded example"


@pytest.mark.parametrize(
    ("stored", "running", "shown"),
    [
        ("idle", False, "draft"),
        ("complete", False, "ready"),
        ("error", False, "failed"),
        ("implementing_phase", True, "building"),
        ("implementing_phase", False, "interrupted"),
    ],
)
def test_a_cards_state_comes_from_the_agents(stored: str, running: bool, shown: str) -> None:
    assert card_state(stored, running=running) == shown
