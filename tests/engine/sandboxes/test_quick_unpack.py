"""npm, made quick, on a disk that has no room: it fails and says why, and what it left is no package to its next run."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.engine.sandboxes.egress.tiny_registry import tiny_registry
from vibedesk.base.resources import resource
from vibedesk.engine.sandboxes.environment import common_environment
from vibedesk.engine.sandboxes.node import find_toolchains

OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]

pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*OWN_MOUNTS, "true"], stderr=subprocess.DEVNULL, check=False).returncode
    != 0,
    reason="a disk of one's own cannot be mounted by this user here",
)

MIB = 1024 * 1024
LARGE = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz012345", k=3 * MIB))
NEEDS = pytest.mark.parametrize("needs", ["dependencies", "optionalDependencies"])

ON_SMALL_DISK = """
mount -t tmpfs -o "$1" none "$2" || exit 99
mkdir "$2/app" "$2/home" "$2/tmp" && cp package.json "$2/app" && cd "$2/app" || exit 99
head -c "$3" /dev/zero > "$2/filler"
shift 3
"$@"
echo "status $?"
rm ../filler
"$@"
echo "status $?"
if [ -e node_modules/large ]; then wc -c < node_modules/large/index.js; fi
"""


async def installed_twice(folder: Path, disk: str, filler: int, **manifest: dict[str, str]) -> str:
    """Install packages where there is too little room, and again without what fills the disk; return what is said."""
    small = folder / "small"
    small.mkdir()
    (folder / "package.json").write_text(json.dumps({"name": "app", **manifest}))
    node = find_toolchains()[0]
    npm = [
        *map(str, (node.node, "--require", resource("sandbox", "quick_unpack.cjs"), node.npm[1]))
    ]
    environment = common_environment({}, home=str(small / "home"), temporary=str(small / "tmp"))
    shell = [*OWN_MOUNTS, "sh", "-c", ON_SMALL_DISK, "sh", disk, str(small), str(filler)]
    async with tiny_registry() as registry:
        registry.publish("large", "1.0.0", LARGE)
        done = await asyncio.to_thread(
            subprocess.run,
            [*shell, *npm, "install", "--registry", registry.address],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    return done.stdout


@NEEDS
@pytest.mark.parametrize("free", [1 * MIB, 3 * MIB, 5 * MIB])
async def test_a_full_disk_is_told_and_no_half_of_a_package_stays(
    tmp_path: Path, needs: str, free: int
) -> None:
    """Full before the package is in npm's cache, while it is written there, and while it is unpacked."""
    said = await installed_twice(
        tmp_path, "size=40m", 40 * MIB - free, **{needs: {"large": "1.0.0"}}
    )
    first, status, rest = said.partition("status ")
    assert status
    assert "ENOSPC" in first
    assert not rest.startswith("0")
    assert rest.split("status ")[-1].split() == ["0", str(len(LARGE))]


@NEEDS
@pytest.mark.parametrize("entries", [14, 18, 22])
async def test_a_cache_without_room_is_told(tmp_path: Path, needs: str, entries: int) -> None:
    said = await installed_twice(tmp_path, f"nr_inodes={entries}", 0, **{needs: {"large": "1.0.0"}})
    first, status, rest = said.partition("status ")
    assert status
    # npm's cache itself says of a folder that cannot be made that it exists.
    assert "ENOSPC" in first or "EEXIST" in first
    assert not rest.startswith("0")


@NEEDS
@pytest.mark.parametrize("entries", [100, 101])
async def test_a_folder_without_room_is_told_as_it_is(
    tmp_path: Path, needs: str, entries: int
) -> None:
    """The package is not taken for a spoilt one, which npm would throw away and fetch anew."""
    archive(tmp_path / "wide.tgz", folders=200)
    wide = {"wide": f"file:{tmp_path / 'wide.tgz'}"}
    said = await installed_twice(tmp_path, f"nr_inodes={entries}", 0, **{needs: wide})
    first, status, rest = said.partition("status ")
    assert status
    assert "ENOSPC" in first
    assert "corrupted" not in first
    assert not rest.startswith("0")


def archive(path: Path, *, folders: int) -> None:
    """Pack a package of so many folders with a file in each."""
    files = {"package.json": json.dumps({"name": path.stem, "version": "1.2.3"})}
    files |= {f"{number}/index.js": "" for number in range(folders)}
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(text), 0o644
            packed.addfile(entry, BytesIO(text.encode()))
