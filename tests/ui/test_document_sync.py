"""Editors and the project's document stay in step, with the real engine between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.replica import RemoteEdit
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.document_sync import DocumentSync

PATH = "src/a.ts"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    await asyncio.to_thread(made.start)
    yield made
    await made.shutdown()


@pytest.fixture
async def project_id(engine: Engine) -> str:
    made = await engine.create("", ProjectOptions(sample="kanban-board"))
    await engine.create_file(made, PATH, "one\n")
    return made


class Editor:
    """What the window's editors would show and tell."""

    def __init__(self, engine: Engine, project_id: str) -> None:
        self.streaming: set[str] = set()
        self.shown: list[RemoteEdit] = []
        self.reconciled: list[str] = []
        self.errors: list[VibeDeskError] = []
        self.sync = DocumentSync(
            engine,
            project_id,
            self.streaming.__contains__,
            self._show,
            self.reconciled.append,
            self.errors.append,
        )
        self.sending = asyncio.create_task(self.sync.send_typed())

    def _show(self, edits: Iterable[RemoteEdit]) -> None:
        self.shown += edits


@pytest.fixture
async def editor(engine: Engine, project_id: str) -> AsyncIterator[Editor]:
    made = Editor(engine, project_id)
    await made.sync.fetch()
    yield made
    made.sending.cancel()


async def test_typing_is_stored_in_order(engine: Engine, project_id: str, editor: Editor) -> None:
    editor.sync.typed(PATH, 0, 0, "ä")
    editor.sync.typed(PATH, 2, 3, "zwei")
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "äzwei\n"
    assert editor.sync.current(PATH) == "äzwei\n"


async def test_what_others_change_comes_as_edits_and_merges_with_typing(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    other = Editor(engine, project_id)
    await other.sync.fetch()
    other.sync.typed(PATH, 0, 0, "theirs ")
    editor.sync.typed(PATH, 3, 0, " mine")
    await other.sync.all_sent()
    await editor.sync.all_sent()
    await editor.sync.fetch()
    assert editor.shown == [RemoteEdit(PATH, 0, 0, "theirs ")]
    assert editor.sync.current(PATH) == "theirs one mine\n"
    assert await engine.read_file(project_id, PATH) == "theirs one mine\n"
    other.sending.cancel()


async def test_typing_beside_a_stream_waits_for_the_stream_and_is_reconciled(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.streaming.add(PATH)
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// mine\none\n"
    assert editor.reconciled == [PATH]
    assert editor.shown == []


async def test_typing_into_a_rewrite_is_kept_until_that_is_whole(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.hold(PATH)
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "one\n"
    editor.sync.release(PATH)
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// mine\none\n"


async def test_what_cannot_be_stored_is_told_and_the_next_is_sent(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync._outgoing.put_nowait(b"no update")
    editor.sync.typed(PATH, 0, 0, "still ")
    await asyncio.wait_for(editor.sync.all_sent(), 10)
    assert [error.code for error in editor.errors] == ["invalid_input"]
    assert await engine.read_file(project_id, PATH) == "still one\n"
