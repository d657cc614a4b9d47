"""Reads almost-JSON without touching what is right in it.

Repair libraries guess inside strings too, and so damage code and prose that was quoted properly. This reader
only forgives what stands outside of strings: comments, trailing commas, single quotes, bare keys, Python's
words and a missing end.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_MAX_DEPTH = 200

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<comment>//[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>"[^"\\]*(?:\\.[^"\\]*)*")
  | (?P<single>'[^'\\]*(?:\\.[^'\\]*)*')
  | (?P<unfinished>["'].*\Z)
  | (?P<open>[{\[])
  | (?P<close>[}\]])
  | (?P<colon>:)
  | (?P<comma>,)
  | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_$][\w$-]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = {
    "true": "true",
    "True": "true",
    "false": "false",
    "False": "false",
    "null": "null",
    "None": "null",
    "undefined": "null",
}
_COLON = re.compile(r"\s*:")
_FENCE = re.compile(r"\s*(?:```|~~~)\w*\s*\Z")
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, where it ended, and whether its end was there."""

    value: object
    end: int
    complete: bool


class _NotJsonError(Exception):
    """The text cannot be read by forgiving what this reader forgives."""


def read_tolerantly(text: str, start: int) -> Reading | None:
    """Return the object or list that opens at `start`, None if it needs more than forgiveness.

    Linear in the length of the text.
    """
    try:
        normal, end, complete = _Normaliser(text, start).run()
        return Reading(json.loads(normal, strict=False), end, complete)
    except (_NotJsonError, ValueError, RecursionError):
        return None


class _Normaliser:
    """Rewrites tokens into proper JSON."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._position = start
        self._closers: list[str] = []
        self._out: list[str] = []
        self._comma = False

    def run(self) -> tuple[str, int, bool]:
        """Return the JSON, the position after the value, and whether it was closed."""
        while True:
            token = _TOKEN.match(self._text, self._position)
            if token is None:
                if self._closers and self._at_end():
                    break
                raise _NotJsonError
            self._position = token.end()
            self._take(token.lastgroup or "", token.group())
            if not self._closers:
                return "".join(self._out), self._position, True
        self._finish()
        return "".join(self._out), len(self._text), False

    def _at_end(self) -> bool:
        return self._position >= len(self._text) or bool(_FENCE.match(self._text, self._position))

    def _take(self, kind: str, token: str) -> None:
        match kind:
            case "blank" | "comment":
                return
            case "comma":
                self._comma = True  # written before what follows, so that a trailing one never is
            case "close":
                if token != self._closers.pop():
                    raise _NotJsonError
                self._out.append(token)
            case "colon":
                self._out.append(token)
            case "open":
                if len(self._closers) >= _MAX_DEPTH:
                    raise _NotJsonError
                self._put(token)
                self._closers.append("}" if token == "{" else "]")
            case "single":
                self._put(_requote(token[1:-1]))
            case "unfinished":
                self._put(_unfinished(token))
            case "word":
                self._put(self._word(token))
            case _:
                self._put(token)

    def _put(self, token: str) -> None:
        if self._comma:
            self._out.append(",")
            self._comma = False
        self._out.append(token)

    def _word(self, token: str) -> str:
        if _COLON.match(self._text, self._position):
            return json.dumps(token)
        if token not in _WORDS:
            raise _NotJsonError
        return _WORDS[token]

    def _finish(self) -> None:
        """Close what is open; a key whose value never came is dropped."""
        if self._out and self._out[-1] == ":":
            del self._out[-2:]
        elif self._closers[-1:] == ["}"] and self._out[-2:-1] and self._out[-2] in ("{", ","):
            del self._out[-1]
        if self._out and self._out[-1] == ",":
            del self._out[-1]
        self._out.extend(reversed(self._closers))


def _requote(inner: str) -> str:
    plain = inner.replace("\\'", "'").replace('\\"', '"')
    return '"' + plain.replace('"', '\\"') + '"'


def _unfinished(token: str) -> str:
    inner = _HALF_ESCAPE.sub("", token[1:])
    return f'"{inner}"' if token[0] == '"' else _requote(inner)
