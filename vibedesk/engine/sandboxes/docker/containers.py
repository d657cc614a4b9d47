"""Names, labels and settings of every Docker object that VibeDesk makes.

`owner` is a VibeDesk home's own id: two homes on one engine never touch each other's, and nothing without the label
is touched at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import docker
from docker.models.containers import Container
from docker.models.volumes import Volume
from docker.types import Mount, Ulimit

from vibedesk.engine.sandboxes.driver import SandboxError
from vibedesk.engine.sandboxes.sizes import SandboxSize

OWNER_LABEL = "dev.vibedesk.home"
ROLE_LABEL = "dev.vibedesk.role"
KEY_LABEL = "dev.vibedesk.key"
LAYER_LABEL = "dev.vibedesk.layer"
IMAGE_LABEL = "dev.vibedesk.image-tag"
SIZE_LABEL = "dev.vibedesk.size"

WORK = "/app"
HOME = "/home/app"
STORE = "/store"
USER = "61000:61000"
"""Not a person's number on any usual system: see `resources/sandbox/arrange.sh`."""

OVERLAYS = ("redirect_dir=on", "userxattr", "")
"""Options of an overlay, the best first, since package managers rename folders that lie in the layer.

The second is what an engine without root can mount; with none, the work folder begins empty.
"""

_MIB = 1024 * 1024
# When the machine itself runs out of memory, a sandbox goes before the person's own programs.
_OOM_SCORE = 500
_OPEN_FILES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFolders:
    """One sandbox's folders on the engine's side, and the volumes that show them to its container."""

    owner: str
    key: str
    layer: str
    """The packages under the work folder: a name in the store's `layers`."""
    mountpoint: str
    """Of the store, on the engine's side."""
    overlay: str
    """How the work folder lies on the layer: one of `OVERLAYS`."""

    @property
    def volumes(self) -> tuple[str, str]:
        return volume_names(self.owner, self.key)

    def make_volumes(self, client: docker.DockerClient) -> list[Mount]:
        """Make the volumes, where they are not there, and return how the container has them. Blocking."""
        root = f"{self.mountpoint}/sandboxes/{self.key}"
        if self.overlay:
            work = {
                "type": "overlay",
                "device": "overlay",
                "o": f"lowerdir={self.mountpoint}/layers/{self.layer},upperdir={root}/upper,"
                f"workdir={root}/work,{self.overlay}",
            }
        else:
            work = _bind(f"{root}/upper")
        labels = {**labels_of(self.owner, "volume"), KEY_LABEL: self.key, LAYER_LABEL: self.layer}
        return [
            _volume(client, name, target, options, labels)
            for name, target, options in zip(
                self.volumes, (WORK, HOME), (work, _bind(f"{root}/home")), strict=True
            )
        ]


def labels_of(owner: str, role: str) -> dict[str, str]:
    return {OWNER_LABEL: owner, ROLE_LABEL: role}


def containers_of(client: docker.DockerClient, owner: str, key: str = "") -> list[Container]:
    """Return this home's containers, or the one with this key. Blocking."""
    wanted = [f"{OWNER_LABEL}={owner}", *([f"{KEY_LABEL}={key}"] if key else ())]
    found = client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True)
    # Looked at again: to Podman, several labels of a filter are some of them.
    return [
        each for each in found if is_ours(each, owner) and key in ("", each.labels.get(KEY_LABEL))
    ]


def volumes_of(client: docker.DockerClient, owner: str) -> list[Volume]:
    """Return the volumes of this home's sandboxes. Blocking."""
    found = client.volumes.list(filters={"label": f"{OWNER_LABEL}={owner}"})
    return [
        each
        for each in found
        if is_ours(each, owner) and labels_on(each).get(ROLE_LABEL) == "volume"
    ]


def labels_on(thing: Container | Volume) -> dict[str, str]:
    labels = thing.labels if isinstance(thing, Container) else thing.attrs.get("Labels")
    return labels or {}


def is_ours(thing: Container | Volume, owner: str) -> bool:
    """Whether this home made a container or volume; what has only the name of one of ours was made by somebody else."""
    return labels_on(thing).get(OWNER_LABEL) == owner


def not_ours_error(what: str) -> SandboxError:
    return SandboxError(
        f"Docker has a {what} that is not VibeDesk's.",
        remedy="Rename or remove it; VibeDesk does not touch what is not its own.",
    )


def store_name(owner: str) -> str:
    return f"vibedesk-{owner}-store"


