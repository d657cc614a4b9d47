"""What somebody who watched the program was shown, held against what it has stored."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

from tests.support.program import Json, Program
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import TRANSIENT
from vibedesk.engine.views import ProjectView

Files = dict[str, str]


def assert_nothing_shown_is_lost(home: Home, program: Program) -> ProjectView:
    """Hold everything that was printed against what is stored; return the stored project."""
    view, files = stored(home, program.project_id)
    first = program.events[0]["seq"]
    sequence = [event["seq"] for event in program.events]
    assert sequence == list(range(first, first + len(sequence)))
    assert view.seq >= sequence[-1]
    assert_log_has(home, program.events[1:])
    drafts = {draft.path: draft.text for draft in view.drafts}
    for path, shown in shown_files(program.events).items():
        kept = drafts.get(path, files.get(path, ""))
        assert kept.startswith(shown), f"of {path}, {shown[-80:]!r} was shown and is not kept"
    written = "".join(e["data"]["chunk"] for e in program.of("blueprint_chunk"))
    assert view.blueprint is not None or view.blueprint_text.startswith(written)
    said = {message.id: message.text for message in view.messages}
    for event in program.of("message_chunk"):
        assert event["data"]["chunk"].strip() in said[event["data"]["message_id"]]
    lines = [log.line for log in view.logs]
    for event in [*program.of("sandbox_log"), *program.of("command_output")]:
        assert event["data"]["line"] in lines
    states = program.of("state_change")
    if states and view.seq == sequence[-1]:
        assert view.state == states[-1]["data"]["state"]
    return view


def stored(home: Home, project_id: str) -> tuple[ProjectView, Files]:
    async def read() -> tuple[ProjectView, Files]:
        engine = Engine(home, write=False)
        engine.start()
        try:
            view = await engine.project(project_id)
            texts = {
                file.path: await engine.read_file(project_id, file.path)
                for file in view.files
                if not file.binary
            }
            return view, texts
        finally:
            await engine.shutdown()

    return asyncio.run(read())


def assert_log_has(home: Home, printed: list[Json]) -> None:
    with closing(sqlite3.connect(f"{home.database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = {
            seq: (kind, data)
            for seq, kind, data in connection.execute("SELECT seq, type, data FROM events")
        }
    for event in printed:
        if event["type"] in TRANSIENT:
            continue
        kind, data = rows[event["seq"]]
        assert kind == event["type"]
        if kind != "file_end":
            assert json.loads(data) == event["data"]


def shown_files(events: list[Json]) -> Files:
    """What somebody who watched saw of files that were written whole."""
    shown: Files = {}
    patched: set[str] = set()
    for event in events:
        data = event["data"]
        match event["type"]:
            case "file_start":
                shown[data["path"]] = ""
                patched |= {data["path"]} if data["mode"] != "full" else set()
            case "file_chunk":
                shown[data["path"]] += data["chunk"]
            case "file_end":
                shown[data["path"]] = data["content"]
    return {path: text for path, text in shown.items() if path not in patched}


def assert_states_follow_each_other(state: str, events: list[Json]) -> None:
    for event in events:
        if event["type"] == "state_change":
            assert event["data"]["previous"] == state
            state = event["data"]["state"]
