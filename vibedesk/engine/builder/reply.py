"""Splits a conversation's reply into what is read and the SCOF that follows it."""

from __future__ import annotations

import re

_FILE_LINE = re.compile(
    r"^\s*(\$\s+)?(cat\s*(>|<<)|tee\s+\S.*<<|patch\s.*<<|mkdir\s+-p\s.*&&\s*cat\s)"
)
"""Begins a file or a patch, which nobody writes just to explain something."""
_COMMAND_LINE = re.compile(
    r"^(?!.*\w[.,:;!?]\s*$)"
    r"\s*(\$\s+)?((npm|pnpm|yarn|bun)\s+(i|install|add)\s+\S*[@\w]|(rm|mv)\s+\S+)"
)
"""May be a change, part of a sentence, or a command that is only explained: what follows it tells."""
_COMMANDS = ("cat", "tee", "patch", "mkdir", "npm", "pnpm", "yarn", "bun", "rm", "mv")
_FIRST_WORD = re.compile(r"(?:\$\s*)?(\S*)(\s?)")
_NO_CHANGE = re.compile(r"\s*\[no change\]\s*$", re.I)
_MARK = "[no change]"
_SHOW = re.compile(r"\s*\[show[ \t]+(\S[^\n]*)\][ \t]*\n?", re.I)
_ANEW = re.compile(r"\s*\[anew((?:[ \t,]+\w+)+)\]\s*", re.I)
_REGENERATE = re.compile(r"\s*\[regenerate[ \t]+(\S[^\n]*)\][ \t]*\n?", re.I)
_MARKS = (_SHOW, _ANEW, _REGENERATE)
"""Lines that are no text."""
_NO_FAULT = re.compile(r"\s*(?:[-*]\s+)?`?\[no fault (\d{1,3})\s*[:,]\s*(\S.*?)\s*\]`?\s*", re.I)
_BETWEEN_PATHS = re.compile(r"[\s,`]+")
_MOST_ASKED = 12
_FENCE = re.compile(r"\s*(```|~~~)[\w-]*\s*$")


def asked_files(text: str) -> tuple[str, ...]:
    """Return the paths of an answer that is nothing but `[show PATH …]`; none where it is something else."""
    found: list[str] = []
    for line in text.strip().splitlines():
        match = _SHOW.fullmatch(line)
        if match is None and line.strip() and not _FENCE.match(line):
            return ()
        if match is not None:
            found += [path.removeprefix("./") for path in _BETWEEN_PATHS.split(match[1]) if path]
    return tuple(dict.fromkeys(found))[:_MOST_ASKED]


def no_faults(text: str) -> dict[int, str]:
    """Return what an answer says of problems that are none, by lines `[no fault NUMBER: WHY]`."""
    matches = map(_NO_FAULT.fullmatch, text.splitlines())
    return {int(match[1]): match[2] for match in matches if match}


class ReplySplitter:
    """Feed it the reply as it streams; `feed` and `close` return the readable text to show.

    The beginning of a line is held back only while it could still begin the SCOF; blank lines, a fence and the mark
    `[no change]` at the end are held until something follows them, and so are lines `[show PATH …]`, `[anew FIELD …]` and
    `[regenerate PATH]`. Commands without a file are held too: where a sentence follows them they were meant to be read. A
    reply that ends with `[no change]` has no SCOF, whatever it looks like.
    """

    def __init__(self) -> None:
        self._line = ""
        self._line_is_text = False
        """The beginning of the line was shown already."""
        self._held = ""
        self._commands = ""
        """Commands, with blank lines and fences among and after them, that nothing else has followed yet."""
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
            if self._begins(_FILE_LINE, line):
                self._in_scof = True
                self._scof.append(self._commands + "\n".join([*lines[index:], self._line]))
                self._line = self._commands = ""
                return self._show(shown)
            self._take(line + "\n", shown)
            self._line_is_text = False
        self._take_beginning(shown)
        return self._show(shown)

    def close(self) -> str:
        shown: list[str] = []
        if self._line:
            if self._begins(_FILE_LINE, self._line):
                self._scof += [self._commands, self._line]
                self._commands = ""
            else:
                self._take(self._line, shown)
        self._scof.append(self._commands)
        if _NO_CHANGE.search(self.scof):
            self._held += self.scof
            self._scof.clear()
        held, self._held = self._held, ""
        tail = _NO_CHANGE.sub("", held)
        self.no_change = tail != held and not self.scof
        if match := _ANEW.search(tail):
            self.anew = tuple(re.findall(r"\w+", match[1]))
            tail = tail[: match.start()] + tail[match.end() :]
        if match := _REGENERATE.search(tail):
            self.regenerate = match[1].strip("` ").removeprefix("./")
            tail = tail[: match.start()] + tail[match.end() :]
        self.asked = asked_files(tail)
        if self.asked:
            tail = ""
        if tail.strip() and not _FENCE.fullmatch(tail):
            shown.append(tail.rstrip("\n"))
        return self._show(shown)

    no_change: bool = False
    asked: tuple[str, ...] = ()
    """Files that the reply ends with asking for; known once it is closed."""
    anew: tuple[str, ...] = ()
    """Fields of the plan that the person edited and now wants otherwise; known once it is closed."""
    regenerate: str = ""
    """The file that is to be written anew, as a change to look at; known once it is closed."""

    @property
    def text(self) -> str:
        return "".join(self._shown).strip()

    @property
    def scof(self) -> str:
        return "".join(self._scof)

    def _begins(self, what: re.Pattern[str], line: str) -> bool:
        return not self._line_is_text and what.match(line) is not None

    def _take(self, line: str, shown: list[str]) -> None:
        """Show the rest of a line, or hold it."""
        blank = not self._line_is_text and (not line.strip() or _FENCE.match(line))
        if self._begins(_COMMAND_LINE, line) or (blank and self._commands):
            self._commands += line
            return
        self._held, self._commands = self._held + self._commands, ""
        marks = not self._line_is_text and any(mark.fullmatch(line) for mark in _MARKS)
        if blank or marks:
            self._held += line
            return
        mark = _NO_CHANGE.search(line)
        text = line[: mark.start()] if mark else line
        if text:
            shown.append(self._held + text)
            self._held = ""
        self._held += line[len(text) :]

    def _take_beginning(self, shown: list[str]) -> None:
        """Show what has come of the present line, as far as it is text for certain."""
        if not self._line_is_text and _may_be_special(self._line):
            return
        certain = len(self._line)
        bracket = self._line.rfind("[")
        if bracket >= 0 and _MARK.startswith(self._line[bracket:].lower().rstrip()):
            certain = bracket
        certain = len(self._line[:certain].rstrip())
        if certain:
            shown.append(self._held + self._commands + self._line[:certain])
            self._held = self._commands = ""
            self._line, self._line_is_text = self._line[certain:], True

    def _show(self, pieces: list[str]) -> str:
        text = "".join(pieces)
        if text:
            self._shown.append(text)
        return text


def _may_be_special(line: str) -> bool:
    """Tell whether a line that begins so could turn out to be no text."""
    start = line.lstrip()
    if not start or start[0] in "`~[":
        return True
    match = _FIRST_WORD.match(start)
    word, ended = (match[1], match[2]) if match else ("", "")
    if ended:
        return word.partition(">")[0].partition("<")[0] in _COMMANDS
    return any(
        command.startswith(word) or word.startswith((f"{command}>", f"{command}<"))
        for command in _COMMANDS
    )
