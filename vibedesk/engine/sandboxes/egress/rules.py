"""Which hosts an app inside a sandbox may reach. Pure: nothing here resolves or connects.

Two questions are asked of every request: may this name be reached at all (`decide`), and, once it is
resolved, is every one of its addresses out on the public internet (`refuse_addresses`)?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from vibedesk.base.hosts import (
    Host,
    Place,
    canonical_host,
    is_local_name,
    is_loopback,
    is_public_address,
    parse_address,
    split_host_port,
)
from vibedesk.engine.sandboxes.egress.registries import Registries

WEB_PORTS = frozenset({80, 443})
"""What a grant without a port means."""

NETWORK_OFF = "The network is switched off for this app."


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """What the person allows one project."""

    mode: Literal["registries", "none"] = "registries"
    """`registries`: the package registries and what is granted; `none`: nothing at all."""
    granted: frozenset[str] = field(default_factory=frozenset)
    """As `api.example.org` (ports 80 and 443) or `api.example.org:8443`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a host may be reached, and why not."""

    allowed: bool
    reason: str = ""
    """One plain sentence where it is refused."""
    because: Literal["", "granted", "registry", "plain registry"] = ""
    """A plain registry has no encryption: it may be read from, never tunnelled to."""
    ask: str = ""
    """What the person would have to grant; empty where no grant can help."""

    @property
    def trusted(self) -> bool:
        """Whether the person's own configuration names the host, so that it may lie in a private network."""
        return self.because in ("registry", "plain registry")


def decide(rules: NetworkRules, host: str, port: int, registries: Registries) -> Decision:
    """Judge a host as it is written in a request (IPv6 with or without brackets)."""
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    canonical = canonical_host(bracketed)
    if canonical is None or not 0 < port < 65536:
        return Decision(False, "The address is not written the way addresses are.")
    if rules.mode == "none":
        return Decision(False, NETWORK_OFF)
    place = (canonical, port)
    if place in registries.tls_places:
        return Decision(True, because="registry")
    if place in registries.plain_places:
        return Decision(True, because="plain registry")
    closed = _never(canonical)
    if not closed and any(place in _grant_places(text) for text in rules.granted):
        return Decision(True, because="granted")
    ask = ""
    if not closed:
        ask = str(canonical) if port in WEB_PORTS else f"{canonical}:{port}"
    if place in registries.relayed_places:
        return Decision(
            False,
            "Packages come from the address in npm_config_registry; the registry behind it is closed to the app.",
            ask=ask,
        )
    return Decision(False, closed or f"The app may not reach {ask} yet.", ask=ask)


def refuse_addresses(
    addresses: Iterable[str], is_near: Callable[[IPv4Address | IPv6Address], bool]
) -> str:
    """Return a sentence where one of a granted host's addresses is not out on the internet; else empty.

    Args:
        addresses: All that the name resolved to.
        is_near: Whether an address belongs to this machine or a network it is in.
    """
    parsed = [parse_address(text) for text in addresses]
    if not parsed:
        return "The name has no address."
    for address in parsed:
        if address is None or not is_public_address(address):
            return "The name leads to a private network address, which is closed to the app."
        if is_near(address):
            return "The name leads to the person's own network, which is closed to the app."
    return ""


def _never(host: Host) -> str:
    """Return a sentence where no grant can open a host; else empty."""
    if is_loopback(host):
        return "Programs on the person's computer are closed to the app."
    if not isinstance(host, str):
        return "Addresses in numbers are closed to the app; only names are allowed."
    return "Names of the local network are closed to the app." if is_local_name(host) else ""


def _grant_places(text: str) -> frozenset[Place]:
    place = split_host_port(text.strip(), 0)
    if place is not None:
        return frozenset({place})
    host: Host | None = canonical_host(text.strip())
    return frozenset() if host is None else frozenset((host, port) for port in WEB_PORTS)
