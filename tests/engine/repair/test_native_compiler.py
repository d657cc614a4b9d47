"""An app whose own TypeScript is the native one, which has no language service, is checked and mended all the same."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import tarfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.starter_packages import starter_with_packages
from vibedesk.engine.repair.fixer import repair
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.repair.program import RepairError
from vibedesk.engine.sandboxes.driver import Sandbox, SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port

NATIVE = {"name": "typescript", "version": "7.0.2", "main": "version.cjs"}
WRONG = {
    "src/Card.tsx": "export function Card() {\n  // How many.\n  const [count] = useState(0)\n  return <p>{count.toFixd(1)}</p>\n}\n"
}


class Registry:
    """An npm registry on loopback that has one package."""

    def __init__(self, package: Path) -> None:
        self.asked: list[str] = []
        described = json.loads((package / "package.json").read_text("utf-8"))
        name, version = described["name"], described["version"]
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            archive.add(package, "package")
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                if self.path == f"/{name}":
                    dist = {"tarball": f"{registry.url}{name}/-/{name}-{version}.tgz"}
                    known = {version: {"name": name, "version": version, "dist": dist}}
                    body = json.dumps({"name": name, "versions": known}).encode()
                elif self.path.endswith(".tgz"):
                    body = packed.getvalue()
                else:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The React starter with a compiler that says no more than its version, as the native one does to Node."""
    app = starter_with_packages("react-vite", tmp_path / "app")
    compiler = app / "node_modules" / "typescript"
    compiler.rename(tmp_path / "typescript")
    compiler.mkdir()
    (compiler / "package.json").write_text(json.dumps(NATIVE), "utf-8")
    (compiler / "version.cjs").write_text("exports.version = '7.0.2'\n", "utf-8")
    return app


@pytest.fixture
def registry(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    registry = Registry(tmp_path / "typescript")
    npmrc = tmp_path / "npmrc"
    npmrc.write_text(f"registry={registry.url}\n", "utf-8")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(npmrc))
    thread = threading.Thread(target=registry.server.serve_forever)
    thread.start()
    yield registry
    registry.server.shutdown()
    registry.server.server_close()
    thread.join()


@asynccontextmanager
async def sandbox_of(app: Path, state: Path) -> AsyncIterator[Sandbox]:
    driver = LocalDriver(state)
    spec = SandboxSpec(project_id="native", folder=app, port=pick_port())
    yield await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    await driver.aclose()


async def test_the_compiler_before_is_installed_beside_the_native_one_and_mends(
    app: Path, registry: Registry, tmp_path: Path
) -> None:
    manifest = (app / "package.json").read_bytes()
    async with sandbox_of(app, tmp_path / "state") as sandbox:
        service = LanguageService(sandbox)
        await service.open(WRONG)
        issues = await service.diagnose()
        assert {issue.code for issue in issues} >= {"TS2304"}
        result = await repair(issues, WRONG, service)
        assert result.left == ()
        assert result.edits["src/Card.tsx"] == (
            "import { useState } from 'react'\n\n"
            "export function Card() {\n  // How many.\n  const [count] = useState(0)\n  return <p>{count.toFixed(1)}</p>\n}\n"
        )
        await service.aclose()
        # The next one finds it there, and nothing of it shows in the app.
        registry.asked.clear()
        again = LanguageService(sandbox)
        assert [i.code for i in await again.check_file("src/a.ts", "export const a: number = 'a'\n")] == ["TS2322"]  # fmt: skip
        await again.aclose()
    assert registry.asked == []
    assert (app / "package.json").read_bytes() == manifest


async def test_where_it_cannot_be_installed_that_is_said(
    app: Path, registry: Registry, tmp_path: Path
) -> None:
    await asyncio.to_thread(shutil.rmtree, tmp_path / "typescript")
    registry.server.RequestHandlerClass.do_GET = lambda self: self.send_error(404)  # type: ignore[attr-defined]
    async with sandbox_of(app, tmp_path / "state") as sandbox:
        service = LanguageService(sandbox)
        with pytest.raises(RepairError, match="no TypeScript whose language service"):
            await service.diagnose()
        await service.aclose()
