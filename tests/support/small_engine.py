"""A Docker engine whose disk is small enough to be filled.

A test module gets the fixture by importing it:

    from tests.support.small_engine import small  # noqa: F401
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.docker_engines import Dockerd, load_image, require_docker
from tests.support.places import DISK

_BYTES = 3 * 1024**3 // 2


@dataclass(frozen=True)
class SmallEngine:
    """An engine, and the file system of its own that its data are on."""

    engine: Dockerd
    disk: Path

    def fill(self) -> None:
        """Take every block that is left, also those that are free only when the system has put all on the disk."""
        path = self.disk / f"filler-{len(self._fillers)}"
        for piece in (1024 * 1024, 4096, 4096, 4096):
            with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(piece))
            os.sync()

    def free(self) -> None:
        """Give back what was taken."""
        for filler in self._fillers:
            filler.unlink()

    @property
    def _fillers(self) -> list[Path]:
        return sorted(self.disk.glob("filler-*"))


@pytest.fixture
def small() -> Iterator[SmallEngine]:
    """The engine, with the sandbox image."""
    require_docker()
    folder = DISK / f"vd-small-{os.getpid()}"
    disk, image = folder / "disk", folder / "image"
    disk.mkdir(parents=True)
    try:
        with image.open("wb") as file:
            file.truncate(_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, disk], check=True)
        with Dockerd(data=disk) as engine:
            with contextlib.closing(engine.client(timeout=120)) as client:
                load_image(client)
            yield SmallEngine(engine, disk)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=False, capture_output=True)
        image.unlink()
        disk.rmdir()
        folder.rmdir()
