"""Finds a run of lines in a file by content, from exact to forgiving, in linear time."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

_BLANK = " \t\f\v\r"
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2026": "...",
        **dict.fromkeys("\u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " "),
    }
)


def is_blank(line: str) -> bool:
    return not line.strip(_BLANK)


def _exact(line: str) -> str:
    return line


def _without_trailing(line: str) -> str:
    return line.rstrip(_BLANK)


def _without_edges(line: str) -> str:
    return line.strip(_BLANK)


def _folded(line: str) -> str:
    if not line.isascii():
        line = unicodedata.normalize("NFC", _ZERO_WIDTH.sub("", line)).translate(_FOLDED)
    return line.strip(_BLANK)


PASSES: tuple[Callable[[str], str], ...] = (_exact, _without_trailing, _without_edges, _folded)
"""In the order in which they are tried; from index 2 on, indentation differs from the file's."""

REINDENTING_PASS = 2


class LineSearch:
    """Searches one version of a file's lines; make a new one after a change."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._normalized: dict[int, tuple[list[str], str, list[int]]] = {}

    def hits(self, wanted: Sequence[str], number: int, limit: int = 2) -> list[int]:
        """Return where pass `number` finds `wanted`, overlapping hits too, at most `limit` of them."""
        if not wanted:
            return []
        lines, joined, starts = self._prepare(number)
        if len(wanted) > len(lines):
            return []
        normalize = PASSES[number]
        needle = "\n" + "\n".join([normalize(line) for line in wanted]) + "\n"
        found: list[int] = []
        at = joined.find(needle)
        while at >= 0 and len(found) < limit:
            found.append(bisect_right(starts, at) - 1)
            at = joined.find(needle, at + 1)
        return found

    def is_at(self, wanted: Sequence[str], place: int, number: int) -> bool:
        """Tell whether pass `number` finds `wanted` at line `place`."""
        if place < 0 or not wanted:
            return False
        normalize = PASSES[number]
        lines = self._prepare(number)[0]
        return lines[place : place + len(wanted)] == [normalize(line) for line in wanted]

    def _prepare(self, number: int) -> tuple[list[str], str, list[int]]:
        prepared = self._normalized.get(number)
        if prepared is None:
            lines = [PASSES[number](line) for line in self._lines]
            joined = "\n" + "\n".join(lines) + "\n"
            starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
            prepared = self._normalized[number] = (lines, joined, starts)
        return prepared
