"""Opening the SQLite file of a home, for writing or only for reading."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from vibedesk.engine.store.migrations import NEWEST_VERSION, migrate, refuse_newer

_BUSY_SECONDS = 10.0


def connect_for_writing(path: Path) -> sqlite3.Connection:
    """Open (or make) the database, migrated to the newest schema.

    Raises:
        SchemaTooNewError: before a byte of the file or its WAL has changed.
    """
    if path.exists():
        with closing(_connect_uri(path, "mode=ro")) as reader:
            refuse_newer(reader, path)
    else:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, backup=path)
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Open the database without writing to it, also while another process does and on a read-only mount.

    A home that does not exist reads as an empty one, and one of an older schema as if it had been migrated.
    """
    if not path.exists():
        return _migrated_in_memory(None)
    connection = _open_existing(path)
    try:
        if refuse_newer(connection, path) < NEWEST_VERSION:
            migrated = _migrated_in_memory(connection)
            connection.close()
            return migrated
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_existing(path: Path) -> sqlite3.Connection:
    wal = path.with_name(path.name + "-wal")
    try:
        return _connect_uri(path, "mode=ro")
    except sqlite3.OperationalError:
        if os.access(path.parent, os.W_OK) or not os.access(path, os.R_OK):
            raise
    # On a read-only mount the shared memory that WAL needs cannot be made. Without a WAL the file is whole by
    # itself; with one, what it holds is read from a copy.
    if wal.exists() and wal.stat().st_size:
        return _loaded_from_copy(path, wal)
    return _connect_uri(path, "mode=ro&immutable=1")


def _connect_uri(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _loaded_from_copy(path: Path, wal: Path) -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix="vibedesk-read-") as folder:
        copy = Path(folder, path.name)
        shutil.copyfile(path, copy)
        shutil.copyfile(wal, Path(folder, wal.name))
        with closing(sqlite3.connect(copy, isolation_level=None)) as source:
            return _in_memory(source.backup)


def _migrated_in_memory(source: sqlite3.Connection | None) -> sqlite3.Connection:
    memory = _in_memory(source.backup if source is not None else None)
    migrate(memory, backup=None)
    memory.execute("PRAGMA foreign_keys = ON")
    return memory


def _in_memory(fill: Callable[[sqlite3.Connection], None] | None) -> sqlite3.Connection:
    memory = sqlite3.connect(":memory:", isolation_level=None)
    if fill is not None:
        fill(memory)
    return memory
