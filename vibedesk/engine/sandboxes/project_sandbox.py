"""What every project's sandbox does alike: commands, the dev server, states, the end of both.

A driver's sandbox says how one command is launched, and what has to be there before the dev server and after it.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence

from vibedesk.engine.sandboxes import ports
from vibedesk.engine.sandboxes.command import LimitsSink, Process, RunningCommand
from vibedesk.engine.sandboxes.dev_server import DevServer
from vibedesk.engine.sandboxes.driver import (
    CommandOutput,
    Exited,
    LineSink,
    OutputLine,
    Program,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    ServerNotReadyError,
    StatusSink,
)
from vibedesk.engine.sandboxes.output import MAX_LINE_CHARS
from vibedesk.engine.sandboxes.program import RunningProgram

_log = logging.getLogger(__name__)


class ProjectSandbox(ABC):
    """One project's commands and its dev server, in whatever kind of sandbox."""

    def __init__(self, spec: SandboxSpec, *, on_line: LineSink, on_status: StatusSink) -> None:
        self.spec = spec
        self._on_line = on_line
        self._on_status = on_status
        self._status = SandboxStatus.ABSENT
        self._commands: set[RunningCommand] = set()
        self._programs: set[RunningProgram] = set()
        # A command is started and known, or not started, when `stop` looks.
        self._launch_lock = asyncio.Lock()
        self._server: DevServer | None = None
        self._server_lock = asyncio.Lock()
        self._starting: asyncio.Task[DevServer] | None = None
        self._watching: asyncio.Task[None] | None = None

    # -- what a driver's sandbox is made of ----------------------------------------------------------
    @abstractmethod
    async def _launch(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        *,
        takes_input: bool = False,
        on_limits: LimitsSink | None = None,
    ) -> Process:
        """Start one command in the work folder; `on_limits` hears what it meets and outlives, where there are limits."""

    @abstractmethod
    async def _wake(self) -> None:
        """Let what runs inside get time, where it is paused."""

    @abstractmethod
    async def _prepare_server(self) -> None:
        """Make the project's port on this machine ready for the server that starts next.

        Raises:
            PortInUseError: somebody else has it.
        """

    @abstractmethod
    async def _release_server(self) -> None:
        """The dev server is gone; called once after each that was prepared."""

    def _why_it_ended(self, limits_met: frozenset[str]) -> str:
        """Return a sentence on the limit that a program met; empty where it met none."""
        return ""

    # -- the contract ------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.spec.port}"

    @property
    def host(self) -> str:
        return ports.HOST

    @property
    def status(self) -> SandboxStatus:
        return self._status

    @property
    def is_open(self) -> bool:
        """Whether it can still be used: it was not removed."""
        return self._status is not SandboxStatus.ABSENT

    @property
    def serving(self) -> bool:
        return self._server is not None

    def attach(self, *, on_line: LineSink, on_status: StatusSink) -> None:
        """Send lines and states to somebody else from now on."""
        self._on_line = on_line
        self._on_status = on_status

    async def exec(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        longest_line: int = MAX_LINE_CHARS,
    ) -> AsyncIterator[CommandOutput]:
        async with self._launch_lock:
            self._require_open()
            process = await self._launch(argv, env)
            command = RunningCommand(
                process, name=argv[0], timeout=timeout, longest_line=longest_line
            )
            self._commands.add(command)
        try:
            async for line in command.lines():
                yield line
            status = await command.exit_status()
            if status and (why := self._why_it_ended(process.limits_met)):
                yield OutputLine("stderr", why)
            yield Exited(status)
        finally:
            await command.end()
            self._commands.discard(command)

    async def open_program(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> Program:
        async with self._launch_lock:
            self._require_open()
            process = await self._launch(argv, env, takes_input=True)
            program = RunningProgram(
                process, name=argv[0], wake=self._wake, on_gone=self._programs.discard
            )
            self._programs.add(program)
        return program

    async def start_server(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 120.0
    ) -> str:
        async with self._server_lock:
            self._require_open()
            await self._end_server()
            self._starting = asyncio.create_task(self._start_server(argv, env, timeout))
            try:
                self._server = await self._starting
            except asyncio.CancelledError:
                self._set_status(
                    SandboxStatus.STOPPED, "The dev server was stopped while it started."
                )
                task = asyncio.current_task()
                if task and task.cancelling():
                    raise
                raise ServerNotReadyError(
                    "The dev server was stopped while it started.", remedy="Start it again."
                ) from None
            except SandboxError as error:
                self._set_status(SandboxStatus.FAILED, error.message)
                raise
            finally:
                self._starting = None
            self._set_status(SandboxStatus.RUNNING, f"The app answers at {self.url}.")
            self._watching = asyncio.create_task(self._watch(self._server), name="watch dev server")
            return self.url

    async def stop_server(self) -> None:
        if self._starting:
            self._starting.cancel()
        async with self._server_lock:
            if await self._end_server():
                self._set_status(SandboxStatus.STOPPED, "The dev server was stopped.")

    async def stop(self) -> None:
        async with self._launch_lock:
            commands: list[RunningCommand | RunningProgram] = [*self._commands, *self._programs]
        await asyncio.gather(self.stop_server(), *(command.end() for command in commands))
        if self._status is SandboxStatus.FAILED:
            self._set_status(SandboxStatus.STOPPED, "The sandbox was stopped.")

    # -- inside ------------------------------------------------------------------------------------------
    async def _start_server(
        self, argv: Sequence[str], env: Mapping[str, str] | None, timeout: float
    ) -> DevServer:
        self._set_status(SandboxStatus.STARTING, "The dev server is starting.")
        await self._prepare_server()
        try:
            process = await self._launch(argv, env, on_limits=self._tell_limits)
            server = DevServer(
                process, port=self.spec.port, on_line=lambda line: self._on_line(line)
            )
            try:
                await server.wait_until_ready(timeout)
            except ServerNotReadyError as error:
                await server.end()
                why = self._why_it_ended(process.limits_met)
                if why and why.rstrip(".") not in error.message:
                    error.message = f"{error.message} {why}"
                raise
            except BaseException:
                await server.end()
                raise
        except BaseException:
            await self._release_server()
            raise
        return server

    def _tell_limits(self, met: frozenset[str]) -> None:
        for limit in sorted(met):
            if why := self._why_it_ended(frozenset({limit})):
                self._on_line(OutputLine("vibedesk", why))

    async def _end_server(self) -> bool:
        server, self._server = self._server, None
        if server is None:
            return False
        await server.end()
        if self._watching:
            await self._watching
            self._watching = None
        await self._release_server()
        return True

    async def _watch(self, server: DevServer) -> None:
        reason = await server.wait_for_end()
        if self._server is server:  # nobody asked it to end
            self._server = None
            await self._release_server()
            why = self._why_it_ended(server.limits_met)
            self._set_status(
                SandboxStatus.FAILED, why or f"The dev server ended by itself: {reason}."
            )

    def _require_open(self) -> None:
        if not self.is_open:
            raise SandboxError("The sandbox was removed.", remedy="Open the project again.")

    def _set_status(self, status: SandboxStatus, reason: str) -> None:
        if status is self._status:
            return
        self._status = status
        _log.info("sandbox of %s: %s (%s)", self.spec.project_id, status, reason)
        self._on_status(status, reason)
