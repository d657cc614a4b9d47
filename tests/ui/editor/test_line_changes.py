"""The least edit between two texts, and the lines it touches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.ui.editor.line_changes import changed_lines, differing_middle

_TEXT = st.text(alphabet="ab\né€🌱", max_size=40)


@given(_TEXT, _TEXT)
def test_the_edit_turns_one_text_into_the_other_and_cuts_no_character(
    before: str, after: str
) -> None:
    old, new = before.encode(), after.encode()
    position, removed, inserted = differing_middle(old, new)
    assert old[:position] + inserted + old[position + removed :] == new
    old[:position].decode()
    old[position : position + removed].decode()
    inserted.decode()


@given(_TEXT, st.integers(0, 40), _TEXT)
def test_lines_before_and_after_an_insertion_are_not_named(
    text: str, at: int, inserted: str
) -> None:
    after = text[:at] + inserted + text[at:]
    named = {line for lines in changed_lines(text, after) for line in lines}
    old, new = text.split("\n"), after.split("\n")
    assert named <= set(range(len(new)))
    assert [line for index, line in enumerate(new) if index not in named] == [
        line for line in new if line in old
    ] or all(new[index] in old for index in range(len(new)) if index not in named)


def test_changed_and_added_lines_are_named_one_by_one() -> None:
    assert changed_lines("a\nb\nc\nd", "a\nB\nc\nnew\nd") == [range(1, 2), range(3, 4)]
    assert changed_lines("a\nb", "a") == []
    assert changed_lines("", "a\nb") == [range(2)]


def test_a_large_difference_is_one_range() -> None:
    before = "\n".join(str(n) for n in range(4_000))
    after = "\n".join(f"x{n}" for n in range(4_000))
    assert changed_lines(before, after) == [range(4_000)]
