"""Packages kept ready: one read-only folder per lock file, made once, under every sandbox that has that lock file.

They are made in a sandbox of their own that sees nothing but the lock file and what belongs to it. A sandbox changes its own copy of what
it writes (an overlay), so none can change what another one runs.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from vibedesk.engine.sandboxes.docker.docker_sandbox import DockerSandbox
from vibedesk.engine.sandboxes.docker.keeper import NO_LAYER, Keeper
from vibedesk.engine.sandboxes.docker.lock_files import LockedPackages, locked_packages
from vibedesk.engine.sandboxes.driver import Exited, OutputLine, SandboxError

_INSTALL_SECONDS = 900.0

MakeBuilder = Callable[[str, Path], Awaitable[DockerSandbox]]
"""Makes a sandbox with this key for this folder, its work folder no overlay."""


class Layers:
    """The kept packages of one home.

    Args:
        keeper: Keeps them.
        make_builder: As its type says.
        scratch: A folder of this machine for lock files on their way.
        python_index: Returns where uv gets packages in a sandbox; empty for its own default.
    """

    def __init__(
        self,
        keeper: Keeper,
        make_builder: MakeBuilder,
        scratch: Path,
        python_index: Callable[[], str],
    ) -> None:
        self._keeper = keeper
        self._make_builder = make_builder
        self._scratch = scratch
        self._python_index = python_index
        self._making: dict[str, asyncio.Task[None]] = {}

    async def known(self, folder: Path, system: str) -> str:
        """Return the layer of a project's lock file if it is there, else the empty one."""
        packages = await asyncio.to_thread(locked_packages, folder, self._python_index())
        if packages is None:
            return NO_LAYER
        key = packages.key(system)
        return key if await self._keeper.use_layer(key) else NO_LAYER

    async def ensure(self, folder: Path, system: str, on_line: Callable[[str], None]) -> str:
        """Return the layer of a project's lock file, made where it is not there; the empty one without a lock file.

        Raises:
            SandboxError: the packages could not be installed; `details['log']` has the last lines.
        """
        packages = await asyncio.to_thread(locked_packages, folder, self._python_index())
        if packages is None:
            return NO_LAYER
        key = packages.key(system)
        if await self._keeper.use_layer(key):
            return key
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(
                self._make(key, packages, on_line), name=f"layer {key}"
            )
            task.add_done_callback(lambda _task: self._making.pop(key, None))
        await asyncio.shield(task)
        return key

    async def aclose(self) -> None:
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(
        self, key: str, packages: LockedPackages, on_line: Callable[[str], None]
    ) -> None:
        on_line("Installing the packages once, to keep them ready.")
        build = f"build-{secrets.token_hex(6)}"
        folder = self._scratch / build
        await asyncio.to_thread(_write, folder, packages.files)
        try:
            builder = await self._make_builder(build, folder)
            try:
                await _install(builder, packages.install, on_line)
                await builder.end_for_commit()
                await self._keeper.commit_layer(key, build, packages.made)
            finally:
                await builder.remove()
        finally:
            await asyncio.to_thread(_remove, folder)


async def _install(
    builder: DockerSandbox, command: Sequence[str], on_line: Callable[[str], None]
) -> None:
    tail: list[str] = []
    status = -1
    async with aclosing(builder.exec(command, timeout=_INSTALL_SECONDS)) as outputs:  # type: ignore[type-var]
        async for output in outputs:
            match output:
                case OutputLine(text=text):
                    tail = [*tail[-39:], text]
                    on_line(text)
                case Exited(status=status):
                    pass
    if status:
        raise SandboxError(
            "The packages could not be installed.",
            remedy="The log says why. Continue to try again.",
            details={"log": "\n".join(tail)},
            retryable=True,
        )


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
