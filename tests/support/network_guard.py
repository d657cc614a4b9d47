"""Keeps the tests' own process off the network: sockets may connect to loopback only."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any


class NetworkForbiddenError(RuntimeError):
    """A test tried to reach another machine."""


def forbid_other_hosts() -> None:
    """Make every later connect and look-up of this process that leaves the machine raise.

    An audit hook sees asyncio, httpx and plain sockets alike; it stays until the process ends.
    """
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        connecting, address = arguments
        if connecting.family in (socket.AF_INET, socket.AF_INET6):
            _require_loopback(address[0])
    elif event == "socket.getaddrinfo":
        _require_loopback(arguments[0])


def _require_loopback(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or name in ("", "localhost") or name.endswith(".localhost"):
        return
    try:
        # The unspecified address means this machine when one connects to it, and all of it when one listens.
        address = ipaddress.ip_address(name.partition("%")[0])
        local = address.is_loopback or address.is_unspecified
    except ValueError:
        local = False
    if not local:
        raise NetworkForbiddenError(f"tests reach loopback only, not {name}")
