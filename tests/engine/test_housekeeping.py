"""House-keeping takes what is old and unused, and nothing of a project."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.tiny_app import TINY_TEMPLATE
from vibedesk.base.errors import NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.blobs import BlobStore
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.services import EngineServices
from vibedesk.engine.store.issues import IssueStore
from vibedesk.engine.store.tables import CodeUpdateRow, EventRow, LogRow, ProjectRow, UsageRow

OLD = time.time() - 40 * 86_400
LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture
async def engine(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    made = Engine(home)
    await asyncio.to_thread(made.start)
    yield made
    await made.shutdown()


def services(engine: Engine) -> EngineServices:
    return engine._ours


async def project(engine: Engine) -> str:
    options = ProjectOptions(template=str(TINY_TEMPLATE), provider="anthropic", sandbox="local")
    return await engine.create("Count", options)


def aged(path: Path, text: str = "x" * 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (OLD, OLD))
    return path


async def test_old_files_go_and_new_ones_stay(engine: Engine, home: Home) -> None:
    old = [
        aged(home.logs / "vibedesk.log.2"),
        aged(home.root / "vibedesk.db.v1.backup"),
        aged(home.root / "secrets.enc.1234.tmp"),
    ]
    kept = [
        aged(home.logs / "vibedesk.log"),
        aged(home.root / "secrets.enc"),
        aged(home.root / "trash" / "app" / "index.html"),
        aged(home.projects / "mine" / "notes.tmp"),
    ]
    fresh = home.logs / "vibedesk.log.1"
    fresh.write_text("new")
    assert await engine.clean(older_than_days=30) >= 300
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in [*kept, fresh])


async def test_old_rows_go_and_what_a_project_is_made_of_stays(engine: Engine) -> None:
    project_id = await project(engine)
    await engine.create_file(project_id, "notes.txt", "mine")

    def age() -> None:
        # How long was worked is reckoned from the waits, too.
        kinds = ("file_end", "state_change", "waiting", "resumed", "file_end")
        for seq, kind in enumerate(kinds, start=101):
            at = LONG_AGO if seq < 105 else "2999-01-01T00:00:00.000Z"
            EventRow.insert(project=project_id, seq=seq, at=at, type=kind, data="{}").execute()
        for at in (LONG_AGO, "2999-01-01T00:00:00.000Z"):
            LogRow.insert(project=project_id, at=at, stream="server", line=at).execute()

    await services(engine).database.run(age)
    await engine.clean(older_than_days=30)

    def left() -> tuple[list[int], list[str]]:
        events = EventRow.select(EventRow.seq).where(EventRow.seq > 100).order_by(EventRow.seq)
        return [row.seq for row in events], [row.line[:4] for row in LogRow.select()]

    assert await services(engine).database.run(left) == ([102, 103, 104, 105], ["2999"])
    assert await engine.read_file(project_id, "notes.txt") == "mine"
    assert (await engine.projects())[0].id == project_id


async def test_a_deleted_projects_code_goes_and_its_cost_stays(engine: Engine) -> None:
    gone, living = await project(engine), await project(engine)
    for project_id in (gone, living):
        await engine.create_file(project_id, "notes.txt", "mine")
    await engine.delete_project(gone)

    def age() -> None:
        ProjectRow.update(deleted_at=LONG_AGO).where(ProjectRow.id == gone).execute()
        UsageRow.insert(
            project=gone, at=LONG_AGO, operation="fix", provider="p", model="m",
            input_tokens=1, output_tokens=1, cached_tokens=0, cost=2.0,
        ).execute()  # fmt: skip

    await services(engine).database.run(age)
    await engine.clean(older_than_days=30)
    owners = await services(engine).database.run(
        lambda: {row.project_id for row in CodeUpdateRow.select()}
    )
    assert owners == {living}
    assert (await engine.usage()).totals.cost == 2.0


async def test_a_blob_stays_as_long_as_any_version_has_it(engine: Engine, home: Home) -> None:
    project_id = await project(engine)
    blobs = BlobStore(home.blobs)

    def write() -> None:
        files, _ = services(engine)._documents(project_id)
        files.write_binary("now.png", b"now\0", "user")
        files.write_binary("before.png", b"before\0", "user")
        files.delete("before.png", "user")

    await services(engine).database.run(write)
    digests = [blobs.put(data) for data in (b"now\0", b"before\0", b"nobody\0")]
    for digest in digests:
        os.utime(blobs._path(digest), (OLD, OLD))
    fresh = blobs.put(b"just being stored\0")
    await engine.clean(older_than_days=30)
    assert [blobs._path(digest).exists() for digest in (*digests, fresh)] == [
        True, True, False, True
    ]  # fmt: skip


async def test_a_checks_picture_stays_while_its_project_does(engine: Engine, home: Home) -> None:
    project_id, gone = await project(engine), await project(engine)
    blobs = BlobStore(home.blobs)
    pictures = {owner: blobs.put(owner.encode()) for owner in (project_id, gone)}
    database = services(engine).database

    def ran(owner: str) -> None:
        IssueStore(owner).put_check(
            "counts", passed=True, phase=1, code_version=1, seconds=1.0, picture=pictures[owner],
            data={},
        )  # fmt: skip

    for owner, digest in pictures.items():
        await database.run(lambda owner=owner: ran(owner))  # type: ignore[misc]
        os.utime(blobs._path(digest), (OLD, OLD))
    await engine.delete_project(gone)
    deleted = ProjectRow.update(deleted_at=LONG_AGO).where(ProjectRow.id == gone)
    await database.run(deleted.execute)
    await engine.clean(older_than_days=30)
    assert await engine.check_picture(project_id, pictures[project_id]) == project_id.encode()
    assert not blobs._path(pictures[gone]).exists()
    blobs._path(pictures[project_id]).unlink()
    with pytest.raises(NotFoundError, match="Run the checks again"):
        await engine.check_picture(project_id, pictures[project_id])


async def test_what_is_stored_again_counts_as_new(engine: Engine, home: Home) -> None:
    blobs = BlobStore(home.blobs)
    digest = blobs.put(b"twice\0")
    os.utime(blobs._path(digest), (OLD, OLD))
    assert blobs.put(b"twice\0") == digest
    await engine.clean(older_than_days=30)
    assert blobs.get(digest) == b"twice\0"
    blobs._path(digest).unlink()
    with pytest.raises(NotFoundError, match="Restore a version"):
        blobs.get(digest)


async def test_what_is_kept_is_told_with_its_size(engine: Engine, home: Home) -> None:
    aged(home.logs / "vibedesk.log", "x" * 1234)
    aged(home.root / "vibedesk.db.v1.backup", "x" * 77)
    found = {stored.kind: stored for stored in await engine.stored()}
    assert found["logs"].bytes == 1234
    assert found["backups"].bytes == 77
    assert found["database"].in_use
    assert "trash" not in found


async def test_it_is_done_once_a_day(engine: Engine, home: Home) -> None:
    housekeeping = services(engine).housekeeping
    first = aged(home.logs / "vibedesk.log.1")
    await engine._call(housekeeping._clean_when_due())
    assert not first.exists()
    second = aged(home.logs / "vibedesk.log.2")
    await engine._call(housekeeping._clean_when_due())
    assert second.exists()
