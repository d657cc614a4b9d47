"""A file's text, and how a place in it becomes an issue."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from vibedesk.engine.review.issues import Issue, Severity

_LONGEST_SNIPPET = 50
_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|__mocks__|fixtures?|e2e|spec|mocks)/|\.(?:test|spec|stories)\.\w+$"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$"
)
_LITERAL = re.compile(r"'[^'\n]{13,}'|\"[^\"\n]{13,}\"|`[^`]{13,}`")


class SourceText:
    """One file of the project.

    Args:
        path: Its project path.
        text: What it holds.
        in_browser: Whether people who open the app get it.
    """

    def __init__(self, path: str, text: str, *, in_browser: bool = False) -> None:
        self.path = path
        self.text = text
        self.in_browser = in_browser

    @property
    def is_test(self) -> bool:
        return _TEST.search(self.path) is not None

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a line and a column, both from 1."""
        return self._line_starts[min(line, len(self._line_starts)) - 1] + column - 1

    def snippet(self, start: int, end: int) -> str:
        """Return a piece of code for a message: one line, short, without long literals."""
        words = " ".join(_LITERAL.sub("'…'", self.text[start : min(end, start + 600)]).split())
        return words if len(words) <= _LONGEST_SNIPPET else f"{words[:_LONGEST_SNIPPET]}…"

    def issue(self, offset: int, code: str, severity: Severity, message: str) -> Issue:
        line, column = self.place(offset)
        return Issue(
            source="security",
            kind="behaviour",
            code=code,
            file=self.path,
            line=line,
            column=column,
            message=message,
            severity=severity,
        )

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts
