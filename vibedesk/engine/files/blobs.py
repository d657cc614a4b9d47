"""Binary files, kept once each under the digest of their content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from vibedesk.base.errors import NotFoundError
from vibedesk.engine.store.failures import home_failure


def blob_digest(data: bytes) -> str:
    """Return the name under which `data` is kept."""
    return hashlib.sha256(data).hexdigest()


class BlobStore:
    """A folder of immutable blobs; safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest.

        Raises:
            DiskFullError, ReadOnlyHomeError, StorageError: it could not be kept.
        """
        digest = blob_digest(data)
        path = self._path(digest)
        with home_failure(self._folder.parent):
            try:
                # It counts as new: house-keeping goes by age, and whoever stores it has not named it yet.
                os.utime(path)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(path, data)
        return digest

    def get(self, digest: str) -> bytes:
        """Return what was kept under `digest`.

        Raises:
            NotFoundError: nothing was, or it was lost.
        """
        with home_failure(self._folder.parent):
            try:
                return self._read(digest)
            except FileNotFoundError as error:
                raise NotFoundError(
                    "The content of a binary file is missing.",
                    remedy="Restore a version in which it is whole.",
                    details={"digest": digest},
                ) from error

    def _read(self, digest: str) -> bytes:
        return self._path(digest).read_bytes()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
