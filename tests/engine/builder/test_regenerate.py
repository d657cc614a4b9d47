"""What answers make of a file that is written anew, in every form that models send."""

from __future__ import annotations

import pytest

from vibedesk.engine.builder.regenerate import CutOff, UnusableAnswerError, proposed_text

BASE = "".join(f"const line{n} = {n};\n" for n in range(12))
CHANGED = BASE.replace("line3 = 3", "line3 = 33")
PATCH = (
    "@@ -3,3 +3,3 @@\n const line2 = 2;\n-const line3 = 3;\n+const line3 = 33;\n const line4 = 4;\n"
)
EDIT = "<<<<<<< SEARCH\nconst line3 = 3;\n=======\nconst line3 = 33;\n>>>>>>> REPLACE\n"

FORMS = {
    "scof": f"cat > src/a.js <<'EOF_X'\n{CHANGED}EOF_X\n",
    "scof in a fence": f"Here it is:\n```bash\ncat > src/a.js <<'EOF_X'\n{CHANGED}EOF_X\n```\nDone.\n",
    "scof with another file": f"cat > b.js <<'E1'\nb\nE1\ncat > ./src/a.js <<'E2'\n{CHANGED}E2\n",
    "patch in scof": f"cat <<'EOF_P' | patch src/a.js\n{PATCH}EOF_P\n",
    "search and replace": f"I changed one line.\n\n{EDIT}",
    "search and replace in a fence": f"```js\n{EDIT}```\n",
    "one fenced block": f"Sure.\n\n```js\n{CHANGED}```\nThat is all.\n",
    "one block with other marks": f"~~~~javascript\n{CHANGED}~~~~\n",
    "a fenced patch": f"```diff\n--- a/src/a.js\n+++ b/src/a.js\n{PATCH}```\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_file(form: str) -> None:
    assert proposed_text("src/a.js", BASE, FORMS[form]) == CHANGED


def test_an_append_is_the_file_with_more() -> None:
    assert proposed_text("a", "x\n", "cat >> a <<'E'\ny\nE\n") == "x\ny\n"


def test_an_empty_file_is_one() -> None:
    assert proposed_text("a", "x\n", "cat > a <<'E'\nE\n") == ""


def test_a_file_that_broke_off_is_no_file() -> None:
    cut = proposed_text("a", BASE, "cat > a <<'EOF_X'\nconst line0 = 0;\nconst li")
    assert cut == CutOff("const line0 = 0;\nconst li")


@pytest.mark.parametrize("repeated", [0, 3])
def test_what_had_come_is_gone_on_with(repeated: int) -> None:
    lines = CHANGED.splitlines(keepends=True)
    kept, rest = "".join(lines[:8]), "".join(lines[8 - repeated :])
    answer = f"cat >> a <<'EOF_X'\n{rest}EOF_X\n"
    assert proposed_text("a", BASE, answer, kept=kept) == CHANGED
    cut = answer[: answer.index("line10") + 6]
    assert proposed_text("a", BASE, cut, kept=kept, ended=False) == CutOff(
        CHANGED[: CHANGED.index("line10") + 6]
    )


@pytest.mark.parametrize("form", ["patch in scof", "search and replace", "one fenced block"])
def test_an_answer_without_an_end_may_lack_changes(form: str) -> None:
    assert proposed_text("src/a.js", BASE, FORMS[form], ended=False) == CutOff("")


def test_a_patch_that_broke_off_is_nothing_to_go_on_with() -> None:
    cut = FORMS["patch in scof"].removesuffix(" const line4 = 4;\nEOF_P\n")
    assert proposed_text("src/a.js", BASE, cut, ended=False) == CutOff("")


def test_a_block_that_ends_where_a_block_inside_it_ends_is_no_file() -> None:
    readme = "# How to run it\n\n```sh\nnpm start\n```\n\nThat is all.\n"
    with pytest.raises(UnusableAnswerError):
        proposed_text("README.md", "# Old\n", f"```md\n{readme}```\n")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("I cannot do that.", "does not hold src/a.js"),
        ("", "does not hold src/a.js"),
        ("```js\none\n```\nor\n```js\ntwo\n```\n", "does not hold src/a.js"),
        (f"cat > other.js <<'E'\n{CHANGED}E\n", "does not hold src/a.js"),
        (EDIT.replace("line3 = 3;", "nowhere", 1), ""),
        (EDIT.removesuffix(">>>>>>> REPLACE\n"), ""),
        (f"cat <<'EOF_P' | patch src/a.js\n{PATCH.replace('line', 'row')}EOF_P\n", ""),
        (f"<<<<<<< SEARCH\n{BASE}=======\nx\n>>>>>>> REPLACE\n", "more than half"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(answer: str, why: str) -> None:
    with pytest.raises(UnusableAnswerError, match=why or "."):
        proposed_text("src/a.js", BASE, answer)
