"""Differences as lines to paint: which side they are on, their numbers, colours, and the words that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from vibedesk.ui.review.colouring import Span, coloured

Side = Literal["same", "removed", "added"]
_CONTEXT = 3
_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_WORDS = re.compile(r"\w+|\s+|.")
_LONGEST_COMPARED = 400
_MOST_COMPARED = 300
_MOST_COLOURED = 1_500
_LEAST_ALIKE = 0.6
_TAB = 2


class Range(NamedTuple):
    """Characters `start` to `end` of a line."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff. `old` and `new` are its numbers (from 1) on the sides where it is."""

    side: Side
    old: int | None
    new: int | None
    text: str
    spans: tuple[Span, ...] = ()
    strong: tuple[Range, ...] = ()
    """What differs from the line opposite."""


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """A passage with the lines around it. `start` and `length` are of its changed lines in the old text."""

    index: int
    start: int
    length: int
    lines: tuple[DiffLine, ...]

    @property
    def added(self) -> int:
        return sum(line.side == "added" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.side == "removed" for line in self.lines)


class Passage(NamedTuple):
    """What a hunk replaces: numbers from 1; where a side has no lines, they would come before that line."""

    old_start: int
    old_lines: Sequence[str]
    new_start: int
    new_lines: Sequence[str]


def hunks_of(path: str, old: str, new: str, passages: Sequence[Passage]) -> list[DiffHunk]:
    """Return the hunks that turn `old` into `new`, with up to three equal lines on either side.

    Both texts are coloured whole, which for long ones belongs on another thread than the window's.
    """
    old_lines = _untabbed(old.split("\n"))
    old_spans, new_spans = coloured(path, old_lines), coloured(path, _untabbed(new.split("\n")))
    found: list[DiffHunk] = []
    after = 1
    for index, passage in enumerate(passages):
        following = passages[index + 1] if index + 1 < len(passages) else None
        end = passage.old_start + len(passage.old_lines)
        shift = passage.new_start - passage.old_start
        before = range(max(after, passage.old_start - _CONTEXT), passage.old_start)
        lines = [_same(number, shift, old_lines, old_spans) for number in before]
        removed = _untabbed(passage.old_lines)
        added = _untabbed(passage.new_lines)
        strong = _differing(removed, added)
        for at, text in enumerate(removed):
            number = passage.old_start + at
            spans = _spans(old_spans, number)
            lines.append(DiffLine("removed", number, None, text, spans, strong[0][at]))
        for at, text in enumerate(added):
            number = passage.new_start + at
            spans = _spans(new_spans, number)
            lines.append(DiffLine("added", None, number, text, spans, strong[1][at]))
        shift = passage.new_start + len(passage.new_lines) - end
        last = len(old_lines) - (old_lines[-1] == "")
        until = min(last + 1, end + _CONTEXT, following.old_start if following else last + 1)
        lines += [_same(number, shift, old_lines, old_spans) for number in range(end, until)]
        after = max(end, until)
        found.append(DiffHunk(index, passage.old_start, len(passage.old_lines), tuple(lines)))
    return found


def parse_unified(path: str, hunks: str) -> list[DiffHunk]:
    """Return the hunks of a unified diff, from its first `@@`; lines that are none of one are left out.

    It is quick enough for the window's thread: a very long diff has colours in its first part only.
    """
    found: list[DiffHunk] = []
    coloured_lines = 0
    for index, (head, body) in enumerate(_cut(hunks)):
        old, new = int(head[1]), int(head[3])
        texts = _untabbed([line[1:] for line in body])
        few = texts[: max(0, _MOST_COLOURED - coloured_lines)]
        coloured_lines += len(few)
        spans = [*coloured(path, few), *[()] * (len(texts) - len(few))]
        lines = [
            DiffLine(_side(mark[:1]), None, None, text, line_spans)
            for mark, text, line_spans in zip(body, texts, spans, strict=True)
        ]
        numbered: list[DiffLine] = []
        for run in _runs(lines):
            strong = _differing(
                [line.text for line in run if line.side == "removed"],
                [line.text for line in run if line.side == "added"],
            )
            places = {"removed": iter(strong[0]), "added": iter(strong[1])}
            for line in run:
                on_old, on_new = line.side != "added", line.side != "removed"
                marks = next(places[line.side]) if line.side != "same" else ()
                numbered.append(
                    DiffLine(
                        line.side,
                        old if on_old else None,
                        new if on_new else None,
                        line.text,
                        line.spans,
                        marks,
                    )
                )
                old, new = old + on_old, new + on_new
        found.append(DiffHunk(index, int(head[1]), int(head[2] or 1), tuple(numbered)))
    return found


