"""Colours of TSX: what people really write, and anything else without failing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.ui.editor.languages import KINDS
from vibedesk.ui.editor.script_lexer import ScriptLexer, State


def _kinds(source: str, *, jsx: bool = True) -> dict[str, str]:
    """Return the kind of each word and sign, of its last occurrence."""
    lexer, state, styles = ScriptLexer(jsx=jsx), State(), b""
    data = source.encode()
    for line in data.splitlines(keepends=True):
        line_styles, state = lexer.style_line(line, state)
        styles += line_styles
    assert len(styles) == len(data)
    return {
        match[0].decode(): KINDS[styles[match.start()]]
        for match in re.finditer(rb"[\w$]+|[^\w\s]", data)
    }


def test_words_of_jsx_are_not_code() -> None:
    kinds = _kinds(
        'const x = <p className="lead">Don\'t return if {count} left</p>;\nconst after = 1;'
    )
    assert kinds["p"] == "tag"
    assert kinds["className"] == "attribute"
    assert kinds["lead"] == "string"
    assert kinds["Don"] == kinds["return"] == kinds["if"] == "text"
    assert kinds["const"] == "keyword"
    assert kinds["1"] == "number"


def test_components_braces_and_arrows_inside_tags() -> None:
    kinds = _kinds(
        "return (\n  <Card onClick={() => { if (a > 2) save(); }} {...rest}>\n    <>x</>\n  </Card>\n);\nexport {};"
    )
    assert kinds["Card"] == "tag"
    assert kinds["onClick"] == "attribute"
    assert kinds["if"] == "keyword"
    assert kinds["save"] == "function"
    assert kinds["x"] == "text"
    assert kinds["export"] == "keyword"


def test_less_than_and_type_arguments_are_no_tags() -> None:
    kinds = _kinds(
        "const [a] = useState<Plant>(null);\nif (a < Limit) done();\nconst id = <T,>(x: T) => x;\nlet end = 5;"
    )
    assert kinds["Plant"] == "type"
    assert kinds["useState"] == "function"
    assert kinds["Limit"] == "type"
    assert kinds["let"] == "keyword"


def test_templates_nest_and_span_lines() -> None:
    kinds = _kinds("const t = `a ${b ? `c ${d}` : 'e'}\nreturn` + f();\nreturn g;")
    assert kinds["a"] == kinds["c"] == "string"
    assert kinds["d"] == "text"
    assert kinds["f"] == "function"
    assert kinds["g"] == "text"


def test_comments_and_regular_expressions() -> None:
    kinds = _kinds("/* one\nreturn */ const r = /[/\"]+/g; // two\nconst half = total / 2 / 'x';")
    assert kinds["one"] == "comment"
    assert kinds["two"] == "comment"
    assert kinds["const"] == "keyword"
    assert kinds["2"] == "number"
    assert kinds["x"] == "string"


def test_contextual_words_are_keywords_only_where_they_act() -> None:
    assert _kinds("type Plant = string;")["type"] == "keyword"
    assert _kinds("const of = { type: 1 };")["type"] == "text"
    assert _kinds("plants.delete(1)")["delete"] == "function"


def test_plain_scripts_know_no_tags() -> None:
    assert _kinds("const x = <Plant>y;", jsx=False)["Plant"] == "type"


@given(st.lists(st.binary(max_size=60), max_size=12), st.booleans())
def test_any_bytes_get_one_style_each(lines: list[bytes], jsx: bool) -> None:
    lexer, state = ScriptLexer(jsx=jsx), State()
    for line in lines:
        styles, state = lexer.style_line(line, state)
        assert len(styles) == len(line)
        assert max(styles, default=0) < len(KINDS)


@given(st.text(alphabet="<>{}()`$'\"/\\=ab. \n", max_size=200))
def test_scraps_of_syntax_never_fail(source: str) -> None:
    _kinds(source)


@pytest.mark.parametrize("scrap", ["<a>", "{<a ", "`${", "(" * 100])
def test_endless_nesting_stays_cheap(scrap: str) -> None:
    lexer, state = ScriptLexer(jsx=True), State()
    for _ in range(5_000):
        _, state = lexer.style_line(f"{scrap}\n".encode(), state)
    assert len(state.frames) <= 200
