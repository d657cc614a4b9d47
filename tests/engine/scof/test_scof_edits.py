"""Search/replace edits: passes, markers, line ends."""

from __future__ import annotations

import pytest

from vibedesk.engine.scof import PatchError, apply_edits


def block(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def reason(original: str, blocks: str | list[tuple[str, str]]) -> str:
    with pytest.raises(PatchError) as caught:
        apply_edits(original, blocks)
    return caught.value.reason


@pytest.mark.parametrize(
    ("original", "search", "replace", "expected"),
    [
        pytest.param("a\nb\nc\n", "b\n", "B\n", "a\nB\nc\n", id="exact"),
        pytest.param("a\nb\n", "a\n", "", "b\n", id="delete"),
        pytest.param("a\nb", "b\n", "", "a", id="delete the last line without newline"),
        pytest.param("a\n", "a\n", "", "", id="delete all"),
        pytest.param("a  \nb\n", "a\n", "A\n", "A\nb\n", id="trailing whitespace in the file"),
        pytest.param("a\nb\n", "a \t\n", "A\n", "A\nb\n", id="trailing whitespace in the search"),
        pytest.param("a  \na\n", "a\n", "A\n", "a  \nA\n", id="an earlier pass decides"),
        pytest.param("f() {\n    x\n    y\n}\n", "x\ny\n", "x\nif (a) {\n  z\n}\n",
                     "f() {\n    x\n    if (a) {\n      z\n    }\n}\n", id="re-indent"),
        pytest.param("\tif x:\n\t\ty()\n", "if x:\n    y()\n", "if x:\n    y()\n    if z:\n        w()\n",
                     "\tif x:\n\t\ty()\n\t\tif z:\n\t\t\tw()\n", id="re-indent over tabs"),
        pytest.param("    a\n", "\ta\n", "\ta\n\n\t\tb\n", "    a\n\n        b\n", id="tabs over blanks"),
        pytest.param("say(“hi” – ‘x’…)\n", "say(\"hi\" - 'x'...)\n", "n\n", "n\n", id="unicode fold"),
        pytest.param("a\u00a0b\u200b\n", "a b\n", "c\n", "c\n", id="nbsp and zero width"),
        pytest.param("cafe\u0301\n", "café\n", "tea\n", "tea\n", id="NFD and NFC"),
        pytest.param("a\n\nb\n", "\n\na\n\n", "\n\nA\n\n", "A\n\nb\n", id="blank wraps"),
        pytest.param("x\n\na\nb\n", "\na\n\n", "\nA\n\n", "x\n\nA\nb\n", id="one wrap is in the file"),
        pytest.param("a\r\nb\nc\r\n", "b\n", "B\nn\n", "a\r\nB\nn\nc\r\n", id="mixed line ends"),
        pytest.param("a\nb\r\nc\n", "a\nb\nc\n", "x\ny\nb\nc\n", "x\ny\nb\r\nc\n", id="repeated lines"),
        pytest.param("a\r\nb\r\n", "a\nb\n", "a\nn\nb\n", "a\r\nn\r\nb\r\n", id="LF edit of CRLF"),
        pytest.param("a\nb\n", "a\r\nb\r\n", "a\r\nn\r\n", "a\nn\n", id="CRLF edit of LF"),
        pytest.param("\ufeffa\nb", "a\n", "A\n", "\ufeffA\nb", id="BOM and no last newline"),
        pytest.param("a\n", "a\n", "\\1 $& \\g<0> &lt;\n", "\\1 $& \\g<0> &lt;\n", id="literal"),
        pytest.param("a\n=======\nb\n", "\\=======\n", "\\====\n", "a\n====\nb\n", id="escaped"),
        pytest.param("a\n    b\n", "    b\n", "\n", "a\n\n", id="a blank line is a line"),
    ],
)  # fmt: skip
def test_one_edit(original: str, search: str, replace: str, expected: str) -> None:
    assert apply_edits(original, block(search, replace)) == expected
    if "\\=" not in search:
        assert apply_edits(original, [(search, replace)]) == expected


@pytest.mark.parametrize(
    ("original", "search", "expected"),
    [
        ("a\nb\na\n", "a\n", "ambiguous"),
        ("a\na\na\n", "a\na\n", "ambiguous"),
        (" a\n\ta\n", "a\n", "ambiguous"),
        ("“a”\n„a“\n", '"a"\n', "ambiguous"),
        ("abc\n", "b\n", "no_match"),
        ("a\nx\nc\n", "a\nb\nc\n", "no_match"),
        ("", "a\n", "no_match"),
        ("a\n", "", "empty_search"),
        ("a\n\nb\n", "\n", "empty_search"),
        ("a\n", "  \n\t\n", "empty_search"),
    ],
)
def test_refused(original: str, search: str, expected: str) -> None:
    assert reason(original, block(search, "n\n")) == expected
    assert reason(original, [(search, "n\n")]) == expected


@pytest.mark.parametrize(
    ("original", "blocks", "expected"),
    [
        ("", block("", "a\nb\n"), "a\nb\n"),
        ("\ufeff", block("", "a\n"), "\ufeffa\n"),
        ("", block("\n", "a\n"), "a\n"),
        ("", [("", "no newline")], "no newline"),
        ("", [("", "a\r\nb\r\n")], "a\r\nb\r\n"),
        ("", block("", "a\n") + block("a\n", "b\n"), "b\n"),
    ],
)
def test_an_empty_search_fills_an_empty_file(
    original: str, blocks: str | list[tuple[str, str]], expected: str
) -> None:
    assert apply_edits(original, blocks) == expected


def test_blocks_apply_in_order_and_see_each_other() -> None:
    blocks = (
        "Some prose.\n```\n"
        + block("c\n", "d\n")
        + "```\n"
        + block("a\n", "x\n")
        + block("d\n", "y\n")
    )
    assert apply_edits("a\nb\nc\n", blocks) == "x\nb\ny\n"


def test_a_failing_block_fails_all() -> None:
    assert reason("a\nb\n", block("a\n", "x\n") + block("c\n", "y\n")) == "no_match"


@pytest.mark.parametrize(
    ("opening", "separator", "closing"),
    [
        ("<<< SEARCH", "===", ">>> REPLACE"),
        ("<<<<<<<<< SEARCH  ", "==========  ", ">>>>> REPLACE\t"),
        ("------- SEARCH", "=======", "+++++++ REPLACE"),
        ("--- SEARCH\r", "===\r", "+++ REPLACE\r"),
    ],
)
def test_spellings_of_markers(opening: str, separator: str, closing: str) -> None:
    assert apply_edits("a\n", f"{opening}\na\n{separator}\nb\n{closing}") == "b\n"


@pytest.mark.parametrize(
    "blocks",
    [
        *("", "prose", "<<<<<<< SEARCH\na\n=======\nb\n", "<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n"),
        *(
            "a\n=======\nb\n>>>>>>> REPLACE\n",
            "<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n",
        ),
        *(
            "<<<<<<<SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
            "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>>REPLACE\n",
        ),
        *(
            "<<<<<<< SEARCH\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
            "<<<<<<< SEARCH\na\n",
        ),
        *(block("a\n", "b\n") + ">>>>>>> REPLACE\n", block("a\n", "b\n") + "<<<<<<< SEARCH\n"),
        *("  <<<<<<< SEARCH\na\n=======\nb\n  >>>>>>> REPLACE\n", "<<<<<<< SEARCH f.ts\na\n"),
    ],
)
def test_a_missing_or_doubled_marker_is_malformed(blocks: str) -> None:
    assert reason("a\n", blocks) == "malformed"


def test_words_that_only_look_like_markers_are_content() -> None:
    assert (
        apply_edits(
            "-- search here\n<<<<<<< HEAD\n", block("-- search here\n<<<<<<< HEAD\n", "x\n")
        )
        == "x\n"
    )
