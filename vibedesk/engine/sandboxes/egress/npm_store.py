"""What was fetched from npm registries, on disk. Blocking; written by the relay alone, never by an app.

Tarballs are named by their hash and read with a check of it, so that a name can never lead to other bytes.
A file's time of change says when the registry last confirmed it, its time of access when it was last used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from vibedesk.engine.sandboxes.egress.npm_metadata import Tarball

_PIECE = 1024 * 1024
_IN_MEMORY = 1024 * 1024
_HEAD_BYTES = 64 * 1024
_TEMPORARY = ".part-"
_LEFTOVER_SECONDS = 3600.0
_USE_SECONDS = 60.0
_FILLED_AFTER_EVICTION = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a stored document."""

    content_type: str
    length: int
    """Of the document before it is packed."""
    etag: str
    """Ours, of the document as the sandbox gets it."""
    registry_etag: str = ""
    registry_modified: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of something stored. Whoever takes it closes it."""

    size: int
    data: bytes | None
    file: BinaryIO | None
    """Of a large one, instead of `data`."""

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


@dataclass(frozen=True, slots=True)
class Document:
    """A package description, ready to be sent."""

    head: Head
    content: Content
    """Packed with gzip."""
    age: float
    """Seconds since the registry last confirmed it."""


class MismatchError(Exception):
    """What was downloaded is not what its description promised."""


class PackageStore:
    """A folder of documents, their lists of tarballs, and the tarballs.

    Args:
        root: Ours alone; made when first written to.
        max_bytes: Beyond it, what was not used for longest is removed.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._filled: int | None = None

    def read_document(self, key: str) -> Document | None:
        path = self._path("documents", key)
        with contextlib.ExitStack() as resources:
            try:
                file = resources.enter_context(path.open("rb"))
                head = Head(**json.loads(file.readline(_HEAD_BYTES)))
                status = os.fstat(file.fileno())
                size = status.st_size - file.tell()
                data = file.read() if size <= _IN_MEMORY else None
            except (OSError, ValueError, TypeError):
                return None
            if data is None:
                resources.pop_all()
            _mark_used(path)
            age = max(0.0, time.time() - status.st_mtime)
            return Document(head, Content(size, data, file if data is None else None), age)

    def write_document(self, key: str, head: Head, body: Iterable[bytes]) -> None:
        """Store or replace a document, all or nothing."""
        with self._new_file(self._path("documents", key)) as file:
            file.write(json.dumps(asdict(head)).encode() + b"\n")
            file.writelines(body)

    def confirm_document(self, key: str) -> None:
        """Note that the registry said it is unchanged."""
        with contextlib.suppress(OSError):
            os.utime(self._path("documents", key))

    def read_tarballs(self, key: str) -> tuple[dict[str, Tarball], float]:
        """Return a package's list of tarballs by file name, and its age in seconds (endless without a list)."""
        path = self._path("tarball-lists", key)
        try:
            listed = json.loads(path.read_bytes())
            age = max(0.0, time.time() - path.stat().st_mtime)
            tarballs = {name: Tarball(*fields) for name, fields in listed.items()}
        except (OSError, ValueError, TypeError):
            return {}, float("inf")
        _mark_used(path)
        return tarballs, age

    def write_tarballs(self, key: str, tarballs: Mapping[str, Tarball]) -> None:
        listed = {name: (tarball.url, tarball.integrity) for name, tarball in tarballs.items()}
        with self._new_file(self._path("tarball-lists", key)) as file:
            file.write(json.dumps(listed, separators=(",", ":")).encode())

    def read_tarball(self, integrity: str) -> Content | None:
        """Return a tarball after checking its bytes; one that is damaged is removed."""
        path = self._path("tarballs", integrity)
        algorithm, _, wanted = integrity.partition("-")
        digest = hashlib.new(algorithm)
        with contextlib.ExitStack() as resources:
            try:
                file = resources.enter_context(path.open("rb"))
                size = os.fstat(file.fileno()).st_size
                data = file.read() if size <= _IN_MEMORY else None
                if data is not None:
                    digest.update(data)
                while piece := file.read(_PIECE):
                    digest.update(piece)
                file.seek(0)
            except OSError:
                return None
            if digest.hexdigest() == wanted:
                if data is None:
                    resources.pop_all()
                _mark_used(path)
                return Content(size, data, file if data is None else None)
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def tarball_writer(self, integrity: str) -> TarballWriter:
        return TarballWriter(self, self._path("tarballs", integrity), integrity)

    def size(self) -> int:
        """Return the bytes of all files."""
        with self._lock:
            self._filled = sum(status.st_size for _, status in self._files())
            return self._filled

    def clean(self, older_than: float) -> int:
        """Remove what was not used for so many seconds; return the bytes freed."""
        limit = time.time() - older_than
        with self._lock:
            return self._remove(path for path in self._files() if path[1].st_atime < limit)

    def keep(self, temporary: Path, target: Path) -> None:
        """Give a finished file its name, and make room if there is too much now."""
        size = temporary.stat().st_size
        temporary.replace(target)
        with self._lock:
            if self._filled is None:
                self._filled = sum(status.st_size for _, status in self._files())
            else:
                self._filled += size
            if self._filled > self._max_bytes:
                self._evict()

    def _evict(self) -> None:
        # Replaced files were counted twice, so the truth is found out first.
        by_use = sorted(self._files(), key=lambda entry: entry[1].st_atime)
        filled = sum(status.st_size for _, status in by_use)
        wanted = self._max_bytes * _FILLED_AFTER_EVICTION
        leaving: list[tuple[Path, os.stat_result]] = []
        left = filled
        for entry in by_use if filled > self._max_bytes else ():
            if left <= wanted:
                break
            leaving.append(entry)
            left -= entry[1].st_size
        self._remove(leaving)
        self._filled = left

    def _remove(self, entries: Iterable[tuple[Path, os.stat_result]]) -> int:
        freed = 0
        for path, status in entries:
            with contextlib.suppress(OSError):  # another system's readers may hold it
                path.unlink()
                freed += status.st_size
        if self._filled is not None:
            self._filled = max(0, self._filled - freed)
        return freed

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if name.startswith(_TEMPORARY):
                        if status.st_mtime < time.time() - _LEFTOVER_SECONDS:
                            path.unlink()  # of a run that was killed
                        continue
                    yield path, status

    def _path(self, kind: str, key: str) -> Path:
        name = key if kind == "tarballs" else hashlib.sha256(key.encode()).hexdigest()
        return self._root / kind / name.rpartition("-")[2][:2] / name

    @contextlib.contextmanager
    def _new_file(self, target: Path) -> Iterator[BinaryIO]:
        with new_temporary(target) as (temporary, file):
            yield file
            file.close()
            self.keep(temporary, target)


