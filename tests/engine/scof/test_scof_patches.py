"""Unified diffs as models write them."""

from __future__ import annotations

import pytest

from vibedesk.engine.scof import PatchError, apply_patch
from vibedesk.engine.scof.patches import patch_outcome

TEN = "".join(f"line {n}\n" for n in range(1, 11))


def reason(original: str, diff: str) -> str:
    with pytest.raises(PatchError) as caught:
        apply_patch(original, diff)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value.reason


@pytest.mark.parametrize(
    "header",
    [
        "@@ -4,3 +4,3 @@",
        "@@ -400,9 +1 @@",
        "@@ -1 +1 @@ fn()",
        "@@",
        "@@ ... @@",
        "@@ -0,0 +9,9 @@",
    ],
)
def test_wrong_line_numbers_and_counts(header: str) -> None:
    diff = f"--- a/f\n+++ b/f\n{header}\n line 4\n-line 5\n+LINE 5\n line 6\n"
    assert apply_patch(TEN, diff) == TEN.replace("line 5", "LINE 5")


def test_of_several_places_the_one_at_the_header_line_shifted_is_taken() -> None:
    original = "top\n" + "{\nx\n}\n" * 3
    diff = "@@ -1,1 +1,3 @@\n top\n+one\n+two\n@@ -5,3 +7,3 @@\n {\n-x\n+Y\n }\n"
    assert apply_patch(original, diff) == "top\none\ntwo\n{\nx\n}\n{\nY\n}\n{\nx\n}\n"


@pytest.mark.parametrize("header", ["@@ -3,3 +3,3 @@", "@@ -99,3 +99,3 @@", "@@"])
def test_several_places_and_none_at_the_header_line(header: str) -> None:
    assert reason("{\nx\n}\n" * 3, f"{header}\n {{\n-x\n+Y\n }}\n") == "ambiguous"


@pytest.mark.parametrize(
    "hunk",
    [
        " line 3 was other\n line 4\n-line 5\n+LINE 5\n line 6\n",
        " line 4\n-line 5\n+LINE 5\n line 6\n gone\n",
        " gone\n gone too\n-line 5\n+LINE 5\n line 6\n gone\n",
        "  line 4  \n-line 5\n+LINE 5\n\tline 6\n",
        " line 4\n-line 5 \n+LINE 5\n line 6\n\n",
        "line 4\n-line 5\n+LINE 5\nline 6\n```\n",
    ],
)
def test_stale_or_mangled_context(hunk: str) -> None:
    assert apply_patch(TEN, f"@@ -4,3 +4,3 @@\n{hunk}") == TEN.replace("line 5", "LINE 5")


def test_stale_context_between_two_changes() -> None:
    diff = "@@ -2,7 +2,7 @@\n line 2\n-line 3\n+three\n line 4\n stale\n line 6\n-line 7\n+seven\n line 8\n"
    assert apply_patch(TEN, diff) == TEN.replace("line 3", "three").replace("line 7", "seven")


def test_all_or_nothing() -> None:
    diff = "@@ -1 +1 @@\n-line 1\n+one\n@@ -5 +5 @@\n-not there\n+x\n"
    assert reason(TEN, diff) == "no_match"


@pytest.mark.parametrize(
    "diff",
    ["", "\n", "prose\n", "-a\n+b\n", "@@ -1 +1 @@\n line 1\n", "--- a/f\n+++ b/f\n",
     "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n--- a/g\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n",
     "@@ -1 +1 @@\nsome prose\n-line 0\n+x\n"],
)  # fmt: skip
def test_malformed(diff: str) -> None:
    assert reason(TEN, diff) == "malformed"


