"""The running app of one project: work folder, packages, dev server, logs.

Lines and states of the sandbox become stored, ordered events. All work on the sandbox is serial: installs,
starts and stops queue behind one lock, so a cancelled install and a new start never overlap.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import shutil
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from vibedesk.base.aio import Batcher
from vibedesk.base.errors import StorageError
from vibedesk.base.redaction import without_known
from vibedesk.engine.agent.command_undo import CommandUndo
from vibedesk.engine.agent.install_errors import install_error
from vibedesk.engine.agent.waits import take_place, wait_until
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.templates import NPM, UV
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    CommandFinished,
    CommandOutput,
    CommandStarted,
    FilesWritten,
    HostRefused,
    Notice,
    SandboxLog,
    SandboxState,
)
from vibedesk.engine.files.watcher import watch_folder
from vibedesk.engine.files.work_folder import WorkFolder
from vibedesk.engine.review.checkers import MOST_SECONDS, ask
from vibedesk.engine.sandboxes.driver import (
    Exited,
    OutputLine,
    Sandbox,
    SandboxDriver,
    SandboxEngineDownError,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    SandboxUsage,
)
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.output import MAX_REPORT_CHARS
from vibedesk.engine.slots import Place, Slots

_log = logging.getLogger(__name__)

T = TypeVar("T")

_TAIL = 40
_LOG_LINES = 200  # a traceback through a server's own code is longer than what anybody wants to see
_SET_UP = ".vibedesk-set-up"
_LOST = "sandbox_lost"
_LOOK_AGAIN_SECONDS = 1.0
# Dev servers' watchers swallow a second change of a file within 50 ms (chokidar, in Vite): they would show the first.
_BETWEEN_WRITES_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxTerms:
    """On which terms a project gets a sandbox.

    Attributes:
        driver: Makes it.
        port: The project's port on 127.0.0.1.
        allow: Raises `ConsentRequiredError` where the app's code may not run as things are; asked before anything
            runs.
        size: Returns the size wanted, asked at every start.
        network: Returns what the app may reach now.
        slots: Places for sandboxes that run at once.
        discard: Removes the sandbox with this id, which is not open.
        engine_answers: Whether what runs the sandboxes can be reached, asked while it could not.
        variables: Returns the app's own variables that its server gets, asked at every start.
    """

    driver: SandboxDriver
    port: int
    allow: Callable[[], Awaitable[None]]
    size: Callable[[], Awaitable[str]]
    network: Callable[[], NetworkRules]
    slots: Slots
    discard: Callable[[str], Awaitable[None]]
    engine_answers: Callable[[], Awaitable[bool]]
    variables: Callable[[], Awaitable[dict[str, str]]]


class AppRuntime:
    """Installs, starts, watches and stops one project's app.

    Args:
        access: The project.
        terms: Of its sandbox.
        folder: Its work folder.
    """

    def __init__(self, access: ProjectAccess, terms: SandboxTerms, folder: Path) -> None:
        self._access = access
        self._terms = terms
        self._port = terms.port
        self._sandbox: Sandbox | None = None
        self._place: Place | None = None
        self._lock = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._wrote_at = -_BETWEEN_WRITES_SECONDS
        self._moved = asyncio.Event()
        self._tail: deque[str] = deque(maxlen=_LOG_LINES)
        self._lines_printed = 0
        self._log: Batcher[tuple[str, str]] = Batcher(self._store_lines)
        self._state = SandboxStatus.ABSENT
        self._telling: asyncio.Task[None] | None = None
        self._asked_hosts: set[str] = set()
        self._given: dict[str, str] = {}
        self._closed = False
        self.state_reason = ""
        """Why the sandbox is in its state, in a sentence."""
        self.started_seconds: float | None = None
        """How long the last start of the server took, from the wish to the page."""
        self.most_seconds = MOST_SECONDS
        """How long a command may take that only looks."""
        self.folder = folder
        self.work_folder = WorkFolder(access.database, access.project_id, access.files, folder)
        self.undo = CommandUndo(
            access,
            work_folder=lambda: self.work_folder,
            sandbox=self.sandbox,
            take_in=self.take_in,
            engine_answers=terms.engine_answers,
        )

    @property
    def status(self) -> SandboxStatus:
        return self._state

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def serving(self) -> bool:
        """Whether the dev server is up; a paused one wakes when it is asked for a page."""
        up = (SandboxStatus.RUNNING, SandboxStatus.PAUSED)
        return self._sandbox is not None and self._state in up

    @property
    def lost(self) -> bool:
        """Whether the app is gone because its sandbox is, which is not the app's doing."""
        return self._sandbox is not None and self._sandbox.lost

    async def packages_present(self) -> bool:
        """Whether the app's packages are there; its sandbox is opened to see it."""
        return await self._while_engine_answers(self._packages_present)

    async def _packages_present(self) -> bool:
        return await (await self._open()).has(self._access.template.packages.marker)

    async def ready_sandbox(self) -> Sandbox | None:
        """Return the sandbox if it is open and has the app's packages; it is not opened for that, nor waited for.

        Raises:
            SandboxError: it cannot tell.
        """
        sandbox = self._sandbox
        if sandbox is None or not await sandbox.has(self._access.template.packages.marker):
            return None
        return sandbox

    async def usage(self) -> SandboxUsage | None:
        """Return what the app uses now; None where nothing runs."""
        return await self._sandbox.usage() if self._sandbox is not None else None

    async def shell_command(self) -> list[str] | None:
        """Return the command that opens a shell in the sandbox; None where it does not run."""
        return await self._sandbox.shell_command() if self._sandbox is not None else None

    # -- files --------------------------------------------------------------------------------
    async def take_in(self) -> int:
        """Bring what other programs changed in the folder into the document; return how many files.

        None while a command runs whose changes there are to be undone.
        """
        if self.undo.in_folder:
            return 0
        await self.undo.undo_left()

        def work(emit: Emit) -> list[str]:
            with telling_changes(self._access.files, emit):
                taken = self.work_folder.take_in()
            for notice in taken.notices:
                emit(Notice(notice, "left_out"))
            return [change.path for change in taken]

        paths = await self._access.commit(work)
        await self._push(paths)
        return len(paths)

    async def follow_folder(self) -> None:
        """Take in what other programs change in the folder as it happens, until cancelled.

        While a command runs, its own writes are left to the take-in after it.
        """
        while True:
            folder, self._moved = self.folder, asyncio.Event()
            if await asyncio.to_thread(folder.is_dir):
                # A watched folder that is renamed never says anything again.
                async with aclosing(watch_folder(folder, self._moved)) as changes:  # type: ignore[type-var]
                    async for paths in changes:
                        async with self._lock:
                            if self.folder != folder:
                                break
                            try:
                                await self.take_in()
                            except StorageError as error:
                                # With the next change it may be: files that are away for now come back.
                                _log.info("the folder is not taken in: %s", error.message)
                                continue
                            # Also what is never taken in: an app's own secrets.
                            await self._push(sorted(paths))
            # The folder is not there yet, or has moved.
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def materialise(self, paths: list[str] | None = None) -> int:
        """Write changed files to the work folder in one batch; return how many.

        While the app runs, batches are far enough apart for the dev server to see each.
        """

        def work(emit: Emit) -> list[str]:
            with telling_changes(self._access.files, emit):
                written = self.work_folder.materialise(paths)
            if written:
                emit(FilesWritten(len(written)))
            return written

        async with self._writing:
            await self.undo.undo_left()
            if self._sandbox is not None:
                await asyncio.sleep(self._wrote_at + _BETWEEN_WRITES_SECONDS - time.monotonic())
            written = await self._access.commit(work)
            await self._push(written)
            if written:
                self._wrote_at = time.monotonic()
        return len(written)

    async def _push(self, paths: Iterable[str]) -> None:
        """Make changed files visible in a sandbox that is open; one that opens later brings everything in."""
        changed = list(paths)
        sandbox = self._sandbox
        if sandbox is None or not changed:
            return
        try:
            await sandbox.push(changed)
        except SandboxError as error:
            # The next start brings the whole folder in.
            _log.info("files of %s did not reach the sandbox: %s", self._access.project_id, error)
            if error.code not in (_LOST, SandboxEngineDownError.code):
                raise

    # -- packages -----------------------------------------------------------------------------
    async def install(self, argv: list[str]) -> float:
        """Run an install command; return its seconds.

        Raises:
            InstallFailedError: it failed; the message says whether network, name or space is at fault.
        """
        async with self._lock:
            started = time.monotonic()
            status, tail = await self._while_engine_answers(lambda: self._install(argv))
            if status != 0:
                raise install_error(argv, "\n".join(tail))
            await self._take_back()
            return time.monotonic() - started

    async def take_lock_file(self) -> None:
        """Take over the lock file of packages that came with the sandbox, where the project has none yet."""
        names = self._access.template.packages.lock_files
        if not any((self.folder / name).exists() for name in names):
            async with self._lock:
                await self._while_engine_answers(lambda: self._pull(names))

    async def _install(self, argv: list[str]) -> tuple[int, list[str]]:
        # An app may have emptied its folder: what is installed there would become the project's manifest.
        await (await self._open()).push_all()
        return await self._run(argv)

    async def set_up(self) -> None:
        """Do what a sandbox needs besides packages, once in each: earlier commands again, then the starter's set-up.

        Raises:
            InstallFailedError: a command of the starter's set-up failed.
        """
        async with self._lock:
            await self._while_engine_answers(self._set_up)

    async def _set_up(self) -> None:
        access, template = self._access, self._access.template
        ran = await access.read(lambda: access.store.commands(access.project_id))
        again = [command for command in ran if not template.is_install(command)]
        wanted = [shlex.join(argv) for argv in template.setup_argvs()]
        left = [command for command in wanted if command not in again]
        if not again and not left:
            return
        folder = template.packages.folder
        marker = f"{folder}/{_SET_UP}"
        done = await (await self._open()).has(marker)
        for command in [*(() if done else again), *left]:
            argv = shlex.split(command)
            status, tail = await self._run(argv, record=command in left)
            if status != 0 and command in wanted:
                raise install_error(argv, "\n".join(tail))
            if status != 0:
                notice = f"`{command}` did not succeed again in the new sandbox."
                await access.bus.emit(access.project_id, Notice(notice, "not_replayed"))
        if left or not done:
            await self.ask(["sh", "-c", 'mkdir -p "$1" && touch "$2"', "sh", folder, marker])

    async def discard_packages(self) -> None:
        """Remove the sandbox with all packages, also those in a shared work folder: another starter follows."""
        await self.rebuild()
        for manager in (NPM, UV):
            await asyncio.to_thread(shutil.rmtree, self.folder / manager.folder, ignore_errors=True)

    async def ask(
        self, argv: list[str], *, longest_line: int = MAX_REPORT_CHARS
    ) -> tuple[int, list[str]]:
        """As `ask` of a sandbox, for `most_seconds`; the lines are not told as events."""

        async def look() -> tuple[int, list[str]]:
            sandbox = await self._open()
            return await ask(sandbox, argv, seconds=self.most_seconds, longest_line=longest_line)

        return await self._while_engine_answers(look)

    async def _run(self, argv: list[str], *, record: bool = True) -> tuple[int, list[str]]:
        """Run a command, its lines as events; return its exit status and last lines.

        With `record` it belongs to what makes the project's sandbox: a new one gets it again.
        """
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
                if record:
                    access.store.add_command(access.project_id, command, status)
                emit(CommandFinished(command, status, round(time.monotonic() - started, 3)))

            await access.commit(finished)
        return status, list(tail)

    async def _take_back(self) -> None:
        packages = self._access.template.packages
        await self._pull((packages.manifest, *packages.lock_files))

    async def _pull(self, paths: Sequence[str]) -> None:
        if self._sandbox is not None:
            await self._sandbox.pull(paths)
        await self.take_in()

    # -- server -------------------------------------------------------------------------------
    async def start_server(self) -> str:
        """Start the dev server if none runs and return its URL once the page answers."""
        async with self._lock:
            if self.serving:
                return self.url
            began = time.monotonic()
            url = await self._while_engine_answers(self._start_server)
            self.started_seconds = round(time.monotonic() - began, 3)
            await self._log.flush()
            await self._states_told()
            return url

    async def _start_server(self, env: Mapping[str, str] | None = None) -> str:
        sandbox = await self._open()
        self._tail.clear()
        self._given = await self._terms.variables()
        argv = self._access.template.dev_argv(sandbox.host, self._port)
        return await sandbox.start_server(argv, env={**self._given, **(env or {})})

    async def sandbox(self) -> Sandbox:
        """Return the open sandbox."""
        return await self._while_engine_answers(self._open)

    async def workdir(self) -> str:
        """Return the work folder as commands in the sandbox see it."""
        return (await self.sandbox()).workdir

    async def serve_apart(self, env: Mapping[str, str]) -> str:
        """Start the dev server anew with further variables, none for the usual server; return its URL."""
        async with self._lock:
            url = await self._while_engine_answers(lambda: self._start_server(env))
            await self._states_told()
            return url

    async def end(self) -> None:
        """As `stop`, after what is being installed or started."""
        async with self._lock:
            await self._stop_sandbox()

    async def rebuild(self) -> None:
        """Remove the sandbox; the next start makes it anew from the project's files."""
        async with self._lock:
            await self._while_engine_answers(self._remove_sandbox)

    async def _remove_sandbox(self) -> None:
        """Remove it without opening it first, which may be what does not work any more."""
        access, sandbox = self._access, self._sandbox
        if sandbox is not None:
            await sandbox.remove()
            await self._forget_sandbox()
        else:
            record = await access.read(lambda: access.store.get(access.project_id))
            await self._terms.discard(record.sandbox_id)
        await access.read(lambda: access.store.update(access.project_id, sandbox_id=""))

    async def use_new_variables(self) -> bool:
        """End a dev server that has other variables than it is to get now; return whether one was ended."""
        changed = self.serving and await self._terms.variables() != self._given
        if changed:
            await self.stop_server()
        return changed

    async def stop_server(self) -> None:
        """End the dev server, so that the next start sees everything new. Nothing to do where none runs."""
        async with self._lock:
            if self._sandbox is not None:
                await self._sandbox.stop_server()

    async def page_status(self) -> int:
        """Return the HTTP status of the app's page, 0 if nothing answers."""
        try:
            # To load certificates, which http never needs, would take longer than the page.
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
                answer = await client.get(self.url, headers={"accept": "text/html"})
                return answer.status_code
        except httpx.HTTPError:
            return 0

    @property
    def last_lines(self) -> list[str]:
        """The last lines that the server printed."""
        return list(self._tail)[-_TAIL:]

    @property
    def log(self) -> str:
        """What the server printed last, enough of it for the longest errors."""
        return "\n".join(self._tail)

    @property
    def lines_printed(self) -> int:
        """How many lines the app's servers have printed so far; for `log_since`."""
        return self._lines_printed

    def log_since(self, lines: int) -> str:
        """Return what of `log` was printed since there were so many `lines_printed`."""
        new = min(self._lines_printed - lines, len(self._tail))
        return "\n".join(list(self._tail)[len(self._tail) - new :])

    @property
    def given_values(self) -> frozenset[str]:
        """The values of the app's own variables that its server was given."""
        return frozenset(self._given.values())

    async def stop(self) -> None:
        """End every process of the app. Idempotent."""
        await self._stop_sandbox()

    async def _stop_sandbox(self) -> None:
        sandbox = self._sandbox
        if sandbox is not None:
            self._sandbox = None
            try:
                await sandbox.stop()
            finally:
                await self._forget_sandbox()

    async def _forget_sandbox(self) -> None:
        self._sandbox = None
        place, self._place = self._place, None
        if place is not None:
            place.release()
        await self._log.flush()
        await self._states_told()

    async def aclose(self) -> None:
        """End every process of the app and tell nothing any more."""
        await self.stop()
        self._closed = True

    async def move(self, folder: Path) -> None:
        """Rename the work folder; a server that runs in it is stopped, since tools keep absolute paths."""
        async with self._lock:
            sandbox = self._sandbox
            if sandbox is not None and not sandbox.has_own_files:
                await self._stop_sandbox()
                sandbox = None
            await asyncio.to_thread(self.folder.rename, folder)
            self.folder = folder
            if sandbox is not None:
                sandbox.follow(folder)
            self._moved.set()
            access = self._access
            self.work_folder = WorkFolder(access.database, access.project_id, access.files, folder)

    async def _open(self) -> Sandbox:
        async with self._opening:
            if self._sandbox is None:
                await self._terms.allow()
                if self._place is None:
                    self._place = await take_place(self._access, self._terms.slots, "sandbox")
                try:
                    self._sandbox = await self._open_with_place()
                except BaseException:
                    await self._forget_sandbox()
                    raise
            sandbox = self._sandbox
        # What was carried in is not carried in again, whatever became of it.
        await self.undo.undo_left_inside(sandbox)
        return sandbox

    async def _open_with_place(self) -> Sandbox:
        access, terms = self._access, self._terms
        record = await access.read(lambda: access.store.get(access.project_id))
        spec = SandboxSpec(
            project_id=access.project_id,
            folder=self.folder,
            port=self._port,
            sandbox_id=record.sandbox_id,
            size=await terms.size(),
            network=terms.network,
            app_data=lambda paths: self.work_folder.stored_by_app(paths),
        )
        sandbox = await terms.driver.open(
            spec, on_line=self._on_line, on_status=self._on_status, on_refused=self._on_refused
        )
        kind, identity = sandbox.kind, sandbox.id
        if not sandbox.has_own_files:
            # The one that holds files of the app's own is still there, and is wanted again.
            identity = record.sandbox_id
        if (kind, identity) != (record.sandbox_kind, record.sandbox_id):
            await access.read(
                lambda: access.store.update(
                    access.project_id, sandbox_kind=kind, sandbox_id=identity
                )
            )
        return sandbox

    async def _while_engine_answers(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`; where what runs the sandboxes is gone, wait for it and do the work again.

        A sandbox that was lost while the engine goes on is made anew once.
        """
        lost_before = False
        while True:
            try:
                return await work()
            except SandboxError as error:
                gone = isinstance(error, SandboxEngineDownError)
                if not gone and error.code != _LOST:
                    raise
                gone = gone or not await self._terms.engine_answers()
                if not gone and lost_before:
                    raise
                lost_before = not gone
                if gone:
                    await wait_until(
                        self._access,
                        self._terms.engine_answers,
                        error,
                        reason="sandbox",
                        message="Docker does not answer. The build goes on by itself when it is back.",
                    )

    # -- what the sandbox tells -----------------------------------------------------------------
    def _on_line(self, line: OutputLine) -> None:
        # What an app prints is stored, shown and may go to a model; what it was trusted with must not.
        text = without_known(line.text, self._given.values())
        self._tail.append(text)
        self._lines_printed += 1
        stream = line.stream if line.stream == "vibedesk" else "server"
        self._log.put_nowait((stream, text))

    def _on_refused(self, host: str) -> None:
        if host not in self._asked_hosts and not self._closed:
            self._asked_hosts.add(host)
            asyncio.get_running_loop().create_task(self._tell_refused(host))

    async def _tell_refused(self, host: str) -> None:
        access = self._access

        def work(emit: Emit) -> None:
            decided = {
                *access.store.refused_hosts(access.project_id),
                *access.store.granted_hosts(access.project_id),
            }
            if host not in decided:
                emit(HostRefused(host))

        await access.commit(work)

    def _on_status(self, status: SandboxStatus, reason: str) -> None:
        self._state = status
        self.state_reason = reason
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
