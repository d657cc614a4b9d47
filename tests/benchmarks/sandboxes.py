"""How long a person waits for a Docker sandbox, against the same done by hand with plain containers of the same image.

Everything runs in turn on one engine, the lock file installed once before on both sides; the limits are on the
medians' ratios. By hand means: a container as anybody would start it, `npm ci` with a warm cache, Vite started with
its own program, and a loop inside that asks for the page.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import docker
from docker.models.containers import Container

from tests.support.docker_engines import Dockerd, load_image
from vibedesk.base.resources import resource
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.diagnosis import find_endpoint
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
from vibedesk.engine.sandboxes.docker.docker_sandbox import DockerSandbox
from vibedesk.engine.sandboxes.driver import Exited, SandboxSpec
from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.egress.registries import find_registries
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.node import find_toolchains
from vibedesk.engine.sandboxes.ports import pick_port

RUNS = int(os.environ.get("RUNS", "7"))
PACKAGE = "lucide-react@1.75.0"
"""What the recorded sessions add most, and nearly 5,000 files."""
LIMITS = {
    "paused sandbox, page / Vite by hand": 1.5,
    "paused sandbox, page / npm ci and Vite by hand": 0.25,
    "one new package, page / npm ci and Vite by hand": 0.6,
    "cold sandbox, first command / docker run": 1.8,
    "sandbox from the pool, first command / docker run": 0.5,
}
_WAIT_FOR_PAGE = """
const http = require('http'), port = Number(process.argv[1]), began = Date.now()
const ask = () => http.get({ host: '127.0.0.1', port, headers: { accept: 'text/html' } },
  answer => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => setTimeout(ask, 10))
ask()
"""


@dataclass
class Figures:
    """Seconds by what was timed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    async def time(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        began = time.monotonic()
        await work()
        self.seconds.setdefault(what, []).append(time.monotonic() - began)

    def median(self, what: str) -> float:
        return statistics.median(self.seconds[what])


class ByHand:
    """A plain container with the starter in it, kept running between the runs."""

    def __init__(self, client: docker.DockerClient, image: str, folder: Path) -> None:
        certificates = os.environ.get("NODE_EXTRA_CA_CERTS", "")
        self._client = client
        self._image = image
        self._mounts = {str(folder): {"bind": "/starter", "mode": "ro"}}
        self._environment = {"npm_config_prefer_offline": "true", "npm_config_audit": "false"}
        if certificates:
            self._mounts[certificates] = {"bind": "/certificates.pem", "mode": "ro"}
            self._environment["NODE_EXTRA_CA_CERTS"] = "/certificates.pem"
        self.container: Container = client.containers.run(
            image, detach=True, network_mode="host", volumes=self._mounts,
            environment=self._environment, init=False,
        )  # fmt: skip
        self._run("cp -r /starter/. /app/")

    async def install(self) -> None:
        await asyncio.to_thread(self._run, "npm ci --no-audit --no-fund")

    async def serve(self) -> None:
        await asyncio.to_thread(self._serve, pick_port())

    async def run_true(self) -> None:
        await asyncio.to_thread(
            self._client.containers.run, self._image, ["true"], remove=True, network_mode="none"
        )

    def _serve(self, port: int) -> None:
        vite = f"node node_modules/vite/bin/vite.js --host 127.0.0.1 --port {port}"
        self.container.exec_run(
            ["sh", "-c", f"exec {vite} > /tmp/vite.log 2>&1"], detach=True, workdir="/app"
        )
        waited = self.container.exec_run(["node", "-e", _WAIT_FOR_PAGE, str(port)])
        assert waited.exit_code == 0, waited.output

    async def stop_server(self) -> None:
        await asyncio.to_thread(self.container.exec_run, ["pkill", "-f", "vite.js"])

    def _run(self, command: str) -> None:
        done = self.container.exec_run(["sh", "-c", command], workdir="/app")
        assert done.exit_code == 0, done.output.decode(errors="replace")[-2000:]


class OurSide:
    """The driver on the same engine."""

    def __init__(self, host: str, folder: Path) -> None:
        toolchain = find_toolchains()[0]
        registries = find_registries(toolchain.npm, os.environ)
        upstream = Upstream(os.environ)
        registry = NpmRegistry(folder / "npm", registries, upstream)
        self._folder = folder
        self._template = load_template("react-vite")
        self.driver = DockerDriver(
            DockerConnection(find_endpoint({"DOCKER_HOST": host})),
            owner=f"bench{uuid4().hex[:6]}",
            cache=folder / "cache",
            make_egress=lambda rules, refused: Egress(
                rules=rules, registries=registries, registry=registry, upstream=upstream, on_refused=refused
            ),
        )  # fmt: skip

    def spec(self) -> SandboxSpec:
        name = uuid4().hex
        folder = self._folder / "projects" / name
        shutil.copytree(resource("templates", "react-vite"), folder)
        return SandboxSpec(project_id=name, folder=folder, port=pick_port())

    async def open(self, spec: SandboxSpec) -> DockerSandbox:
        return await self.driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)

    async def first_command(self, spec: SandboxSpec) -> None:
        sandbox = await self.open(spec)
        assert [o async for o in sandbox.exec(["true"])] == [Exited(0)]

    async def page(self, sandbox: DockerSandbox, files: list[str]) -> None:
        """From files that were written to the page's answer."""
        await sandbox.push(files)
        await sandbox.start_server(self._template.dev_argv(sandbox.host, sandbox.spec.port))

    async def page_with_package(self, sandbox: DockerSandbox, files: list[str]) -> None:
        await sandbox.push(files)
        argv = self._template.add_argv([PACKAGE])
        outputs = [o async for o in sandbox.exec(argv, timeout=120)]
        assert outputs[-1] == Exited(0), outputs
        await sandbox.start_server(self._template.dev_argv(sandbox.host, sandbox.spec.port))

    def write_phase(self, folder: Path, number: int) -> list[str]:
        files = {
            f"src/components/Part{n}.tsx": f"export function Part{n}() {{ return <p>{number}</p> }}\n"
            for n in range(8)
        }
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return list(files)


