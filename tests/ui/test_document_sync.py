"""Editors and the project's document stay in step, with the real engine between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.replica import RemoteEdit, merged_text
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.tables import database_proxy
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
        self.shown: list[RemoteEdit] = []
        self.errors: list[VibeDeskError] = []
        self.settled: list[str] = []
        self.sync = DocumentSync(
            engine,
            project_id,
            self._show,
            self.errors.append,
            self.settled.append,
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


async def test_typing_beside_a_stream_is_merged_when_it_ends(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.streamed(PATH, "ÄINS\n")
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    editor.sync.streamed(PATH, "two\n")
    editor.sync.typed(PATH, len("// mine\nÄINS\ntwo\n".encode()), 0, "end\n")
    assert await engine.read_file(project_id, PATH) == "one\n"
    other = Editor(engine, project_id)
    await other.sync.fetch()
    other.sync.typed(PATH, 0, 4, "ÄINS\ntwo\n")  # the rewrite closes
    await other.sync.all_sent()
    assert editor.sync.stream_is_whole(PATH, "ÄINS\ntwo\n") == "// mine\nÄINS\ntwo\nend\n"
    editor.sync.typed(PATH, 3, 4, "ours")
    await editor.sync.end_stream(PATH)
    await editor.sync.all_sent()
    assert not editor.sync.is_streaming(PATH)
    assert editor.settled == [PATH]
    assert editor.shown == []
    text = "// ours\nÄINS\ntwo\nend\n"
    assert editor.sync.current(PATH) == text
    assert await engine.read_file(project_id, PATH) == text
    other.sending.cancel()


async def test_typing_into_a_rewrite_that_breaks_off_goes_into_the_text_that_stays(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.streamed(PATH, "one\nadded")
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    await editor.sync.end_stream(PATH)
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// mine\none\n"


async def test_typing_into_a_rewrite_is_stored_when_the_project_is_left(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.streamed(PATH, "one\n")
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// mine\none\n"
    editor.sync.typed(PATH, 0, 0, "// more\n")
    editor.sync.streamed(PATH, "two\n")
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// more\n// mine\none\n"
    text = "// more\n// mine\none\ntwo\n"
    assert editor.sync.stream_is_whole(PATH, text) == text


async def test_typing_into_a_rewrite_outlives_that_it_begins_anew(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.streamed(PATH, "one\n")
    editor.sync.typed(PATH, 4, 0, "// first\n")
    broken_off = asyncio.create_task(editor.sync.end_stream(PATH))
    await asyncio.sleep(0)
    editor.sync.begin_stream(PATH, "")
    await broken_off
    assert editor.sync.is_streaming(PATH)
    editor.sync.streamed(PATH, "one\ntwo\n")
    editor.sync.typed(PATH, 0, 0, "// second\n")
    await editor.sync.end_stream(PATH)
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// second\none\n// first\n"


async def test_a_deletion_typed_into_a_rewrite_stays_one_when_everything_is_stored_in_mid_stream(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.streamed(PATH, "one\nalpha beta\n")
    editor.sync.typed(PATH, len("one\n"), len("alpha "), "")
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    await editor.sync.all_sent()
    editor.sync.streamed(PATH, "gamma\n")
    await editor.sync.all_sent()
    stored = await engine.read_file(project_id, PATH)
    assert stored == "// mine\none\n"
    # As the engine merges a rewrite that closes.
    text = merged_text("one\n", stored, "one\nalpha beta\ngamma\n")
    assert editor.sync.stream_is_whole(PATH, text) == "// mine\none\nbeta\ngamma\n"
    await editor.sync.end_stream(PATH)


async def test_what_is_typed_into_a_file_that_is_not_here_yet_waits_for_it(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream("src/b.ts", "")
    editor.sync.streamed("src/b.ts", "two\n")
    editor.sync.typed("src/b.ts", 0, 0, "// mine\n")
    await editor.sync.all_sent()
    await editor.sync.end_stream("src/b.ts")
    assert editor.sync.is_streaming("src/b.ts")
    await engine.create_file(project_id, "src/b.ts", "two\n")
    await editor.sync.all_sent()
    assert editor.settled == ["src/b.ts"]
    assert await engine.read_file(project_id, "src/b.ts") == "// mine\ntwo\n"


async def test_a_stream_whose_end_could_not_be_fetched_ends_with_the_next_fetch(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.streamed(PATH, "one\ntwo\n")
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    editor.sync._project_id = "nowhere"
    with pytest.raises(VibeDeskError):
        await editor.sync.end_stream(PATH)
    editor.sync._project_id = project_id
    editor.sync.typed(PATH, 0, 0, "// more\n")
    assert await editor.sync.text(PATH) == "// more\n// mine\none\n"
    assert editor.settled == [PATH]
    editor.sync.typed(PATH, 0, 0, "// last\n")
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "// last\n// more\n// mine\none\n"


async def test_a_file_that_was_deleted_takes_along_what_was_typed_beside_it(
    engine: Engine, project_id: str, editor: Editor
) -> None:
    editor.sync.begin_stream(PATH, "")
    editor.sync.typed(PATH, 0, 0, "// mine\n")
    editor.sync.stream_dropped(PATH)
    assert not editor.sync.is_streaming(PATH)
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == "one\n"


@pytest.fixture
async def full_disk(engine: Engine) -> AsyncIterator[Callable[[bool], Awaitable[None]]]:
    """Return what takes SQLite all room to grow, and gives it back."""
    database = engine._ours.database

    async def limit(full: bool) -> None:
        pages = 1 if full else 1 << 30
        await asyncio.wrap_future(
            database.submit(lambda: database_proxy.execute_sql(f"PRAGMA max_page_count = {pages}"))
        )

    yield limit
    await limit(False)


async def test_what_cannot_be_stored_is_told_and_goes_with_what_is_typed_next(
    engine: Engine,
    project_id: str,
    editor: Editor,
    full_disk: Callable[[bool], Awaitable[None]],
) -> None:
    long = "x" * 1_000_000
    await full_disk(True)
    editor.sync.typed(PATH, 0, 0, long)
    await editor.sync._outgoing.join()
    assert [error.code for error in editor.errors] == ["disk_full"]
    await full_disk(False)
    editor.sync.typed(PATH, 0, 0, "still ")
    editor.sync.typed(PATH, 0, 0, "and ")
    await editor.sync.all_sent()
    assert [error.code for error in editor.errors] == ["disk_full"]
    assert await engine.read_file(project_id, PATH) == f"and still {long}one\n"


async def test_what_could_not_be_stored_is_stored_when_the_project_is_left(
    engine: Engine,
    project_id: str,
    editor: Editor,
    full_disk: Callable[[bool], Awaitable[None]],
) -> None:
    long = "x" * 1_000_000
    await full_disk(True)
    editor.sync.typed(PATH, 0, 0, long)
    editor.sync.typed(PATH, 0, 0, "two ")
    await editor.sync._outgoing.join()
    assert len(editor.errors) == 2
    await full_disk(False)
    await editor.sync.all_sent()
    assert await engine.read_file(project_id, PATH) == f"two {long}one\n"
