"""What a look at a Docker engine found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DockerState(StrEnum):
    """What was found."""

    WORKS = "works"
    NOT_INSTALLED = "not_installed"
    NOT_RUNNING = "not_running"
    NO_PERMISSION = "no_permission"
    TOO_OLD = "too_old"
    WRONG_KIND = "wrong_kind"
    """It runs Windows containers, or is reached in a way that VibeDesk does not know."""
    UNREACHABLE = "unreachable"
    TLS = "tls"
    SSH = "ssh"
    NOT_ANSWERING = "not_answering"
    NOT_DOCKER = "not_docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHealth:
    """One look at one engine. What is not known is empty or 0."""

    state: DockerState
    message: str
    """What was found, in a sentence."""
    remedy: str = ""
    """What to do; also where it works, if something works less well than it could."""
    commands: tuple[str, ...] = ()
    """The commands of the remedy, in order, for a person to copy."""
    version: str = ""
    api_version: str = ""
    engine: str = ""
    """Which one, for people: `Docker 28.1 on this machine`."""
    architecture: str = ""
    is_remote: bool = False
    is_podman: bool = False
    is_rootless: bool = False
    cpus: int = 0
    memory: int = 0
    """Bytes."""
    data_root: str = ""
    """The folder with its data, where that is on this machine."""
    missing_limits: tuple[str, ...] = ()
    """What it cannot limit: memory, CPU, processes, system calls."""

    @property
    def usable(self) -> bool:
        return self.state is DockerState.WORKS

    @property
    def shortcoming(self) -> str:
        """What it cannot limit, in a sentence; empty where it can limit everything."""
        missing = " and ".join(self.missing_limits)
        return f"It cannot limit {missing}." if missing else ""
