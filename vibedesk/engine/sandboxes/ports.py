"""Ports on 127.0.0.1: choosing one for a project, and who holds one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import sys
from collections.abc import Container
from pathlib import Path

from vibedesk.engine.sandboxes.driver import PortInUseError, SandboxError

HOST = "127.0.0.1"
# Above the usual servers, below what systems hand out for outgoing connections (which a lasting port must
# not meet), and free of the ports that browsers refuse.
_PORTS = range(20_000, 30_000)
_LISTENING = "0A"


def pick_port(taken: Container[int] = ()) -> int:
    """Return a port that is free now and not in `taken` (other projects' ports).

    Raises:
        SandboxError: there is none.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        if port not in taken and not is_port_in_use(port):
            return port
    raise SandboxError(
        f"No port between {_PORTS.start} and {_PORTS.stop - 1} is free on this machine.",
        remedy="End programs that listen on many ports, or delete projects.",
    )


def is_port_in_use(port: int) -> bool:
    """Whether a program listens on the port, on 127.0.0.1 or on all addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # else connections that just ended would count, and Node sets it too
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


async def wait_until_free(port: int, timeout: float) -> None:
    """Return once the port is free: a predecessor's last moments are waited for.

    Raises:
        PortInUseError: it still is in use after `timeout` seconds; names who holds it where that can be seen.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while is_port_in_use(port):
        if asyncio.get_running_loop().time() >= deadline:
            raise await port_in_use_error(port)
        await asyncio.sleep(0.1)


async def port_in_use_error(port: int) -> PortInUseError:
    """Return the error that names who holds the port where that can be seen."""
    holder = await asyncio.to_thread(port_holder, port)
    who = f"by {holder}" if holder else "by another program"
    return PortInUseError(
        f"The app's port {port} on 127.0.0.1 is in use {who}.",
        remedy="End that program, then try again.",
        details={"port": str(port), "holder": holder},
    )


def port_holder(port: int) -> str:
    """Return `name (process 123)` of the program that listens on the port; empty if it cannot be seen. Blocking."""
    if sys.platform != "linux":
        return ""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return ""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _holds(process, sockets):
            with contextlib.suppress(OSError):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes


def _holds(process: Path, sockets: set[str]) -> bool:
    try:
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return True
    except OSError:  # another user's, or gone
        return False
    return False
