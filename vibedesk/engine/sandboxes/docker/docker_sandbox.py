"""One project's sandbox in Docker: its container, its session, its relay; woken, started or made anew on use."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from vibedesk.base.aio import TaskScope
from vibedesk.base.text import readable_bytes
from vibedesk.engine.sandboxes.command import LimitsSink
from vibedesk.engine.sandboxes.docker import containers, files
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.endpoints import DockerEndpoint
from vibedesk.engine.sandboxes.docker.keeper import open_session
from vibedesk.engine.sandboxes.docker.process import SessionProcess
from vibedesk.engine.sandboxes.docker.relay import Relay
from vibedesk.engine.sandboxes.docker.session import Channel, Session, SessionLostError
from vibedesk.engine.sandboxes.docker.usage import UsageMeter
from vibedesk.engine.sandboxes.driver import (
    LineSink,
    OutputLine,
    RefusedSink,
    SandboxEngineDownError,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    SandboxUsage,
    StatusSink,
    ignore_refused,
)
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.inside.agent import SHELL
from vibedesk.engine.sandboxes.project_sandbox import ProjectSandbox
from vibedesk.engine.sandboxes.sizes import SandboxSize

_log = logging.getLogger(__name__)

_STOP_SECONDS = 8.0
_LOCK_SECONDS = 5.0
_PUT_BACK = "Files of the project were gone in the sandbox and were put back."


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeContainer:
    """A container with the folders that belong to it."""

    container: Container
    key: str
    session: Session | None = None
    """Where it came from the pool, awake."""


class DockerSandbox(ProjectSandbox):
    """Runs a project's commands in its container.

    Args:
        spec: What it is for.
        connection: The engine.
        size: Its limits.
        environment: What every command gets, and nothing else.
        configuration: Files of ours for the sandbox's home.
        make: Returns the project's container, made anew where it is lost.
        discard: Removes the container with this key and its volumes, and with True its files as well.
        egress: Decides what the app reaches.
        on_line: As in the contract.
        on_status: As in the contract.
        on_refused: As in the contract.
    """

    def __init__(
        self,
        spec: SandboxSpec,
        *,
        connection: DockerConnection,
        size: SandboxSize,
        environment: Mapping[str, str],
        configuration: dict[str, bytes],
        make: Callable[[], Awaitable[MadeContainer]],
        discard: Callable[[str, bool], Awaitable[None]],
        egress: Egress,
        on_line: LineSink,
        on_status: StatusSink,
        on_refused: RefusedSink = ignore_refused,
    ) -> None:
        super().__init__(spec, on_line=on_line, on_status=on_status)
        self._on_refused = on_refused
        self.size = size
        self._connection = connection
        self._environment = dict(environment)
        self._configuration = configuration
        self._make = make
        self._discard = discard
        self._egress = egress
        self._made: MadeContainer | None = None
        self._session: Session | None = None
        self._waking = asyncio.Lock()
        # One carrier at a time: what came later must lie there in the end.
        self._carrying = asyncio.Lock()
        self._paused = False
        self._scope = TaskScope(f"sandbox {spec.project_id}")
        self._relay = Relay(spec.port, self._awake)
        self._meter = UsageMeter()
        self._ended_because = ""
        self._wanted_up = False
        self._lost_before = False

    # -- what it is ---------------------------------------------------------------------------------
    @property
    def id(self) -> str:
        return f"docker-{self.key}" if self._made else ""

    @property
    def key(self) -> str:
        """The name of its folders on the engine's side."""
        return self._made.key if self._made else ""

    @property
    def kind(self) -> str:
        return "docker"

    @property
    def workdir(self) -> str:
        return containers.WORK

    @property
    def lost(self) -> bool:
        gone = self._session is None or not self._session.alive
        return self._lost_before or (gone and self._wanted_up and not self._ended_because)

    @property
    def has_own_files(self) -> bool:
        return True

    @property
    def session(self) -> object:
        return self._session if self._session is not None and self._session.alive else None

    def follow(self, folder: Path) -> None:
        self.spec = replace(self.spec, folder=folder)

    @property
    def awake(self) -> bool:
        """Whether its processes get time now."""
        return self._session is not None and self._session.alive and not self._paused

    @property
    def idle_seconds(self) -> float:
        """How long nothing came or went; 0 while a command runs."""
        if self._session is None or self._commands:
            return 0.0
        return asyncio.get_running_loop().time() - self._session.last_use

    async def shell_command(self) -> list[str]:
        if await asyncio.to_thread(shutil.which, "docker") is None:
            raise SandboxError(
                "A shell in the sandbox takes the docker command, which is not installed here.",
                remedy="Install Docker's command line: the package docker-ce-cli, docker-cli or docker-client.",
            )
        await self._awake()
        assert self._made is not None
        engine = docker_options(self._connection.endpoint)
        variables = {**self._environment, **self.spec.env, "TERM": "xterm-256color"}
        variables.pop("NO_COLOR", None)
        given = [word for name in variables for word in ("-e", f"{name}={variables[name]}")]
        container = str(self._made.container.id)[:12]
        return ["docker", *engine, "exec", "-it", *given, container, *SHELL]

    def attach(
        self, *, on_line: LineSink, on_status: StatusSink, on_refused: RefusedSink = ignore_refused
    ) -> None:
        super().attach(on_line=on_line, on_status=on_status)
        self._on_refused = on_refused
        self._egress.forget_told()

    def tell_refused(self, host: str) -> None:
        """The app was kept from `host`."""
        self._on_refused(host)

    def network_changed(self) -> None:
        """What the app may reach is another now: connections that are no longer allowed end."""
        self._egress.rules_changed()

    # -- life ------------------------------------------------------------------------------------------
    async def create(self) -> None:
        """Get the container and bring the project's files in. Once, before anything else."""
        if not await asyncio.to_thread(self.spec.folder.is_dir):
            raise SandboxError(
                f"The project's folder {self.spec.folder} does not exist.",
                remedy="Put it back, or delete the project.",
            )
        await self._awake()
        self._status = SandboxStatus.STOPPED

    async def _awake(self) -> Session:
        """Return the session of the running container, whatever has to be done for that.

        A lost container is made anew, a stopped one started, a paused one woken; files that changed meanwhile are
        brought in.
        """
        async with self._waking:
            session = self._session
            if session is not None and session.alive:
                session.touch()
                if not self._paused or await self._unpause():
                    return session
                session.close()
            # Looking for the page brings the container back, but not its dev server.
            self._lost_before = self.lost
            self._paused = False
            self._session = None
            try:
                session = await self._filled_session()
            except SessionLostError:
                # It ended between two looks; a second time is no accident.
                session = await self._filled_session()
            self._ended_because = ""
            self._session = session
            self._wanted_up = True
            self._meter = UsageMeter()
            self._scope.start(self._end_with(session), name="end with session")
            return session

    async def _end_with(self, session: Session) -> None:
        """When the session is lost, end what it leaves in the container: nobody looks after that any more."""
        await session.wait_for_end()
        async with self._waking:
            if self._session is session:
                self._session = None
                await self._kill_container()

    async def _filled_session(self) -> Session:
        """Return a new session of a container that has the project's files."""
        try:
            session = await self._running_session()
        except NotFound as error:
            raise self._connection.gone_error(str(error)) from error
        try:
            async with self._carrying:
                await files.bring_all(session, self.spec.folder, self.spec.app_data)
        except BaseException:
            session.close()
            raise
        return session

    async def _running_session(self) -> Session:
        made = self._made
        if made is None or not await self._start_again(made.container):
            made = self._made = await self._make()
            if made.session is not None and made.session.alive:
                session, self._made = made.session, replace(made, session=None)
                session.on_egress = self._on_egress
                return session
            await self._connection.call(lambda _client: start_container(made.container))
        session = await open_session(
            self._connection,
            made.container,
            mode="serve",
            user=containers.USER,
            on_egress=self._on_egress,
        )
        try:
            await files.bring_configuration(session, self._configuration)
        except BaseException:
            session.close()
            raise
        return session

    async def _start_again(self, container: Container) -> bool:
        """Start the container whose session was lost; False where it is gone or cannot be started any more."""

        def start(_client: object) -> bool:
            # What still runs in it is in the way of a new session.
            kill_container(container)
            return start_container(container)

        try:
            return await self._connection.call(start)
        except SandboxEngineDownError:
            raise
        except SandboxError as error:
            if error.code == "disk_full":
                raise
            # Its volumes may be gone: whoever makes it looks what is left.
            _log.info("the container of %s does not start: %s", self.spec.project_id, error)
            return False

    async def pause(self, idle_for: float) -> bool:
        """Take its processes the time, keeping their memory, if it was idle so long; return whether it is paused."""
        if self._waking.locked():
            return False  # somebody is about to use it
        async with self._waking:
            made = self._made
            if made is None or not self.awake or self._starting or self.idle_seconds < idle_for:
                return False
            try:
                if await self._connection.call(lambda c: has_visitors(c, made.container)):
                    return False
                await self._connection.call(lambda _c: made.container.pause())
            except NotFound:
                return False
            except SandboxEngineDownError:
                raise
            except SandboxError as error:
                # Some engines cannot: Podman without root where cgroups are of version 1.
                _log.info("the sandbox of %s is not paused: %s", self.spec.project_id, error)
                if self._session is not None:
                    self._session.touch()
                return False
            self._paused = True
        if self._server is not None:
            self._set_status(
                SandboxStatus.PAUSED, "Nobody used the app for a while; it wakes on use."
            )
        return True

    async def _unpause(self) -> bool:
        """Wake it; return whether it runs now."""
        made = self._made
        assert made is not None
        runs = await self._connection.call(lambda _c: wake_container(made.container))
        self._paused = False
        if runs and self._server is not None:
            self._set_status(SandboxStatus.RUNNING, f"The app answers at {self.url}.")
        return runs

    async def stop(self) -> None:
        await self._wake_to_end()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await super().stop()
        except TimeoutError:
            # What runs inside keeps its own session from answering: from outside everything ends.
            await self._kill()
            await super().stop()
        await self._kill()

    async def _end_server(self) -> bool:
        if self._server is not None:
            await self._wake_to_end()
        return await super()._end_server()

    async def _wake_to_end(self) -> None:
        """Let a paused sandbox take notice that something is to end in it."""
        paused = self._paused
        if not paused:
            return  # without waiting for one that wakes
        async with self._waking:
            session = self._session
            if not self._paused or session is None:
                return
            try:
                if await self._unpause():
                    return
            except SandboxError as error:
                _log.info("the sandbox of %s does not wake: %s", self.spec.project_id, error)
            session.close()

    def end_because(self, reason: str) -> None:
        """End everything inside, and tell `reason` as why; returns at once."""
        session = self._session
        if session is not None and session.alive:
            self._ended_because = reason
            self._wanted_up = False
            self._on_line(OutputLine("stderr", reason))
            session.close(reason)  # `_end_with` waits for that

    async def _kill(self) -> None:
        self._wanted_up = self._lost_before = False
        if self._session is not None:
            self._session.close()
        try:
            await asyncio.wait_for(self._waking.acquire(), _LOCK_SECONDS)
        except TimeoutError:
            # What runs inside does not let it wake: without it that comes to an end.
            await self._kill_container()
            await self._waking.acquire()
        try:
            session, self._session = self._session, None
            await self._kill_container()
            if session is not None:
                session.close()
            self._paused = False
        finally:
            self._waking.release()

    async def _kill_container(self) -> None:
        if self._made is not None:
            container = self._made.container
            with contextlib.suppress(SandboxError):  # an engine that is down runs nothing either
                await self._connection.call(lambda _c: kill_container(container))

    async def remove(self) -> None:
        await self.stop()
        await self._relay.close()
        await self._scope.aclose()
        if self._made is not None:
            await self._discard(self._made.key, True)
            self._made = None
        self._set_status(SandboxStatus.ABSENT, "The sandbox was removed.")

    async def end_for_commit(self) -> None:
        """End it and remove its container, so that nobody writes to its files any more; they stay."""
        await self.stop()
        if self._made is not None:
            await self._discard(self._made.key, False)

    async def aclose(self) -> None:
        """End it with VibeDesk; its container waits for the next start."""
        await self.stop()
        await self._relay.close()
        await self._scope.aclose()

    # -- the contract -------------------------------------------------------------------------------------
    async def has(self, path: str) -> bool:
        session = await self._awake()
        return bool((await session.ask("exists", paths=[path])).get("found"))

    async def usage(self) -> SandboxUsage | None:
        made = self._made
        if made is None or self._session is None:
            return None
        try:
            stats = await self._connection.call(
                lambda client: client.api.stats(str(made.container.id), stream=False, one_shot=True)
            )
        except (NotFound, SandboxError):
            return None
        return self._meter.usage(stats, self.size)

    def note_disk(self, used: int) -> None:
        """Remember what its files take, as the keeper measured it."""
        self._meter.disk = used

    async def push(self, paths: Sequence[str]) -> None:
        self._require_open()
        if not paths or self._session is None or not self._session.alive:
            return  # whoever uses it next brings everything in
        session = await self._awake()
        async with self._carrying:
            await files.bring(session, self.spec.folder, paths)

    async def push_all(self) -> None:
        self._require_open()
        before = self._session
        session = await self._awake()
        if session is not before:
            return  # it was just filled
        async with self._carrying:
            gone = await files.bring_all(session, self.spec.folder, self.spec.app_data, again=True)
            if gone:
                # What took the files may have taken these, too.
                await files.bring_configuration(session, self._configuration)
        if gone:
            self._on_line(OutputLine("vibedesk", _PUT_BACK))

    async def pull(self, paths: Sequence[str]) -> None:
        self._require_open()
        session = await self._awake()
        async with self._carrying:
            refused = await files.fetch(session, self.spec.folder, paths)
        for path in sorted(refused):
            self._on_line(OutputLine("vibedesk", refused[path]))

    async def contents(self, paths: Sequence[str], most: int) -> tuple[dict[str, bytes], set[str]]:
        self._require_open()
        return await files.contents(await self._awake(), paths, most)

    async def _wake(self) -> None:
        if self._paused:
            await self._awake()

    async def _launch(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        *,
        takes_input: bool = False,
        on_limits: LimitsSink | None = None,
    ) -> SessionProcess:
        session = await self._awake()
        environment = {**self._environment, **self.spec.env, **(env or {})}
        return SessionProcess.start(
            session,
            argv,
            env=environment,
            cwd=containers.WORK,
            on_unwatched=self._end_unwatched,
            takes_input=takes_input,
            on_limits=on_limits,
        )

    async def _prepare_server(self) -> None:
        await self.push_all()
        self._lost_before = False
        await self._relay.open()

    async def _release_server(self) -> None:
        await self._relay.close()

    def _why_it_ended(self, limits_met: frozenset[str]) -> str:
        if self._ended_because:
            return self._ended_because
        if "memory" in limits_met:
            return f"The app used more than {readable_bytes(self.size.memory)} of memory. Your files are safe."
        if "processes" in limits_met:
            return f"The app tried to run more than {self.size.processes} processes. Your files are safe."
        return ""

    def _end_unwatched(self, limits_met: frozenset[str]) -> None:
        why = self._why_it_ended(limits_met) or (
            "The app ended the program that looks after it, so its sandbox was stopped. Your files are safe."
        )
        self.end_because(why)

    def _on_egress(self, channel: Channel) -> None:
        self._scope.start(self._egress.serve(channel), name="egress")


