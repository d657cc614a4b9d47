"""Comparing texts of ten times the lines: about ten times the cost, whatever was changed in them.

A word renamed in every tenth line, lines that were moved, texts of few different lines, and one character typed into
one line. CPU time, medians of alternating rounds; exits 1 over the limit.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

from tests.benchmarks._in_turn import cpu_seconds, exit_status, within_limit
from vibedesk.engine.files.text_diff import apply_text_edits, text_edits

_SMALL, _LARGE = 1_000, 10_000
_LIMIT = 20.0
_ROUNDS = 9


def source(lines: int) -> list[str]:
    return [f"const value{n} = compute({n}, other{n % 13})\n" for n in range(lines)]


def renamed(lines: int) -> tuple[str, str]:
    old = source(lines)
    new = [
        line.replace("compute", "reckon") if number % 10 == 3 else line
        for number, line in enumerate(old)
    ]
    return "".join(old), "".join(new)


def moved(lines: int) -> tuple[str, str]:
    old, chance = source(lines), random.Random(20240607)
    new = list(old)
    for _ in range(lines // 20):
        new.insert(chance.randrange(lines), new.pop(chance.randrange(lines)))
    return "".join(old), "".join(new)


def alike(lines: int) -> tuple[str, str]:
    old, new = ("".join(f"line {n % kinds}\n" for n in range(lines)) for kinds in (7, 5))
    return old, new


def typed(lines: int) -> tuple[str, str]:
    old = "".join(source(lines))
    middle = len(old) // 2
    return old, f"{old[:middle]}y{old[middle:]}"


def comparing(old: str, new: str) -> Callable[[], float]:
    if apply_text_edits(old, text_edits(old, new)) != new:
        raise SystemExit("the edits do not turn one text into the other")
    return lambda: cpu_seconds(lambda: text_edits(old, new))


def main() -> int:
    print(f"{_SMALL} lines / {_LARGE} lines")
    good = []
    for name, texts in (
        ("renamed in every tenth line", renamed),
        ("one line in twenty moved", moved),
        ("few different lines", alike),
        ("one character typed", typed),
    ):
        small, large = comparing(*texts(_SMALL)), comparing(*texts(_LARGE))
        good.append(within_limit(name, small, large, limit=_LIMIT, rounds=_ROUNDS))
    return exit_status(good)


if __name__ == "__main__":
    sys.exit(main())
