"""The schema's history: forward only, one transaction a step, an existing file copied first.

A migration is SQL kept as it was on the day it was written, never today's classes: a home of any age takes every
step in turn and ends at the schema of `vibedesk.engine.store.tables`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vibedesk.base.errors import SchemaTooNewError


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: the version it leads to and the statements that lead there."""

    version: int
    sql: str

    @property
    def statements(self) -> list[str]:
        return [statement for part in self.sql.split(";\n") if (statement := part.strip(" \n;"))]


_FIRST_SCHEMA = """
CREATE TABLE projects (
    id VARCHAR(26) NOT NULL PRIMARY KEY,
    kind VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    wish TEXT NOT NULL,
    mode VARCHAR(255) NOT NULL,
    folder TEXT NOT NULL,
    template VARCHAR(255) NOT NULL,
    sample VARCHAR(255) NOT NULL,
    state VARCHAR(255) NOT NULL,
    state_reason TEXT NOT NULL,
    failed_state VARCHAR(255),
    options TEXT NOT NULL,
    run TEXT NOT NULL,
    blueprint TEXT,
    blueprint_text TEXT NOT NULL,
    waiting TEXT,
    error TEXT,
    port INTEGER,
    sandbox_id VARCHAR(255) NOT NULL,
    sandbox_kind VARCHAR(255) NOT NULL,
    preview_url VARCHAR(255) NOT NULL,
    review_cycles INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    code_version INTEGER NOT NULL,
    created_at VARCHAR(255) NOT NULL,
    updated_at VARCHAR(255) NOT NULL,
    deleted_at VARCHAR(255)
);
CREATE INDEX projects_name ON projects (name);
CREATE INDEX projects_updated_at ON projects (updated_at);
CREATE TABLE code_snapshots (
    project_id VARCHAR(26) NOT NULL,
    version INTEGER NOT NULL,
    at VARCHAR(255) NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (project_id, version),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE code_updates (
    project_id VARCHAR(26) NOT NULL,
    version INTEGER NOT NULL,
    at VARCHAR(255) NOT NULL,
    origin VARCHAR(255) NOT NULL,
    paths TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (project_id, version),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE commands (
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    command TEXT NOT NULL,
    at VARCHAR(255) NOT NULL,
    exit_status INTEGER,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX commands_project_id ON commands (project_id);
CREATE TABLE draft_chunks (
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    path TEXT NOT NULL,
    text TEXT NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX draft_chunks_project_id_path ON draft_chunks (project_id, path);
CREATE TABLE drafts (
    project_id VARCHAR(26) NOT NULL,
    path TEXT NOT NULL,
    mode VARCHAR(255) NOT NULL,
    file_id VARCHAR(255) NOT NULL,
    base TEXT,
    text TEXT NOT NULL,
    truncated INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    PRIMARY KEY (project_id, path),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE events (
    project_id VARCHAR(26) NOT NULL,
    seq INTEGER NOT NULL,
    at VARCHAR(255) NOT NULL,
    type VARCHAR(255) NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (project_id, seq),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE files (
    project_id VARCHAR(26) NOT NULL,
    path TEXT NOT NULL,
    purpose TEXT NOT NULL,
    phase INTEGER NOT NULL,
    size INTEGER NOT NULL,
    last_diff TEXT NOT NULL,
    updated_at VARCHAR(255) NOT NULL,
    blob VARCHAR(255),
    executable INTEGER NOT NULL,
    PRIMARY KEY (project_id, path),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE folders (
    project_id VARCHAR(26) NOT NULL PRIMARY KEY,
    materialized_version INTEGER NOT NULL,
    snapshot_version INTEGER NOT NULL,
    snapshot_commit VARCHAR(255) NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE grants (
    project_id VARCHAR(26) NOT NULL,
    host VARCHAR(255) NOT NULL,
    at VARCHAR(255) NOT NULL,
    PRIMARY KEY (project_id, host),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE logs (
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    at VARCHAR(255) NOT NULL,
    stream VARCHAR(255) NOT NULL,
    line TEXT NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX logs_project_id ON logs (project_id);
CREATE TABLE materialized (
    project_id VARCHAR(26) NOT NULL,
    path TEXT NOT NULL,
    text TEXT,
    digest VARCHAR(255) NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (project_id, path),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE messages (
    id VARCHAR(26) NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    role VARCHAR(255) NOT NULL,
    text TEXT NOT NULL,
    at VARCHAR(255) NOT NULL,
    complete INTEGER NOT NULL,
    data TEXT NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX messages_project_id ON messages (project_id);
CREATE TABLE phases (
    project_id VARCHAR(26) NOT NULL,
    number INTEGER NOT NULL,
    name VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    plan TEXT NOT NULL,
    source VARCHAR(255) NOT NULL,
    completed INTEGER NOT NULL,
    completed_at VARCHAR(255),
    PRIMARY KEY (project_id, number),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE settings (
    key VARCHAR(255) NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE usage (
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    at VARCHAR(255) NOT NULL,
    operation VARCHAR(255) NOT NULL,
    provider VARCHAR(255) NOT NULL,
    model VARCHAR(255) NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cost REAL,
    latency REAL NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX usage_project_id ON usage (project_id);
CREATE TABLE wishes (
    id VARCHAR(26) NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    text TEXT NOT NULL,
    at VARCHAR(255) NOT NULL,
    status VARCHAR(255) NOT NULL,
    phase INTEGER,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX wishes_project_id ON wishes (project_id);
"""

