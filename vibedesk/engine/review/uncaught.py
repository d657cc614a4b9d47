"""Errors in a server's log that nothing in the app has caught, whatever its page answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from vibedesk.engine.review.issues import Issue, deduplicated
from vibedesk.engine.review.parsers.node_stack import ERROR_HEAD, FRAME, parse_stack, stack_at
from vibedesk.engine.review.parsers.python import parse_tracebacks
from vibedesk.engine.review.parsers.text import plain

# The words of Node, of Python and of the starters for it. What an app logs besides it may have dealt with.
_SAID = re.compile(
    r"^(?:\[app-error\]|Uncaught)\s+(?:[A-Z]\w*)?(?:Error|Exception)\b"
    r"|^(?:ERROR:\s+)?Exception in ASGI application"
    r"|^Exception in thread "
    r"|^(?:Task|Future) exception was never retrieved"
    r"|\bunhandled ?(?:promise ?)?rejection\b|\buncaught ?exception\b",
    re.I,
)
_NODE_ENDED = re.compile(r"^Node\.js v\d")
_NEAR: Final = 4
"""Within so many lines of those words the error begins."""
_TRACEBACK: Final = "Traceback (most recent call last):"
# Who asked is gone, or the server is being ended: that is no fault of the app.
_PASSING_NAMES: Final = frozenset(
    {"CancelledError", "KeyboardInterrupt", "SystemExit", "ClientDisconnect", "ConnectionResetError",
     "BrokenPipeError", "AbortError"}
)  # fmt: skip
_PASSING_WORDS = re.compile(r"\b(?:ECONNRESET|EPIPE)\b|^Error: aborted$", re.M)
# What Node marks above an error: where in its line it was thrown.
_MARK = re.compile(r"^\s*\^+\s*$")
# The end of a stack, and what Node prints behind it of the error's own fields.
_BELOW_MESSAGE = re.compile(r"\s|[}\]]")


def uncaught_errors(log: str, root: str = "", *, given: Collection[str] = ()) -> list[Issue]:
    """Return the errors that ended a request, a task, a thread or the server.

    Args:
        log: What the server printed.
        root: The work folder as the server names it.
        given: Files that the app did not write; an error lies in one of them only where nothing else is known.
    """
    lines = plain(log).split("\n")
    found: list[Issue] = []
    for position, line in enumerate(lines):
        if _SAID.search(line):
            found += _error(lines, range(position, position + _NEAR), root, given)
        elif _NODE_ENDED.match(line):
            found += _error(lines, _above(lines, position), root, given)
    return deduplicated(issue for issue in found if not _is_passing(issue))


def _is_passing(issue: Issue) -> bool:
    name = issue.message.partition(":")[0].rpartition(".")[2]
    words = f"{issue.code}\n{issue.message}"
    return bool({issue.code, name} & _PASSING_NAMES) or _PASSING_WORDS.search(words) is not None


def _above(lines: Sequence[str], position: int) -> Sequence[int]:
    """Return where the error may begin that Node tells right above the line at `position`, the last line first."""
    last = position - 1
    while last >= 0 and not lines[last]:
        last -= 1
    first = last
    while first > 0 and _BELOW_MESSAGE.match(lines[first]) and not _MARK.match(lines[first]):
        first -= 1
    while first > 0 and not _MARK.match(lines[first]) and not FRAME.match(lines[first]):
        first -= 1
    return range(last, first - 1, -1)


def _error(
    lines: Sequence[str], where: Sequence[int], root: str, given: Collection[str]
) -> list[Issue]:
    """Return the error that begins at the first of the lines `where` at which one can."""
    for start in where:
        line, *after = lines[start:] or [""]
        if line.endswith(_TRACEBACK):
            return parse_tracebacks("\n".join([line, *after]), root, given=given)[:1]
        head = ERROR_HEAD.search(line)
        stack = stack_at(lines, start) if head else []
        if head and stack:
            told = "\n".join(stack)[head.start() :]
            issue = parse_stack(told, root, source="server", given=given)
            return [issue] if issue else []
    return []
