"""Pages, library and closing, with the real engine; nothing is built here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu

from tests.support import model_faults as faults
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import TINY_TEMPLATE
from tests.ui.desk import Desk, Scenario, make, play_at_desk
from tests.ui.mending_samples import ISSUES
from tests.ui.qt_loop import until
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.dialogs.add_starter import AddStarterDialog
from vibedesk.ui.dialogs.model_setup import ModelSetupDialog
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.shell.main_window import PageName
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = [pytest.mark.own_process, pytest.mark.ui]


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


def test_first_start_offers_samples_and_no_projects(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.welcome._samples, "the samples")
        shown = desk.window._status._shown
        await until(lambda: "projects" in shown, "the status bar")
        assert shown["projects"][0].text == "0 projects"

    play(scenario)


def test_a_deleted_project_leaves_list_and_page(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        desk.projects.delete_requested.emit(project_id)
        await desk.press_in_dialog("Delete project")
        await until(lambda: desk.window.page == "projects", "the page is left")
        assert await engine.projects() == []

    play(scenario)


@pytest.mark.parametrize(
    ("page", "then"),
    [("workspace", "projects"), ("projects", "projects"), ("welcome", "welcome")],
)
def test_a_project_that_somebody_else_deleted_is_left_and_no_other_page(
    play: Callable[[Scenario], None], page: PageName, then: PageName
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        desk.window.show_page(page)
        await engine.delete_project(project_id)
        await until(lambda: not desk.window._project_id, "it is left")
        assert desk.window.page == then
        await until(lambda: not desk.controller._cards, "it is listed no more")

    play(scenario)


def test_what_is_written_and_not_sent_stays_with_its_project(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        first, second = await make(engine), await make(engine)
        await desk.open(first)
        panels = desk.controller._panels
        assert panels is not None
        panels.chat.set_draft("half a thou")
        await desk.open(second)
        assert panels.chat.draft() == ""
        await desk.open(first)
        await until(lambda: panels.chat.draft() == "half a thou", "it is back")

    play(scenario)


def test_an_unknown_project_is_told(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        desk.controller.open_project("nothing-like-that")
        await until(lambda: desk.window._toasts._toasts, "it is told")

    play(scenario)


def test_a_host_the_app_wants_is_asked_for_and_granted(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        preview = desk.controller._panels.preview  # type: ignore[union-attr]
        preview.request_blocked.emit("https://api.example.org/data", "not granted")
        preview.request_blocked.emit("http://192.168.1.1/", "private")

        def buttons() -> list[QAbstractButton]:
            found = desk.window.findChildren(QAbstractButton)
            return [
                b for b in found if b.text().strip() == "Allow in this project" and b.isVisible()
            ]

        await until(buttons, "it asks")
        assert len(buttons()) == 1, "a private address cannot be granted"
        buttons()[0].click()
        await until(lambda: not buttons(), "the question goes")
        assert await engine.grant_host(project_id, "api.example.org") == ["api.example.org"]
        session = desk.controller._session
        assert session is not None
        await until(lambda: session._granted == ("api.example.org",), "the preview knows")

    play(scenario)


def test_the_emergency_stop_ends_every_run(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        runs = [await engine.create(wish, ProjectOptions(sandbox="local")) for wish in "ab"]
        for project_id in runs:
            await engine.generate(project_id)
        assert sorted(await engine.running()) == sorted(runs)
        [more] = desk.buttons("More")
        more.click()
        menu = next(menu for menu in desk.window.findChildren(QMenu) if menu.isVisible())
        [stop] = [a for a in menu.actions() if a.text() == "Stop all runs and apps"]
        stop.trigger()
        menu.close()
        await until(lambda: desk.window._toasts._toasts, "it is told")
        assert await engine.running() == []
        assert {card.state for card in await engine.projects()} == {"idle"}

    with serve_in_thread() as server:
        server.fail(faults.stall(), times=2)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        play(scenario)


@pytest.fixture
def silent_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A provider that is set up in the environment, and answers nothing."""
    with serve_in_thread() as server:
        server.fail(faults.stall(), times=9)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.parametrize(("stored", "budget"), [(None, 5.0), (2, 2.0), (0, None)])
