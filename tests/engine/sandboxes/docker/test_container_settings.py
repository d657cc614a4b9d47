"""What `docker inspect` says of every container and volume of ours: field by field, and that there is nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.engine.sandboxes.docker.hostile import (
    MIB,
    TINY,
    Cell,
    Jail,
    locked_project,
    on_one_loop,
    settles,
)
from vibedesk.engine.sandboxes.docker import containers
from vibedesk.engine.sandboxes.sizes import SandboxSize

pytestmark = [on_one_loop, pytest.mark.timeout(120)]

# What the engine fills in by itself, on cgroup v1 and v2, old and new.
BY_THE_ENGINE: dict[str, tuple[Any, ...]] = {
    "CgroupnsMode": ("host", "private"),
    "ConsoleSize": ([0, 0],),
    "Isolation": ("", "default"),
    "RestartPolicy": ({"Name": "", "MaximumRetryCount": 0}, {"Name": "no", "MaximumRetryCount": 0}),
    "Runtime": ("runc", "crun"),
    "ShmSize": (64 * MIB,),
}
MASKED = {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"}
READ_ONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
CLOSED: dict[str, Any] = {
    "NetworkMode": "none",
    "ReadonlyRootfs": True,
    "CapDrop": ["ALL"],
    "SecurityOpt": [
        "no-new-privileges"
    ],  # a seccomp profile would be named here; the default one is in use
    "IpcMode": "private",
    "LogConfig": {"Type": "none", "Config": {}},
    "Init": False,
}
# Said here although everything that is not listed has to be empty: nobody shall have to look for them.
NEVER = (
    *("Privileged", "CapAdd", "Binds", "VolumesFrom", "PortBindings", "PublishAllPorts", "PidMode"),
    *("UTSMode", "UsernsMode", "Devices", "DeviceRequests", "DeviceCgroupRules", "ExtraHosts"),
    *("Links", "GroupAdd", "AutoRemove", "OomKillDisable", "Dns", "DnsSearch", "Sysctls"),
)


def limits(size: SandboxSize) -> dict[str, Any]:
    return {
        "Memory": size.memory,
        "MemorySwap": size.memory,
        "NanoCpus": int(size.cpus * 1e9),
        "PidsLimit": size.processes,
        "OomScoreAdj": 500,
        "Tmpfs": {
            "/tmp": f"rw,nosuid,nodev,size={min(512 * MIB, size.memory // 2)},mode=1777",
            "/run": "rw,nosuid,nodev,noexec,size=16m,mode=755",
        },
        "Ulimits": [
            {"Name": "fsize", "Soft": size.file, "Hard": size.file},
            {"Name": "nofile", "Soft": 16 * 1024, "Hard": 16 * 1024},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
    }


def volumes(*places: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"Type": "volume", "Source": name, "Target": target, "VolumeOptions": {"NoCopy": True}}
        for name, target in places
    ]


def check_host_config(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check every field there is: as expected, as the engine fills it in, or empty."""
    found = dict(found)
    assert set(found.pop("MaskedPaths")) >= MASKED
    assert set(found.pop("ReadonlyPaths")) >= READ_ONLY
    mounts = found.pop("Mounts")
    assert [_without_empty(mount) for mount in mounts] == expected.pop("Mounts")
    assert {name: found.get(name) for name in expected} == expected
    for name, value in found.items():
        if name in BY_THE_ENGINE:
            assert value in BY_THE_ENGINE[name], name
        elif name not in expected:
            assert not value, f"{name} is {value}"
    assert not [name for name in NEVER if found.get(name) and name not in expected]


