"""A reply is split into text and SCOF the same way however it is cut into pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recordings import recordings
from vibedesk.engine.builder.reply import ReplySplitter

SCOF = "cat > a.js <<'EOF_1'\nlet a = 1;\nEOF_1\n"
lines = st.sampled_from(
    [
        "I changed it.", "", "  ", "```", "```bash", "[no change]", "[No Change]", "cats are > dogs", "$ ls",
        "cat > a.js <<'EOF_1'", "EOF_1", "npm install zod@4", "rm old.ts", "patch a.js <<EOF", "mkdir -p d && cat > d/f <<E",
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
    ],
)
def test_replies(reply: str, text: str, scof: str, no_change: bool) -> None:
    assert split([reply])[1:] == (text, scof, no_change)


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_recorded_conversations(folder) -> None:
    recorded = [json.loads(path.read_text()) for path in folder.glob("*-conversation.json")]
    assert recorded
    for data in recorded:
        reply = "\n\n".join(part for part in (data.get("reply", ""), data.get("scof", "")) if part)
        _, text, scof, _ = split([reply])
        assert text == data.get("reply", "").strip()
        assert scof.strip() == data.get("scof", "").strip()


def test_text_is_shown_as_soon_as_its_line_is_whole() -> None:
    splitter = ReplySplitter()
    assert splitter.feed("I changed it.\nAnd ") == "I changed it.\n"
    assert splitter.feed("more.\n") == "And more.\n"
