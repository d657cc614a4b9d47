"""The image of the sandboxes: there already, built by the engine, or assembled here and handed over."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from vibedesk.base.errors import HomeLockedError
from vibedesk.engine.sandboxes.docker import image_assembly
from vibedesk.engine.sandboxes.docker.image_content import (
    IMAGE_LABEL,
    SYSTEM_LABEL,
    ImageContent,
    Recipe,
    docker_architecture,
    read_content,
)
from vibedesk.engine.sandboxes.docker.image_engine import (
    EngineImageError,
    ImageEngine,
    engine_error,
    has_image,
    in_thread,
)
from vibedesk.engine.sandboxes.docker.image_progress import Progress
from vibedesk.engine.sandboxes.driver import SandboxError, SandboxUnavailableError
from vibedesk.engine.store.lock import HomeLock

_LOCK = "image.lock"
_UNTAGGED = "<none>:<none>"
_LOCK_LOOK_SECONDS = 0.2  # between two looks whether the other process is done


def image_tag(architecture: str | None = None) -> str:
    """Return the image's name and tag, a fingerprint of all it is made from. Blocking, a few milliseconds.

    `architecture` is the engine's machine (`x86_64`, `arm64`, …), by default this one.
    """
    return read_content(architecture or platform.machine()).image.tag


def system_tag(architecture: str) -> str:
    """Return the name of the system under the image: what packages with programs in them are made for. Blocking."""
    return read_content(architecture).system.tag


async def ensure_image(
    client: docker.DockerClient,
    on_line: Callable[[str], None],
    *,
    folder: Path,
    keep_tar: Path | None = None,
    build_network: str | None = None,
) -> str:
    """Return the tag of the sandbox image, which the engine has then. Made once, however many ask for it.

    Cancelling ends what is under way; nothing half-made is left, neither here nor in the engine.

    Args:
        client: The engine.
        on_line: Gets sentences for the person while the image is made; called on the loop.
        folder: This machine's place for a lock and for what is assembled (about 2 GB for a while).
        keep_tar: A folder in which an assembled image stays as `system-<fingerprint>.tar`, and is taken from.
        build_network: The network of the build's steps, where it is not the engine's default.

    Raises:
        SandboxUnavailableError: the engine can neither build the image nor be given one; says why in both cases.
        SandboxError: the disk is full, or the engine does not answer.
    """
    architecture = await in_thread(lambda: _engine_architecture(client))
    content = await asyncio.to_thread(read_content, architecture)
    tag = content.image.tag
    if await in_thread(lambda: has_image(client, tag)):
        return tag
    loop = asyncio.get_running_loop()

    def tell(sentence: str) -> None:
        loop.call_soon_threadsafe(on_line, sentence)

    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with _alone(folder / _LOCK, on_line):
        making = _Making(client, content, Progress(tell), folder, keep_tar, build_network)
        await making.run()
    return tag


@dataclass(frozen=True, slots=True, kw_only=True)
class OldImage:
    """An image of ours that this VibeDesk does not use."""

    id: str
    tags: tuple[str, ...]
    size_bytes: int
    created: datetime


async def old_images(client: docker.DockerClient) -> list[OldImage]:
    """Return our images with other tags than the present one.

    Raises:
        SandboxError: the engine does not answer.
    """
    return await in_thread(lambda: _old_images(client))


async def remove_old_images(
    client: docker.DockerClient, *, older_than: timedelta = timedelta(0)
) -> int:
    """Remove our old images, but those in use or made lately; return the bytes they took.

    Raises:
        SandboxError: the engine does not answer.
    """
    freed = 0
    for image in await old_images(client):
        if datetime.now(UTC) - image.created >= older_than:
            removed = await in_thread(lambda image=image: _remove(client, image))  # type: ignore[misc]
            freed += image.size_bytes if removed else 0
    return freed


class _Making:
    """One image in the making, by the first way that works."""

    def __init__(
        self,
        client: docker.DockerClient,
        content: ImageContent,
        progress: Progress,
        folder: Path,
        keep_tar: Path | None,
        build_network: str | None,
    ) -> None:
        self._engine = ImageEngine(client, progress)
        self._content = content
        self._progress = progress
        self._folder = folder
        self._keep_tar = keep_tar
        self._build_network = build_network

    async def run(self) -> None:
        if await self._engine.has(self._content.image.tag):
            return  # made by whoever had the lock before
        if not await self._engine.has(self._system.tag):
            await self._make_system()
        self._progress.tell("Adding VibeDesk's own programs to the sandbox image…")
        await self._engine.build(self._content.image, network="none")

    @property
    def _system(self) -> Recipe:
        return self._content.system

    async def _make_system(self) -> None:
        kept = self._kept()
        if kept is not None and kept.exists():
            await self._engine.load(kept, self._system)
            return
        try:
            await self._build()
        except EngineImageError as error:
            if error.code == "disk_full":
                raise
            await self._assemble_instead(error)

    async def _build(self) -> None:
        if not await self._engine.has(self._system.base):
            self._progress.tell(f"Getting the image {self._system.base}…")
            await self._engine.pull(self._system.base)
        self._progress.tell("Building the sandbox image…")
        await self._engine.build(self._system, network=self._build_network)

    async def _assemble_instead(self, why_not_built: SandboxError) -> None:
        try:
            await image_assembly.require_assembly(self._content.architecture)
            self._progress.tell("Putting the sandbox image together here…")
            await self._assemble()
        except SandboxError as error:
            if error.code == "disk_full":
                raise
            raise _unavailable(why_not_built, error) from error

    async def _assemble(self) -> None:
        kept = self._kept()
        tar = kept or self._folder / f"system-{self._system.fingerprint}.tar"
        await asyncio.to_thread(tar.parent.mkdir, parents=True, exist_ok=True)
        await image_assembly.remove_leftovers(tar.parent)
        try:
            await image_assembly.assemble(self._system, tar, self._progress)
            await self._engine.load(tar, self._system)
        finally:
            if kept is None:
                tar.unlink(missing_ok=True)

    def _kept(self) -> Path | None:
        return self._keep_tar and self._keep_tar / f"system-{self._system.fingerprint}.tar"


def _unavailable(why_not_built: SandboxError, why_not_assembled: SandboxError) -> SandboxError:
    return SandboxUnavailableError(
        "The sandbox image could not be made. "
        f"Built by Docker: {why_not_built.message} Made here: {why_not_assembled.message}",
        remedy=f"One of these helps. {why_not_built.remedy} Or: {why_not_assembled.remedy}",
        details={**why_not_built.details, **why_not_assembled.details},
        retryable=True,
    )


@asynccontextmanager
async def _alone(path: Path, on_line: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the lock; other callers, also in other processes, wait meanwhile."""
    lock = _try_lock(path)
    if lock is None:
        on_line("The sandbox image is being made already; waiting for it…")
    while lock is None:
        await asyncio.sleep(_LOCK_LOOK_SECONDS)
        lock = _try_lock(path)
    try:
        yield
    finally:
        lock.release()


