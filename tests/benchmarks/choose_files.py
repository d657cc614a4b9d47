"""Choosing the files of a request from a project of 2,000, against counting the words of all its texts once.

Exit status 1 over a limit.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the checkout's modules, not installed ones
from tests.corpora.make import PROJECTS, project
from vibedesk.engine.builder.focus import of_message
from vibedesk.engine.builder.relevance.selection import KnownFiles, choose_files

_COPIES = 5
_ROUNDS, _CHANGES = 5, 3
_MOST_NEW, _MOST_AGAIN = 14.0, 2.5
_WISH = "When somebody forgot their password, mail them a link that works for an hour"
_WORD = re.compile(r"\w+")


def main() -> int:
    counting, fresh, again = [], [], []
    for round_ in range(_ROUNDS):
        texts = _texts(round_)
        counting.append(_counting(texts))
        fresh.append(_choosing(texts))
        for change in range(_CHANGES):
            texts = {**texts, next(iter(texts)): f"// {round_} {change}\n"}
            again.append(_choosing(texts))
        counting.append(_counting(texts))
    words = statistics.median(counting)
    first = statistics.median(fresh)
    new, one = first / words, statistics.median(again) / words
    print(f"{len(texts)} files, CPU; counting their words: {words:.3f} s")
    print(f"  all of them new: {first:.3f} s = {new:.2f}  (limit {_MOST_NEW})")
    print(f"  one of them new: {one * words:.3f} s = {one:.2f}  (limit {_MOST_AGAIN})")
    over = new > _MOST_NEW or one > _MOST_AGAIN
    print("OVER THE LIMITS" if over else "within the limits")
    return 1 if over else 0


def _texts(round_: int) -> dict[str, str]:
    """Return texts that were never seen before."""
    return {
        f"{name}{copy}/{path}": f"// {round_} {copy}\n{text}"
        for copy in range(_COPIES)
        for name in PROJECTS
        for path, text in project(name).items()
    }


def _choosing(texts: dict[str, str]) -> float:
    files = KnownFiles(texts=texts, changed={}, purposes={}, marks={})
    begun = time.process_time()
    choose_files(files, of_message(_WISH))
    return time.process_time() - begun


def _counting(texts: dict[str, str]) -> float:
    begun = time.process_time()
    for text in texts.values():
        Counter(_WORD.findall(text))
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
