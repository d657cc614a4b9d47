"""When and how a project's files were changed last, and what they are for. On the store's thread."""

from __future__ import annotations

from vibedesk.engine.store.tables import FileRow


def file_ages(project_id: str) -> dict[str, tuple[int, str]]:
    """Return path → (phase that wrote it, time of the last change)."""
    rows = FileRow.select(FileRow.path, FileRow.phase, FileRow.updated_at).where(
        FileRow.project == project_id
    )
    return {row.path: (row.phase, row.updated_at) for row in rows}


def last_changes(project_id: str) -> dict[str, str]:
    """Return path → its last change as a unified diff, of those that were changed since they were made."""
    rows = FileRow.select(FileRow.path, FileRow.last_diff).where(
        (FileRow.project == project_id) & (FileRow.last_diff != "")
    )
    return {row.path: row.last_diff for row in rows if "\n@@ -0,0 " not in row.last_diff}


def file_purposes(project_id: str) -> dict[str, str]:
    """Return path → what the plan said the file is for, of those that have such words."""
    rows = FileRow.select(FileRow.path, FileRow.purpose).where(
        (FileRow.project == project_id) & (FileRow.purpose != "")
    )
    return {row.path: row.purpose for row in rows}
