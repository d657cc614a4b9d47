"""Syntax colours for lines that are painted, by the lexer of the editor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from vibedesk.ui.editor.languages import KINDS, language_of
from vibedesk.ui.editor.script_lexer import ScriptLexer, State

_LIKE_SCRIPT = {"json": "js"}
"""Languages that have no lexer of ours and look right by the one for scripts."""


class Span(NamedTuple):
    """Characters `start` to `end` of a line are of a kind of the design's `syntax` tokens."""

    start: int
    end: int
    kind: str


class Colouring:
    """Colours the lines of one text in order. Where there is no lexer for the file, everything is text."""

    def __init__(self, path: str) -> None:
        language = language_of(path)
        script = language.script or _LIKE_SCRIPT.get(language.lexer, "")
        self._lexer = ScriptLexer(jsx=script == "jsx") if script else None
        self._state = State()

    def line(self, text: str, *, last: bool = False) -> tuple[Span, ...]:
        """Return the spans of the next line; with `last`, it may be given again when more of it has come."""
        if self._lexer is None:
            return ()
        data = text.encode("utf-8", "replace")
        styles, state = self._lexer.style_line(data + b"\n", self._state)
        if not last:
            self._state = state
        return tuple(_spans(text, styles[: len(data)]))


def coloured(path: str, lines: Sequence[str]) -> list[tuple[Span, ...]]:
    """Return the spans of each line of a text."""
    colouring = Colouring(path)
    return [colouring.line(line) for line in lines]


def _spans(text: str, styles: bytes) -> list[Span]:
    if not text.isascii():
        starts = [0]
        for character in text:
            starts.append(starts[-1] + len(character.encode("utf-8", "replace")))
        styles = bytes(styles[start] for start in starts[:-1])
    spans: list[Span] = []
    at = 0
    for style, run in groupby(styles):
        end = at + sum(1 for _ in run)
        spans.append(Span(at, end, KINDS[style]))
        at = end
    return spans
