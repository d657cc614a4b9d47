"""TypeScript's compilers: tsc 6, the native 7, vue-tsc (all one format) and svelte-check."""

from __future__ import annotations

import re

from vibedesk.engine.review.issues import Issue, Kind
from vibedesk.engine.review.parsers.text import plain, project_path

# src/App.tsx(3,7): error TS2551: …      (--pretty false)
_PLAIN = re.compile(
    r"^(?P<file>[^\s(][^(\n]*)\((?P<line>\d+),(?P<column>\d+)\): (?P<level>error|warning) "
    r"(?P<code>TS\d+): (?P<message>.*)$"
)
# src/App.tsx:3:7 - error TS2551: …      (--pretty)
_PRETTY = re.compile(
    r"^(?P<file>\S[^:\n]*(?::[^:\d][^:\n]*)?):(?P<line>\d+):(?P<column>\d+) - (?P<level>error|warning) "
    r"(?P<code>TS\d+): (?P<message>.*)$"
)
# error TS5083: Cannot read file …       (no place: the configuration)
_GLOBAL = re.compile(r"^(?P<level>error|warning) (?P<code>TS\d+): (?P<message>.*)$")
# /app/src/Bad.svelte:6:11 / Error: … / (ts)
_SVELTE_PLACE = re.compile(r"^(?P<file>/?\S.*\.\w+):(?P<line>\d+):(?P<column>\d+)$")
_SVELTE_TEXT = re.compile(r"^(?P<level>Error|Warn(?:ing)?): (?P<message>.*)$")
_SVELTE_SOURCE = re.compile(r"\s*\((?P<source>ts|js|svelte|css)\)$")
_ADDRESS = re.compile(r"^https?://\S+(?:\s*\(\w+\))?$")

_IMPORTS = frozenset({
    "TS2305", "TS2306", "TS2307", "TS2613", "TS2614", "TS2691", "TS2724", "TS2732", "TS2792", "TS2834", "TS2835",
    "TS1192", "TS1259", "TS7016", "TS2882", "TS1484", "TS1371", "TS2846", "TS6059", "TS1149", "TS1261",
})  # fmt: skip


def parse_typescript(output: str, root: str = "") -> list[Issue]:
    """Return the compiler's errors, each with its whole message; everything else in `output` is skipped."""
    issues: list[Issue] = []
    lines = plain(output).split("\n")
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        match = _PLAIN.match(line) or _PRETTY.match(line) or _GLOBAL.match(line)
        if match is None:
            continue
        more = []
        # Without colours the rest of a message is indented; with them a picture of the code follows a blank line.
        while position < len(lines) and re.match(r"  +\S", lines[position]):
            more.append(lines[position].strip())
            position += 1
        issues.append(_issue(match.groupdict(), more, root))
    return issues


def parse_svelte_check(output: str, root: str = "") -> list[Issue]:
    """Return what svelte-check found, in its readable form."""
    issues: list[Issue] = []
    lines = plain(output).split("\n")
    for position, line in enumerate(lines[:-1]):
        place, told = _SVELTE_PLACE.match(line), _SVELTE_TEXT.match(lines[position + 1])
        if place is None or told is None:
            continue
        message, source = told["message"], ""
        for follows in ([message], *([text] for text in lines[position + 2 : position + 6])):
            if found := _SVELTE_SOURCE.search(follows[0]):
                source = found["source"]
                break
        message = _SVELTE_SOURCE.sub("", message)
        syntax = "Expected" in message or "Unexpected" in message
        warning = told["level"] != "Error"
        kind: Kind = "syntax" if syntax else ("style" if warning else "type")
        if "Cannot find module" in message:
            kind = "import"
        issues.append(
            Issue(
                source="lint" if warning else "types",
                kind=kind,
                code=f"svelte-{source}" if source else "svelte",
                file=project_path(place["file"], root),
                line=int(place["line"]),
                column=int(place["column"]),
                message=message,
                severity="warning" if warning else ("critical" if syntax else "blocking"),
            )
        )
    return issues


def _issue(found: dict[str, str], more: list[str], root: str) -> Issue:
    return typescript_issue(
        code=found["code"],
        message="\n".join([found["message"].strip(), *more]),
        file=project_path(found.get("file") or "", root),
        line=int(found.get("line") or 0),
        column=int(found.get("column") or 0),
        warning=found["level"] == "warning",
    )


def typescript_issue(
    *, code: str, message: str, file: str, line: int, column: int, warning: bool = False
) -> Issue:
    """Return the compiler's finding `code` (`TS2304`) as an issue."""
    syntax = 1000 <= int(code[2:]) < 2000 and code not in _IMPORTS
    kind: Kind = "import" if code in _IMPORTS else ("syntax" if syntax else "type")
    return Issue(
        source="types",
        kind=kind,
        code=code,
        file=file,
        line=line,
        column=column,
        message=message,
        severity="warning" if warning else ("critical" if syntax else "blocking"),
    )
