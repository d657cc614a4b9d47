"""Hosts and addresses in their one canonical form, and which addresses belong to the public internet.

A host is first brought to its one form, the way browsers do it (decimal, hex and octal IPv4, trailing dots,
full-width digits, IPv4 inside IPv6), and only then judged, so that no spelling gets past a rule. What is
not certainly a host is none. Pure: nothing here resolves or connects.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Host = str | IPv4Address | IPv6Address
"""A canonical host: a lower-case ASCII name, or an address."""

Place = tuple[Host, int]
"""A host and a port."""

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_NAME = re.compile(
    r"(^|\.)(localhost|local|localdomain|internal|home\.arpa|lan|intranet|corp|home|private|onion)$"
)
_MAX_NAME = 253
_MAX_LABEL = 63

_GLOBAL_UNICAST = IPv6Network("2000::/3")
# What `ipaddress` of the older Pythons calls global: protocol assignments, the old 6to4 relays.
_NOT_PUBLIC_4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
# Documentation since RFC 9637, segment routing, and the old experimental network.
_NOT_PUBLIC_6 = (IPv6Network("3fff::/20"), IPv6Network("5f00::/16"), IPv6Network("3ffe::/16"))


def split_host_port(authority: str, usual_port: int) -> Place | None:
    """Return canonical host and port of `host`, `host:port`, `[v6]` or `[v6]:port`; None where it is not one.

    A user name before the host (`user@host`) is only ever a disguise here and makes it none.
    """
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?", authority, re.ASCII)
    if match is None:
        return None
    host = canonical_host(match[1])
    port = int(match[2]) if match[2] else usual_port
    return None if host is None or not 0 < port < 65536 else (host, port)


def canonical_host(text: str) -> Host | None:
    """Return the one form of a host (IPv6 in brackets), or None if it is not certainly a host."""
    if text.startswith("["):
        return _ipv6(text[1:-1]) if text.endswith("]") else None
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    name = text.lower().removesuffix(".")
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        return None
    labels = name.split(".")
    if any(len(label) > _MAX_LABEL for label in labels):
        return None
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        return _ipv4(labels)
    return name


def is_loopback(host: Host) -> bool:
    """Whether the host is this machine by its name or address; the unspecified address counts as well."""
    if isinstance(host, str):
        return host == "localhost" or host.endswith(".localhost")
    return host.is_loopback or host.is_unspecified


def is_local_name(name: str) -> bool:
    """Whether a canonical name can only mean something of the local network."""
    return "." not in name or _LOCAL_NAME.search(name) is not None


def is_public_address(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address belongs to the public internet and to nothing nearer.

    IPv6 addresses that carry an IPv4 one (mapped, NAT64, 6to4, Teredo) are never public here: what they
    lead to depends on the network.
    """
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not address.is_reserved
            and not any(address in network for network in _NOT_PUBLIC_4)
        )
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and address.sixtofour is None
        and address.teredo is None
        and not any(address in network for network in _NOT_PUBLIC_6)
    )


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address a resolver named, an IPv4 inside IPv6 taken out of it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return _unwrap(address) if isinstance(address, IPv6Address) else address


def _ipv6(text: str) -> Host | None:
    if "%" in text:
        return None
    try:
        return _unwrap(IPv6Address(text))
    except ValueError:
        return None


def _unwrap(address: IPv6Address) -> IPv4Address | IPv6Address:
    return address.ipv4_mapped or address


def _ipv4(parts: list[str]) -> IPv4Address | None:
    """Read one to four decimal, hex or octal parts as browsers do."""
    if len(parts) > 4:
        return None
    numbers = [_ipv4_part(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    *leading, last = (number for number in numbers if number is not None)
    if any(number > 255 for number in leading) or last >= 256 ** (5 - len(parts)):
        return None
    value = last
    for index, number in enumerate(leading):
        value += number << (8 * (3 - index))
    return IPv4Address(value)


def _ipv4_part(part: str) -> int | None:
    try:
        if part.startswith("0x"):
            return int(part[2:] or "0", 16)
        return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)
    except ValueError:
        return None
