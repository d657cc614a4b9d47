"""What Docker needs on the system at hand, as commands that a person can copy."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Platform = Literal["linux", "macos", "windows"]

_PROGRAM_FOLDERS = (
    "usr/bin",
    "usr/sbin",
    "usr/local/bin",
    "usr/local/sbin",
    "sbin",
    "bin",
    "snap/bin",
)
_INSTALL = {
    "debian": "apt install docker.io",
    "ubuntu": "apt install docker.io",
    "fedora": "dnf install moby-engine",
    "arch": "pacman -S docker",
    "suse": "zypper install docker",
    "opensuse": "zypper install docker",
    "alpine": "apk add docker",
    "void": "xbps-install docker",
    "amzn": "dnf install docker",
}
_WITHOUT_PACKAGE = {"rhel", "centos"}
"""They and what descends from them call themselves Fedora's kin, but have no Docker among their own packages."""
_STARTS_BY_ITSELF = {"debian", "ubuntu"}
"""Where installing a service starts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What of the system decides which commands are right."""

    platform: Platform = "linux"
    distributions: tuple[str, ...] = ()
    """`ID` and `ID_LIKE` of os-release, the nearest first."""
    label: str = ""
    """Its name, for people."""
    systemd: bool = False
    service: bool = False
    """There is a start script for the `service` command."""
    is_root: bool = False
    engine: bool = False
    """A Docker engine is installed."""
    client: bool = False
    """The docker command is installed."""
    podman: bool = False

    def command(self, words: str) -> str:
        """Return a command that needs root's rights."""
        return words if self.is_root else f"sudo {words}"

    @property
    def install(self) -> tuple[str, ...]:
        """The commands that install Docker and start it; empty where there are none."""
        for name in self.distributions:
            if name in _WITHOUT_PACKAGE:
                return ()
            if name in _INSTALL:
                install = self.command(_INSTALL[name])
                return (install,) if name in _STARTS_BY_ITSELF else (install, self.start_always)
        return ()

    @property
    def start(self) -> str:
        """The command that starts the engine now."""
        if self.systemd:
            return self.command("systemctl start docker")
        return self._start_without_systemd

    @property
    def start_always(self) -> str:
        """The command that starts the engine now and with the system."""
        if self.systemd:
            return self.command("systemctl enable --now docker")
        return self._start_without_systemd

    @property
    def restart(self) -> str:
        """The command that starts an engine anew that hangs; empty where there is none."""
        if self.systemd:
            return self.command("systemctl restart docker")
        return self.command("service docker restart") if self.service else ""

    @property
    def join_group(self) -> str:
        return self.command("usermod -aG docker $USER")

    @property
    def _start_without_systemd(self) -> str:
        if "alpine" in self.distributions:
            return self.command("rc-service docker start")
        return self.command("service docker start" if self.service else "dockerd &")


def find_system(root: Path = Path("/")) -> System:
    """Look at the system that is mounted at `root`. Blocking."""
    if sys.platform == "darwin":
        return System(platform="macos", client=shutil.which("docker") is not None)
    if sys.platform == "win32":
        return System(platform="windows", client=shutil.which("docker") is not None)
    release = _os_release(root)
    return System(
        distributions=(release.get("ID", ""), *release.get("ID_LIKE", "").split()),
        label=release.get("NAME", "this system"),
        systemd=(root / "run/systemd/system").is_dir(),
        service=(root / "etc/init.d/docker").is_file(),
        is_root=os.geteuid() == 0,
        engine=_has_program(root, "dockerd"),
        client=_has_program(root, "docker"),
        podman=_has_program(root, "podman"),
    )


def _has_program(root: Path, name: str) -> bool:
    """Whether a program is installed; those of root are in folders that a person's PATH leaves out."""
    here = root == Path("/") and shutil.which(name) is not None
    return here or any((root / folder / name).is_file() for folder in _PROGRAM_FOLDERS)


def _os_release(root: Path) -> dict[str, str]:
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    return {}
