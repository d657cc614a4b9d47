"""The first message of a TLS connection, read for the name of the server that it is meant for. Pure.

Strict about everything that another reader could understand in another way. With Encrypted Client Hello the
name is the outer one: that is where the connection is led.
"""

from __future__ import annotations

TLS_RECORDS = range(0x14, 0x19)
"""What a TLS connection can begin with: servers skip some warnings before the hello."""

_HANDSHAKE = 0x16
_MAJOR_VERSION = 3
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_HOST_NAME = 0
_RECORD_HEAD = 5
_MESSAGE_HEAD = 4
_LARGEST_RECORD = 16 * 1024
LARGEST_MESSAGE = 16 * 1024
"""Of a whole hello, however many records it comes in."""


class NotHelloError(ValueError):
    """This is no well-formed ClientHello; the text says why."""


class ClientHello:
    """Collects a ClientHello from pieces. Each byte is looked at once, so that tiny pieces cost little."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._message = bytearray()

    def feed(self, data: bytes) -> str | None:
        """Take the next piece; what comes after the message does not matter.

        Returns:
            The server's name as it is written, empty where there is none; None while more is needed.

        Raises:
            NotHelloError: it is none, or too large.
        """
        self._raw += data
        while (payload := self._next_record()) is not None:
            self._message += payload
            if self._message[0] != _CLIENT_HELLO:
                raise NotHelloError("the handshake does not begin with a ClientHello")
            if len(self._message) < _MESSAGE_HEAD:
                continue
            end = _MESSAGE_HEAD + int.from_bytes(self._message[1:_MESSAGE_HEAD])
            if end > LARGEST_MESSAGE:
                raise NotHelloError("the ClientHello is too large")
            if len(self._message) > end:
                raise NotHelloError("something shares the ClientHello's record")
            if len(self._message) == end:
                return _server_name(bytes(self._message[_MESSAGE_HEAD:]))
        return None

    def _next_record(self) -> bytes | None:
        raw = self._raw
        if raw[:1] not in (b"", bytes([_HANDSHAKE])) or raw[1:2] not in (
            b"",
            bytes([_MAJOR_VERSION]),
        ):
            raise NotHelloError("this is no TLS handshake")
        if len(raw) < _RECORD_HEAD:
            return None
        length = int.from_bytes(raw[3:_RECORD_HEAD])
        if not 0 < length <= _LARGEST_RECORD:
            raise NotHelloError("a record has no length that TLS allows")
        if len(raw) < _RECORD_HEAD + length:
            return None
        payload = bytes(raw[_RECORD_HEAD : _RECORD_HEAD + length])
        del raw[: _RECORD_HEAD + length]
        return payload


class _Fields:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise NotHelloError("the ClientHello is cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """Return what comes after its length, which takes `size` bytes."""
        return self.take(self.number(size))

    def rest(self, size: int) -> _Fields:
        """Return the fields of a vector that must be the last thing here."""
        inner = _Fields(self.vector(size))
        if self.left:
            raise NotHelloError("the ClientHello has something after its end")
        return inner


def _server_name(body: bytes) -> str:
    hello = _Fields(body)
    hello.take(2 + 32)  # version, random
    for size in (1, 2, 1):  # session, ciphers, compressions
        hello.vector(size)
    if not hello.left:
        return ""
    extensions = hello.rest(2)
    seen: set[int] = set()
    name = ""
    while extensions.left:
        kind, data = extensions.number(2), extensions.vector(2)
        if kind in seen:
            raise NotHelloError("the ClientHello has an extension twice")
        seen.add(kind)
        if kind == _SERVER_NAME:
            name = _only_name(_Fields(data).rest(2))
    return name


def _only_name(names: _Fields) -> str:
    if names.number(1) != _HOST_NAME:
        raise NotHelloError("the ClientHello names no host")
    raw = names.vector(2)
    if names.left or not raw or not raw.isascii():
        raise NotHelloError("the ClientHello does not name one host")
    return raw.decode("ascii")
