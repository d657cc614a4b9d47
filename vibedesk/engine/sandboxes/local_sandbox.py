"""One project's sandbox on this machine: its commands, its dev server, its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from vibedesk.engine.sandboxes import bubblewrap, environment, ports
from vibedesk.engine.sandboxes.bubblewrap import Bubblewrap
from vibedesk.engine.sandboxes.command import RunningCommand
from vibedesk.engine.sandboxes.dev_server import DevServer
from vibedesk.engine.sandboxes.driver import (
    CommandOutput,
    Exited,
    LineSink,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    ServerNotReadyError,
    StatusSink,
)
from vibedesk.engine.sandboxes.layout import SandboxLayout
from vibedesk.engine.sandboxes.process import SupervisedProcess

_log = logging.getLogger(__name__)

# A little more than the supervisor's grace: a server that a killed VibeDesk left is ended by then.
_PORT_WAIT_SECONDS = 3.0


class LocalSandbox:
    """Runs a project's commands on this machine, in bubblewrap or with the person's own rights."""

    def __init__(
        self,
        spec: SandboxSpec,
        layout: SandboxLayout,
        wrapper: Bubblewrap | None,
        *,
        on_line: LineSink,
        on_status: StatusSink,
    ) -> None:
        self.spec = spec
        self._layout = layout
        self._wrapper = wrapper
        self._on_line = on_line
        self._on_status = on_status
        self._status = SandboxStatus.ABSENT
        self._base_environment: dict[str, str] = {}
        self._commands: set[RunningCommand] = set()
        self._launch_lock = (
            asyncio.Lock()
        )  # a command is started and known, or not started, when `stop` looks
        self._server: DevServer | None = None
        self._server_lock = asyncio.Lock()
        self._starting: asyncio.Task[DevServer] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._made_git_mount_point = False

    @property
    def id(self) -> str:
        return f"local-{self.spec.project_id}"

    @property
    def kind(self) -> str:
        return "local+bwrap" if self._wrapper else "local"

    @property
    def host(self) -> str:
        return ports.HOST

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.spec.port}"

    @property
    def workdir(self) -> str:
        return str(self._layout.app.inside)

    @property
    def status(self) -> SandboxStatus:
        return self._status

    @property
    def is_open(self) -> bool:
        """Whether it can still be used: it was not removed."""
        return self._status is not SandboxStatus.ABSENT

    def attach(self, *, on_line: LineSink, on_status: StatusSink) -> None:
        """Send lines and states to somebody else from now on."""
        self._on_line = on_line
        self._on_status = on_status

    async def create(self) -> None:
        """Make the private folders. Once, before anything else."""
        await asyncio.to_thread(self._create)
        self._status = SandboxStatus.STOPPED

    def _create(self) -> None:
        if not self.spec.folder.is_dir():
            raise SandboxError(
                f"The project's folder {self.spec.folder} does not exist.",
                remedy="Put it back, or delete the project.",
            )
        self._layout.create()
        environment.write_config(self._layout, os.environ)
        if self._wrapper:
            bubblewrap.prepare(self._layout)
            self._made_git_mount_point = not os.path.lexists(self.spec.folder / ".git")
        self._base_environment = {
            **environment.sandbox_environment(self._layout, os.environ),
            **self.spec.env,
        }

    async def push(self, paths: Sequence[str]) -> None:
        """Nothing to do: the folder is shared."""

    async def pull(self, paths: Sequence[str]) -> None:
        """Nothing to do: the folder is shared."""

    async def exec(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[CommandOutput]:
        async with self._launch_lock:
            process = await self._start(argv, env)
            command = RunningCommand(process, name=argv[0], timeout=timeout)
            self._commands.add(command)
        try:
            async for line in command.lines():
                yield line
            yield Exited(await command.exit_status())
        finally:
            await command.end()
            self._commands.discard(command)

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
            commands = list(self._commands)
        await asyncio.gather(self.stop_server(), *(command.end() for command in commands))
        if self._status is SandboxStatus.FAILED:
            self._set_status(SandboxStatus.STOPPED, "The sandbox was stopped.")
        if self._made_git_mount_point:
            with contextlib.suppress(OSError):  # a repository has been made there
                await asyncio.to_thread((self.spec.folder / ".git").rmdir)

    async def remove(self) -> None:
        await self.stop()
        await asyncio.to_thread(self._layout.remove)
        self._set_status(SandboxStatus.ABSENT, "The sandbox was removed.")

    async def _start_server(
        self, argv: Sequence[str], env: Mapping[str, str] | None, timeout: float
    ) -> DevServer:
        self._set_status(SandboxStatus.STARTING, "The dev server is starting.")
        await ports.wait_until_free(self.spec.port, _PORT_WAIT_SECONDS)
        process = await self._start(argv, env)
        server = DevServer(process, port=self.spec.port, on_line=lambda line: self._on_line(line))
        try:
            await server.wait_until_ready(timeout)
        except BaseException as error:
            await server.end()
            if isinstance(error, ServerNotReadyError) and ports.is_port_in_use(self.spec.port):
                raise await ports.port_in_use_error(self.spec.port) from error
            raise
        return server

    async def _end_server(self) -> bool:
        server, self._server = self._server, None
        if server is None:
            return False
        await server.end()
        if self._watching:
            await self._watching
            self._watching = None
        return True

    async def _watch(self, server: DevServer) -> None:
        reason = await server.wait_for_end()
        if self._server is server:  # nobody asked it to end
            self._server = None
            self._set_status(SandboxStatus.FAILED, f"The dev server ended by itself: {reason}.")

    async def _start(self, argv: Sequence[str], env: Mapping[str, str] | None) -> SupervisedProcess:
        self._require_open()
        environment = {**self._base_environment, **(env or {})}
        self._check_program(argv[0], environment["PATH"])
        command = self._wrapper.wrap(self._layout, argv) if self._wrapper else list(argv)
        return await SupervisedProcess.start(
            command, env=environment, cwd=self.spec.folder, wrapped=self._wrapper is not None
        )

    def _require_open(self) -> None:
        if not self.is_open:
            raise SandboxError("The sandbox was removed.", remedy="Open the project again.")

    def _check_program(self, program: str, search_path: str) -> None:
        """Say that a program is missing before a wrapper reports it as the program's own failure."""
        if "/" in program:
            found = (self._outside(self._layout.app.inside / program)).exists()
        else:
            folders = (str(self._outside(Path(entry))) for entry in search_path.split(os.pathsep))
            found = any(_is_program(Path(folder, program)) for folder in folders)
        if not found:
            raise SandboxError(
                f"The command {program} does not exist in the sandbox.",
                remedy="Install the package that brings it.",
                code="command_not_found",
            )

    def _outside(self, inside: Path) -> Path:
        for place in self._layout.places:
            if inside.is_relative_to(place.inside):
                return place.outside / inside.relative_to(place.inside)
        return inside

    def _set_status(self, status: SandboxStatus, reason: str) -> None:
        if status is self._status:
            return
        self._status = status
        _log.info("sandbox of %s: %s (%s)", self.spec.project_id, status, reason)
        self._on_status(status, reason)


def _is_program(path: Path) -> bool:
    # The sandbox's `node` is a link to a place that may exist only inside.
    return path.is_symlink() or shutil.which(path) is not None
