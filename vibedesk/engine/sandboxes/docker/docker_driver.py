"""The driver of Docker sandboxes: image, keeper, kept packages, warm pool, and the watch over what runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound, NotFound
from docker.models.containers import Container
from docker.models.volumes import Volume

from vibedesk.base.aio import TaskScope
from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.containers import SandboxFolders
from vibedesk.engine.sandboxes.docker.disk_watch import DiskWatch
from vibedesk.engine.sandboxes.docker.docker_sandbox import (
    DockerSandbox,
    MadeContainer,
    kill_container,
    start_container,
)
from vibedesk.engine.sandboxes.docker.environment import (
    docker_configuration,
    docker_environment,
    parent_environment,
)
from vibedesk.engine.sandboxes.docker.files import bring_configuration
from vibedesk.engine.sandboxes.docker.image import (
    ensure_image,
    image_tag,
    old_images,
    remove_old_images,
    system_tag,
)
from vibedesk.engine.sandboxes.docker.image_engine import has_image
from vibedesk.engine.sandboxes.docker.keeper import (
    NO_LAYER,
    Keeper,
    Kept,
    SandboxFacts,
    open_session,
)
from vibedesk.engine.sandboxes.docker.layers import Layers
from vibedesk.engine.sandboxes.docker.removals import Removals, remove_container
from vibedesk.engine.sandboxes.docker.session import Channel
from vibedesk.engine.sandboxes.driver import (
    LineSink,
    OutputLine,
    RefusedSink,
    SandboxEngineDownError,
    SandboxError,
    SandboxSpec,
    SandboxStatus,
    StatusSink,
    ignore_refused,
)
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.sizes import SandboxSize, size_for

_log = logging.getLogger(__name__)

MakeEgress = Callable[[Callable[[], NetworkRules], RefusedSink], Egress]

_WATCH_SECONDS = 0.5
_PREFIX = "docker-"
_REFILL_SECONDS = 3.0
IDLE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the engine's machine has."""

    cpus: int
    memory: int


@dataclass(frozen=True, slots=True)
class KeptImage:
    """One image of ours."""

    tags: tuple[str, ...]
    size_bytes: int
    created: datetime
    in_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptThings:
    """What the engine keeps for this home's sandboxes."""

    layers: list[Kept]
    sandboxes: list[Kept]
    used_layers: frozenset[str]