def docker_options(endpoint: DockerEndpoint) -> list[str]:
    """Return what makes the docker command talk to this engine."""
    options = ["--host", endpoint.host]
    if (tls := endpoint.tls) is not None:
        options.append("--tls" if tls.verify is False else "--tlsverify")
        if tls.ca_cert:
            options += ["--tlscacert", str(tls.ca_cert)]
        if tls.cert:
            options += ["--tlscert", str(tls.cert[0]), "--tlskey", str(tls.cert[1])]
    return options


def has_visitors(client: docker.DockerClient, container: Container) -> bool:
    """Whether a person's shell runs in the container, beside the one session of ours. Blocking."""
    container.reload()
    running = 0
    for exec_id in container.attrs.get("ExecIDs") or ():
        with contextlib.suppress(NotFound):
            running += bool(client.api.exec_inspect(exec_id).get("Running"))
    return running > 1


def start_container(container: Container) -> bool:
    """See to it that the container runs; False where it is not there any more. Blocking."""
    try:
        container.reload()
        if container.status == "paused":
            container.unpause()
        elif container.status != "running":
            container.start()
    except NotFound:
        return False
    return True


def wake_container(container: Container) -> bool:
    """Let a paused container go on; return whether it runs. Blocking."""
    try:
        container.reload()
        if container.status == "paused":
            container.unpause()
            container.reload()
    except NotFound:
        return False
    return bool(container.status == "running")


def kill_container(container: Container) -> None:
    try:
        container.reload()
        if container.status == "paused":
            container.unpause()
        if container.status != "exited":
            container.kill()
            container.wait(timeout=15)
    except NotFound:
        return
    except APIError as error:
        if "is not running" not in str(error):
            raise
