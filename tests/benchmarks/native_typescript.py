"""What the native TypeScript 7 and its `--lsp` server would save on the project of `repair.py`: 100 files, one edit.

Why VibeDesk asks them only where it does says `vibedesk/engine/review/native_typescript.py`; these are its figures.
Medians of alternating rounds, of the whole project but for "one file"; the server is asked for its files one by one.
Exits 1 where a ground of that decision is gone: a cold native check is hardly quicker than the app's own, the service of
TypeScript 6 answers much later than the server, or both compilers no longer find the same errors.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the checkout's modules, not installed ones
from tests.benchmarks.repair import broken, project
from tests.support.starter_packages import link_review_tools, starter_with_packages
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.review.parsers.typescript import parse_typescript
from vibedesk.engine.sandboxes.driver import SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.node import find_toolchains
from vibedesk.engine.sandboxes.ports import pick_port

_ROUNDS = 5
_LEAST_GAIN = 2.0  # the own compiler's cold check, of what the native one takes
_MOST_SERVICE = 12.0  # its first check and one after an edit, of what the server takes
_COMPILER = Path("node_modules", "typescript", "bin", "tsc")
_RIGHT, _WRONG = "total.toFixed(2)", "total.toFixed('2')"


class LspServer:
    """`tsc --lsp --stdio` of one project, asked in turn. What it says unasked is read and left."""

    def __init__(self, folder: Path, compiler: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._process = subprocess.Popen(
            [str(_node()), str(compiler), "--lsp", "--stdio"],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        capabilities = {"textDocument": {"diagnostic": {}}}
        self._ask(
            "initialize",
            {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities},
        )
        self._send({"method": "initialized", "params": {}})

    def open(self, path: str, text: str) -> None:
        document = {"languageId": "typescriptreact", "version": 1, "text": text}
        self._tell("didOpen", path, document)

    def change(self, path: str, version: int, text: str) -> None:
        self._tell("didChange", path, {"version": version}, contentChanges=[{"text": text}])

    def diagnose(self, paths: Iterable[str]) -> list[int]:
        """Return the codes of what is wrong in these files; one of the project has to be open."""
        answers = [
            self._ask(
                "textDocument/diagnostic",
                {"textDocument": {"uri": (self._folder / path).as_uri()}},
            )
            for path in paths
        ]
        return [item["code"] for answer in answers for item in answer["items"]]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _tell(self, what: str, path: str, document: dict[str, Any], **others: Any) -> None:
        uri = {"uri": (self._folder / path).as_uri()}
        self._send(
            {"method": f"textDocument/{what}", "params": {"textDocument": uri | document, **others}}
        )

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if "method" in message:
                if "id" in message:  # it asks for what only an editor has
                    self._send({"id": message["id"], "result": None})
            elif message["id"] == number:
                result: dict[str, Any] = message["result"]
                return result

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while header := self._process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


class Times:
    """What each thing took, a list of seconds a name."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._begun = 0.0

    def begin(self) -> None:
        self._begun = time.perf_counter()

    def note(self, name: str) -> None:
        self._seconds[name].append(time.perf_counter() - self._begun)

    def __getitem__(self, name: str) -> float:
        return statistics.median(self._seconds[name])


def _node() -> Path:
    return find_toolchains()[0].node


def _tsc(folder: Path, compiler: Path) -> str:
    shutil.rmtree(folder / ".tsbuild", ignore_errors=True)
    command = [str(_node()), str(compiler), "-p", "tsconfig.app.json", "--noEmit", "--pretty", "false"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def _write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _sources(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.glob("src/**/*.ts*"))]