_REFUSED_HOSTS = """
CREATE TABLE refused_hosts (
    project_id VARCHAR(26) NOT NULL,
    host VARCHAR(255) NOT NULL,
    at VARCHAR(255) NOT NULL,
    PRIMARY KEY (project_id, host),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
"""

_ENGINE_IN_DEPTH = """
ALTER TABLE projects ADD COLUMN questions TEXT;
ALTER TABLE projects ADD COLUMN summary TEXT;
ALTER TABLE usage ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN phase INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN saved REAL;
ALTER TABLE usage ADD COLUMN outcome VARCHAR(255) NOT NULL DEFAULT 'finished';
CREATE TABLE attachments (
    id VARCHAR(26) NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    message VARCHAR(255),
    name VARCHAR(255) NOT NULL,
    media_type VARCHAR(255) NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    blob VARCHAR(255) NOT NULL,
    at VARCHAR(255) NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX attachments_project_id ON attachments (project_id);
CREATE TABLE file_marks (
    project_id VARCHAR(26) NOT NULL,
    path TEXT NOT NULL,
    mark VARCHAR(255) NOT NULL,
    at VARCHAR(255) NOT NULL,
    PRIMARY KEY (project_id, path, mark),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE proposals (
    id VARCHAR(26) NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    path TEXT NOT NULL,
    instructions TEXT NOT NULL,
    base TEXT NOT NULL,
    text TEXT NOT NULL,
    status VARCHAR(255) NOT NULL,
    at VARCHAR(255) NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX proposals_project_id ON proposals (project_id);
CREATE TABLE variables (
    project_id VARCHAR(26) NOT NULL,
    name VARCHAR(255) NOT NULL,
    secret INTEGER NOT NULL,
    value TEXT,
    purpose TEXT NOT NULL,
    asked_by VARCHAR(255) NOT NULL,
    consent INTEGER NOT NULL,
    at VARCHAR(255) NOT NULL,
    PRIMARY KEY (project_id, name),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE timings (
    id INTEGER NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    at VARCHAR(255) NOT NULL,
    operation VARCHAR(255) NOT NULL,
    phase INTEGER NOT NULL,
    seconds REAL NOT NULL,
    outcome VARCHAR(255) NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX timings_project_id ON timings (project_id);
"""

