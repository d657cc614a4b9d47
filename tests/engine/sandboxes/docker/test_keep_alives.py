"""What of an open page's connection is use, and what only keeps it open."""

from __future__ import annotations

import pytest

from tests.engine.sandboxes.docker.web_sockets import PING, TEXT, frame
from vibedesk.engine.sandboxes.docker.keep_alives import Direction

ASKS = (
    b"GET /?token=t HTTP/1.1\r\nHost: 127.0.0.1:5173\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Protocol: vite-hmr\r\n\r\n"
)
ASKS_FOR_ANOTHER = ASKS.replace(b"vite-hmr", b"chat")
AGREES = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\r\n"
VITE_PING = frame(TEXT, b'{"type":"ping"}')
PONG, END, BINARY, UNKNOWN = 10, 8, 2, 5


def uses(head: bytes, *pieces: bytes) -> list[bool]:
    """For each piece after the head, whether it is use."""
    direction = Direction()
    assert direction.is_use(head), "to open a connection is use"
    return [direction.is_use(piece) for piece in pieces]


@pytest.mark.parametrize(
    ("piece", "use"),
    [
        (VITE_PING, False),
        (frame(PING, b""), False),
        (frame(PONG, b"what the ping said"), False),
        (frame(END, b"\x03\xe9"), False),
        (b"", False),
        (VITE_PING + frame(PONG, b""), False),
        (frame(TEXT, b'{"type":"custom","event":"x"}'), True),
        (frame(TEXT, b'{"type":"ping","of":"the app"}'), True),
        (frame(TEXT, b"ping"), True),
        (frame(TEXT, b""), True),
        (frame(BINARY, b'{"type":"ping"}'), True),
        (frame(TEXT, b"x" * 70_000), True),
        (frame(TEXT, b"x" * 300), True),
        (frame(UNKNOWN, b""), True),
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (VITE_PING + frame(TEXT, b"hello"), True),
        (frame(TEXT, b"hello") + VITE_PING, True),
    ],
)
def test_of_a_page_of_vite(piece: bytes, use: bool) -> None:
    assert uses(ASKS, piece) == [use]
    direction = Direction()
    direction.is_use(ASKS)
    cut = [direction.is_use(bytes([byte])) for byte in piece]
    assert any(cut) == use, "in whatever pieces it comes"
    # After what is no frame nothing is understood any more; after all else, the next one is.
    lost = piece[:1] in (b"G", frame(UNKNOWN, b"")[:1])
    assert uses(ASKS, piece, VITE_PING)[1] == lost


def test_what_vite_says_is_use_in_an_apps_own_connection() -> None:
    assert uses(ASKS_FOR_ANOTHER, VITE_PING, frame(PONG, b"")) == [True, False]


def test_what_a_server_sends() -> None:
    assert uses(AGREES, frame(PING, b"", mask=b""), frame(TEXT, b"news", mask=b"")) == [False, True]
    refused = AGREES.replace(b"101", b"400")
    assert uses(refused, frame(PING, b"", mask=b"")) == [True]


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x89\x00" * 40_000, b"\x16\x03\x01"]
)
def test_everything_is_use_in_other_connections(head: bytes) -> None:
    assert uses(head, VITE_PING, frame(PING, b"")) == [True, True]


def test_a_head_in_pieces_is_read() -> None:
    direction = Direction()
    assert all(direction.is_use(bytes([byte])) for byte in ASKS)
    assert not direction.is_use(VITE_PING)


def test_what_comes_with_the_head_is_not_lost() -> None:
    assert uses(ASKS + VITE_PING[:3], VITE_PING[3:], frame(TEXT, b"x")) == [False, True]
