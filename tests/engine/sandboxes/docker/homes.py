"""Homes on Docker engines, projects with packages from a registry on loopback, and what an engine holds of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import docker

from tests.engine.sandboxes.conftest import Place
from tests.engine.sandboxes.egress.tiny_registry import TinyRegistry
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.containers import OWNER_LABEL
from vibedesk.engine.sandboxes.docker.diagnosis import DockerEndpoint, find_endpoint
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver, MakeEgress
from vibedesk.engine.sandboxes.docker.docker_sandbox import DockerSandbox
from vibedesk.engine.sandboxes.driver import OutputLine, RefusedSink, SandboxSpec, SandboxStatus
from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.ports import pick_port


@asynccontextmanager
async def egress_to(
    address: str, store: Path, *, python: tuple[str, ...] = ()
) -> AsyncIterator[MakeEgress]:
    """What decides on apps' networks, with packages from the registry at `address`, on loopback."""
    registries, upstream = Registries(npm=address, python=python), Upstream({})
    registry = NpmRegistry(store, registries, upstream)

    def make(rules: Callable[[], NetworkRules], on_refused: RefusedSink) -> Egress:
        return Egress(
            rules=rules,
            registries=registries,
            registry=registry,
            upstream=upstream,
            on_refused=on_refused,
        )

    yield make
    await registry.aclose()


@dataclass
class DockerHome:
    """One VibeDesk home on one engine: makes its drivers, and removes what they made."""

    host: str
    folder: Path
    make_egress: MakeEgress
    environ: Mapping[str, str] = field(default_factory=dict)
    """What else is set beside DOCKER_HOST."""
    patience: float = 10.0
    owner: str = field(default_factory=lambda: f"t{uuid4().hex[:8]}")
    _drivers: list[DockerDriver] = field(default_factory=list)
    _number: int = 0

    @property
    def endpoint(self) -> DockerEndpoint:
        return find_endpoint({"DOCKER_HOST": self.host, **self.environ})

    def driver(
        self,
        *,
        known: frozenset[str] | None = None,
        pool_size: int = 0,
        idle_seconds: float = 600.0,
        keep_image_tar: Path | None = None,
    ) -> DockerDriver:
        driver = DockerDriver(
            DockerConnection(self.endpoint, patience=self.patience),
            owner=self.owner,
            cache=self.folder / "cache",
            make_egress=self.make_egress,
            known=known,
            pool_size=pool_size,
            idle_seconds=idle_seconds,
            keep_image_tar=keep_image_tar,
        )
        self._drivers.append(driver)
        return driver

    def spec(self, name: str = "app", **changes: object) -> SandboxSpec:
        """Return what a project called `name` is opened with; its folder is made."""
        self._number += 1
        folder = self.folder / "projects" / name
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"project_id": f"01JD{name.upper()}", "folder": folder, "port": pick_port()}
        return SandboxSpec(**{**settings, **changes})  # type: ignore[arg-type]

    async def close_drivers(self) -> None:
        for driver in self._drivers:
            await driver.aclose()

    async def aclose(self) -> None:
        """Close them and remove everything of the home from the engine."""
        await self.close_drivers()
        last = self.driver()
        await last.prepare()
        await last.remove_store()
        await last.aclose()


@dataclass
class Opened(Place):
    """An open Docker sandbox with everything it told."""

    sandbox: DockerSandbox  # type: ignore[assignment]

    @property
    def states(self) -> list[SandboxStatus]:
        return [status for status, _ in self.statuses]


async def opened(driver: DockerDriver, spec: SandboxSpec) -> Opened:
    lines: list[OutputLine] = []
    statuses: list[tuple[SandboxStatus, str]] = []
    sandbox = await driver.open(
        spec,
        on_line=lines.append,
        on_status=lambda status, reason: statuses.append((status, reason)),
    )
    return Opened(sandbox, spec.folder, spec.port, lines, statuses)


def write_project(
    folder: Path, registry: TinyRegistry, packages: Mapping[str, str], **manifest: object
) -> None:
    """Write a project that needs these packages (name: version), with its lock file."""
    root = {"name": "my-app", "version": "0.0.0", "dependencies": dict(packages), **manifest}
    entries = {
        f"node_modules/{name}": {
            "version": version,
            "integrity": _integrity(registry, name, version),
        }
        for name, version in packages.items()
    }
    text = {name: value for name, value in root.items() if name != "scripts"}
    lock = {
        "name": root["name"],
        "version": root["version"],
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": text, **entries},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps(root))
    (folder / "package-lock.json").write_text(json.dumps(lock))


def _integrity(registry: TinyRegistry, name: str, version: str) -> str:
    known = registry.documents.get(name, {}).get("versions", {}).get(version)
    if known is None:  # there is no such package
        return f"sha512-{base64.b64encode(hashlib.sha512(b'').digest()).decode()}"
    return str(known["dist"]["integrity"])


@dataclass(frozen=True)
class EngineThings:
    """The names of everything that an engine holds."""

    containers: frozenset[str]
    volumes: frozenset[str]


def things_of(client: docker.DockerClient, owner: str | None = None) -> EngineThings:
    """Return what the engine holds, of one home or of all and nobody."""
    label = {"label": [f"{OWNER_LABEL}={owner}"]} if owner else {}
    found = client.containers.list(all=True, filters=label, ignore_removed=True)
    volumes = client.volumes.list(filters=label)
    return EngineThings(
        frozenset(str(each.name) for each in found), frozenset(str(each.name) for each in volumes)
    )


async def eventually(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """As `until`, for conditions that block a moment."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await asyncio.to_thread(condition):
        assert loop.time() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.05)


@contextmanager
def held(client: docker.DockerClient, name: str) -> Iterator[None]:
    """Docker cannot remove this container: a file of it may not go."""
    container = client.containers.get(name)
    file = Path(client.info()["DockerRootDir"], "containers", str(container.id), "held")
    file.touch()
    subprocess.run(["chattr", "+i", str(file)], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(file)], check=True)
