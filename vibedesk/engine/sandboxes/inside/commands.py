"""Commands inside a container, each under its supervisor."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal

from vibedesk.engine.sandboxes.inside.channels import Agent, Channel
from vibedesk.engine.sandboxes.inside.frames import DATA, ERRORS, LIMITS, MOST_PAYLOAD, Json
from vibedesk.engine.sandboxes.inside.supervisor import Supervisor

WORK = "/app"
_OOM_SCORE = "800"
_STATUS_FD = 3
_INPUT_FD = 4


class Command(Channel):
    """A command under its supervisor. The other side's END asks it to end, its ABORT too, without an answer.

    With `input` in the request, the other side's data is its standard input, else that is empty. With `limits` the
    other side hears of each limit of the sandbox when it was first met, not only at the end.
    """

    def __init__(self, agent: Agent, number: int, request: Json) -> None:
        super().__init__(agent, number)
        argv = [str(word) for word in request["argv"]]
        env = {str(k): str(v) for k, v in request["env"].items()}
        cwd = str(request.get("cwd", WORK))
        missing = missing_program(argv[0], env.get("PATH", ""), cwd)
        if missing:
            raise ValueError(missing)
        takes_input = bool(request.get("input"))
        self._pid, ours = _start(argv, env, cwd, float(request["grace"]), takes_input=takes_input)
        self._stdin, stdout, stderr, self._status_fd = ours[:4]
        self._input = ours[4] if takes_input else -1
        self._unwritten = bytearray()
        self._told = True
        self._before = counters()
        self._met: set[str] = set()
        self._pipes = {stdout: DATA, stderr: ERRORS}
        self._report = b""
        agent.children.add(self._pid)
        if request.get("limits"):
            agent.lookers[number] = self._tell_limits

    def begin(self) -> None:
        for fd in (*self._pipes, self._status_fd, *([self._input] if self._input >= 0 else [])):
            os.set_blocking(fd, False)
        self.agent.watch(self._status_fd, reads=self._take_report)
        self.on_room()

    def _take_report(self) -> None:
        try:
            self._report = os.read(self._status_fd, 4096)
        except BlockingIOError:
            return
        self.agent.watch(self._status_fd)
        if not self._report:
            # The supervisor was killed, and nobody ends what it looked after and what holds the pipes.
            for fd in list(self._pipes):
                self._close_pipe(fd)

    def on_room(self) -> None:
        ready = self._told is False or self.may_send() > 0
        for fd in self._pipes:
            self.agent.watch(fd, reads=functools.partial(self._read, fd) if ready else None)

    def _read(self, fd: int) -> None:
        room = self.may_send() if self._told else MOST_PAYLOAD
        if not room:
            self.on_room()
            return
        try:
            data = os.read(fd, room)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            if self._told:
                self.send(data, self._pipes[fd])
            return
        self._close_pipe(fd)

    def _close_pipe(self, fd: int) -> None:
        self.agent.watch(fd)
        os.close(fd)
        del self._pipes[fd]
        if not self._pipes:
            self._end()

    def on_data(self, data: bytes) -> None:
        if self._input < 0:
            super().on_data(data)
            return
        # The other side sends no more than its window until this is taken.
        self._unwritten += data
        self._write_input()

    def _write_input(self) -> None:
        try:
            written = os.write(self._input, self._unwritten)
        except BlockingIOError:
            written = 0
        except OSError:  # it reads no more
            self._close_input()
            return
        del self._unwritten[:written]
        self.consumed(written)
        self.agent.watch(self._input, writes=self._write_input if self._unwritten else None)

    def _close_input(self) -> None:
        if self._input >= 0:
            self.agent.watch(self._input)
            os.close(self._input)
            self._input = -1
            self.consumed(len(self._unwritten))
            self._unwritten.clear()

    def _tell_limits(self) -> None:
        hits = self._hits()
        met = {name for name, times in hits.items() if times > 0}
        if not met <= self._met:
            self._met |= met
            self.agent.send(LIMITS, self.number, json.dumps({"hits": hits}).encode())

    def _hits(self) -> dict[str, int]:
        """Return how often the sandbox met its limits since this began, by limit."""
        now = counters()
        return {name: now[name] - self._before[name] for name in now.keys() & self._before.keys()}

    def _end(self) -> None:
        self.agent.lookers.pop(self.number, None)
        os.waitpid(self._pid, 0)
        self.agent.children.discard(self._pid)
        self._close_stdin()
        self._close_input()
        self.agent.watch(self._status_fd)
        # Its last word may not have been looked at yet.
        with contextlib.suppress(BlockingIOError):
            self._report = self._report or os.read(self._status_fd, 4096)
        os.close(self._status_fd)
        if self._told:
            self.finish({"report": self._report.decode(errors="replace"), "hits": self._hits()})

    def on_end(self) -> None:
        self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def abort(self) -> None:
        super().abort()
        self.agent.lookers.pop(self.number, None)
        self._told = False  # the pipes are drained without telling anybody
        self.on_end()
        self.on_room()


def _start(
    argv: list[str], env: dict[str, str], cwd: str, grace: float, *, takes_input: bool
) -> tuple[int, tuple[int, ...]]:
    """Fork a supervisor of the command; return its pid and our ends: stdin, stdout, stderr, status, and the input.

    A fork takes a tenth of the time of a new interpreter; this program has one thread, so nothing is held.
    """
    count = _INPUT_FD + 1 if takes_input else _INPUT_FD
    theirs, ours = zip(
        *(_pipe(outward=0 < number < _INPUT_FD) for number in range(count)), strict=True
    )
    try:
        pid = os.fork()
    except OSError:
        for fd in (*theirs, *ours):
            os.close(fd)
        raise
    if not pid:
        try:
            _supervise(theirs, argv, env, cwd, grace)
        finally:
            os._exit(0)
    for fd in theirs:
        os.close(fd)
    return pid, ours


def _pipe(*, outward: bool) -> tuple[int, int]:
    """Return the child's end and ours; `outward` says that the child writes."""
    read, write = os.pipe()
    return (write, read) if outward else (read, write)


