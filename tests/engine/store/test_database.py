"""The database's owner thread: transactions, order, durability, and what it says when SQLite refuses."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from vibedesk.base.errors import (
    DiskFullError,
    HomeLockedError,
    ReadOnlyHomeError,
    SchemaTooNewError,
    StorageError,
)
from vibedesk.base.paths import Home
from vibedesk.engine.store.database import _FLUSH_SECONDS, Database
from vibedesk.engine.store.tables import SettingRow


def home_at(root: Path) -> Home:
    return Home(root=root, projects=root / "projects")


def put(key: str, value: str = "v") -> None:
    SettingRow.insert(key=key, value=value).execute()


def keys() -> list[str]:
    return [row.key for row in SettingRow.select().order_by(SettingRow.key)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_at(tmp_path / "home")


@pytest.fixture
def database(home: Home):
    database = Database.open(home, write=True)
    yield database
    database.close()


async def test_run_answers_with_what_the_function_returns(database: Database) -> None:
    assert await database.run(lambda a, *, b: a + b, 1, b=2) == 3


def test_a_function_that_raises_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        put("half")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        database.call(fail)
    assert database.call(keys) == []


def test_nested_calls_join_the_running_transaction(database: Database) -> None:
    def outer() -> None:
        database.call(put, "inner")
        raise ValueError("undo both")

    with pytest.raises(ValueError, match="undo both"):
        database.call(outer)
    assert database.call(keys) == []


def test_work_is_done_in_the_order_it_was_handed_in(database: Database) -> None:
    done: list[int] = []
    futures = [database.submit(done.append, number) for number in range(200)]
    for future in futures:
        future.result()
    assert done == list(range(200))


def test_work_may_come_from_several_loops(database: Database) -> None:
    def on_a_loop(name: str) -> None:
        async def write() -> None:
            for number in range(20):
                await database.run(put, f"{name}{number}")

        asyncio.run(write())

    threads = [threading.Thread(target=on_a_loop, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(database.call(keys)) == 40


def test_rows_do_not_work_on_other_threads(database: Database) -> None:
    with pytest.raises(AttributeError, match="uninitialized"):
        keys()


def test_callbacks_run_after_the_commit_or_after_the_rollback(database: Database) -> None:
    heard: list[str] = []

    def work(*, fail: bool) -> None:
        database.after_commit(lambda: heard.append("stored"))
        database.after_rollback(lambda: heard.append("undone"))
        assert heard == []
        if fail:
            raise ValueError

    database.call(work, fail=False)
    assert heard == ["stored"]
    heard.clear()
    with pytest.raises(ValueError):  # noqa: PT011 - our own
        database.call(work, fail=True)
    assert heard == ["undone"]


def test_a_panic_that_is_no_exception_reaches_the_caller_and_the_thread_lives(
    database: Database,
) -> None:
    class Panic(BaseException):
        pass

    def panic() -> None:
        put("lost")
        raise Panic

    with pytest.raises(Panic):
        database.call(panic)
    assert database.call(keys) == []


def test_durable_work_is_committed_with_full_synchronisation(database: Database) -> None:
    def level() -> int:
        return SettingRow._meta.database.execute_sql("PRAGMA synchronous").fetchone()[0]

    assert [database.call(level, durable=flag) for flag in (True, False, True)] == [2, 1, 2]


def test_pragmas_of_the_writing_connection(database: Database) -> None:
    def pragma(name: str) -> object:
        return SettingRow._meta.database.execute_sql(f"PRAGMA {name}").fetchone()[0]

    assert database.call(pragma, "journal_mode") == "wal"
    assert database.call(pragma, "foreign_keys") == 1
    assert database.call(pragma, "busy_timeout") >= 5000


def test_statements_are_counted(database: Database) -> None:
    with database.counting() as count:
        database.call(put, "a")
    with database.counting() as more:
        database.call(put, "b")
        database.call(put, "c")
    assert more.statements - count.statements == 3  # BEGIN, INSERT, COMMIT


def test_what_is_stored_is_there_after_reopening(home: Home) -> None:
    database = Database.open(home, write=True)
    database.call(put, "kept")
    database.close()
    database.close()
    with pytest.raises(StorageError):
        database.call(keys)
    again = Database.open(home, write=True)
    assert again.call(keys) == ["kept"]
    again.close()


def test_a_process_killed_after_an_undurable_commit_loses_nothing(home: Home) -> None:
    script = f"""
