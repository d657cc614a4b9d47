"""What the sandbox image is made of: its files, its fingerprints, and what its Dockerfile says.

It is made in two steps: the *system* takes a minute or more and changes seldom; the image adds our own programs to
it, in a second.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vibedesk.base.resources import resource
from vibedesk.engine.sandboxes import inside

SYSTEM_LABEL = "dev.vibedesk.system"
"""Carried by every system of ours and every image on it; the value is the system's fingerprint."""
IMAGE_LABEL = "dev.vibedesk.image"
"""Carried by every image of ours; the value is its fingerprint."""

_DOCKERFILE = "Dockerfile"
_PROGRAMS_DOCKERFILE = "Dockerfile.programs"
_NOT_CONTENT = {"README.txt", _PROGRAMS_DOCKERFILE}
_CONFIGURING = ("ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD")
_FINGERPRINT_CHARS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one image is built from.

    Args:
        repository: The image's name.
        label: The label that carries its fingerprint.
        basis: What counts besides the files.
        files: Names below the build folder, with `/`, and bytes. One is `Dockerfile`.
        arguments: The build's arguments.
    """

    repository: str
    label: str
    basis: str
    files: Mapping[str, bytes]
    arguments: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """The same for the same content, wherever and whenever it is read."""
        digest = hashlib.sha256(self.basis.encode())
        for name, data in sorted(self.files.items()):
            digest.update(f"\0{name}\0{len(data)}\0".encode())
            digest.update(data)
        return digest.hexdigest()[:_FINGERPRINT_CHARS]

    @property
    def tag(self) -> str:
        """The image's name with its tag."""
        return f"{self.repository}:{self.fingerprint}"

    @property
    def labels(self) -> dict[str, str]:
        return {self.label: self.fingerprint}

    @property
    def base(self) -> str:
        """The image that the Dockerfile begins with, with its tag."""
        return _instructions(self._dockerfile, "FROM")[0].split()[1]

    @property
    def suite(self) -> str:
        """The Debian release of the base: `bookworm`."""
        return self.base.partition(":")[2].removesuffix("-slim")

    @property
    def configuration(self) -> list[str]:
        """The instructions that set the image's configuration, as an import takes them."""
        labels = [f"LABEL {name}={value}" for name, value in self.labels.items()]
        return [*_instructions(self._dockerfile, *_CONFIGURING), *labels]

    def context(self) -> bytes:
        """Return the files as an uncompressed tar."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, data in sorted(self.files.items()):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o644
                archive.addfile(entry, io.BytesIO(data))
        return packed.getvalue()

    def write(self, folder: Path) -> None:
        """Write the files below `folder`, which need not exist. Blocking."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    @property
    def _dockerfile(self) -> str:
        return self.files[_DOCKERFILE].decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContent:
    """Both steps.

    Args:
        architecture: As Docker names it: `amd64`, `arm64`.
    """

    architecture: str
    system: Recipe
    image: Recipe


def read_content(machine: str, folder: Path | None = None) -> ImageContent:
    """Read what the image for such a machine is made from: from `folder` or from VibeDesk's own. Blocking."""
    architecture = docker_architecture(machine)
    folder = folder or resource("sandbox")
    system = Recipe(
        repository="vibedesk-sandbox-system",
        label=SYSTEM_LABEL,
        basis=architecture,
        files=_read_system(folder),
        arguments={},
    )
    image = Recipe(
        repository="vibedesk-sandbox",
        label=IMAGE_LABEL,
        basis=system.fingerprint,
        files={
            _DOCKERFILE: (folder / _PROGRAMS_DOCKERFILE).read_bytes(),
            **_read_programs(),
        },
        arguments={"SYSTEM": system.tag},
    )
    return ImageContent(architecture=architecture, system=system, image=image)


def docker_architecture(machine: str) -> str:
    """Return Docker's name for what `uname` or an engine calls the machine."""
    known = {"x86_64": "amd64", "aarch64": "arm64"}
    return known.get(machine.lower(), machine.lower())


def _read_system(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in _NOT_CONTENT and "node_modules" not in path.parts
    }


def _read_programs() -> dict[str, bytes]:
    return {
        f"inside/{path.name}": path.read_bytes()
        for folder in inside.__path__
        for path in Path(folder).glob("*.py")
        if path.name != "__init__.py"
    }


def _instructions(dockerfile: str, *names: str) -> list[str]:
    return re.findall(rf"^(?:{'|'.join(names)}) .+$", dockerfile, re.MULTILINE)