def _supervise(
    fds: tuple[int, ...], argv: list[str], env: dict[str, str], cwd: str, grace: float
) -> None:
    for number, fd in enumerate([os.dup(fd) for fd in fds]):  # none may be in another's place
        os.dup2(fd, number)
    os.closerange(len(fds), os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    _give_way()
    signal.set_wakeup_fd(-1)
    try:
        os.chdir(cwd)
    except OSError as error:
        os.write(_STATUS_FD, f"failed {error.strerror}\n".encode())
        return
    os.environ.clear()
    os.environ.update(env)
    input_fd = _INPUT_FD if len(fds) > _INPUT_FD else -1
    Supervisor(grace=grace, status_fd=_STATUS_FD, wrapped=False, input_fd=input_fd).run(argv)


def missing_program(program: str, search_path: str, cwd: str) -> str:
    """Return the sentence that says that there is no such program; empty where there is one."""
    if "/" in program:
        found = os.access(os.path.join(cwd, program), os.X_OK)
    else:
        found = shutil.which(program, path=search_path) is not None
    return "" if found else "command_not_found"


def _give_way() -> None:
    # When memory runs out, what the app runs goes first, not this session.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(_OOM_SCORE)


_COUNTERS = (
    ("memory", "/sys/fs/cgroup/memory.events", "oom_kill"),
    ("memory", "/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
    ("processes", "/sys/fs/cgroup/pids.events", "max"),
    ("processes", "/sys/fs/cgroup/pids/pids.events", "max"),
)


def counters() -> dict[str, int]:
    """Return how often the sandbox met its limits so far, by limit."""
    found: dict[str, int] = {}
    for name, path, word in _COUNTERS:
        with contextlib.suppress(OSError, ValueError), open(path) as file:
            for line in file:
                fields = line.split()
                if len(fields) == 2 and fields[0] == word:
                    found[name] = int(fields[1])
    return found