import os, signal
from pathlib import Path
from vibedesk.base.paths import Home
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import SettingRow
database = Database.open(Home(root=Path({str(home.root)!r}), projects=Path("x")), write=True)
for number in range(50):
    database.call(lambda: SettingRow.insert(key=str(number), value="").execute(), durable=False)
    print(number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    child = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert child.stdout.split(), child.stderr
    database = Database.open(home, write=True)  # the dead process's lock is gone with it
    assert set(child.stdout.split()) <= set(database.call(keys))
    database.close()


def test_undurable_commits_are_flushed_within_a_second(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    flushed: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        flushed.append(descriptor)
        real(descriptor)

    database = Database.open(home, write=True)
    monkeypatch.setattr(os, "fsync", fsync)
    begun = time.monotonic()
    database.call(put, "a", durable=False)
    while not flushed and time.monotonic() < begun + 30:
        database.call(keys, durable=False)
        time.sleep(0.02)
    came = list(flushed)
    database.close()
    assert came, "before the end, which flushes too"
    assert _FLUSH_SECONDS < 1.0


def test_a_second_writing_process_is_told_who_holds_the_home(
    home: Home, database: Database
) -> None:
    script = f"""
from pathlib import Path
from vibedesk.base.paths import Home
from vibedesk.engine.store.database import Database
try:
    Database.open(Home(root=Path({str(home.root)!r}), projects=Path("x")), write=True)
except Exception as error:
    print(error.code, "|", error)
reader = Database.open(Home(root=Path({str(home.root)!r}), projects=Path("x")), write=False)
from vibedesk.engine.store.tables import SettingRow
print([row.key for row in reader.call(lambda: list(SettingRow.select()))])
reader.close()
"""
    database.call(put, "seen")
    child = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    first, second = child.stdout.strip().splitlines()
    import os

    assert first.startswith("home_locked |")
    assert f"process {os.getpid()}" in first
    assert "running since 20" in first
    assert "--home" in first
    assert second == "['seen']"


def test_the_same_process_cannot_open_a_home_twice_for_writing(
    home: Home, database: Database
) -> None:
    with pytest.raises(HomeLockedError):
        Database.open(home, write=True)


def test_reading_a_home_that_does_not_exist_finds_nothing_and_makes_nothing(home: Home) -> None:
    database = Database.open(home, write=False)
    assert database.call(keys) == []
    database.close()
    assert not home.root.exists()


def test_a_reader_cannot_write(home: Home, database: Database) -> None:
    reader = Database.open(home, write=False)
    with pytest.raises(ReadOnlyHomeError):
        reader.call(put, "no")
    reader.close()


def test_a_home_of_a_newer_version_is_refused_and_left_byte_for_byte(home: Home) -> None:
    Database.open(home, write=True).close()
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.execute("CREATE TABLE from_the_future (x)")
        connection.commit()
    before = home.database.read_bytes()
    for write in (True, False):
        with pytest.raises(SchemaTooNewError):
            Database.open(home, write=write)
    assert home.database.read_bytes() == before
    Database(home.root / "other.db").close()


def test_a_newer_home_with_a_left_over_log_is_left_as_it_is(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    newer = tmp_path / "newer.db"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA user_version = 999")
    connection.execute("CREATE TABLE future (x)")
    connection.commit()
    wal = newer.with_name("newer.db-wal")
    shutil.copyfile(newer, home.database)
    shutil.copyfile(wal, home.root / "vibedesk.db-wal")
    connection.close()
    before = home.database.read_bytes(), (home.root / "vibedesk.db-wal").read_bytes()
    with pytest.raises(SchemaTooNewError):
        Database.open(home, write=True)
    assert (home.database.read_bytes(), (home.root / "vibedesk.db-wal").read_bytes()) == before


def test_a_file_that_is_no_database_is_named(home: Home) -> None:
    home.root.mkdir()
    home.database.write_bytes(b"this is a shopping list, not a database\n" * 200)
    with pytest.raises(StorageError, match=r"vibedesk\.db is damaged"):
        Database.open(home, write=True)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A tmpfs of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_what_was_stored_stays(small_disk: Path) -> None:
    home = home_at(small_disk / "home")
    database = Database.open(home, write=True)
    database.call(put, "kept")

    def fill() -> None:
        for number in range(10_000):
            put(f"big{number}", "x" * 10_000)

    with pytest.raises(DiskFullError, match="no space left"):
        database.call(fill)
    assert database.call(keys) == ["kept"]
    database.call(put, "later")
    database.close()
    again = Database.open(home, write=True)
    assert again.call(keys) == ["kept", "later"]
    again.close()


def test_a_disk_without_any_room_is_said_when_opening(small_disk: Path) -> None:
    def fill() -> None:
        with (small_disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)

    with pytest.raises(OSError, match="space"):
        fill()
    with pytest.raises(DiskFullError):
        Database.open(home_at(small_disk / "home"), write=True)


@pytest.fixture
def read_only_mount(tmp_path: Path):
    """Return a function that mounts a folder read-only onto another."""
    target = tmp_path / "mounted"
    target.mkdir()
    mounted = False

    def mount(source: Path) -> Path:
        nonlocal mounted
        for command in (
            ["mount", "--bind", str(source), str(target)],
            ["mount", "-o", "remount,bind,ro", str(target)],
        ):
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("a bind mount needs root")
            mounted = True
        return target

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(target)], check=True)


def test_a_read_only_home_can_be_read_but_not_opened_for_writing(
    home: Home, read_only_mount
) -> None:
    database = Database.open(home, write=True)
    database.call(put, "kept")
    database.close()
    mounted = home_at(read_only_mount(home.root))
    with pytest.raises(ReadOnlyHomeError, match="cannot be written"):
        Database.open(mounted, write=True)
    reader = Database.open(mounted, write=False)
    assert reader.call(keys) == ["kept"]
    reader.close()


def test_a_read_only_home_shows_what_is_still_in_its_log(
    home: Home, tmp_path: Path, read_only_mount
) -> None:
    database = Database.open(home, write=True)
    database.call(put, "in the log")
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in ("vibedesk.db", "vibedesk.db-wal"):
        shutil.copyfile(home.root / name, killed / name)
    database.close()
    reader = Database.open(home_at(read_only_mount(killed)), write=False)
    assert reader.call(keys) == ["in the log"]
    reader.close()


def test_a_new_home_under_a_read_only_folder_is_refused(
    home: Home, tmp_path: Path, read_only_mount
) -> None:
    (tmp_path / "empty").mkdir()
    mounted = read_only_mount(tmp_path / "empty")
    with pytest.raises(ReadOnlyHomeError):
        Database.open(home_at(mounted / "home"), write=True)
    reader = Database.open(home_at(mounted / "home"), write=False)
    assert reader.call(keys) == []
    reader.close()
