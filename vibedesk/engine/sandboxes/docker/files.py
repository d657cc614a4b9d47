"""A project's files on their way into a sandbox and out of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from vibedesk.base.project_paths import UnsafePathError, normalize_project_path
from vibedesk.engine.sandboxes.docker.connection import disk_full_error
from vibedesk.engine.sandboxes.docker.session import Channel, Session, said_inside
from vibedesk.engine.sandboxes.driver import AppData, SandboxError
from vibedesk.engine.sandboxes.inside import frames

# Made by tools, inside and outside, each for itself; git's folder is nobody's business inside.
LEFT_OUT = frozenset({".git", "node_modules", ".vite", "__pycache__", ".venv", ".hg", ".svn"})
_MOST_FILE_BYTES = 200_000_000
_NOT_TAKEN = {
    "kind": "is a link or no plain file",
    "rights": "cannot be read",
    "size": "is too large",
}
"""What is said of files that are not taken over, by the word of the program inside."""
_PIECE = 256 * 1024
_MOST_GONE_BYTES = 8 * 1024 * 1024
"""How much may be told of files that are no longer in the work folder."""
_MOST_GONE = 20_000
"""With so many files and folders that are gone from the work folder is dealt at a time; the next start goes on."""
_MOST_NAME_BYTES = 255
_MOST_PATH_BYTES = 4096
_MODE_IS_EXECUTABLE = stat.S_IXUSR


@dataclass(frozen=True, slots=True)
class FileState:
    """A plain file of the work folder as it is now."""

    size: int
    mtime_ns: int
    executable: bool


def scan(folder: Path) -> dict[str, FileState]:
    """Return every plain file below `folder` by its project path; links are never followed. Blocking."""
    found: dict[str, FileState] = {}
    open_folders = [""]
    while open_folders:
        inner = open_folders.pop()
        try:
            entries = list(os.scandir(folder / inner))
        except OSError:
            continue
        for entry in entries:
            path = f"{inner}/{entry.name}" if inner else entry.name
            if entry.name.lower() in LEFT_OUT or not _can_be_named(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                open_folders.append(path)
            elif entry.is_file(follow_symlinks=False):
                state = _state(entry.stat(follow_symlinks=False))
                if state is not None:
                    found[path] = state
    return found


async def bring_all(
    session: Session, folder: Path, app_data: AppData | None = None, *, again: bool = False
) -> bool:
    """Make the sandbox's work folder follow the project's; return whether files that had come were gone there.

    Args:
        session: Of the sandbox.
        folder: The project's.
        app_data: See `SandboxSpec.app_data`.
        again: It was done in this session. A sandbox that knows of nothing that came has lost it, and is not new.
    """
    states = await asyncio.to_thread(scan, folder)
    listed = {path: [state.size, state.mtime_ns] for path, state in states.items()}
    differing, is_new, lost = set(states), False, False
    async with _opened(session, "compare") as channel:
        asked = json.dumps(listed).encode()
        await channel.write(asked)
        await channel.end()
        text = bytearray()
        while data := await channel.read():
            text += data
            if len(text) > len(asked) + _MOST_GONE_BYTES:
                break  # what it remembers is nothing to go by: all files come again
        else:
            outcome = await channel.result()
            _refuse_errors(outcome)
            differing = await asyncio.to_thread(_differing, text, states)
            is_new = bool(outcome.get("new"))
            lost = bool(outcome.get("lost"))
    kept: set[str] = set()
    if app_data is not None and differing and (again or not is_new):
        kept = await asyncio.to_thread(app_data, differing)
    notes: list[dict[str, Any]] = [{"path": path, "seen": listed.get(path)} for path in kept]
    due = differing - kept
    notes += [{"path": path, "gone": True} for path in due - states.keys()]
    brought = sorted(due & states.keys())
    if notes or brought:
        await _put(session, folder, brought, notes)
    return bool(brought) and (lost or (again and is_new))


async def bring(session: Session, folder: Path, paths: Sequence[str]) -> int:
    """Send these files as they are now, deleted ones as such; return how many were written."""
    return await _put(session, folder, [path for path in paths if not _stays_out(path)])


async def _put(
    session: Session, folder: Path, paths: Sequence[str], notes: Sequence[dict[str, Any]] = ()
) -> int:
    """Send these files, after records without content."""
    async with _opened(session, "put") as channel:
        for note in notes:
            await channel.write(frames.record(note))
        for path in paths:
            await _send(channel, folder, path)
        await channel.end()
        outcome = await channel.result()
        _refuse_errors(outcome)
        errors = outcome.get("errors") or []
        if errors:
            path, why = errors[0]
            raise _write_error(said_inside(path), said_inside(why))
        written = outcome.get("written")
        return written if isinstance(written, int) else 0


async def bring_configuration(session: Session, files: dict[str, bytes]) -> None:
    """Put files of ours into the sandbox's home."""
    async with _opened(session, "put", config=True) as channel:
        for name, data in files.items():
            await channel.write(
                frames.record({"path": name, "size": len(data), "mtime_ns": 0}) + data
            )
        await channel.end()
        _refuse_errors(await channel.result())


