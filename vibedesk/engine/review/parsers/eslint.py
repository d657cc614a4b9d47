"""ESLint's JSON report."""

from __future__ import annotations

from typing import Any

from vibedesk.engine.review.issues import Issue, Kind
from vibedesk.engine.review.parsers.text import json_report, project_path

_BREAKS = (
    "react-hooks/rules-of-hooks",
    "no-undef",
    "no-dupe-keys",
    "no-const-assign",
    "no-unreachable-loop",
)


def parse_eslint(output: str, root: str = "") -> list[Issue]:
    """Return what ESLint found; `output` may have other lines around the JSON."""
    return [
        _issue(message, project_path(str(entry["filePath"]), root))
        for entry in json_report(output, _is_report) or ()
        for message in entry["messages"]
        if isinstance(message, dict)
    ]


def _is_report(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(entry, dict)
            and isinstance(entry.get("messages"), list)
            and "filePath" in entry
            for entry in value
        )
    )


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
