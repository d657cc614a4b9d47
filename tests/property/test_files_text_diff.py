"""Edits between texts: always exact, never losing what the other side typed."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vibedesk.engine.files.text_diff import (
    apply_text_edits,
    merged_edits,
    text_edits,
    unified_diff,
)

words = st.sampled_from(
    ["a", "b", "const x = 1;", "\n", "}\n", " ", "é", "📊", "\r\n", "\u2028", "f(x)"]
)
texts = st.lists(words, max_size=40).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=60
)


def merged(base: str, current: str, new: str) -> str:
    return apply_text_edits(current, merged_edits(base, current, new))


@settings(max_examples=400, deadline=None)
@given(old=texts, new=texts)
def test_edits_turn_the_old_text_into_the_new_one(old: str, new: str) -> None:
    edits = text_edits(old, new)
    assert apply_text_edits(old, edits) == new
    assert bool(edits) == (old != new)
    for before, after in pairwise(edits):
        assert before.end < after.start


def test_what_became_another_text_altogether_is_replaced_whole() -> None:
    """An app may make anything of a file, and looking for what is left of it would take as long as that is."""
    lines = [f"line {number}\n" for number in range(100)]
    short = "".join(lines)
    long = "".join(line + "filled up\n" * 1_000 for line in ["first\n", *lines, "last\n"])
    for old, new in ((short, long), (long, short)):
        [edit] = text_edits(old, new)
        assert apply_text_edits(old, [edit]) == new


@settings(max_examples=400, deadline=None)
@given(base=texts, new=texts, current=texts)
def test_merging_with_an_untouched_side_gives_the_other(base: str, new: str, current: str) -> None:
    assert merged(base, base, new) == new
    assert merged(base, current, base) == current
    assert merged(base, new, new) == new


@settings(max_examples=400, deadline=None)
@given(base=texts, new=texts, position=st.integers(0, 60))
def test_what_a_person_typed_survives_any_rewrite(base: str, new: str, position: int) -> None:
    typed = "«typed»"
    # Beside a like character nobody could tell which of the two was typed.
    assume(not set(base + new) & set("«»"))
    position = min(position, len(base))
    current = base[:position] + typed + base[position:]
    result = merged(base, current, new)
    assert typed in result
    assert result.replace(typed, "", 1) == new


def test_edits_on_different_words_of_one_line_both_stay() -> None:
    assert merged("a b c\n", "a b X c\n", "a b c d\n") == "a b X c d\n"


def test_a_person_deletion_stays_deleted() -> None:
    assert merged("one\ntwo\nthree\n", "one\nthree\n", "one\ntwo\nthree\nfour\n") == (
        "one\nthree\nfour\n"
    )


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), kinds=st.integers(1, 2000))
def test_edits_turn_a_long_text_into_any_other(seed: int, kinds: int) -> None:
    source = random.Random(seed)
    old = [f"line {source.randrange(kinds)}\n" for _ in range(700)]
    new = list(old)
    for _ in range(source.randrange(60)):
        place, length = source.randrange(len(new) + 1), source.randrange(12)
        moved = new[place : place + length]
        del new[place : place + length]
        back = source.randrange(len(new) + 1)
        new[back:back] = source.choice([moved, [], ["line\n"] * length, moved * 2])
    edits = text_edits("".join(old), "".join(new))
    assert apply_text_edits("".join(old), edits) == "".join(new)
    for before, after in pairwise(edits):
        assert before.end < after.start


def test_large_texts_of_few_different_lines_are_turned_into_each_other() -> None:
    old = "".join(f"line {n % 7}\n" for n in range(10_000))
    new = "".join(f"line {n % 5}\n" for n in range(10_000))
    assert apply_text_edits(old, text_edits(old, new)) == new


def test_a_word_renamed_all_over_a_large_text_is_as_many_small_edits() -> None:
    old = "".join(f"call({n}, {'width' if n % 10 == 3 else 'other'})\n" for n in range(10_000))
    edits = text_edits(old, old.replace("width", "breadth"))
    assert len(edits) == 1000
    assert sum(len(edit.text) for edit in edits) <= 1000 * len("breadth")


def test_one_character_in_a_megabyte_is_one_small_edit() -> None:
    old = "x = 1\n" * 170_000
    new = old[:500_000] + "y" + old[500_000:]
    assert [edit.text for edit in text_edits(old, new)] == ["y"]


def test_a_difference_reads_like_one() -> None:
    assert unified_diff("a.ts", "one\ntwo\n", "one\n2\n") == (
        "--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    )
    assert unified_diff("a.ts", "same", "same") == ""
