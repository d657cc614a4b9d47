"""Hunks: whole lines that are taken over one by one, whatever the person typed beside them."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.files.hunks import HunkConflictError, hunks_between, split_lines, with_hunks

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "  d", "é\r", "\f"]), max_size=12)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"]))
BASE = "".join(f"line {n}\n" for n in range(20))


def changed(text: str, changes: dict[int, str]) -> str:
    """Return `text` with lines (from 0) replaced."""
    return "".join(changes.get(n, line) for n, line in enumerate(split_lines(text)))


@given(TEXTS)
def test_lines_are_the_text(text: str) -> None:
    assert "".join(split_lines(text)) == text


@given(TEXTS, TEXTS)
def test_all_of_them_give_the_new_text_and_none_leaves_the_old(base: str, new: str) -> None:
    assert with_hunks(base, base, new, None) == new
    assert with_hunks(base, base, new, range(len(hunks_between(base, new)))) == new
    assert with_hunks(base, base, new, ()) == base


@given(TEXTS, TEXTS, st.data())
def test_a_subset_is_the_old_text_with_just_those_passages(
    base: str, new: str, data: st.DataObject
) -> None:
    hunks = hunks_between(base, new)
    chosen = data.draw(st.sets(st.sampled_from(range(len(hunks))))) if hunks else set()
    pieces, position = [], 0
    lines = split_lines(base)
    for index, hunk in enumerate(hunks):
        assert list(hunk.old) == lines[hunk.start : hunk.end]
        assert list(hunk.new) == split_lines(new)[hunk.new_start :][: len(hunk.new)]
        pieces += lines[position : hunk.start]
        pieces += hunk.new if index in chosen else hunk.old
        position = hunk.end
    pieces += lines[position:]
    taken = with_hunks(base, base, new, chosen)
    assert taken.replace("\n", "") == "".join(pieces).replace("\n", "")
    left = with_hunks(taken, taken, new, None)
    assert left == new
    assert not [
        line for line in difflib.ndiff(split_lines(left), split_lines(new)) if line[0] in "+-"
    ]


@given(st.sets(st.integers(0, 19), max_size=6), st.sets(st.integers(0, 19), max_size=6))
def test_edits_beside_the_hunks_survive(by_model: set[int], by_person: set[int]) -> None:
    assume(not any(abs(m - p) <= 2 for m in by_model for p in by_person))
    new = changed(BASE, {n: f"model {n}\nmore\n" for n in by_model})
    current = changed(BASE, {n: f"person {n}\n" for n in by_person})
    both = {n: f"model {n}\nmore\n" for n in by_model} | {n: f"person {n}\n" for n in by_person}
    assert with_hunks(BASE, current, new, None) == changed(BASE, both)


@given(TEXTS, TEXTS, TEXTS)
def test_no_line_of_the_person_is_lost_where_it_fits(base: str, current: str, new: str) -> None:
    try:
        taken = with_hunks(base, current, new, None)
    except HunkConflictError:
        return
    typed = [hunk.new for hunk in hunks_between(base, current) if not hunk.old]
    for lines in typed:
        assert "".join(lines).strip("\n") in taken


def test_the_same_lines_changed_otherwise_are_a_conflict_that_names_the_hunk() -> None:
    new = changed(BASE, {2: "model\n", 10: "model too\n"})
    current = changed(BASE, {10: "person\n"})
    with pytest.raises(HunkConflictError, match=r"Change 2 \(line 11\)") as caught:
        with_hunks(BASE, current, new, None)
    assert caught.value.details == {"hunk": "1"}
    assert with_hunks(BASE, current, new, [0]) == changed(BASE, {2: "model\n", 10: "person\n"})


def test_what_both_changed_alike_counts_once() -> None:
    new = changed(BASE, {5: "same\n"})
    assert with_hunks(BASE, new, new, None) == new


def test_lines_added_at_one_place_by_both_are_a_conflict() -> None:
    with pytest.raises(HunkConflictError):
        with_hunks("a\nb\n", "a\nmine\nb\n", "a\nits\nb\n", None)


def test_a_last_line_without_an_end_gets_one_where_lines_follow() -> None:
    assert with_hunks("a\nb\n", "a\nb\nmine\n", "a\nB", None) == "a\nB\nmine\n"


def test_a_hunk_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="There is no change 3"):
        with_hunks("a\n", "a\n", "b\n", [2])


def test_neighbouring_changes_are_one_hunk() -> None:
    assert len(hunks_between(BASE, changed(BASE, {3: "x\n", 5: "y\n"}))) == 1
    assert len(hunks_between(BASE, changed(BASE, {3: "x\n", 6: "y\n"}))) == 2


def test_two_large_texts_that_share_nothing_take_no_time() -> None:
    old, new = "".join(f"{n}\n" for n in range(20_000)), "".join(f"-{n}\n" for n in range(20_000))
    assert with_hunks(old, old, new, None) == new
