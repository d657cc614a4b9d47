"""One project's code in SQLite: the document's update log, its snapshots, and what is known of each file.

Every method runs on the store's thread, inside the transaction of whoever called it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from peewee import fn

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import NotFoundError
from vibedesk.engine.store.tables import (
    CodeSnapshotRow,
    CodeUpdateRow,
    FileRow,
    FolderRow,
    ProjectRow,
)

_FEW = 500  # beyond that, reading all of them is quicker than naming each


class CodeUpdate(NamedTuple):
    """One entry of the log."""

    version: int
    at: str
    origin: str
    data: bytes


class FolderProgress(NamedTuple):
    """How far the work folder and the git history have followed the document.

    `undoing`: what changed in the folder until then (seconds since 1970) may be of a command that is to look only;
    `undoing_inside`: so may be what a sandbox with files of its own has.
    """

    materialized_version: int
    snapshot_version: int
    snapshot_commit: str
    undoing: int
    undoing_inside: bool


class CodeLog:
    """The stored side of one project's document."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id

    # -- versions -------------------------------------------------------------------------------
    def head(self) -> int:
        """Return the newest version; 0 is the empty document.

        Raises:
            NotFoundError: there is no such project.
        """
        row = (
            ProjectRow.select(ProjectRow.code_version)
            .where(ProjectRow.id == self.project_id)
            .tuples()
            .first()
        )
        if row is None:
            raise NotFoundError(f"There is no project {self.project_id!r}.")
        return int(row[0])

    def append(self, version: int, origin: str, paths: Sequence[str], data: bytes) -> None:
        CodeUpdateRow.insert(
            project=self.project_id,
            version=version,
            at=utc_now(),
            origin=origin,
            paths=json.dumps(paths, ensure_ascii=False),
            data=data,
        ).execute()
        ProjectRow.update(code_version=version).where(ProjectRow.id == self.project_id).execute()

    def load(self, version: int) -> list[bytes]:
        """Return the updates that build `version` from nothing."""
        snapshot = (
            self._snapshots(CodeSnapshotRow.version, CodeSnapshotRow.data)
            .where(CodeSnapshotRow.version <= version)
            .order_by(CodeSnapshotRow.version.desc())
            .tuples()
            .first()
        )
        base, data = snapshot if snapshot is not None else (0, None)
        later = [update.data for update in self.updates(base, version)]
        return later if data is None else [bytes(data), *later]

    def updates(self, after: int, to: int) -> Iterator[CodeUpdate]:
        """Return the log after one version up to another, oldest first."""
        rows: Any = (
            CodeUpdateRow.select(
                CodeUpdateRow.version, CodeUpdateRow.at, CodeUpdateRow.origin, CodeUpdateRow.data
            )
            .where(
                (CodeUpdateRow.project == self.project_id)
                & (CodeUpdateRow.version > after)
                & (CodeUpdateRow.version <= to)
            )
            .order_by(CodeUpdateRow.version)
            .tuples()
        )
        for number, at, origin, data in rows:
            yield CodeUpdate(number, at, origin, bytes(data))

    def since(self, version: int, head: int) -> list[bytes]:
        """Return what brings a replica at `version` to `head`, whichever way is fewer bytes."""
        snapshot = (
            self._snapshots(CodeSnapshotRow.version, fn.LENGTH(CodeSnapshotRow.data))
            .where(CodeSnapshotRow.version > version)
            .order_by(CodeSnapshotRow.version.desc())
            .tuples()
            .first()
        )
        if snapshot is not None and snapshot[1] < self._log_bytes(version, snapshot[0]):
            return self.load(head)
        return [update.data for update in self.updates(version, head)]

    def last_change(self, origins: Collection[str]) -> str:
        """Return when a change of one of these origins was stored last; empty if there is none."""
        row = (
            CodeUpdateRow.select(CodeUpdateRow.at)
            .where(
                (CodeUpdateRow.project == self.project_id) & CodeUpdateRow.origin.in_(list(origins))
            )
            .order_by(CodeUpdateRow.version.desc())
            .tuples()
            .first()
        )
        return str(row[0]) if row is not None else ""

    def changed_paths(self, after: int, to: int) -> set[str]:
        """Return every path that some update in between touched."""
        rows: Any = (
            CodeUpdateRow.select(CodeUpdateRow.paths)
            .where(
                (CodeUpdateRow.project == self.project_id)
                & (CodeUpdateRow.version > after)
                & (CodeUpdateRow.version <= to)
            )
            .distinct()
            .tuples()
        )
        return {path for (paths,) in rows for path in json.loads(paths)}

    def changes(self, after: int, to: int) -> dict[str, list[tuple[int, str]]]:
        """Return path → (version, origin) of every change in between, oldest first, of every path that one touched."""
        rows: Any = (
            CodeUpdateRow.select(CodeUpdateRow.version, CodeUpdateRow.origin, CodeUpdateRow.paths)
            .where(
                (CodeUpdateRow.project == self.project_id)
                & (CodeUpdateRow.version > after)
                & (CodeUpdateRow.version <= to)
            )
            .order_by(CodeUpdateRow.version)
            .tuples()
        )
        found: dict[str, list[tuple[int, str]]] = {}
        for version, origin, paths in rows:
            for path in json.loads(paths):
                found.setdefault(path, []).append((version, origin))
        return found

    def last_touch(self, path: str) -> int:
        """Return the newest version whose change touched `path`; 0 if none did."""
        wanted = json.dumps(path, ensure_ascii=False)
        version = (
            CodeUpdateRow.select(fn.MAX(CodeUpdateRow.version))
            .where(
                (CodeUpdateRow.project == self.project_id)
                & (fn.INSTR(CodeUpdateRow.paths, wanted) > 0)
            )
            .scalar()
        )
        return int(version or 0)

    # -- snapshots ------------------------------------------------------------------------------
    def sizes(self, head: int) -> tuple[int, int]:
        """Return the bytes logged since the last snapshot, and that snapshot's own."""
        row = (
            self._snapshots(CodeSnapshotRow.version, fn.LENGTH(CodeSnapshotRow.data))
            .order_by(CodeSnapshotRow.version.desc())
            .tuples()
            .first()
        )
        base, size = row if row is not None else (0, 0)
        return self._log_bytes(base, head), int(size)

    def add_snapshot(self, version: int, data: bytes) -> None:
        CodeSnapshotRow.insert(
            project=self.project_id, version=version, at=utc_now(), data=data
        ).execute()

    # -- files ----------------------------------------------------------------------------------
    def put_file(self, path: str, *, size: int, diff: str | None, blob: str | None) -> None:
        """Note a file's size and (unless None) its last difference; purpose and phase stay."""
        values = {
            FileRow.project: self.project_id,
            FileRow.path: path,
            FileRow.size: size,
            FileRow.last_diff: diff or "",
            FileRow.updated_at: utc_now(),
            FileRow.blob: blob,
        }
        kept = [FileRow.size, FileRow.updated_at, FileRow.blob]
        FileRow.insert(values).on_conflict(
            conflict_target=[FileRow.project, FileRow.path],
            preserve=kept if diff is None else [*kept, FileRow.last_diff],
        ).execute()

    def move_file(self, path: str, new_path: str) -> None:
        self.drop_file(new_path)
        FileRow.update(path=new_path, updated_at=utc_now()).where(self._file(path)).execute()

    def drop_file(self, path: str) -> None:
        FileRow.delete().where(self._file(path)).execute()

    def set_executable(self, path: str, executable: bool) -> None:
        FileRow.update(executable=executable).where(self._file(path)).execute()

    def executables(self, among: Collection[str]) -> set[str]:
        """Return which of some files are executable."""
        chosen = FileRow.executable & (FileRow.project == self.project_id)
        if len(among) <= _FEW:
            chosen &= FileRow.path.in_(list(among))
        rows: Any = FileRow.select(FileRow.path).where(chosen).tuples()
        return {path for (path,) in rows if path in among}

    # -- followers ------------------------------------------------------------------------------
    def progress(self) -> FolderProgress:
        row = FolderRow.get_or_none(FolderRow.project == self.project_id)
        if row is None:
            return FolderProgress(0, 0, "", undoing=0, undoing_inside=False)
        return FolderProgress(
            row.materialized_version,
            row.snapshot_version,
            row.snapshot_commit,
            row.undoing,
            row.undoing_inside,
        )

    def set_materialized(self, version: int) -> None:
        self._put_progress(materialized_version=version)

    def set_snapshot(self, version: int, commit: str) -> None:
        self._put_progress(snapshot_version=version, snapshot_commit=commit)

    def set_undoing(self, until: int) -> None:
        self._put_progress(undoing=until)

    def set_undoing_inside(self, pending: bool) -> None:
        self._put_progress(undoing_inside=pending)

    def _put_progress(self, **values: int | str) -> None:
        FolderRow.insert(project=self.project_id, **values).on_conflict(
            conflict_target=[FolderRow.project], update=values
        ).execute()

    def _file(self, path: str) -> Any:
        return (FileRow.project == self.project_id) & (FileRow.path == path)

    def _snapshots(self, *columns: Any) -> Any:
        return CodeSnapshotRow.select(*columns).where(CodeSnapshotRow.project == self.project_id)

    def _log_bytes(self, after: int, to: int) -> int:
        total = (
            CodeUpdateRow.select(fn.SUM(fn.LENGTH(CodeUpdateRow.data)))
            .where(
                (CodeUpdateRow.project == self.project_id)
                & (CodeUpdateRow.version > after)
                & (CodeUpdateRow.version <= to)
            )
            .scalar()
        )
        return int(total or 0)