def volume_names(owner: str, key: str) -> tuple[str, str]:
    """Return the names of a sandbox's two volumes: work folder and home."""
    return f"vibedesk-{owner}-{key}-app", f"vibedesk-{owner}-{key}-home"


def container_name(owner: str, what: str) -> str:
    """Return the container's name; `what` is a project's id, or says what it is for."""
    return f"vibedesk-{owner}-{what.lower()}"


def create_sandbox(
    client: docker.DockerClient,
    *,
    image: str,
    name: str,
    role: str,
    folders: SandboxFolders,
    size: SandboxSize,
) -> Container:
    """Create a sandbox's container with everything off that it does not need. Blocking."""
    labels = {
        **labels_of(folders.owner, role),
        KEY_LABEL: folders.key,
        LAYER_LABEL: folders.layer,
        IMAGE_LABEL: image,
        SIZE_LABEL: size_label(size),
    }
    return _create(
        client,
        image=image,
        name=name,
        user=USER,
        labels=labels,
        hostname="sandbox",
        host_config={
            **_closed(),
            "mounts": folders.make_volumes(client),
            "tmpfs": {
                "/tmp": f"rw,nosuid,nodev,size={min(512 * _MIB, size.memory // 2)},mode=1777",
                "/run": "rw,nosuid,nodev,noexec,size=16m,mode=755",
            },
            "shm_size": 64 * _MIB,
            "oom_score_adj": _OOM_SCORE,
            "ulimits": [
                Ulimit(name="fsize", soft=size.file, hard=size.file),
                Ulimit(name="nofile", soft=_OPEN_FILES, hard=_OPEN_FILES),
                Ulimit(name="core", soft=0, hard=0),
            ],
            **limits_of(size),
        },
    )


def size_label(size: SandboxSize) -> str:
    """Return what a container's limits are compared by."""
    return f"{size.cpus:g}-{size.memory}-{size.processes}-{size.disk}"


def limits_of(size: SandboxSize) -> dict[str, Any]:
    """Return the limits that can also be changed while the container runs."""
    return {
        "nano_cpus": int(size.cpus * 1_000_000_000),
        "mem_limit": size.memory,
        "memswap_limit": size.memory,
        "pids_limit": size.processes,
    }


def create_keeper(client: docker.DockerClient, *, image: str, owner: str) -> Container:
    """Create the one container that sees the store: our own program, no app's code. Blocking."""
    store = _volume(client, store_name(owner), STORE, {}, labels_of(owner, "store"))
    return _create(
        client,
        image=image,
        name=container_name(owner, "keeper"),
        user="0:0",
        labels={**labels_of(owner, "keeper"), IMAGE_LABEL: image},
        hostname="keeper",
        host_config={
            **_closed(),
            # Sandboxes' files belong to their user, and the keeper removes and measures them.
            "cap_add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
            "mounts": [store],
            "tmpfs": {"/tmp": "rw,nosuid,nodev,size=16m,mode=1777"},
            "mem_limit": 512 * _MIB,
            "memswap_limit": 512 * _MIB,
            "pids_limit": 256,
        },
    )


def _closed() -> dict[str, Any]:
    return {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        # The default seccomp profile stays: it is what is used where none is named.
        "security_opt": ["no-new-privileges"],
        "ipc_mode": "private",
        "log_config": {"type": "none", "config": {}},
        "init": False,
        "privileged": False,
    }


def _create(
    client: docker.DockerClient,
    *,
    image: str,
    name: str,
    user: str,
    labels: dict[str, str],
    hostname: str,
    host_config: dict[str, Any],
) -> Container:
    made = client.api.create_container(
        image,
        name=name,
        user=user,
        labels=labels,
        hostname=hostname,
        stdin_open=False,
        tty=False,
        use_config_proxy=False,  # the person's, with its password, would become the container's environment
        host_config=client.api.create_host_config(**host_config),
    )
    return client.containers.get(made["Id"])


def _bind(path: str) -> dict[str, str]:
    return {"type": "none", "o": "bind", "device": path}


def _volume(
    client: docker.DockerClient,
    name: str,
    target: str,
    options: dict[str, str],
    labels: dict[str, str],
) -> Mount:
    # Docker would make it with the container, too; Podman forgets options and labels then.
    client.volumes.create(name, driver="local", driver_opts=options, labels=labels)
    return Mount(target=target, source=name, type="volume", no_copy=True)
