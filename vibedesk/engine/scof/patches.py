"""Unified-diff hunks as models write them: wrong numbers, wrong counts, stale context; or search/replace blocks instead.

The place of a hunk is found by content. Line numbers only choose among several places that fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vibedesk.engine.scof.edits import apply_edits, holds_edits
from vibedesk.engine.scof.errors import PatchError
from vibedesk.engine.scof.indentation import reindent
from vibedesk.engine.scof.line_search import PASSES, REINDENTING_PASS, LineSearch, is_blank
from vibedesk.engine.scof.patch_hunks import Hunk, parse_hunks
from vibedesk.engine.scof.text_lines import TextLines

_MOST_FUZZ = 3
_NO_LINE = -1


@dataclass(frozen=True, slots=True)
class PatchOutcome:
    """What applying gave; `already_applied` counts hunks that had nothing left to do."""

    text: str
    already_applied: int


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    number: int
    hunk: Hunk


def apply_patch(original: str, diff: str) -> str:
    """Return `original` with all hunks of `diff` applied; hunks already in it count as done.

    Raises:
        PatchError: and then nothing of `diff` was applied. `malformed`, `no_match` or `ambiguous`.
    """
    return patch_outcome(original, diff).text


def patch_outcome(original: str, diff: str) -> PatchOutcome:
    """Do what `apply_patch` does and tell how many hunks were already applied.

    Where `diff` is search/replace blocks, which models write in place of hunks, it does what `apply_edits` does.

    Raises:
        PatchError: as `apply_patch`, or `apply_edits`.
    """
    if holds_edits(diff):
        return PatchOutcome(apply_edits(original, diff), 0)
    hunks = parse_hunks(diff)
    file = TextLines(original)
    shift = done = 0
    for hunk in hunks:
        before = len(file.lines)
        if _apply(file, hunk, shift):
            shift += len(file.lines) - before
        else:
            done += 1
            shift += len(hunk.new()) - len(hunk.old())
    return PatchOutcome(file.text(), done)


def _apply(file: TextLines, hunk: Hunk, shift: int) -> bool:
    """Apply one hunk; False if it was already applied."""
    finder = LineSearch(file.lines)
    expected = _NO_LINE if hunk.start is None else hunk.start + shift
    old, new = hunk.old(), hunk.new()
    if not old:
        return _insert_without_context(file, hunk, finder, expected)
    place = _find(finder, hunk, expected)
    if place is not None:
        if _is_inserted_already(finder, hunk, place):
            return False
        _put(file, place, hunk)
        return True
    if _is_applied_already(finder, hunk, new, expected, len(file.lines)):
        return False
    place = _find_with_stale_context(finder, hunk, expected)
    if place is not None:
        if _is_inserted_already(finder, place.hunk, place):
            return False
        _put(file, place, hunk)
        return True
    parts = hunk.parts()
    if len(parts) > 1:
        return _apply_parts(file, parts, shift)
    if hunk.unmarked:
        raise PatchError("malformed", "The patch has lines that are neither context nor change.")
    first = next((line for line in old if line.strip()), old[0])
    raise PatchError("no_match", f"The lines to change are not in the file: {first.strip()[:80]}")


def _apply_parts(file: TextLines, parts: list[Hunk], shift: int) -> bool:
    """Apply a hunk whose context between changes is stale, change by change."""
    applied = False
    for part in parts:
        before = len(file.lines)
        if _apply(file, part, shift):
            applied = True
            shift += len(file.lines) - before
        else:
            shift += len(part.new()) - len(part.old())
    return applied


def _insert_without_context(file: TextLines, hunk: Hunk, finder: LineSearch, expected: int) -> bool:
    new = hunk.new()
    if file.lines == new:
        return False
    if not file.lines:
        expected = 0
    if not 0 <= expected <= len(file.lines):
        raise PatchError("ambiguous", "The patch inserts lines but does not say where.")
    _put(file, _Place(expected, 0, hunk), hunk)
    return True


def _find(finder: LineSearch, hunk: Hunk, expected: int) -> _Place | None:
    """Return where the hunk's old lines are; the first pass with a hit decides."""
    old = hunk.old()
    for number in range(len(PASSES)):
        hits = finder.hits(old, number)
        if len(hits) == 1:
            return _Place(hits[0], number, hunk)
        if hits:
            if finder.is_at(old, expected, number):
                return _Place(expected, number, hunk)
            raise PatchError(
                "ambiguous",
                f"The lines to change occur more than once (lines {hits[0] + 1}, {hits[1] + 1}).",
            )
    return None


