"""Colours for JavaScript and TypeScript with and without JSX, one line at a time.

Works on UTF-8 bytes, because the editor counts in them. A line's outcome depends only on its bytes and the
state before it, so that styling can stop and go on at any line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TEXT, COMMENT, STRING, TAG, ATTRIBUTE, KEYWORD, NUMBER, FUNCTION, TYPE, PUNCTUATION = range(10)

# What a line may begin inside of. Zero and above is code, the number says how many braces are open in it.
_TEMPLATE, _BLOCK_COMMENT, _OPEN_TAG, _CLOSE_TAG, _CHILDREN, _DOUBLE, _SINGLE = range(-1, -8, -1)

_LONGEST_LINE = 4_000
_DEEPEST = 200
_KEYWORDS = frozenset(
    b"abstract async await break case catch class const continue debugger default delete do else enum export "
    b"extends false finally for function if implements import in instanceof let new null private protected "
    b"public return static super switch this throw true try typeof undefined var void while with yield".split()
)
_CONTEXTUAL = frozenset(
    b"as asserts declare from get infer interface is keyof namespace of readonly satisfies set type".split()
)
_VALUES = frozenset(b"false null super this true undefined".split())
_CODE = re.compile(
    rb"(?P<space>[ \t\r\n]+)|(?P<remark>//[^\n]*)|(?P<block>/\*)|(?P<template>`)"
    rb"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?)"
    rb"|(?P<number>0[xXbBoO][\da-fA-F_]+n?|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?n?)"
    rb"|(?P<word>[A-Za-z_$\x80-\xff][\w$\x80-\xff]*)|(?P<arrow>=>)|(?P<sign>.)",
    re.DOTALL,
)
_REGEX = re.compile(
    rb"/(?:[^/\\\[\n*]|\\.|\[(?:[^\]\\\n]|\\.)*\])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])*/[a-z]*"
)
_CALL = re.compile(rb"\s*(?:<[^<>()]*>)?\(")
_CONTEXT_FOLLOWS = re.compile(rb"[ \t]+[\w\"'{\[*$]")
_TAG_START = re.compile(rb"<(?:[A-Za-z_$][\w.$:-]*(?!\s*(?:,|extends\b))|(?=>))")
_TAG_PART = re.compile(
    rb"(?P<space>\s+)|(?P<name>[\w$:.-]+)|(?P<end>/>)|(?P<close>>)|(?P<brace>\{)"
    rb"|(?P<double>\")|(?P<single>')|(?P<sign>.)",
    re.DOTALL,
)
_TEMPLATE_PART = re.compile(rb"(?:[^`\\$]|\\.|\$(?!\{))+", re.DOTALL)
_PLAIN_CHILDREN = re.compile(rb"[^<{]+")
_CLOSING = re.compile(rb"</[\w.$:-]*")


class State(NamedTuple):
    """Where a line begins: nested frames, and whether a value (not an operator) would come next."""

    frames: tuple[int, ...] = (0,)
    expects_value: bool = True


class ScriptLexer:
    """Styles lines of one dialect."""

    def __init__(self, *, jsx: bool) -> None:
        self._jsx = jsx

    def style_line(self, line: bytes, state: State) -> tuple[bytes, State]:
        """Return one style for every byte of a line (its end included) and the state after it."""
        if len(line) > _LONGEST_LINE:
            return bytes(len(line)), state
        styling = _Line(line, state, jsx=self._jsx)
        return styling.run()


class _Line:
    def __init__(self, line: bytes, state: State, *, jsx: bool) -> None:
        self._line = line
        self._jsx = jsx
        self._frames = list(state.frames)
        self._expects_value = state.expects_value
        self._styles = bytearray()
        self._at = 0

    def run(self) -> tuple[bytes, State]:
        end = len(self._line)
        while self._at < end:
            frame = self._frames[-1]
            if frame >= 0:
                self._code()
            elif frame in (_OPEN_TAG, _CLOSE_TAG):
                self._tag(frame)
            elif frame == _CHILDREN:
                self._children()
            elif frame == _TEMPLATE:
                self._template()
            elif frame == _BLOCK_COMMENT:
                self._until(b"*/", COMMENT)
            else:
                self._until(b'"' if frame == _DOUBLE else b"'", STRING)
        if len(self._frames) > _DEEPEST:
            # Nobody nests like this: it is broken text, and a stack without end would slow every line.
            return bytes(self._styles), State()
        return bytes(self._styles), State(tuple(self._frames), self._expects_value)

    def _take(self, end: int, style: int) -> None:
        self._styles += bytes((style,)) * (end - self._at)
        self._at = end

    def _until(self, mark: bytes, style: int) -> None:
        found = self._line.find(mark, self._at)
        if found < 0:
            self._take(len(self._line), style)
        else:
            self._take(found + len(mark), style)
            self._frames.pop()

    def _code(self) -> None:
        token = _CODE.match(self._line, self._at)
        assert token is not None  # `sign` takes any byte
        end = token.end()
        match token.lastgroup:
            case "space":
                self._take(end, TEXT)
            case "word":
                self._word(token[0], end)
            case "string":
                self._take(end, STRING)
                self._expects_value = False
            case "number":
                self._take(end, NUMBER)
                self._expects_value = False
            case "remark":
                self._take(end, COMMENT)
            case "block":
                self._frames.append(_BLOCK_COMMENT)
                self._take(end, COMMENT)
            case "template":
                self._frames.append(_TEMPLATE)
                self._expects_value = False
                self._take(end, STRING)
            case "arrow":
                self._take(end, PUNCTUATION)
                self._expects_value = True
            case _:
                self._sign(token[0], end)

    def _word(self, word: bytes, end: int) -> None:
        member = self._at > 0 and self._line[self._at - 1 : self._at] == b"."
        keyword = not member and (
            word in _KEYWORDS
            or (word in _CONTEXTUAL and _CONTEXT_FOLLOWS.match(self._line, end) is not None)
        )
        if keyword:
            self._take(end, KEYWORD)
            self._expects_value = word not in _VALUES
            return
        if _CALL.match(self._line, end):
            style = FUNCTION
        elif b"A" <= word[:1] <= b"Z":
            style = TYPE
        else:
            style = TEXT
        self._take(end, style)
        self._expects_value = False

    def _sign(self, sign: bytes, end: int) -> None:
        if sign == b"<" and self._jsx and self._expects_value and self._tag_start():
            return
        if sign == b"/" and self._expects_value:
            literal = _REGEX.match(self._line, self._at)
            if literal is not None:
                self._take(literal.end(), STRING)
                self._expects_value = False
                return
        if sign == b"{":
            self._frames[-1] += 1
        elif sign == b"}":
            if self._frames[-1] > 0:
                self._frames[-1] -= 1
            elif len(self._frames) > 1:
                self._frames.pop()
        self._take(end, PUNCTUATION)
        self._expects_value = sign not in (b")", b"]", b"}", b".")

    def _tag_start(self) -> bool:
        start = _TAG_START.match(self._line, self._at)
        if start is None:
            return False
        fragment = start[0] == b"<"
        self._frames.append(_CHILDREN if fragment else _OPEN_TAG)
        self._take(start.end() + fragment, TAG)
        return True

    def _tag(self, frame: int) -> None:
        token = _TAG_PART.match(self._line, self._at)
        assert token is not None  # `sign` takes any byte
        end = token.end()
        match token.lastgroup:
            case "space":
                self._take(end, TEXT)
            case "name":
                self._take(end, ATTRIBUTE if frame == _OPEN_TAG else TAG)
            case "end":
                self._take(end, TAG)
                self._leave()
            case "close":
                self._take(end, TAG)
                if frame == _OPEN_TAG:
                    self._frames[-1] = _CHILDREN
                else:
                    self._leave()
            case "brace":
                self._take(end, PUNCTUATION)
                self._enter_code()
            case "double" | "single":
                self._frames.append(_DOUBLE if token.lastgroup == "double" else _SINGLE)
                self._take(end, STRING)
            case _:
                self._take(end, PUNCTUATION)

    def _children(self) -> None:
        words = _PLAIN_CHILDREN.match(self._line, self._at)
        if words is not None:
            self._take(words.end(), TEXT)
        elif self._line[self._at : self._at + 1] == b"{":
            self._take(self._at + 1, PUNCTUATION)
            self._enter_code()
        elif (closing := _CLOSING.match(self._line, self._at)) is not None:
            self._frames[-1] = _CLOSE_TAG
            self._take(closing.end(), TAG)
        elif not self._tag_start():
            self._take(self._at + 1, TEXT)

    def _template(self) -> None:
        words = _TEMPLATE_PART.match(self._line, self._at)
        if words is not None:
            self._take(words.end(), STRING)
        elif self._line[self._at : self._at + 2] == b"${":
            self._take(self._at + 2, PUNCTUATION)
            self._enter_code()
        else:
            if self._line[self._at : self._at + 1] == b"`":
                self._frames.pop()
            self._take(self._at + 1, STRING)

    def _enter_code(self) -> None:
        self._frames.append(0)
        self._expects_value = True

    def _leave(self) -> None:
        self._frames.pop()
        self._expects_value = False
