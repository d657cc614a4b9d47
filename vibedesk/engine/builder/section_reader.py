"""Reads the fields of a JSON object while its text is still coming.

    reader = SectionReader()
    for chunk in answer:
        for name, value in reader.feed(chunk): ...

A field is given out once its value is whole. Prose before the object, fences, comments, single quotes and trailing
commas are forgiven, as `tolerant_json` does. What comes out never depends on where the text is cut, and the cost is
linear in its length.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from vibedesk.engine.models.tolerant_json import read_tolerantly

Section = tuple[str, object]


class _In(Enum):
    PROSE = auto()
    OBJECT = auto()
    STRING = auto()
    ESCAPE = auto()
    SLASH = auto()
    LINE_COMMENT = auto()
    BLOCK_COMMENT = auto()
    BLOCK_STAR = auto()
    END = auto()


_NEXT = {
    _In.PROSE: re.compile(r"\{"),
    _In.OBJECT: re.compile(r"[\"'{}\[\],/#]"),
    _In.LINE_COMMENT: re.compile(r"\n"),
    _In.BLOCK_COMMENT: re.compile(r"\*"),
}
_IN_STRING = {quote: re.compile(rf"[{quote}\\]") for quote in "\"'"}
_ANY = re.compile(r".", re.DOTALL)


class SectionReader:
    """One object's text, piece by piece."""

    def __init__(self) -> None:
        self._place = _In.PROSE
        self._quote = ""
        self._depth = 0
        self._field: list[str] = []
        self._given = False

    @property
    def ended(self) -> bool:
        """Whether the object's closing brace has come."""
        return self._place is _In.END

    def feed(self, text: str) -> list[Section]:
        """Take in more text; return the top-level fields (name, value) that are whole with it."""
        sections: list[Section] = []
        position = kept = 0
        while self._place is not _In.END and (found := self._stop().search(text, position)):
            position = found.end()
            before = self._depth
            whole = self._take(found.group())
            if before == 0:
                kept = position
            if whole:
                self._field.append(text[kept : position - 1])
                kept = position
                sections += self._read_field()
                if self._depth == 0:
                    # Braces in the prose before the object hold no field.
                    self._place = _In.END if self._given else _In.PROSE
        if self._depth:
            self._field.append(text[kept:])
        return sections

    def _stop(self) -> re.Pattern[str]:
        if self._place is _In.STRING:
            return _IN_STRING[self._quote]
        return _NEXT.get(self._place, _ANY)

    def _take(self, character: str) -> bool:
        """Move on by one character that matters; return whether a top-level field ends before it."""
        match self._place:
            case _In.PROSE:
                self._place, self._depth = _In.OBJECT, 1
            case _In.OBJECT:
                return self._take_in_object(character)
            case _In.STRING:
                self._place = _In.ESCAPE if character == "\\" else _In.OBJECT
            case _In.ESCAPE:
                self._place = _In.STRING
            case _In.SLASH:
                comments = {"/": _In.LINE_COMMENT, "*": _In.BLOCK_COMMENT}
                self._place = comments.get(character, _In.OBJECT)
            case _In.LINE_COMMENT:
                self._place = _In.OBJECT
            case _In.BLOCK_COMMENT:
                self._place = _In.BLOCK_STAR
            case _In.BLOCK_STAR if character == "/":
                self._place = _In.OBJECT
            case _In.BLOCK_STAR if character != "*":
                self._place = _In.BLOCK_COMMENT
        return False

    def _take_in_object(self, character: str) -> bool:
        match character:
            case '"' | "'":
                self._place, self._quote = _In.STRING, character
            case "/":
                self._place = _In.SLASH
            case "#":
                self._place = _In.LINE_COMMENT
            case "{" | "[":
                self._depth += 1
            case "}" | "]":
                self._depth -= 1
                return self._depth == 0
            case _:
                return self._depth == 1
        return False

    def _read_field(self) -> list[Section]:
        text = "".join(self._field)
        self._field = []
        # The line break ends a comment.
        reading = read_tolerantly("{" + text + "\n}", 0)
        if reading is None or not reading.complete or not isinstance(reading.value, dict):
            return []
        sections = list(reading.value.items())
        self._given = self._given or bool(sections)
        return sections


def read_sections(text: str) -> dict[str, object]:
    """Return the whole fields of the object whose text has come so far."""
    return dict(SectionReader().feed(text))
