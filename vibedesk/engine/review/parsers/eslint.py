"""ESLint's JSON report."""

from __future__ import annotations

import json
from typing import Any

from vibedesk.engine.review.issues import Issue, Kind
from vibedesk.engine.review.parsers.text import plain, project_path

_BREAKS = (
    "react-hooks/rules-of-hooks",
    "no-undef",
    "no-dupe-keys",
    "no-const-assign",
    "no-unreachable-loop",
)


def parse_eslint(output: str, root: str = "") -> list[Issue]:
    """Return what ESLint found; `output` may have other lines around the JSON."""
    report = _report(plain(output))
    return [
        _issue(message, project_path(str(entry.get("filePath", "")), root))
        for entry in report
        for message in entry.get("messages", ())
        if isinstance(message, dict)
    ]


def _report(text: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder()
    position = text.find("[")
    while position >= 0:
        try:
            value, _ = decoder.raw_decode(text, position)
        except ValueError:
            value = None
        if isinstance(value, list) and all(isinstance(e, dict) and "messages" in e for e in value):
            return value
        position = text.find("[", position + 1)
    return []


def _issue(message: dict[str, Any], file: str) -> Issue:
    rule = str(message.get("ruleId") or "")
    fatal = bool(message.get("fatal"))
    error = message.get("severity") == 2
    kind: Kind = "syntax" if fatal else ("runtime" if rule in _BREAKS else "style")
    return Issue(
        source="lint",
        kind=kind,
        code=rule or ("parse" if fatal else ""),
        file=file,
        line=int(message.get("line") or 0),
        column=int(message.get("column") or 0),
        message=" ".join(str(message.get("message", "")).split()),
        severity="critical" if fatal else ("blocking" if error else "warning"),
    )
