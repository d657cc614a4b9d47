"""Starts `python -m vibedesk …` without its imports: forked from a process of ours that has done them.

Hundreds of programs are started by the tests, and more than half of what a short one takes are its imports.
From its fork on each is a program like any other: its arguments, environment, folder and streams are its own, it can be
interrupted and killed, and it ends through the interpreter's own end. What is fixed when an interpreter starts (such as
the locale) is not; a program whose environment differs there is started from the beginning, and so are those of the
terminal's tests and of the window's.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("vibedesk.commands", "anthropic", "openai")
"""What commands import that ask a model."""
WINDOW = ("vibedesk.app", "vibedesk.ui.window_controller", "vibedesk.engine.engine", "hypothesis")
"""What tests of the whole window import, but for pytest and its plug-ins, which must see to how they are imported."""
_FIXED_AT_START = ("PYTHON", "LANG", "LC_", "TZ", "HOME", "XDG_CONFIG_HOME")
_MOST_REQUEST = 1_000_000
_STATUS = struct.Struct("i")
_OWN_PROCESS = (
    "TESTS_IN_OWN_PROCESS"  # of tests/support/own_process.py: one that starts few programs
)


class Forked:
    """A program under way; as far as tests need it, this is `subprocess.Popen`."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        self._asking = threading.Lock()

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        with self._asking:
            if self.returncode is None:
                if not select.select([self._status], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(f"the program {self.pid}", timeout or 0)
                (self.returncode,) = _STATUS.unpack(os.read(self._status, _STATUS.size))
                os.close(self._status)
            return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Started(Forked):
    """One with pipes for its text."""

    def __init__(self, forked: Forked, stdout: IO[str], stderr: IO[str]) -> None:
        super().__init__(forked.pid, forked._status)
        self.stdout = stdout
        self.stderr = stderr

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read both streams to their ends and wait for the program's."""
        with ThreadPoolExecutor(2) as readers:
            texts = [readers.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return texts[0].result(), texts[1].result()


def start(
    *arguments: str, env: Mapping[str, str], module: str = "vibedesk"
) -> Started | subprocess.Popen[str]:
    """Start `python -m module arguments…` in the project's root, its output piped and its input empty.

    Args:
        env: The whole environment.
    """
    if _OWN_PROCESS in os.environ or _fixed(env) != _fixed(os.environ):
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=_ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
    return _starter(COMMANDS).start([module, *arguments], env)


def start_with_output(
    output: int,
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path,
    module: str,
    imported: Sequence[str],
) -> Forked:
    """Start `python -m module arguments…` in a session of its own, where `imported` is imported.

    Args:
        output: An open file for all that it prints.
    """
    request = {"argv": [module, *arguments], "env": dict(env), "cwd": str(cwd), "session": True}
    return _starter(tuple(imported)).fork(request, output, output)


def is_starter(pid: int) -> bool:
    """Whether this process's programs are forked from that one."""
    return pid in _starters


_starters: set[int] = set()


@functools.cache
def _starter(imported: Sequence[str]) -> _Starter:
    starter = _Starter(imported)
    _starters.add(starter.pid)
    return starter


class _Starter:
    def __init__(self, imported: Sequence[str]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _MOST_REQUEST)
        self._asking = threading.Lock()
        with theirs:
            # It ends when this process does, since the other end of its socket is then closed.
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *imported],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.pid = self._process.pid

    def start(self, argv: Sequence[str], env: Mapping[str, str]) -> Started:
        request = {"argv": argv, "env": dict(env), "cwd": str(_ROOT), "session": False}
        (stdout, to_stdout), (stderr, to_stderr) = os.pipe(), os.pipe()
        try:
            forked = self.fork(request, to_stdout, to_stderr)
        finally:
            os.close(to_stdout)
            os.close(to_stderr)
        texts = [os.fdopen(pipe, encoding="utf-8") for pipe in (stdout, stderr)]
        return Started(forked, *texts)

    def fork(self, request: Mapping[str, object], stdout: int, stderr: int) -> Forked:
        status, to_status = os.pipe()
        try:
            with self._asking:
                socket.send_fds(
                    self._ours, [json.dumps(request).encode()], [stdout, stderr, to_status]
                )
                told = self._ours.recv(_STATUS.size)
        finally:
            os.close(to_status)
        assert told, "the process that starts programs has ended"
        (pid,) = _STATUS.unpack(told)
        return Forked(pid, status)


def _fixed(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_FIXED_AT_START)}


def _serve(server: socket.socket, imported: Sequence[str]) -> None:
    """Fork a program for each request, and write each one's exit status where it is waited for."""
    for module in imported:
        importlib.import_module(module)
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, "something imported starts threads: a fork would lack them"
    gc.freeze()  # what every program shares is not gone through again as each one ends
    waited_for: dict[int, int] = {}
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([server, ended], [], [])
        if ended in ready:
            os.read(ended, 1024)
            _tell_ended(waited_for)
        if server in ready:
            request, fds, _, _ = socket.recv_fds(server, _MOST_REQUEST, 3)
            if not request:
                return
            stdout, stderr, status = fds
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for fd in (server.detach(), ended, wakes, status, *waited_for.values()):
                    os.close(fd)
                _become(json.loads(request), stdout, stderr)
                return
            waited_for[pid] = status
            os.close(stdout)
            os.close(stderr)
            server.send(_STATUS.pack(pid))


def _tell_ended(waited_for: dict[int, int]) -> None:
    while waited_for:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        fd = waited_for.pop(pid)
        with suppress(BrokenPipeError):
            os.write(fd, _STATUS.pack(os.waitstatus_to_exitcode(status)))
        os.close(fd)


def _become(request: dict[str, object], stdout: int, stderr: int) -> None:
    """Be `python -m module arguments…` from here on."""
    argv, env, cwd = request["argv"], request["env"], request["cwd"]
    assert isinstance(argv, list)
    assert isinstance(env, dict)
    assert isinstance(cwd, str)
    if request["session"]:
        os.setsid()
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    os.chdir(cwd)
    sys.path[0] = cwd
    os.environ.clear()
    os.environ.update(env)
    sys.argv = argv
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as told:
        _serve(told, sys.argv[2:])
