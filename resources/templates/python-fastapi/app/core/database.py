"""SQLite: one connection a request, numbered migrations, explicit transactions."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends

ROOT = Path(__file__).resolve().parent.parent.parent
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

_migrating = threading.Lock()


def database_path() -> Path:
    """Return where the data lies: DATABASE_PATH, or data/app.db in the project."""
    return Path(os.environ.get("DATABASE_PATH") or ROOT / "data" / "app.db")


def connect() -> sqlite3.Connection:
    """Open the database. Rows can be read by column name."""
    path = database_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    # A request's steps may run in several threads, one after the other.
    db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of the block's changes, or none of them."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def migrate() -> None:
    """Bring the database up to the newest file in app/migrations; each runs once, in the order of its number."""
    with _migrating:
        db = connect()
        try:
            # A migration may make a table anew; rows that point to it must not be deleted by that.
            db.execute("PRAGMA foreign_keys = OFF")
            db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT")
            for file in sorted(MIGRATIONS.glob("[0-9]*.sql")):
                with transaction(db):
                    known = db.execute("SELECT 1 FROM migrations WHERE name = ?", [file.name])
                    if known.fetchone() is None:
                        for statement in statements(file.read_text("utf-8")):
                            db.execute(statement)
                        if broken := db.execute("PRAGMA foreign_key_check").fetchone():
                            raise sqlite3.IntegrityError(
                                f"{file.name}: rows of {broken['table']} point to missing rows of {broken['parent']}"
                            )
                        db.execute("INSERT INTO migrations (name) VALUES (?)", [file.name])
        finally:
            db.close()


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements (`executescript` would end the transaction)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _request_connection() -> Iterator[sqlite3.Connection]:
    db = connect()
    try:
        yield db
    finally:
        db.close()


Database = Annotated[sqlite3.Connection, Depends(_request_connection)]
"""Type of a route's parameter that gets a connection."""