def _find_with_stale_context(finder: LineSearch, hunk: Hunk, expected: int) -> _Place | None:
    """Look again with less and less of the context around the changes."""
    for cuts in _cuts(*hunk.context_edges()):
        ambiguous: PatchError | None = None
        for above, below in cuts:
            smaller = hunk.cut(above, below)
            if not _says_enough(smaller, hunk):
                continue
            try:
                place = _find(finder, smaller, expected + above if expected >= 0 else expected)
            except PatchError as error:
                ambiguous = error
                continue
            if place is not None:
                return place
        if ambiguous is not None:
            raise ambiguous
    return None


def _says_enough(smaller: Hunk, hunk: Hunk) -> bool:
    old = smaller.old()
    if all(is_blank(line) for line in old):
        return False
    # One line of many is too little to say where something is inserted.
    return "-" in smaller.kinds or len(old) > 1 or len(hunk.old()) <= 2


def _cuts(above: int, below: int) -> Iterator[list[tuple[int, int]]]:
    """Yield how many lines of context to leave out above and below, fewest first."""
    most_above, most_below = min(above, _MOST_FUZZ), min(below, _MOST_FUZZ)
    for total in range(1, most_above + most_below + 1):
        fewest_above = max(0, total - most_below)
        yield [(cut, total - cut) for cut in range(fewest_above, min(most_above, total) + 1)]


def _is_inserted_already(finder: LineSearch, hunk: Hunk, place: _Place) -> bool:
    """Tell whether a pure insertion at the edge of its context stands there already."""
    if "-" in hunk.kinds:
        return False
    above, below = hunk.context_edges()
    new, added = hunk.new(), hunk.kinds.count("+")
    if above and not below:
        return finder.is_at(new, place.line, place.number)
    if below and not above:
        return finder.is_at(new, place.line - added, place.number)
    return False


def _is_applied_already(
    finder: LineSearch, hunk: Hunk, new: list[str], expected: int, file_length: int
) -> bool:
    """Tell whether the file has the hunk's new lines where it lacks the old ones."""
    if not new:
        return False
    above, below = hunk.context_edges()
    for number in range(len(PASSES)):
        hits = finder.hits(new, number)
        if not hits:
            continue
        if "+" in hunk.kinds:
            return len(hits) == 1 or finder.is_at(new, expected, number)
        # Only removals: what is left must be shown on both sides, or end with the file.
        if above and below:
            return len(hits) == 1 or finder.is_at(new, expected, number)
        return bool(above) and hits[-1] + len(new) == file_length
    return False


def _put(file: TextLines, place: _Place, whole: Hunk) -> None:
    """Change the file at `place`; context lines stay as the file has them."""
    hunk = place.hunk
    old = hunk.old()
    found = file.lines[place.line : place.line + len(old)]
    added = [line for kind, line in zip(hunk.kinds, hunk.lines, strict=True) if kind == "+"]
    if place.number >= REINDENTING_PASS:
        added = reindent(added, old, found, file.lines)
    # A patch with some CRs writes out each line's end; one without any leaves it to the file.
    says_ends = any(line.endswith("\r") for line in hunk.lines)
    lines: list[str] = []
    ends: list[str | None] = []
    at, next_added = place.line, iter(added)
    for kind in hunk.kinds:
        if kind == "+":
            line = next(next_added)
            lines.append(line.removesuffix("\r") if says_ends else line)
            ends.append(_said_end(line) if says_ends else _end_for(file, at))
            continue
        if kind == " ":
            lines.append(file.lines[at])
            ends.append(file.ends[at])
        at += 1
    reaches_end = at == len(file.lines)
    file.replace(place.line, at, lines, ends)
    if reaches_end and whole.says_last_newline:
        file.ends_with_newline = whole.new_has_last_newline


def _said_end(line: str) -> str:
    return "\r\n" if line.endswith("\r") else "\n"


def _end_for(file: TextLines, at: int) -> str:
    """Return the line end of a line added before line `at`: its neighbours', the one above first."""
    if at > 0:
        return file.ends[at - 1]
    return file.ends[0] if file.ends else "\n"
