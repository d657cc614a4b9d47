"""Cuts the Markdown of a message into blocks, and does it again quickly while the text grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MOST_COLUMNS = 4
_OPEN_BLOCKS = 2


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Code between fences, or a table too wide for a chat."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class ProseBlock:
    """Everything else that stands at the top level: paragraph, heading, list, quote, table, rule."""

    tokens: tuple[Token, ...]


Block = CodeBlock | ProseBlock


class MarkdownStream:
    """The blocks of a text that only ever grows at its end, or is replaced as a whole.

    A top-level block is final once two others have begun after it (a `2` may still become the next
    item of a list), so only the text from there on is parsed again. HTML is text here, and so are link definitions, which could change
    blocks that are already shown.
    """

    def __init__(self) -> None:
        self._text = ""
        self._final: list[Block] = []
        self._final_length = 0
        self._open: list[Block] = []

    @property
    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> list[Block]:
        """Return all blocks of a text."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text.startswith(self._text[: self._final_length]):
            self._final, self._final_length = [], 0
        self._text = text
        rest = text[self._final_length :]
        blocks, starts = _parse(rest)
        if len(blocks) > _OPEN_BLOCKS:
            self._final += blocks[:-_OPEN_BLOCKS]
            self._final_length += _offset_of_line(rest, starts[-_OPEN_BLOCKS])
            blocks = blocks[-_OPEN_BLOCKS:]
        self._open = blocks
        return self._final + self._open


def _parse(text: str) -> tuple[list[Block], list[int]]:
    """Return the blocks and the line each of them begins in."""
    tokens = _parser().parse(text)
    lines: Sequence[str] | None = None
    blocks: list[Block] = []
    starts: list[int] = []
    index = 0
    while index < len(tokens):
        end = _end_of_block(tokens, index)
        group = tuple(tokens[index:end])
        first = group[0]
        span = first.map or [0, 0]
        if first.type in ("fence", "code_block"):
            language = first.info.split(maxsplit=1)[0] if first.info.strip() else ""
            blocks.append(CodeBlock(language, first.content.rstrip("\n")))
        elif first.type == "table_open" and _columns(group) > _MOST_COLUMNS:
            lines = lines if lines is not None else text.split("\n")
            blocks.append(CodeBlock("", "\n".join(lines[span[0] : span[1]]).rstrip()))
        else:
            blocks.append(ProseBlock(group))
        starts.append(span[0])
        index = end
    return blocks, starts


def _end_of_block(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index + 1
    return len(tokens)


def _columns(table: Sequence[Token]) -> int:
    return sum(1 for token in table if token.type == "th_open")


def _offset_of_line(text: str, line: int) -> int:
    offset = 0
    for _ in range(line):
        offset = text.index("\n", offset) + 1
    return offset


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    return parser
