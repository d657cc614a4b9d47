"""What Vite, Rolldown and esbuild print and show in their overlay, in dev and in builds."""

from __future__ import annotations

import re

from vibedesk.engine.review.issues import Issue, Kind, Source
from vibedesk.engine.review.parsers.text import plain, project_path

# [PARSE_ERROR] Expected … / ╭─[ src/App.tsx:3:53 ]
_ROLLDOWN = re.compile(r"^\s*(?:Error: )?\[(?P<code>[A-Z][A-Z_]+)\]\s*(?P<message>.+)$")
_ROLLDOWN_PLACE = re.compile(r"╭─+\[\s*(?P<file>.+?):(?P<line>\d+):(?P<column>\d+)\s*\]")
# 11:54:28 AM [vite] Internal server error: Failed to resolve import … / File: …:1:14
_VITE = re.compile(
    r"(?:\[vite\]\s*(?:\([\w ]+\)\s*)?(?:Internal server error|Pre-transform error|Error when evaluating SSR module [^:]*)"
    r"|^\s*\[plugin:[\w:@/-]+\])[:\s]\s*(?P<message>.+)$"
)
_AT = r"(?::(?:(?P<line>\d+):(?P<column>\d+)|(?:undefined|null|NaN):(?:undefined|null|NaN)))?"
_VITE_FILE = re.compile(rf"^\s*File:\s*(?P<file>.+?){_AT}\s*$")
# The overlay shows the place below the message, by its path on the disk.
_OVERLAY_FILE = re.compile(rf"^(?P<file>(?:/|[A-Za-z]:[\\/])[^\s:]+){_AT}$")
# JSONError { path: "/app/package.json", message: "trailing comma at …", line: 35, column: 1 }
_UNHANDLED = re.compile(
    r'^JSONError \{ path: "(?P<file>[^"]+)", message: "(?P<message>[^"]+)", line: (?P<line>\d+), column: (?P<column>\d+) \}'
)
# ✘ [ERROR] Could not resolve "x"  /  src/App.tsx:1:14:
_ESBUILD = re.compile(r"^\s*[✘X]\s*\[ERROR\]\s*(?P<message>.+?)(?:\s*\[plugin .+\])?$")
_ESBUILD_PLACE = re.compile(r"^\s{2,}(?P<file>\S.*?):(?P<line>\d+):(?P<column>\d+):\s*$")
_RESOLVE = re.compile(
    r"""(?:Failed to resolve import|Could not resolve|Cannot find module)\s+["'](?P<name>[^"']+)["']"""
    r"""(?:\s+(?:from|in)\s+["']?(?P<file>[^"'\s]*[^"'\s.,?]))?"""
)
_NO_MODULE = re.compile(
    r"Failed to load url (?P<name>\S+) \(resolved id: [^)]*\)(?: in (?P<file>\S+?))?\.? Does the file exist"
)
# [plugin @tailwindcss/vite:generate:build] /app/src/index.css / Error: Cannot apply unknown utility class `x`
_PLUGIN = re.compile(r"^\[plugin [^\]]+\]\s+(?P<file>\S+?)(?::(?P<line>\d+):(?P<column>\d+))?\s*$")
_PLUGIN_SAYS = re.compile(r"^(?:\w*Error|Error[\w ]*):\s*(?P<message>.+)$")
_PAGE = "index.html"
_WINDOW = 14


def parse_vite(output: str, root: str = "", *, source: Source = "build") -> list[Issue]:
    """Return the errors in a build's output, a dev server's log or an overlay's text."""
    lines = plain(output).split("\n")
    issues: list[Issue] = []
    for position, line in enumerate(lines):
        if failed := _failed_plugin(lines[position : position + 2], root, source):
            issues.append(failed)
            continue
        match = _ROLLDOWN.match(line) or _VITE.search(line) or _ESBUILD.match(line)
        if match is None:
            continue
        code = match.groupdict().get("code") or ""
        message = match["message"].strip()
        if message.startswith("Transform failed with"):
            continue  # what failed follows in a form of its own
        issues.append(_issue(code, message, lines[position + 1 : position + _WINDOW], root, source))
    return issues


def _failed_plugin(lines: list[str], root: str, source: Source) -> Issue | None:
    """Return what a build's plugin says of a file; None where the lines are something else."""
    place = _PLUGIN.match(lines[0])
    said = _PLUGIN_SAYS.match(lines[1]) if place is not None and len(lines) > 1 else None
    if place is None or said is None:
        return None
    return Issue(
        source=source,
        kind="syntax" if "SyntaxError" in lines[1] else "runtime",
        code="PLUGIN_ERROR",
        file=project_path(place["file"], root),
        line=int(place["line"] or 0),
        column=int(place["column"] or 0),
        message=said["message"].strip(),
        severity="critical",
    )


def _issue(code: str, message: str, after: list[str], root: str, source: Source) -> Issue:
    file, line, column = "", 0, 0
    if unhandled := _UNHANDLED.match(after[0]) if after else None:
        message, code = unhandled["message"], "PARSE_ERROR"
        file = project_path(unhandled["file"], root)
        line, column = int(unhandled["line"]), int(unhandled["column"])
        after = []
    for text in after:
        if _ROLLDOWN.match(text) or _VITE.search(text) or _ESBUILD.match(text):
            break
        place = (
            _ROLLDOWN_PLACE.search(text) or _VITE_FILE.match(text) or _ESBUILD_PLACE.match(text)
            or _OVERLAY_FILE.match(text)
        )  # fmt: skip
        if place is not None:
            file = project_path(place["file"], root)
            line, column = int(place["line"] or 0), int(place["column"] or 0)
            break
    unresolved = _RESOLVE.search(message)
    if unresolved is None and (unresolved := _NO_MODULE.search(message)) and not unresolved["file"]:
        file = file or _PAGE  # nothing that is imported asks for it
    if unresolved is not None and not file:
        file = project_path(unresolved["file"] or "", root)
    return Issue(
        source=source,
        kind=_kind(code, message, unresolved),
        code=code or ("UNRESOLVED_IMPORT" if unresolved else ""),
        file=file,
        line=line,
        column=column,
        message=message,
        severity="critical",
    )


def _kind(code: str, message: str, unresolved: re.Match[str] | None) -> Kind:
    if unresolved is not None:
        name = unresolved["name"]
        return "import" if name.startswith((".", "/", "@/", "~")) else "dependency"
    if (
        code == "MISSING_EXPORT"
        or "is not exported by" in message
        or "does not provide an export" in message
    ):
        return "import"
    if (
        code == "PARSE_ERROR"
        or "parse" in message.lower()
        or "Unexpected" in message
        or "Expected" in message
    ):
        return "syntax"
    return "runtime"
