"""The supervisor as a program: nothing of a tree survives it, however the tree behaves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from tests.engine.sandboxes.conftest import living, until
from vibedesk.engine.sandboxes.inside import supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")

# Thirty processes that fork, leave their session and end, again and again: never the same pid twice.
MOVING_TARGETS = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(30):
    if os.fork() == 0:
        while True:
            if os.fork():
                os._exit(0)
            os.setsid()
print('up', flush=True)
signal.pause()
"""

STORM = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
for _ in range(6):
    os.fork()
os.setsid() if os.getpgid(0) != os.getpid() else None
while True:
    if os.fork() == 0:
        time.sleep(0.2)
        os._exit(0)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    time.sleep(0.01)
"""


@dataclass
class Supervised:
    process: subprocess.Popen[bytes]
    status_fd: int

    def report(self) -> str:
        with os.fdopen(self.status_fd) as pipe:
            return pipe.readline().strip()

    def started(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == b"up\n"


class Launcher:
    def __init__(self) -> None:
        self.all: list[Supervised] = []

    def __call__(self, *argv: str, grace: float = 0.2, wrapped: bool = False) -> Supervised:
        read, write = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, str(grace), str(write), str(int(wrapped)), "-1", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(write,),
            start_new_session=True,
        )  # fmt: skip
        os.close(write)
        self.all.append(Supervised(process, read))
        return self.all[-1]


@pytest.fixture
def supervise() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    for supervised in launcher.all:
        supervised.process.communicate(timeout=20)


def test_it_reports_what_became_of_the_command(supervise: Launcher) -> None:
    exited, killed = supervise("sh", "-c", "exit 5"), supervise("sh", "-c", "kill -9 $$")
    missing = supervise("no-such-program")
    for supervised in (exited, killed, missing):
        supervised.process.wait(20)
    assert exited.report() == "exit 5"
    assert killed.report() == "signal 9"
    assert missing.report() == "failed No such file or directory"


@pytest.mark.parametrize("program", [MOVING_TARGETS, STORM], ids=["moving-targets", "storm"])
@pytest.mark.parametrize("how", ["closed pipe", "SIGTERM"])
def test_no_tree_can_outrun_it(supervise: Launcher, token: str, program: str, how: str) -> None:
    supervised = supervise(sys.executable, "-c", program, token)
    supervised.started()
    began = time.monotonic()
    if how == "closed pipe":
        assert supervised.process.stdin
        supervised.process.stdin.close()
        supervised.process.stdin = None
    else:
        supervised.process.terminate()
    supervised.process.wait(70)
    assert time.monotonic() - began < 60
    assert living(token) == []


def test_a_command_gets_the_time_to_end_by_itself(supervise: Launcher) -> None:
    supervised = supervise(
        "sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", grace=60
    )
    supervised.started()
    began = time.monotonic()
    out, _ = supervised.process.communicate(timeout=70)
    assert out == b"bye\n"
    assert time.monotonic() - began < 50
    assert supervised.report() == "ended"


def test_a_command_that_is_ended_as_it_starts_does_not_use_up_its_time(supervise: Launcher) -> None:
    supervised = supervise("sleep", "1000", grace=60)
    supervised.process.communicate(timeout=20)
    assert supervised.report() == "ended"


def test_a_wrapper_is_not_ended_before_what_it_wraps(supervise: Launcher) -> None:
    inner = "trap 'echo inner bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    outer = "trap 'echo outer was told' TERM; sh -c \"$1\"; echo outer ends"
    supervised = supervise("sh", "-c", outer, "sh", inner, grace=60, wrapped=True)
    supervised.started()
    out, _ = supervised.process.communicate(timeout=70)
    assert out == b"inner bye\nouter ends\n"


async def test_killing_the_supervisor_takes_the_command_along(
    supervise: Launcher, token: str
) -> None:
    supervised = supervise("sh", "-c", "sleep 1000 & echo up; wait", token)
    supervised.started()
    [command] = psutil.Process(supervised.process.pid).children()
    supervised.process.send_signal(signal.SIGKILL)
    await until(
        lambda: not command.is_running() or command.status() == psutil.STATUS_ZOMBIE, "it is gone"
    )
    os.killpg(command.pid, signal.SIGKILL)  # `sleep`, which only the supervisor could have ended
    await asyncio.to_thread(supervised.process.wait)


_KEPT_BY_LIBC = 0b11 << 31
"""Signals 32 and 33: glibc lets no program set them, so what it was started with stays."""


def test_the_command_starts_with_clean_signals_and_input(supervise: Launcher) -> None:
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)  # as in the background of a shell
    try:
        supervised = supervise(
            "sh",
            "-c",
            "grep -E 'SigBlk|SigIgn' /proc/self/status; ls /proc/self/fd; ps -o sid= -p $$ | tr -d ' '; echo $$; read x || echo empty",
        )
    finally:
        signal.signal(signal.SIGQUIT, before)
    # Its own input stays open: where that ends, the command is to end too.
    assert supervised.process.stdout
    lines = supervised.process.stdout.read().decode().split()
    assert lines[:3] == ["SigBlk:", "0" * 16, "SigIgn:"]
    assert int(lines[3], 16) & ~_KEPT_BY_LIBC == 0
    assert lines[4:8] == ["0", "1", "2", "3"]  # 3 is the listing itself
    assert lines[8] == lines[9]
    assert lines[10] == "empty"


def test_children_are_found_without_the_kernel_s_list_too() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert child.pid in supervisor.children_of(os.getpid())
        assert child.pid in supervisor._scan_for_children(os.getpid())
    finally:
        child.kill()
        child.wait()