async def fetch(session: Session, folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Bring these files into the project's folder, where there are such inside.

    Returns:
        For each that is there and did not come, a sentence that says why.
    """
    refused = await _get(
        session, paths, _MOST_FILE_BYTES, lambda path, size: _Incoming(folder, path, size)
    )
    return {
        path: f"{path} {_NOT_TAKEN[why]} in the sandbox: it was not taken over into the project."
        for path, why in refused.items()
    }


async def contents(
    session: Session, paths: Sequence[str], most: int
) -> tuple[dict[str, bytes], set[str]]:
    """Return what these files hold, and those that did not come; see `Sandbox.contents`."""
    came: dict[str, _Kept] = {}

    def begin(path: str, _size: int) -> _Kept:
        came[path] = _Kept()
        return came[path]

    refused = await _get(session, paths, most, begin)
    missing = {path for path, why in refused.items() if why != "kind"}
    return {path: bytes(kept.data) for path, kept in came.items()}, missing


class _Target(Protocol):
    """Where the content of one file goes."""

    def add(self, piece: bytes) -> None: ...

    def drop(self) -> None: ...


async def _get(
    session: Session, paths: Sequence[str], most: int, begin: Callable[[str, int], _Target]
) -> dict[str, str]:
    """Have these files come, each to what `begin` makes of its path and size; together they hold at most `most` bytes.

    Returns:
        Why others did not come that are there, in a word of `_NOT_TAKEN`.
    """
    reader = frames.RecordReader()
    wanted = {path for path in paths if not _stays_out(path)}
    target: _Target | None = None
    refused: dict[str, str] = {}
    async with _opened(session, "get", paths=sorted(wanted), most=most) as channel:
        try:
            while data := await channel.read():
                for item in reader.feed(data):
                    if isinstance(item, bytes):
                        if target is not None:
                            await asyncio.to_thread(target.add, item)
                        continue
                    path = str(item.get("path"))
                    if path not in wanted:
                        raise ValueError("an answer to no question")
                    wanted.discard(path)
                    target = None
                    if "refused" in item:
                        if item["refused"] not in _NOT_TAKEN:
                            raise ValueError("no reason")
                        refused[path] = item["refused"]
                    elif not item.get("gone"):
                        size = item["size"]
                        if size > most:
                            raise ValueError("a size that was not asked for")
                        most -= size
                        target = await asyncio.to_thread(begin, path, size)
            _refuse_errors(await channel.result())
        finally:
            if target is not None:
                target.drop()
    return refused


@contextlib.asynccontextmanager
async def _opened(session: Session, kind: str, **request: Any) -> AsyncIterator[Channel]:
    """Open a channel for the time of the block.

    Raises:
        SandboxError: also where the channel broke or what came through it made no sense.
    """
    channel = session.open(kind, **request)
    try:
        yield channel
    except ConnectionError as error:
        with contextlib.suppress(ConnectionError):
            _refuse_errors(await channel.result())  # says why, if anything does
        raise _answer_error() from error
    except (ValueError, KeyError, TypeError) as error:
        raise _answer_error() from error
    finally:
        channel.abort()


class _Kept:
    """One file that comes into memory only."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, piece: bytes) -> None:
        self.data += piece

    def drop(self) -> None:
        """What is not whole is not asked for any more."""


class _Incoming:
    """One file on its way into the project's folder; it takes its place when it is whole."""

    def __init__(self, folder: Path, path: str, size: int) -> None:
        self._target = folder / path
        self._left = size
        parent = self._target.parent
        if not parent.resolve().is_relative_to(folder.resolve()):
            raise SandboxError(
                f"{path} lies behind a link and is not taken over.", remedy="Remove the link."
            )
        parent.mkdir(parents=True, exist_ok=True)
        self._temporary = parent / f".vibedesk-incoming-{os.getpid()}-{self._target.name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        self._temporary.unlink(missing_ok=True)
        self._file = os.fdopen(os.open(self._temporary, flags, 0o644), "wb")
        if not size:
            self.add(b"")

    def add(self, piece: bytes) -> None:
        self._file.write(piece)
        self._left -= len(piece)
        if self._left <= 0:
            self._file.close()
            self._temporary.replace(self._target)

    def drop(self) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)