class TarballWriter:
    """Takes a download's pieces; the tarball is kept only if its hash is right. Closing drops what was not kept."""

    def __init__(self, store: PackageStore, target: Path, integrity: str) -> None:
        self._store = store
        self._target = target
        algorithm, _, self._wanted = integrity.partition("-")
        self._digest = hashlib.new(algorithm)
        self._resources = contextlib.ExitStack()
        self._temporary, self._file = self._resources.enter_context(new_temporary(target))

    def write(self, data: bytes | bytearray) -> None:
        self._digest.update(data)
        self._file.write(data)

    def commit(self) -> None:
        """Keep it.

        Raises:
            MismatchError: its hash is wrong.
        """
        if self._digest.hexdigest() != self._wanted:
            raise MismatchError
        self._file.close()
        self._store.keep(self._temporary, self._target)

    def close(self) -> None:
        self._resources.close()


@contextlib.contextmanager
def new_temporary(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Make a file beside `target` that is gone at the end, unless it was renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield temporary, file
    finally:
        temporary.unlink(missing_ok=True)


def _mark_used(path: Path) -> None:
    with contextlib.suppress(OSError):
        status = path.stat()
        # Not every time, and not left to the file system, which may not note it at all.
        if time.time() - status.st_atime > _USE_SECONDS:
            os.utime(path, (time.time(), status.st_mtime))
