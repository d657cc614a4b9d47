"""What every sandbox driver does: one protocol, one contract test suite for all drivers.

A sandbox is the place where a project's packages are installed and its dev server runs. The project's work
folder on this machine is given in the spec; whether a driver mounts it, runs in it or copies it is the
driver's business (`push` and `pull`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS
from vibedesk.engine.sandboxes.sizes import AUTOMATIC


class SandboxError(VibeDeskError):
    """The sandbox could not do what was asked."""

    code = "sandbox"


class SandboxUnavailableError(SandboxError):
    """The driver cannot work on this machine (no Docker, no Node)."""

    code = "sandbox_unavailable"


class SandboxEngineDownError(SandboxUnavailableError):
    """What runs the sandboxes (Docker) does not answer at the moment; what it keeps is not lost."""

    code = "sandbox_engine_down"
    retryable = True


class ServerNotReadyError(SandboxError):
    """The dev server did not answer: it ended, or the time was up. `details['log']` has its last lines."""

    code = "server_not_ready"
    retryable = True


class PortInUseError(SandboxError):
    """The project's port is taken by a program that is not ours."""

    code = "port_in_use"


class SandboxStatus(StrEnum):
    """The sandbox's own state, apart from the agent's."""

    ABSENT = "absent"
    BUILDING = "building"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"


AppData = Callable[[Iterable[str]], set[str]]
"""Returns which of these paths in the project's folder hold what the app stored, and nothing of the project. Blocking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """What a sandbox is made for."""

    project_id: str
    folder: Path
    """The project's work folder on this machine."""
    port: int
    """The project's port on 127.0.0.1; the same for its whole life."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The app's own variables, given by consent; never VibeDesk's keys."""
    sandbox_id: str = ""
    """`Sandbox.id` of the sandbox that the project had last; it is taken over where it still exists."""
    size: str = AUTOMATIC
    """A name of `sizes.SIZES`, or `auto`."""
    network: Callable[[], NetworkRules] = field(default=NetworkRules, compare=False)
    """What the app may reach, asked at every connection. The local sandbox cannot hold it to that."""
    app_data: AppData | None = None
    """A sandbox with files of its own gets these when it is new. Later it keeps what the app stored in it, whatever lies in
    the folder then."""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line a command printed, without its line end and without ANSI codes."""

    stream: str
    """stdout or stderr"""
    text: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The command ended. A signal's number is negative, as in `subprocess`."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxUsage:
    """What a sandbox uses now, and of how much."""

    cpu: float
    """Cores: 1.0 is one of them, busy."""
    memory: int
    """Bytes, without what the system would give back at once."""
    processes: int
    disk: int
    """Bytes that the app wrote."""
    cpu_limit: float | None = None
    memory_limit: int | None = None
    disk_limit: int | None = None


CommandOutput = OutputLine | Exited
LineSink = Callable[[OutputLine], None]
StatusSink = Callable[[SandboxStatus, str], None]
"""Called with the new status and a sentence why; on the engine's loop."""
RefusedSink = Callable[[str], None]
"""Called with a host (or host:port) that the app wanted to reach and may not; on the engine's loop."""


def ignore_refused(_host: str) -> None:
    """Where nobody asks the person."""


class Program(Protocol):
    """A command that stays: what it prints is read, what it is told is written."""

    async def read(self) -> bytes:
        """Return the next piece of its standard output; empty when it is gone."""
        ...

    async def write(self, data: bytes) -> None:
        """Send `data` to its standard input, one writer at a time; waits while it does not read.

        Raises:
            ConnectionError: it is gone, or reads no more.
            SandboxError: its sandbox does not wake.
        """
        ...

    async def exit_status(self) -> int:
        """Wait for its end and return the status, a signal's number negative.

        Raises:
            SandboxError: it could not be started, or was ended by `end`.
        """
        ...

    async def end(self) -> None:
        """End it with everything it started; returns when all is gone. Idempotent."""
        ...


