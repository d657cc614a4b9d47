"""Splits a command line as models write it into words, redirections and heredocs.

It reads like a shell where a shell's reading makes sense, and guesses where models slip: quotes that do
not match, quotes that are never closed, blanks in bare paths. Nothing is ever expanded or run. Linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BLANKS = re.compile(r"\s*")
_PLAIN = re.compile(r"[^\s'\"\\<>|;&]+")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_SANE_QUOTED = re.compile(r"['\"]([^'\"<>|]*)['\"]")
_UNCLOSED = re.compile(r"['\"]([^\s'\"<>|;&]*)")
_DOUBLE_ESCAPE = re.compile(r'\\(["$`\\])')
_REDIRECT = re.compile(r"(?:\d+|&)?(?:>>|>\||>)&?|<>|<&|<")
_HEREDOC = re.compile(r"\d*<<(?!<)(-?)[ \t]*")
_HERE_STRING = re.compile(r"<<<[ \t]*")
_MARKER_QUOTED = (
    re.compile(r"'([^'<>|;&]*)'"),
    re.compile(r'"([^"<>|;&]*)"'),
    re.compile(r"['\"]([^'\"<>|;&]*)['\"]"),
    re.compile(r"['\"]([^'\"<>|;&#]*[^\s'\"<>|;&#])\s*$"),
    re.compile(r"['\"]([^\s'\"<>|;&]+)"),
)
_MARKER_BARE = re.compile(r"\\?([^\s<>|;&()'\"]+)")
_VERSION_BOUND = re.compile(r"[<>]=?\d|[<>]=|<\d")
_ESCAPABLE = frozenset(" \t'\"$[](){}&;<>|*?#~`!@=")
_BARE_AMPERSAND = re.compile(r"&(?![&\s]|$)")


@dataclass(slots=True)
class Heredoc:
    """`<<marker`; `indented` is `<<-`."""

    marker: str
    indented: bool


@dataclass(slots=True)
class SimpleCommand:
    """One command of a pipeline. `outputs` are (append?, path) of its standard output."""

    words: list[str] = field(default_factory=list)
    outputs: list[tuple[bool, str]] = field(default_factory=list)
    heredoc: Heredoc | None = None


@dataclass(slots=True)
class Pipeline:
    """Commands joined by `|`, with the text they came from."""

    commands: list[SimpleCommand]
    text: str


def split_command_line(line: str) -> list[Pipeline]:
    """Return the pipelines of `line` in order; separators between them are not kept."""
    return _Reader(line).pipelines()


class _Reader:
    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        # A quoted `>` is far more likely a slip than a name where a heredoc is on the line.
        self._forgiving = "<<" in line
        self._double_quotes_end = True

    def pipelines(self) -> list[Pipeline]:
        found: list[Pipeline] = []
        commands = [SimpleCommand()]
        start = 0
        while True:
            self._skip_blanks()
            if self._at >= len(self._line) or self._line[self._at] == "#":
                self._finish(found, commands, start, self._at)
                return found
            separator = self._separator()
            if separator == "|":
                commands.append(SimpleCommand())
            elif separator:
                self._finish(found, commands, start, self._at - len(separator))
                commands, start = [SimpleCommand()], self._at
            else:
                self._element(commands[-1])

    def _finish(
        self, found: list[Pipeline], commands: list[SimpleCommand], start: int, end: int
    ) -> None:
        text = self._line[start:end].strip()
        if text:
            found.append(Pipeline(commands, text))

    def _skip_blanks(self) -> None:
        match = _BLANKS.match(self._line, self._at)
        self._at = match.end() if match else self._at

    def _separator(self) -> str:
        for separator in ("&&", "||", "|&", ";", "|"):
            if self._line.startswith(separator, self._at):
                self._at += len(separator)
                return "|" if separator == "|&" else separator
        if self._line[self._at] == "&" and not self._line.startswith("&>", self._at):
            self._at += 1
            return "&"
        return ""

    def _element(self, command: SimpleCommand) -> None:
        line = self._line
        if match := _HERE_STRING.match(line, self._at):
            self._at = match.end()
            self._word()
        elif match := _HEREDOC.match(line, self._at):
            self._at = match.end()
            marker = self._marker()
            if marker is not None and command.heredoc is None:
                command.heredoc = Heredoc(marker, indented=bool(match[1]))
        elif match := _REDIRECT.match(line, self._at):
            self._at = match.end()
            self._redirect(command, match[0])
        else:
            command.words.append(self._word())

    def _redirect(self, command: SimpleCommand, operator: str) -> None:
        if operator.endswith("&"):  # 2>&1, >&2
            self._word()
            return
        self._skip_blanks()
        if self._at >= len(self._line) or self._line[self._at] in "<>|;":
            return
        target = self._bare_path() if self._forgiving else self._word()
        stream = operator.rstrip(">|")
        if "<" not in operator and stream in ("", "1", "&"):
            command.outputs.append((operator.endswith(">>"), target))

    def _bare_path(self) -> str:
        """Read a redirection's target; bare words after it belong to a name with blanks."""
        pieces = [self._word()]
        while True:
            blanks = _BLANKS.match(self._line, self._at)
            after = blanks.end() if blanks else self._at
            if after == self._at or after >= len(self._line):
                return "".join(pieces)
            if self._line[after] in "<>|;&#-" or _REDIRECT.match(self._line, after):
                return "".join(pieces)
            pieces.append(self._line[self._at : after])
            self._at = after
            pieces.append(self._word())

    def _marker(self) -> str | None:
        pieces: list[str] = []
        while self._at < len(self._line):
            match = _MARKER_BARE.match(self._line, self._at)
            if match is None:
                for pattern in _MARKER_QUOTED:
                    match = pattern.match(self._line, self._at)
                    if match is not None:
                        break
            if match is None:
                break
            pieces.append(match[1])
            self._at = match.end()
        return "".join(pieces) if pieces else None

    def _word(self) -> str:
        pieces: list[str] = []
        line, end = self._line, len(self._line)
        while self._at < end:
            if plain := _PLAIN.match(line, self._at):
                pieces.append(plain[0])
                self._at = plain.end()
                continue
            character = line[self._at]
            if character in "'\"":
                pieces.append(self._quoted(inside=bool(pieces)))
            elif character == "\\":
                pieces.append(self._escaped())
            elif pieces and self._is_literal(character):
                pieces.append(character)
                self._at += 1
            else:
                break
        return "".join(pieces)

    def _is_literal(self, operator: str) -> bool:
        """Tell whether an operator inside a word is a part of it: `flask>=3`, `R&D.md`."""
        if operator in "<>":
            bound = not self._forgiving and _VERSION_BOUND.match(self._line, self._at)
            return bool(bound)
        return operator == "&" and _BARE_AMPERSAND.match(self._line, self._at) is not None

    def _escaped(self) -> str:
        following = self._line[self._at + 1 : self._at + 2]
        if following and following in _ESCAPABLE:
            self._at += 2
            return following
        self._at += 1
        return "\\"

    def _quoted(self, *, inside: bool) -> str:
        quote = self._line[self._at]
        match = None
        if quote == "'":
            match = _SINGLE_QUOTED.match(self._line, self._at)
        elif self._double_quotes_end:
            match = _DOUBLE_QUOTED.match(self._line, self._at)
            self._double_quotes_end = match is not None
        if match is None or (self._forgiving and re.search(r"[<>|]", match[1])):
            match = _SANE_QUOTED.match(self._line, self._at)
            if match is None and inside:
                self._at += 1
                return quote
            match = match or _UNCLOSED.match(self._line, self._at)
        if match is None:  # _UNCLOSED matches any quote; kept for the type checker's sake
            self._at += 1
            return quote
        self._at = match.end()
        return _DOUBLE_ESCAPE.sub(r"\1", match[1]) if quote == '"' else match[1]
