"""Turns what a model found by reading the code into issues."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from vibedesk.engine.builder.schemas import Finding
from vibedesk.engine.review.issues import Issue, Severity

_PLACE_BEHIND = re.compile(r"(?:[:#]L?\d[\dL:,-]*|\s*\(\d[^)]*\))$")
"""`:31`, `:31:7`, `#L31-L40` or ` (31)` behind a path."""
_SEVERITIES: Final[Mapping[str, Severity]] = {
    **dict.fromkeys(("critical", "fatal", "p0"), "critical"),
    **dict.fromkeys(
        ("blocking", "blocker", "high", "error", "major", "severe", "serious", "bug", "p1"),
        "blocking",
    ),
}
"""What models write in place of the words that they were asked for; anything else is a warning."""


def finding_issues(findings: Sequence[Finding], texts: Mapping[str, str]) -> list[Issue]:
    """Return findings as issues of the source `review`.

    One about a file that is not among `texts` keeps the name in its message. A line is where its quote stands, else
    the number that was given, if the file has as many.
    """
    return [_issue(found, texts) for found in findings if found.message.strip()]


def _issue(found: Finding, texts: Mapping[str, str]) -> Issue:
    path, message = _path(found.file), found.message.strip()
    if path not in texts:
        message = f"{message} ({path})" if path and path not in message else message
        path = ""
    return Issue(
        source="review",
        kind="behaviour",
        code="review",
        file=path,
        line=_line(found, texts[path]) if path else 0,
        message=message,
        severity=_severity(found.severity),
    )


def _path(said: str) -> str:
    bare = said.strip().strip("`'\"").replace("\\", "/")
    return _PLACE_BEHIND.sub("", bare).removeprefix("./").lstrip("/")


def _line(found: Finding, text: str) -> int:
    """Return the line (from 1) of the quote, of several the nearest to the number that was given; 0 where unknown."""
    lines = text.splitlines()
    quote = next((part for part in map(_bare, found.quote.splitlines()) if part), "")
    bare = [_bare(line) for line in lines]
    places = [n for n, line in enumerate(bare, start=1) if quote and line == quote]
    places = places or [n for n, line in enumerate(bare, start=1) if quote and quote in line]
    if places:
        return min(places, key=lambda n: abs(n - found.line)) if found.line else places[0]
    return found.line if found.line <= len(lines) else 0


def _bare(line: str) -> str:
    return " ".join(line.strip().strip("`").split())


def _severity(said: str) -> Severity:
    word = re.match(r"\W*(\w+)", said.lower())
    return _SEVERITIES.get(word[1], "warning") if word else "warning"
