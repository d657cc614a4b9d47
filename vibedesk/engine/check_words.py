"""Acceptance steps as sentences that a person reads: `Click “Add expense”`, `See “12.50” in the list`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_TAGS = {
    "a": "link", "article": "article", "aside": "side bar", "button": "button", "canvas": "drawing",
    "caption": "caption", "dialog": "dialog", "fieldset": "group of fields", "footer": "footer", "form": "form",
    "h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "header": "header", "img": "picture",
    "input": "field", "label": "label", "li": "list entry", "main": "main part", "nav": "navigation", "ol": "list",
    "option": "choice", "p": "paragraph", "section": "section", "select": "drop-down", "strong": "text", "summary": "heading",
    "svg": "picture", "table": "table", "tbody": "table", "td": "table cell", "textarea": "text field", "th": "column head",
    "thead": "table head", "time": "time", "tr": "table row", "ul": "list", "video": "film",
}  # fmt: skip
_PLURALS = {
    "list entry": "list entries",
    "choice": "choices",
    "group of fields": "groups of fields",
}
_GENERIC = frozenset({"", "*", "body", "html", "#root", "#app", "div", "span"})
_PARTS = re.compile(
    r"""\[(?P<attribute>[\w-]+)(?:\s*[*^$~|]?=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\]"'\s]*)))?[^\]]*\]"""
    r"""|[#.](?P<name>[A-Za-z_][\w-]*)"""
)
_TAG = re.compile(r"[a-z][a-z0-9]*")
_PSEUDO = re.compile(r"::?[\w-]+(?:\([^()]*\))?")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_SPOKEN_NAMES = ("aria-label", "placeholder", "title", "alt")
_KEYS = {
    "ArrowUp": "Up",
    "ArrowDown": "Down",
    "ArrowLeft": "Left",
    "ArrowRight": "Right",
    " ": "Space",
}


