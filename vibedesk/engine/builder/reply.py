"""Splits a conversation's reply into what is read and the SCOF that follows it."""

from __future__ import annotations

import re

_SCOF_LINE = re.compile(
    r"^\s*(\$\s+)?("
    r"cat\s*(>|<<)|tee\s+\S.*<<|patch\s.*<<|mkdir\s+-p\s.*&&\s*cat\s"
    r"|(npm|pnpm|yarn|bun)\s+(i|install|add)\s+\S*[@\w]|(rm|mv)\s+\S+"
    r")"
)
_NO_CHANGE = re.compile(r"\s*\[no change\]\s*$", re.I)
_FENCE = re.compile(r"\s*(```|~~~)[\w-]*\s*$")


class ReplySplitter:
    """Feed it the reply as it streams; `feed` and `close` return the readable text to show.

    A line is held back only until it is clear that it does not begin the SCOF; blank lines, a fence and the
    mark `[no change]` at the end are held until something follows them.
    """

    def __init__(self) -> None:
        self._line = ""
        self._held = ""
        self._shown: list[str] = []
        self._scof: list[str] = []
        self._in_scof = False

    def feed(self, text: str) -> str:
        if self._in_scof:
            self._scof.append(text)
            return ""
        shown: list[str] = []
        lines = (self._line + text).split("\n")
        self._line = lines.pop()
        for index, line in enumerate(lines):
            if _SCOF_LINE.match(line):
                self._in_scof = True
                self._scof.append("\n".join([*lines[index:], self._line]))
                self._line = ""
                break
            self._take(line + "\n", shown)
        return self._show(shown)

    def close(self) -> str:
        shown: list[str] = []
        if self._line:
            if _SCOF_LINE.match(self._line):
                self._scof.append(self._line)
            else:
                self._take(self._line, shown)
        held, self._held = self._held, ""
        tail = _NO_CHANGE.sub("", held)
        self.no_change = tail != held
        if tail.strip() and not _FENCE.fullmatch(tail):
            shown.append(tail.rstrip("\n"))
        return self._show(shown)

    no_change: bool = False

    @property
    def text(self) -> str:
        return "".join(self._shown).strip()

    @property
    def scof(self) -> str:
        return "".join(self._scof)

    def _take(self, line: str, shown: list[str]) -> None:
        if not line.strip() or _FENCE.match(line) or line.strip().lower() == "[no change]":
            self._held += line
            return
        shown.append(self._held + line)
        self._held = ""

    def _show(self, pieces: list[str]) -> str:
        text = "".join(pieces)
        if text:
            self._shown.append(text)
        return text