def _try_lock(path: Path) -> HomeLock | None:
    try:
        return HomeLock.acquire(path)
    except HomeLockedError:
        return None


def _engine_architecture(client: docker.DockerClient) -> str:
    try:
        info = client.info()
    except (DockerException, requests.RequestException) as error:
        raise engine_error(error) from error
    if info.get("OSType", "linux") != "linux":
        raise SandboxUnavailableError(
            "This Docker runs Windows containers.", remedy="Switch it to Linux containers."
        )
    return docker_architecture(str(info.get("Architecture", platform.machine())))


def _old_images(client: docker.DockerClient) -> list[OldImage]:
    try:
        content = read_content(_engine_architecture(client))
        images = client.api.images(filters={"label": SYSTEM_LABEL})
    except (DockerException, requests.RequestException) as error:
        raise engine_error(error) from error
    systems = {
        image["Labels"][SYSTEM_LABEL]: image["Size"]
        for image in images
        if IMAGE_LABEL not in image["Labels"]
    }
    present = {content.system.tag, content.image.tag}
    old = [image for image in images if present.isdisjoint(image.get("RepoTags") or ())]
    # Images before the systems they stand on: in this order they can be removed.
    old.sort(key=lambda image: IMAGE_LABEL not in image["Labels"])
    return [
        OldImage(
            id=image["Id"],
            tags=tuple(tag for tag in image.get("RepoTags") or () if tag != _UNTAGGED),
            size_bytes=image["Size"] - _shared(image["Labels"], systems),
            created=datetime.fromtimestamp(image["Created"], UTC),
        )
        for image in old
    ]


def _shared(labels: Mapping[str, str], systems: Mapping[str, int]) -> int:
    return systems.get(labels[SYSTEM_LABEL], 0) if IMAGE_LABEL in labels else 0


def _remove(client: docker.DockerClient, image: OldImage) -> bool:
    with suppress(DockerException):  # a container uses it
        client.api.remove_image(image.id)
        return True
    return False