@pytest.mark.parametrize(
    "hunks",
    [
        "@@ -4,3 +4,3 @@\n line 4\n-line 5\n+five\n line 6\n",
        "@@ -8,3 +8,4 @@\n line 8\n line 9\n line 10\n+line 11\n",
        "@@ -1,2 +1,3 @@\n+import x\n line 1\n line 2\n",
        "@@ -3,4 +3,2 @@\n line 3\n-line 4\n-line 5\n line 6\n",
        "@@ -9,2 +9,1 @@\n line 9\n-line 10\n",
        "@@ -1 +1,2 @@\n line 1\n+new\n line 2\n@@ -9 +10,2 @@\n line 9\n-line 10\n+ten\n",
    ],
)
def test_a_patch_sent_again_changes_nothing(hunks: str) -> None:
    once = apply_patch(TEN, hunks)
    assert once != TEN
    assert apply_patch(once, hunks) == once
    assert patch_outcome(once, hunks).already_applied == hunks.count("\n@@") + 1


def test_a_half_applied_patch_is_completed() -> None:
    diff = "@@ -2 +2 @@\n-line 2\n+two\n@@ -8 +8 @@\n-line 8\n+eight\n"
    outcome = patch_outcome(TEN.replace("line 2", "two"), diff)
    assert outcome.text == TEN.replace("line 2", "two").replace("line 8", "eight")
    assert outcome.already_applied == 1


@pytest.mark.parametrize(
    ("original", "diff", "expected"),
    [
        ("", "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n"),
        ("x\n", "@@ -0,0 +1 @@\n+a\n", "a\nx\n"),
        ("x\ny\n", "@@ -1,0 +2 @@\n+a\n", "x\na\ny\n"),
        ("x\ny\n", "@@ -1,2 +0,0 @@\n-x\n-y\n", ""),
        ("a\nb", "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+c\n", "a\nc\n"),
        ("a\nb\n", "@@ -2 +2 @@\n-b\n+c\n\\ No newline at end of file\n", "a\nc"),
        ("a\nb", "@@ -1 +1 @@\n-a\n+c\n", "c\nb"),
        ("a\r\nb\r\n", "@@ -1,2 +1,3 @@\n a\n+n\n-b\n+c\n", "a\r\nn\r\nc\r\n"),
        ("a\nb\n", "@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+c\r\n", "a\nc\n"),
        ("\ufeffa\nb\n", "@@ -1 +1 @@\n-a\n+c\n", "\ufeffc\nb\n"),
        ("a\r\nb\nc\n", "@@ -2,2 +2,2 @@\n b\n-c\n+d\n", "a\r\nb\nd\n"),
        ("  “x”\n  y\n", '@@ -1,2 +1,2 @@\n   "x"\n-  y\n+  z\n', "  “x”\n  z\n"),
        ("\tif x:\n\t\ty\n", "@@ -1,2 +1,3 @@\n if x:\n-    y\n+    z\n+        w\n", "\tif x:\n\t\tz\n\t\t\tw\n"),
        ("-- a\n++ b\n", "@@ -1,2 +1,2 @@\n--- a\n+++ c\n ++ b\n", "++ c\n++ b\n"),
    ],
)  # fmt: skip
def test_edges(original: str, diff: str, expected: str) -> None:
    assert apply_patch(original, diff) == expected


def test_search_and_replace_blocks_may_stand_in_place_of_hunks() -> None:
    blocks = "\n<<<<<<< SEARCH\nline 5\n=======\nLINE 5\n>>>>>>> REPLACE\n"
    assert apply_patch(TEN, blocks) == TEN.replace("line 5", "LINE 5")
    with pytest.raises(PatchError) as refused:
        apply_patch(TEN, blocks.replace("line 5", "line 50"))
    assert refused.value.reason == "no_match"


def test_a_hunk_may_have_the_marks_of_search_and_replace_in_its_lines() -> None:
    marks = "<<<<<<< SEARCH\nline 5\n=======\nLINE 5\n>>>>>>> REPLACE"
    diff = "@@ -5,1 +5,5 @@\n-line 5\n" + "".join(f"+{line}\n" for line in marks.split("\n"))
    assert apply_patch(TEN, diff) == TEN.replace("line 5", marks)
    removed = "--- a/SEARCH\n+++ b/SEARCH\n@@ -1,2 +1,1 @@\n--- SEARCH\n b\n"
    assert apply_patch("-- SEARCH\nb\n", removed) == "b\n"
