"""Files that cannot be read: what one letter or a fence too many does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_FENCE = re.compile(r"^\s*```[\w+-]*[ \t]*\r?\n")
_FENCE_END = re.compile(r"(?:\r?\n|^)```[ \t]*\s*$")
_STEP = 4


def readable(text: str) -> str | None:
    """Return the text as it can be read, if there is one change that makes it so."""
    found = list(dict.fromkeys(each for each in _candidates(text) if _is_readable(each)))
    return found[0] if len(found) == 1 else None


def _candidates(text: str) -> Iterator[str]:
    if _FENCE.match(text):
        inside = _FENCE.sub("", text)
        yield _FENCE_END.sub("\n", inside) if _FENCE_END.search(inside) else inside
        return
    try:
        ast.parse(text)
    except SyntaxError as error:
        lines = text.splitlines(keepends=True)
        if not error.lineno or error.lineno > len(lines):
            return
        if error.msg == "expected ':'":
            yield from _with_colon(lines, error.lineno - 1)
        elif isinstance(error, IndentationError) and "expected an" not in error.msg:
            yield from _indented(lines, error.lineno - 1)


def _with_colon(lines: list[str], at: int) -> Iterator[str]:
    row = lines[at]
    code, hash_sign, _ = row.partition("#")
    end = len((code if hash_sign else row).rstrip())
    yield "".join([*lines[:at], row[:end] + ":" + row[end:], *lines[at + 1 :]])


def _indented(lines: list[str], at: int) -> Iterator[str]:
    """Yield the line as deep as one above it, where it is off by less than a step: that is no block of its own."""
    row = lines[at]
    depth = len(row) - len(row.lstrip(" "))
    above = {len(line) - len(line.lstrip(" ")) for line in lines[:at] if line.strip()}
    for other in above:
        if 0 < abs(other - depth) < _STEP // 2:
            yield "".join([*lines[:at], " " * other + row.lstrip(" "), *lines[at + 1 :]])


def _is_readable(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
