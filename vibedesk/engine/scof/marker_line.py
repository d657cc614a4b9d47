"""Decides, piece by piece, whether a line is the closing line of a heredoc."""

from __future__ import annotations

import re
from typing import Literal

_INDENT = re.compile(r"[ \t]*")
_TRAILING = re.compile(r"[ \t\r;]*")

Verdict = Literal["open", "closing", "content"]


class MarkerLine:
    """Follows one line from its start: `[indent] marker [blanks or ;] newline` closes, anything else does not.

    Every character is looked at once, however the line is cut; what is withheld stays a list of pieces.
    """

    __slots__ = ("_in_indent", "_indented", "_marker", "_matched", "held")

    def __init__(self, marker: str, *, indented: bool) -> None:
        self._marker = marker
        self._indented = indented
        self._matched = 0
        self._in_indent = indented
        self.held: list[str] = []

    def restart(self) -> None:
        self._matched = 0
        self._in_indent = self._indented
        self.held = []

    def read(self, text: str, start: int) -> tuple[Verdict, int]:
        """Go on with the line at `text[start:]`.

        `open`: all of it may still be the closing line and is held. `closing`: it is; the position is behind
        its newline. `content`: it is not; the position is where that became known, no newline lies before it.
        """
        at = start
        if self._in_indent:
            at = _end_of(_INDENT, text, at)
            if at == len(text):
                self.held.append(text[start:])
                return "open", at
            self._in_indent = False
        missing = len(self._marker) - self._matched
        if missing:
            piece = text[at : at + missing]
            if not self._marker.startswith(piece, self._matched):
                return "content", at
            self._matched += len(piece)
            at += len(piece)
            if len(piece) < missing:
                self.held.append(text[start:])
                return "open", at
        at = _end_of(_TRAILING, text, at)
        if at == len(text):
            self.held.append(text[start:])
            return "open", at
        return ("closing", at + 1) if text[at] == "\n" else ("content", at)

    @property
    def is_complete(self) -> bool:
        """Whether what was read is the closing line if the stream ends here."""
        return not self._in_indent and self._matched == len(self._marker)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start
