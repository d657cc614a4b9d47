"""Cuts JavaScript and TypeScript, JSX too, into tokens without comments. Linear; takes any text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

TokenKind = Literal["name", "number", "string", "head", "middle", "tail", "regex", "punct"]
"""A template without holes is a `string`; else its pieces are `head`, `middle`… and `tail`."""

_SPACE = re.compile(r"\s+")
_NAME = re.compile(r"[^\W\d][\w$]*|[$#@][\w$]*")
_NUMBER = re.compile(r"\d[\w.]*")
_PUNCT = re.compile(r"===|!==|\.\.\.|=>|==|!=|\+=|<=|>=|&&|\|\||\?\?=?|\?\.|\+\+|--|.", re.S)
_STRINGS = {
    "'": re.compile(r"'((?:[^'\\\n]|\\.)*+)'", re.S),
    '"': re.compile(r'"((?:[^"\\\n]|\\.)*+)"', re.S),
}
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*+", re.S)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/[a-z]*")
_WORDS_BEFORE_VALUES: Final = frozenset(
    {"return", "typeof", "case", "in", "of", "new", "delete", "void", "throw", "await", "yield"}
    | {"else", "do", "default", "from", "import", "export", "as"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """`text` of a string or template piece is what stands between its marks, escapes as written."""

    kind: TokenKind
    text: str
    start: int
    end: int


class _Tokenizer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self._depth = 0
        self._templates: list[int] = []  # the depth of braces outside of each open template
        self._dead: dict[
            str, int
        ] = {}  # up to where a mark opens nothing, for lack of a second one

    def run(self) -> list[Token]:
        at, end = 0, len(self.text)
        while at < end:
            at = self._step(at)
        return self.tokens

    def _step(self, at: int) -> int:
        text = self.text
        if space := _SPACE.match(text, at):
            return space.end()
        mark = text[at]
        if mark == "/" and (after := self._comment_or_regex(at)):
            return after
        if mark in "'\"" and (after := self._string(at, mark)):
            return after
        if mark == "`":
            return self._piece(at, opens=True)
        if mark == "}" and self._templates and self._templates[-1] == self._depth:
            return self._piece(at, opens=False)
        if name := _NAME.match(text, at):
            return self._add("name", name.group(), at, name.end())
        if number := _NUMBER.match(text, at):
            return self._add("number", number.group(), at, number.end())
        if mark == "{":
            self._depth += 1
        elif mark == "}":
            self._depth = max(0, self._depth - 1)
        punct = _PUNCT.match(text, at)
        end = punct.end() if punct else at + 1
        return self._add("punct", text[at:end], at, end)

    def _add(self, kind: TokenKind, text: str, start: int, end: int) -> int:
        self.tokens.append(Token(kind, text, start, end))
        return end

    def _comment_or_regex(self, at: int) -> int | None:
        following = self.text[at + 1 : at + 2]
        if following == "/" and self.text[at - 1 : at] != ":":
            return self._line_end(at)
        if following == "*":
            closed = self.text.find("*/", at + 2)
            return closed + 2 if closed >= 0 else len(self.text)
        if following in "/>" or self._dead.get("/", 0) > at or not self._value_may_follow():
            return None
        found = _REGEX.match(self.text, at)
        if found is None:
            self._dead["/"] = self._line_end(at)
            return None
        return self._add("regex", found.group(), at, found.end())

    def _value_may_follow(self) -> bool:
        last = self.tokens[-1] if self.tokens else None
        if last is None:
            return True
        if last.kind == "name":
            return last.text in _WORDS_BEFORE_VALUES
        return last.kind in ("head", "middle") or (
            last.kind == "punct" and last.text not in (")", "]", "}", "<", "++", "--")
        )

    def _string(self, at: int, mark: str) -> int | None:
        if self._dead.get(mark, 0) > at:
            return None
        last = self.tokens[-1] if self.tokens else None
        # In the text of a page, as in “don't”.
        inside_word = last is not None and last.kind == "name" and last.end == at
        if inside_word and last is not None and last.text not in _WORDS_BEFORE_VALUES:
            return None
        found = _STRINGS[mark].match(self.text, at)
        if found is None:
            self._dead[mark] = self._line_end(at)
            return None
        return self._add("string", found.group(1), at, found.end())

    def _piece(self, at: int, *, opens: bool) -> int:
        found = _TEMPLATE.match(self.text, at + 1)
        end = found.end() if found else at + 1
        content = self.text[at + 1 : end]
        if self.text.startswith("${", end):
            if opens:
                self._templates.append(self._depth)
            return self._add("head" if opens else "middle", content, at, end + 2)
        if not opens:
            self._templates.pop()
        return self._add("string" if opens else "tail", content, at, min(end + 1, len(self.text)))

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return end if end >= 0 else len(self.text)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a script; what cannot be understood becomes punctuation."""
    return _Tokenizer(text).run()
