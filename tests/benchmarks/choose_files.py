"""Choosing the files of a request from a project of 2,000: CPU time when every text is new, and when one is.

Exit status 1 over a limit.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the checkout's modules, not installed ones
from tests.corpora.make import PROJECTS, project
from vibedesk.engine.builder.focus import of_message
from vibedesk.engine.builder.relevance.selection import KnownFiles, choose_files

_COPIES = 5
_RUNS = 9
_MOST_NEW, _MOST_AGAIN = 1.5, 0.15
_WISH = "When somebody forgot their password, mail them a link that works for an hour"


def main() -> int:
    texts = {
        f"{name}{copy}/{path}": f"// {copy}\n{text}"
        for copy in range(_COPIES)
        for name in PROJECTS
        for path, text in project(name).items()
    }
    first = _seconds(texts)
    again = []
    for run in range(_RUNS):
        changed = next(iter(texts))
        texts = {**texts, changed: f"// {run}\n"}
        again.append(_seconds(texts))
    median = statistics.median(again)
    print(f"{len(texts)} files: {first:.3f} s of CPU when all are new (limit {_MOST_NEW})")
    print(f"{len(texts)} files: {median:.3f} s of CPU when one is (limit {_MOST_AGAIN})")
    return 1 if first > _MOST_NEW or median > _MOST_AGAIN else 0


def _seconds(texts: dict[str, str]) -> float:
    files = KnownFiles(texts=texts, changed={}, purposes={}, marks={})
    begun = time.process_time()
    choose_files(files, of_message(_WISH))
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
