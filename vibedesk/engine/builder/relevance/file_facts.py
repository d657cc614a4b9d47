"""What is read out of one file's text; kept by the text's digest, so that a run reads no text twice."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from vibedesk.engine.builder.relevance.words import words_in

_KEPT = 10_000
_LONGEST_READ = 120_000
"""Characters; of a longer text (data, mostly) the beginning is read."""

_SCRIPTS = frozenset(
    {"ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts", "vue", "svelte", "astro"}
)
_STYLES = frozenset({"css", "scss", "sass", "less"})
_PAGES = frozenset({"html", "htm"})

_FROM = re.compile(
    r"""\b(import|export)\s+(?:type\s+)?([\w$*{}\s,]+?)\s*\bfrom\s*(['"])([^'"\n]+)\3"""
)
_BARE = re.compile(r"""\bimport\s*(['"])([^'"\n]+)\1""")
_CALLED = re.compile(
    r"""(?:\bimport|\brequire|\bnew\s+URL)\s*\(\s*(?:/\*.*?\*/\s*)?(['"`])([^'"`\n$]+)\1"""
)
_STYLE_IMPORT = re.compile(r"""@(?:import|use|forward)\s+(?:url\(\s*)?['"]?([^'")\s;]+)""")
_STYLE_URL = re.compile(r"""url\(\s*['"]?([^'")\s]+)""")
_LINKED = re.compile(r"""(?:\bsrc|\bhref)\s*=\s*["']([^"'{}\s]+)["']""")
_PYTHON_FROM = re.compile(
    r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)", re.M
)
_PYTHON_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.M)

_DECLARED = re.compile(
    r"\bexport\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    r"(?:function\*?|const|let|var|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)"
)
_NAMED = re.compile(r"\bexport\s+(?:type\s+)?\{([^}]*)\}(?!\s*from)")
_PYTHON_DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+([A-Za-z]\w*)", re.M)

_SHOWN_TEXT = re.compile(r">([^<>{}=;]{3,200})<")
_STRING = re.compile(r"""(['"`])((?:(?!\1)[^\\\n]){3,200})\1""")
_CLASS_USED = re.compile(r"""\bclass(?:Name)?\s*=\s*\{?\s*["'`]([^"'`]*)["'`]""")
_CLASS_MADE = re.compile(r"\.([a-zA-Z][\w-]*)(?=[^{}();]*\{)")
_ADDRESS = re.compile(r"""['"`](/api/[\w-]+)""")

_CODE, _SHOWN, _EXPORTED = 1.0, 1.0, 2.0
"""How much a word counts as any text, in addition where a person sees it, in addition in a name that is exported."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One import: of `names` ("*" means all, none: for its effect) from what `target` says."""

    target: str
    names: tuple[str, ...] = ()
    handed_on: bool = False
    """An `export … from`."""
    later: bool = False
    """Loaded when it is needed: the one does not rest on what the other is like."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What matters of a text."""

    references: tuple[Reference, ...] = ()
    exports: tuple[str, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)
    length: float = 0.0
    classes_used: frozenset[str] = frozenset()
    classes_made: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


class _Kept:
    """The facts of the texts that were read last."""

    def __init__(self) -> None:
        self._facts: OrderedDict[tuple[str, bytes], FileFacts] = OrderedDict()
        self._lock = Lock()

    def get(self, kind: str, text: str) -> FileFacts:
        key = (kind, hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest())
        with self._lock:
            known = self._facts.get(key)
            if known is not None:
                self._facts.move_to_end(key)
                return known
        facts = _read(kind, text[:_LONGEST_READ])
        with self._lock:
            self._facts[key] = facts
            while len(self._facts) > _KEPT:
                self._facts.popitem(last=False)
        return facts


_kept = _Kept()


def file_facts(path: str, text: str) -> FileFacts:
    """Return the facts of a file; linear in its length when its text is new."""
    return _kept.get(_kind(path), text)


def _kind(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


def _read(kind: str, text: str) -> FileFacts:
    exports = _exports(kind, text)
    words: dict[str, float] = {}
    _count(words, text, _CODE)
    if kind in _SCRIPTS or kind in _PAGES:
        for match in _SHOWN_TEXT.finditer(text):
            _count(words, match[1], _SHOWN)
        for match in _STRING.finditer(text):
            if " " in match[2].strip():
                _count(words, match[2], _SHOWN)
    for name in exports:
        _count(words, name, _EXPORTED)
    used = {name for match in _CLASS_USED.finditer(text) for name in match[1].split()}
    made = {match[1] for match in _CLASS_MADE.finditer(text)} if kind in _STYLES else set()
    return FileFacts(
        references=tuple(_references(kind, text)),
        exports=exports,
        words=words,
        length=sum(words.values()),
        classes_used=frozenset(used),
        classes_made=frozenset(made),
        addresses=frozenset(match[1] for match in _ADDRESS.finditer(text)),
    )


def _count(words: dict[str, float], text: str, weight: float) -> None:
    for word in words_in(text):
        words[word] = words.get(word, 0.0) + weight


def _references(kind: str, text: str) -> list[Reference]:
    found: list[Reference] = []
    if kind in _SCRIPTS:
        found += [
            Reference(match[4], _names(match[2]), handed_on=match[1] == "export")
            for match in _FROM.finditer(text)
        ]
        found += [Reference(match[2]) for match in _BARE.finditer(text)]
        found += [Reference(match[2], ("*",), later=True) for match in _CALLED.finditer(text)]
    if kind in _STYLES or kind in ("vue", "svelte"):
        found += [Reference(match[1]) for match in _STYLE_IMPORT.finditer(text)]
        found += [Reference(match[1]) for match in _STYLE_URL.finditer(text)]
    if kind in _PAGES:
        found += [Reference(match[1]) for match in _LINKED.finditer(text)]
    if kind == "py":
        found += [Reference(match[1], _names(match[2])) for match in _PYTHON_FROM.finditer(text)]
        for match in _PYTHON_IMPORT.finditer(text):
            modules = (part.split(" as ")[0].strip() for part in match[1].split(","))
            found += [Reference(module, ("*",)) for module in modules if module]
    return list(dict.fromkeys(found))


def _names(clause: str) -> tuple[str, ...]:
    """Return the names that an import's clause takes from the other file."""
    outside, braced, inside = clause.partition("{")
    parts = [part.split() for part in (inside if braced else outside).strip("(}) \n").split(",")]
    names = [
        words[1] if words[0] == "type" and len(words) > 1 else words[0] for words in parts if words
    ]
    if braced and outside.strip(" ,\n"):
        names.append("default")
    return tuple(names)


def _exports(kind: str, text: str) -> tuple[str, ...]:
    if kind == "py":
        return tuple(dict.fromkeys(match[1] for match in _PYTHON_DEFINED.finditer(text)))
    if kind not in _SCRIPTS:
        return ()
    names = [match[1] for match in _DECLARED.finditer(text)]
    for match in _NAMED.finditer(text):
        names += [part.split()[-1] for part in match[1].split(",") if part.split()]
    return tuple(dict.fromkeys(names))
