"""Differences between texts as small edits, so that what others typed meanwhile survives them.

Positions count characters. A replaced text becomes edits of changed lines, and inside a changed passage of changed
words; whatever two texts share stays the same characters in the document.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_LINE_PAIRS = 100_000_000
_EXACT_LINE_PAIRS = 250_000
_MOST_WORD_PAIRS = 20_000
_ALIKE = 0.5
_MOST_DIFF_CHARACTERS = 200_000
_ANOTHER = 10


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
    if not a or not b or _is_another(a, b):
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


def byte_edits(text: str, edits: Iterable[TextEdit]) -> list[tuple[int, int, str]]:
    """Return edits of `text` as position, removed length (both in UTF-8 bytes) and inserted text.

    Later ones come first, so that each position holds when the ones before it are made.
    """
    at_bytes, position = 0, 0
    located: list[tuple[int, int, str]] = []
    for edit in edits:
        at_bytes += len(text[position : edit.start].encode())
        removed = len(text[edit.start : edit.end].encode())
        located.append((at_bytes, removed, edit.text))
        at_bytes += removed
        position = edit.end
    return located[::-1]


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


def _is_another(a: str, b: str) -> bool:
    """Whether one is so much longer that hardly anything of it can be shared, and looking for that takes long."""
    short, long = sorted((len(a), len(b)))
    return long > _MOST_DIFF_CHARACTERS and long > _ANOTHER * short


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
    starts = _starts(a, offset)
    a_low = b_low = 0
    for a_high, b_high in (*_anchors(a, b), (len(a), len(b))):
        yield from _stretch_edits(a[a_low:a_high], b[b_low:b_high], starts[a_low])
        a_low, b_low = a_high + 1, b_high + 1


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return where long texts have the same line, as places in both that only ever grow; none for short ones.

    Only lines that occur once in each count, and as many of them as can be had. Between them the texts are compared
    stretch by stretch, without which many changes in many lines would take a time that grows with the square.
    """
    if len(a) * len(b) <= _EXACT_LINE_PAIRS:
        return []
    once_in_a = {line for line, count in Counter(a).items() if count == 1}
    once_in_b = {line for line, count in Counter(b).items() if count == 1}
    places = {line: place for place, line in enumerate(b) if line in once_in_b}
    shared = [(n, places[line]) for n, line in enumerate(a) if line in once_in_a and line in places]
    # The longest rising sequence: for each length the one that ends lowest in `b`, and what stood before each.
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for number, (_, place) in enumerate(shared):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else None)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    anchors: list[tuple[int, int]] = []
    current = last[-1] if last else None
    while current is not None:
        anchors.append(shared[current])
        current = before[current]
    return anchors[::-1]


def _stretch_edits(a: Sequence[str], b: Sequence[str], offset: int) -> Iterator[TextEdit]:
    pairs = len(a) * len(b)
    starts = _starts(a, offset)
    if pairs == 0 or pairs > _MOST_LINE_PAIRS:
        yield TextEdit(offset, starts[-1], "".join(b))
        return
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=pairs > _EXACT_LINE_PAIRS)
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
