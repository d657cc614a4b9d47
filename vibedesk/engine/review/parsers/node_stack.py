"""Stack traces of JavaScript, from Node and from the browser: the first place in the app's own code.

A page's places are those of generated code until a `Locate` finds the real ones. A server prints the real ones by
itself: Node takes types away without moving a line, and the full-stack starter has Vite put an error's places right.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from vibedesk.engine.review.issues import Issue, Kind, Severity, Source
from vibedesk.engine.review.parsers.text import plain, project_path

_PLACED_FRAME = re.compile(
    r"^\s*at (?:async )?(?:(?P<name>[^()\n]+?) )?\(?(?P<place>(?:file://|https?://|node:|/|\w:[\\/]|[\w.@-]+/)[^()\n]*?)"
    r":(?P<line>\d+):(?P<column>\d+)\)?(?:\s\{)?\s*$"
)
_NAME = r"(?:[A-Z]\w*)?(?:Error|Exception)"
# Starters log what was being done before the error: `[app-error] GET /api/notes: TypeError: …`.
_HEAD = re.compile(
    rf"^(?:\[app-error\]\s*(?:(?!{_NAME}\b)\S.*?:\s(?={_NAME}\b))?)?(?:Uncaught\s+(?:\(in promise\)\s+)?)?(?P<name>{_NAME})"
    r"(?:\s\[(?P<code>\w+)\])?:?\s*(?P<message>.*)$"
)
ERROR_HEAD = re.compile(rf"\b{_NAME}(?:\s\[\w+\])?: ")
"""Where an error begins, anywhere in a line."""
FRAME = re.compile(r"^\s+at ")
"""A line of a stack."""
_MOST_MESSAGE_LINES = 60
"""A schema's error has some seven for each value that it refuses."""
_LONGEST_MESSAGE = 300
_NAMED = re.compile(
    r"(?<![\w./:-])(?:[\w.@-]+/)+[\w.-]+\.(?:[cm]?[jt]sx?|vue|svelte|css|html|json|sql)\b"
)
_DATA = re.compile(r"\bJSON\b")
_IMPORTS = re.compile(
    r"Cannot find module|Cannot find package|does not provide an export|Failed to fetch dynamically imported"
    r"|ERR_MODULE_NOT_FOUND"
)

Locate = Callable[[str, int, int], tuple[str, int, int]]
"""Turns (path or address, line, column) of generated code into the same of the source."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a stack: function, project path, line and column from 1."""

    name: str
    file: str
    line: int
    column: int


def frames(stack: str, root: str = "", locate: Locate | None = None) -> list[Frame]:
    """Return the frames that lie in the app's own code, the innermost first."""
    found: list[Frame] = []
    for text in plain(stack).split("\n"):
        match = _PLACED_FRAME.match(text)
        if match is None:
            continue
        place, line, column = match["place"], int(match["line"]), int(match["column"])
        if locate is not None:
            place, line, column = locate(place, line, column)
        file = _file(place, root)
        if file:
            found.append(Frame((match["name"] or "").strip(), file, line, column))
    return found


def stack_at(lines: Sequence[str], start: int) -> list[str]:
    """Return the lines of the error that begins at `start`: its message and its frames; none where no frames follow.

    A message may have several lines (a schema's error is JSON, Node lists who required a module), none of which
    begins another error.
    """
    most = _MOST_MESSAGE_LINES if ERROR_HEAD.search(lines[start]) else 1
    first = start + 1
    while first < len(lines) and not FRAME.match(lines[first]):
        if first - start >= most or ERROR_HEAD.search(lines[first]):
            return []
        first += 1
    traced = list(itertools.takewhile(FRAME.match, lines[first:]))
    return [*lines[start:first], *traced] if traced else []


def parse_stack(
    text: str,
    root: str = "",
    *,
    source: Source = "runtime",
    severity: Severity = "blocking",
    locate: Locate | None = None,
    given: Collection[str] = (),
) -> Issue | None:
    """Return the error that `text` (a console line, a log's lines) tells with its stack; None if it tells none.

    Its place lies in a file of `given`, which the app did not write, only where no other is told.
    """
    clean = plain(text).strip()
    after = iter(clean.split("\n"))
    head = next((m for line in after if (m := _HEAD.match(line.strip()))), None)
    if head is None:
        return None
    own = frames(clean, root, locate)
    message = f"{head['name']}: {head['message']}".strip(": ")
    if message.endswith(("[", "{")):
        # It is JSON, whose first line says nothing.
        rest = itertools.takewhile(lambda line: not FRAME.match(line), after)
        message = _shortened(" ".join(" ".join([message, *rest]).split()))
    place = _place(own, message, given)
    kind: Kind = "import" if _IMPORTS.search(message) else "runtime"
    if head["name"] == "SyntaxError" and kind == "runtime" and not _DATA.search(message):
        kind = "syntax"
    return Issue(
        source=source,
        kind=kind,
        code=head["code"] or head["name"],
        file=place.file,
        line=place.line,
        column=place.column,
        message=message,
        stack=clean,
        severity=severity,
    )


def _place(own: list[Frame], message: str, given: Collection[str]) -> Frame:
    """Return where the app is wrong: in what it wrote, else where the message says, else where it was thrown."""
    written = next((frame for frame in own if frame.file not in given), None)
    if written is not None or not own:
        return written or Frame("", "", 0, 0)
    named = _NAMED.search(message)
    return Frame("", named[0], 0, 0) if named and named[0] not in given else own[0]


def parse_server_log(lines: str, root: str = "", *, given: Collection[str] = ()) -> list[Issue]:
    """Return the errors with stacks that a server printed."""
    printed = plain(lines).split("\n")
    issues: list[Issue] = []
    start = 0
    while start < len(printed):
        stack = stack_at(printed, start) if _HEAD.match(printed[start].strip()) else []
        if stack and (issue := parse_stack("\n".join(stack), root, source="server", given=given)):
            issues.append(issue)
        start += max(1, len(stack))
    return issues


def _shortened(message: str) -> str:
    if len(message) <= _LONGEST_MESSAGE:
        return message
    return f"{message[: _LONGEST_MESSAGE - 1].rstrip()}…"


def _file(place: str, root: str) -> str:
    if place.startswith(("http://", "https://")):
        path = unquote(urlsplit(place).path).lstrip("/")
        return "" if path.startswith(("node_modules/", "@", ".vite/")) else project_path(path)
    return project_path(place, root)
