"""The schema's history leads to today's tables, keeps every row, and happens wholly or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import peewee
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibedesk.base.paths import Home
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.migrations import (
    MIGRATIONS,
    NEWEST_VERSION,
    Migration,
    migrate,
    schema_version,
)
from vibedesk.engine.store.tables import TABLES


def shape(connection: sqlite3.Connection) -> dict[str, object]:
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    result: dict[str, object] = {}
    for table in tables:
        indexes = {
            name: (
                unique,
                [column for _, _, column in connection.execute(f"PRAGMA index_info({name})")],
            )
            for _, name, unique, *_ in connection.execute(f"PRAGMA index_list({table})")
        }
        result[table] = {
            "columns": connection.execute(f"PRAGMA table_info({table})").fetchall(),
            "indexes": indexes,
            "foreign keys": connection.execute(f"PRAGMA foreign_key_list({table})").fetchall(),
        }
    return result


def test_the_migrated_schema_is_the_schema_of_the_tables() -> None:
    migrated = sqlite3.connect(":memory:", isolation_level=None)
    migrate(migrated, backup=None)
    declared = peewee.SqliteDatabase(":memory:")
    with declared.bind_ctx(TABLES, bind_refs=False, bind_backrefs=False):
        declared.create_tables(TABLES, safe=False)
    wanted = shape(declared.connection())
    assert shape(migrated) == wanted
    declared.close()
    migrated.close()


def test_versions_are_numbered_without_gaps() -> None:
    assert [step.version for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


NEXT = Migration(
    NEWEST_VERSION + 1,
    """
ALTER TABLE settings ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE TABLE copy (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO copy SELECT key, value FROM settings;
""",
)
BROKEN = Migration(NEWEST_VERSION + 2, "CREATE TABLE third (x);\nINSERT INTO nowhere VALUES (1);")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=40, deadline=None)
@given(rows=st.dictionaries(texts, texts, max_size=12))
def test_rows_survive_a_migration(rows: dict[str, str]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, backup=None)
        connection.executemany("INSERT INTO settings VALUES (?, ?)", rows.items())
        migrate(connection, backup=None, migrations=(*MIGRATIONS, NEXT))
        assert dict(connection.execute("SELECT key, value FROM settings")) == rows
        assert dict(connection.execute("SELECT key, value FROM copy")) == rows
        assert schema_version(connection) == NEXT.version


def fill(connection: sqlite3.Connection) -> dict[str, list[dict[str, object]]]:
    """Put two rows into every table, each column with a value of its own; return them by table."""
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    connection.execute("PRAGMA foreign_keys = OFF")
    for table in tables:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        owners = {row[3] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
        for number in (1, 2):
            values = [_value(name, kind, number, owners) for _, name, kind, *_ in columns]
            marks = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.execute("PRAGMA foreign_keys = ON")
    return {table: rows_of(connection, table) for table in tables}


def _value(name: str, kind: str, number: int, owners: set[str]) -> object:
    if name in owners or (name == "id" and kind.startswith("VARCHAR")):
        return f"id-{number}"
    if kind in ("INTEGER", "BIGINT"):
        return number
    if kind == "REAL":
        return number / 4
    return b"\0bytes %d" % number if kind == "BLOB" else f"{name} {number} ü"


def rows_of(connection: sqlite3.Connection, table: str) -> list[dict[str, object]]:
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY rowid")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.mark.parametrize("version", range(1, NEWEST_VERSION))
def test_every_earlier_version_comes_forward_with_every_row_of_every_table(version: int) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, backup=None, migrations=MIGRATIONS[:version])
        assert schema_version(connection) == version
        before = fill(connection)
        assert before["usage"]
        migrate(connection, backup=None)
        assert schema_version(connection) == NEWEST_VERSION
        for table, rows in before.items():
            after = rows_of(connection, table)
            assert [{name: row[name] for name in rows[0]} for row in after] == rows, table
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_calls_from_before_their_details_were_kept_count_as_finished() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, backup=None, migrations=MIGRATIONS[:2])
        fill(connection)
        migrate(connection, backup=None)
        new = "cache_write_tokens, reasoning_tokens, phase, saved, outcome"
        assert connection.execute(f"SELECT DISTINCT {new} FROM usage").fetchall() == [
            (0, 0, 0, None, "finished")
        ]


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, backup=None)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, backup=path, migrations=(*MIGRATIONS, NEXT, BROKEN))
        assert schema_version(connection) == NEXT.version
        assert "third" not in shape(connection)


def test_an_existing_file_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, backup=path)
        assert list(tmp_path.iterdir()) == [path]  # nothing to copy yet
        connection.execute("INSERT INTO settings VALUES ('k', 'v')")
        migrate(connection, backup=path, migrations=(*MIGRATIONS, NEXT))
    with closing(sqlite3.connect(tmp_path / f"data.db.v{NEWEST_VERSION}.backup")) as backup:
        assert schema_version(backup) == NEWEST_VERSION
        assert backup.execute("SELECT * FROM settings").fetchall() == [("k", "v")]


def test_a_step_that_orphans_rows_is_refused() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, backup=None)
        orphan = Migration(
            NEWEST_VERSION + 1, "INSERT INTO grants VALUES ('nobody', 'example.org', 'now')"
        )
        with pytest.raises(sqlite3.IntegrityError, match="grants"):
            migrate(connection, backup=None, migrations=(*MIGRATIONS, orphan))
        assert schema_version(connection) == NEWEST_VERSION


def test_a_reader_sees_an_older_home_as_if_it_were_migrated(tmp_path: Path) -> None:
    home = Home(root=tmp_path, projects=tmp_path)
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("PRAGMA user_version = 0")
        connection.execute("CREATE TABLE leftover (x)")
        connection.commit()
    before = home.database.read_bytes()
    reader = Database.open(home, write=False)
    assert reader.call(lambda: TABLES[0].select().count()) == 0
    reader.close()
    assert home.database.read_bytes() == before
