"""What the person said of files: locked, pinned, excluded. On the store's thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from vibedesk.base.clock import utc_now
from vibedesk.engine.store.tables import FileMarkRow

FileMark = Literal["locked", "pinned", "excluded"]
"""locked: no model writes it; pinned: every request has it; excluded: no request has it."""
FILE_MARKS: tuple[FileMark, ...] = get_args(FileMark)


class FileMarks:
    """The marks of one project's files."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id

    def all(self) -> dict[str, frozenset[str]]:
        """Return path → marks, of the files that have any."""
        found: dict[str, set[str]] = {}
        for row in FileMarkRow.select().where(FileMarkRow.project == self.project_id):
            found.setdefault(row.path, set()).add(row.mark)
        return {path: frozenset(marks) for path, marks in found.items()}

    def locked(self, paths: Iterable[str]) -> list[str]:
        """Return which of some paths are locked, in order."""
        query = FileMarkRow.select(FileMarkRow.path).where(
            (FileMarkRow.project == self.project_id) & (FileMarkRow.mark == "locked")
        )
        locked = {row.path for row in query}
        return sorted(locked.intersection(paths))

    def set(self, path: str, mark: FileMark, *, on: bool) -> None:
        if on:
            FileMarkRow.insert(
                project=self.project_id, path=path, mark=mark, at=utc_now()
            ).on_conflict_ignore().execute()
        else:
            FileMarkRow.delete().where(self._of(path) & (FileMarkRow.mark == mark)).execute()

    def move(self, path: str, new_path: str) -> None:
        self.drop(new_path)
        FileMarkRow.update(path=new_path).where(self._of(path)).execute()

    def drop(self, path: str) -> None:
        FileMarkRow.delete().where(self._of(path)).execute()

    def _of(self, path: str) -> object:
        return (FileMarkRow.project == self.project_id) & (FileMarkRow.path == path)
