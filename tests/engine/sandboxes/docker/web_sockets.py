"""Frames of a WebSocket, as a page or a server sends them."""

from __future__ import annotations

import struct

TEXT, PING = 1, 9


def frame(kind: int, payload: bytes, *, mask: bytes = b"\x07\x11\x2a\xf0") -> bytes:
    """Return one whole frame; a server's has no mask."""
    size, flag = len(payload), 0x80 if mask else 0
    if size < 126:
        length = bytes([flag | size])
    elif size < 65536:
        length = bytes([flag | 126]) + struct.pack(">H", size)
    else:
        length = bytes([flag | 127]) + struct.pack(">Q", size)
    masked = bytes(b ^ mask[n % 4] for n, b in enumerate(payload)) if mask else payload
    return bytes([0x80 | kind]) + length + mask + masked