def check_words(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each step, without a full stop at its end."""
    return [step_words(step) for step in steps]


def step_words(step: Mapping[str, Any]) -> str:
    """Return what a step does or expects; one of an unknown kind is named as it is."""
    words = _SENTENCES.get(str(step.get("do", "")))
    if words is None:
        return str(step.get("do") or step)
    return words(step)


def _goto(step: Mapping[str, Any]) -> str:
    path = str(step.get("path", "/"))
    return "Open the app" if path in ("", "/") else f"Open {path}"


def _click(step: Mapping[str, Any]) -> str:
    return f"Click {_quoted(step['text']) if step.get('text') else _element(step)}"


def _fill(step: Mapping[str, Any]) -> str:
    value, field = str(step.get("value", "")), _element(step, "field")
    return f"Write {_quoted(value)} into {field}" if value else f"Empty {field}"


def _press(step: Mapping[str, Any]) -> str:
    key = "+".join(_KEYS.get(part, part) for part in str(step.get("key", "")).split("+"))
    return f"Press {key} in {_element(step)}" if step.get("selector") else f"Press {key}"


def _drag(step: Mapping[str, Any]) -> str:
    return f"Drag {_thing(step.get('from'))} to {_thing(step.get('to'))}"


def _wait(step: Mapping[str, Any]) -> str:
    seconds = float(step.get("ms", 0)) / 1000
    return f"Wait {seconds:g} second{'' if seconds == 1 else 's'}"


def _see(step: Mapping[str, Any]) -> str:
    text = step.get("text")
    return f"See {_quoted(text)}{_where(step)}" if text else f"See {_element(step)}"


def _not_see(step: Mapping[str, Any]) -> str:
    text = step.get("text")
    return f"No longer see {_quoted(text)}{_where(step)}" if text else f"See no {_kind(step)}"


def _count(step: Mapping[str, Any]) -> str:
    count = step.get("count")
    kind, name = _described(str(step.get("selector", "")))
    noun = kind or "element"
    if count != 1:
        noun = _PLURALS.get(noun, f"{noun}s")
    label = f" {_quoted(name)}" if name else ""
    text = f" with {_quoted(step['text'])}" if step.get("text") else ""
    return f"See {'no' if count == 0 else f'exactly {count}'} {noun}{label}{text}"


def _value(step: Mapping[str, Any]) -> str:
    value = str(step.get("value", ""))
    shown = f"has {_quoted(value)}" if value else "is empty"
    return f"See that {_element(step, 'field')} {shown}"


def _download(step: Mapping[str, Any]) -> str:
    got = f"get the file {_quoted(step['filename'])}" if step.get("filename") else "get a file"
    wanted = step.get("contains") or []
    texts = [wanted] if isinstance(wanted, str) else list(wanted)
    holding = f" with {' and '.join(map(_quoted, texts))} in it" if texts else ""
    return f"{_click(step)} and {got}{holding}"


def _as(step: Mapping[str, Any]) -> str:
    user = str(step.get("user", ""))
    if user in ("", "first"):
        return "Go on as the first person"
    return f"Go on as {'another person' if user == 'second' else user}, in a browser of their own"


_SENTENCES = {
    "goto": _goto,
    "reload": lambda _: "Reload the page",
    "click": _click,
    "fill": _fill,
    "select": lambda step: (
        f"Choose {_quoted(step.get('value', ''))} in {_element(step, 'drop-down')}"
    ),
    "press": _press,
    "attach": lambda step: f"Choose the file {_quoted(step.get('filename', ''))}",
    "drag": _drag,
    "wait": _wait,
    "expectText": _see,
    "expectNoText": _not_see,
    "expectCount": _count,
    "expectValue": _value,
    "expectUrl": lambda step: f"See that the address has {_quoted(step.get('text', ''))} in it",
    "expectTitle": lambda step: f"See {_quoted(step.get('text', ''))} in the window's title",
    "expectDownload": _download,
    "as": _as,
}


def _thing(end: object) -> str:
    if not isinstance(end, Mapping):
        return "it"
    return _quoted(end["text"]) if end.get("text") else _element(end)


def _where(step: Mapping[str, Any]) -> str:
    selector = str(step.get("selector", ""))
    return "" if selector.strip() in _GENERIC else f" in {_element({'selector': selector})}"


def _kind(step: Mapping[str, Any]) -> str:
    kind, name = _described(str(step.get("selector", "")))
    return (
        f"{kind} {_quoted(name)}"
        if kind and name
        else kind or (_quoted(name) if name else "such element")
    )


def _element(step: Mapping[str, Any], usual: str = "") -> str:
    """Return the element as `the field “Amount”`, `the 2nd list entry`, `the list`; `usual` is the kind if unsaid."""
    kind, name = _described(str(step.get("selector", "")))
    kind = kind or usual
    place = _ordinal(int(step["nth"]) + 1) if step.get("nth") else ""
    noun = " ".join(part for part in (place, kind or ("" if name else "page")) if part)
    if noun and name:
        words = f"the {noun} {_quoted(name)}"
    else:
        words = f"the {noun}" if noun else _quoted(name)
    return f"{words} with {_quoted(step['text'])}" if step.get("text") else words


def _described(selector: str) -> tuple[str, str]:
    """Return (kind of thing, its name) of what a CSS selector picks; either may be empty."""
    first = selector.split(",")[0]
    last = re.split(r"\s*[>+~]\s*|\s+(?![^\[]*\])", first.strip())[-1]
    if last in _GENERIC:
        return "", ""
    bare = _PSEUDO.sub("", last)
    tag = _TAG.match(bare)
    kind = _TAGS.get(tag.group(), "") if tag else ""
    found: dict[str, str] = {}
    for part in _PARTS.finditer(bare):
        if part["name"]:
            found.setdefault("#", _spoken(part["name"]))
        else:
            value = part["double"] or part["single"] or part["bare"] or ""
            found.setdefault(part["attribute"], value.replace("\\", ""))
    if not kind and found.get("role"):
        kind = _spoken(found["role"])
    for attribute in _SPOKEN_NAMES:
        if found.get(attribute):
            return kind, found[attribute].strip()
    if "#" in found:
        return kind, found["#"]
    for attribute, value in found.items():
        if attribute.startswith("data-") and attribute != "data-testid":
            return kind or _spoken(attribute.removeprefix("data-")), value
    for attribute in ("data-testid", "name"):
        if found.get(attribute):
            return kind, _spoken(found[attribute])
    for attribute in ("value", "href", "type"):
        if found.get(attribute):
            return kind, found[attribute]
    return kind, ""


def _spoken(identifier: str) -> str:
    return (
        " ".join(word if word.isupper() else word.lower() for word in _WORDS.findall(identifier))
        or identifier
    )


def _quoted(text: object) -> str:
    shown = " ".join(str(text).split())
    return f"“{shown if len(shown) <= 80 else shown[:79].rstrip() + '…'}”"


def _ordinal(number: int) -> str:
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"
