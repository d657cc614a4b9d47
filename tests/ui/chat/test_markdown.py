from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from markdown_it.token import Token

from vibedesk.ui.chat.markdown import Block, CodeBlock, MarkdownStream

_PIECES = st.sampled_from(
    ["# ", "## ", "- ", "* ", "1. ", "2. ", "2", "> ", "```", "```ts\n", "~~~", "\n", "\n\n", "    ",
     "|a|b|\n", "|-|-|\n", "**", "_", "`", "word ", "===\n", "---\n", "***\n", "[x](y)", "![p](q)",
     "<b>", "[x]: /y\n", "\r\n", "\r", "\t", "\\", "&amp;", "ä", "\u2028"]
)  # fmt: skip


def flat(tokens: Sequence[Token]) -> list[tuple[str, str, str, object]]:
    found = []
    for token in tokens:
        found.append((token.type, token.content, token.markup, dict(token.attrs)))
        found += flat(token.children or ())
    return found


def shape(blocks: Sequence[Block]) -> list[object]:
    return [
        (block.language, block.text) if isinstance(block, CodeBlock) else flat(block.tokens)
        for block in blocks
    ]


@given(st.lists(_PIECES, max_size=30), st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_growing_text_gives_what_the_whole_text_gives(pieces: list[str], steps: list[int]) -> None:
    text = "".join(pieces)
    stream = MarkdownStream()
    end, turn = 0, 0
    while end < len(text):
        end += steps[turn % len(steps)]
        turn += 1
        stream.set_text(text[:end])
    assert shape(stream.set_text(text)) == shape(MarkdownStream().set_text(text))


def test_replaced_text_forgets_what_was_final() -> None:
    stream = MarkdownStream()
    stream.set_text("one\n\ntwo\n\nthree\n\nfour")
    assert shape(stream.set_text("other")) == shape(MarkdownStream().set_text("other"))


def test_finished_blocks_are_not_parsed_again() -> None:
    text = "\n\n".join(f"paragraph {number}" for number in range(200))
    stream = MarkdownStream()
    first = stream.set_text(text)
    again = stream.set_text(text + " goes on")
    assert all(before is after for before, after in zip(first[:190], again[:190], strict=True))


def test_wide_tables_become_code_and_narrow_ones_stay_tables() -> None:
    wide = "|a|b|c|d|e|\n|-|-|-|-|-|\n|1|2|3|4|5|\n"
    narrow = "|a|b|\n|-|-|\n|1|2|\n"
    assert MarkdownStream().set_text(wide) == [CodeBlock("", wide.rstrip())]
    assert not isinstance(MarkdownStream().set_text(narrow)[0], CodeBlock)
