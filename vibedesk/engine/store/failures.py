"""What SQLite and the file system refuse, said in the person's words."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from vibedesk.base.errors import DiskFullError, ReadOnlyHomeError, StorageError, VibeDeskError

_ALMOST_FULL_BYTES = 64 * 1024


@contextmanager
def translated_failures(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the database at `path` into our own errors; let all else pass."""
    try:
        yield
    except (sqlite3.Error, peewee.PeeweeException) as error:
        raise _translate(error, path) from error


@contextmanager
def home_failure(root: Path) -> Iterator[None]:
    """Turn what the file system refuses about the data folder `root` into our own errors."""
    try:
        yield
    except OSError as error:
        raise folder_error(error, root) from error


def folder_error(error: OSError, folder: Path) -> VibeDeskError:
    """Return the error that tells a person why `folder` could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(folder)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return _read_only(folder)
    return StorageError(
        f"The folder {folder} cannot be used ({error.strerror or error}).",
        remedy="Choose another folder, or make this one usable.",
        details={"path": str(error.filename or folder)},
    )


def _translate(error: Exception, path: Path) -> VibeDeskError:
    code = _result_code(error)
    folder = path.parent
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _nearly_full(folder)):
        return _disk_full(folder)
    if code == sqlite3.SQLITE_READONLY:
        return _read_only(folder)
    if code == sqlite3.SQLITE_CANTOPEN:
        return _disk_full(folder) if _nearly_full(folder) else _cannot_open(path)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StorageError(
            f"The data file {path} is damaged or is not VibeDesk's.",
            remedy="Put back a copy of it, or choose another data folder with --home.",
            details={"reason": str(error)},
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(
            f"Another program keeps the data file {path} busy.",
            remedy="Close it and try again.",
            retryable=True,
        )
    return StorageError(
        f"The data in {folder} could not be read or written.",
        remedy="Try again; if it happens again, the log has the details.",
        details={"reason": str(error)},
    )


def _result_code(error: BaseException) -> int | None:
    """Return SQLite's primary result code; peewee hides the original one or two errors deep."""
    seen: BaseException | None = error
    while seen is not None:
        code = getattr(seen, "sqlite_errorcode", None)
        if isinstance(code, int):
            return code & 0xFF
        seen = seen.__cause__ or seen.__context__
    return None


def _nearly_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _ALMOST_FULL_BYTES
    except OSError:
        return False


def _disk_full(folder: Path) -> DiskFullError:
    return DiskFullError(
        f"There is no space left where {folder} lies.", details={"path": str(folder)}
    )


def _read_only(folder: Path) -> ReadOnlyHomeError:
    return ReadOnlyHomeError(
        f"The folder {folder} cannot be written.",
        remedy="Make it writable, or choose another data folder with --home.",
        details={"path": str(folder)},
    )


def _cannot_open(path: Path) -> VibeDeskError:
    if not path.parent.exists() or os.access(path.parent, os.W_OK):
        return StorageError(
            f"The data file {path} cannot be opened.",
            remedy="Choose another data folder with --home.",
            details={"path": str(path)},
        )
    return _read_only(path.parent)
