"""Differences as lines: nothing is lost, numbers are right, the words that differ are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.files.hunks import hunks_between
from vibedesk.ui.review.colouring import coloured
from vibedesk.ui.review.diff_lines import (
    DiffHunk,
    DiffLine,
    Passage,
    hunks_of,
    opposite,
    parse_unified,
)

_LINES = st.lists(st.sampled_from(["a", "b", "let x = `${y}`;", "", "  é()", "{"]), max_size=14)


def diff(old: str, new: str, path: str = "x.ts") -> list[DiffHunk]:
    passages = [
        Passage(
            hunk.start + 1,
            [line.rstrip("\n") for line in hunk.old],
            hunk.new_start + 1,
            [line.rstrip("\n") for line in hunk.new],
        )
        for hunk in hunks_between(old, new)
    ]
    return hunks_of(path, old, new, passages)


def as_text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@given(_LINES, _LINES)
def test_every_line_is_where_its_number_says(old: list[str], new: list[str]) -> None:
    hunks = diff(as_text(old), as_text(new))
    seen: set[int] = set()
    for line in (line for hunk in hunks for line in hunk.lines):
        assert (line.side == "added") == (line.old is None)
        assert (line.side == "removed") == (line.new is None)
        if line.old is not None:
            assert old[line.old - 1] == line.text
            assert line.old not in seen, "no line is shown twice"
            seen.add(line.old)
        if line.new is not None:
            assert new[line.new - 1] == line.text
    assert sum(h.added for h in hunks) - sum(h.removed for h in hunks) == len(new) - len(old)


@given(_LINES, _LINES)
def test_side_by_side_shows_the_same_lines(old: list[str], new: list[str]) -> None:
    for hunk in diff(as_text(old), as_text(new)):
        rows = opposite(hunk.lines)
        left = [line for line, _ in rows if line is not None]
        right = [line for _, line in rows if line is not None]
        assert left == [line for line in hunk.lines if line.side != "added"]
        assert right == [line for line in hunk.lines if line.side != "removed"]


@given(st.lists(st.text(max_size=30).map(lambda t: "".join(t.splitlines())), max_size=6))
def test_colours_cover_a_line_without_gaps(lines: list[str]) -> None:
    for line, spans in zip(lines, coloured("a.tsx", lines), strict=True):
        assert [span.start for span in spans] == [0, *(span.end for span in spans)][: len(spans)]
        assert not spans or spans[-1].end == len(line)


def test_words_that_differ_are_marked_and_little_alike_is_not() -> None:
    [hunk] = diff("const days = weekFrom(start);\n", "const days = useWeek(start);\n")
    before, after = hunk.lines
    assert [before.text[slice(*at)] for at in before.strong] == ["weekFrom"]
    assert [after.text[slice(*at)] for at in after.strong] == ["useWeek"]
    [hunk] = diff("<li key={day}>\n", '<li key={day} aria-current={isToday(day) ? "date" : no}>\n')
    after = hunk.lines[1]
    assert next(after.text[slice(*at)] for at in after.strong).startswith(" aria-current")
    [hunk] = diff("return days.map(day);\n", "import { format } from 'date-fns';\n")
    assert all(not line.strong for line in hunk.lines)


def test_a_unified_diff_is_read_with_its_numbers() -> None:
    text = "@@ -2,3 +2,4 @@ def f\n same\n-old word\n+new word\n+more\n end\n\\ No newline at end of file\n@@ -9 +10 @@\n-x\n+y\n"
    first, second = parse_unified("a.txt", text)
    numbers = [(line.side, line.old, line.new, line.text) for line in first.lines]
    assert numbers == [
        ("same", 2, 2, "same"),
        ("removed", 3, None, "old word"),
        ("added", None, 3, "new word"),
        ("added", None, 4, "more"),
        ("same", 4, 5, "end"),
    ]
    assert first.lines[1].strong
    assert (second.start, second.length, second.added) == (9, 1, 1)
    assert parse_unified("a.txt", "") == []


@pytest.mark.parametrize(("path", "kind"), [("a.ts", "keyword"), ("a.txt", "")])
def test_only_known_languages_have_colours(path: str, kind: str) -> None:
    [hunk] = diff("const a = 1;\n", "const b = 1;\n", path)
    line: DiffLine = hunk.lines[0]
    assert (line.spans[0].kind if line.spans else "") == kind
