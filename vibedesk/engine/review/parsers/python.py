"""Python: tracebacks, ruff's and pyright's JSON, mypy's lines."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from vibedesk.engine.review.issues import Issue, Kind
from vibedesk.engine.review.parsers.text import json_report, plain, project_path

_START = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
_ERROR = re.compile(
    r"^(?P<name>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|NotFound))(?:: (?P<message>.*))?$"
)
_MYPY = re.compile(
    r"^(?P<file>[^:\n]+\.pyi?):(?P<line>\d+)(?::(?P<column>\d+))?(?::\d+:\d+)?: error: (?P<message>.+?)"
    r"(?:\s+\[(?P<code>[\w-]+)\])?$"
)
_FOUND = "generalDiagnostics"


def parse_tracebacks(output: str, root: str = "", *, given: Collection[str] = ()) -> list[Issue]:
    """Return the exceptions in a log; a chain counts once, with its last and its place in the app's code.

    That lies in a file of `given`, which the app did not write, only where no other is told.
    """
    lines = plain(output).split("\n")
    issues: list[Issue] = []
    for position, line in enumerate(lines):
        if line.strip() != _START and not line.rstrip().endswith(_START):
            continue
        if (issue := _traceback(lines[position:], root, given)) is not None:
            issues.append(issue)
    return issues


def _traceback(lines: list[str], root: str, given: Collection[str]) -> Issue | None:
    own: tuple[str, int] = ("", 0)
    taken: list[str] = []
    for line in lines:
        taken.append(line)
        if frame := _FRAME.match(line):
            file = project_path(frame["file"], root)
            packaged = ".venv" in file.split("/") or "site-packages" in file
            if file and not packaged and (file not in given or own[0] in ("", *given)):
                own = (file, int(frame["line"]))
            continue
        error = _ERROR.match(line)
        if error is not None and len(taken) > 1:
            return Issue(
                source="server",
                kind=_kind(error["name"]),
                code=error["name"].rsplit(".", 1)[-1],
                file=own[0],
                line=own[1],
                message=f"{error['name']}: {error['message'] or ''}".rstrip(": "),
                stack="\n".join(taken),
                severity="critical" if _kind(error["name"]) in ("import", "syntax") else "blocking",
            )
    return None


def _kind(name: str) -> Kind:
    short = name.rsplit(".", 1)[-1]
    if short in ("ModuleNotFoundError", "ImportError"):
        return "import"
    return "syntax" if short in ("SyntaxError", "IndentationError", "TabError") else "runtime"


def parse_ruff(output: str, root: str = "") -> list[Issue]:
    """Return ruff's findings from `--output-format json`."""
    return [_ruff(entry, root) for entry in json_report(output, _is_ruff_s) or ()]


def _is_ruff_s(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(entry, dict) and {"filename", "message", "location"} <= entry.keys()
            for entry in value
        )
    )


def _ruff(entry: dict[str, Any], root: str) -> Issue:
    code = str(entry.get("code") or "")
    syntax = not code or code in ("E999", "invalid-syntax")
    broken = syntax or code in ("F821", "F811", "F822", "F823")
    place = entry.get("location") or {}
    return Issue(
        source="lint",
        kind="syntax" if syntax else ("runtime" if broken else "style"),
        code=code or "syntax",
        file=project_path(str(entry.get("filename", "")), root),
        line=int(place.get("row") or 0),
        column=int(place.get("column") or 0),
        message=str(entry.get("message", "")),
        severity="critical" if syntax else ("blocking" if broken else "warning"),
    )


def parse_pyright(output: str, root: str = "") -> list[Issue]:
    """Return pyright's errors and warnings from `--outputjson`."""
    report = json_report(output, lambda value: isinstance(value, dict) and _FOUND in value)
    issues = []
    for entry in report[_FOUND] if report else ():
        start = (entry.get("range") or {}).get("start") or {}
        rule = str(entry.get("rule") or "")
        kind: Kind = "import" if "Import" in rule or "ModuleSource" in rule else "type"
        error = entry.get("severity") == "error"
        issues.append(
            Issue(
                source="types",
                kind=kind if rule else "syntax",
                code=rule or "syntax",
                file=project_path(str(entry.get("file", "")), root),
                line=int(start.get("line", -1)) + 1,
                column=int(start.get("character", -1)) + 1,
                message=str(entry.get("message", "")),
                severity="warning" if not error else ("blocking" if rule else "critical"),
            )
        )
    return issues


def parse_mypy(output: str, root: str = "") -> list[Issue]:
    """Return mypy's errors."""
    issues = []
    for line in plain(output).split("\n"):
        if match := _MYPY.match(line.strip()):
            code = match["code"] or ""
            kind: Kind = (
                "import"
                if code.startswith("import")
                else ("syntax" if code == "syntax" else "type")
            )
            issues.append(
                Issue(
                    source="types",
                    kind=kind,
                    code=code,
                    file=project_path(match["file"], root),
                    line=int(match["line"]),
                    column=int(match["column"] or 0),
                    message=match["message"],
                    severity="critical" if kind == "syntax" else "blocking",
                )
            )
    return issues
