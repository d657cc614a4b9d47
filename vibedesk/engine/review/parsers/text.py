"""What every parser begins with: text without colours, carriage returns and machine paths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from vibedesk.engine.sandboxes.output import MAX_REPORT_CHARS

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

_OPENING = re.compile(r"^[\[{]", re.M)
_MOST_LOOKED_AT = MAX_REPORT_CHARS
"""So many characters are read in search of a report, the same ones again included: what prints them may be hostile."""


def plain(text: str) -> str:
    """Return `text` without ANSI codes, its lines ended by line feeds."""
    return _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def json_report(output: str, is_report: Callable[[Any], bool]) -> Any:
    """Return the first JSON list or object that is a report, at the beginning of a line of `output`; None without one."""
    text = plain(output)
    looked_at = 0
    for opening in _OPENING.finditer(text):
        try:
            value, end = json.JSONDecoder().raw_decode(text, opening.start())
        except json.JSONDecodeError as error:
            end = error.pos
        except RecursionError:
            break  # no tool nests that deep
        else:
            if is_report(value):
                return value
        # From the beginning: for what is no JSON, the lines before it are counted.
        looked_at += end
        if looked_at > _MOST_LOOKED_AT:
            break
    return None


def project_path(raw: str, root: str = "") -> str:
    """Return a path that a tool printed as a project path; empty where it lies outside or is a package's.

    Args:
        raw: Absolute below `root`, or relative; `file://` and a query are taken off.
        root: The work folder as the tool sees it.
    """
    path = raw.strip().strip("'\"").removeprefix("file://").partition("?")[0].replace("\\", "/")
    base = root.rstrip("/")
    if base and path.startswith(f"{base}/"):
        path = path[len(base) + 1 :]
    if path.startswith(("/", "node:")) or re.match(r"[A-Za-z]:", path):
        return ""
    clean = str(PurePosixPath(path)) if path else ""
    inside = clean and not clean.startswith("..") and clean != "."
    return clean if inside and "node_modules" not in clean.split("/") else ""
