"""The gateway opens sockets only to the app and to granted hosts at public addresses."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vibedesk.ui.preview.gateway import PreviewGateway, Streams


class Listener:
    """A loopback server that answers one line and remembers every connection."""

    def __init__(self) -> None:
        self.connections: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.connections.append(connection.recv(65536))
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
                )

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        # Closing alone does not wake a thread that waits in accept.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def app() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def other() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@contextmanager
def _gateway(app: Listener, **parts: object) -> Iterator[PreviewGateway]:
    gateway = PreviewGateway(**parts)  # type: ignore[arg-type]
    gateway.set_reach(f"http://127.0.0.1:{app.port}", ("api.example.com",))
    yield gateway
    gateway.close()


def _ask(gateway: PreviewGateway, head: str) -> bytes:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_requests_to_the_app_are_carried_over_in_origin_form(app: Listener) -> None:
    with _gateway(app) as gateway:
        answer = _ask(
            gateway,
            f"GET http://127.0.0.1:{app.port}/a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\n"
            "Proxy-Connection: keep-alive\r\nX-Kept: yes\r\n\r\n",
        )
    assert answer.endswith(b"hello")
    head = app.connections[0].decode()
    assert head.startswith("GET /a?b=1 HTTP/1.1\r\n")
    assert "X-Kept: yes" in head
    assert "Proxy-Connection" not in head


@pytest.mark.parametrize(
    "head",
    [
        "GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n",
        "GET http://localhost:{port}/ HTTP/1.1\r\n\r\n",
        "GET http://2130706433:{port}/ HTTP/1.1\r\n\r\n",
        "GET ws://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n",
        "CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n",
        "CONNECT [::ffff:127.0.0.1]:{port} HTTP/1.1\r\n\r\n",
        "CONNECT nonsense HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
    ],
)
def test_other_listeners_on_this_computer_see_nothing(
    app: Listener, other: Listener, head: str
) -> None:
    with _gateway(app) as gateway:
        answer = _ask(gateway, head.format(port=other.port))
    assert answer.startswith(b"HTTP/1.1 403")
    assert other.connections == []


def test_a_tunnel_to_the_app_is_opened_for_its_sockets(app: Listener) -> None:
    with (
        _gateway(app) as gateway,
        socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection,
    ):
        connection.sendall(f"CONNECT 127.0.0.1:{app.port} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /hmr HTTP/1.1\r\n\r\n")
        assert b"hello" in connection.recv(4096)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.215.14", "10.0.0.7"], ["::ffff:192.168.0.1"], []]
)
def test_a_granted_name_that_leads_home_is_refused(
    app: Listener, other: Listener, addresses: list[str]
) -> None:
    dialled: list[str] = []

    async def resolve(name: str, port: int) -> list[str]:
        return addresses

    async def dial(address: str, port: int) -> Streams:
        dialled.append(address)
        return await asyncio.open_connection("127.0.0.1", other.port)

    with _gateway(app, resolve=resolve, dial=dial) as gateway:
        answer = _ask(gateway, "CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403")
    assert dialled == []


def test_a_granted_name_is_resolved_once_and_dialled_at_that_address(
    app: Listener, other: Listener
) -> None:
    dialled: list[tuple[str, int]] = []
    resolved: list[str] = []

    async def resolve(name: str, port: int) -> list[str]:
        resolved.append(name)
        return ["93.184.215.14"]

    async def dial(address: str, port: int) -> Streams:
        dialled.append((address, port))
        return await asyncio.open_connection("127.0.0.1", other.port)

    with _gateway(app, resolve=resolve, dial=dial) as gateway:
        answer = _ask(
            gateway, "GET http://api.example.com/v1 HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
        )
    assert answer.endswith(b"hello")
    assert resolved == ["api.example.com"]
    assert dialled == [("93.184.215.14", 80)]


def test_an_app_that_does_not_answer_ends_the_connection_without_a_page(app: Listener) -> None:
    app.close()
    with _gateway(app) as gateway:
        assert _ask(gateway, f"GET http://127.0.0.1:{app.port}/ HTTP/1.1\r\n\r\n") == b""
