"""Engines elsewhere: reached over TCP, TLS and ssh, with nothing shared but that one way to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil
import pytest

from tests.engine.sandboxes.contract import PACKAGES, SERVER, SandboxContract, fetch, run, texts
from tests.engine.sandboxes.docker.conftest import ROOT
from tests.engine.sandboxes.docker.homes import (
    DockerHome,
    Opened,
    egress_to,
    eventually,
    opened,
    things_of,
    write_project,
)
from tests.engine.sandboxes.egress.tiny_registry import tiny_registry
from tests.support.docker_engines import Dockerd, free_port, load_image, require_docker
from tests.support.podman_engine import podman_service
from tests.support.ssh_server import SshServer, ssh_server
from vibedesk.engine.sandboxes.docker.containers import KEY_LABEL, OWNER_LABEL, ROLE_LABEL
from vibedesk.engine.sandboxes.docker.diagnosis import find_endpoint
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver
from vibedesk.engine.sandboxes.driver import (
    Exited,
    SandboxEngineDownError,
    SandboxError,
    SandboxUnavailableError,
)

TEMPLATE = ROOT / "resources" / "templates" / "react-vite"
NOTICED_SECONDS = 30.0
NO_PACKAGES = "http://127.0.0.1:9/"


@asynccontextmanager
async def home_on(
    host: str, folder: Path, registry: str = NO_PACKAGES, environ: Mapping[str, str] | None = None
) -> AsyncIterator[DockerHome]:
    """A home on an engine of this module's own, which ends with all that it has."""
    async with egress_to(registry, folder / "tarballs") as make_egress:
        made = DockerHome(host, folder, make_egress, environ=environ or {})
        try:
            yield made
        finally:
            await made.close_drivers()


async def serves(place: Opened, token: str) -> None:
    """It runs commands, takes and gives files of some size, and shows its page here."""
    data = os.urandom(3_000_000)
    (place.folder / "there.bin").write_bytes(data)
    await place.sandbox.push(["there.bin"])
    assert (await run(place.sandbox, "cp", "there.bin", "back.bin"))[-1] == Exited(0)
    await place.sandbox.pull(["back.bin"])
    assert (place.folder / "back.bin").read_bytes() == data
    await place.script("server.mjs", SERVER)
    server = ["node", "server.mjs", str(place.port), token, ""]
    url = await place.sandbox.start_server(server)
    assert "it runs" in await asyncio.to_thread(fetch, url)


async def in_shell(place: Opened, words: str, environ: Mapping[str, str]) -> str:
    """What the shell that a person opens inside prints; without a terminal, since there is none here."""
    command = await place.sandbox.shell_command()
    done = await asyncio.to_thread(
        subprocess.run,
        ["-i" if word == "-it" else word for word in command],
        env={**os.environ, **environ},
        input=words,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def tcp_host() -> Iterator[str]:
    """An engine that has no socket, just a port, and sees no file of a test."""
    require_docker()
    with Dockerd(port=0, hidden=(Path(tempfile.gettempdir()), ROOT)) as engine:
        with contextlib.closing(engine.client(timeout=120)) as client:
            load_image(client)
        yield engine.host


class TestOverTcp(SandboxContract):
    """The whole contract, on an engine elsewhere."""

    @pytest.fixture
    async def driver(self, tcp_host: str, tmp_path: Path) -> AsyncIterator[DockerDriver]:
        async with home_on(tcp_host, tmp_path) as home:
            yield home.driver()


@pytest.mark.e2e
async def test_the_starter_installs_and_serves_over_tcp(
    tcp_host: str, npm_relay: str, tmp_path: Path
) -> None:
    async with home_on(tcp_host, tmp_path, npm_relay) as home:
        driver, spec = home.driver(), home.spec()
        shutil.copytree(TEMPLATE, spec.folder, dirs_exist_ok=True)
        place = await opened(driver, spec)
        assert await place.sandbox.has(PACKAGES)
        vite = ["node", "node_modules/vite/bin/vite.js", "--host", place.sandbox.host]
        url = await place.sandbox.start_server([*vite, "--port", str(spec.port)])
        assert '<div id="root">' in await asyncio.to_thread(fetch, url)
        assert "Ready when you are" in await asyncio.to_thread(fetch, f"{url}/src/App.tsx")


# -- TLS and contexts ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificates:
    """An authority's certificate, and with its signature a server's and a client's; and a client's of another one."""

    folder: Path

    @property
    def server(self) -> tuple[str, ...]:
        """The arguments with which dockerd wants TLS and knows its clients."""
        return (
            "--tlsverify",
            f"--tlscacert={self.folder}/ca.pem",
            f"--tlscert={self.folder}/server.pem",
            f"--tlskey={self.folder}/server-key.pem",
        )

    def client(self, name: str) -> Path:
        """A folder for DOCKER_CERT_PATH."""
        return self.folder / name


def make_certificates(folder: Path) -> Certificates:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    folder.mkdir()
    for authority in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={authority}",
                "-keyout", f"{authority}-key.pem", "-out", f"{authority}.pem")  # fmt: skip
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    for name, authority, kind in (
        ("server", "ca", "server"),
        ("friend", "ca", "client"),
        ("stranger", "other-ca", "client"),
    ):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}-key.pem", "-out", f"{name}.csr")  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}-key.pem",
                "-CAcreateserial", "-days", "2", "-extfile", f"{kind}.ext", "-out", f"{name}.pem")  # fmt: skip
        if kind == "client":
            (folder / name).mkdir()
            shutil.copy(folder / "ca.pem", folder / name / "ca.pem")
            shutil.copy(folder / f"{name}.pem", folder / name / "cert.pem")
            shutil.copy(folder / f"{name}-key.pem", folder / name / "key.pem")
    return Certificates(folder)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def secure_engine(certificates: Certificates) -> Iterator[tuple[Dockerd, str]]:
    """An engine with a socket, and a port that wants TLS; yields that port's address, too."""
    require_docker()
    host = f"tcp://127.0.0.1:{free_port()}"
    with Dockerd(arguments=(f"--host={host}", *certificates.server)) as engine:
        with contextlib.closing(engine.client(timeout=120)) as client:
            load_image(client)
        yield engine, host


