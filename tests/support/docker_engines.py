"""Docker engines for tests: `Dockerd` starts one of its own; `docker_host` is one that all tests share.

A test module gets the fixtures by importing them:

    from tests.support.docker_engines import docker_client, docker_host  # noqa: F401

The engines have no bridge, no firewall rules and no way to an image registry, so their containers run with
`network_mode="none"` (or `"host"` for a build). The shared engine keeps running when the tests are done, and its
data stay, since the image takes a minute to make; several test processes use it at once. On a disk that is there for
one run only, it ends with the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Self, TypeVar

import docker
import pytest
import requests
from docker.errors import DockerException

from tests.support.places import DISK, FOR_ONE_RUN, KEPT
from vibedesk.engine.sandboxes.docker.image import ensure_image, remove_old_images
from vibedesk.engine.sandboxes.docker.image_content import read_content
from vibedesk.engine.sandboxes.ports import pick_port

T = TypeVar("T")

START_SECONDS = 40.0
STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_SHARED = KEPT / "docker"
_NOWHERE = "http://127.0.0.1:9"  # the engine's way to registries: nobody listens there


class Dockerd:
    """One Docker engine in folders of its own. Needs root; see `why_not`.

    Args:
        folder: Where its data, state, socket and log go; on a file system that overlayfs can use. Its path must
            be short, since a socket's may have no more than 107 bytes. None makes one that `close` removes.
        port: Listens on this port of 127.0.0.1 instead of a socket; 0 chooses a free one.
        data: Where its data go, if not into `folder` (a small file system, for example).
        hidden: Folders of this machine that are empty for it, as they are for an engine elsewhere.
        arguments: Further arguments of dockerd.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int | None = None,
        data: Path | None = None,
        hidden: tuple[Path, ...] = (),
        arguments: tuple[str, ...] = (),
    ) -> None:
        self._own_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="vd-docker-", dir=DISK))
        self.data = data or self.folder / "data"
        self._state = self.folder / "exec"
        self._pid_file = self.folder / "docker.pid"
        self._port = free_port() if port == 0 else port
        self._hidden = hidden
        self._arguments = arguments

    @property
    def host(self) -> str:
        """What DOCKER_HOST is set to for it."""
        if self._port is not None:
            return f"tcp://127.0.0.1:{self._port}"
        return f"unix://{self.folder / 'docker.sock'}"

    @property
    def log(self) -> str:
        """What it has printed."""
        path = self.folder / "dockerd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if str(self._pid_file) in _command_line(pid) else None

    def client(self, *, timeout: float = 60) -> docker.DockerClient:
        """A new client; the caller closes it."""
        return docker.DockerClient(base_url=self.host, timeout=timeout)  # type: ignore[arg-type]

    def start(self) -> Self:
        """Start it, if it does not run, and wait until it answers."""
        if self.pid is None:
            self._clear_remains()
            self.folder.mkdir(parents=True, exist_ok=True)
            self.data.mkdir(parents=True, exist_ok=True)
            with (self.folder / "dockerd.log").open("ab") as log:
                process = subprocess.Popen(
                    self._command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **_proxies()},
                    start_new_session=True,
                )
            # It outlives us, or `stop` ends it: somebody has to collect it, so that its end can be seen.
            threading.Thread(target=process.wait, daemon=True).start()
            self._wait_until_it_answers(process)
        return self

    def stop(self) -> None:
        """End it in order: its containers are stopped first."""
        if (pid := self.pid) is not None:
            _signal(pid, signal.SIGTERM)
            if not _wait(lambda: not _is_alive(pid), STOP_SECONDS):
                raise AssertionError(f"dockerd did not stop:\n{self.log[-4000:]}")

    def kill(self, *, containers: bool = True) -> None:
        """End it from one moment to the next, with its containerd and, if wanted, every container."""
        processes = [pid for pid in (self.pid,) if pid is not None]
        processes += [pid for pid, words in self._state_processes() if not _is_shim(words)]
        for pid in processes:
            _signal(pid, signal.SIGKILL)
        _wait(lambda: not any(_is_alive(pid) for pid in processes), STOP_SECONDS)
        if containers:
            self.kill_containers()

    def kill_containers(self) -> None:
        """End them and what runs them from under the engine, which goes on taking them for running."""
        shims = [pid for pid, _ in self._state_processes()]
        processes = [pid for shim in shims for pid in (*_descendants(shim), shim)]
        for pid in processes:
            _signal(pid, signal.SIGKILL)
        _wait(lambda: not any(_is_alive(pid) for pid in processes), STOP_SECONDS)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Remove it with all it has: processes, mounts and, if it made the folder itself, files."""
        with contextlib.suppress(AssertionError):
            self.stop()
        self.kill()
        self._clear_remains()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def _command(self) -> list[str]:
        return [
            *_without(self._hidden),
            str(shutil.which("dockerd")),
            f"--host={self.host}",
            f"--data-root={self.data}",
            f"--exec-root={self._state}",
            f"--pidfile={self._pid_file}",
            f"--config-file={self._config()}",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-masq=false",
            *self._arguments,
        ]

    def _config(self) -> Path:
        # The machine's own /etc/docker/daemon.json has nothing to say here.
        path = self.folder / "daemon.json"
        path.write_text("{}")
        return path

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        if not _wait(lambda: self.answers() or process.poll() is not None, START_SECONDS):
            raise AssertionError(f"dockerd does not answer:\n{self.log[-4000:]}")
        if process.poll() is not None:
            raise AssertionError(f"dockerd ended:\n{self.log[-4000:]}")

    def answers(self) -> bool:
        """Whether it answers now."""
        with contextlib.suppress(DockerException, requests.RequestException, OSError):
            client = self.client(timeout=5)
            try:
                return client.ping()
            finally:
                client.close()
        return False

    def _state_processes(self) -> list[tuple[int, str]]:
        """Its containerd and the shims: whatever names its state folder."""
        needle = f"{self._state}/"
        found = [(pid, _command_line(pid)) for pid in _processes()]
        return [(pid, words) for pid, words in found if needle in words and pid != os.getpid()]

    def _clear_remains(self) -> None:
        """Remove what a killed engine leaves: shims, mounts and its process id."""
        self.kill_containers()
        for mount in self._mounts():
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
        shutil.rmtree(self._state, ignore_errors=True)
        self._pid_file.unlink(missing_ok=True)

    def _mounts(self) -> list[str]:
        """What is mounted below its folders by itself and for containers, the innermost first."""
        roots = (f"{self.folder}/", f"{self.data}/")
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        mounts = [(words[4], words[3]) for words in (line.split() for line in lines)]
        given = str(self.data)  # the whole of a file system (root "/") was mounted there for it
        return [
            where
            for where, root in reversed(mounts)
            if f"{where}/".startswith(roots) and not (where == given and root == "/")
        ]


def _without(folders: tuple[Path, ...]) -> list[str]:
    """What starts a command in mounts of its own, in which these folders are empty."""
    if not folders:
        return []
    script = 'while [ "$1" != -- ]; do mount -t tmpfs none "$1"; shift; done; shift; exec "$@"'
    return ["unshare", "--mount", "sh", "-ec", script, "sh", *map(str, folders), "--"]


def why_not() -> str | None:
    """Why no engine can be started here, None if one can."""
    if os.geteuid() != 0:
        return "starting a Docker engine needs root"
    if shutil.which("dockerd") is None:
        return "dockerd is not installed"
    return None


def require_docker() -> None:
    """Skip the test where no engine can be started."""
    if reason := why_not():
        pytest.skip(reason)


def load_image(client: docker.DockerClient) -> str:
    """Bring the sandbox image into an engine and return its tag; the slow part is made once a machine."""
    kept = kept_images()
    making = ensure_image(client, print, folder=kept, keep_tar=kept)
    return _in_thread(lambda: asyncio.run(making))


def kept_images() -> Path:
    """Where the slow part of the image is kept: `ensure_image`'s `keep_tar`."""
    return _SHARED / "image"


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """DOCKER_HOST of the engine that all tests share; the sandbox image is in it."""
    require_docker()
    _SHARED.mkdir(parents=True, exist_ok=True)
    engine = Dockerd(_SHARED / "engine")
    with (
        (_SHARED / "users.lock").open("a") as users,
        (_SHARED / "start.lock").open("a") as starting,
    ):
        fcntl.flock(starting, fcntl.LOCK_EX)
        alone = _try_lock(users)
        engine.start()
        with contextlib.closing(engine.client(timeout=120)) as client:
            if alone:
                _tidy(client)
            load_image(client)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield engine.host
        if FOR_ONE_RUN:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if _try_lock(users):  # nobody else uses it any more
                engine.close()


