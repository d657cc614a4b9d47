"""Keeps the folders of every sandbox on the engine's side, through one container of our own.

A person in the `docker` group cannot reach the engine's folders, and on another machine nobody here can; the keeper
can. It runs nothing but `inside/agent.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.session import Session, SessionLostError
from vibedesk.engine.sandboxes.driver import SandboxError
from vibedesk.engine.sandboxes.inside.agent import LAUNCH

NO_LAYER = "none"


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry of the store."""

    name: str
    bytes: int
    last_used: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """What a sandbox's own files rest on."""

    layer: str
    """The packages under them."""
    system: str
    """The system that those packages were made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """What a disk has."""

    free: int
    """Bytes."""
    total: int
    """Bytes."""
    entries: int
    """Files and folders that can still be made; 0 where nothing counts them."""


class Keeper:
    """The store of one home.

    Args:
        connection: The engine.
        owner: The home's id.
    """

    def __init__(self, connection: DockerConnection, owner: str) -> None:
        self._connection = connection
        self._owner = owner
        self._session: Session | None = None
        self._container: Container | None = None
        self._starting = asyncio.Lock()
        self.mountpoint = ""

    @property
    def alive(self) -> bool:
        return self._session is not None and self._session.alive

    async def start(self, image: str) -> None:
        """Make sure that the keeper runs; a keeper of another image is replaced."""
        async with self._starting:
            if self.alive:
                return
            self._session = None
            try:
                self._session = await self._open(image)
            except SessionLostError:
                # For the engine it runs, but nothing can be started in it: what ran it was killed. All it keeps is in
                # its volume.
                await self._remove()
                self._session = await self._open(image)

    async def _open(self, image: str) -> Session:
        container = await self._connection.call(lambda client: self._ensure(client, image))
        self._container = container
        self.mountpoint = await self._connection.call(
            lambda client: str(
                client.api.inspect_volume(containers.store_name(self._owner))["Mountpoint"]
            )
        )
        return await open_session(
            self._connection, container, mode="keep", user="0:0", on_egress=None, question="free"
        )

    async def _remove(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            await self._connection.call(lambda _client: _kill_and_remove(container))

    def _ensure(self, client: docker.DockerClient, image: str) -> Container:
        name = containers.container_name(self._owner, "keeper")
        store = containers.store_name(self._owner)
        with contextlib.suppress(NotFound):
            if not containers.is_ours(client.volumes.get(store), self._owner):
                raise containers.not_ours_error(f"volume {store}")
        found: Container | None = None
        with contextlib.suppress(NotFound):
            found = client.containers.get(name)
        if found is not None and not containers.is_ours(found, self._owner):
            raise containers.not_ours_error(f"container {name}")
        if found is not None and found.labels.get(containers.IMAGE_LABEL) != image:
            found.remove(force=True)
            found = None
        if found is None:
            found = containers.create_keeper(client, image=image, owner=self._owner)
        elif found.status == "paused":
            found.unpause()
        if found.status != "running":
            found.start()
        return found

    async def make_sandbox(self, key: str, facts: SandboxFacts) -> None:
        await self._work("make_sandbox", key=key, facts=asdict(facts))

    async def facts(self, key: str) -> SandboxFacts | None:
        """Return what was noted when the sandbox was made."""
        found = (await self._work("facts", key=key)).get("facts") or {}
        try:
            return SandboxFacts(layer=str(found["layer"]), system=str(found["system"]))
        except (KeyError, TypeError):
            return None

    async def drop_packages(self, key: str) -> None:
        """Remove what a sandbox, whose container is gone, has of packages; the rest of its files stays."""
        await self._work("drop_packages", key=key)

    async def sandboxes(self) -> list[str]:
        """Return the keys of all sandboxes that have files here; quick."""
        return [str(name) for name in (await self._work("names")).get("sandboxes", ())]

    async def empty_bin(self) -> None:
        """Remove what was on its way out when an earlier keeper ended."""
        await self._work("empty_bin")

    async def remove_sandbox(self, key: str) -> None:
        await self._work("remove", folder="sandboxes", key=key)

    async def remove_layer(self, key: str) -> None:
        await self._work("remove", folder="layers", key=key)

    async def has_layer(self, key: str) -> bool:
        return key in (await self._work("has", folder="layers", keys=[key])).get("found", ())

    async def use_layer(self, key: str) -> bool:
        """Return whether the layer is there, and remember that it was used now."""
        return bool((await self._work("touch_layer", key=key)).get("found"))

    async def commit_layer(self, key: str, sandbox: str, made: Sequence[str]) -> None:
        """Make the packages of a build sandbox, whose container is gone, the layer `key`.

        Args:
            key: The layer's name.
            sandbox: The build sandbox's.
            made: What of its work folder becomes the layer, the packages' folder first.
        """
        await self._work("commit_layer", key=key, sandbox=sandbox, made=list(made))

    async def has_sandboxes(self, keys: list[str]) -> set[str]:
        found = await self._work("has", folder="sandboxes", keys=keys)
        return set(found.get("found", ()))

    async def sandbox_bytes(self, key: str) -> int:
        """Return what a sandbox's own files take."""
        found = await self._work("sizes", sandboxes=[key])
        return int(found.get("sandboxes", {}).get(key, 0))

    async def kept(self) -> tuple[list[Kept], list[Kept]]:
        """Return every layer and every sandbox with what it takes."""
        found = await self._work("sizes")
        layers, sandboxes = (
            [Kept(name, int(size), int(used)) for name, (size, used) in found.get(f, {}).items()]
            for f in ("layers", "sandboxes")
        )
        return layers, sandboxes

    async def space(self) -> DiskSpace:
        """Return what the engine's disk has; quick."""
        told = await self._alive().ask("free")
        return DiskSpace(**{name: int(told[name]) for name in ("free", "total", "entries")})

    async def aclose(self) -> None:
        """End the keeper; what it keeps stays."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
        await self._remove()

    async def _work(self, work: str, **request: Any) -> dict[str, Any]:
        return await self._alive().ask("task", work=work, **request)

    def _alive(self) -> Session:
        if self._session is None:
            raise SandboxError("The sandboxes are not ready.", remedy="Try again.", retryable=True)
        return self._session


async def open_session(
    connection: DockerConnection,
    container: Container,
    *,
    mode: str,
    user: str,
    on_egress: Any,
    question: str = "",
) -> Session:
    """Start the agent in a running container and wait until it answers."""
    command = [*LAUNCH, mode]
    made = await connection.call(
        lambda client: client.api.exec_create(
            container.id, command, stdin=True, stdout=True, stderr=True, user=user
        )
    )
    reader, writer = await connection.stream_exec(made["Id"])
    session = Session(
        reader,
        writer,
        on_egress=on_egress,
        answers=connection.answers,
        patience=connection.patience,
        name=str(container.name),
        question=question,
    )
    try:
        await session.ready()
    except BaseException:
        session.close()
        raise
    return session


def _kill_and_remove(container: Container) -> None:
    try:
        container.remove(force=True)
    except NotFound:
        return
    except APIError as error:
        if error.response is None or error.response.status_code != 409:
            raise  # else its removal is under way already