_MENDING = """
CREATE TABLE issues (
    project_id VARCHAR(26) NOT NULL,
    signature VARCHAR(255) NOT NULL,
    data TEXT NOT NULL,
    status VARCHAR(255) NOT NULL,
    phase INTEGER NOT NULL,
    first_seen VARCHAR(255) NOT NULL,
    last_seen VARCHAR(255) NOT NULL,
    times_seen INTEGER NOT NULL,
    fixes TEXT NOT NULL,
    PRIMARY KEY (project_id, signature),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE check_results (
    project_id VARCHAR(26) NOT NULL,
    name VARCHAR(255) NOT NULL,
    passed INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    code_version INTEGER NOT NULL,
    seconds REAL NOT NULL,
    picture VARCHAR(255),
    data TEXT NOT NULL,
    at VARCHAR(255) NOT NULL,
    PRIMARY KEY (project_id, name),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE debug_sessions (
    id VARCHAR(26) NOT NULL PRIMARY KEY,
    project_id VARCHAR(26) NOT NULL,
    signature VARCHAR(255) NOT NULL,
    transcript TEXT NOT NULL,
    outcome VARCHAR(255) NOT NULL,
    at VARCHAR(255) NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX debug_sessions_project_id ON debug_sessions (project_id);
"""

_CORRECTED_CHECKS = """
CREATE TABLE check_results_anew (
    project_id VARCHAR(26) NOT NULL,
    name VARCHAR(255) NOT NULL,
    passed INTEGER,
    phase INTEGER NOT NULL,
    code_version INTEGER NOT NULL,
    seconds REAL NOT NULL,
    picture VARCHAR(255),
    data TEXT NOT NULL,
    at VARCHAR(255) NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (project_id, name),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
INSERT INTO check_results_anew SELECT *, '' FROM check_results;
DROP TABLE check_results;
ALTER TABLE check_results_anew RENAME TO check_results;
"""

_UNDOING = "ALTER TABLE folders ADD COLUMN undoing INTEGER NOT NULL DEFAULT 0"

_CONTINUED = "ALTER TABLE usage ADD COLUMN continues VARCHAR(255) NOT NULL DEFAULT ''"

_UNDOING_INSIDE = "ALTER TABLE folders ADD COLUMN undoing_inside INTEGER NOT NULL DEFAULT 0"

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, _FIRST_SCHEMA),
    Migration(2, _REFUSED_HOSTS),
    Migration(3, _ENGINE_IN_DEPTH),
    Migration(4, _MENDING),
    Migration(5, _CORRECTED_CHECKS),
    Migration(6, _UNDOING),
    Migration(7, _CONTINUED),
    Migration(8, _UNDOING_INSIDE),
)
NEWEST_VERSION = MIGRATIONS[-1].version


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the version a database file is at; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the file.

    Raises:
        SchemaTooNewError: a newer VibeDesk wrote it.
    """
    version = schema_version(connection)
    if version > NEWEST_VERSION:
        raise SchemaTooNewError(
            f"The data in {path.parent} was written by a newer VibeDesk; it was left untouched.",
            remedy="Update VibeDesk, or choose another data folder with --home.",
            details={"version": str(version), "understood": str(NEWEST_VERSION)},
        )
    return version


def migrate(
    connection: sqlite3.Connection,
    *,
    backup: Path | None,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring the database to the newest schema, in steps that each happen wholly or not at all.

    Args:
        connection: In autocommit mode, with foreign keys not yet enforced.
        backup: Where an existing database is copied before the first step; None keeps no copy.
        migrations: The steps, in order.
    """
    current = schema_version(connection)
    due = [step for step in migrations if step.version > current]
    if not due:
        return
    if backup is not None and current > 0:
        _copy(connection, backup.with_name(f"{backup.name}.v{current}.backup"))
    for step in due:
        _take(connection, step)


def _copy(connection: sqlite3.Connection, destination: Path) -> None:
    with closing(sqlite3.connect(destination)) as target:
        connection.backup(target)


def _take(connection: sqlite3.Connection, step: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in step.statements:
            connection.execute(statement)
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise sqlite3.IntegrityError(f"migration {step.version} orphans rows of {broken[0]}")
        connection.execute(f"PRAGMA user_version = {step.version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
