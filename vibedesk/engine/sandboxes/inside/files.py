"""Files between the session and the sandbox's work folder."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
from collections import deque
from typing import Any

from vibedesk.engine.sandboxes.inside.channels import Agent, Channel, explain
from vibedesk.engine.sandboxes.inside.frames import RESULT, Json, RecordReader, record

_WORK = "/app"
_CONFIG = "/home/app/.config/vibedesk"
_PUSHED = "/home/app/.vibedesk-pushed.json"
_TEMPORARY = ".vibedesk-tmp-"
_LEFT = 1
"""Behind a file's facts, where else its time in here is: it was not put here, whatever lies here is the app's."""
DATABASE = re.compile(r"(.+\.(?:db3?|sqlite3?))(?:-(?:wal|shm|journal))?", re.I | re.S)
"""What is never put over what the app wrote there."""


class Put(Channel):
    """Takes files: each is written beside its place and moved there, so that nobody sees half of one."""

    def __init__(self, agent: Agent, number: int, request: Json) -> None:
        super().__init__(agent, number)
        # Configuration goes beside the app's files and is none of what was pushed.
        self._root = _CONFIG if request.get("config") else _WORK
        os.makedirs(self._root, exist_ok=True)
        self._reader = RecordReader()
        self._file: Any = None
        self._header: Json = {}
        self._left = 0
        self._pushed: dict[str, list[int] | None] = {}
        self._written = 0
        self._errors: list[list[str]] = []

    def on_data(self, data: bytes) -> None:
        try:
            for item in self._reader.feed(data):
                if isinstance(item, bytes):
                    self._take_piece(item)
                else:
                    self._take_header(item)
        except ValueError as error:
            self.finish({"error": explain(error)})
            return
        self.consumed(len(data))

    def _take_header(self, header: Json) -> None:
        path = inside(self._root, str(header["path"]))
        self._header, self._left = header, int(header.get("size", 0))
        if "seen" in header:
            seen = header["seen"]
            self._pushed[header["path"]] = [*seen, _LEFT] if seen else None
            return
        if self._root == _WORK and self._is_apps_database(header["path"]):
            gone = header.get("gone")
            facts = None if gone else [header["size"], header["mtime_ns"], _LEFT]
            self._pushed[header["path"]] = facts
            return
        try:
            if header.get("gone"):
                remove_path(path, self._root)
                self._pushed[header["path"]] = None
                self._written += 1
                return
            make_parents(path, self._root)
            # The channel's number: others may write into the same folder at the same time.
            name = f"{_TEMPORARY}{os.getpid()}-{self.number}"
            self._file = open(os.path.join(os.path.dirname(path), name), "wb")  # noqa: SIM115
        except OSError as error:
            self._errors.append([str(header["path"]), explain(error)])
            return
        if not self._left:
            self._close_file()

    def _is_apps_database(self, path: str) -> bool:
        """Whether it is of a database that the app wrote in since it came, or made itself."""
        found = DATABASE.fullmatch(path)
        if found is None:
            return False
        pushed = {**read_pushed(), **self._pushed}
        # What was written may all be in the log beside it.
        ends = ("", "-wal", "-shm", "-journal")
        return any(was_written(found[1] + end, pushed) for end in ends)

    def _take_piece(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._file is None:
            return
        try:
            self._file.write(piece)
        except OSError as error:
            self._errors.append([str(self._header["path"]), explain(error)])
            self._drop_file()
            return
        if not self._left:
            self._close_file()

    def _close_file(self) -> None:
        file, header = self._file, self._header
        path = inside(self._root, str(header["path"]))
        try:
            file.close()
            os.chmod(file.name, 0o755 if header.get("executable") else 0o644)
            if os.path.isdir(path) and not os.path.islink(path):
                remove_folder(path)
            os.replace(file.name, path)
            # Not the sender's time: tools that watch for newer files would miss an older version.
            if self._root == _WORK:
                time_ns = os.stat(path).st_mtime_ns
                self._pushed[header["path"]] = [header["size"], header["mtime_ns"], time_ns]
            self._written += 1
            self._file = None
        except OSError as error:
            self._errors.append([str(header["path"]), explain(error)])
            self._drop_file()

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(OSError):
                os.unlink(file.name)

    def on_end(self) -> None:
        self._drop_file()
        try:
            note_pushed(self._pushed)
        except OSError as error:
            self._errors.append([_PUSHED, explain(error)])
        self.finish({"written": self._written, "errors": self._errors[:50]})

    def abort(self) -> None:
        super().abort()
        self._drop_file()
        with contextlib.suppress(OSError):
            note_pushed(self._pushed)


class Compare(Channel):
    """Takes the list of what the work folder has; answers which files are to be put, or to go.

    Those that go came from there earlier and are not on the list; what the app made itself stays. The result says
    whether this sandbox is `new`: nothing came from there yet; and whether anything is `lost`: it came as it is now
    and does not lie here any more.
    """

    def __init__(self, agent: Agent, number: int, _request: Json) -> None:
        super().__init__(agent, number)
        self._text = bytearray()

    def on_data(self, data: bytes) -> None:
        self._text += data
        self.consumed(len(data))

    def on_end(self) -> None:
        try:
            listed: dict[str, list[int]] = json.loads(self._text)
            pushed = read_pushed()
            differing = [
                path for path, facts in listed.items() if not is_current(path, facts, pushed)
            ]
            gone = pushed.keys() - listed.keys()
            differing += (path for path in gone if pushed[path][2:] != [_LEFT])
        except (OSError, ValueError, TypeError) as error:
            self.finish({"error": explain(error)})
            return
        lost = any(pushed.get(path, [])[:2] == listed.get(path) for path in differing)
        self._result = {"new": not pushed, "lost": lost}
        self._answer = memoryview(json.dumps(differing).encode())
        self.on_room()

    def on_room(self) -> None:
        answer = getattr(self, "_answer", None)
        if answer is None:
            return
        while answer and (room := self.may_send()):
            self.send(answer[:room])
            self._answer = answer = answer[room:]
        if not answer:
            del self._answer
            self.finish(self._result)


class Get(Channel):
    """Sends files as records, `most` bytes together; what else is there is told as refused, and why."""

    def __init__(self, agent: Agent, number: int, request: Json) -> None:
        super().__init__(agent, number)
        self._paths: deque[str] = deque(str(path) for path in request["paths"])
        for path in self._paths:
            inside(_WORK, path)  # one that is no path is refused before anything is sent
        self._most = int(request["most"])
        self._file: Any = None
        self._left = 0
        self._pushed: dict[str, list[int]] | None = None

    def begin(self) -> None:
        self.on_room()

    def on_room(self) -> None:
        while self._file is not None or self._paths:
            room = self.may_send()
            if not room:
                return
            if self._file is None:
                self._open(self._paths.popleft())
                continue
            piece = self._file.read(min(room, self._left))
            if len(piece) < min(room, self._left):  # it shrank meanwhile: the size was promised
                piece += bytes(min(room, self._left) - len(piece))
            self._left -= len(piece)
            if piece:
                self.send(piece)
            if not self._left:
                self._file.close()
                self._file = None
        self.finish({})

    def _open(self, path: str) -> None:
        try:
            fd = os.open(inside(_WORK, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            why: Json = {"refused": "rights"}
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                why = {"gone": True}
            elif error.errno in (errno.ELOOP, errno.ENXIO):
                why = {
                    "refused": "kind"
                }  # a link, which is not followed; a socket, which cannot be opened
            self.send(record({"path": path, **why}))
            return
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > self._most:
            os.close(fd)
            reason = "size" if stat.S_ISREG(found.st_mode) else "kind"
            self.send(record({"path": path, "refused": reason}))
            return
        header = {
            "path": path,
            "size": found.st_size,
            "executable": bool(found.st_mode & stat.S_IXUSR),
        }
        self.send(record(header))
        self._most -= found.st_size
        if found.st_size:
            self._file, self._left = os.fdopen(fd, "rb"), found.st_size
        else:
            os.close(fd)


def exists(agent: Agent, number: int, request: Json) -> None:
    """Tell which of the project paths are files or folders here."""
    found = [path for path in request["paths"] if os.path.lexists(inside(_WORK, str(path)))]
    agent.send(RESULT, number, json.dumps({"found": found}).encode())


def inside(root: str, path: str) -> str:
    """Return where a relative path lies below `root`.

    Raises:
        ValueError: it would lie outside.
    """
    parts = path.split("/")
    if not path or path.startswith("/") or "\0" in path or {"", ".", ".."} & set(parts):
        raise ValueError(f"no project path: {path!r}")
    return os.path.join(root, *parts)


def make_parents(path: str, root: str) -> None:
    """Make the folders above `path`; a link or file in their way, which only the app can have made, goes."""
    folder = os.path.dirname(path)
    if folder != root:
        make_parents(folder, root)
        if not os.path.isdir(folder) or os.path.islink(folder):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(folder)
            os.mkdir(folder)
    open_folder(folder)


def open_folder(folder: str, above: int | None = None) -> None:
    """Give a folder (in the one whose descriptor is `above`) back the rights that the app took away from itself."""
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, dir_fd=above):
        os.chmod(folder, 0o755, dir_fd=above)


def remove_folder(folder: str) -> None:
    """Remove a folder with all in it, however deep: deeper than a path, a recursion or descriptors can go."""
    open_folder(folder)
    here = go(folder)
    try:
        # Of each folder on the way down: what is still to go in it, the one gone into last.
        left = [remove_files(here)]
        while len(left) > 1 or left[0]:
            if left[-1]:
                open_folder(left[-1][-1], here)
                here = go(left[-1][-1], here)
                left.append(remove_files(here))
            else:
                here = go("..", here)
                left.pop()
                os.rmdir(left[-1].pop(), dir_fd=here)
    finally:
        os.close(here)
    os.rmdir(folder)


def go(folder: str, here: int | None = None) -> int:
    """Open a folder, in the one whose descriptor is `here`; that is closed then."""
    there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    if here is not None:
        os.close(here)
    return there


def remove_files(folder: int) -> list[str]:
    """Remove all but folders from the folder with this descriptor; return the folders' names."""
    with os.scandir(folder) as entries:
        found = list(entries)
    folders = [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
    for entry in found:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=folder)
    return folders