def _without_empty(mount: dict[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in mount["VolumeOptions"].items() if name == "NoCopy"}
    return {**mount, "VolumeOptions": options}


def check_rest(attributes: dict[str, Any], image: str) -> None:
    """Check what is alike for all of them."""
    config = attributes["Config"]
    assert config["Image"] == image
    assert config["Entrypoint"] == ["tini", "--"]
    assert config["Cmd"] == ["sleep", "infinity"]
    assert {entry.partition("=")[0] for entry in config["Env"]} == {"PATH", "HOME", "LANG"}
    assert not [
        name
        for name in ("Domainname", "AttachStdin", "Tty", "OpenStdin", "Volumes", "ExposedPorts")
        if config.get(name)
    ]
    network = attributes["NetworkSettings"]
    assert set(network["Networks"]) == {"none"}
    assert not network["Ports"]
    assert not network["Networks"]["none"]["IPAddress"]
    assert not network["Networks"]["none"]["Gateway"]


def mounted(attributes: dict[str, Any]) -> dict[str, str]:
    assert all(mount["Type"] == "volume" for mount in attributes["Mounts"])
    assert all(mount["Driver"] == "local" for mount in attributes["Mounts"])
    return {mount["Destination"]: mount["Name"] for mount in attributes["Mounts"]}


async def test_a_running_sandbox(jail: Jail, cell: Cell, docker_image: str) -> None:
    attributes = jail.client.api.inspect_container(cell.container)
    key = cell.docker.key
    app, home = containers.volume_names(jail.owner, key)
    expected = {
        **CLOSED,
        **limits(cell.docker.size),
        "Mounts": volumes((app, "/app"), (home, "/home/app")),
    }
    check_host_config(attributes["HostConfig"], expected)
    check_rest(attributes, docker_image)
    assert mounted(attributes) == {"/app": app, "/home/app": home}
    config = attributes["Config"]
    assert config["User"] == containers.USER
    assert 0 not in map(int, config["User"].split(":"))
    assert config["Hostname"] == "sandbox"
    assert attributes["Name"] == f"/vibedesk-{jail.owner}-{cell.docker.spec.project_id.lower()}"
    assert _ours(config["Labels"]) == {
        "dev.vibedesk.home": jail.owner,
        "dev.vibedesk.role": "sandbox",
        "dev.vibedesk.key": key,
        "dev.vibedesk.layer": "none",
        "dev.vibedesk.image-tag": docker_image,
        "dev.vibedesk.size": f"1-{TINY.memory}-{TINY.processes}-{TINY.disk}",
    }


def _ours(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels without the image's own."""
    return {
        name: value
        for name, value in labels.items()
        if name not in ("dev.vibedesk.image", "dev.vibedesk.system")
    }


async def test_the_volumes_of_a_sandbox(jail: Jail, cell: Cell) -> None:
    key, store = cell.docker.key, str(jail.store)
    app, home = (jail.client.volumes.get(n).attrs for n in containers.volume_names(jail.owner, key))
    folder = f"{store}/sandboxes/{key}"
    assert app["Options"] == {
        "type": "overlay",
        "device": "overlay",
        "o": f"lowerdir={store}/layers/none,upperdir={folder}/upper,workdir={folder}/work,redirect_dir=on",
    }
    assert home["Options"] == {"type": "none", "o": "bind", "device": f"{folder}/home"}
    for volume in (app, home):
        assert volume["Driver"] == "local"
        assert volume["Labels"] == {
            "dev.vibedesk.home": jail.owner,
            "dev.vibedesk.role": "volume",
            "dev.vibedesk.key": key,
            "dev.vibedesk.layer": "none",
        }


async def test_the_keeper(jail: Jail, docker_image: str) -> None:
    """The one that sees every sandbox's files runs nobody else's program, and has no more than that takes."""
    attributes = jail.client.api.inspect_container(f"vibedesk-{jail.owner}-keeper")
    store = containers.store_name(jail.owner)
    expected = {
        **CLOSED,
        "CapAdd": ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
        "Mounts": volumes((store, "/store")),
        "Memory": 512 * MIB,
        "MemorySwap": 512 * MIB,
        "PidsLimit": 256,
        "Tmpfs": {"/tmp": "rw,nosuid,nodev,size=16m,mode=1777"},
    }
    check_host_config(attributes["HostConfig"], expected)
    check_rest(attributes, docker_image)
    assert mounted(attributes) == {"/store": store}
    config = attributes["Config"]
    assert config["User"] == "0:0"
    assert config["Hostname"] == "keeper"
    assert _ours(config["Labels"]) == {
        "dev.vibedesk.home": jail.owner,
        "dev.vibedesk.role": "keeper",
        "dev.vibedesk.image-tag": docker_image,
    }
    (volume,) = [v for v in jail.client.volumes.list() if v.name == store]
    assert not volume.attrs["Options"]
    assert volume.attrs["Labels"] == {"dev.vibedesk.home": jail.owner, "dev.vibedesk.role": "store"}
    ran = await asyncio.to_thread(jail.client.containers.get(attributes["Id"]).top)
    # One that ended and is not yet collected has no command line any more: its name stands in brackets.
    commands = [row[-1] for row in ran["Processes"] if "<defunct>" not in row[-1]]
    words = {command.split()[0].rpartition("/")[2] for command in commands}
    assert words <= {"tini", "sleep", "python3", "find", "rm"}


async def test_a_sandbox_in_which_packages_are_made(jail: Jail, docker_image: str) -> None:
    jail.registry.publish("held", "1.0.0")
    jail.registry.hold = asyncio.Event()
    opening = asyncio.create_task(jail.open(files=locked_project(jail, held="1.0.0")))

    async def builders() -> list[dict[str, Any]]:
        label = [f"dev.vibedesk.home={jail.owner}", "dev.vibedesk.role=build"]
        return await asyncio.to_thread(jail.client.api.containers, filters={"label": label})

    try:
        assert await settles(builders, bool)
        (found,) = await builders()
        attributes = jail.client.api.inspect_container(found["Id"])
    finally:
        jail.registry.hold.set()
        cell = await opening
        jail.registry.hold = None
    key = attributes["Config"]["Labels"]["dev.vibedesk.key"]
    app, home = containers.volume_names(jail.owner, key)
    expected = {
        **CLOSED,
        **limits(TINY),
        "Mounts": volumes((app, "/app"), (home, "/home/app")),
    }
    check_host_config(attributes["HostConfig"], expected)
    check_rest(attributes, docker_image)
    assert mounted(attributes) == {"/app": app, "/home/app": home}
    assert attributes["Config"]["User"] == containers.USER
    assert _ours(attributes["Config"]["Labels"])["dev.vibedesk.role"] == "build"
    assert not await builders()
    assert not [name for name in await asyncio.to_thread(jail.everything) if "build" in name]
    await cell.sandbox.remove()


async def test_there_is_nothing_else_of_ours(jail: Jail, cell: Cell) -> None:
    cells = [each for each in jail.cells if each.docker.key]
    assert cell in cells
    expected = {f"vibedesk-{jail.owner}-keeper", containers.store_name(jail.owner)}
    for each in cells:
        expected.add(containers.container_name(jail.owner, each.docker.spec.project_id))
        expected.update(containers.volume_names(jail.owner, each.docker.key))
    assert await asyncio.to_thread(jail.everything) == expected
