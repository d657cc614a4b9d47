"""Patches and edits: right where they fit, `PatchError` or nothing where they do not, bounded in time."""

from __future__ import annotations

import difflib
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vibedesk.engine.scof import PatchError, apply_edits, apply_patch

LINES = st.lists(st.sampled_from(["a", "b", "  c", "\td", "", "}", "“é”", "x  "]), max_size=14)
SOUP = st.lists(
    st.sampled_from(
        [
            *(
                "@@ -1,2 +1,2 @@\n",
                "@@\n",
                "@@ -0,0 +1 @@\n",
                " a\n",
                "-a\n",
                "+b\n",
                "b\n",
                "\n",
                "a\n",
            ),
            *(
                "\\ No newline at end of file\n",
                "--- a/x\n",
                "+++ b/x\n",
                "<<<<<<< SEARCH\n",
                "=======\n",
            ),
            *(
                ">>>>>>> REPLACE\n",
                "--- SEARCH\n",
                "+++ REPLACE\n",
                "\\=======\n",
                "```\n",
                "\r\n",
                "é",
            ),
        ]
    ),
    max_size=20,
).map("".join)


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def diff_of(old: list[str], new: list[str]) -> str:
    return "\n".join(difflib.unified_diff(old, new, "a/x", "b/x", lineterm="")) + "\n"


@settings(max_examples=500, deadline=None)
@given(old=LINES, new=LINES)
def test_a_proper_diff_gives_the_new_text(old: list[str], new: list[str]) -> None:
    assume(old != new)
    assert apply_patch(text_of(old), diff_of(old, new)) == text_of(new)


@settings(max_examples=300, deadline=None)
@given(old=LINES, new=LINES)
def test_line_ends_and_bom_survive_a_patch(old: list[str], new: list[str]) -> None:
    assume(old != new and old)
    crlf = "\ufeff" + text_of(old).replace("\n", "\r\n")
    assert apply_patch(crlf, diff_of(old, new)) == "\ufeff" + text_of(new).replace("\n", "\r\n")


@settings(max_examples=300, deadline=None)
@given(
    changed=st.sets(st.integers(0, 29), min_size=1, max_size=6),
    shift=st.integers(-50, 50),
    counts=st.integers(0, 9),
)
def test_wrong_numbers_do_not_matter_where_the_place_is_clear(
    changed: set[int], shift: int, counts: int
) -> None:
    old = [f"line {number}" for number in range(30)]
    new = [f"changed {line}" if index in changed else line for index, line in enumerate(old)]
    diff = diff_of(old, new).split("\n")
    wrong = [
        f"@@ -{max(0, 7 + shift)},{counts} +{max(0, 3 - shift)},{counts} @@"
        if line.startswith("@@")
        else line
        for line in diff
    ]
    patched = apply_patch(text_of(old), "\n".join(wrong))
    assert patched == text_of(new)
    assert apply_patch(patched, "\n".join(wrong)) == patched


@settings(max_examples=800, deadline=None)
@given(original=SOUP | LINES.map(text_of), change=SOUP)
def test_only_patch_errors_are_raised(original: str, change: str) -> None:
    for apply in (apply_patch, apply_edits):
        try:
            outcome = apply(original, change)
        except PatchError as error:
            outcome = error.reason
        assert isinstance(outcome, str)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(st.integers(0, 99).map("line {}".format), min_size=3, max_size=20, unique=True),
    ends=st.lists(st.sampled_from(["\n", "\r\n"]), min_size=20, max_size=20),
    at=st.integers(0, 19),
    final=st.booleans(),
)
def test_an_edit_touches_nothing_else(
    lines: list[str], ends: list[str], at: int, final: bool
) -> None:
    at %= len(lines)
    pieces = [line + end for line, end in zip(lines, ends, strict=False)]
    if not final:
        pieces[-1] = lines[-1]
    expected = [*pieces]
    expected[at] = pieces[at].replace(lines[at], r"\1 $& &lt; new")
    edited = apply_edits("".join(pieces), [(lines[at], r"\1 $& &lt; new")])
    assert edited == "".join(expected)


NEAR_MISSES = {
    "last line differs": ("line {}", lambda n: [*(f"line {k}" for k in range(n - 1)), "other"]),
    "all lines alike": ("same", lambda n: [*["same"] * (n // 2), "other"]),
    "blank wraps": ("", lambda n: [*[""] * (n * 3 // 10), "x", *[""] * (n * 3 // 10)]),
    "unicode": ("“zeile” {}", lambda n: [*(f"'zeile' {k}" for k in range(n // 2)), "…"]),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_the_work_for_a_near_miss_grows_with_the_lines(name: str) -> None:
    pattern, searched = NEAR_MISSES[name]

    def seconds(count: int) -> tuple[float, float]:
        """What this thread alone needs for an edit and for a patch, at best."""
        original = text_of([pattern.format(number) for number in range(count)])
        search = searched(count)
        kept = "".join(f" {line}\n" for line in search[:-1])
        diff = f"@@ -1,3 +1,3 @@\n{kept}-{search[-1]}\n+z\n"
        needed = []
        for _ in range(3):
            started = time.thread_time()
            with pytest.raises(PatchError):
                apply_edits(original, [("\n".join(search), "z")])
            middle = time.thread_time()
            with pytest.raises(PatchError):
                apply_patch(original, diff)
            needed.append((middle - started, time.thread_time() - middle))
        edits, patches = zip(*needed, strict=True)
        return min(edits), min(patches)

    few, many = seconds(2_500), seconds(10_000)
    assert many[0] < 8 * few[0] + 0.1
    assert many[1] < 8 * few[1] + 0.1
    assert max(many) < 3