def test_a_new_project_gets_the_limit_that_the_estimate_names(
    play: Callable[[Scenario], None],
    silent_models: ModelServer,
    stored: float | None,
    budget: float | None,
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        desk.welcome.set_wish("A counter")
        shown = desk.welcome._prompt._estimate
        await until(lambda: shown.text().endswith(", at most $5.00"), "it is estimated")
        if stored is not None:
            desk.window.show_page("settings")
            await engine.set_setting("build.budget_usd", stored)
            desk.window.show_page("welcome")
        limit = f"${budget:.2f}" if budget else ""
        await until(lambda: shown.text().partition(", at most ")[2] == limit, "anew")
        desk.welcome._prompt.submit()
        await until(lambda: desk.controller._session, "it opens")
        [card] = await engine.projects()
        assert (await engine.project(card.id)).budget == budget
        await engine.cancel(card.id)

    play(scenario)


def test_a_recorded_example_needs_no_limit(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.welcome._samples, "the samples")
        desk.welcome.sample_chosen.emit("kanban-board")
        await until(lambda: desk.controller._session, "it opens")
        [card] = await engine.projects()
        assert (await engine.project(card.id)).budget is None
        await engine.cancel(card.id)

    play(scenario)


def test_two_clicks_on_a_recorded_example_make_one_project(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.welcome._samples, "the samples")
        desk.welcome._samples[0].click()
        desk.welcome._samples[0].click()
        await until(lambda: desk.controller._session, "it opens")
        await until(lambda: not desk.controller._making, "it is made")
        [card] = await engine.projects()
        await engine.cancel(card.id)

    play(scenario)


def test_the_status_bar_counts_one_as_one(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await desk.open(await make(engine))
        shown = desk.window._status._shown
        session = desk.controller._session
        assert session is not None
        await engine._call(engine._ours.bus.emit(session.project_id, e.Diagnostics(ISSUES[:1])))
        await until(lambda: session.mending.problems, "a problem is known")
        assert shown["errors"][0].tooltip == "1 error"
        assert shown["warnings"][0].tooltip == "0 warnings"
        desk.window.show_page("projects")
        await until(lambda: "projects" in shown, "the status bar")
        await until(lambda: shown["projects"][0].text == "1 project", "it is counted")

    play(scenario)


def test_the_home_page_names_the_model_that_is_asked(
    play: Callable[[Scenario], None], silent_models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        named = desk.welcome._prompt._model_words
        await until(lambda: named.text() == "claude-sonnet-5-5", "the usual one")
        await engine.set_preset("best")
        desk.controller.settings.models_changed.emit()
        await until(lambda: named.text() == "claude-opus-5-5", "that of the preset")
        await engine.set_up_provider("ollama", model="qwen3:8b")
        desk.controller.settings.models_changed.emit()
        await until(lambda: named.text() == "qwen3:8b", "that of the provider asked first")
        assert desk.window._status._shown["model"][0].text == "qwen3:8b"

    play(scenario)


def menu_of(desk: Desk, button: str) -> QMenu:
    [found] = desk.buttons(button)
    found.click()
    return next(menu for menu in desk.window.findChildren(QMenu) if menu.isVisible())


def test_a_starter_of_ones_own_is_added_used_and_removed(
    play: Callable[[Scenario], None], silent_models: ModelServer, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(TINY_TEMPLATE, folder)

    async def scenario(engine: Engine, desk: Desk) -> None:
        starters = desk.welcome.starters
        await until(lambda: starters.names, "the starters")
        menu = menu_of(desk, "Starter, chosen by the plan")
        next(a for a in menu.actions() if a.text() == "Add your own…").trigger()
        menu.close()
        await until(lambda: desk.window.findChildren(AddStarterDialog), "it asks")
        [dialog] = desk.window.findChildren(AddStarterDialog)
        dialog._source.setText(str(tmp_path / "nowhere"))
        dialog._add.click()
        await until(lambda: dialog.problem, "it says what is wrong")
        assert "There is no folder" in dialog.problem
        dialog._source.setText(str(folder))
        assert dialog.problem == ""
        dialog._add.click()
        await until(lambda: starters.chosen == "tiny", "it is added and chosen")
        desk.welcome.set_wish("A counter")
        desk.welcome._prompt.submit()
        await until(lambda: desk.controller._session, "it opens")
        [card] = await engine.projects()
        assert (await engine.project(card.id)).template == "tiny"
        assert starters.chosen == "", "it was for this wish"
        await engine.cancel(card.id)
        desk.window.show_page("welcome")
        await remove(desk)
        await until(lambda: desk.window._toasts._toasts, "a project needs it")
        await engine.delete_project(card.id)
        await remove(desk)
        await until(lambda: "tiny" not in starters.names, "it is gone")
        assert "tiny" not in [template.name for template in await engine.templates()]

    async def remove(desk: Desk) -> None:
        menu = menu_of(desk, "Starter, chosen by the plan")
        own = next(a for a in menu.actions() if a.menu()).menu()
        assert isinstance(own, QMenu)
        own.actions()[0].trigger()
        menu.close()
        await desk.press_in_dialog("Remove starter")

    play(scenario)


def test_the_preview_ends_with_the_window_also_when_the_engine_is_gone(
    play: Callable[[Scenario], None], tmp_path: Path
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await desk.open(await make(engine))
        panels = desk.controller._panels
        assert panels is not None
        panels.preview.set_target("http://127.0.0.1:9/", tmp_path / "profile")
        assert panels.preview.findChildren(QWebEngineView)
        async with desk.controller._switching:
            desk.window.close()
            await until(lambda: not desk.window.isVisible(), "the window goes")
            await engine.shutdown()
        await until(lambda: desk.closed, "it closes")
        assert not panels.preview.findChildren(QWebEngineView)

    play(scenario)


async def open_with_a_plan(engine: Engine, desk: Desk) -> tuple[ProjectPanels, Workspace]:
    """Open a project that has a plan and one file, in a window that has the keys."""
    desk.controller.raise_window()
    await until(desk.window.isActiveWindow, "the window in front")
    project_id = await make(engine)
    await engine.create_file(project_id, "src/App.tsx", "one\ntwo\nthree\n")
    await desk.open(project_id)
    await tell(engine, project_id, e.BlueprintReady({"title": "Board"}))
    panels, workspace = desk.controller._panels, desk.window.workspace
    assert panels is not None
    assert workspace is not None
    await until(panels.chat._header._tabs["blueprint"].isEnabled, "the plan")
    return panels, workspace


async def tell(engine: Engine, project_id: str, *payloads: e.Payload) -> None:
    """Have the engine tell facts, as a run would."""
    await engine._call(engine._ours.bus.emit(project_id, *payloads))


def test_a_file_that_is_asked_for_is_brought_to_sight(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        panels, workspace = await open_with_a_plan(engine, desk)
        workspace.set_mode("preview")
        panels.chat.file_clicked.emit("src/App.tsx")
        await until(panels.editor.isVisible, "the editor, in a layout that has one")
        assert workspace.mode == desk.window._top._modes.current == "build"
        panels.chat.show_tab("blueprint")
        assert not panels.editor.isVisible()
        panels.problems.opened.emit("src/App.tsx", 2, 1)
        await until(panels.editor.isVisible, "the editor, in place of the plan")
        assert panels.chat._header._tabs["chat"].isChecked()
        editor = panels.editor._editors["src/App.tsx"]
        await until(lambda: editor.widget.hasFocus(), "the line has the keyboard")

    play(scenario)


def test_the_count_of_problems_shows_them_in_place_of_the_plan(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        panels, _ = await open_with_a_plan(engine, desk)
        panels.chat.show_tab("blueprint")
        desk.window.status_clicked.emit("errors")
        assert panels.problems.isVisible()
        desk.window.show_page("history")
        panels.chat.show_tab("blueprint")
        desk.window.status_clicked.emit("warnings")
        assert panels.problems.isVisible()

    play(scenario)


def test_keys_for_what_the_plan_hides_bring_it_forward(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        panels, workspace = await open_with_a_plan(engine, desk)
        control = Qt.KeyboardModifier.ControlModifier
        for key, panel in (
            (Qt.Key.Key_1, panels.editor),
            (Qt.Key.Key_2, panels.editor),
            (Qt.Key.Key_3, panels.preview),
            (Qt.Key.Key_E, panels.editor),
            (Qt.Key.Key_J, panels.dock._pages),
            (Qt.Key.Key_B, panels.files),
        ):
            panels.chat.show_tab("blueprint")
            assert not panel.isVisible()
            QTest.keyClick(desk.window, key, control)
            assert panel.isVisible(), key
        panels.chat.show_tab("blueprint")
        QTest.keyClick(desk.window, Qt.Key.Key_B, control | Qt.KeyboardModifier.ShiftModifier)
        assert panels.preview.isVisible()
        QTest.keyClick(desk.window, Qt.Key.Key_J, control)
        assert workspace.dock_collapsed, "what is seen is folded"
        panels.chat.show_tab("blueprint")
        QTest.keyClick(desk.window, Qt.Key.Key_J, control)
        assert panels.dock._pages.isVisible()

    play(scenario)


def choices(desk: Desk) -> list[tuple[str, bool]]:
    """Return what the project switcher offers, and which of it is ticked."""
    [switcher] = [b for b in desk.buttons("") if b.accessibleName().startswith("Switch project")]
    menu = menu_of(desk, switcher.accessibleName())
    offered = [(a.text(), a.isChecked()) for a in menu.actions() if a.isCheckable()]
    menu.close()
    menu.deleteLater()
    return offered


def test_the_project_switcher_knows_every_project_by_its_present_name(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        top = desk.window._top
        await until(lambda: desk.welcome._samples, "the start")
        first = await make(engine)
        await desk.open(first)
        await until(lambda: [c.id for c in top._choices] == [first], "the new one")
        assert [ticked for _, ticked in choices(desk)] == [True]
        await tell(engine, first, e.BlueprintReady({"title": "Harbour"}))
        await until(lambda: choices(desk) == [("Harbour", True)], "its name")
        second = await make(engine)
        await desk.open(second)
        await until(lambda: {c.id for c in top._choices} == {first, second}, "both")
        assert top._current == second
        assert sum(ticked for _, ticked in choices(desk)) == 1

    play(scenario)


def test_nothing_runs_any_more_where_a_running_project_was_deleted(
    play: Callable[[Scenario], None], silent_models: ModelServer
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await engine.create("A counter", ProjectOptions(sandbox="local"))
        await desk.open(project_id)
        await engine.generate(project_id)
        rail, tick = desk.window._rail._build, desk.controller._tick
        await until(tick.isActive, "the clock ticks")
        desk.window.show_page("projects")
        assert "running" in rail.accessibleName()
        desk.projects.delete_requested.emit(project_id)
        await desk.press_in_dialog("Delete project")
        await until(lambda: not desk.controller._cards, "it is gone")
        assert "running" not in rail.accessibleName()
        assert not tick.isActive()
        assert desk.window._phase is not None
        assert desk.window._phase.control == "none"

    play(scenario)


def test_the_status_bar_names_the_model_that_was_set_up_in_the_dialog(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        shown = desk.window._status._shown
        await until(lambda: "model" in shown and desk.welcome._samples, "the start")
        assert shown["model"][0].text == "No model set up"
        desk.window.status_clicked.emit("model")
        await until(lambda: desk.window.findChildren(ModelSetupDialog), "the dialog")
        await engine.set_up_provider("ollama", base_url="http://127.0.0.1:9/v1", model="tiny")
        desk.window.findChildren(ModelSetupDialog)[0].reject()
        await until(lambda: shown["model"][0].text == "tiny", "the status bar")

    play(scenario)


def test_a_project_that_could_not_be_opened_is_opened_anew(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        controller = desk.controller
        controller.open_project("nothing-like-that")
        await until(lambda: controller._session and controller._session.failed_to_open)
        before = controller._session
        controller.open_project("nothing-like-that")
        await until(lambda: controller._session is not before, "it is tried again")
        await until(lambda: controller._session and controller._session.failed_to_open)

    play(scenario)


def test_the_filter_of_files_does_not_hide_those_of_another_project(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        panels, _ = await open_with_a_plan(engine, desk)
        panels.files.start_filter()
        panels.files._field.setText("nothing like that")
        assert panels.files._model.paths == []
        other = await make(engine)
        await engine.create_file(other, "index.html", "<p>")
        await desk.open(other)
        assert panels.files._model.paths == ["index.html"]
        assert not panels.files._field.isVisible()

    play(scenario)
