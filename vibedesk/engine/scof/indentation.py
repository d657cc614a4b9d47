"""Re-indents replacement lines to the file they go into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from vibedesk.engine.scof.line_search import is_blank

_DEFAULT_WIDTH = 2


def reindent(
    replacement: Sequence[str], searched: Sequence[str], found: Sequence[str], file: Iterable[str]
) -> list[str]:
    """Return `replacement` moved from the indentation of `searched` to that of `found` in `file`.

    A line whose indentation the search had gets what the file has there; deeper or flatter lines are
    reckoned from the first line in steps of the file's own unit, tabs or blanks.
    """
    pairs = [
        (_indent(theirs), _indent(ours))
        for theirs, ours in zip(searched, found, strict=True)
        if not is_blank(theirs)
    ]
    if not pairs or all(theirs == ours for theirs, ours in pairs):
        return list(replacement)
    known: dict[str, str] = {}
    for theirs, ours in pairs:
        known.setdefault(theirs, ours)
    base_theirs, base_ours = pairs[0]
    edit_unit = _unit([*map(_indent, searched), *map(_indent, replacement)])
    file_unit = _unit(map(_indent, file)) or edit_unit or " " * _DEFAULT_WIDTH
    edit_unit = edit_unit or file_unit
    shifts = {len(ours) - len(theirs) for theirs, ours in pairs}
    if "\t" not in file_unit + edit_unit and len(shifts) == 1:
        file_unit = edit_unit  # nothing says that the file's steps are of another width

    def moved(line: str) -> str:
        indent = _indent(line)
        if is_blank(line):
            return line
        if indent not in known:
            steps, rest = _steps(indent, edit_unit)
            base_steps, base_rest = _steps(base_theirs, edit_unit)
            known[indent] = _shifted(base_ours, steps - base_steps, rest - base_rest, file_unit)
        return known[indent] + line[len(indent) :]

    return [moved(line) for line in replacement]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(indents: Iterable[str]) -> str:
    """Return one step of indentation: a tab, or the smallest difference between two depths."""
    tabbed = blank = 0
    widths: set[int] = {0}
    for indent in indents:
        if "\t" in indent:
            tabbed += 1
        elif indent:
            blank += 1
            widths.add(len(indent))
    if tabbed > blank:
        return "\t"
    ordered = sorted(widths)
    steps = [b - a for a, b in pairwise(ordered) if b - a > 1]
    return " " * min(steps) if steps else ""


def _steps(indent: str, unit: str) -> tuple[int, int]:
    """Return full steps and left-over blanks of `indent`, counting a tab as one step."""
    tabs = indent.count("\t")
    blanks = len(indent) - tabs
    if unit == "\t" or not unit:
        return tabs, blanks
    steps, rest = divmod(blanks, len(unit))
    return tabs + steps, rest


def _shifted(base: str, steps: int, rest: int, unit: str) -> str:
    kept = len(base) + min(0, steps) * len(unit)
    indent = base[: max(0, kept)] + unit * steps
    if rest >= 0:
        return indent + " " * rest
    return indent[:rest] if indent.endswith(" " * -rest) else indent
