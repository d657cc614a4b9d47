"""A Python package index on loopback with a few tiny wheels, whose faults are set by the tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_FORM = "application/vnd.pypi.simple.v1+json"


def wheel(name: str, version: str, needs: Sequence[str], requires_python: str) -> bytes:
    """Return a wheel with one module; `name` as in its file name."""
    info = f"{name}-{version}.dist-info"
    about = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    about += [f"Requires-Dist: {need}" for need in needs]
    about += [f"Requires-Python: {requires_python}"] if requires_python else []
    texts = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": "\n".join([*about, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{info}/RECORD"
    texts[record] = "".join(f"{path},,\n" for path in [*texts, record])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path, text in texts.items():
            packed.writestr(path, text)
    return out.getvalue()


@dataclass
class TinyIndex:
    """What it has, and what it was asked."""

    host: str = "127.0.0.1"
    port: int = 0
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By normalized name, as the index tells them."""
    wheels: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """How often each name was asked about."""
    status: int = 0
    """Answer everything with it."""
    html: bool = False
    """Answer as an index that knows no JSON."""

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}/simple"

    def publish(
        self,
        name: str,
        *versions: str,
        needs: Sequence[str] = (),
        requires_python: str = "",
        yanked: str | bool = False,
    ) -> None:
        entries = self.files.setdefault(name, [])
        for version in versions:
            module = name.replace("-", "_")
            filename = f"{module}-{version}-py3-none-any.whl"
            content = self.wheels[filename] = wheel(module, version, needs, requires_python)
            entry: dict[str, Any] = {
                "filename": filename,
                "url": f"/files/{filename}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "yanked": yanked,
            }
            if requires_python:
                entry["requires-python"] = requires_python
            entries.append(entry)

    def answer(self, path: str, accept: str) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        kind, _, rest = path.strip("/").partition("/")
        if kind == "files" and rest in self.wheels:
            return 200, "application/octet-stream", self.wheels[rest]
        self.asked[rest] += 1
        if self.status or rest not in self.files:
            return self.status or 404, "text/plain", b"no"
        if self.html or _FORM not in accept:
            return 200, "text/html", b"<!doctype html><title>Links</title>"
        about = {"meta": {"api-version": "1.1"}, "name": rest, "files": self.files[rest]}
        return 200, _FORM, json.dumps(about).encode()


@contextmanager
def tiny_index(host: str = "127.0.0.1") -> Iterator[TinyIndex]:
    """Serve an index for the time of the block, on an address of loopback."""
    index = TinyIndex(host)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = index.answer(self.path, self.headers.get("Accept", ""))
            zipped = kind == _FORM and "gzip" in self.headers.get("Accept-Encoding", "")
            body = gzip.compress(body) if zipped else body
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if zipped:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Tests print nothing of it."""

    with ThreadingHTTPServer((host, 0), Handler) as server:
        index.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join()