@pytest.mark.parametrize("said_by", ["variable", "scheme"])
async def test_over_tls(
    secure_engine: tuple[Dockerd, str],
    certificates: Certificates,
    tmp_path: Path,
    token: str,
    said_by: str,
) -> None:
    _, host = secure_engine
    environ = {"DOCKER_CERT_PATH": str(certificates.client("friend"))}
    if said_by == "scheme":
        host = host.replace("tcp://", "https://")
    else:
        environ["DOCKER_TLS_VERIFY"] = "1"
    async with home_on(host, tmp_path, environ=environ) as home:
        place = await opened(home.driver(), home.spec())
        await serves(place, token)
        said = (await in_shell(place, "id -un; pwd", {"DOCKER_HOST": ""})).splitlines()
        assert said[-2:] == ["app", "/app"]


@pytest.mark.parametrize("who", ["stranger", "nobody"])
async def test_tls_lets_no_stranger_in(
    secure_engine: tuple[Dockerd, str], certificates: Certificates, tmp_path: Path, who: str
) -> None:
    _, host = secure_engine
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates.client("stranger"))}
    async with egress_to(NO_PACKAGES, tmp_path / "tarballs") as make_egress:
        home = DockerHome(host, tmp_path, make_egress, environ=environ if who == "stranger" else {})
        driver = home.driver()
        with pytest.raises(SandboxUnavailableError, match="TLS") as caught:
            await asyncio.wait_for(driver.check(), NOTICED_SECONDS)
        assert "DOCKER_CERT_PATH" in caught.value.remedy
        assert not isinstance(caught.value, SandboxEngineDownError)
        await driver.aclose()


