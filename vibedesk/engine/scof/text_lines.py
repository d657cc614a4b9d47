"""A file's text as lines that remember how each of them ended."""

from __future__ import annotations

from collections.abc import Sequence

_BOM = "\ufeff"


class TextLines:
    """Lines without their ends, so that places are found by content and untouched lines keep theirs.

    Only LF and CRLF end a line. The byte order mark is kept apart.
    """

    def __init__(self, text: str) -> None:
        self._bom = _BOM if text.startswith(_BOM) else ""
        text = text.removeprefix(_BOM)
        self.ends_with_newline = text.endswith("\n") or not text
        pieces = text.split("\n")
        if pieces[-1] == "":
            pieces.pop()
        self.lines: list[str] = []
        self.ends: list[str] = []
        for piece in pieces:
            self.lines.append(piece.removesuffix("\r"))
            self.ends.append("\r\n" if piece.endswith("\r") else "\n")
        if not self.ends_with_newline and text.endswith("\r"):
            # A lone CR at the very end is a character of the last line, not half a line end.
            self.lines[-1] += "\r"
        if not self.ends_with_newline:
            self.ends[-1] = self.ends[-2] if len(self.ends) > 1 else "\n"

    def replace(
        self, start: int, stop: int, lines: Sequence[str], ends: Sequence[str | None] = ()
    ) -> None:
        """Put `lines` in place of `[start:stop]`.

        Where `ends` gives no end, a line takes that of the line it replaces, else of its neighbour.
        """
        neighbour = self._end_near(start, stop)
        old = self.ends[start:stop]
        new_ends = [
            (ends[i] if i < len(ends) else None) or (old[i] if i < len(old) else neighbour)
            for i in range(len(lines))
        ]
        self.lines[start:stop] = lines
        self.ends[start:stop] = new_ends

    def _end_near(self, start: int, stop: int) -> str:
        if stop > start:
            return self.ends[stop - 1]
        if start > 0:
            return self.ends[start - 1]
        return self.ends[0] if self.ends else "\n"

    def text(self) -> str:
        pieces = [self._bom]
        for line, end in zip(self.lines, self.ends, strict=True):
            pieces.append(line)
            pieces.append(end)
        if self.lines and not self.ends_with_newline:
            pieces.pop()
        return "".join(pieces)
