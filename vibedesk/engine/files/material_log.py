"""What was last written to (or taken from) a project's work folder, path by path, in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from vibedesk.engine.store.tables import MaterialRow


class Material(NamedTuple):
    """The folder's content of a path as we last knew it; `text` is None for a binary file."""

    text: str | None
    digest: str
    size: int
    mtime_ns: int


class Known(NamedTuple):
    """What is enough to see whether a file on disk was touched."""

    digest: str
    size: int
    mtime_ns: int


class MaterialLog:
    """One project's rows; used on the database's owner thread only."""

    def __init__(self, project_id: str) -> None:
        self._project_id = project_id

    def known(self) -> dict[str, Known]:
        """Return every path without its text."""
        rows: Any = (
            MaterialRow.select(
                MaterialRow.path, MaterialRow.digest, MaterialRow.size, MaterialRow.mtime_ns
            )
            .where(MaterialRow.project == self._project_id)
            .tuples()
        )
        return {path: Known(digest, size, mtime) for path, digest, size, mtime in rows}

    def get(self, path: str) -> Material | None:
        row = MaterialRow.get_or_none(self._is(path))
        return None if row is None else Material(row.text, row.digest, row.size, row.mtime_ns)

    def put(self, path: str, material: Material) -> None:
        MaterialRow.insert(
            project=self._project_id,
            path=path,
            text=material.text,
            digest=material.digest,
            size=material.size,
            mtime_ns=material.mtime_ns,
        ).on_conflict_replace().execute()

    def note_time(self, path: str, mtime_ns: int) -> None:
        MaterialRow.update(mtime_ns=mtime_ns).where(self._is(path)).execute()

    def drop(self, path: str) -> None:
        MaterialRow.delete().where(self._is(path)).execute()

    def present(self, paths: Iterable[str]) -> Iterator[tuple[str, Known]]:
        """Return what is known of some paths."""
        for path in paths:
            if (material := self.get(path)) is not None:
                yield path, Known(material.digest, material.size, material.mtime_ns)

    def _is(self, path: str) -> Any:
        return (MaterialRow.project == self._project_id) & (MaterialRow.path == path)
