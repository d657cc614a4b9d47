"""Which addresses the previewed page may reach: its own app on loopback and the hosts it was granted.

Everything unclear is refused. A host is first brought to its one canonical form, the way browsers do it
(decimal, hex and octal IPv4, trailing dots, full-width digits, IPv4 inside IPv6), and only then judged, so
that no spelling gets past a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vibedesk.base.hosts import Host, is_local_name, is_loopback, is_public_address, split_host_port

DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SOCKET_SCHEME = {"ws": "http", "wss": "https"}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


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
    if isinstance(host, str) and is_local_name(host):
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


def _decide_blob(inner: str, own_origin: str) -> Allowed | Blocked:
    # Blobs live in the page's memory; `null` is a page without an origin, made by the app itself.
    own, origin = parse_origin(own_origin), parse_origin(inner)
    if inner.startswith("null/") or (own is not None and is_loopback(own.host) and origin == own):
        return Allowed("inline")
    return Blocked("Data of another page is closed to the app.")


def _parse_grant(text: str, usual_port: int) -> tuple[Host, int] | None:
    return split_host_port(text.strip(), usual_port)
