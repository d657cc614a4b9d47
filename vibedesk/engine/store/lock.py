"""The lock that keeps a second writing process away from a home."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from vibedesk.base.errors import HomeLockedError

_LOCKED_BYTE = 1 << 30  # beyond the text, which others must be able to read on Windows too


class HomeLock:
    """An exclusive lock held by this process; the system drops it when the process ends, however it ends."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def acquire(cls, path: Path, *, command: str | None = None) -> HomeLock:
        """Take the lock and write into it who holds it.

        Raises:
            HomeLockedError: another process holds it; the message says which.
            OSError: the file cannot be made or written.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+", encoding="utf-8")
        try:
            if not _try_lock(file.fileno()):
                raise _locked_by_another(path, file.read())
            file.seek(0)
            file.truncate()
            json.dump(
                {
                    "pid": os.getpid(),
                    "started": datetime.now(UTC).isoformat(timespec="seconds"),
                    "command": command or _own_command(),
                },
                file,
            )
            file.flush()
        except BaseException:
            file.close()
            raise
        return cls(file)

    def release(self) -> None:
        """Let others in; the file stays, because removing it would race with whoever opens it."""
        if self._file.closed:
            return
        _unlock(self._file.fileno())
        self._file.close()


def is_home_locked(path: Path) -> bool:
    """Whether a process holds the lock right now."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        if not _try_lock(descriptor):
            return True
        _unlock(descriptor)
        return False
    finally:
        os.close(descriptor)


def _own_command() -> str:
    return " ".join([Path(sys.argv[0]).name or "python", *sys.argv[1:2]])


def _locked_by_another(path: Path, written: str) -> HomeLockedError:
    try:
        holder = json.loads(written)
        pid, command = int(holder["pid"]), str(holder["command"])
        since = datetime.fromisoformat(holder["started"]).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, KeyError, TypeError):
        # The holder has the lock but has not written its name yet.
        return HomeLockedError(
            f"Another VibeDesk is using the data folder {path.parent}.",
            remedy="Close it, or choose another data folder with --home.",
        )
    return HomeLockedError(
        f"Another VibeDesk (process {pid}, “{command}”, running since {since}) "
        f"is using the data folder {path.parent}.",
        remedy=f"Close it (process {pid}), or choose another data folder with --home.",
        details={"pid": str(pid), "started": since, "command": command},
    )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
