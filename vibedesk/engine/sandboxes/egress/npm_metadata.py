"""Package descriptions of an npm registry: their tarballs found, and their addresses turned to our relay.

Descriptions have up to tens of megabytes. A whole JSON parse would hold the interpreter (and so the event loop,
from whatever thread it is called) for a quarter of a second; here only the small `dist` objects are parsed and
written anew, all else is passed on as it came.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

_KEY = b'"dist"'
_OPENING = re.compile(rb"\s{0,64}:\s{0,64}(?=\{)")
_FILE_NAME = re.compile(r"[A-Za-z0-9._~!'()*+@-]+\.(?:tgz|tar\.gz)")
_FIRST_SLICE = 4 * 1024
_LARGEST_DIST = 1024 * 1024
_MOST_FAILURES = 64
"""Bounds what a description made for it can cost."""
_USUAL_PORTS = {"http": 80, "https": 443}
_HASHES = ("sha512", "sha384", "sha256", "sha1")
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Tarball:
    """Where the registry has a tarball, and what it must contain."""

    url: str
    integrity: str
    """The strongest hash, as in `sha512-<hex>`; also its name in the store."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A description whose tarball addresses lead to the relay."""

    parts: list[bytes | memoryview]
    tarballs: Mapping[str, Tarball]
    """By file name."""


def rewrite(
    document: bytes,
    package: str,
    registry: str,
    relay: str,
    *,
    between: Callable[[], None] = lambda: None,
) -> Rewritten:
    """Turn every tarball that lies on the registry's own host, and has a hash, to the relay.

    The others keep their address: to them the app's network rules apply.

    Args:
        document: What the registry sent.
        package: Its name.
        registry: The address the document is from, ending with a slash.
        relay: Our address as the sandbox sees it, ending with a slash.
        between: Called between small steps, so that a thread can let others run.

    Raises:
        ValueError: it is no package description.
    """
    view = memoryview(document)
    parts: list[bytes | memoryview] = []
    tarballs: dict[str, Tarball] = {}
    done = position = failures = 0
    while (position := document.find(_KEY, position)) >= 0:
        between()
        start = position
        position += len(_KEY)
        # A quote after a backslash is inside a text; the text itself cannot end there.
        if start and document[start - 1] == 0x5C:
            continue
        opening = _OPENING.match(document, position)
        if opening is None:
            continue
        parsed = _parse_object(document, opening.end())
        if parsed is None:
            failures += 1
            if failures > _MOST_FAILURES:
                raise ValueError("this is no package description")
            continue
        dist, length = parsed
        tarball = _tarball(dist, registry)
        position = opening.end() + length
        if tarball is None:
            continue
        name = _file_name(tarball, tarballs)
        tarballs[name] = tarball
        dist["tarball"] = f"{relay}{quote(package, safe='@/')}/-/{quote(name)}"
        parts += [view[done : opening.end()], json.dumps(dist, separators=(",", ":")).encode()]
        done = position
    parts.append(view[done:])
    return Rewritten(parts, tarballs)


def looks_like_description(document: bytes) -> bool:
    """Whether it may be JSON at all: sign-in pages of networks answer everything with HTML."""
    return document[:64].lstrip()[:1] in (b"{", b"[") and document[-64:].rstrip()[-1:] in (
        b"}",
        b"]",
    )


def strongest_integrity(integrity: object, shasum: object) -> str:
    """Return the strongest known hash as `<algorithm>-<hex>`; empty where there is none.

    Args:
        integrity: As in `sha512-<base64>`, several with spaces between.
        shasum: SHA-1 in hex, all that very old packages have.
    """
    found: dict[str, str] = {}
    for entry in integrity.split() if isinstance(integrity, str) else ():
        algorithm, _, encoded = entry.partition("-")
        try:
            digest = base64.b64decode(encoded.partition("?")[0], validate=True)
        except (binascii.Error, ValueError):
            continue
        if algorithm in _HASHES and len(digest) == hashlib.new(algorithm).digest_size:
            found.setdefault(algorithm, digest.hex())
    if isinstance(shasum, str) and re.fullmatch(r"[0-9a-f]{40}", shasum.lower()):
        found.setdefault("sha1", shasum.lower())
    return next((f"{name}-{found[name]}" for name in _HASHES if name in found), "")


def _parse_object(document: bytes, start: int) -> tuple[dict[str, object], int] | None:
    """Return the object that begins at `start` and its length; None where it is none, or too large."""
    size = _FIRST_SLICE
    while True:
        # One character a byte, so that positions and bytes stay what they are.
        text = document[start : start + size].decode("latin-1")
        try:
            value, length = _DECODER.raw_decode(text)
            if not text.isascii():
                value = json.loads(document[start : start + length], strict=False)
        except RecursionError:
            return None
        except ValueError:
            if size >= _LARGEST_DIST or len(text) < size:
                return None
            size *= 16
            continue
        return (value, length) if isinstance(value, dict) else None


def _tarball(dist: Mapping[str, object], registry: str) -> Tarball | None:
    written = dist.get("tarball")
    integrity = strongest_integrity(dist.get("integrity"), dist.get("shasum"))
    if not isinstance(written, str) or not integrity:
        return None
    try:
        url = urlsplit(written)
        home = urlsplit(registry)
        url_port, home_port = url.port, home.port
    except ValueError:
        return None
    if url.scheme not in _USUAL_PORTS or url.hostname != home.hostname or url.username:
        return None
    same = (url_port or _USUAL_PORTS[url.scheme]) == (home_port or _USUAL_PORTS[home.scheme])
    # Registries behind a proxy that ends TLS write http for https.
    if not same and (url_port or home_port):
        return None
    return Tarball(urlunsplit((home.scheme, home.netloc, url.path, url.query, "")), integrity)


def _file_name(tarball: Tarball, taken: Mapping[str, Tarball]) -> str:
    name = unquote(urlsplit(tarball.url).path.rpartition("/")[2])
    if _FILE_NAME.fullmatch(name) and taken.get(name, tarball) == tarball:
        return name
    return f"{hashlib.sha256(tarball.url.encode()).hexdigest()[:32]}.tgz"
