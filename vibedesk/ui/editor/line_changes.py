"""Which lines of a text are new or changed against the text before."""

from __future__ import annotations

from difflib import SequenceMatcher

_COMPARED_LINES = 1_500


def changed_lines(before: str, after: str) -> list[range]:
    """Return the lines of `after`, counted from 0, that `before` does not have in this place.

    Large differences are given as one range, because a fine comparison would take too long while waiting.
    """
    old, new = before.split("\n"), after.split("\n")
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    if not new_middle:
        return []
    if not old_middle or max(len(old_middle), len(new_middle)) > _COMPARED_LINES:
        return [range(start, start + len(new_middle))]
    matcher = SequenceMatcher(None, old_middle, new_middle, autojunk=False)
    return [
        range(start + first, start + last)
        for tag, _, _, first, last in matcher.get_opcodes()
        if tag in ("replace", "insert")
    ]


def differing_middle(before: bytes, after: bytes) -> tuple[int, int, bytes]:
    """Return position, removed length and inserted bytes of the one edit that makes `after` of `before`.

    The edit never cuts a UTF-8 character.
    """
    start = _common_prefix(before, after)
    while (
        start and start < max(len(before), len(after)) and _inside_character(before, after, start)
    ):
        start -= 1
    limit = min(len(before), len(after)) - start
    end = min(_common_prefix(before[start:][::-1], after[start:][::-1]), limit)
    while end and (before[len(before) - end] & 0xC0) == 0x80:
        end -= 1
    return start, len(before) - end - start, after[start : len(after) - end]


def _inside_character(before: bytes, after: bytes, at: int) -> bool:
    return any(at < len(text) and text[at] & 0xC0 == 0x80 for text in (before, after))


def _common_prefix(one: bytes, other: bytes) -> int:
    limit = min(len(one), len(other))
    if one[:limit] == other[:limit]:
        return limit
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