def opposite(lines: Sequence[DiffLine]) -> list[tuple[DiffLine | None, DiffLine | None]]:
    """Return the rows of a view with the old text at the left and the new one at the right."""
    rows: list[tuple[DiffLine | None, DiffLine | None]] = []
    for run in _runs(lines):
        if run[0].side == "same":
            rows += [(line, line) for line in run]
            continue
        left = [line for line in run if line.side == "removed"]
        right = [line for line in run if line.side == "added"]
        for at in range(max(len(left), len(right))):
            rows.append(
                (left[at] if at < len(left) else None, right[at] if at < len(right) else None)
            )
    return rows


def _cut(hunks: str) -> Iterator[tuple[re.Match[str], list[str]]]:
    head: re.Match[str] | None = None
    body: list[str] = []
    for line in hunks.split("\n"):
        start = _HEAD.match(line)
        if start is not None:
            if head is not None:
                yield head, body
            head, body = start, []
        elif head is not None and line[:1] in (" ", "+", "-"):
            body.append(line)
    if head is not None:
        yield head, body


def _side(mark: str) -> Side:
    return "added" if mark == "+" else "removed" if mark == "-" else "same"


def _runs(lines: Sequence[DiffLine]) -> Iterator[list[DiffLine]]:
    """Yield stretches of equal lines and stretches of changed ones in turn."""
    run: list[DiffLine] = []
    for line in lines:
        if run and (run[-1].side == "same") != (line.side == "same"):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _same(
    number: int, shift: int, lines: Sequence[str], spans: Sequence[tuple[Span, ...]]
) -> DiffLine:
    return DiffLine("same", number, number + shift, lines[number - 1], _spans(spans, number))


def _spans(spans: Sequence[tuple[Span, ...]], number: int) -> tuple[Span, ...]:
    return spans[number - 1] if 0 < number <= len(spans) else ()


def _untabbed(lines: Sequence[str]) -> list[str]:
    return [line.rstrip("\r").expandtabs(_TAB) for line in lines]


def _differing(
    removed: Sequence[str], added: Sequence[str]
) -> tuple[list[tuple[Range, ...]], list[tuple[Range, ...]]]:
    """Return, for each line, the words that the line opposite does not have; none where little is alike."""
    left: list[tuple[Range, ...]] = [()] * len(removed)
    right: list[tuple[Range, ...]] = [()] * len(added)
    for at in range(min(len(removed), len(added), _MOST_COMPARED)):
        left[at], right[at] = _words_apart(removed[at], added[at])
    return left, right


def _words_apart(one: str, other: str) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    if max(len(one), len(other)) > _LONGEST_COMPARED:
        return (), ()
    ours, theirs = _WORDS.findall(one), _WORDS.findall(other)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE and not _holds_most(matcher, ours, theirs):
        return (), ()
    left: list[Range] = []
    right: list[Range] = []
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            continue
        if end > start:
            left.append(_characters(ours, start, end))
        if last > first:
            right.append(_characters(theirs, first, last))
    return tuple(left), tuple(right)


def _holds_most(matcher: SequenceMatcher[str], ours: list[str], theirs: list[str]) -> bool:
    """Return whether one line has most names of the other: something was put in or taken out."""
    shared = sum(
        ours[at].isidentifier()
        for start, _, length in matcher.get_matching_blocks()
        for at in range(start, start + length)
    )
    fewer = min(sum(word.isidentifier() for word in words) for words in (ours, theirs))
    return 2 * shared > fewer


def _characters(words: Sequence[str], start: int, end: int) -> Range:
    before = sum(map(len, words[:start]))
    return Range(before, before + sum(map(len, words[start:end])))
