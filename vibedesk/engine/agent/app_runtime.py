"""The running app of one project: work folder, packages, dev server, logs.

Lines and states of the sandbox become stored, ordered events. All work on the sandbox is serial: installs,
starts and stops queue behind one lock, so a cancelled install and a new start never overlap.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import httpx

from vibedesk.base.aio import Batcher
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    CommandFinished,
    CommandOutput,
    CommandStarted,
    FilesWritten,
    Notice,
    SandboxLog,
    SandboxState,
)
from vibedesk.engine.files.watcher import watch_folder
from vibedesk.engine.files.work_folder import WorkFolder
from vibedesk.engine.sandboxes.driver import (
    Exited,
    OutputLine,
    Sandbox,
    SandboxDriver,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
)

_TAIL = 40
_LOOK_AGAIN_SECONDS = 1.0
_NO_NETWORK = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b"
)
_NO_TRUST = re.compile(
    r"\b(SELF_SIGNED_CERT\w*|UNABLE_TO_\w*CERT\w*|UNABLE_TO_VERIFY\w*|CERT_HAS_EXPIRED|DEPTH_ZERO_\w+)\b"
)
_NO_PACKAGE = re.compile(r"\b(E404|ETARGET)\b")
_NO_SPACE = re.compile(r"\bENOSPC\b")


NO_SUCH_PACKAGE = "no_such_package"


class InstallFailedError(SandboxError):
    """Packages could not be installed; `details['log']` has the last lines."""

    code = "install_failed"
    retryable = True


class AppRuntime:
    """Installs, starts, watches and stops one project's app.

    Args:
        access: The project.
        driver: Makes its sandbox.
        folder: Its work folder.
        port: Its port on 127.0.0.1.
        allow: Raises `ConsentRequiredError` where the app's code may not run as things are; asked before
            anything runs.
    """

    def __init__(
        self,
        access: ProjectAccess,
        driver: SandboxDriver,
        folder: Path,
        port: int,
        allow: Callable[[], Awaitable[None]],
    ) -> None:
        self._access = access
        self._driver = driver
        self._port = port
        self._allow = allow
        self._sandbox: Sandbox | None = None
        self._lock = asyncio.Lock()
        self._moved = asyncio.Event()
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._log: Batcher[tuple[str, str]] = Batcher(self._store_lines)
        self._state = SandboxStatus.ABSENT
        self._telling: asyncio.Task[None] | None = None
        self._closed = False
        self.folder = folder
        self.work_folder = WorkFolder(access.database, access.project_id, access.files, folder)

    @property
    def status(self) -> SandboxStatus:
        return self._state

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def serving(self) -> bool:
        """Whether the dev server is up."""
        return self._sandbox is not None and self._state is SandboxStatus.RUNNING

    @property
    def packages_present(self) -> bool:
        return (self.folder / "node_modules" / ".package-lock.json").is_file()

    # -- files --------------------------------------------------------------------------------
    async def take_in(self) -> int:
        """Bring what other programs changed in the folder into the document; return how many files."""

        def work(emit: Emit) -> int:
            with telling_changes(self._access.files, emit):
                taken = self.work_folder.take_in()
            for notice in taken.notices:
                emit(Notice(notice, "left_out"))
            return len(taken)

        return await self._access.commit(work)

    async def follow_folder(self) -> None:
        """Take in what other programs change in the folder as it happens, until cancelled.

        While a command runs, its own writes are left to the take-in after it.
        """
        while True:
            folder, self._moved = self.folder, asyncio.Event()
            if await asyncio.to_thread(folder.is_dir):
                # A watched folder that is renamed never says anything again.
                async with aclosing(watch_folder(folder, self._moved)) as changes:  # type: ignore[type-var]
                    async for _ in changes:
                        async with self._lock:
                            if self.folder != folder:
                                break
                            await self.take_in()
            # The folder is not there yet, or has moved.
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def materialise(self, paths: list[str] | None = None) -> int:
        """Write changed files to the work folder in one batch; return how many."""

        def work(emit: Emit) -> list[str]:
            with telling_changes(self._access.files, emit):
                written = self.work_folder.materialise(paths)
            if written:
                emit(FilesWritten(len(written)))
            return written

        written = await self._access.commit(work)
        if self._sandbox is not None and written:
            await self._sandbox.push(written)
        return len(written)

    # -- packages -----------------------------------------------------------------------------
    async def install(self, argv: list[str]) -> float:
        """Run an install command; return its seconds.

        Raises:
            InstallFailedError: it failed; the message says whether network, name or space is at fault.
        """
        async with self._lock:
            started = time.monotonic()
            status, tail = await self._run(argv)
            if status != 0:
                raise _install_error(argv, "\n".join(tail))
            await self._take_back()
            return time.monotonic() - started

    async def _run(self, argv: list[str]) -> tuple[int, list[str]]:
        """Run a command, its lines as events; return its exit status and last lines."""
        sandbox = await self._open()
        command = shlex.join(argv)
        access = self._access
        started = time.monotonic()
        tail: deque[str] = deque(maxlen=_TAIL)
        await access.bus.emit(access.project_id, CommandStarted(command))
        status = -1

        async def store(lines: list[str]) -> None:
            def work(emit: Emit) -> None:
                access.store.add_logs(access.project_id, [("install", line) for line in lines])
                for line in lines:
                    emit(CommandOutput(command, line))

            await access.commit(work)

        batch: Batcher[str] = Batcher(store)
        try:
            async with aclosing(sandbox.exec(argv)) as output:  # type: ignore[type-var]
                async for item in output:
                    match item:
                        case OutputLine(text=text):
                            tail.append(text)
                            await batch.put(text)
                        case Exited(status=status):
                            pass
        finally:
            await batch.flush()

            def finished(emit: Emit) -> None:
                access.store.add_command(access.project_id, command, status)
                emit(CommandFinished(command, status, round(time.monotonic() - started, 3)))

            await access.commit(finished)
        return status, list(tail)

    async def _take_back(self) -> None:
        if self._sandbox is not None:
            await self._sandbox.pull(["package.json", "package-lock.json"])
        await self.take_in()

    # -- server -------------------------------------------------------------------------------
    async def start_server(self) -> str:
        """Start the dev server if none runs and return its URL once the page answers."""
        async with self._lock:
            if self.serving:
                return self.url
            sandbox = await self._open()
            self._tail.clear()
            argv = self._access.template.dev_argv(sandbox.host, self._port)
            url = await sandbox.start_server(argv)
            await self._log.flush()
            await self._states_told()
            return url

    async def stop_server(self) -> None:
        """End the dev server, so that the next start sees everything new. Nothing to do where none runs."""
        async with self._lock:
            if self._sandbox is not None:
                await self._sandbox.stop_server()

    async def page_status(self) -> int:
        """Return the HTTP status of the app's page, 0 if nothing answers."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
                answer = await client.get(self.url, headers={"accept": "text/html"})
                return answer.status_code
        except httpx.HTTPError:
            return 0

    @property
    def last_lines(self) -> list[str]:
        """The last lines that the server printed."""
        return list(self._tail)

    async def stop(self) -> None:
        """End every process of the app. Idempotent."""
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            await sandbox.stop()
            await self._log.flush()
            await self._states_told()

    async def aclose(self) -> None:
        """End every process of the app and tell nothing any more."""
        await self.stop()
        self._closed = True

    async def move(self, folder: Path) -> None:
        """Rename the work folder; the server is stopped, since tools keep absolute paths."""
        async with self._lock:
            await self.stop()
            await asyncio.to_thread(self.folder.rename, folder)
            self.folder = folder
            self._moved.set()
            access = self._access
            self.work_folder = WorkFolder(access.database, access.project_id, access.files, folder)

    async def _open(self) -> Sandbox:
        if self._sandbox is None:
            await self._allow()
            spec = SandboxSpec(
                project_id=self._access.project_id, folder=self.folder, port=self._port
            )
            self._sandbox = await self._driver.open(
                spec, on_line=self._on_line, on_status=self._on_status
            )
            access, kind, identity = self._access, self._sandbox.kind, self._sandbox.id
            await access.read(
                lambda: access.store.update(
                    access.project_id, sandbox_kind=kind, sandbox_id=identity
                )
            )
        return self._sandbox

    # -- what the sandbox tells -----------------------------------------------------------------
    def _on_line(self, line: OutputLine) -> None:
        self._tail.append(line.text)
        self._log.put_nowait(("server", line.text))

    def _on_status(self, status: SandboxStatus, reason: str) -> None:
        self._state = status
        if self._closed:
            return
        told = self._telling
        self._telling = asyncio.get_running_loop().create_task(
            self._tell_state(told, status, reason)
        )

    async def _tell_state(
        self, before: asyncio.Task[None] | None, status: SandboxStatus, reason: str
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        await self._access.bus.emit(self._access.project_id, SandboxState(status.value, reason))

    async def _states_told(self) -> None:
        """Wait until every state so far is told, so that what follows from one comes after it."""
        if self._telling is not None:
            await asyncio.wait({self._telling})

    async def _store_lines(self, lines: list[tuple[str, str]]) -> None:
        access = self._access

        def work(emit: Emit) -> None:
            access.store.add_logs(access.project_id, lines)
            for stream, line in lines:
                emit(SandboxLog(stream, line))

        await access.commit(work)


def _install_error(argv: list[str], log: str) -> InstallFailedError:
    command = shlex.join(argv)
    details = {"log": log, "command": command}
    if _NO_SPACE.search(log):
        return InstallFailedError(
            "The packages could not be installed: the disk is full.",
            remedy="Free some space and continue; the files are saved.",
            details=details,
            code="disk_full",
        )
    if _NO_NETWORK.search(log):
        return InstallFailedError(
            "The packages could not be installed: the package registry cannot be reached.",
            remedy="Check the network (or the proxy in HTTPS_PROXY) and continue; nothing is lost.",
            details=details,
            code="no_network",
        )
    if _NO_TRUST.search(log):
        return InstallFailedError(
            "The packages could not be installed: the package registry's certificate is not trusted.",
            remedy="If your network has a certificate authority of its own, set NODE_EXTRA_CA_CERTS to its "
            "file, start VibeDesk again and continue; nothing is lost.",
            details=details,
            code="untrusted_registry",
        )
    if _NO_PACKAGE.search(log):
        return InstallFailedError(
            f"A package or version does not exist: `{command}` was refused by the registry.",
            remedy="Ask for another package in the chat, then continue.",
            details=details,
            code=NO_SUCH_PACKAGE,
            retryable=False,
        )
    return InstallFailedError(
        f"`{command}` failed.",
        remedy="The log says why. Continue to try again.",
        details=details,
    )
