"""Puts the sandbox system together without any image registry: Debian's packages, wheels and npm packages, in a folder.

It runs the same scripts as the Dockerfile (resources/sandbox), the first and the last of them in a chroot. That
needs root, or sudo without a password; what runs as root runs under a supervisor, so it ends with us.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from vibedesk.base.aio import finish
from vibedesk.engine.sandboxes.docker.debian_sources import DebianSources, read_sources
from vibedesk.engine.sandboxes.docker.image_content import Recipe, docker_architecture
from vibedesk.engine.sandboxes.docker.image_progress import Progress
from vibedesk.engine.sandboxes.driver import SandboxError, SandboxUnavailableError
from vibedesk.engine.sandboxes.inside import supervisor

_GRACE_SECONDS = "1"
_LOW_BYTES = (
    16 << 20
)  # where a failed step left less room than this, the disk was full; not every tool says so
_NEEDED = "about 2 GB"
_LINE_BYTES = 1 << 20
_PREFIX = "image-making-"
_BUILD = "opt/vibedesk/build"
_ROOT_PATH = "/usr/sbin:/sbin"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

# debootstrap's own words say little; the reason is in its log.
_BOOTSTRAP = """
system=$1 suite=$2
shift 2
"$0" --variant=minbase "$suite" "$system" "$@" || {
    tail -n 10 "$system/debootstrap/debootstrap.log"
    exit 1
}
"""
# Run as root: $1 is the new system's folder, $2 the build folder, $3 what apt has to know.
_PACKAGES = f"""
mkdir -p "$1/{_BUILD}"
cp "$2/packages.sh" "$2/packages.txt" "$1/{_BUILD}/"
cp -r "$3/." "$1/etc/apt/"
chroot "$1" sh -c 'cd /{_BUILD} && exec sh packages.sh'
"""
_ARRANGE = f"""
rm -rf "$1/{_BUILD}"
mv "$2" "$1/{_BUILD}"
chroot "$1" sh -c 'cd /{_BUILD} && exec sh arrange.sh'
"""
_PACK = """
umask 022
exec tar --create --file="$2" --directory="$1" --numeric-owner --sort=name --exclude=./dev/* .
"""


async def require_assembly(architecture: str) -> None:
    """Find out whether this machine can put an image together for engines of the architecture.

    Raises:
        SandboxUnavailableError: it cannot; with the reason and what to do.
    """
    if sys.platform != "linux" or shutil.which("apt-get") is None:
        raise SandboxUnavailableError(
            "It can be put together from Debian packages on Debian and Ubuntu only.",
            remedy="Give Docker a way to an image registry.",
        )
    if architecture != docker_architecture(os.uname().machine):
        raise SandboxUnavailableError(
            f"It can be put together only for machines like this one; Docker runs on another kind ({architecture}).",
            remedy="Give that Docker a way to an image registry.",
        )
    if importlib.util.find_spec("pip") is None:
        raise SandboxUnavailableError(
            "Putting it together needs pip, which VibeDesk's Python does not have.",
            remedy=f"Run “{sys.executable} -m ensurepip”.",
        )
    if _debootstrap() is None:
        raise SandboxUnavailableError(
            "Putting it together needs the program debootstrap.",
            remedy="Run “sudo apt-get install debootstrap”.",
        )
    if not await _root_prefix():
        raise SandboxUnavailableError(
            "Putting it together needs root's rights, or sudo without a password.",
            remedy="Give Docker a way to an image registry.",
        )


async def assemble(recipe: Recipe, tar: Path, progress: Progress) -> None:
    """Put the system's root file system together and write it to `tar`.

    Everything on the way lies in a folder beside it, which is gone at the end, however that comes. Cancelled, it
    ends every process first.

    Raises:
        SandboxError: a step failed, the disk is full, or the package sources cannot be reached.
    """
    root = _Root(await _root_prefix() or (), progress)
    async with _folder(tar.parent, root) as folder:
        build, system, unfinished = folder / "build", folder / "system", folder / "image.tar"
        await asyncio.to_thread(recipe.write, build)
        sources = await asyncio.to_thread(read_sources, recipe.suite)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_install_system(root, recipe, sources, build, system, folder))
                group.create_task(_get_tools(root, build))
        except* SandboxError as failures:
            raise failures.exceptions[0] from None
        progress.tell("Putting everything in its place…")
        await root.sh("putting the programs in their places", _ARRANGE, system, build)
        progress.tell("Packing the image…")
        await root.sh("packing the image", _PACK, system, unfinished)
        await asyncio.to_thread(unfinished.replace, tar)


async def bootstrap(suite: str, system: Path, progress: Progress) -> None:
    """Put a bare Debian into the folder `system`.

    Raises:
        SandboxError: as `assemble`.
    """
    root = _Root(await _root_prefix() or (), progress)
    await _debootstrap_into(root, suite, await asyncio.to_thread(read_sources, suite), system)


async def remove_leftovers(folder: Path) -> None:
    """Remove what an assembling that was killed left in its folder. Nobody else may assemble there meanwhile."""
    for leftover in await asyncio.to_thread(lambda: list(folder.glob(f"{_PREFIX}*"))):
        root = _Root(await _root_prefix() or (), Progress(lambda _sentence: None))
        await root.remove(leftover)


async def _install_system(
    root: _Root,
    recipe: Recipe,
    sources: DebianSources,
    build: Path,
    system: Path,
    folder: Path,
) -> None:
    await _debootstrap_into(root, recipe.suite, sources, system)
    apt = folder / "apt"
    await asyncio.to_thread(sources.write, apt, bundle=Path(_BUNDLE))
    await root.sh("getting Debian's packages", _PACKAGES, system, build, apt)


async def _debootstrap_into(root: _Root, suite: str, sources: DebianSources, system: Path) -> None:
    mirror = [sources.mirror] if sources.mirror else []
    await root.run(
        "getting Debian's base system",
        ["sh", "-euc", _BOOTSTRAP, str(_debootstrap()), str(system), suite, *mirror],
        extra_env=sources.proxies,
    )


async def _get_tools(root: _Root, build: Path) -> None:
    # With this Python's pip and its settings: proxies, an own index, certificates.
    script = 'cd "$1" && exec sh tools.sh'
    await root.run(
        "getting Node, pnpm, uv and ruff",
        ["sh", "-euc", script, "sh", str(build)],
        extra_env={"PYTHON": sys.executable},
        as_root=False,
    )


class _Root:
    """Runs commands as root, each under a supervisor and in a mount namespace of its own.

    So a command that is broken off leaves neither processes nor mounts.
    """

    def __init__(self, prefix: Sequence[str], progress: Progress) -> None:
        self._prefix = prefix
        self._progress = progress

    async def sh(self, doing: str, script: str, *arguments: Path) -> None:
        """Run a shell script with its arguments `$1`, `$2` and so on."""
        await self.run(doing, ["sh", "-euc", script, "sh", *map(str, arguments)])

    async def run(
        self,
        doing: str,
        argv: Sequence[str],
        *,
        extra_env: dict[str, str] | None = None,
        as_root: bool = True,
    ) -> None:
        """Run a command to its end.

        Raises:
            SandboxError: it failed. `doing` says of what, as in “getting the packages”.
        """
        path = f"{os.environ.get('PATH', '')}:{_ROOT_PATH}"
        env = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": path, **(extra_env or {})}
        if as_root:
            # Inside the new system there is no other.
            env |= dict.fromkeys({"TMPDIR", "TMP", "TEMP"} & env.keys(), "/tmp")
        status, output = await self._supervised(argv, env, as_root=as_root)
        if status != 0:
            raise _step_error(doing, output)

    async def remove(self, folder: Path) -> None:
        """Remove a folder with what belongs to root in it."""
        with suppress(SandboxError):
            await self.sh("tidying up", 'rm -rf --one-file-system "$1"', folder)

    async def _supervised(
        self, argv: Sequence[str], env: dict[str, str], *, as_root: bool
    ) -> tuple[int, str]:
        flags = [_GRACE_SECONDS, "3", "0", "-1"]
        command = [sys.executable, "-I", "-S", supervisor.__file__, *flags]
        if as_root:
            carried = [f"{name}={env[name]}" for name in _CARRIED if name in env]
            command = [*self._prefix, "env", *carried, "sh", "-c", 'exec "$@" 3>&1', "sh", *command]
            command += ["unshare", "--mount", "--propagation", "private", *argv]
        else:
            command = ["sh", "-c", 'exec "$@" 3>&1', "sh", *command, *argv]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=env,
            limit=_LINE_BYTES,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            lines = [line async for line in self._lines(process.stdout)]
            await process.wait()
        except asyncio.CancelledError:
            process.stdin.close()  # the supervisor ends the command with everything it started
            await finish(_drain(process))
            raise
        word, _, number = lines.pop().partition(" ") if lines else ("", "", "")
        return (int(number) if word == "exit" else 1), "\n".join(lines)

    async def _lines(self, stream: asyncio.StreamReader) -> AsyncIterator[str]:
        while raw := await stream.readline():
            line = raw.decode(errors="replace").rstrip()
            self._progress.take(line)
            yield line


# What sudo would take away and the tools need: where the network and its certificates are.
_CARRIED = ("PATH", "LC_ALL", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(_LINE_BYTES):
        pass
    await process.wait()


@asynccontextmanager
async def _folder(parent: Path, root: _Root) -> AsyncIterator[Path]:
    folder = parent / f"{_PREFIX}{secrets.token_hex(4)}"
    await asyncio.to_thread(folder.mkdir, parents=True, mode=0o755)
    try:
        yield folder
    finally:
        await finish(root.remove(folder))


async def _root_prefix() -> tuple[str, ...] | None:
    """Return what makes a command run as root (`env` where nothing is needed), None where it is not possible."""
    if os.geteuid() == 0:
        return ("env",)
    if shutil.which("sudo") is None:
        return None
    asked = await asyncio.create_subprocess_exec(
        "sudo", "-n", "true",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return ("sudo", "-n") if await asked.wait() == 0 else None


def _debootstrap() -> str | None:
    # Debian keeps it where an ordinary person's PATH does not look.
    return shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:{_ROOT_PATH}")


def _step_error(doing: str, output: str) -> SandboxError:
    tail = "\n".join(output.splitlines()[-20:])
    if "no space left on device" in output.lower():
        return disk_full()
    return SandboxError(
        f"The sandbox image could not be made: {doing} did not work.",
        remedy="Most often the network or a proxy is in the way. Look at the last lines and try again.",
        code="sandbox_image",
        details={"log": tail},
        retryable=True,
    )


def disk_full() -> SandboxError:
    """The error of a full disk on this machine."""
    return SandboxError(
        "The disk is full: the sandbox image could not be made.",
        remedy=f"Free {_NEEDED} and try again.",
        code="disk_full",
    )
