"""Differences between texts as small edits, so that what others typed meanwhile survives them.

Positions count characters. A replaced text becomes edits of changed lines, and inside a changed passage of changed
words; whatever two texts share stays the same characters in the document.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_LINE_PAIRS = 100_000_000
_EXACT_LINE_PAIRS = 250_000
_MOST_WORD_PAIRS = 20_000
_ALIKE = 0.5
_MOST_DIFF_CHARACTERS = 200_000


class TextEdit(NamedTuple):
    """Characters `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def text_edits(old: str, new: str) -> list[TextEdit]:
    """Return what turns `old` into `new`: edits in order, which neither overlap nor touch."""
    head, tail = _common_ends(old, new)
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    if not a and not b:
        return []
    if not a or not b:
        return [TextEdit(head, head + len(a), b)]
    return list(_joined(_line_edits(a, b, head)))


def apply_text_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Return `text` with `edits` made."""
    pieces: list[str] = []
    position = 0
    for edit in edits:
        pieces += (text[position : edit.start], edit.text)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


def merged_edits(base: str, current: str, new: str) -> list[TextEdit]:
    """Return edits of `current` that bring in what turned `base` into `new`.

    What turned `base` into `current` is kept: text that was added stays, also inside a passage that `new` drops;
    text that was deleted stays deleted. A change that both made alike counts once.
    """
    wanted = text_edits(base, new)
    if current == base:
        return wanted
    made = text_edits(base, current)
    kept = _kept_ranges(made, len(base))
    already = set(made)
    edits: list[TextEdit] = []
    for edit in wanted:
        if edit not in already:
            edits.extend(_carried_over(edit, kept))
    return list(_joined(edits))


def unified_diff(path: str, old: str, new: str) -> str:
    """Return the difference as people read it; empty where it would be too long to read."""
    if old == new or len(old) + len(new) > _MOST_DIFF_CHARACTERS:
        return ""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _common_ends(old: str, new: str) -> tuple[int, int]:
    head = _common_length(old, new, min(len(old), len(new)), from_end=False)
    tail = _common_length(old, new, min(len(old), len(new)) - head, from_end=True)
    return head, tail


def _common_length(old: str, new: str, most: int, *, from_end: bool) -> int:
    # Bisection over slices: comparing them is memcmp, a loop over characters is Python.
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if from_end:
            same = (
                old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]
            )
        else:
            same = old[low:middle] == new[low:middle]
        if same:
            low = middle
        else:
            high = middle - 1
    return low


def _line_edits(old: str, new: str, offset: int) -> Iterator[TextEdit]:
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    pairs = len(a) * len(b)
    if pairs > _MOST_LINE_PAIRS:
        yield TextEdit(offset, offset + len(old), new)
        return
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=pairs > _EXACT_LINE_PAIRS)
    starts = _starts(a, offset)
    for tag, a_low, a_high, b_low, b_high in matcher.get_opcodes():
        if tag == "replace":
            yield from _word_edits(
                "".join(a[a_low:a_high]), "".join(b[b_low:b_high]), starts[a_low]
            )
        elif tag != "equal":
            yield TextEdit(starts[a_low], starts[a_high], "".join(b[b_low:b_high]))


def _word_edits(old: str, new: str, offset: int) -> Iterator[TextEdit]:
    head, tail = _common_ends(old, new)
    old, new, offset = (
        old[head : len(old) - tail],
        new[head : len(new) - tail],
        offset + head,
    )
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    if 0 < len(a) * len(b) <= _MOST_WORD_PAIRS:
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        # Passages that merely share blanks and commas are better replaced whole.
        if matcher.ratio() >= _ALIKE:
            starts = _starts(a, offset)
            for tag, a_low, a_high, b_low, b_high in matcher.get_opcodes():
                if tag != "equal":
                    yield TextEdit(starts[a_low], starts[a_high], "".join(b[b_low:b_high]))
            return
    yield TextEdit(offset, offset + len(old), new)


def _starts(pieces: Sequence[str], offset: int) -> list[int]:
    starts = [offset]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    return starts


def _joined(edits: Iterable[TextEdit]) -> Iterator[TextEdit]:
    pending: TextEdit | None = None
    for edit in edits:
        if edit.start == edit.end and not edit.text:
            continue
        if pending is not None and pending.end >= edit.start:
            pending = TextEdit(pending.start, max(pending.end, edit.end), pending.text + edit.text)
            continue
        if pending is not None:
            yield pending
        pending = edit
    if pending is not None:
        yield pending


def _kept_ranges(made: Sequence[TextEdit], length: int) -> list[tuple[int, int, int]]:
    """Return what `made` leaves of the base: (start, end, where it now starts)."""
    kept: list[tuple[int, int, int]] = []
    position = moved = 0
    for edit in made:
        kept.append((position, edit.start, position + moved))
        moved += len(edit.text) - (edit.end - edit.start)
        position = edit.end
    kept.append((position, length, position + moved))
    return kept


def _carried_over(edit: TextEdit, kept: Sequence[tuple[int, int, int]]) -> list[TextEdit]:
    start = 0
    for low, high, now in kept:
        if low > edit.start:
            break
        # Inside a deleted passage: where it was, before what replaced it.
        start = now + min(edit.start, high) - low
        if edit.start <= high:
            break
    edits = [TextEdit(start, start, edit.text)]
    for low, high, now in kept:
        first, last = max(low, edit.start), min(high, edit.end)
        if first < last:
            edits.append(TextEdit(now + first - low, now + last - low, ""))
    return edits
