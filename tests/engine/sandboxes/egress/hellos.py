"""ClientHellos: real ones of OpenSSL, and ones put together by hand."""

from __future__ import annotations

import contextlib
import itertools
import ssl
from collections.abc import Iterable, Sequence

GREASE = 0x1A1A
SERVER_NAME = 0


def real_hello(name: str | None) -> bytes:
    """What Python sends first to a server of that name."""
    context = ssl.create_default_context()
    if name is None:
        context.check_hostname = False
    sent = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return sent.read()


def vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def server_name(name: bytes, kind: int = 0) -> tuple[int, bytes]:
    return SERVER_NAME, vector(bytes([kind]) + vector(name, 2), 2)


def message(
    extensions: Iterable[tuple[int, bytes]] | None,
    *,
    session: bytes = b"s" * 32,
    ciphers: bytes = b"\x1a\x1a\x13\x01",
    after: bytes = b"",
) -> bytes:
    """A whole ClientHello without its records."""
    body = b"\x03\x03" + b"r" * 32 + vector(session, 1) + vector(ciphers, 2) + b"\x01\x00"
    if extensions is not None:
        body += vector(
            b"".join(kind.to_bytes(2, "big") + vector(d, 2) for kind, d in extensions), 2
        )
    body += after
    return b"\x01" + vector(body, 3)


def records(handshake: bytes, cuts: Sequence[int] = ()) -> bytes:
    """Handshake bytes in records, cut at the given places."""
    edges = sorted({0, len(handshake), *(cut for cut in cuts if 0 < cut < len(handshake))})
    return b"".join(
        b"\x16\x03\x01" + vector(handshake[start:end], 2)
        for start, end in itertools.pairwise(edges)
    )


def hello(name: bytes) -> bytes:
    return records(message([server_name(name)]))