async def measure(host: str, client: docker.DockerClient, image: str, folder: Path) -> Figures:
    figures = Figures()
    ours = OurSide(host, folder)
    hand = ByHand(client, image, resource("templates", "react-vite"))
    try:
        # Once before: the image, the layer, the caches of both sides, the package in the store.
        await ours.driver.prepare(print)
        warm = await ours.open(ours.spec())
        await ours.page_with_package(warm, [])
        await warm.remove()
        await hand.install()
        await hand.serve()
        await hand.stop_server()
        for number in range(RUNS):
            await figures.time("docker run", hand.run_true)
            spec = ours.spec()
            await figures.time("cold", lambda spec=spec: ours.first_command(spec))
            sandbox = await ours.open(spec)
            await figures.time("docker run", hand.run_true)
            assert await sandbox.pause(0.0)
            files = ours.write_phase(spec.folder, number)
            await figures.time("page", lambda s=sandbox, f=files: ours.page(s, f))
            await sandbox.stop_server()
            await figures.time("vite", hand.serve)
            await hand.stop_server()
            assert await sandbox.pause(0.0)
            files = ours.write_phase(spec.folder, number + 100)
            await figures.time("package", lambda s=sandbox, f=files: ours.page_with_package(s, f))
            await sandbox.remove()

            async def install_and_serve() -> None:
                await hand.install()
                await hand.serve()

            await figures.time("npm ci and vite", install_and_serve)
            await hand.stop_server()
        await ours.driver.warm(resource("templates", "react-vite"))
        for _ in range(RUNS):
            await ours.driver.warm(resource("templates", "react-vite"))
            spec = ours.spec()
            await figures.time("pool", lambda spec=spec: ours.first_command(spec))
            sandbox = await ours.open(spec)
            await ours.driver.warm(resource("templates", "react-vite"))
            await sandbox.remove()
            await figures.time("docker run", hand.run_true)
    finally:
        hand.container.remove(force=True)
        await ours.driver.remove_store()
        await ours.driver.aclose()
    return figures


def report(figures: Figures) -> bool:
    for what, seconds in figures.seconds.items():
        print(
            f"  {what:>16}: {statistics.median(seconds):6.3f} s  ({min(seconds):.3f} to {max(seconds):.3f})"
        )
    of = figures.median
    ratios = {
        "paused sandbox, page / Vite by hand": of("page") / of("vite"),
        "paused sandbox, page / npm ci and Vite by hand": of("page") / of("npm ci and vite"),
        "one new package, page / npm ci and Vite by hand": of("package") / of("npm ci and vite"),
        "cold sandbox, first command / docker run": of("cold") / of("docker run"),
        "sandbox from the pool, first command / docker run": of("pool") / of("docker run"),
    }
    good = True
    for name, limit in LIMITS.items():
        good = good and ratios[name] <= limit
        print(f"  {name}: {ratios[name]:.2f}  (limit {limit})")
    return good


def main() -> int:
    with (
        tempfile.TemporaryDirectory(prefix="vibedesk-bench-") as folder,
        Dockerd() as engine,
    ):
        client = engine.client()
        image = load_image(client)
        figures = asyncio.run(measure(engine.host, client, image, Path(folder)))
        (Path(folder) / "figures.json").write_text(json.dumps(figures.seconds))
    good = report(figures)
    print("within the limits" if good else "OVER THE LIMITS")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