async def _send(channel: Channel, folder: Path, path: str) -> None:
    opened = await asyncio.to_thread(_open, folder, path)
    if opened is None:
        await channel.write(frames.record({"path": path, "gone": True}))
        return
    file, state = opened
    with file:
        header = {
            "path": path,
            "size": state.size,
            "mtime_ns": state.mtime_ns,
            "executable": state.executable,
        }
        await channel.write(frames.record(header))
        left = state.size
        while left:
            data = await asyncio.to_thread(file.read, min(left, _PIECE))
            if not data:  # it shrank meanwhile; the watcher tells of it again
                data = bytes(min(left, _PIECE))
            await channel.write(data)
            left -= len(data)


def _open(folder: Path, path: str) -> tuple[BinaryIO, FileState] | None:
    """Open a plain file of the project, never through a link; None where there is none."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    place = folder / path
    try:
        if not place.parent.resolve().is_relative_to(folder.resolve()):
            return None
        descriptor = os.open(place, flags)
    except OSError:
        return None
    state = _state(os.fstat(descriptor))
    if state is None or state.size > _MOST_FILE_BYTES:
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb"), state


def _state(found: os.stat_result) -> FileState | None:
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_FILE_BYTES:
        return None
    return FileState(found.st_size, found.st_mtime_ns, bool(found.st_mode & _MODE_IS_EXECUTABLE))


def _stays_out(path: str) -> bool:
    return bool(LEFT_OUT & set(path.lower().split("/")))


def _differing(answer: bytes | bytearray, states: Mapping[str, FileState]) -> set[str]:
    """Return what of the work folder is to be carried in, or to go inside.

    Which files are gone from the work folder the app itself can claim: those are paths that could have been carried
    in, and not too many to be looked up.

    Raises:
        ValueError: it is no answer.
    """
    named = _strings(answer)
    differing = {path for path in named if path in states}
    places: set[PurePosixPath] = set()
    for path in named:
        if path not in states and _can_have_come(path):
            place = PurePosixPath(path)
            places.update((place, *place.parents))
            if len(places) > _MOST_GONE:
                break
            differing.add(path)
    return differing


def _can_have_come(path: str) -> bool:
    """Whether a path that the sandbox names can be one that was carried in: also one that no project may have."""
    if os.name == "nt":
        # There is no other, and some would lead out of the folder.
        try:
            return normalize_project_path(path) == path
        except UnsafePathError:
            return False
    names = path.split("/")
    if not all(map(_can_be_named, names)) or _stays_out(path) or "\0" in path:
        return False
    return len(path.encode()) <= _MOST_PATH_BYTES and all(
        name not in ("", ".", "..") and len(name.encode()) <= _MOST_NAME_BYTES for name in names
    )


def _strings(text: bytes | bytearray) -> list[str]:
    """Read a list of strings.

    Raises:
        ValueError: it is something else.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        found = None
    if not isinstance(found, list):
        raise ValueError("no list")
    return [item for item in found if isinstance(item, str)]


def _can_be_named(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not name.startswith(".vibedesk-")


def _answer_error() -> SandboxError:
    return SandboxError("The sandbox's answer could not be read.", remedy="Restart the sandbox.")


def _refuse_errors(outcome: dict[str, object]) -> None:
    why = said_inside(outcome.get("error") or "")
    if "no space" in why.lower():
        raise disk_full_error()
    if why:
        raise SandboxError(f"The files could not be carried: {why}.", remedy="Restart the sandbox.")


def _write_error(path: str, why: str) -> SandboxError:
    if "no space" in why.lower():
        return disk_full_error()
    too_large = "too large" in why.lower()
    return SandboxError(
        f"{path} could not be written in the sandbox: {why}.",
        remedy="Make it smaller." if too_large else "Rebuild the sandbox.",
        retryable=not too_large,
    )