async def measure(folder: Path, native: Path, state: Path) -> bool:
    texts = project()
    _write(folder, texts)
    paths = _sources(folder)
    own, times = folder / _COMPILER, Times()
    driver = LocalDriver(state)
    sandbox = await driver.open(
        SandboxSpec(project_id="bench", folder=folder, port=pick_port()),
        on_line=lambda _line: None,
        on_status=lambda *_: None,
    )
    kept = LanguageService(sandbox)
    server = LspServer(folder, native)
    try:
        assert await kept.diagnose() == []
        server.open("src/App.tsx", texts["src/App.tsx"])
        assert server.diagnose(paths) == []
        for number in range(_ROUNDS):
            for name, compiler in (("cold, own", own), ("cold, native", native)):
                times.begin()
                assert _tsc(folder, compiler) == ""
                times.note(name)
            await _first(folder, LanguageService(sandbox), native, paths, texts, times)
            await _again(kept, server, number, paths, texts, times)
    finally:
        server.close()
        await kept.aclose()
        await driver.aclose()

    _write(folder, broken(texts))
    found = [
        sorted((i.file, i.line, i.code) for i in parse_typescript(_tsc(folder, compiler), "."))
        for compiler in (own, native)
    ]
    return _report(times, len(paths), *found)


async def _first(
    folder: Path, service: LanguageService, native: Path, paths: list[str], texts: dict[str, str], times: Times,
) -> None:  # fmt: skip
    times.begin()
    assert await service.diagnose() == []
    times.note("first, service")
    await service.aclose()
    times.begin()
    server = LspServer(folder, native)
    server.open("src/App.tsx", texts["src/App.tsx"])
    assert server.diagnose(paths) == []
    times.note("first, server")
    server.close()


async def _again(
    kept: LanguageService, server: LspServer, number: int, paths: list[str], texts: dict[str, str], times: Times,
) -> None:  # fmt: skip
    path = f"src/parts/Part{number}.tsx"
    right, wrong = texts[path], texts[path].replace(_RIGHT, _WRONG)
    times.begin()
    await kept.open({path: wrong})
    assert [issue.code for issue in await kept.diagnose()] == ["TS2345"]
    times.note("again, service")
    await kept.open({path: right})
    assert await kept.diagnose() == []
    times.begin()
    assert [issue.code for issue in await kept.check_file(path, wrong)] == ["TS2345"]
    times.note("one file, service")
    await kept.forget()
    assert await kept.diagnose() == []

    server.open(path, right)
    assert server.diagnose(paths) == []
    times.begin()
    server.change(path, 2, wrong)
    assert server.diagnose(paths) == [2345]
    times.note("again, server")
    server.change(path, 3, right)
    assert server.diagnose(paths) == []
    times.begin()
    server.change(path, 4, wrong)
    assert server.diagnose([path]) == [2345]
    times.note("one file, server")
    server.change(path, 5, right)
    assert server.diagnose(paths) == []


def _report(times: Times, files: int, own: list[Any], native: list[Any]) -> bool:
    ratios = {}
    for name, slow, quick in (("cold", "own", "native"), ("first", "service", "server"),
                              ("again", "service", "server"), ("one file", "service", "server")):  # fmt: skip
        took, takes = times[f"{name}, {slow}"], times[f"{name}, {quick}"]
        ratios[name] = took / takes
        print(f"  {name}: {slow} {took:.3f} s, {quick} {takes:.3f} s = {ratios[name]:.1f}")
    print(f"  of 20 breaks: own {len(own)} errors, native {len(native)}, {'the same' if own == native else 'OTHERS'}")  # fmt: skip
    good = (
        ratios["cold"] >= _LEAST_GAIN
        and max(ratios["first"], ratios["again"]) <= _MOST_SERVICE
        and len(own) > 0
        and own == native
    )
    print(f"{files} files, medians of {_ROUNDS}; limits: cold {_LEAST_GAIN}, first and again {_MOST_SERVICE}")  # fmt: skip
    print("within the limits" if good else "OVER THE LIMITS")
    return good


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vibedesk-bench-") as place:
        folder = starter_with_packages("react-vite", Path(place, "app"))
        link_review_tools(Path(place, "review"))
        native = Path(place, "review", _COMPILER)
        return 0 if asyncio.run(measure(folder, native, Path(place, "state"))) else 1


if __name__ == "__main__":
    sys.exit(main())
