"""Which language a file is in, and which colour each of its lexer's styles takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

KINDS = (
    "text",
    "comment",
    "string",
    "tag",
    "attribute",
    "keyword",
    "number",
    "function",
    "type",
    "punctuation",
)
"""The kinds of the design's `syntax` tokens; the number of a kind is the style our own lexer gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language as the editor colours it.

    `script` is `js` or `jsx` where our own lexer is used; else `lexer` names one of Scintilla's, `keywords`
    its word lists, and `kinds` says which of its styles take which colour. Styles not named are plain text.
    """

    name: str
    script: str = ""
    lexer: str = ""
    keywords: Mapping[int, str] = field(default_factory=dict)
    kinds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


_CSS_PROPERTIES = (
    "align-content align-items align-self animation appearance aspect-ratio backdrop-filter background "
    "background-clip background-color background-image background-position background-size border border-bottom "
    "border-collapse border-color border-left border-radius border-right border-style border-top border-width "
    "bottom box-shadow box-sizing clip-path color column-gap content cursor display fill filter flex flex-basis "
    "flex-direction flex-grow flex-shrink flex-wrap float font font-family font-feature-settings font-size "
    "font-style font-variant-numeric font-weight gap grid grid-area grid-auto-flow grid-column grid-row "
    "grid-template-areas grid-template-columns grid-template-rows height inset justify-content justify-items "
    "left letter-spacing line-height list-style margin margin-bottom margin-left margin-right margin-top mask "
    "max-height max-width min-height min-width object-fit opacity order outline outline-offset overflow "
    "overflow-x overflow-y padding padding-bottom padding-left padding-right padding-top place-content "
    "place-items pointer-events position resize right rotate row-gap scale scroll-behavior stroke table-layout "
    "text-align text-decoration text-overflow text-shadow text-transform text-wrap top touch-action transform "
    "transform-origin transition translate user-select vertical-align visibility white-space width will-change "
    "word-break z-index"
)
_SQL = (
    "add all alter and as asc autoincrement begin between by cascade case check column commit constraint create "
    "cross database default delete desc distinct drop else end except exists false foreign from full function "
    "grant group having if in index inner insert intersect into is join key left like limit not null offset on "
    "or order outer primary references replace returning right rollback row rows select set table then to "
    "transaction trigger true union unique update using values view when where with without"
)
_PYTHON = (
    "False None True and as assert async await break case class continue def del elif else except finally for "
    "from global if import in is lambda match nonlocal not or pass raise return try type while with yield"
)
_SHELL = (
    "alias break case cd command continue declare do done echo elif else esac eval exec exit export false fi for "
    "function if in local printf read readonly return select set shift source test then time trap true typeset "
    "ulimit umask unset until while"
)

_PLAIN = Language(name="Text")
_LANGUAGES = {
    "tsx": Language(name="TypeScript JSX", script="jsx"),
    "jsx": Language(name="JavaScript JSX", script="jsx"),
    "ts": Language(name="TypeScript", script="js"),
    "js": Language(name="JavaScript", script="jsx"),
    "css": Language(
        name="CSS",
        lexer="css",
        keywords={0: _CSS_PROPERTIES, 5: _CSS_PROPERTIES},
        kinds={
            "tag": (1,),
            "type": (2, 10),
            "function": (3, 4, 18, 20, 21),
            "punctuation": (5,),
            "attribute": (6, 7, 15, 17, 19, 16),
            "text": (8, 23),
            "comment": (9,),
            "keyword": (11, 12, 22),
            "string": (13, 14),
        },
    ),
    "html": Language(
        name="HTML",
        lexer="hypertext",
        keywords={
            1: "break case catch class const else export for from function if import let new null return true false var while"
        },
        kinds={
            "tag": (1, 2, 11, 12, 13, 14, 15, 26),
            "attribute": (3, 4),
            "number": (5, 10, 45),
            "string": (6, 7, 19, 24, 25, 48, 49, 51),
            "comment": (9, 20, 29, 42, 43, 44, 57, 58, 59),
            "keyword": (47, 21, 22, 23),
            "punctuation": (50, 8),
        },
    ),
    "json": Language(
        name="JSON",
        lexer="json",
        keywords={0: "true false null"},
        kinds={
            "number": (1,),
            "string": (2, 3, 5),
            "attribute": (4,),
            "comment": (6, 7),
            "punctuation": (8,),
            "keyword": (11, 12),
        },
    ),
    "md": Language(
        name="Markdown",
        lexer="markdown",
        kinds={
            "keyword": (2, 3, 4, 5),
            "function": (6, 7, 8, 9, 10, 11),
            "punctuation": (13, 14, 17),
            "comment": (15, 16),
            "type": (18,),
            "string": (19, 20, 21),
        },
    ),
    "py": Language(
        name="Python",
        lexer="python",
        keywords={0: _PYTHON},
        kinds={
            "comment": (1, 12),
            "number": (2,),
            "string": (3, 4, 6, 7, 13, 16, 17, 18, 19),
            "keyword": (5,),
            "type": (8,),
            "function": (9,),
            "punctuation": (10,),
            "attribute": (15,),
        },
    ),
    "sql": Language(
        name="SQL",
        lexer="sql",
        keywords={0: _SQL},
        kinds={
            "comment": (1, 2, 3, 13, 15),
            "number": (4,),
            "keyword": (5, 16),
            "string": (6, 7),
            "punctuation": (10,),
        },
    ),
    "yaml": Language(
        name="YAML",
        lexer="yaml",
        keywords={0: "true false null yes no on off"},
        kinds={
            "comment": (1,),
            "attribute": (2,),
            "keyword": (3, 6),
            "number": (4,),
            "type": (5,),
            "string": (7,),
            "punctuation": (9,),
        },
    ),
    "sh": Language(
        name="Shell",
        lexer="bash",
        keywords={0: _SHELL},
        kinds={
            "comment": (2,),
            "number": (3,),
            "keyword": (4,),
            "string": (5, 6, 12, 13),
            "punctuation": (7,),
            "attribute": (9, 10),
            "function": (11,),
        },
    ),
}
_ALIASES = {
    "mts": "ts",
    "cts": "ts",
    "mjs": "js",
    "cjs": "js",
    "htm": "html",
    "svg": "html",
    "xml": "html",
    "vue": "html",
    "markdown": "md",
    "yml": "yaml",
    "bash": "sh",
    "zsh": "sh",
    "pyi": "py",
    "jsonc": "json",
    "webmanifest": "json",
    "scss": "css",
}


def language_of(path: str) -> Language:
    """Return the language of a file, judged by its suffix."""
    suffix = PurePath(path).suffix.lstrip(".").lower()
    return _LANGUAGES.get(_ALIASES.get(suffix, suffix), _PLAIN)