@pytest.fixture(scope="session")
def docker_image(docker_host: str) -> str:
    """The tag of the sandbox image in the shared engine."""
    with contextlib.closing(docker.DockerClient(base_url=docker_host)) as client:
        return load_image(client)


@pytest.fixture
def docker_client(docker_host: str) -> Iterator[docker.DockerClient]:
    """A client of the shared engine."""
    with contextlib.closing(docker.DockerClient(base_url=docker_host)) as client:
        yield client


def _tidy(client: docker.DockerClient) -> None:
    """Remove what earlier tests left; nobody uses the engine now."""
    for container in client.containers.list(all=True):
        with contextlib.suppress(DockerException):
            container.remove(force=True, v=True)
    for volume in client.volumes.list():
        with contextlib.suppress(DockerException):
            volume.remove(force=True)
    _in_thread(lambda: asyncio.run(remove_old_images(client)))
    present = read_content(platform.machine()).system.fingerprint
    for tar in kept_images().glob("system-*.tar"):
        if present not in tar.name:
            tar.unlink()


def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` where no event loop is, and bring back what comes of it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _proxies() -> dict[str, str]:
    names = ("http_proxy", "https_proxy")
    return {name: _NOWHERE for known in names for name in (known, known.upper())}


def free_port() -> int:
    # None of those that the system gives to connections: nobody has it until it is listened on, a while later.
    return pick_port()


def _wait(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)  # there is nothing to wait on: the process is not our child
    return True


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _command_line(pid: int) -> str:
    """The words of a living process; "" when it is gone or only waits to be collected."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""


def _is_alive(pid: int) -> bool:
    """Whether it has not ended; one that only waits to be collected has."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def _is_shim(words: str) -> bool:
    return "containerd-shim" in words.split(" ", 1)[0]


def _descendants(pid: int) -> list[int]:
    try:
        children = [
            int(child)
            for path in Path(f"/proc/{pid}/task").glob("*/children")
            for child in path.read_text().split()
        ]
    except OSError:
        return []
    return [found for child in children for found in (*_descendants(child), child)]


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
