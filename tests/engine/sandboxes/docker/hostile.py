"""What the attacks are made with: a driver of small sandboxes for a whole module, a neighbour that must not notice.

A test module of attacks runs on one event loop (`pytestmark = on_one_loop`). Its fixture `jail` is the driver, `cell`
an open sandbox that attacks may ruin, since it is started anew on its next use.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import docker
import psutil
import pytest
import pytest_asyncio

from tests.engine.sandboxes.conftest import Place
from tests.engine.sandboxes.egress.loopback import Net
from tests.engine.sandboxes.egress.tiny_registry import TinyRegistry, tiny_registry
from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.diagnosis import find_endpoint
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
from vibedesk.engine.sandboxes.docker.docker_sandbox import DockerSandbox
from vibedesk.engine.sandboxes.driver import (
    CommandOutput,
    Exited,
    OutputLine,
    RefusedSink,
    SandboxError,
    SandboxSpec,
)
from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.ports import pick_port
from vibedesk.engine.sandboxes.sizes import SIZES, SandboxSize

T = TypeVar("T")

MIB = 1024 * 1024
TINY = SandboxSize(
    name="tiny", cpus=1, memory=256 * MIB, disk=96 * MIB, processes=64, file=48 * MIB
)
"""Small enough to be filled in a second."""

on_one_loop = pytest.mark.asyncio(loop_scope="module")

SECRETS = {
    "ANTHROPIC_API_KEY": "sk-ant-kept-secret-1",
    "OPENAI_API_KEY": "sk-kept-secret-2",
    "AWS_SECRET_ACCESS_KEY": "kept-secret-3",
    "NPM_TOKEN": "kept-secret-4",
    "SSH_AUTH_SOCK": "/run/kept-secret-5",
    "DATABASE_URL": "postgres://kept-secret-6",
}
"""What the environment of the engine holds while the jail stands."""

IMPOSTOR = """
import json, os, signal, sys, time
sys.path.insert(0, '/opt/vibedesk')
from vibedesk.engine.sandboxes.inside import frames as f

agents = [int(pid) for pid in os.listdir('/proc') if pid.isdigit()
          and 'agent' in open(f'/proc/{pid}/cmdline').read() and int(pid) != os.getpid()]
agent = min(agents)
os.kill(agent, signal.SIGSTOP)
inward = os.open(f'/proc/{agent}/fd/0', os.O_RDONLY)
outward = os.open(f'/proc/{agent}/fd/1', os.O_WRONLY)

def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(outward, view):]

def send(kind, channel, payload=b''):
    write(f.frame(kind, channel, payload))

def channels():  # where commands run, as far as one can guess
    return range(1, 400, 2)

def arrivals():
    reader = f.FrameReader()
    while True:
        yield from reader.feed(os.read(inward, 65536))

def requests():
    for kind, channel, payload in arrivals():
        if kind == f.OPEN:
            yield channel, json.loads(payload)

def raw(header, content=b''):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return f.COUNT.pack(len(text)) + text + content
"""
"""Begins a program that takes the other end of the session over."""

# Each fills a folder by itself to some hundred megabytes, and waits there.
LARGE = """
import sys, time
for number in range(16):
    with open(f'{sys.argv[1]}/{number}', 'wb') as file:
        for _ in range(40):
            file.write(b'x' * (1 << 20))
time.sleep(60)
"""
SLOW = """
import sys, time
for number in range(150):
    with open(f'{sys.argv[1]}/{number}', 'wb') as file:
        file.write(b'x' * (2 << 20))
    time.sleep(0.04)
    if number == 48:  # passes the limit by a little, and stays there
        time.sleep(60)
"""

_LONGEST_LAG = 5.0
_MOST_GROWTH = 96 * MIB
_PAGE = "<h1>unhurt</h1>"
_SERVER = """
import http from 'node:http'
http.createServer((_, response) => response.end(PAGE)).listen(Number(process.argv[1]), '127.0.0.1')
"""


@dataclass
class Cell(Place):
    """An open sandbox, what it told, and which hosts it was refused."""

    refused: list[str] = field(default_factory=list)

    @property
    def docker(self) -> DockerSandbox:
        assert isinstance(self.sandbox, DockerSandbox)
        return self.sandbox

    @property
    def container(self) -> str:
        """The container's id."""
        assert self.docker._made is not None
        return str(self.docker._made.container.id)

    @property
    def told(self) -> str:
        """Every sentence that the person got, lines and states."""
        return "\n".join(
            [*(line.text for line in self.lines), *(reason for _, reason in self.statuses)]
        )

    async def run(self, *argv: str, timeout: float = 30) -> Outcome:
        """Run a command to its end; an error of the sandbox is part of what is returned."""
        outputs: list[CommandOutput] = []
        try:
            async for output in self.sandbox.exec(argv, timeout=timeout):
                outputs.append(output)  # noqa: PERF401 - what came before an error counts
        except SandboxError as error:
            return Outcome(outputs, error)
        return Outcome(outputs, None)

    async def python(self, code: str, *words: str, timeout: float = 30) -> Outcome:
        return await self.run("python3", "-I", "-c", code, *words, timeout=timeout)

    async def answer(self, code: str) -> Any:
        """Run Python that prints JSON, and return that."""
        outcome = await self.python(code, timeout=60)
        assert outcome.status == 0, outcome.text
        return json.loads(outcome.lines[0])

    async def serve(self) -> str:
        """Start a dev server that answers with `_PAGE`."""
        script = _SERVER.replace("PAGE", repr(_PAGE))
        argv = ["node", "--input-type=module", "-e", script, str(self.port)]
        return await self.sandbox.start_server(argv, timeout=30)


