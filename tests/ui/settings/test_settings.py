"""Settings in the window, on the real engine and a loopback model server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.support.model_http import API_KEY
from tests.support.model_server import Document, ModelServer
from tests.ui.desk import Desk, Scenario, make, play_at_desk
from tests.ui.qt_loop import until
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.models.provider_config import built_in_providers
from vibedesk.engine.views import RouteStepView, StoredView
from vibedesk.ui.settings.building_page import BuildingPage, BuildingSettings
from vibedesk.ui.settings.data_page import DataPage, sums_by_kind
from vibedesk.ui.settings.models_page import ModelsPage
from vibedesk.ui.settings.number_field import NumberField
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = [pytest.mark.own_process, pytest.mark.ui]
MODELS = Document({"data": [{"id": "tiny"}, {"id": "gpt-6.1-sol"}]}, for_key=True)
PASSPHRASE = "correct horse battery"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    for config in built_in_providers():
        for variable in (config.base_url_env, config.model_env, *(k.name for k in config.key_envs)):
            if variable:
                monkeypatch.delenv(variable, raising=False)
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"), attended=True)
    made.start()
    yield made
    made.shutdown_blocking()


@pytest.fixture
def play(qapp: QApplication, engine: Engine) -> Callable[[Scenario], None]:
    theme = Theme("dark")
    theme.apply(qapp)
    return lambda scenario: play_at_desk(qapp, engine, theme, scenario)


async def models(desk: Desk) -> ModelsPage:
    """Open the settings as a person does, and wait for the page."""
    window = desk.window
    window.raise_()
    window.activateWindow()
    await until(window.isActiveWindow, "it has the keyboard")
    QTest.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: window.page == "settings", "the settings open")
    page = desk.controller.settings._settings.page("models")
    assert isinstance(page, ModelsPage)
    await until(lambda: page._providers and page._routes, "the page is filled")
    return page


def test_a_key_is_kept_after_the_passphrase_and_the_connection_is_tested(
    play: Callable[[Scenario], None], engine: Engine
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        async with ModelServer() as server:
            server.documents = {"/v1/models": MODELS}
            server.answer("ready")
            page = await models(desk)
            assert page._secrets.locked, "a test has no keychain"
            row = page.provider_row("openai")
            row._key.setText(API_KEY)
            row._act.click()
            await until(lambda: row.message, "it says that the key cannot be kept yet")
            assert "passphrase" in row.message
            page._secrets._field.setText(PASSPHRASE)
            page._secrets._button.click()
            await until(lambda: not page._secrets.locked, "the file is made")
            assert "encrypted" in page._secrets.text
            row._address.setText(f"{server.url}/v1")
            row._key.setText("sk-wrong")
            row._act.click()
            await until(lambda: row.state == "Key rejected", "the server says no")
            assert "key" in row.message
            row._key.setText(API_KEY)
            row._act.click()
            await until(lambda: row.state.startswith("Works"), "it is tried")
            assert row.state.endswith("2 models")
            assert "tiny" in row.message
            view = next(p for p in await engine.providers() if p.name == "openai")
            assert view.key_source == "file"
            assert view.base_url == f"{server.url}/v1"
            assert row._key.text() == "", "it is shown nowhere again"

    play(scenario)


def test_a_server_of_ones_own_is_added_tested_and_removed(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        async with ModelServer() as server:
            server.documents = {"/v1/models": Document({"data": [{"id": "tiny"}]})}
            page = await models(desk)
            page._own._open.click()
            page._own._name.setText("office")
            page._own._address.setText(f"{server.url}/v1")
            page._own._model.setText("tiny")
            page._own._add.click()
            await until(lambda: "office" in page._providers, "it is listed")
            await until(lambda: page.provider_row("office").message, "it is tested")
            routes = await engine.routes()
            assert [(s.provider, s.model) for s in routes.routes[0].steps] == [("office", "tiny")]
            shown = desk.window._status._shown
            await until(lambda: shown["model"][0].text == "tiny", "the status bar knows")
            server.documents = {"/v1/models": Document({"data": [{"id": "tiny"}, {"id": "vast"}]})}
            page._list.click()
            await until(
                lambda: "vast" in [o.model for o in page._known.options if o.provider == "office"],
                "all its models can be chosen",
            )
            page.provider_row("office")._more.click()
            page.provider_row("office")._remove.click()
            await until(lambda: "office" not in page._providers, "it is gone")

    play(scenario)


def test_a_server_added_without_a_model_uses_the_one_that_answered(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        async with ModelServer() as server:
            server.documents = {"/v1/models": Document({"data": [{"id": "tiny"}]})}
            server.answer("ready")
            page = await models(desk)
            page._own._open.click()
            page._own._name.setText("office")
            page._own._address.setText(f"{server.url}/v1")
            page._own._add.click()
            shown = desk.window._status._shown
            await until(lambda: shown["model"][0].text == "tiny", "it is set up with what it has")
            routes = await engine.routes()
            assert [(s.provider, s.model) for s in routes.routes[0].steps] == [("office", "tiny")]

    play(scenario)


def test_changing_one_operation_leaves_the_others_as_the_preset_had_them(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await engine.unlock_secrets(PASSPHRASE)
        await engine.set_up_provider("anthropic", key=API_KEY)
        page = await models(desk)
        assert page._presets is not None
        page._presets._cards["best"].click()
        line = page.route_row("blueprint").lines
        await until(lambda: page.route_row("blueprint").lines[0].step.model == "claude-opus-5-5", "best")  # fmt: skip
        assert line is not None
        before = {r.operation: r.steps for r in (await engine.routes()).routes}
        own = RouteStepView(provider="anthropic", model="claude-haiku-5-5", temperature=0.2)
        page.route_row("fix").changed.emit("fix", (own,))
        await until(lambda: page._presets.current == "custom", "it is one's own now")  # type: ignore[union-attr]
        after = {r.operation: r.steps for r in (await engine.routes()).routes}
        assert after.pop("fix")[0].model == "claude-haiku-5-5"
        before.pop("fix")
        assert after == before
        page._reset.click()
        await until(lambda: page._presets.current == "balanced", "it is reset")  # type: ignore[union-attr]

    play(scenario)


def test_a_local_server_is_offered_and_used(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        async with ModelServer() as server:
            server.documents = {"/v1/models": Document({"data": [{"id": "qwen3:8b"}]})}
            page = await models(desk)
            await until(lambda: not page._look.busy, "it has looked at the usual places")
            port = int(server.url.rsplit(":", 1)[1])
            found = await engine.discover_local({"ollama": port})
            page.show_local(found, {})
            offer = f"Use {found[0].label}"
            await until(lambda: desk.buttons(offer), "it is offered")
            desk.buttons(offer)[0].click()
            await until(lambda: page.route_row("fix").lines, "it answers now")
            assert page.route_row("fix").lines[0].step.model == "qwen3:8b"

    play(scenario)


def test_data_is_measured_cleaned_and_set(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await models(desk)
        settings = desk.controller.settings._settings
        settings.show_entry("data")
        page = settings.page("data")
        assert isinstance(page, DataPage)
        await until(lambda: "B" in page._total.text(), "it is measured")
        page._days.setText("7")
        page._days.editingFinished.emit()
        page._level.activated.emit(0)
        page._clean.click()
        await until(lambda: "became free" in page._said.text, "it is cleaned")
        assert await engine.setting("housekeeping.days") == 7
        assert await engine.setting("log.level") == "debug"

    play(scenario)


async def building(desk: Desk) -> BuildingPage:
    await models(desk)
    settings = desk.controller.settings._settings
    settings.show_entry("building")
    page = settings.page("building")
    assert isinstance(page, BuildingPage)
    await until(lambda: page._agents.text() == "5", "it is filled")
    return page


async def kept(engine: Engine, key: str, value: object) -> None:
    """Wait until a setting is stored like this."""
    async with asyncio.timeout(10):
        while await engine.setting(key) != value:
            pass


def enter(field: NumberField, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_building_is_set_as_it_is_shown(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        page = await building(desk)
        assert (page._budget.text(), page._sandboxes.text()) == ("5.00", "10")
        assert page._approval.isChecked()
        assert page._automatic.isChecked()
        page._approval.click()
        page._automatic.click()
        enter(page._budget, "2,5")
        enter(page._agents, "2")
        enter(page._sandboxes, "3")
        assert "hosts you allow" in page._network_words.text()
        for choice in (page._network, page._depth):
            choice.setFocus()
            QTest.keyClick(choice, Qt.Key.Key_Down)
        assert "reach nothing" in page._network_words.text()
        assert "Nobody looks at the page" in page._depth_words.text()
        wanted = {
            "build.approval": False, "fix.automatic": False, "build.budget_usd": 2.5,
            "agents.most_at_once": 2, "sandbox.most_at_once": 3, "review.depth": "tools",
            "sandbox.network": "none",
        }  # fmt: skip
        for key, value in wanted.items():
            await kept(engine, key, value)
        places = engine._ours.agents.places
        await until(lambda: places.limit == 2, "the limit counts at once")
        desk.window.show_page("projects")
        page.show_settings(BuildingSettings())
        desk.window.show_page("settings")
        await until(lambda: page._agents.text() == "2", "it is shown as it is")
        assert not page._approval.isChecked()
        assert page._depth.currentText() == "Without a browser"
        assert page._network.currentText() == "None"

    monkeypatch.delenv("VIBEDESK_REVIEW", raising=False)
    play(scenario)


def test_an_entry_that_is_no_number_leaves_the_one_before(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        page = await building(desk)
        enter(page._agents, "0")
        page._sandboxes.setFocus()
        assert page._agents.text() == "5"
        assert await engine.setting("agents.most_at_once") is None
        enter(page._budget, "0")
        await until(lambda: page._budget.text() == "0.00", "no limit")
        await kept(engine, "build.budget_usd", 0)

    play(scenario)


def test_what_the_environment_says_of_the_review_cannot_be_chosen(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        page = await building(desk)
        assert not page._depth.isEnabled()
        assert page._depth.currentText() == "Only whether it runs"
        assert page._fixed.isVisible()

    monkeypatch.setenv("VIBEDESK_REVIEW", "page")
    play(scenario)


def test_the_list_leads_to_the_usage(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await models(desk)
        settings = desk.controller.settings._settings
        settings._list.itemActivated.emit(settings._list.item(3))
        assert desk.window.page == "usage"

    play(scenario)


def test_an_app_that_asks_for_a_variable_is_heard(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, desk: Desk) -> None:
        await desk.open(await make(engine))
        session = desk.controller._session
        assert session is not None
        session.variable_asked.emit("STRIPE_KEY", "Takes payments")
        await until(lambda: desk.buttons("Enter it"), "it is said")
        desk.buttons("Enter it")[0].click()
        await until(lambda: desk.buttons("Add variable"), "the variables open")
        assert not desk.buttons("Enter it")
        desk.buttons("Close")[0].click()

    play(scenario)


def test_kinds_are_summed_the_largest_first() -> None:
    stored = [
        StoredView("logs", "a", 10, "2026-01-01", False),
        StoredView("packages", "b", 20, "2026-01-02", False),
        StoredView("packages", "c", 30, "2026-01-05", True),
    ]
    packages, logs = sums_by_kind(stored)
    assert (packages.kind, packages.bytes, packages.count) == ("packages", 50, 2)
    assert packages.in_use
    assert packages.last_used == "2026-01-05"
    assert logs.bytes == 10
