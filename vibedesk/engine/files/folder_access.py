"""Reading and writing inside one folder without ever following a link out of it.

Where the system can, every step is relative to an open folder, so a link that is put in place meanwhile is not
followed either; on Windows each step is checked before it is taken.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from vibedesk.base.errors import StorageError, VibeDeskError
from vibedesk.engine.files.ignore_rules import TEMPORARY_PREFIX
from vibedesk.engine.store.failures import folder_error

_RELATIVE = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
# Without O_NONBLOCK, opening a pipe that somebody put there would wait for ever.
_READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_NO_PLAIN_FILE = (
    errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG,
)  # fmt: skip
_WRITE_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

_RANDOM_BYTES = 6
_LEFT_OVER = re.compile(
    re.escape(TEMPORARY_PREFIX) + rf"[0-9a-f]{{{2 * _RANDOM_BYTES}}}" + re.escape(".tmp")
)


class FileFacts(NamedTuple):
    """What the folder says of a file without reading it."""

    size: int
    mtime_ns: int
    executable: bool


class Entry(NamedTuple):
    """One name in a folder; `facts` are None for what is neither a plain file nor a plain folder."""

    name: str
    is_folder: bool
    facts: FileFacts | None


class _Place(NamedTuple):
    """A folder that was reached: an open descriptor, or its path where there are none."""

    descriptor: int | None
    path: Path

    def at(self, name: str) -> str | Path:
        return name if self.descriptor is not None else self.path / name


class FolderAccess:
    """The files below `root`, by project path. What the system refuses becomes an error of ours."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Make the folder itself."""
        with self._translated():
            self.root.mkdir(parents=True, exist_ok=True)

    def entries(self, folder: str) -> list[Entry]:
        """Return what lies in a folder; nothing if it is gone or became a link."""
        with self._translated():
            try:
                with self._reached(folder.split("/") if folder else []) as place:
                    where = place.path if place.descriptor is None else place.descriptor
                    with os.scandir(where) as found:
                        return [_entry(entry) for entry in found]
            except OSError as error:
                if error.errno in _NO_PLAIN_FILE:
                    return []
                raise

    def facts(self, path: str) -> FileFacts | None:
        """Return what is known of a plain file; None if there is none."""
        with self._translated():
            try:
                with self._parent(path) as (place, name):
                    return _facts(
                        os.stat(place.at(name), dir_fd=place.descriptor, follow_symlinks=False)
                    )
            except OSError as error:
                if error.errno in _NO_PLAIN_FILE:
                    return None
                raise

    def read(self, path: str) -> bytes | None:
        """Return a plain file's bytes; None if there is none."""
        with self._translated():
            try:
                with self._parent(path) as (place, name):
                    descriptor = os.open(place.at(name), _READ_FLAGS, dir_fd=place.descriptor)
                    with os.fdopen(descriptor, "rb") as file:
                        return file.read() if _facts(os.fstat(file.fileno())) else None
            except OSError as error:
                if error.errno in _NO_PLAIN_FILE:
                    return None
                raise

    def write(self, path: str, data: bytes, *, executable: bool) -> FileFacts:
        """Put a whole file in place of what was there; others see the old or the new one, never a part.

        A file that is replaced keeps its permissions, but for being executable.

        Raises:
            StorageError: something that is no file is in the way, or the system refuses.
        """
        with self._translated(), self._parent(path, create=True) as (place, name):
            temporary = f"{TEMPORARY_PREFIX}{os.urandom(_RANDOM_BYTES).hex()}.tmp"
            descriptor = os.open(
                place.at(temporary),
                _WRITE_FLAGS,
                0o777 if executable else 0o666,
                dir_fd=place.descriptor,
            )
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    _keep_permissions(place, name, file.fileno(), executable=executable)
                    # Else a power cut could leave an empty file, which would look like somebody's edit.
                    os.fsync(file.fileno())
                    written = os.fstat(file.fileno())
                os.replace(
                    place.at(temporary),
                    place.at(name),
                    src_dir_fd=place.descriptor,
                    dst_dir_fd=place.descriptor,
                )
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(place.at(temporary), dir_fd=place.descriptor)
                raise
        return FileFacts(written.st_size, written.st_mtime_ns, executable)

    @staticmethod
    def is_left_over(name: str) -> bool:
        """Tell whether a file, while nothing is written, is what a program that was killed in `write` left."""
        return _LEFT_OVER.fullmatch(name) is not None

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it."""
        with self._translated():
            try:
                with self._parent(path) as (place, name):
                    os.unlink(place.at(name), dir_fd=place.descriptor)
            except OSError as error:
                if error.errno in _NO_PLAIN_FILE:
                    return
                raise
            parts = path.split("/")[:-1]
            while parts:
                try:
                    with self._reached(parts[:-1]) as place:
                        os.rmdir(place.at(parts[-1]), dir_fd=place.descriptor)
                except OSError:
                    return
                parts.pop()

    def remove_folder(self, path: str) -> None:
        """Remove the plain folder at `path` with everything in it; nothing to do where none is."""
        with self._translated():
            try:
                with self._parent(path) as (place, name):
                    here = place.at(name)
                    found = os.stat(here, dir_fd=place.descriptor, follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        shutil.rmtree(here, dir_fd=place.descriptor)
            except RecursionError:
                # Somebody made folders in folders without end.
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path) from None
            except OSError as error:
                if error.errno not in _NO_PLAIN_FILE:
                    raise

    @contextmanager
    def _parent(self, path: str, *, create: bool = False) -> Iterator[tuple[_Place, str]]:
        *folders, name = path.split("/")
        with self._reached(folders, create=create) as place:
            yield place, name

    @contextmanager
    def _reached(self, folders: list[str], *, create: bool = False) -> Iterator[_Place]:
        if not _RELATIVE:
            yield _Place(None, _checked(self.root, folders, create=create))
            return
        # The root itself may be a link: where the project lies is the person's choice.
        descriptor = os.open(self.root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            for name in folders:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=descriptor)
                inner = os.open(name, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield _Place(descriptor, self.root.joinpath(*folders))
        finally:
            os.close(descriptor)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _translate(error, self.root) from error


def _translate(error: OSError, root: Path) -> VibeDeskError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
        return StorageError(
            f"In the project's folder {root} a link or a folder is where a file should be "
            f"({error.filename}).",
            remedy="Move it away and try again; links are never followed.",
            details={"path": str(error.filename)},
        )
    return folder_error(error, root)


def _checked(root: Path, folders: list[str], *, create: bool) -> Path:
    place = root
    for name in folders:
        place /= name
        if create:
            place.mkdir(exist_ok=True)
        is_junction = getattr(os.path, "isjunction", None)  # Python 3.12
        if place.is_symlink() or (is_junction is not None and is_junction(place)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
    return place


def _entry(entry: os.DirEntry[str]) -> Entry:
    if entry.is_dir(follow_symlinks=False):
        return Entry(entry.name, is_folder=True, facts=None)
    if not entry.is_file(follow_symlinks=False):
        return Entry(entry.name, is_folder=False, facts=None)
    try:
        return Entry(entry.name, is_folder=False, facts=_facts(entry.stat(follow_symlinks=False)))
    except FileNotFoundError:
        return Entry(entry.name, is_folder=False, facts=None)


def _facts(found: os.stat_result) -> FileFacts | None:
    if not stat.S_ISREG(found.st_mode):
        return None
    return FileFacts(found.st_size, found.st_mtime_ns, bool(found.st_mode & stat.S_IXUSR))


def _keep_permissions(place: _Place, name: str, descriptor: int, *, executable: bool) -> None:
    if not hasattr(os, "fchmod"):
        return
    try:
        old = os.stat(place.at(name), dir_fd=place.descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISREG(old.st_mode):
        mode = stat.S_IMODE(old.st_mode)
        runs = (mode & 0o444) >> 2
        os.fchmod(descriptor, (mode | runs) if executable else (mode & ~0o111))