class Sandbox(Protocol):
    """One project's running place."""

    @property
    def id(self) -> str:
        """The driver's name for it (a container id, a process id); stored with the project."""
        ...

    @property
    def kind(self) -> str:
        """`local`, `local+bwrap` or `docker`: what the person is told."""
        ...

    @property
    def host(self) -> str:
        """The address a dev server inside must bind; templates say `{host}`."""
        ...

    @property
    def url(self) -> str:
        """Where the dev server is reached from this machine: http://127.0.0.1:PORT."""
        ...

    @property
    def workdir(self) -> str:
        """The work folder as commands inside see it: what absolute paths in their output begin with."""
        ...

    @property
    def status(self) -> SandboxStatus: ...

    @property
    def lost(self) -> bool:
        """Whether it ended from outside since its dev server was started, which is not to blame for that.

        Its next use brings it back, without the dev server.
        """
        ...

    @property
    def has_own_files(self) -> bool:
        """Whether it works on a copy of the work folder, which may then move while things run."""
        ...

    @property
    def session(self) -> object:
        """What carries files between here and a sandbox that has its own, until it is lost; None where nothing does.

        With another one the whole work folder was brought in anew. Without one `push` leaves that to the next.
        """
        ...

    def follow(self, folder: Path) -> None:
        """The work folder is called `folder` now; only where it has its own files."""
        ...

    async def has(self, path: str) -> bool:
        """Whether there is a file inside at this path in the work folder, as tools made it."""
        ...

    async def usage(self) -> SandboxUsage | None:
        """Return what it uses now; None where nothing runs or it cannot be measured."""
        ...

    async def shell_command(self) -> list[str]:
        """Return the command that opens a shell inside, for a terminal on this machine; a paused sandbox is woken.

        Raises:
            SandboxError: there is none; says what is missing.
        """
        ...

    async def push(self, paths: Sequence[str]) -> None:
        """Make these changed or deleted project paths visible inside (nothing to do where the folder is shared).

        `open` brings the whole work folder in; packages, git's folder and what tools make stay out.
        """
        ...

    async def push_all(self) -> None:
        """Make the whole work folder visible inside as it is, also what the app removed there.

        `start_server` does it too. A line tells the person where files of the project had gone.
        """
        ...

    async def pull(self, paths: Sequence[str]) -> None:
        """Bring these paths, written inside, into the work folder (nothing to do where it is shared).

        A line tells the person which of them are no plain files inside, or cannot be had: they stay as they are here.
        """
        ...

    async def contents(self, paths: Sequence[str], most: int) -> tuple[dict[str, bytes], set[str]]:
        """Return what these files hold inside, by path, and those that did not come.

        Those are the ones that cannot be read, or are too large: all together hold at most `most` bytes. What is no
        plain file there is in neither. Only where it has its own files; it may take as long as what runs inside likes.
        """
        ...

    def exec(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        longest_line: int = MAX_LINE_CHARS,
    ) -> AsyncIterator[CommandOutput]:
        """Run a command in the work folder.

        Yields its lines as they come, each cut after `longest_line` characters, then exactly one `Exited`. Closing the iterator, cancelling the task or
        the timeout (seconds) kills the command with everything it started.

        Raises:
            SandboxError: the command could not be started, or the timeout passed.
        """
        ...

    async def open_program(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> Program:
        """Start a command in the work folder that stays and is talked to.

        Its standard error goes to VibeDesk's log. `stop` ends it.

        Raises:
            SandboxError: the command does not exist; some sandboxes tell that by `Program.exit_status`.
        """
        ...

    async def start_server(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 120.0
    ) -> str:
        """Start the dev server (stopping one that runs) and return its URL once the page answers.

        Its lines go to the `on_line` given at `open`, and so does, once, each limit of the sandbox that is met beside it;
        its end later is told through `on_status`.

        Raises:
            ServerNotReadyError: it ended or did not answer in time; PortInUseError: somebody else has the port.
        """
        ...

    async def stop_server(self) -> None:
        """End the dev server and everything it started; nothing to do where none runs."""
        ...

    async def stop(self) -> None:
        """End every process inside; files stay. Idempotent."""
        ...

    async def remove(self) -> None:
        """Stop and remove every trace of the sandbox except the work folder."""
        ...


class SandboxDriver(Protocol):
    """Makes sandboxes of one kind."""

    @property
    def name(self) -> str:
        """`local` or `docker`."""
        ...

    async def check(self) -> None:
        """Raise `SandboxUnavailableError` with what is missing and how to get it."""
        ...

    async def open(
        self,
        spec: SandboxSpec,
        *,
        on_line: LineSink,
        on_status: StatusSink,
        on_refused: RefusedSink = ignore_refused,
    ) -> Sandbox:
        """Create the project's sandbox, or take over the one it has."""
        ...

    async def aclose(self) -> None:
        """Stop every sandbox this driver opened."""
        ...
