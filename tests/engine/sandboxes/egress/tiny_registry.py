"""A registry on loopback with a few tiny packages, whose faults are set by the tests."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.engine.sandboxes.egress.loopback import listening

ADVISORIES = "-/npm/v1/security/advisories/bulk"
HOLE = {
    "id": 1, "url": "https://advisories.example/1", "title": "Prototype Pollution", "severity": "high",
    "vulnerable_versions": "<2.0.0", "cwe": ["CWE-1"], "cvss": {"score": 7.4, "vectorString": None},
}  # fmt: skip


def packed(name: str, version: str, text: str = "", types: str = "", **more: Any) -> bytes:
    """Return a package as `npm pack` makes it; `types` declares what `text` exports."""
    manifest = {"name": name, "version": version, "main": "index.js", **more}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, content in (
            ("package.json", json.dumps(manifest)),
            ("index.js", text or f"module.exports = '{name}@{version}'\n"),
            ("index.d.ts", types),
        ):
            if not content:
                continue
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return out.getvalue()


@dataclass
class TinyRegistry:
    """What it has, and what it was asked."""

    port: int = 0
    path: str = ""
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    tarballs: dict[str, bytes] = field(default_factory=dict)
    holes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What is known against packages, as npm's audit is told it."""
    audited: list[dict[str, list[str]]] = field(default_factory=list)
    """The packages and versions that audits asked about."""
    asked: Counter[str] = field(default_factory=Counter)
    headers: list[dict[str, str]] = field(default_factory=list)
    etags: bool = True
    gzipped: bool = False
    status: int = 0
    """Answer everything with it."""
    raw: bytes = b""
    """Answer everything with it."""
    redirect: str = ""
    hold: asyncio.Event | None = None
    """Answers wait for it."""
    hang_up: bool = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.path}"

    def publish(
        self, name: str, version: str, text: str = "", types: str = "", **more: Any
    ) -> bytes:
        tarball = packed(name, version, text, types, **more)
        url = f"{self.address}{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self.tarballs[url.removeprefix(self.address)] = tarball
        document = self.documents.setdefault(name, {"name": name, "versions": {}})
        document["dist-tags"] = {"latest": version}
        digest = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        document["versions"][version] = {
            "name": name,
            "version": version,
            "dist": {
                "tarball": url,
                "integrity": f"sha512-{digest}",
                "shasum": hashlib.sha1(tarball).hexdigest(),
            },
            **more,
        }
        return tarball

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            method, target, _ = lines[0].split(" ")
            fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            path = unquote(target.removeprefix("/").removeprefix(self.path))
            self.asked[path] += 1
            self.headers.append(fields)
            body = await _body(reader, fields)
            if self.hold is not None:
                await self.hold.wait()
            if self.hang_up:
                return
            if method == "POST" and path == ADVISORIES:
                writer.write(self._advisories(fields, body))
            else:
                writer.write(self._answer(method, path, fields))
            await writer.drain()
            if self.raw:
                return

    def _advisories(self, fields: dict[str, str], body: bytes) -> bytes:
        """Answer as npm's registry does: what is known against those versions that were asked about."""
        if self.raw or self.redirect or self.status:
            return self._answer("POST", ADVISORIES, fields)
        if fields.get("content-encoding") != "gzip":
            return _response(400, b'{"error":"Not gzip"}')
        asked = json.loads(gzip.decompress(body))
        self.audited.append(asked)
        known = {name: holes for name, holes in self.holes.items() if name in asked}
        return _response(200, json.dumps(known).encode(), "Content-Type: application/json")

    def _answer(self, method: str, path: str, fields: dict[str, str]) -> bytes:
        if self.raw:
            return self.raw
        if self.redirect:
            return _response(302, b"", f"Location: {self.redirect}")
        if self.status:
            return _response(self.status, b"{}")
        if path in self.tarballs:
            return _response(200, self.tarballs[path], "Content-Type: application/octet-stream")
        document: Any = self.documents.get(path)
        if path.startswith("-/package/"):
            document = self.documents[path.removeprefix("-/package/").removesuffix("/dist-tags")]
            document = document["dist-tags"]
        elif document is None and "/" in path:
            name, _, version = path.rpartition("/")
            document = self.documents.get(name, {}).get("versions", {}).get(version)
        if document is None:
            return _response(404, b'{"error":"Not found"}')
        if "vnd.npm.install" in fields.get("accept", ""):
            kind = "Content-Type: application/vnd.npm.install-v1+json"
        else:
            document = {**document, "readme": "# Read me"}
            kind = "Content-Type: application/json"
        body = json.dumps(document).encode()
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        more = [kind, f"ETag: {etag}"] if self.etags else [kind]
        if self.etags and fields.get("if-none-match") == etag:
            return _response(304, b"", *more)
        if self.gzipped:
            body, more = gzip.compress(body), [*more, "Content-Encoding: gzip"]
        return _response(200, body, *more)


@asynccontextmanager
async def tiny_registry(path: str = "") -> AsyncIterator[TinyRegistry]:
    registry = TinyRegistry(path=path)
    async with listening(registry.accept) as port:
        registry.port = port
        yield registry


async def _body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    if fields.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(fields.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def _response(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
