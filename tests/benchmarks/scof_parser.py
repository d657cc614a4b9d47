"""Benchmark: the SCOF parser against a minimal line reader, in alternating pairs of one run.

The reader is `Baseline` of `scof_line_reader.py`, looked for in the folder that `SCOF_REFERENCE` names and
beside the checkout; without it an own reader of the same design stands in. CPU time is compared, the ratio is
the median of the pairs' ratios. Exit status 1 below a limit.
"""

from __future__ import annotations

import importlib
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from vibedesk.engine.scof import ScofParser  # noqa: E402  # the checkout's, not an installed one

LIMITS = {20: 0.45, 200: 1.0}
PAIRS = int(os.environ.get("RUNS", "11"))


class Reader(Protocol):
    def feed(self, chunk: str) -> None: ...
    def finish(self) -> None: ...


MakeReader = Callable[
    [Callable[[str], None], Callable[[str, str], None], Callable[[str, str], None]], Reader
]


class LineReader:
    """The least that reads `cat > path << 'MARKER'`: whole lines, one call for each of them."""

    HEADER = re.compile(r"cat > (\S+) << '(\w+)'$")

    def __init__(
        self,
        opened: Callable[[str], None],
        line_read: Callable[[str, str], None],
        closed: Callable[[str, str], None],
    ) -> None:
        self._opened, self._line_read, self._closed = opened, line_read, closed
        self._rest: list[str] = []
        self._path: str | None = None
        self._marker = ""
        self._lines: list[str] = []

    def feed(self, chunk: str) -> None:
        self._rest.append(chunk)
        if "\n" not in chunk:
            return
        *lines, rest = "".join(self._rest).split("\n")
        self._rest = [rest]
        for line in lines:
            if self._path is None:
                if "<<" in line and (header := self.HEADER.match(line)):
                    self._path, self._marker = header.groups()
                    self._opened(self._path)
            elif line == self._marker or line.rstrip() == self._marker:
                self._closed(self._path, "\n".join(self._lines))
                self._path, self._lines = None, []
            else:
                self._lines.append(line)
                self._line_read(self._path, line)

    def finish(self) -> None:
        self.feed("\n")


def generated_stream(count: int = 200, size: int = 26_000) -> tuple[str, dict[str, str]]:
    """Return a stream of source-like files and what is in them."""
    source = random.Random(20240607)
    words = ("state", "value", "handler", "item", "config", "render", "effect", "token", "layout")
    forms = ("const {} = {}({});", "  return {}.{}({})", "import {{ {} }} from './{}/{}'", "}}", "")
    stream: list[str] = []
    files: dict[str, str] = {}
    for number in range(count):
        lines: list[str] = []
        while len(lines) * 26 < size:
            lines.append(source.choice(forms).format(*source.choices(words, k=3)))
        path, marker = f"src/part{number % 17}/file_{number}.ts", f"EOF_{number}"
        files[path] = "\n".join(lines)
        stream.append(f"cat > {path} << '{marker}'\n{files[path]}\n{marker}\n\n")
    return "".join(stream), files


def reference() -> tuple[str, MakeReader, tuple[str, dict[str, str]]]:
    """Return the name of the reference, the reference and the stream to read."""
    for folder in (os.environ.get("SCOF_REFERENCE"), str(ROOT.parent / "shared" / "bench")):
        if folder and (Path(folder) / "scof_line_reader.py").is_file():
            sys.dont_write_bytecode = True
            sys.path.insert(0, folder)
            module: Any = importlib.import_module("scof_line_reader")
            return str(module.__file__), module.Baseline, module.generate()
    return "own line reader", LineReader, generated_stream()


def time_reference(make: MakeReader, pieces: list[str]) -> float:
    got: dict[str, str] = {}
    reader = make(lambda _path: None, lambda _path, _line: None, got.__setitem__)
    started = time.process_time()
    feed = reader.feed
    for piece in pieces:
        feed(piece)
    reader.finish()
    return time.process_time() - started


def time_parser(pieces: list[str], files: dict[str, str]) -> tuple[float, int]:
    """Return the seconds and how many files came out exact; events are read as a consumer reads them."""
    got: dict[str, str] = {}
    chunks = 0
    parser = ScofParser()
    started = time.process_time()
    feed = parser.feed
    for piece in pieces:
        for event in feed(piece):
            if event.kind == "chunk":
                chunks += 1
            elif event.kind == "end":
                got[event.path] = event.text
    for event in parser.close():
        if event.kind == "end":
            got[event.path] = event.text
    seconds = time.process_time() - started
    return seconds, sum(1 for path, text in files.items() if got.get(path) == text + "\n")


def main() -> int:
    name, make, (stream, files) = reference()
    megabytes = len(stream.encode()) / 1e6
    print(f"reference: {name}; {megabytes:.1f} MB, {len(files)} files, {PAIRS} pairs")
    failed = False
    for size, limit in LIMITS.items():
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        theirs: list[float] = []
        ours: list[float] = []
        exact = len(files)
        for _ in range(PAIRS):
            theirs.append(time_reference(make, pieces))
            seconds, correct = time_parser(pieces, files)
            ours.append(seconds)
            exact = min(exact, correct)
        ratio = statistics.median(their / our for their, our in zip(theirs, ours, strict=True))
        good = ratio >= limit and exact == len(files)
        failed = failed or not good
        print(
            f"{size:>4} characters a chunk: {megabytes / statistics.median(ours):6.1f} MB/s, reference"
            f" {megabytes / statistics.median(theirs):6.1f} MB/s, ratio {ratio:.2f} (at least {limit}),"
            f" {exact} of {len(files)} files exact: {'ok' if good else 'FAILED'}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
