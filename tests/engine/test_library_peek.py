"""The cards before the engine is up are the engine's cards, and a broken library shows none."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.library_peek import peek_cards
from vibedesk.engine.project_views import card_view
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore

texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)
projects = st.fixed_dictionaries(
    {
        "wish": texts.filter(bool),
        "title": texts,
        "description": texts,
        "state": st.sampled_from(AgentState),
        "state_reason": texts,
        "sample": st.sampled_from(["", "kanban-board"]),
        "blueprint": st.none()
        | st.fixed_dictionaries({}, optional={"color_palette": st.lists(texts, max_size=3)}),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(projects, max_size=5))
def test_the_peek_shows_what_the_store_shows(home: Home, rows: list[dict[str, object]]) -> None:
    for old in home.root.glob("vibedesk.db*"):
        old.unlink()
    database, store = Database.open(home, write=True), ProjectStore()
    try:
        for number, row in enumerate(rows):
            head = {"name": f"p{number}", "folder": "f", "template": "react-vite"}
            project = database.call(store.create, head)
            database.call(store.update, project.id, **row)
            if number == 3:
                database.call(store.update, project.id, deleted_at="2026-01-01T00:00:00Z")
        expected = database.call(lambda: [card_view(record) for record in store.library()])
        assert peek_cards(home.database) == expected
    finally:
        database.close()


async def test_the_peek_shows_what_the_engine_shows(home: Home) -> None:
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        assert peek_cards(home.database) == await engine.projects() == []
    finally:
        await engine.shutdown()


@pytest.mark.parametrize(
    "content", [None, b"", b"no database", b"SQLite format 3\0" + b"\xff" * 500]
)
def test_no_readable_library_has_no_cards(content: bytes | None, home: Home) -> None:
    if content is not None:
        home.database.write_bytes(content)
    assert peek_cards(home.database) == []
    assert [p.name for p in home.root.iterdir()] == ([] if content is None else ["vibedesk.db"])


def test_the_peek_loads_nothing_heavy() -> None:
    script = (
        "import sys, json; import vibedesk.engine.library_peek; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    assert not loaded & {
        "peewee",
        "pydantic",
        "pycrdt",
        "pygit2",
        "httpx",
        "anthropic",
        "openai",
        "asyncio",
    }
