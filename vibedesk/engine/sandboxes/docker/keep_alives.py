"""Tells use of an app from what only keeps a connection open: a page that nobody touches must not keep it awake."""

from __future__ import annotations

import json
import re
import struct

_MOST_HEAD = 64 * 1024
_UPGRADE = re.compile(rb"(?im)^upgrade:[ \t]*websocket[ \t]*\r$")
_VITE = re.compile(rb"(?im)^sec-websocket-protocol:[ \t]*vite-hmr[ \t]*\r$")
_WHOLE_TEXT = 0x81  # the first byte of a text in one frame, not compressed
_KNOWN = frozenset({0, 1, 2, 8, 9, 10})
_NO_USE = frozenset({8, 9, 10})  # the end, a ping, a pong
_MOST_SHORT = 125


class Direction:
    """What one side of a connection sends, from its first byte on.

    Only of a WebSocket is anything no use: its pings, pongs and end, and what Vite's page sends now and then to keep
    proxies from closing the connection. All else, also what cannot be understood, is use.
    """

    def __init__(self) -> None:
        self._head: bytearray | None = bytearray()
        self._frames = False
        self._vite = False
        self._pending = bytearray()
        self._rest = 0

    def is_use(self, data: bytes) -> bool:
        """Whether with these bytes, the next ones, something came that is use; a part of a short frame is not yet."""
        if not data:
            return False
        if self._head is not None:
            self._read_head(data)
            return True
        if not self._frames:
            return True
        self._pending += data
        return self._read_frames()

    def _read_head(self, data: bytes) -> None:
        assert self._head is not None
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) <= _MOST_HEAD:
            return
        head, self._pending = bytes(self._head[: end + 2]), self._head[end + 4 :]
        self._head = None
        answered = not head.startswith(b"HTTP/") or b" 101 " in head[:16]
        self._frames = end >= 0 and answered and _UPGRADE.search(head) is not None
        self._vite = _VITE.search(head) is not None
        self._read_frames()

    def _read_frames(self) -> bool:
        use = False
        while self._frames and self._pending:
            if self._rest:
                taken = min(self._rest, len(self._pending))
                del self._pending[:taken]
                self._rest -= taken
                use = True
                continue
            size = _size(self._pending)
            if not size:
                break
            kind = self._pending[0] & 0x0F
            if kind not in _KNOWN:
                self._frames = False
                return True
            short = size <= 6 + _MOST_SHORT
            if short and size > len(self._pending):
                break
            if short and (kind in _NO_USE or (self._vite and _is_ping(self._pending[:size]))):
                del self._pending[:size]
            else:
                self._rest = size
        return use


def _size(data: bytearray) -> int:
    """Return the bytes of the frame that begins here, its header included; 0 where that is not known yet."""
    if len(data) < 2:
        return 0
    length, at = data[1] & 0x7F, 2
    if length > _MOST_SHORT:
        form = ">H" if length == _MOST_SHORT + 1 else ">Q"
        at += struct.calcsize(form)
        if len(data) < at:
            return 0
        (length,) = struct.unpack(form, data[2:at])
    return at + (4 if data[1] & 0x80 else 0) + int(length)


def _is_ping(frame: bytearray) -> bool:
    """Whether a whole short frame is what Vite's page keeps its connection open with."""
    if frame[0] != _WHOLE_TEXT:
        return False
    payload = frame[2:]
    if frame[1] & 0x80:
        mask, payload = payload[:4], payload[4:]
        payload = bytearray(byte ^ mask[number % 4] for number, byte in enumerate(payload))
    try:
        return bool(json.loads(payload) == {"type": "ping"})
    except ValueError:
        return False
