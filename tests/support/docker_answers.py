"""Servers that answer as Docker engines do, for what no real engine can be brought to."""

from __future__ import annotations

import http.server
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSION = {"Version": "27.3.1", "ApiVersion": "1.47", "Components": [{"Name": "Engine"}]}
INFO = {
    "OSType": "linux",
    "Architecture": "x86_64",
    "NCPU": 8,
    "MemTotal": 16 * 1024**3,
    "DockerRootDir": "/var/lib/docker",
    "MemoryLimit": True,
    "CpuCfsQuota": True,
    "PidsLimit": True,
    "SecurityOptions": ["name=seccomp,profile=builtin"],
}


class _Answers(http.server.BaseHTTPRequestHandler):
    """Answers as the engine in `server.paths` does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, answer = self.server.paths.get(self.path, (404, {"message": "page not found"}))  # type: ignore[attr-defined]
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "somebody"

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class TcpEngine(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Broken connections are what some tests are about."""


class UnixEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def serving(server: socketserver.BaseServer, paths: dict[str, Any]) -> Iterator[None]:
    server.paths = paths  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def engine_on_socket(path: Path, version: Any = VERSION, info: Any = INFO) -> Iterator[str]:
    paths = {"/version": (200, version), "/info": (200, info)}
    with serving(UnixEngine(str(path), _Answers), paths):
        yield f"unix://{path}"


@contextmanager
def engine_on_tcp(
    paths: dict[str, Any] | None = None, context: ssl.SSLContext | None = None
) -> Iterator[str]:
    server = TcpEngine(("127.0.0.1", 0), _Answers)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    usual = {"/version": (200, VERSION), "/info": (200, INFO)}
    with serving(server, usual if paths is None else paths):
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