@dataclass
class Outcome:
    """What a command printed, and how it ended."""

    outputs: list[CommandOutput]
    error: SandboxError | None

    @property
    def lines(self) -> list[str]:
        return [o.text for o in self.outputs if isinstance(o, OutputLine) and o.stream == "stdout"]

    @property
    def text(self) -> str:
        """Everything, with the sentence of the error at the end."""
        lines = [o.text for o in self.outputs if isinstance(o, OutputLine)]
        return "\n".join([*lines, *([self.error.message] if self.error else [])])

    @property
    def status(self) -> int | None:
        return next((o.status for o in self.outputs if isinstance(o, Exited)), None)


class Jail:
    """A driver with its own home, whose sandboxes reach a small internet in memory."""

    def __init__(
        self,
        host: str,
        folder: Path,
        registry: TinyRegistry,
        *,
        patience: float,
        least_free: int | None,
    ) -> None:
        self.folder = folder
        self.owner = f"t{uuid4().hex[:8]}"
        self.net = Net()
        self.registry = registry
        self.driver = DockerDriver(
            DockerConnection(find_endpoint({"DOCKER_HOST": host}), patience=patience),
            owner=self.owner,
            cache=folder / "cache",
            make_egress=self._make_egress,
            pool_size=0,
            least_free=least_free,
        )
        self.client = docker.DockerClient(base_url=host)
        self.cells: list[Cell] = []

    def _make_egress(self, rules: Callable[[], NetworkRules], on_refused: RefusedSink) -> Egress:
        registries = Registries(npm=self.registry.address)
        upstream = Upstream({})
        return Egress(
            rules=rules,
            registries=registries,
            registry=NpmRegistry(self.folder / "tarballs", registries, upstream),
            upstream=upstream,
            on_refused=on_refused,
            resolve=self.net.resolve,
            dial=self.net.dial,
            is_near=lambda _address: False,
        )

    async def open(
        self,
        *,
        size: SandboxSize = TINY,
        network: NetworkRules | None = None,
        files: dict[str, str] | None = None,
    ) -> Cell:
        """Open a sandbox for a new project with these files."""
        number = f"{self.owner}-{len(self.cells)}"
        folder = self.folder / "projects" / f"app-{number}"
        for name, text in (files or {"index.html": "mine"}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        rules = network or NetworkRules()
        spec = SandboxSpec(
            project_id=f"01{number}",
            folder=folder,
            port=pick_port({cell.port for cell in self.cells}),
            size=size.name,
            network=lambda: rules,
        )
        cell = Cell(None, folder, spec.port)  # type: ignore[arg-type]
        with _known(size):
            cell.sandbox = await self.driver.open(
                spec,
                on_line=cell.lines.append,
                on_status=lambda status, reason: cell.statuses.append((status, reason)),
                on_refused=cell.refused.append,
            )
        self.cells.append(cell)
        return cell

    @property
    def store(self) -> Path:
        """The store on this machine's disk."""
        found = self.client.volumes.get(containers.store_name(self.owner))
        return Path(found.attrs["Mountpoint"])

    def files_of(self, cell: Cell) -> Path:
        """Where a sandbox's own files lie."""
        return self.store / "sandboxes" / cell.docker.key

    def everything(self) -> set[str]:
        """Return the names of all that the engine has of this home. Blocking."""
        ours = {"label": f"{containers.OWNER_LABEL}={self.owner}"}
        found = [
            *self.client.containers.list(all=True, filters=ours),
            *self.client.volumes.list(filters=ours),
            *self.client.networks.list(filters=ours),
            *self.client.images.list(filters=ours),
        ]
        return {str(getattr(each, "name", each.id)) for each in found}

    def runs(self, cell: Cell) -> bool:
        """Whether anything runs in the sandbox. Blocking."""
        return bool(self.client.api.inspect_container(cell.container)["State"]["Running"])

    def left_in_store(self, cell: Cell) -> list[Path]:
        """Return what is still kept of a sandbox that was removed."""
        folders = [self.store / "sandboxes", self.store / "removed"]
        entries = [entry for folder in folders if folder.is_dir() for entry in folder.iterdir()]
        others = {each.docker.key for each in self.cells if each.docker.key}
        return [entry for entry in entries if entry.name not in others]

    @asynccontextmanager
    async def nobody_else_notices(self) -> AsyncIterator[None]:
        """Check that the engine, its loop and memory, Docker and a neighbour stay well during the block."""
        neighbour = self.cells[0]
        if not neighbour.docker.serving:
            await neighbour.serve()
        statuses = list(neighbour.statuses)
        memory = psutil.Process().memory_info().rss
        async with _lag() as lags:
            yield
        assert max(lags, default=0) < _LONGEST_LAG, f"the engine stood still for {max(lags)} s"
        growth = psutil.Process().memory_info().rss - memory
        assert growth < _MOST_GROWTH, f"the engine grew by {growth // MIB} MiB"
        began = time.monotonic()
        assert await asyncio.to_thread(self.client.ping)
        assert _PAGE in await asyncio.to_thread(fetch, neighbour.sandbox.url)
        assert (await neighbour.run("echo", "well")).lines == ["well"]
        assert time.monotonic() - began < 60
        assert neighbour.statuses == statuses

    async def close(self) -> None:
        for cell in self.cells:
            await cell.sandbox.remove()
        await self.driver.remove_store()
        await self.driver.aclose()
        left = self.everything()
        self.client.close()
        assert left == set()


@contextlib.contextmanager
def _known(size: SandboxSize) -> Iterator[None]:
    known = size.name in SIZES
    SIZES[size.name] = size
    try:
        yield
    finally:
        if not known:
            del SIZES[size.name]


@asynccontextmanager
async def _lag() -> AsyncIterator[list[float]]:
    """Measure for how long at a time the event loop did nothing else."""
    lags: list[float] = []

    async def look() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            lags.append(time.monotonic() - began - 0.01)

    task = asyncio.create_task(look())
    try:
        yield lags
    finally:
        task.cancel()


async def settles(
    look: Callable[[], Awaitable[T]],
    right: Callable[[T], bool],
    *,
    seconds: float = 20,
    pause: float = 0.02,
) -> bool:
    """Look again and again; return whether what is seen became right in time."""
    deadline = time.monotonic() + seconds
    while not right(await look()):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(pause)
    return True


def taken(folder: Path) -> int:
    """Return what a tree takes, a block for each entry at least; unlike `du`, quick and without a process."""
    return sum(max(status.st_blocks * 512, 4096) for status in _everything_in(folder))


def written(folder: Path) -> tuple[int, int]:
    """Return how many entries a tree has, and how long they are together: this changes only where somebody writes."""
    lengths = [status.st_size for status in _everything_in(folder)]
    return len(lengths), sum(lengths)


def _everything_in(folder: Path) -> Iterator[os.stat_result]:
    open_folders = [os.open(folder, os.O_RDONLY)]
    while open_folders:
        descriptor = open_folders.pop()
        with contextlib.suppress(OSError), os.scandir(descriptor) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        flags = os.O_RDONLY | os.O_NOFOLLOW
                        open_folders.append(os.open(entry.name, flags, dir_fd=descriptor))
        os.close(descriptor)


def fetch(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as response:
        return str(response.read().decode())


def locked_project(
    jail: Jail, more: dict[str, object] | None = None, **packages: str
) -> dict[str, str]:
    """Return a project's files with a lock file for packages of the jail's registry."""
    documents = jail.registry.documents
    root = {"dependencies": packages}
    entries: dict[str, object] = {"": root}
    for name, version in packages.items():
        about = documents[name]["versions"][version]
        entry = {"version": version, "integrity": about["dist"]["integrity"]}
        if about.get("scripts"):
            entry["hasInstallScript"] = True
        entries[f"node_modules/{name}"] = entry
    lock = {"name": "app", "lockfileVersion": 3, "requires": True, "packages": entries}
    manifest = {"name": "app", **root, **(more or {})}
    return {"package.json": json.dumps(manifest), "package-lock.json": json.dumps(lock)}


@asynccontextmanager
async def opened_jail(
    host: str, folder: Path, *, patience: float = 10.0, least_free: int | None = None
) -> AsyncIterator[Jail]:
    """Open a jail whose first sandbox is the neighbour of all others."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        async with tiny_registry() as registry:
            made = Jail(host, folder, registry, patience=patience, least_free=least_free)
            try:
                await made.open(size=SIZES["lite"])
                yield made
            finally:
                await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jail(
    docker_host: str,
    docker_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Jail]:
    async with opened_jail(docker_host, tmp_path_factory.mktemp("jail")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_cell(jail: Jail) -> Cell:
    return await jail.open()


@pytest.fixture
def cell(shared_cell: Cell) -> Cell:
    """A sandbox that attacks may ruin; what it told before is forgotten."""
    for told in (shared_cell.lines, shared_cell.statuses, shared_cell.refused):
        told.clear()
    return shared_cell
