"""The history of a real project in the real window: kept, looked at, brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from tests.ui.desk import Desk, Scenario, make, play_at_desk
from tests.ui.qt_loop import until
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.ui.history.page import HistoryPage
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = [pytest.mark.own_process, pytest.mark.ui]
PATH = "src/App.tsx"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    made.shutdown_blocking()


@pytest.fixture
def play(qapp: QApplication, engine: Engine) -> Callable[[Scenario], None]:
    theme = Theme("dark")
    theme.apply(qapp)
    return lambda scenario: play_at_desk(qapp, engine, theme, scenario)


async def with_history(engine: Engine, desk: Desk) -> tuple[str, HistoryPage]:
    """Return a project with two versions, and its history in the window."""
    project_id = await make(engine)
    await engine.create_file(project_id, PATH, "first\n")
    await engine.snapshot(project_id, "One")
    await engine.delete_file(project_id, PATH)
    await engine.create_file(project_id, PATH, "second\n")
    await engine.create_file(project_id, "new.ts", "new\n")
    await engine.snapshot(project_id, "Two")
    await desk.open(project_id)
    [rail] = desk.buttons("History")
    rail.click()
    assert desk.window.page == "history"
    page = desk.window._pages["history"]
    assert isinstance(page, HistoryPage)
    await until(lambda: page._versions, "the versions")
    return project_id, page


def labels(page: HistoryPage) -> list[str]:
    return [version.label for version in page._versions]


def test_a_version_is_compared_and_brought_back_as_a_new_one(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id, page = await with_history(engine, desk)
        assert labels(page) == ["Two", "One"]
        page.choose(page._versions[1].commit)
        await until(lambda: page.detail._files.rows.items, "what it changed")
        assert [file.path for file in page.detail._files.rows.items] == [PATH]
        page.detail._against._buttons["now"].click()
        await until(lambda: len(page.detail._files.rows.items) == 2, "what differs from now")
        page.detail._restore.click()
        page.detail._strip._agree.click()
        await until(lambda: len(page._versions) == 3, "a version more")
        assert await engine.read_file(project_id, PATH) == "first\n"
        await until(lambda: page.chosen is not None and page.chosen.current, "the new one chosen")

    play(scenario)


def test_one_file_is_brought_back(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id, page = await with_history(engine, desk)
        page.choose(page._versions[1].commit)
        await until(lambda: page.detail._files.rows.items)
        page.detail._restore_file.click()
        page.detail._strip._agree.click()
        await until(lambda: len(page._versions) == 3)
        assert await engine.read_file(project_id, PATH) == "first\n"
        assert "new.ts" in {view.path for view in await engine.files(project_id)}

    play(scenario)


def test_keys_keep_a_version_with_a_name(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        _, page = await with_history(engine, desk)
        desk.window.show_page("workspace")
        desk.window._on_keep_version()
        assert desk.window.page == "history"
        page._name.setText("Before the new look")
        page._name.returnPressed.emit()
        await until(lambda: labels(page) == ["Before the new look", "Two", "One"])

    play(scenario)


def test_the_name_of_a_version_that_could_not_be_kept_stays(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id, page = await with_history(engine, desk)
        refs = Path((await engine.project(project_id)).folder) / ".git" / "refs" / "vibedesk"
        refs.rename(refs.with_name("away"))
        refs.write_text("in the way")
        page.start_keeping()
        page._name.setText("Before the new look")
        page._name.returnPressed.emit()
        assert page._name_row.isHidden()
        await until(lambda: not page._name_row.isHidden(), "it was refused")
        assert page._name.text() == "Before the new look"
        refs.unlink()
        refs.with_name("away").rename(refs)
        page._name_keep.click()
        await until(lambda: labels(page) == ["Before the new look", "Two", "One"])

    play(scenario)


def test_what_differs_from_now_is_looked_at_anew_when_the_page_is_shown_again(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id, page = await with_history(engine, desk)
        page.detail._against._buttons["now"].click()
        nothing = "The files are as they were in this version."
        await until(lambda: page.detail._file_words._text.text() == nothing)
        desk.window.show_page("workspace")
        session = desk.controller._session
        assert session is not None
        await session._sync.fetch()
        session._on_typed(PATH, 0, 0, "typed ")
        desk.buttons("History")[0].click()
        files = page.detail._files
        await until(lambda: [file.path for file in files.rows.items] == [PATH], "what was typed")
        assert "typed second" in files.rows.items[0].hunks
        page.choose(page._versions[1].commit)
        await until(lambda: len(files.rows.items) == 2, "another version")
        await engine.create_file(project_id, "more.ts", "more\n")
        await engine.snapshot(project_id, "Three")
        await until(lambda: len(files.rows.items) == 3, "a version more, so the files are others")

    play(scenario)


def test_a_run_bars_the_way_back_and_its_version_appears(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id, page = await with_history(engine, desk)
        page.choose(page._versions[1].commit)
        bus = engine._ours.bus
        await engine._call(
            bus.emit(project_id, e.StateChange("implementing_phase", "idle", "a wish"))
        )
        await until(lambda: not page.detail._restore.isEnabled(), "it is barred")
        assert "Stop the run first" in page.detail._restore.toolTip()
        await engine._call(
            bus.emit(project_id, e.StateChange("complete", "implementing_phase", "done"))
        )
        await until(page.detail._restore.isEnabled, "it is open again")
        await engine.create_file(project_id, "more.ts", "more\n")
        await engine.snapshot(project_id, "Three")
        await until(lambda: labels(page) == ["Three", "Two", "One"], "it appears by itself")

    play(scenario)


def test_another_project_has_a_history_of_its_own(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        _, page = await with_history(engine, desk)
        other = await make(engine)
        await desk.open(other)
        assert desk.window.page == "workspace"
        desk.buttons("History")[0].click()
        await until(lambda: not page._versions and page._shown.currentIndex() == 1)
        desk.window._on_mode_chosen("code")
        assert desk.window.page == "workspace"

    play(scenario)
