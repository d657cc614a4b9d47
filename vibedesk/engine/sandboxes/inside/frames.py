"""The frames of a session: what VibeDesk and the program inside a container send each other.

A frame is a header of KIND (1 byte), CHANNEL and LENGTH (4 bytes each, big-endian), then the payload. Channels that
VibeDesk opens have odd numbers, the program's even ones. A channel begins with OPEN (JSON that says what it is),
carries DATA (and ERRORS, a command's standard error), and each side ends its half with END or RESULT (JSON, the
outcome); ABORT drops it. LIMITS tells in between which limits a command met. A side may have WINDOW bytes of a channel under way and goes on as CREDIT comes, so what
nobody reads holds up its own channel only.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

OPEN, DATA, ERRORS, END, ABORT, CREDIT, RESULT, LIMITS = range(1, 9)
HEADER = struct.Struct(">BII")
COUNT = struct.Struct(">I")
MOST_PAYLOAD = 64 * 1024
WINDOW = 256 * 1024
PROXY_PORT = 3128
HELLO_CHANNEL = 0


Json = dict[str, Any]
Bytes = bytes | bytearray | memoryview


class FrameReader:
    """Cuts a stream of bytes, at any chunking, into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: Bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yield (kind, channel, payload) for every frame that is complete now.

        Raises:
            ValueError: this is no stream of frames.
        """
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= HEADER.size:
                kind, channel, length = HEADER.unpack_from(self._buffer, start)
                if not OPEN <= kind <= LIMITS or length > MOST_PAYLOAD:
                    raise ValueError(f"no frame: kind {kind}, length {length}")
                end = start + HEADER.size + length
                if len(self._buffer) < end:
                    return
                payload = bytes(self._buffer[start + HEADER.size : end])
                start = end
                yield kind, channel, payload
        finally:
            del self._buffer[:start]


def frame(kind: int, channel: int, payload: Bytes = b"") -> bytes:
    """Return one frame as bytes."""
    return HEADER.pack(kind, channel, len(payload)) + payload


class RecordReader:
    """Cuts a stream into records: a JSON header (length first) with `size` bytes of content behind it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0

    def feed(self, data: Bytes) -> Iterator[Json | bytes]:
        """Yield headers, and the pieces of content that follow each.

        Raises:
            ValueError: this is no stream of records.
        """
        self._buffer += data
        while self._buffer:
            if self._left:
                piece = bytes(self._buffer[: self._left])
                del self._buffer[: len(piece)]
                self._left -= len(piece)
                yield piece
                continue
            if len(self._buffer) < COUNT.size:
                return
            (length,) = COUNT.unpack_from(self._buffer)
            if length > MOST_PAYLOAD:
                raise ValueError("no record")
            if len(self._buffer) < COUNT.size + length:
                return
            header = parse_object(self._buffer[COUNT.size : COUNT.size + length])
            del self._buffer[: COUNT.size + length]
            size = header.get("size", 0)
            if not isinstance(size, int) or size < 0:
                raise ValueError("no record")
            self._left = size
            yield header


def record(header: Json) -> bytes:
    """Return a record's beginning; its content follows."""
    text = json.dumps(header).encode()
    return COUNT.pack(len(text)) + text


def parse_object(text: Bytes) -> Json:
    """Read JSON that a stranger wrote; what is no object comes back as an empty one.

    Raises:
        ValueError: it is no JSON, or nested without end.
    """
    try:
        found = json.loads(bytes(text))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found if isinstance(found, dict) else {}