async def test_over_a_docker_context(
    secure_engine: tuple[Dockerd, str], certificates: Certificates, tmp_path: Path, token: str
) -> None:
    """Made by the docker command, chosen with `docker context use`."""
    _, host = secure_engine
    friend = certificates.client("friend")
    environ = {"DOCKER_CONFIG": str(tmp_path / "docker-config")}
    facts = f"host={host},ca={friend}/ca.pem,cert={friend}/cert.pem,key={friend}/key.pem"
    for command in (("create", "stronger", "--docker", facts), ("use", "stronger")):
        making = await asyncio.create_subprocess_exec(
            *("docker", "context", *command),
            env={**os.environ, **environ},
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await making.wait() == 0
    endpoint = find_endpoint(environ)
    assert (endpoint.name, endpoint.host) == ("stronger", host)
    async with home_on("", tmp_path, environ=environ) as home:
        place = await opened(home.driver(), home.spec())
        await serves(place, token)


# -- ssh -------------------------------------------------------------------------------------------


@pytest.fixture
def ssh(secure_engine: tuple[Dockerd, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """An ssh server beside an engine. The person's `ssh` knows its key and has one that it accepts."""
    engine, _ = secure_engine
    socket = Path(engine.host.removeprefix("unix://"))
    folder = engine.folder / "ssh"
    try:
        with ssh_server(folder, socket) as server:
            monkeypatch.setenv("PATH", f"{server.commands}:{os.environ['PATH']}")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tunnels(server: SshServer) -> list[psutil.Process]:
    """The ssh programs that are connected to it."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline", "status"])
        if process.info["name"] == "ssh"
        and str(server.port) in (process.info["cmdline"] or [])
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


async def why_down(driver: DockerDriver) -> str:
    with pytest.raises(SandboxEngineDownError) as caught:
        await driver.check()
    return caught.value.message


async def answers_again(driver: DockerDriver) -> None:
    """Wait until it is noticed that the old way has ended, and a new one is open."""
    async with asyncio.timeout(NOTICED_SECONDS):
        while True:
            with contextlib.suppress(SandboxEngineDownError):
                await driver.check()
                return


async def test_over_ssh(ssh: SshServer, tmp_path: Path, token: str) -> None:
    async with home_on(f"ssh://root@127.0.0.1:{ssh.port}", tmp_path) as home:
        driver, spec = home.driver(), home.spec()
        place = await opened(driver, spec)
        await serves(place, token)

        # The way breaks in the middle of a command: the next use takes a new one.
        command = asyncio.create_task(run(place.sandbox, "sleep", "60", timeout=None))
        await asyncio.wait({command}, timeout=0.3)
        (tunnel,) = tunnels(ssh)
        tunnel.send_signal(signal.SIGKILL)
        with pytest.raises(SandboxError) as caught:
            await asyncio.wait_for(command, NOTICED_SECONDS)
        assert caught.value.code == "sandbox_lost"
        await answers_again(driver)
        await serves(place, token)

        # The machine is gone for a while.
        await asyncio.to_thread(ssh.stop)
        async with asyncio.timeout(NOTICED_SECONDS):
            while "over ssh: ssh: connect to host" not in await why_down(driver):
                pass  # the end of the old way is not noticed yet
        await asyncio.to_thread(ssh.start)
        await answers_again(driver)
        await serves(place, token)
    assert tunnels(ssh) == []


@pytest.mark.parametrize(
    ("why", "words"),
    [("key", "Permission denied"), ("host", "Host key verification failed"), ("client", "ssh")],
)
async def test_ssh_that_does_not_let_us_in_is_said(
    ssh: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str, words: str
) -> None:
    if why == "key":
        shutil.copy(ssh.folder / "other_key.pub", ssh.folder / "authorized_keys")
    elif why == "host":
        (ssh.folder / "known_hosts").write_text("")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    async with egress_to(NO_PACKAGES, tmp_path / "tarballs") as make_egress:
        home = DockerHome(f"ssh://root@127.0.0.1:{ssh.port}", tmp_path, make_egress)
        driver = home.driver()
        with pytest.raises(SandboxEngineDownError, match=words) as caught:
            await asyncio.wait_for(driver.check(), NOTICED_SECONDS)
        assert "ssh" in caught.value.remedy
        await driver.aclose()


# -- Podman ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def podman_host() -> Iterator[str]:
    """Podman's service with the sandbox image."""
    with podman_service() as host:
        with contextlib.closing(docker.DockerClient(base_url=host, timeout=120)) as client:
            load_image(client)
        yield host


class TestInPodman(SandboxContract):
    """The whole contract, in Podman's Docker-compatible service."""

    @pytest.fixture
    async def driver(self, podman_host: str, tmp_path: Path) -> AsyncIterator[DockerDriver]:
        async with home_on(podman_host, tmp_path) as home:
            yield home.driver()


async def test_podman_keeps_packages_ready_and_pauses(
    podman_host: str, tmp_path: Path, token: str
) -> None:
    async with tiny_registry() as registry:
        registry.publish("left", "1.0.0")
        async with home_on(podman_host, tmp_path, registry.address) as home:
            driver = home.driver(pool_size=1)
            starter = tmp_path / "starter"
            write_project(starter, registry, {"left": "1.0.0"})
            await driver.warm(starter)
            spec = home.spec()
            write_project(spec.folder, registry, {"left": "1.0.0"})
            place = await opened(driver, spec)
            assert len((await driver.kept()).layers) == 1
            assert await place.sandbox.has(PACKAGES)
            assert texts(await run(place.sandbox, "node", "-p", "require('left')")) == [
                "left@1.0.0"
            ]
            await serves(place, token)
            assert await place.sandbox.pause(0)
            assert "it runs" in await asyncio.to_thread(fetch, place.sandbox.url)
            usage = await place.sandbox.usage()
            assert usage is not None
            assert usage.memory > 1_000_000
            await place.sandbox.remove()
            with contextlib.closing(docker.DockerClient(base_url=podman_host)) as client:
                # Its filters find what has one of several labels: others' things stay all the same.
                labels = {OWNER_LABEL: "somebody-else", ROLE_LABEL: "volume", KEY_LABEL: "1"}
                client.volumes.create("vibedesk-somebody-else-1-app", labels=labels)
                await driver.tidy(frozenset())
                assert things_of(client, "somebody-else").volumes
                # The store's, and those of the sandbox that waits for the next project.
                await eventually(
                    lambda: len(things_of(client, home.owner).volumes) == 3,
                    "nothing else is left",
                    seconds=60,  # Podman takes seconds for each thing that it removes
                )
