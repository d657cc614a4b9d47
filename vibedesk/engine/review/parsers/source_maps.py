"""Source maps: from a place in what the dev server sends to the place in what was written."""

from __future__ import annotations

import base64
import binascii
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from urllib.parse import unquote

_DIGITS = {
    c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_INLINE = re.compile(
    r"//[#@]\s*sourceMappingURL=data:application/json[^,\n]*?(?P<base64>;base64)?,(?P<data>\S+)\s*$",
    re.M,
)
_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceMap:
    """One map, read; places count from 1."""

    sources: tuple[str, ...]
    lines: tuple[tuple[tuple[int, int, int, int], ...], ...]
    """By generated line: (generated column, source, line, column), from 0, in order."""

    def original(self, line: int, column: int) -> tuple[str, int, int] | None:
        """Return (source, line, column) of a place in the generated code; None where the map is silent."""
        if not 1 <= line <= len(self.lines):
            return None
        segments = self.lines[line - 1]
        index = bisect_right(segments, (column - 1, len(self.sources), 0, 0)) - 1
        if index < 0:
            return None
        _, source, source_line, source_column = segments[index]
        return self.sources[source], source_line + 1, source_column + 1


def inline_source_map(code: str) -> SourceMap | None:
    """Return the map at the end of `code`, as dev servers append it; None if there is none that can be read."""
    matches = list(_INLINE.finditer(code))
    if not matches:
        return None
    data = matches[-1]["data"]
    try:
        if matches[-1]["base64"]:
            text = base64.b64decode(data, validate=True).decode()
        else:
            text = unquote(data)
    except (binascii.Error, UnicodeDecodeError):
        return None
    return read_source_map(text)


def read_source_map(text: str) -> SourceMap | None:
    """Return the map in JSON (version 3); None if it is none."""
    if len(text) > _MAX_BYTES:
        return None
    try:
        data = json.loads(text)
        root = str(data.get("sourceRoot") or "")
        sources = tuple(f"{root}{source}" for source in data["sources"])
        lines = _decode(str(data["mappings"]), len(sources))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return SourceMap(sources, lines)


def _decode(mappings: str, sources: int) -> tuple[tuple[tuple[int, int, int, int], ...], ...]:
    lines = []
    source = line = column = 0
    for text in mappings.split(";"):
        generated = 0
        segments = []
        for segment in filter(None, text.split(",")):
            values = _vlq(segment)
            if not values:
                raise ValueError("a segment is empty")
            generated += values[0]
            if len(values) < 4:
                continue
            source, line, column = source + values[1], line + values[2], column + values[3]
            if not 0 <= source < sources or min(line, column, generated) < 0:
                raise ValueError("a segment lies outside")
            segments.append((generated, source, line, column))
        lines.append(tuple(sorted(segments)))
    return tuple(lines)


def _vlq(segment: str) -> list[int]:
    values, value, shift = [], 0, 0
    for char in segment:
        digit = _DIGITS[char]
        value |= (digit & 31) << shift
        if digit & 32:
            shift += 5
            if shift > 60:
                raise ValueError("a number is too long")
            continue
        values.append(-(value >> 1) if value & 1 else value >> 1)
        value, shift = 0, 0
    return values
