"""What is kept in the database beyond its use, and letting it go; never what a project is made of.

Every function runs on the store's thread, inside the transaction of whoever called it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from peewee import fn

from vibedesk.engine.store.records import Json
from vibedesk.engine.store.tables import (
    AttachmentRow,
    CheckResultRow,
    CodeSnapshotRow,
    CodeUpdateRow,
    CommandRow,
    DraftChunkRow,
    DraftRow,
    EventRow,
    FileRow,
    LogRow,
    MaterialRow,
    ProjectRow,
    SettingRow,
)

_BLOB = re.compile(rb"blob:([0-9a-f]{64})")
"""How a document names a binary file; its updates have the words as they are."""
_PASSING_EVENTS = (
    "file_start",
    "file_end",
    "file_dropped",
    "files_written",
    "command_started",
    "command_finished",
    "sandbox_state",
    "usage",
    "diagnostics",
)
"""Events that say nothing any more once a view was made: what they told is stored where it belongs."""
_OF_THE_CODE = (
    EventRow,
    LogRow,
    CommandRow,
    CodeUpdateRow,
    CodeSnapshotRow,
    DraftRow,
    DraftChunkRow,
    MaterialRow,
    FileRow,
    AttachmentRow,
    CheckResultRow,
)


def drop_old_rows(before: str) -> int:
    """Forget passing events and log lines from before a time (UTC, ISO 8601); return how many rows."""
    events = EventRow.delete().where((EventRow.at < before) & EventRow.type.in_(_PASSING_EVENTS))
    logs = LogRow.delete().where(LogRow.at < before)
    return int(events.execute()) + int(logs.execute())


def empty_deleted_projects(before: str) -> int:
    """Forget the code of projects that were deleted before a time, not what they cost; return how many."""
    gone = [
        row.id
        for row in ProjectRow.select(ProjectRow.id).where(ProjectRow.deleted_at < before)
        if any(_rows_of(table, row.id).exists() for table in _OF_THE_CODE)
    ]
    for project_id in gone:
        for table in _OF_THE_CODE:
            table.delete().where(table.project == project_id).execute()
    return len(gone)


def blobs_of_files() -> set[str]:
    """Return the digests that a file, a picture or a check of a project has now."""
    found: set[str] = set()
    for column in (FileRow.blob, AttachmentRow.blob, CheckResultRow.picture):
        rows: Any = column.model.select(fn.DISTINCT(column)).where(column.is_null(False))
        found.update(blob for (blob,) in rows.tuples())
    return found


def projects_with_code() -> list[str]:
    rows = CodeUpdateRow.select(fn.DISTINCT(CodeUpdateRow.project)).tuples()
    snapshots = CodeSnapshotRow.select(fn.DISTINCT(CodeSnapshotRow.project)).tuples()
    return sorted({project for (project,) in (*rows, *snapshots)})


def blobs_of_versions(project_id: str) -> set[str]:
    """Return the digests that any version of a project's code names: each of them can be rebuilt."""
    found: set[str] = set()
    for table in (CodeUpdateRow, CodeSnapshotRow):
        rows = table.select(table.data).where(table.project == project_id).tuples()
        for (data,) in rows.iterator():
            found.update(digest.decode() for digest in _BLOB.findall(bytes(data)))
    return found


def all_settings() -> Json:
    """Return every setting, decoded."""
    return {row.key: json.loads(row.value) for row in SettingRow.select().order_by(SettingRow.key)}


def _rows_of(table: Any, project_id: str) -> Any:
    return table.select().where(table.project == project_id)
