"""Runs one command and sees to it that nothing it started outlives it or VibeDesk.

A program of its own, started by file path with an isolated interpreter; only the standard library.

    python -I -S supervisor.py GRACE STATUS_FD WRAPPED INPUT_FD COMMAND...

It starts the command in a new session and waits. The command's tree is ended when the command exits, when
standard input ends (VibeDesk closed it or died, however it died), or on SIGTERM, SIGINT, SIGHUP: SIGTERM to
everything, GRACE seconds, then SIGKILL until nothing is left. As a *subreaper* it inherits every orphan of the
tree, so a process that called setsid or forked twice is still its descendant and is found. WRAPPED `1` says
that the command itself is a sandbox wrapper (bubblewrap), which must not get the SIGTERM: its sudden end would
take the grace from what runs inside. INPUT_FD becomes the command's standard input; -1 gives it an empty one.

One line goes to STATUS_FD at the end: `exit N`, `signal N` (what became of the command itself), `ended` (it was
told to end) or `failed WHY` (it could not be started). Should this program itself be killed, PDEATHSIG takes
the command along; it is this program's only thread that creates it, as PDEATHSIG needs.

Without /proc and subreapers (macOS) the command's process group is all that can be ended.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator

_LINUX = sys.platform == "linux"
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LEFTOVER_GRACE = 0.3  # after the command's own end: what it left behind is usually ending too
_KILL_SECONDS = 25.0  # then give up: only a process stuck in the kernel survives that
_STOP_SECONDS = 1.0  # how long one round tries to freeze a tree that keeps forking


class Supervisor:
    """The one command, and what became of it."""

    def __init__(self, *, grace: float, status_fd: int, wrapped: bool, input_fd: int = -1) -> None:
        self._grace = grace
        self._status_fd = status_fd
        self._wrapped = wrapped
        self._input_fd = input_fd
        self._main = -1
        self._main_status: int | None = None
        self._told_to_end = False
        self._wake = -1

    def run(self, argv: list[str]) -> None:
        self._catch_signals()
        if _LINUX:
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._main = self._start(argv)
        self._wait()
        own_end = self._main_status
        self._end_tree(self._grace if own_end is None else min(self._grace, _LEFTOVER_GRACE))
        self._report(own_end)

    def _catch_signals(self) -> None:
        self._wake, wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        # Handlers, not SIG_IGN: they are reset by exec, so the command gets the defaults.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _ENDING:
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._told_to_end = True

    def _start(self, argv: list[str]) -> int:
        os.set_inheritable(self._status_fd, False)
        parent = os.getpid()
        # What tells the command to end before it is one must not meet this program's own handlers in it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            if self._input_fd >= 0:
                os.close(self._input_fd)  # so that a writer notices when the command is gone
            return pid
        try:
            os.setsid()
            if _LINUX:
                _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != parent:
                    os._exit(127)
            given = self._input_fd if self._input_fd >= 0 else os.open(os.devnull, os.O_RDONLY)
            os.dup2(given, 0)
            os.set_inheritable(given, False)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            # Python ignores the first two, a shell the third in what runs in its background; exec would keep that.
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGQUIT, *_ENDING):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(self._status_fd, f"failed {error.strerror or error}\n".encode())
        finally:
            os._exit(127)

    def _wait(self) -> None:
        """Return when the command has exited or is to be ended."""
        while self._main_status is None and not self._told_to_end:
            readable, _, _ = select.select([0, self._wake], [], [])
            self._drain_wake()
            if 0 in readable and not os.read(0, 4096):
                self._told_to_end = True
            self._reap()

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 4096):
                pass

    def _reap(self) -> bool:
        """Collect every dead child; return whether any child is left (and so any descendant)."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._main:
                self._main_status = os.waitstatus_to_exitcode(status)

    def _end_tree(self, grace: float) -> None:
        if not self._reap() and _LINUX:
            return
        for pid in self._tree():
            if not (self._wrapped and pid == self._main):
                self._signal(pid, signal.SIGTERM)
                self._signal(pid, signal.SIGCONT)
        if self._wait_until_alone(grace) and _LINUX:
            return
        deadline = time.monotonic() + _KILL_SECONDS
        while time.monotonic() < deadline:
            self._freeze()
            for pid in self._tree():
                self._signal(pid, signal.SIGKILL)
            if self._wait_until_alone(0.02):
                return

    def _freeze(self) -> None:
        """Stop the tree until no process is new: stopped ones fork no more, so it cannot outrun the kill."""
        stopped: set[int] = set()
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            found_new = False
            for pid in self._tree():
                if pid not in stopped:
                    self._signal(pid, signal.SIGSTOP)
                    stopped.add(pid)
                    found_new = True
            if not found_new:
                return

    def _wait_until_alone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._reap():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            select.select([self._wake], [], [], min(remaining, 0.05))
            self._drain_wake()
        return True

    def _tree(self) -> Iterator[int]:
        """Yield the living descendants, each as soon as it is found; parents before their children."""
        if not _LINUX:
            yield -self._main  # the process group, as os.kill takes it
            return
        seen = {os.getpid()}
        open_pids = [os.getpid()]
        while open_pids:
            for pid in children_of(open_pids.pop()):
                if pid not in seen:
                    seen.add(pid)
                    open_pids.append(pid)
                    yield pid

    def _signal(self, pid: int, number: int) -> None:
        # Gone meanwhile, or a set-uid bubblewrap, which ends with what runs inside it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)

    def _report(self, own_end: int | None) -> None:
        if own_end is None:
            line = "ended"
        else:
            line = f"signal {-own_end}" if own_end < 0 else f"exit {own_end}"
        with contextlib.suppress(BrokenPipeError):
            os.write(self._status_fd, f"{line}\n".encode())


def children_of(pid: int) -> list[int]:
    """Return the living children of every thread of a process."""
    if not _HAS_CHILDREN_FILE:
        return _scan_for_children(pid)
    children: list[int] = []
    for task in _entries(f"/proc/{pid}/task"):
        children += [int(child) for child in _read(f"/proc/{pid}/task/{task}/children").split()]
    return children


def _scan_for_children(pid: int) -> list[int]:
    children: list[int] = []
    for entry in _entries("/proc"):
        # pid (name, which may hold anything) state parent …
        fields = _read(f"/proc/{entry}/stat").rpartition(b")")[2].split() if entry.isdigit() else []
        if fields and int(fields[1]) == pid:
            children.append(int(entry))
    return children


# These two are the fastest way: they race with processes that fork.


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 1 << 20)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


# CONFIG_PROC_CHILDREN is set in nearly every kernel; without it all of /proc is read.
_HAS_CHILDREN_FILE = os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)


def _prctl(option: int, value: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def main(arguments: list[str]) -> None:
    grace, status_fd, wrapped, input_fd, *command = arguments
    Supervisor(
        grace=float(grace),
        status_fd=int(status_fd),
        wrapped=wrapped == "1",
        input_fd=int(input_fd),
    ).run(command)


if __name__ == "__main__":
    main(sys.argv[1:])