def remove_path(path: str, root: str) -> None:
    """Remove a file and the folders that it leaves empty; what the app put in its place stays."""
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):
        open_folder(folder)
        os.unlink(path)
    while folder != root:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def is_current(path: str, facts: list[int], pushed: dict[str, list[int]]) -> bool:
    """Tell whether what the work folder has now came already, or was left as it was here."""
    known = pushed.get(path, [])
    return known[:2] == facts and (known[2:] == [_LEFT] or os.path.lexists(inside(_WORK, path)))


def was_written(path: str, pushed: dict[str, list[int] | None]) -> bool:
    """Tell whether there is such a file, and not as it was put here."""
    try:
        status = os.lstat(inside(_WORK, path))
    except OSError:
        return False
    return (pushed.get(path) or [])[2:] != [status.st_mtime_ns]


def read_pushed() -> dict[str, list[int]]:
    try:
        with open(_PUSHED, "rb") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):  # the app can write there
        return {}
    if not isinstance(found, dict):
        return {}
    return {path: facts for path, facts in found.items() if isinstance(facts, list)}


def note_pushed(changes: dict[str, list[int] | None]) -> None:
    """Remember what came, and what is gone (None)."""
    if not changes:
        return
    pushed = read_pushed()
    for path, facts in changes.items():
        if facts is None:
            pushed.pop(path, None)
        else:
            pushed[path] = facts
    write_pushed(pushed)


def write_pushed(pushed: dict[str, list[int]]) -> None:
    with open(f"{_PUSHED}.new", "w") as file:
        json.dump(pushed, file)
    os.replace(f"{_PUSHED}.new", _PUSHED)
