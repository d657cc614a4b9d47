"""A script as the rules see it: expressions, what its names stand for, and what comes from a request."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from vibedesk.engine.review.security.script_tokens import Token, tokenize
from vibedesk.engine.review.security.source_text import SourceText

Span = tuple[int, int]
"""A run of tokens: the index of the first, and of the one behind the last."""

_OPENERS: Final = {"(": ")", "[": "]", "{": "}"}
_ESCAPING_LITERAL = re.compile(r"&#|&lt;|&amp;|\[[^\]]*&[^\]]*<|\[[^\]]*<[^\]]*&")
_JSX_TEXT = re.compile(r"(?<=[>}])[^<>{}]++(?=</)")
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_PLACEHOLDERS = re.compile(r"[\s(]*\?[\s?,()]*")
_REQUEST = frozenset(
    {"req", "request", "searchParams", "formData", "readBody", "readQuery", "URLSearchParams"}
)
_REQUEST_PARTS = frozenset({"body", "query", "params"})
_NUMBERS = frozenset({"Number", "parseInt", "parseFloat", "Math", "BigInt", "Boolean"})
_OF_NUMBERS = frozenset({"length", "size", "toFixed", "getTime", "indexOf", "count"})
_PASSES_ON = frozenset(
    {
        "String",
        "decodeURIComponent",
        "decodeURI",
        "parse",
        "parseAsync",
        "safeParse",
        "join",
        "concat",
        "URL",
    }
    | {"URLSearchParams", "replace", "normalize", "await", "if", "return", "map"}
)
_LISTS_FIELDS = frozenset({"keys", "values", "entries"})
_VALIDATING = frozenset({"parse", "parseAsync", "safeParse", "readBody", "valid", "access"})
_KEEPING = frozenset({"join", "trim", "slice", "toUpperCase", "toLowerCase", "concat", "filter"})
_BINARY_WORDS = frozenset({"in", "of", "instanceof", "as", "satisfies", "extends"})
_DEEPEST = 4
_MOST_TOKENS = 200
"""What is looked at of one expression: keeps the work linear in any text."""


class Script:
    """The tokens of one script.

    Args:
        source: The file.
        code: Its script, as long as the file's text: what is no script is blank there.
    """

    def __init__(self, source: SourceText, code: str | None = None) -> None:
        self.source = source
        self.tokens: list[Token] = tokenize(_without_jsx_text(source) if code is None else code)
        self.closed_by: dict[int, int] = {}
        self.pieces: dict[int, list[int]] = {}
        self._closed: dict[Span, bool] = {}
        self._allowed_names: set[str] | None = None
        self._pair()

    def _pair(self) -> None:
        stack: list[int] = []
        for i, token in enumerate(self.tokens):
            if token.kind == "head":
                self.pieces[i] = [i]
                stack.append(i)
            elif token.kind in ("middle", "tail"):
                while stack and self.tokens[stack[-1]].kind != "head":
                    stack.pop()
                if stack:
                    self.pieces[stack[-1]].append(i)
                    if token.kind == "tail":
                        self.closed_by[stack.pop()] = i
            elif token.kind == "punct" and token.text in _OPENERS:
                stack.append(i)
            elif token.kind == "punct" and token.text in ")]}" and stack:
                opener = self.tokens[stack[-1]]
                if _OPENERS.get(opener.text) == token.text and opener.kind == "punct":
                    self.closed_by[stack.pop()] = i

    # -- looking around ---------------------------------------------------------------------------------------

    def text(self, i: int) -> str:
        """Return the text of a name or mark; empty for literals and outside."""
        if 0 <= i < len(self.tokens) and self.tokens[i].kind in ("name", "punct"):
            return self.tokens[i].text
        return ""

    def kind(self, i: int) -> str:
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else ""

    def names(self, span: Span) -> list[str]:
        return [t.text for t in self.tokens[span[0] : span[1]] if t.kind == "name"]

    def snippet(self, span: Span) -> str:
        if span[0] >= span[1]:
            return ""
        return self.source.snippet(self.tokens[span[0]].start, self.tokens[span[1] - 1].end)

    def calls(self, *names: str) -> Iterator[tuple[int, Span]]:
        """Yield where one of these is called: the name's index and the span between the parentheses."""
        for i in (i for name in names for i in self._positions.get(name, ())):
            at = self._after_type_arguments(i + 1)
            if self.text(at) in ("?.",):
                at += 1
            if (
                self.text(at) == "("
                and self.text(i - 1) != "function"
                and (end := self.closed_by.get(at))
            ):
                yield i, (at + 1, end)

    def positions(self, name: str) -> list[int]:
        """Return where a name stands."""
        return self._positions.get(name, [])

    def _after_type_arguments(self, i: int) -> int:
        if self.text(i) != "<":
            return i
        depth = 0
        for at in range(i, min(i + 60, len(self.tokens))):
            match self.text(at):
                case "<":
                    depth += 1
                case ">":
                    depth -= 1
                    if depth == 0:
                        return at + 1
        return i

    def arguments(self, span: Span) -> list[Span]:
        """Return a span cut at its commas."""
        found, start, at = [], span[0], span[0]
        while at < span[1]:
            if self.text(at) == ",":
                found.append((start, at))
                start = at + 1
            at = self.closed_by.get(at, at) + 1
        return [*found, (start, span[1])] if start < span[1] else found

    def expression(self, start: int) -> Span:
        """Return the expression that begins at `start`."""
        at, steps = start, 0
        while at < len(self.tokens) and steps < _MOST_TOKENS:
            steps += 1
            if self.text(at) in (",", ";", ")", "]", "}") or self.kind(at) in ("middle", "tail"):
                break
            if at > start and self._begins_statement(at):
                break
            at = self.closed_by.get(at, at) + 1
        return start, min(at, len(self.tokens))

    def _begins_statement(self, i: int) -> bool:
        before, token = self.tokens[i - 1], self.tokens[i]
        if token.kind != "name" or token.text in _BINARY_WORDS:
            return False
        if before.kind == "punct" and before.text not in (")", "]", "}"):
            return False
        if before.kind == "name" and before.text in ("await", "new", "typeof", "return", "async"):
            return False
        return "\n" in self.source.text[before.end : token.start]

    def holes(self, head: int) -> list[tuple[str, Span]]:
        """Return a template's holes, each with the text of the pieces before it."""
        pieces = self.pieces.get(head, [])
        return [(self.tokens[a].text, (a + 1, b)) for a, b in itertools.pairwise(pieces)]

    def is_tagged(self, i: int) -> bool:
        """Whether a template belongs to a function, as in sql`…`."""
        return self.kind(i - 1) == "name" and self.tokens[i - 1].end == self.tokens[i].start

    def without_comments(self) -> str:
        """Return the text with spaces in place of comments, as long as it was."""
        kept, at = [], 0
        for token in self.tokens:
            kept += [" " * (token.start - at), self.source.text[token.start : token.end]]
            at = token.end
        return "".join(kept)

    # -- what names stand for ---------------------------------------------------------------------------------

    @cached_property
    def _positions(self) -> dict[str, list[int]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for i, token in enumerate(self.tokens):
            if token.kind == "name":
                found[token.text].append(i)
        return dict(found)

    @cached_property
    def values(self) -> dict[str, list[Span]]:
        """What is assigned to each name of the file, wherever; scopes are not told apart."""
        found: defaultdict[str, list[Span]] = defaultdict(list)
        for i, token in enumerate(self.tokens):
            loops = token.text == "of" and token.kind == "name"
            if loops or (token.kind == "punct" and token.text in ("=", "+=", "??=")):
                for name in self._assigned(i):
                    found[name].append(self.expression(i + 1))
            elif (
                token.text == "push"
                and self.text(i - 1) == "."
                and self.kind(i - 2) == "name"
                and (end := self.closed_by.get(i + 1))
            ):
                found[self.tokens[i - 2].text].append((i + 2, end))
        return dict(found)

    def _assigned(self, i: int) -> list[str]:
        if self.text(i - 1) in ("}", "]"):
            opener = self._opened_by.get(i - 1)
            if opener is None or self.text(opener - 1) not in ("const", "let", "var"):
                return []
            return self.names((opener + 1, i - 1))
        for at in range(i - 1, max(i - 16, -1), -1):
            if self.text(at - 1) in ("const", "let", "var"):
                return self.names((at, at + 1))
            if self.text(at) in (";", "{", "}", ")", "=>", ","):
                break
        return self.names((i - 1, i)) if self.text(i - 2) != "." else []

    @cached_property
    def _opened_by(self) -> dict[int, int]:
        return {end: start for start, end in self.closed_by.items()}

    @cached_property
    def _closed_types(self) -> set[str]:
        """Names that hold numbers or one of some words, by their types."""
        found = set()
        for i, token in enumerate(self.tokens):
            if token.kind != "punct" or token.text != ":" or self.kind(i - 1) != "name":
                continue
            of_words = self.kind(i + 1) == "string" and self.text(i + 2) == "|"
            if of_words or self.text(i + 1) in ("number", "bigint", "boolean"):
                found.add(self.tokens[i - 1].text)
        return found

    @cached_property
    def escapes_markup(self) -> bool:
        """Whether the script knows how to write `<` so that it is text."""
        return any(
            _ESCAPING_LITERAL.search(token.text)
            for token in self.tokens
            if token.kind in ("regex", "string", "head")
        )

    @property
    def _allowed(self) -> set[str]:
        """Names that are looked up among known words somewhere, as in `COLUMNS.includes(sort)`."""
        if self._allowed_names is None:
            self._allowed_names = set()  # asked again while it is found out
            found = {
                self.tokens[inside[0]].text
                for i, inside in self.calls("includes", "has")
                if inside[1] - inside[0] == 1
                and self.kind(i - 2) == "name"
                and self.tokens[i - 2].text != self.tokens[inside[0]].text
                and self.is_closed((i - 2, i - 1))
            }
            self._closed.clear()
            self._allowed_names = found
        return self._allowed_names

    @cached_property
    def _from_request(self) -> set[str]:
        found: set[str] = set()
        for _ in range(3):
            before = len(found)
            found |= {
                name
                for name, spans in self.values.items()
                if name not in found and any(self._of_request(span, found) for span in spans)
            }
            if len(found) == before:
                break
        return found

    def is_from_request(self, span: Span) -> bool:
        """Whether a value holds what somebody sent."""
        return self._of_request(span, self._from_request)

    def _of_request(self, span: Span, known: set[str]) -> bool:
        if self._is_number(span) or self.is_closed(span, resolve=False):
            return False
        if branches := self._choice(span):
            return any(self._of_request(branch, known) for branch in branches)
        i, end = span[0], min(span[1], span[0] + _MOST_TOKENS)
        while i < end:
            if self.kind(i) == "name" and self._is_request_name(i, known):
                return True
            # What a function finds by a value is not that value.
            searched = self.text(i) == "(" and i > span[0]
            skips = searched and (
                self.text(i - 1) == ">"
                or (self.kind(i - 1) == "name" and not self._passes_on(self.tokens[i - 1].text))
            )
            i = self.closed_by.get(i, i) + 1 if skips else i + 1
        return False

    def _passes_on(self, function: str) -> bool:
        # A schema leaves only fields that it knows.
        return function in _PASSES_ON or (
            function in _LISTS_FIELDS and not any(name in self._positions for name in _VALIDATING)
        )

    def _is_request_name(self, i: int, known: set[str]) -> bool:
        name, behind_dot = self.tokens[i].text, self.text(i - 1) in (".", "?.")
        if name in _REQUEST or (name in known and not behind_dot):
            return True
        return (
            name in _REQUEST_PARTS
            and self.text(i + 1) not in ("(", ":")
            and not (behind_dot and self.text(i - 2) == "document")
            and (behind_dot or name not in self.values)
        )

    def _is_number(self, span: Span) -> bool:
        first, last = self.text(span[0]), self.text(span[1] - 1)
        if first == "+" or (first in _NUMBERS and self.text(span[0] + 1) in ("(", ".")):
            return True
        if last == ")" and (opener := self._opened_by.get(span[1] - 1)) is not None:
            last = self.text(opener - 1)
        return last in _OF_NUMBERS or self._reckons(span)

    def _reckons(self, span: Span) -> bool:
        at = span[0] + 1
        while at < min(span[1], span[0] + _MOST_TOKENS):
            if self.text(at) in ("*", "-", "%"):
                return True
            at = self.closed_by.get(at, at) + 1
        return False

    def is_closed(self, span: Span, *, resolve: bool = True, depth: int = 0) -> bool:
        """Whether an expression can only be a number or what the code itself says."""
        if not resolve:
            return self._is_closed(span, resolve=False, depth=depth)
        if span not in self._closed:
            self._closed[span] = True  # what refers to itself adds nothing
            self._closed[span] = self._is_closed(span, resolve=True, depth=depth)
        return self._closed[span]

    def _is_closed(self, span: Span, *, resolve: bool, depth: int) -> bool:
        start, end = span
        if start >= end or depth > _DEEPEST:
            return False
        choice = self._choice(span) or self._alternatives(span)
        if choice is not None:
            return all(self.is_closed(part, resolve=resolve, depth=depth + 1) for part in choice)
        if self._is_number(span) or self._is_literal(span) or self._makes_placeholders(span):
            return True
        first = self.tokens[start]
        if first.text in ("{", "[") and (closed := self.closed_by.get(start)):
            return self._is_literal((start, closed)) and self._only_kept(closed + 1, end)
        if first.kind == "head":
            return self.closed_by.get(start) == end - 1 and all(
                self.is_closed(hole, resolve=resolve, depth=depth + 1)
                for _, hole in self.holes(start)
            )
        if first.kind != "name":
            return False
        if _CONSTANT.fullmatch(first.text):
            return True
        if not resolve or not self._only_kept(start + 1, end):
            return False
        if first.text in self._closed_types or first.text in self._allowed:
            return True
        spans = self.values.get(first.text, [])
        return bool(spans) and all(self.is_closed(value, depth=depth + 1) for value in spans)

    def _only_kept(self, at: int, end: int) -> bool:
        """Whether nothing but `[…]` and methods that change no content follow."""
        while at < end:
            if self.text(at) == "[" or (
                self.text(at) in (".", "?.")
                and self.text(at + 1) in _KEEPING
                and self.text(at + 2) == "("
            ):
                opener = at if self.text(at) == "[" else at + 2
                at = self.closed_by.get(opener, end) + 1
            else:
                return False
        return True

    def _choice(self, span: Span) -> list[Span] | None:
        """Return the branches of `a ? b : c`."""
        question, at = -1, span[0]
        while at < span[1]:
            if self.text(at) == "?":
                question = at
                break
            at = self.closed_by.get(at, at) + 1
        if question < 0:
            return None
        depth, at = 0, question + 1
        while at < span[1]:
            if self.text(at) == "?":
                depth += 1
            elif self.text(at) == ":":
                if depth == 0:
                    return [(question + 1, at), (at + 1, span[1])]
                depth -= 1
            at = self.closed_by.get(at, at) + 1
        return None

    def _alternatives(self, span: Span) -> list[Span] | None:
        """Return what `??` or `||` chooses from."""
        found, start, at = [], span[0], span[0]
        while at < span[1]:
            if self.text(at) in ("??", "||"):
                found.append((start, at))
                start = at + 1
            at = self.closed_by.get(at, at) + 1
        return [*found, (start, span[1])] if found else None

    def _is_literal(self, span: Span) -> bool:
        """Whether there are only literals, in lists and objects too."""
        if span[1] - span[0] > _MOST_TOKENS:
            return False
        for i in range(*span):
            token = self.tokens[i]
            if token.kind in ("string", "number", "punct"):
                continue
            key = token.kind == "name" and self.text(i + 1) == ":"
            word = token.kind == "name" and token.text in (
                "as", "const", "new", "Set", "Map", "true", "false", "null", "undefined", "Object", "freeze",
            )  # fmt: skip
            if not key and not word:
                return False
        return True

    def _makes_placeholders(self, span: Span) -> bool:
        for i in _first(span):
            if (
                self.kind(i) == "string"
                and _PLACEHOLDERS.fullmatch(self.tokens[i].text)
                and (self.text(i - 1) == "=>" or self.text(i - 2) in ("fill", "return"))
            ):
                return True
            if (
                self.text(i) == "repeat"
                and self.kind(i - 2) == "string"
                and _PLACEHOLDERS.fullmatch(self.tokens[i - 2].text)
            ):
                return True
        return False


def _without_jsx_text(source: SourceText) -> str:
    """Return the code without the words between tags, in which an apostrophe is no string and a call no call."""
    if not source.path.endswith(("x", ".js")):
        return source.text
    return _JSX_TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source.text)


def _first(span: Span) -> range:
    return range(span[0], min(span[1], span[0] + _MOST_TOKENS))
