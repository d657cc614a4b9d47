"""Which registry the person's npm uses: read from their .npmrc without their credentials."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_REGISTRY_KEY = re.compile(r"^(?:@[a-z0-9~._-]+:)?registry$", re.IGNORECASE)


def registry_lines(npmrc: str) -> list[str]:
    """Return the `registry=` and `@scope:registry=` lines of an .npmrc, and nothing else of it.

    Credentials inside an address (user, password, query, fragment) are left out, lines whose address is not
    plain http(s) or refers to an environment variable are dropped.
    """
    found: dict[str, str] = {}
    for line in npmrc.splitlines():
        key, separator, value = line.partition("=")
        key = key.strip().strip("\"'")
        if not separator or not _REGISTRY_KEY.match(key):
            continue
        address = without_credentials(value.strip().strip("\"'"))
        if address:
            found[key] = address
    return [f"{key}={address}" for key, address in found.items()]


def without_credentials(address: str) -> str:
    """Return an http(s) address without user, password, query and fragment; empty where it is none."""
    if "${" in address or any(character.isspace() or ord(character) < 32 for character in address):
        return ""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    if ":" in host:
        host = f"[{host}]"
    return urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path, "", ""))
