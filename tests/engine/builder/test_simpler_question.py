"""A model that answers in the wrong form is asked again in a simpler one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Desk
from tests.support.model_server import ModelServer
from tests.support.tiny_app import APP, BLUEPRINT, PAGE, TINY_TEMPLATE, phase, whole
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions

PLAN = {**BLUEPRINT, "initial_phase": phase("All", ["index.html", "app.js"], last=True)}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        running.answer(json.dumps(PLAN), operation="blueprint")
        running.answer("Sure, here is what I would do: first, …", operation="implement_phase")
        yield running


async def build(home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    engine = Engine(home)
    engine.start()
    desk = Desk(engine, server)
    project_id = await engine.create("Count", ProjectOptions(template=str(TINY_TEMPLATE)))
    await engine.generate(project_id)
    await engine.wait(project_id)
    texts = await desk.texts(project_id)
    state = await desk.state(project_id)
    await desk.aclose()
    assert state == "complete"
    return texts


def last_words(server: ModelServer) -> list[str]:
    questions = [*server.requests_for("implement_phase"), *server.requests_for("continue")]
    return [str(request.messages[-1]["content"]) for request in questions]


async def test_the_second_question_asks_for_whole_files_only(
    home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = whole("index.html", PAGE) + whole("app.js", APP)
    server.answer(both, operation="implement_phase")
    texts = await build(home, server, monkeypatch)
    assert texts["app.js"] == APP
    _, second = last_words(server)
    assert "Whole files only" in second
    assert "Send only" not in second


async def test_a_model_with_a_small_context_is_asked_for_one_file_at_a_time(
    home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home.root.mkdir(parents=True, exist_ok=True)
    small = {"models": {"claude-sonnet-5-5": {"context_window": 16_000}}}
    (home.root / "models.json").write_text(json.dumps(small))
    server.answer(whole("index.html", PAGE), operation="implement_phase")
    server.answer(whole("app.js", APP), operation="continue")
    texts = await build(home, server, monkeypatch)
    assert texts["index.html"] == PAGE
    assert texts["app.js"] == APP
    _, second, third = last_words(server)
    assert "Send only index.html now" in second
    assert "app.js" in third