class DockerDriver:
    """Makes `DockerSandbox`es on one engine, for one home.

    Args:
        connection: The engine; closed with the driver.
        owner: The home's id: what other homes and programs made is never touched.
        cache: A folder of this machine for what is on its way.
        make_egress: Makes what decides on an app's network.
        pool_size: How many sandboxes are kept ready once `warm` was called.
        idle_seconds: A sandbox that nobody used so long is paused.
        keep_image_tar: See `ensure_image`.
        known: `Sandbox.id` of every project of the home; what else is found at the start is a crash's and goes.
        least_free: See `DiskWatch`.
    """

    def __init__(
        self,
        connection: DockerConnection,
        *,
        owner: str,
        cache: Path,
        make_egress: MakeEgress,
        pool_size: int = 1,
        idle_seconds: float = IDLE_SECONDS,
        keep_image_tar: Path | None = None,
        known: frozenset[str] | None = None,
        least_free: int | None = None,
    ) -> None:
        self.connection = connection
        self._owner = owner
        self._cache = cache
        self._make_egress = make_egress
        self._pool_size = pool_size
        self._idle_seconds = idle_seconds
        self._keep_image_tar = keep_image_tar
        self._known = known
        self._keeper = Keeper(connection, owner)
        self._removals = Removals(connection, self._keeper, owner)
        self._layers = Layers(
            self._keeper,
            self._make_builder,
            cache / "locks",
            python_index=lambda: self._environment.get("UV_INDEX_URL", ""),
        )
        self._disk = DiskWatch(self._keeper, least_free=least_free)
        self._scope = TaskScope("docker driver")
        self._preparing = asyncio.Lock()
        self._told: list[Callable[[str], None]] = []
        self._opening: dict[str, asyncio.Lock] = {}
        self._sandboxes: dict[str, DockerSandbox] = {}
        self._builders: list[DockerSandbox] = []
        self._pool: list[tuple[MadeContainer, str]] = []
        self._warm_folder: Path | None = None
        self._filling: asyncio.Task[None] | None = None
        self._to_prepare: list[Path] = []
        self._making_ready: asyncio.Task[None] | None = None
        self._image = ""
        self._system = ""
        self._machine = Machine(cpus=1, memory=2 * 1024**3)
        self._overlay = containers.OVERLAYS[0]
        self._environment: dict[str, str] = {}
        self._configuration: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        return "docker"

    async def check(self) -> None:
        await self.connection.call(lambda client: client.ping())

    async def prepare(self, on_line: Callable[[str], None] = lambda _line: None) -> None:
        """Make what every sandbox needs: the image (once), the keeper. Quick where it is there.

        Everybody who waits for it is told how it goes. What a crash left of other sandboxes is removed beside it.
        """
        self._told.append(on_line)
        try:
            async with self._preparing:
                await self._prepare()
        finally:
            self._told.remove(on_line)

    def _tell(self, line: str) -> None:
        for on_line in list(self._told):
            on_line(line)

    async def _prepare(self) -> None:
        if not self._environment:
            info: dict[str, Any] = await self.connection.call(lambda c: c.info())
            self._machine = Machine(
                cpus=int(info.get("NCPU") or 1), memory=int(info.get("MemTotal") or 2 * 1024**3)
            )
            architecture = str(info.get("Architecture"))
            self._system = await asyncio.to_thread(system_tag, architecture)
            parent = parent_environment()
            self._configuration = await asyncio.to_thread(docker_configuration, parent)
            self._environment = await asyncio.to_thread(docker_environment, parent)
            self._scope.start(self._watch_forever(), name="watch")
        begins = not self._image or not self._keeper.alive
        if begins:
            self._image = await self._ensure_image()
            await self._keeper.start(self._image)
            self._scope.start(self._keeper.empty_bin(), name="empty bin")
        if self._known is not None:
            await self._sort_out(self._known)
            self._known = None
        self._removals.retry(at_once=begins)

    async def _ensure_image(self) -> str:
        client = await self.connection.client()
        try:
            return await self.connection.while_it_answers(
                ensure_image(client, self._tell, folder=self._cache, keep_tar=self._keep_image_tar)
            )
        except SandboxError as error:
            if not await self.connection.answers():
                raise self.connection.down_error(error.message) from error
            raise

    async def open(
        self,
        spec: SandboxSpec,
        *,
        on_line: LineSink,
        on_status: StatusSink,
        on_refused: RefusedSink = ignore_refused,
    ) -> DockerSandbox:
        async with self._opening.setdefault(spec.project_id, asyncio.Lock()):
            existing = self._sandboxes.get(spec.project_id)
            if existing is not None and existing.is_open:
                if replace(existing.spec, sandbox_id=spec.sandbox_id) == spec:
                    existing.attach(on_line=on_line, on_status=on_status, on_refused=on_refused)
                    return existing
                await existing.aclose()
                spec = replace(spec, sandbox_id=existing.id)
            said = False

            def tell(line: str) -> None:
                nonlocal said
                if not said:
                    said = True
                    on_status(SandboxStatus.BUILDING, "The sandbox is being prepared.")
                on_line(OutputLine("vibedesk", line))

            await self.prepare(tell)
            sandbox = self._made_for(spec, on_line, on_status, on_refused, tell)
            try:
                await sandbox.create()
            except BaseException as error:
                if sandbox.key and f"{_PREFIX}{sandbox.key}" != spec.sandbox_id:
                    await self._discard_quietly(sandbox.key)  # nobody knows of it
                if said:
                    failed = error if isinstance(error, SandboxError) else None
                    on_status(
                        SandboxStatus.FAILED if failed else SandboxStatus.STOPPED,
                        failed.message if failed else "The preparation was stopped.",
                    )
                raise
            if said:
                on_status(SandboxStatus.STOPPED, "The sandbox is ready.")
            self._sandboxes[spec.project_id] = sandbox
            self._scope.start(self._fill_pool_later(), name="refill")
            return sandbox

    def _made_for(
        self,
        spec: SandboxSpec,
        on_line: LineSink,
        on_status: StatusSink,
        on_refused: RefusedSink,
        tell: Callable[[str], None],
    ) -> DockerSandbox:
        size = size_for(spec.size, cpus=self._machine.cpus, memory=self._machine.memory)
        key = spec.sandbox_id.removeprefix(_PREFIX) if spec.sandbox_id.startswith(_PREFIX) else ""
        sandbox = DockerSandbox(
            spec,
            connection=self.connection,
            size=size,
            environment=self._environment,
            configuration=self._configuration,
            make=lambda: self._make(sandbox.key, key, spec, size, tell),
            discard=self._discard,
            egress=self._make_egress(spec.network, lambda host: sandbox.tell_refused(host)),
            on_line=on_line,
            on_status=on_status,
            on_refused=on_refused,
        )
        return sandbox

    def network_changed(self, project_id: str) -> None:
        """A project's network rules are others now; they count for what is open already, too."""
        sandbox = self._sandboxes.get(project_id)
        if sandbox is not None:
            sandbox.network_changed()

    # -- containers -----------------------------------------------------------------------------------
    async def _make(
        self,
        own: str,
        last: str,
        spec: SandboxSpec,
        size: SandboxSize,
        tell: Callable[[str], None],
    ) -> MadeContainer:
        """Return the project's container: its own, one of the pool, or a new one.

        Args:
            own: The key that it has, and keeps.
            last: The key that it had in an earlier life, if that is still there.
            spec: What it is for.
            size: Its limits.
            tell: Gets sentences for the person.
        """
        await self.prepare(tell)
        name = containers.container_name(self._owner, spec.project_id)
        known = own or last
        if known and (found := await self._taken_over(known, name, spec, size, tell)) is not None:
            return found
        if not own and last:
            tell(
                f"Docker ({self.connection.endpoint.name}) has nothing of what this app stored before. "
                "What it stored with another Docker engine is kept there, and is there again with that engine."
            )
        layer = await self._layer_for(spec, tell)
        # One that had a sandbox keeps its key: it may have files under it on another engine.
        if not known and (pooled := await self._from_pool(layer, name, size)) is not None:
            return pooled
        key = known or secrets.token_hex(6)
        return await self._create(key, layer, name=name, role="sandbox", size=size)

    async def _layer_for(self, spec: SandboxSpec, tell: Callable[[str], None]) -> str:
        if not self._overlay:
            return NO_LAYER
        if spec.network().mode == "none":
            # Making them takes the registry; what is kept already takes nothing.
            return await self._layers.known(spec.folder, self._system)
        try:
            return await self._layers.ensure(spec.folder, self._system, tell)
        except SandboxEngineDownError:
            raise
        except SandboxError as error:
            if not await self.connection.answers():
                raise self.connection.down_error(error.message) from error
            # The project's own install comes to the same end, and says it where installs are told.
            _log.info("no packages are kept for %s: %s", spec.project_id, error.message)
            return NO_LAYER

    async def _taken_over(
        self, key: str, name: str, spec: SandboxSpec, size: SandboxSize, tell: Callable[[str], None]
    ) -> MadeContainer | None:
        """Return the container with this key; made anew on its files where only those are left."""
        await self._removals.finish(key)
        if key not in await self._keeper.has_sandboxes([key]):
            await self._discard(key, False)
            return None
        facts = await self._keeper.facts(key)
        good = facts is not None and facts.system == self._system
        if facts is None or not good or not await self._keeper.has_layer(facts.layer):
            # The packages under its files are lost, or made for another system: they are made anew, the rest stays.
            tell("Preparing the packages again; what the app stored stays.")
            await self._discard(key, False)
            await self._keeper.drop_packages(key)
            layer = await self._layer_for(spec, tell)
            return await self._create(
                key, layer, name=name, role="sandbox", size=size, keep_files=True
            )
        container = await self.connection.call(lambda client: self._find(client, key))
        if container is not None and self._fits(container, size):
            if container.name != name:
                # It came from the pool, and VibeDesk ended before it was told.
                await self._rename(container, name)
            return MadeContainer(container=container, key=key)
        if container is not None:
            await self.connection.call(lambda _client: remove_container(container))
        return await self._create(
            key, facts.layer, name=name, role="sandbox", size=size, keep_files=True
        )

    def _fits(self, container: Container, size: SandboxSize) -> bool:
        wanted = (self._image, containers.size_label(size))
        labels = container.labels
        return (labels.get(containers.IMAGE_LABEL), labels.get(containers.SIZE_LABEL)) == wanted

    async def _create(
        self,
        key: str,
        layer: str,
        *,
        name: str,
        role: str,
        size: SandboxSize,
        keep_files: bool = False,
    ) -> MadeContainer:
        """Create and start a container; with `keep_files` its files are there and stay, also when that fails."""
        await self._removals.finish(key)
        await self._clear_name(name)
        facts = SandboxFacts(layer=layer, system=self._system)
        folders = self._folders(key, layer, overlay=self._overlay if role != "build" else "")
        make = partial(
            containers.create_sandbox,
            image=self._image,
            name=name,
            role=role,
            folders=folders,
            size=size,
        )
        try:
            # A cancel in here leaves a folder that only the discard below takes away.
            await self._keeper.make_sandbox(key, facts)
            container = await self.connection.call(make)
            await self.connection.call(lambda _client: start_container(container))
        except BaseException as error:
            await self._discard_quietly(key, with_files=not keep_files)
            if folders.overlay and _says_no_overlay(error):
                self._take_next_overlay(folders.overlay, error)
                if not self._overlay and layer != NO_LAYER:
                    layer = NO_LAYER
                    if keep_files:  # its changes of packages are nothing without them
                        await self._keeper.drop_packages(key)
                return await self._create(
                    key, layer, name=name, role=role, size=size, keep_files=keep_files
                )
            if isinstance(error, ImageNotFound):  # somebody removed it meanwhile
                self._image = ""
                await self.prepare()
                return await self._create(
                    key, layer, name=name, role=role, size=size, keep_files=keep_files
                )
            raise
        return MadeContainer(container=container, key=key)

    def _take_next_overlay(self, refused: str, error: BaseException) -> None:
        _log.warning("this engine mounts no overlay with %s: %s", refused, error)
        if self._overlay == refused:  # else somebody else met it first
            number = containers.OVERLAYS.index(refused)
            self._overlay = containers.OVERLAYS[number + 1]

    def _folders(self, key: str, layer: str, *, overlay: str) -> SandboxFolders:
        return SandboxFolders(
            owner=self._owner,
            key=key,
            layer=layer,
            mountpoint=self._keeper.mountpoint,
            overlay=overlay,
        )

    def _find(self, client: Any, key: str) -> Container | None:
        found = containers.containers_of(client, self._owner, key)
        return found[0] if found else None

    async def _clear_name(self, name: str) -> None:
        """Remove a container of ours that has the name.

        Raises:
            SandboxError: there is one that is not ours.
        """

        def named(client: Any) -> Container | None:
            with contextlib.suppress(NotFound):
                found: Container = client.containers.get(name)
                if not containers.is_ours(found, self._owner):
                    raise containers.not_ours_error(f"container {name}")
                return found
            return None

        container = await self.connection.call(named)
        if container is not None:
            # It may be on its way out already, and Docker refuses to be told twice.
            await self._removals.finish(
                containers.labels_on(container).get(containers.KEY_LABEL, "")
            )
            await self.connection.call(lambda _client: remove_container(container))

    async def _discard(self, key: str, with_files: bool) -> None:
        """Remove a sandbox's container and volumes, and its files if wanted; what fails is tried again later."""
        try:
            if with_files:
                await self.prepare()
        finally:
            self._removals.add(key, with_files=with_files)
        await self._removals.finish(key)

    async def _discard_quietly(self, key: str, *, with_files: bool = True) -> None:
        with contextlib.suppress(SandboxError):
            await self._discard(key, with_files)

    async def _make_builder(self, key: str, folder: Path) -> DockerSandbox:
        size = size_for("auto", cpus=self._machine.cpus, memory=self._machine.memory)
        name = containers.container_name(self._owner, key)
        spec = SandboxSpec(project_id=key, folder=folder, port=0)

        async def make() -> MadeContainer:
            return await self._create(key, NO_LAYER, name=name, role="build", size=size)

        builder = DockerSandbox(
            spec,
            connection=self.connection,
            size=size,
            environment=self._environment,
            configuration=self._configuration,
            make=make,
            discard=self._discard,
            egress=self._make_egress(NetworkRules, ignore_refused),
            on_line=lambda _line: None,
            on_status=lambda *_: None,
        )
        try:
            await builder.create()
        except BaseException:
            await self._discard_quietly(key)
            raise
        self._builders.append(builder)
        return builder

    # -- the warm pool ----------------------------------------------------------------------------------
    async def warm(self, folder: Path, on_line: Callable[[str], None] = lambda _line: None) -> None:
        """Keep sandboxes ready for projects that begin with the lock file in `folder`; returns when they are."""
        self._warm_folder = folder
        await self.prepare(on_line)
        self._fill_pool_soon()
        if self._filling is not None:
            await asyncio.shield(self._filling)

    async def keep_warm(self, folder: Path, others: Sequence[Path] = ()) -> None:
        """As `warm`, but not before the image is there: it is made when the first sandbox is wanted.

        Args:
            folder: See `warm`.
            others: Folders whose lock file's packages are kept ready afterwards, too, one after the other.
        """
        self._warm_folder = folder
        self._to_prepare = [*others]
        if await self.has_image():
            await self.warm(folder)

    async def has_image(self) -> bool:
        """Whether the image is made; nothing is made by asking."""
        if self._image:
            return True
        client = await self.connection.client()
        architecture = str((await self.connection.call(lambda c: c.info())).get("Architecture"))
        tag = await asyncio.to_thread(image_tag, architecture)
        return await asyncio.to_thread(has_image, client, tag)

    def _fill_pool_soon(self) -> None:
        if self._warm_folder is not None and (self._filling is None or self._filling.done()):
            self._filling = self._scope.start(self._fill_pool(self._warm_folder), name="fill pool")

    async def _fill_pool_later(self) -> None:
        # Whoever just opened a sandbox has first use of the machine.
        await asyncio.sleep(_REFILL_SECONDS)
        self._fill_pool_soon()

    async def _fill_pool(self, folder: Path) -> None:
        await self.prepare()
        layer = await self._layers.ensure(folder, self._system, lambda _line: None)
        size = size_for("auto", cpus=self._machine.cpus, memory=self._machine.memory)
        for entry in list(self._pool):
            made, its_layer = entry
            alive = made.session is not None and made.session.alive
            if not alive or its_layer != layer or not self._fits(made.container, size):
                self._pool.remove(entry)
                await self._drop_pooled(made)
        while len(self._pool) < self._pool_size:
            key = secrets.token_hex(6)
            name = containers.container_name(self._owner, f"pool-{key}")
            made = await self._create(key, layer, name=name, role="sandbox", size=size)
            try:
                session = await open_session(
                    self.connection,
                    made.container,
                    mode="serve",
                    user=containers.USER,
                    on_egress=_drop,
                )
                await bring_configuration(session, self._configuration)
            except BaseException:
                await self._discard_quietly(key)
                raise
            self._pool.append((replace(made, session=session), layer))
        if self._to_prepare and (self._making_ready is None or self._making_ready.done()):
            self._making_ready = self._scope.start(self._prepare_others(), name="prepare packages")

    async def _prepare_others(self) -> None:
        while self._to_prepare:
            folder = self._to_prepare[0]
            try:
                await self._layers.ensure(folder, self._system, lambda _line: None)
            except SandboxEngineDownError:
                return  # the next filling of the pool goes on
            except SandboxError as error:
                _log.info("no packages are kept ready for %s: %s", folder.name, error.message)
            self._to_prepare.remove(folder)

    async def _from_pool(self, layer: str, name: str, size: SandboxSize) -> MadeContainer | None:
        for number, (made, its_layer) in enumerate(self._pool):
            fits = its_layer == layer and self._fits(made.container, size)
            if fits and made.session is not None and made.session.alive:
                del self._pool[number]
                # The name is for people; nothing waits for it.
                self._scope.start(self._rename(made.container, name), name="rename")
                return made
        return None

    async def _rename(self, container: Container, name: str) -> None:
        await self._clear_name(name)
        await self.connection.call(lambda _client: container.rename(name))

    # -- the watch -----------------------------------------------------------------------------------------
    async def _watch_forever(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                self._builders = [builder for builder in self._builders if builder.is_open]
                awake = [s for s in self._sandboxes.values() if s.awake]
                watched = [*awake, *(builder for builder in self._builders if builder.awake)]
                if not watched:
                    continue
                # Somebody may be making the image anew, which takes minutes: only a keeper that was killed waits for it.
                if not self._keeper.alive:
                    await self.prepare()
                self._removals.retry(at_once=False)
                await self._disk.look(watched)
                for sandbox in awake:
                    self._scope.start(self._pause(sandbox), name="pause")
            except SandboxError as error:
                _log.info("the watch over the sandboxes: %s", error.message)
            except Exception:  # noqa: BLE001 - the watch must not end
                _log.exception("the watch over the sandboxes failed")

    async def _pause(self, sandbox: DockerSandbox) -> None:
        """Pause one that is idle, in its own time; while it is on its way, another pause does nothing."""
        try:
            if await sandbox.pause(self._idle_seconds):
                _log.info("sandbox of %s is paused", sandbox.spec.project_id)
        except SandboxError as error:
            _log.info("sandbox of %s is not paused: %s", sandbox.spec.project_id, error.message)

    # -- house-keeping ---------------------------------------------------------------------------------------
    async def tidy(self, known: frozenset[str]) -> None:
        """Remove what no project of this home owns (a crash left it), and end what still runs of the others.

        Args:
            known: `Sandbox.id` of every project.
        """
        await self._sort_out(known)
        await self._removals.finish_all()

    async def _sort_out(self, known: frozenset[str]) -> None:
        """As `tidy`, but what is to be removed is only noted."""
        keys = {identity.removeprefix(_PREFIX) for identity in known}
        in_use = {made.key for made, _ in self._pool} | {s.key for s in self._sandboxes.values()}
        found = await self.connection.call(self._keys_on_engine)
        found |= set(await self._keeper.sandboxes()) - keys
        for key in sorted(found - in_use):
            if key not in keys:
                self._removals.add(key, with_files=True)
                continue
            # One that Docker does not let go must not keep all the others from their projects.
            try:
                await self._end_container(key)
            except SandboxEngineDownError:
                raise
            except SandboxError as error:
                _log.warning("sandbox %s is in the way: %s", key, error.message)

    def _keys_on_engine(self, client: Any) -> set[str]:
        """Return the keys of every sandbox that has a container or volumes. Blocking."""
        things: list[Container | Volume] = [
            *containers.containers_of(client, self._owner),
            *containers.volumes_of(client, self._owner),
        ]
        return {containers.labels_on(each).get(containers.KEY_LABEL, "") for each in things} - {""}

    async def _end_container(self, key: str) -> None:
        def end(client: Any) -> None:
            container = self._find(client, key)
            if container is not None:
                kill_container(container)

        await self.connection.call(end)

    async def forget(self, sandbox_id: str) -> None:
        """Remove a project's sandbox: the project is deleted, or its sandbox is to be made anew."""
        key = sandbox_id.removeprefix(_PREFIX)
        for project_id, sandbox in list(self._sandboxes.items()):
            if sandbox.key == key:
                del self._sandboxes[project_id]
                await sandbox.remove()
                return
        if sandbox_id.startswith(_PREFIX) and await self.has_image():
            await self.prepare()
            await self._discard(key, True)

    async def kept(self) -> KeptThings:
        """Return what is kept on the engine's disk."""
        await self.prepare()
        layers, sandboxes = await self._keeper.kept()
        used = await self.connection.call(self._layers_in_use)
        return KeptThings(
            layers=[layer for layer in layers if layer.name != NO_LAYER],
            sandboxes=sandboxes,
            used_layers=used,
        )

    def _layers_in_use(self, client: Any) -> frozenset[str]:
        found = containers.volumes_of(client, self._owner)
        return frozenset(
            containers.labels_on(each).get(containers.LAYER_LABEL, "") for each in found
        )

    async def images(self) -> list[KeptImage]:
        """Return our images: the one in use, and those of older versions."""
        client = await self.connection.client()
        found = [
            KeptImage(image.tags, image.size_bytes, image.created, in_use=False)
            for image in await old_images(client)
        ]
        if self._image:
            attributes = await self.connection.call(lambda c: c.images.get(self._image).attrs)
            created = datetime.fromisoformat(str(attributes["Created"])[:19]).replace(tzinfo=UTC)
            found.insert(
                0, KeptImage((self._image,), int(attributes["Size"]), created, in_use=True)
            )
        return found

    async def remove_old_images(self, older_than: timedelta) -> int:
        """Remove images that no version in use needs; return the bytes they took."""
        return await remove_old_images(await self.connection.client(), older_than=older_than)

    async def remove_layer(self, key: str) -> None:
        await self._keeper.remove_layer(key)

    async def remove_store(self) -> None:
        """Remove everything that is kept for this home: every package, every sandbox's files."""
        await self.tidy(frozenset())
        await self._keeper.aclose()

        def remove(client: Any) -> None:
            with contextlib.suppress(NotFound):
                store = client.volumes.get(containers.store_name(self._owner))
                if containers.is_ours(store, self._owner):
                    store.remove()

        await self.connection.call(remove)

    async def aclose(self) -> None:
        await self._scope.aclose()
        await self._disk.aclose()
        await self._layers.aclose()
        sandboxes, self._sandboxes = list(self._sandboxes.values()), {}
        pool, self._pool = self._pool, []
        works = [*(s.aclose() for s in sandboxes), *(self._drop_pooled(made) for made, _ in pool)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, SandboxError):
                _log.warning("a sandbox could not be closed: %r", outcome)
        await self._removals.aclose()
        with contextlib.suppress(SandboxError):
            await self._keeper.aclose()
        await self.connection.aclose()

    async def _drop_pooled(self, made: MadeContainer) -> None:
        if made.session is not None:
            made.session.close()
        await self._discard(made.key, True)


def _drop(channel: Channel) -> None:
    channel.abort()


def _says_no_overlay(error: BaseException) -> bool:
    text = str(error).lower()
    refused = (
        "permission denied",
        "operation not permitted",
        "invalid argument",
        "not supported",
        "no such device",
        "unknown filesystem",
    )
    return (
        isinstance(error, SandboxError)
        and "mount" in text
        and any(words in text for words in refused)
    )
