"""The differences between two texts as passages of whole lines, each of which can be taken over by itself."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vibedesk.base.errors import InvalidInputError, NotAllowedNowError

_MOST_PAIRS = 100_000_000
_EXACT_PAIRS = 250_000
_JOINED_GAP = 1
"""Changes with at most so many equal lines between them are one hunk."""


class HunkConflictError(NotAllowedNowError):
    """A hunk changes lines that were changed otherwise meanwhile; `details['hunk']` is its index."""

    code = "hunk_conflict"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `start` to `end` (from 0, end excluded) of the old text become `new`; `new_start` is where in the new."""

    start: int
    end: int
    old: tuple[str, ...]
    new_start: int
    new: tuple[str, ...]


class _Change(NamedTuple):
    """Lines `start` to `end` of one text are lines `new_start` to `new_end` of the other."""

    start: int
    end: int
    new_start: int
    new_end: int


def split_lines(text: str) -> list[str]:
    """Return the lines with their ends; joined they are the text again."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def hunks_between(old: str, new: str) -> tuple[Hunk, ...]:
    """Return what turns `old` into `new`, in order; the hunks neither overlap nor touch."""
    a, b = split_lines(old), split_lines(new)
    joined: list[_Change] = []
    for change in _changes(a, b):
        if joined and change.start - joined[-1].end <= _JOINED_GAP:
            before = joined.pop()
            joined.append(_Change(before.start, change.end, before.new_start, change.new_end))
        else:
            joined.append(change)
    return tuple(
        Hunk(start, end, tuple(a[start:end]), new_start, tuple(b[new_start:new_end]))
        for start, end, new_start, new_end in joined
    )


def count_changes(old: str, new: str) -> tuple[int, int]:
    """Return how many lines were added and how many removed."""
    changes = list(_changes(split_lines(old), split_lines(new)))
    return sum(c.new_end - c.new_start for c in changes), sum(c.end - c.start for c in changes)


def with_hunks(base: str, current: str, new: str, chosen: Collection[int] | None) -> str:
    """Return `current` with hunks of `base` → `new` made in it.

    What turned `base` into `current` is kept.

    Args:
        base: What both others come from.
        current: The text as it is now.
        new: What is offered.
        chosen: Indexes into `hunks_between(base, new)`; None for all.

    Raises:
        InvalidInputError: there is no such hunk.
        HunkConflictError: the lines of a chosen hunk were changed otherwise meanwhile.
    """
    hunks = hunks_between(base, new)
    wanted = range(len(hunks)) if chosen is None else sorted(set(chosen))
    if unknown := [index for index in wanted if not 0 <= index < len(hunks)]:
        raise InvalidInputError(
            f"There is no change {unknown[0] + 1}; there are {len(hunks)}.",
            details={"hunk": str(unknown[0])},
        )
    lines = split_lines(current)
    made = list(_changes(split_lines(base), lines))
    edits: list[tuple[int, int, tuple[str, ...]]] = []
    for index in wanted:
        place = _place(hunks[index], made, lines)
        if place is None:
            raise _conflict(index, hunks[index])
        if lines[place[0] : place[1]] != list(hunks[index].new):
            edits.append((*place, hunks[index].new))
    for start, end, replacement in reversed(edits):
        lines[start:end] = replacement
    return _whole_lines(lines)


def _place(hunk: Hunk, made: Sequence[_Change], lines: Sequence[str]) -> tuple[int, int] | None:
    """Return the lines of the current text that the hunk replaces; None where they were changed otherwise."""
    shift = 0
    touching: list[_Change] = []
    for change in made:
        if _overlaps(hunk, change):
            touching.append(change)
        elif change.end <= hunk.start:
            shift = change.new_end - change.end
    first, last = hunk.start + shift, hunk.end + shift
    if not touching:
        return first, last
    last = hunk.end + touching[-1].new_end - touching[-1].end
    inside = hunk.start <= touching[0].start and touching[-1].end <= hunk.end
    alike = inside and tuple(lines[first:last]) == hunk.new
    return (first, last) if alike else None


def _overlaps(hunk: Hunk, change: _Change) -> bool:
    if hunk.start == hunk.end and change.start == change.end:
        return hunk.start == change.start
    return change.start < hunk.end and hunk.start < change.end


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[_Change]:
    head = 0
    shorter = min(len(old), len(new))
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    pairs = len(a) * len(b)
    if pairs > _MOST_PAIRS:
        yield _Change(head, head + len(a), head, head + len(b))
        return
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=pairs > _EXACT_PAIRS)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield _Change(head + start, head + end, head + new_start, head + new_end)


def _whole_lines(lines: Sequence[str]) -> str:
    """Join lines; one that was the last, without an end, gets one where others follow it now."""
    ended = (line if line.endswith("\n") else f"{line}\n" for line in lines[:-1])
    return "".join([*ended, *lines[-1:]])


def _conflict(index: int, hunk: Hunk) -> HunkConflictError:
    last = max(hunk.start + 1, hunk.end)
    place = f"line {last}" if last == hunk.start + 1 else f"lines {hunk.start + 1} to {last}"
    return HunkConflictError(
        f"Change {index + 1} ({place}) does not fit any more: you changed the same lines meanwhile.",
        remedy="Nothing was changed. Leave that change out, or ask for the file again.",
        details={"hunk": str(index)},
    )
