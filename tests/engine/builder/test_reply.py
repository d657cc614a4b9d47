"""A reply is split into text and SCOF the same way however it is cut into pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recordings import recordings
from vibedesk.engine.builder.reply import ReplySplitter, asked_files, no_faults

SCOF = "cat > a.js <<'EOF_1'\nlet a = 1;\nEOF_1\n"
lines = st.sampled_from(
    [
        "I changed it.", "", "  ", "```", "```bash", "[no change]", "[No Change]", "cats are > dogs", "$ ls",
        "cat > a.js <<'EOF_1'", "EOF_1", "npm install zod@4", "rm old.ts", "patch a.js <<EOF", "mkdir -p d && cat > d/f <<E",
        "[show a.ts b.ts]", "[show", "[regenerate a.ts]",
    ]
) | st.text(max_size=12)  # fmt: skip
replies = st.lists(lines, max_size=8).map("\n".join)


def split(pieces: list[str]) -> tuple[str, str, str, bool]:
    splitter = ReplySplitter()
    shown = [splitter.feed(piece) for piece in pieces]
    shown.append(splitter.close())
    return "".join(shown), splitter.text, splitter.scof, splitter.no_change


@given(replies, st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_the_cut_does_not_matter(reply: str, sizes: list[int]) -> None:
    pieces, position, turn = [], 0, 0
    while position < len(reply):
        pieces.append(reply[position : position + sizes[turn % len(sizes)]])
        position += len(pieces[-1])
        turn += 1
    assert split(pieces) == split([reply])


@given(replies)
def test_what_was_shown_is_the_text_and_nothing_is_said_twice(reply: str) -> None:
    shown, text, scof, _ = split([reply])
    assert shown.strip() == text
    assert reply.endswith(scof)
    assert len(text) + len(scof) <= len(reply)


@pytest.mark.parametrize(
    ("reply", "text", "scof", "no_change"),
    [
        (f"Done.\n\n{SCOF}", "Done.", SCOF, False),
        (f"Done.\n\n```bash\n{SCOF}```\n", "Done.", f"{SCOF}```\n", False),
        (SCOF, "", SCOF, False),
        ("It counts.\n\n[no change]", "It counts.", "", True),
        ("It counts.\n[No change]\n", "It counts.", "", True),
        ("Use `cat > file` in a shell.", "Use `cat > file` in a shell.", "", False),
        ("I will make it red.", "I will make it red.", "", False),
        ("One.\n\nTwo.\n", "One.\n\nTwo.", "", False),
        ("Look:\n```js\nlet a;\n```\nSee?", "Look:\n```js\nlet a;\n```\nSee?", "", False),
        ("", "", "", False),
        ("Gone.\n\nrm old.ts\nmv a.ts b.ts\n", "Gone.", "rm old.ts\nmv a.ts b.ts\n", False),
        (f"Added.\n\nnpm i zod@4\n\n{SCOF}", "Added.", f"npm i zod@4\n\n{SCOF}", False),
    ],
)
def test_replies(reply: str, text: str, scof: str, no_change: bool) -> None:
    assert split([reply])[1:] == (text, scof, no_change)


EXPLAINED = "In a terminal:\n\n```\nrm style.css\n```"


@pytest.mark.parametrize(
    ("reply", "text", "no_change"),
    [
        (f"{EXPLAINED}\n\nI did not do it.\n\n[no change]\n", f"{EXPLAINED}\n\nI did not do it.", True),
        (f"{EXPLAINED}\n\n[no change]\n", EXPLAINED, True),
        (f"{EXPLAINED}\n\nShall I do it?", f"{EXPLAINED}\n\nShall I do it?", False),
        (f"You write a file so:\n\n{SCOF}\n[no change]", f"You write a file so:\n\n{SCOF.rstrip()}", True),
        ("With\nnpm install zod\nyou get zod.", "With\nnpm install zod\nyou get zod.", False),
        ("I would\nmv the button to\nthe left.", "I would\nmv the button to\nthe left.", False),
    ],
)  # fmt: skip
def test_what_is_only_explained_is_not_done(reply: str, text: str, no_change: bool) -> None:
    assert split([reply])[1:] == (text, "", no_change)
    assert split(list(reply)) == split([reply])


def test_a_sentence_that_begins_like_a_command_does_not_hide_the_change_after_it() -> None:
    said = "I\nmv the button to the left."
    assert split([f"{said}\n\n{SCOF}"])[1:] == (said, SCOF, False)


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_recorded_conversations(folder) -> None:
    recorded = [json.loads(path.read_text()) for path in folder.glob("*-conversation.json")]
    assert recorded
    for data in recorded:
        reply = "\n\n".join(part for part in (data.get("reply", ""), data.get("scof", "")) if part)
        _, text, scof, _ = split([reply])
        assert text == data.get("reply", "").strip()
        assert scof.strip() == data.get("scof", "").strip()


def test_text_is_shown_as_it_comes() -> None:
    splitter = ReplySplitter()
    assert splitter.feed("I chan") == "I chan"
    assert splitter.feed("ged it. An") == "ged it. An"
    assert splitter.feed("d [no") == "d"
    assert splitter.feed("w] more.\ncat") == " [now] more.\n"
    assert splitter.feed("s are > dogs") == "cats are > dogs"


def test_a_mark_at_the_end_of_a_sentence_is_no_text() -> None:
    assert split(["It counts. [no ", "change]\n"])[1:] == ("It counts.", "", True)


@pytest.mark.parametrize(
    ("reply", "text", "asked"),
    [
        ("[show src/a.ts src/b.ts]", "", ("src/a.ts", "src/b.ts")),
        ("I look first.\n\n[show ./a.ts, `b.ts`]\n", "I look first.", ("a.ts", "b.ts")),
        ("```\n[Show app/[id]/page.tsx]\n[show a.ts]\n```", "", ("app/[id]/page.tsx", "a.ts")),
        ("[show]", "[show]", ()),
        ("See [show more] there.", "See [show more] there.", ()),
        ("[show a.ts]\nThen I go on.", "[show a.ts]\nThen I go on.", ()),
    ],
)
def test_a_reply_may_ask_for_files(reply: str, text: str, asked: tuple[str, ...]) -> None:
    splitter = ReplySplitter()
    shown = "".join(splitter.feed(character) for character in reply) + splitter.close()
    assert shown.strip() == splitter.text == text
    assert splitter.asked == asked
    assert asked_files(reply.replace("I look first.", "")) == asked


@pytest.mark.parametrize(
    ("reply", "text", "path"),
    [
        ("I write it anew.\n\n[regenerate src/a.ts]", "I write it anew.", "src/a.ts"),
        ("Ja.\n[Regenerate `./app/[id]/page.tsx`]\n", "Ja.", "app/[id]/page.tsx"),
        ("Yes.\n[regenerate a.ts]\n[no change]", "Yes.", "a.ts"),
        ("Say [regenerate a.ts] then.", "Say [regenerate a.ts] then.", ""),
        ("[regenerate]", "[regenerate]", ""),
    ],
)
def test_a_reply_may_have_a_file_written_anew(reply: str, text: str, path: str) -> None:
    splitter = ReplySplitter()
    shown = "".join(splitter.feed(character) for character in reply) + splitter.close()
    assert shown.strip() == splitter.text == text
    assert splitter.regenerate == path


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("[no fault 1: it is a[0] by intention]", {1: "it is a[0] by intention"}),
        ("So:\n- [No Fault 12, gone by now ]\n`[no fault 2: b]`\n" + SCOF, {12: "gone by now", 2: "b"}),
        ("[no fault 1]\n[no fault: none]\n[no fault 3: ]\nIt is [no fault 4: x].", {}),
    ],
)  # fmt: skip
def test_an_answer_may_say_that_problems_are_none(answer: str, found: dict[int, str]) -> None:
    assert no_faults(answer) == found
