"""Which addresses the previewed page may reach: its own app on loopback and the hosts it was granted.

Everything unclear is refused. A host is first brought to its one canonical form, the way browsers do it
(decimal, hex and octal IPv4, trailing dots, full-width digits, IPv4 inside IPv6), and only then judged, so
that no spelling gets past a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal

Host = str | IPv4Address | IPv6Address
"""A canonical host: a lower-case ASCII name, or an address."""

DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SOCKET_SCHEME = {"ws": "http", "wss": "https"}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_NAME = re.compile(r"(^|\.)(localhost|local|localdomain|internal|home\.arpa|lan|intranet)$")
_GLOBAL_UNICAST = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The page may go there."""

    because: Literal["own", "granted", "inline"]


@dataclass(frozen=True, slots=True)
class Blocked:
    """The page may not; `reason` is one plain sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme (http or https), canonical host and port."""

    scheme: str
    host: Host
    port: int


def decide(url: str, own_origin: str, granted: Iterable[str] = ()) -> Allowed | Blocked:
    """Judge one request of the previewed page.

    Args:
        url: Where it wants to go, also as the target of a redirect.
        own_origin: Scheme, host and port of the running app, for example `http://127.0.0.1:5173`.
        granted: Hosts the person agreed to, as `host` (the scheme's usual port) or `host:port`.
    """
    scheme = url.partition(":")[0].lower()
    match scheme:
        case "data":
            return Allowed("inline")
        case "about":
            page = url[6:].partition("#")[0].partition("?")[0].lower()
            return (
                Allowed("inline")
                if page in ("blank", "srcdoc")
                else Blocked("Pages of the browser itself are closed to the app.")
            )
        case "blob":
            return _decide_blob(url[5:], own_origin)
        case "http" | "https" | "ws" | "wss":
            origin = parse_origin(url)
            if origin is None:
                return Blocked("The address is not written the way addresses are.")
            return decide_origin(origin, own_origin, granted)
        case _:
            return Blocked(f"Addresses of the kind “{scheme[:20]}:” are closed to the app.")


def decide_origin(
    origin: Origin, own_origin: str, granted: Iterable[str] = ()
) -> Allowed | Blocked:
    """Judge an origin that is already parsed."""
    own = parse_origin(own_origin)
    if own is not None and is_loopback(own.host) and origin == own:
        return Allowed("own")
    return decide_foreign(origin.host, origin.port, granted, DEFAULT_PORTS[origin.scheme])


def decide_foreign(
    host: Host, port: int, granted: Iterable[str], usual_port: int
) -> Allowed | Blocked:
    """Judge a host that is not the app itself; `usual_port` is what a grant without a port means."""
    if is_loopback(host):
        return Blocked("Other programs on this computer are closed to the app.")
    if not isinstance(host, str) and not is_public_address(host):
        return Blocked("Private network addresses are closed to the app.")
    if isinstance(host, str) and _LOCAL_NAME.search(host):
        return Blocked("Names of the local network are closed to the app.")
    if (host, port) in (grant for text in granted if (grant := _parse_grant(text, usual_port))):
        return Allowed("granted")
    return Blocked(f"The app was not granted {host}.")


def grantable_host(url: str, own_origin: str) -> str | None:
    """Return what would have to be granted for the page to reach `url`; None where no grant can do it."""
    origin = parse_origin(url)
    if origin is None or not isinstance(origin.host, str):
        return None
    usual = DEFAULT_PORTS[origin.scheme]
    host = origin.host if origin.port == usual else f"{origin.host}:{origin.port}"
    decision = decide_origin(origin, own_origin, (host,))
    return host if decision == Allowed("granted") else None


def parse_origin(url: str) -> Origin | None:
    """Return the origin of an http, https, ws or wss address, or None unless it is beyond doubt."""
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS:
        return None
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A user name before the host is only ever a disguise here.
    if _UNSAFE.search(url) or "@" in authority:
        return None
    place = split_host_port(authority, DEFAULT_PORTS[scheme])
    return None if place is None else Origin(_SOCKET_SCHEME.get(scheme, scheme), *place)


def split_host_port(authority: str, usual_port: int) -> tuple[Host, int] | None:
    """Return canonical host and port of `host`, `host:port`, `[v6]` or `[v6]:port`."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?", authority, re.ASCII)
    if match is None:
        return None
    host = canonical_host(match[1])
    port = int(match[2]) if match[2] else usual_port
    return None if host is None or not 0 < port < 65536 else (host, port)


def canonical_host(text: str) -> Host | None:
    """Return the one form of a host, or None if it is not certainly a host."""
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        return None
    if _NUMBER_LABEL.fullmatch(name.rsplit(".", 1)[-1]):
        return _ipv4(name)
    return name


def is_loopback(host: Host) -> bool:
    if isinstance(host, str):
        return host == "localhost" or host.endswith(".localhost")
    return host.is_loopback or host.is_unspecified


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
            and int(address) >> 8 != 0xC00000
        )
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and address.sixtofour is None
        and address.teredo is None
    )


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address a resolver named, an IPv4 inside IPv6 taken out of it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return _unwrap(address) if isinstance(address, IPv6Address) else address


def _decide_blob(inner: str, own_origin: str) -> Allowed | Blocked:
    # Blobs live in the page's memory; `null` is a page without an origin, made by the app itself.
    own, origin = parse_origin(own_origin), parse_origin(inner)
    if inner.startswith("null/") or (own is not None and is_loopback(own.host) and origin == own):
        return Allowed("inline")
    return Blocked("Data of another page is closed to the app.")


def _parse_grant(text: str, usual_port: int) -> tuple[Host, int] | None:
    return split_host_port(text.strip(), usual_port)


def _ipv6(text: str) -> Host | None:
    if "%" in text:
        return None
    try:
        return _unwrap(IPv6Address(text))
    except ValueError:
        return None


def _unwrap(address: IPv6Address) -> IPv4Address | IPv6Address:
    return address.ipv4_mapped or address


def _ipv4(name: str) -> IPv4Address | None:
    """Read one to four decimal, hex or octal parts as browsers do."""
    parts = name.split(".")
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
