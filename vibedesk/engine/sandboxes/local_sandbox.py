"""One project's sandbox on this machine: bubblewrap, or the person's own rights."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from vibedesk.engine.sandboxes import bubblewrap, environment, ports
from vibedesk.engine.sandboxes.bubblewrap import Bubblewrap
from vibedesk.engine.sandboxes.command import LimitsSink
from vibedesk.engine.sandboxes.dev_server import DevServer
from vibedesk.engine.sandboxes.driver import (
    LineSink,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    SandboxUsage,
    ServerNotReadyError,
    StatusSink,
)
from vibedesk.engine.sandboxes.layout import SandboxLayout
from vibedesk.engine.sandboxes.process import SupervisedProcess
from vibedesk.engine.sandboxes.project_sandbox import ProjectSandbox

# More than the supervisor's grace: a server that a killed VibeDesk left is ended by then, on a busy machine too.
_PORT_WAIT_SECONDS = 6.0


class LocalSandbox(ProjectSandbox):
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
        super().__init__(spec, on_line=on_line, on_status=on_status)
        self._layout = layout
        self._wrapper = wrapper
        self._base_environment: dict[str, str] = {}
        self._made_git_mount_point = False
        self._processes: list[SupervisedProcess] = []
        self._measured: dict[int, psutil.Process] = {}

    @property
    def id(self) -> str:
        return f"local-{self.spec.project_id}"

    @property
    def kind(self) -> str:
        return "local+bwrap" if self._wrapper else "local"

    @property
    def workdir(self) -> str:
        return str(self._layout.app.inside)

    @property
    def lost(self) -> bool:
        return False

    @property
    def has_own_files(self) -> bool:
        return False

    @property
    def session(self) -> object:
        return None

    def follow(self, folder: Path) -> None:
        raise AssertionError(f"it works in its folder and cannot follow it to {folder}")

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

    async def has(self, path: str) -> bool:
        return await asyncio.to_thread((self.spec.folder / path).is_file)

    async def usage(self) -> SandboxUsage | None:
        pids = [process.pid for process in self._processes]
        return await asyncio.to_thread(self._measure, pids) if pids else None

    async def shell_command(self) -> list[str]:
        shell = [os.environ.get("SHELL") or "/bin/sh"]
        if not self._wrapper:
            return ["env", "-C", str(self.spec.folder), *shell]
        variables = [f"{name}={value}" for name, value in self._base_environment.items()]
        return [
            "env",
            "-i",
            *variables,
            *self._wrapper.wrap(self._layout, ["sh", "-i"], terminal=True),
        ]

    async def push(self, paths: Sequence[str]) -> None:
        """Nothing to do: the folder is shared."""

    async def push_all(self) -> None:
        """Nothing to do: the folder is shared."""

    async def contents(self, paths: Sequence[str], most: int) -> tuple[dict[str, bytes], set[str]]:
        raise AssertionError(f"it has no files of its own: {len(paths)} of at most {most} bytes")

    async def pull(self, paths: Sequence[str]) -> None:
        """Nothing to do: the folder is shared."""

    async def stop(self) -> None:
        await super().stop()
        if self._made_git_mount_point:
            with contextlib.suppress(OSError):  # a repository has been made there
                await asyncio.to_thread((self.spec.folder / ".git").rmdir)

    async def remove(self) -> None:
        await self.stop()
        await asyncio.to_thread(self._layout.remove)
        self._set_status(SandboxStatus.ABSENT, "The sandbox was removed.")

    async def _prepare_server(self) -> None:
        await ports.wait_until_free(self.spec.port, _PORT_WAIT_SECONDS)

    async def _release_server(self) -> None:
        """Nothing to do: the port is free when the server is gone."""

    async def _start_server(
        self, argv: Sequence[str], env: Mapping[str, str] | None, timeout: float
    ) -> DevServer:
        try:
            return await super()._start_server(argv, env, timeout)
        except ServerNotReadyError as error:
            if ports.is_port_in_use(self.spec.port):
                raise await ports.port_in_use_error(self.spec.port) from error
            raise

    async def _wake(self) -> None:
        """Nothing to do: it never sleeps."""

    async def _launch(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        *,
        takes_input: bool = False,
        on_limits: LimitsSink | None = None,
    ) -> SupervisedProcess:
        environment = {**self._base_environment, **(env or {})}
        self._check_program(argv[0], environment["PATH"])
        command = self._wrapper.wrap(self._layout, argv) if self._wrapper else list(argv)
        process = await SupervisedProcess.start(
            command,
            env=environment,
            cwd=self.spec.folder,
            wrapped=self._wrapper is not None,
            takes_input=takes_input,
        )
        self._processes = [p for p in self._processes if p.alive]
        self._processes.append(process)
        return process

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

    def _measure(self, pids: list[int]) -> SandboxUsage | None:
        cpu = memory = 0.0
        count = 0
        found: dict[int, psutil.Process] = {}
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                supervisor = psutil.Process(pid)
                for process in supervisor.children(recursive=True):
                    # The same object as last time: it measures from one call to the next.
                    process = self._measured.get(process.pid, process)
                    with contextlib.suppress(psutil.Error):
                        cpu += process.cpu_percent() / 100
                        memory += process.memory_info().rss
                        found[process.pid] = process
                        count += 1
        self._measured = found
        if not count:
            return None
        return SandboxUsage(cpu=cpu, memory=int(memory), processes=count, disk=0)


def _is_program(path: Path) -> bool:
    # The sandbox's `node` is a link to a place that may exist only inside.
    return path.is_symlink() or shutil.which(path) is not None
