"""The sandbox in the window, with the real engine; no app is started here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.ui.desk import Desk, Scenario, make, play_at_desk
from tests.ui.qt_loop import until
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.dialogs.consent import ConsentDialog
from vibedesk.ui.dialogs.where_apps_run import WhereAppsRunDialog
from vibedesk.ui.sandbox.popover import SandboxPopover
from vibedesk.ui.sandbox.words import PLACE_ASKED_SETTING, PLACE_SETTING
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


async def tell(engine: Engine, project_id: str, payload: e.Payload) -> None:
    assert engine._services is not None
    await engine._call(engine._services.bus.emit(project_id, payload))


def words(widget: QWidget) -> str:
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if w.isVisible())


def popover(desk: Desk) -> SandboxPopover:
    return desk.window.findChild(SandboxPopover)


async def open_popover(desk: Desk) -> SandboxPopover:
    await until(lambda: desk.window.status_widget("sandbox"), "the status bar")
    desk.window._status.item_clicked.emit("sandbox")
    await until(lambda: popover(desk) is not None and popover(desk).is_open, "it opens")
    return popover(desk)


def test_the_status_bar_opens_the_popover_and_escape_closes_it(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await desk.open(await make(engine))
        opened = await open_popover(desk)
        assert "Not started" in opened._chip.accessibleName()
        monitor = desk.controller._sandbox.monitor
        await until(lambda: monitor.view is not None, "the engine is asked")
        await until(lambda: "Measuring" not in words(opened), "what is kept")
        QTest.keyClick(opened, Qt.Key.Key_Escape)
        assert not opened.is_open
        opened = await open_popover(desk)
        desk.window.show_page("projects")
        assert not opened.is_open, "it belongs to the project"

    play(scenario)


def test_states_and_failures_are_shown_where_they_are_looked_for(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        opened = await open_popover(desk)
        reason = "The sandbox stopped. It used more than 2 GB. Your files are safe."
        await tell(engine, project_id, e.SandboxState("failed", reason))
        await until(lambda: reason in words(opened), "the popover says it")
        shown = desk.window._status._shown
        assert shown["sandbox"][0].text == "App has stopped by itself"
        assert shown["sandbox"][0].tooltip == reason
        assert desk.controller._panels is not None
        assert reason in words(desk.controller._panels.preview)
        opened.close_over()
        desk.controller._panels.preview.sandbox_requested.emit()
        assert opened.is_open, "the preview leads there"

    play(scenario)


def test_what_the_engine_refuses_is_said_in_the_popover(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await desk.open(await make(engine))
        opened = await open_popover(desk)
        opened.action_requested.emit("shell")
        await until(lambda: opened._trouble.isVisible(), "it is said")
        assert opened._trouble.accessibleName()
        assert desk.window._toasts._toasts == []
        await until(lambda: opened._busy is None, "done")

    play(scenario)


def test_rebuilding_asks_first_and_says_what_is_lost(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await desk.open(await make(engine))
        opened = await open_popover(desk)
        opened.action_requested.emit("rebuild")
        await desk.press_in_dialog("Cancel")
        await until(lambda: opened._busy is None)
        assert opened.is_open
        assert not opened._trouble.isVisible()

    play(scenario)


def test_size_and_network_are_kept_with_the_project(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        opened = await open_popover(desk)
        opened.size_chosen.emit("standard-1")
        opened.network_chosen.emit("none")
        monitor = desk.controller._sandbox.monitor
        await until(
            lambda: (
                monitor.view is not None
                and (monitor.view.size, monitor.view.network) == ("standard-1", "none")
            ),
            "the engine has it",
        )
        await until(lambda: opened._size.currentData() == "standard-1")
        assert opened._network.currentData() == "none"

    play(scenario)


def test_where_the_app_runs_is_kept_with_the_project(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        opened = await open_popover(desk)
        monitor = desk.controller._sandbox.monitor
        for place in ("docker", "local", "auto"):
            opened.place_chosen.emit(place)
            await until(
                lambda place=place: monitor.view is not None and monitor.view.sandbox == place,
                "the engine has it",
            )
            await until(lambda place=place: opened._runs_in.currentData() == place)
        assert "counts from the next start" in words(opened)

    play(scenario)


def test_no_app_gets_the_persons_own_rights_unasked(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        monkeypatch.setenv("OPENAI_COMPATIBLE_BASE_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("OPENAI_COMPATIBLE_MODEL", "nobody")
        project_id = await engine.create("Count things", ProjectOptions())
        # From now on bubblewrap is not there any more.
        monkeypatch.setattr(engine._ours._sandboxes.local, "_capabilities", None)
        monkeypatch.setenv("PATH", str(Path(sys.prefix) / "bin"))
        await desk.open(project_id)
        opened = await open_popover(desk)
        await until(lambda: opened._runs_in.isEnabled(), "it is known")

        async def choose_this_computer(answer: str) -> None:
            opened._runs_in.setCurrentIndex(opened._runs_in.findData("local"))
            opened.place_chosen.emit("local")
            await until(lambda: consent(desk), "it asks")
            next(b for b in desk.buttons(answer) if b.window() is consent(desk)).click()
            await until(lambda: not consent(desk))

        await choose_this_computer("Don't run it")
        await until(lambda: opened._runs_in.currentData() == "auto", "it is as before")
        await choose_this_computer("Run with my rights")
        monitor = desk.controller._sandbox.monitor
        await until(lambda: monitor.view is not None and monitor.view.sandbox == "local")
        assert opened.is_open

    play(scenario)


def consent(desk: Desk) -> ConsentDialog | None:
    found = desk.window.findChildren(ConsentDialog)
    return next((dialog for dialog in found if dialog.isVisible()), None)


def test_a_restart_that_ends_in_another_project_leaves_that_one_alone(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        restarted, other = await make(engine), await make(engine)
        await engine.set_setting("sandbox.most_at_once", 1)
        assert engine._services is not None
        places = engine._services._sandboxes.places
        # Somebody else has the only place: nothing starts.
        place = await engine._call(places.acquire("somebody else"))
        await desk.open(restarted)
        await tell(engine, restarted, e.ServerStarted("http://127.0.0.1:9"))
        agent = engine._services.agents.loaded(restarted)
        assert agent is not None
        working = agent.runtime._lock
        await engine._call(working.acquire())
        opened = await open_popover(desk)
        opened.action_requested.emit("restart")
        await tell(engine, restarted, e.SandboxState("stopped", ""))
        session = desk.controller._session
        assert session is not None
        await until(lambda: session.sandbox[0] == "stopped", "the window knows")
        await desk.open(other)
        control = desk.controller._sandbox
        assert control._acting == {restarted: "restart"}
        engine._loop.call_soon_threadsafe(working.release)
        await until(lambda: restarted in places.line, "it waits in line")
        await engine.stop_sandbox(restarted)
        await until(lambda: not control._acting, "the restart ends")
        await until(lambda: control._tasks.running == 0)
        assert desk.controller._panels is not None
        assert desk.controller._panels.preview.state == "empty"
        assert desk.window._toasts._toasts == []
        place.release()

    play(scenario)


def test_a_host_is_refused_once_for_page_and_code(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        preview = desk.controller._panels.preview  # type: ignore[union-attr]
        await tell(engine, project_id, e.HostRefused("api.example.org"))
        await until(lambda: desk.buttons("Don't allow"), "it asks")
        preview.request_blocked.emit("https://api.example.org/data", "not granted")
        assert len(desk.buttons("Don't allow")) == 1
        assert "The app wants to reach api.example.org." in words(desk.window)
        desk.buttons("Don't allow")[0].click()
        await until(lambda: not desk.buttons("Don't allow"), "the question goes")
        preview.request_blocked.emit("https://api.example.org/more", "not granted")
        await tell(engine, project_id, e.HostRefused("api.example.org"))
        await tell(engine, project_id, e.SandboxState("stopped", "last"))
        session = desk.controller._session
        assert session is not None
        await until(lambda: session.sandbox[1] == "last")
        assert desk.buttons("Don't allow") == []
        assert (await engine.project(project_id)).granted_hosts == ()

    play(scenario)


# -- where apps run


def place_dialog(desk: Desk) -> WhereAppsRunDialog | None:
    found = desk.window.findChildren(WhereAppsRunDialog)
    return next((d for d in found if d.isVisible()), None)


def test_a_first_start_says_where_apps_run_until_it_is_waved_away(
    play: Callable[[Scenario], None],
) -> None:
    async def first(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.buttons("Not now"), "the card")
        await until(lambda: "Looking what is here" not in words(desk.welcome), "it looked")
        desk.buttons("Not now")[0].click()
        await until(lambda: not desk.buttons("Not now"), "it goes")
        await until(lambda: desk.controller._tasks.running == 0)
        assert await engine.setting(PLACE_ASKED_SETTING, default=False) is True
        assert await engine.setting(PLACE_SETTING, default=None) is None

    async def second(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.welcome._samples, "the page")
        await until(lambda: desk.controller._tasks.running == 0)
        assert desk.buttons("Not now") == []

    play(first)
    play(second)


def test_the_choice_is_kept_and_new_projects_take_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await until(lambda: desk.buttons("Choose…"), "the card")
        desk.buttons("Choose…")[0].click()
        await until(lambda: place_dialog(desk), "it asks")
        dialog = place_dialog(desk)
        assert dialog is not None
        dialog._local.setChecked(True)
        dialog._use.click()
        await until(lambda: not desk.buttons("Choose…"), "the card goes")
        assert await engine.setting(PLACE_SETTING, default="") == "local"
        desk.window._status.item_clicked.emit("place")
        await until(lambda: place_dialog(desk), "it can be asked for again")
        again = place_dialog(desk)
        assert again is not None
        assert again.choice == "local"
        again.reject()
        await until(lambda: place_dialog(desk) is None)
        assert await desk.controller._sandbox.place() == "local"

    play(scenario)


def test_nobody_is_asked_while_the_window_is_minimised(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        project_id = await make(engine)
        await desk.open(project_id)
        monitor = desk.controller._sandbox.monitor
        await tell(engine, project_id, e.SandboxState("running", ""))
        await until(lambda: monitor.asking_regularly, "it asks")
        desk.window.showMinimized()
        await until(lambda: not monitor.asking_regularly, "nobody can see it")
        desk.window.showNormal()
        await until(lambda: monitor.asking_regularly, "seen again")
        desk.window.show_page("projects")
        await until(lambda: not monitor.asking_regularly, "another page")

    play(scenario)
