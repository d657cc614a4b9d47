"""Acceptance steps in one form, whatever a model or a person wrote.

The form is a mapping with `do` and what belongs to it: `{"do": "click", "selector": "button", "text": "Add"}`.
`STEPS` says which there are and what each needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

Step = dict[str, Any]

_ELEMENT: Final = ("selector", "text", "nth")

STEPS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "goto": (("path",), ()),
    "reload": ((), ()),
    "click": (("selector",), _ELEMENT),
    "fill": (("selector", "value"), _ELEMENT),
    "select": (("selector", "value"), _ELEMENT),
    "press": (("key",), _ELEMENT),
    "attach": (("selector", "filename", "content"), ()),
    "drag": (("from", "to"), ()),
    "wait": (("ms",), ()),
    "expectText": (("selector", "text"), _ELEMENT),
    "expectNoText": (("selector", "text"), _ELEMENT),
    "expectCount": (("selector", "count"), _ELEMENT),
    "expectValue": (("selector", "value"), _ELEMENT),
    "expectUrl": (("text",), ()),
    "expectTitle": (("text",), ()),
    "expectDownload": (("selector",), (*_ELEMENT, "filename", "contains")),
    "as": (("user",), ()),
}
"""Name of a step → what it must have, and what it may have besides `check`, its label."""

FIRST_PERSON: Final = "first"
"""Who takes the steps until a step `as` names somebody else, and whom `as` calls so."""

_ACTION_KEYS = ("do", "action", "step", "type", "op", "command", "name")
_OTHER_NAMES = {
    "visit": "goto", "open": "goto", "navigate": "goto", "go": "goto", "gotopath": "goto", "refresh": "reload",
    "tap": "click", "push": "click", "clickon": "click", "submit": "click", "type": "fill", "typein": "fill", "enter": "fill",
    "input": "fill", "write": "fill", "choose": "select", "pick": "select", "selectoption": "select",
    "key": "press", "presskey": "press", "draganddrop": "drag", "dragto": "drag", "sleep": "wait", "pause": "wait",
    "see": "expectText", "shouldsee": "expectText", "expect": "expectText", "expectvisible": "expectText",
    "asserttext": "expectText", "verifytext": "expectText", "notsee": "expectNoText", "dontsee": "expectNoText",
    "expectnotvisible": "expectNoText", "expecthidden": "expectNoText", "count": "expectCount",
    "assertcount": "expectCount", "url": "expectUrl", "title": "expectTitle", "download": "expectDownload",
    "upload": "attach", "attachfile": "attach", "uploadfile": "attach", "setfile": "attach",
    "signedinas": "as", "asuser": "as", "switchuser": "as",
}  # fmt: skip
_NAMES = {name.lower(): name for name in STEPS} | _OTHER_NAMES
_OTHER_KEYS = {
    "url": "path", "href": "path", "css": "selector", "element": "selector", "target": "selector", "into": "selector",
    "label": "text", "contains_text": "text", "expected": "text", "with": "value", "option": "value", "index": "nth",
    "times": "count", "milliseconds": "ms", "duration": "ms", "file": "filename", "person": "user",
}  # fmt: skip
_MAIN_KEY = {
    "goto": "path", "press": "key", "wait": "ms", "as": "user", "expectCount": "count", "expectDownload": "filename",
    "attach": "filename",
}  # fmt: skip
"""What a single value stands for; for the others it is the text."""

_CLICKABLE = "button, a, [role=button], [role=tab], [role=menuitem], [role=option], label, summary"
_ANYWHERE = "body"
_FILE_FIELD = "input[type='file']"
_FIELD_STEPS = frozenset({"fill", "select", "expectValue"})
_LONGEST_WAIT_MS = 10_000
_MAY_BE_EMPTY = frozenset({"value", "content"})
_WORD = re.compile(r"\s*([A-Za-z][\w-]*)\s*:?\s*(.*)\Z", re.DOTALL)
_TWO_WORDS = re.compile(
    r"(?:not\s+see|don'?t\s+see|should\s+see|go\s+to|type\s+in|click\s+on|press\s+key)\b", re.I
)
_WITH = re.compile(r"(.+?)(?:\s+(?:with|as|=)\s+|\s*[:=]\s*)(.+)\Z", re.DOTALL)
_QUOTES = "\"'“”„‘’«»`"
_LOOKS_LIKE_CSS = re.compile(r"[a-z0-9\s>]*(?:[#.][A-Za-z_-]|\[[\w-])")


def normal_steps(written: object) -> tuple[list[Step], list[str]]:
    """Return the steps of one check in their form, and what could not be understood of it, in words.

    A step that says for itself who takes it (`"as": "Bea"`) is led in by a step `as`, and followed by one back to
    the first person.
    """
    steps: list[Step] = []
    left_out: list[str] = []
    person = FIRST_PERSON
    for raw in _items(written):
        step = normal_step(raw)
        if step is None:
            left_out.append(_in_words(raw))
            continue
        if step["do"] == "as":
            person = FIRST_PERSON
        else:
            taken_by = str(step.pop("as", "") or FIRST_PERSON)
            if taken_by != person:
                steps.append({"do": "as", "user": taken_by})
                person = taken_by
        steps.append(step)
    return steps, left_out


def normal_step(written: object) -> Step | None:
    """Return one step in its form; None where it is not clear what it does."""
    step = _from_text(written) if isinstance(written, str) else _from_mapping(written)
    if step is None:
        return None
    step = {k: v for k, v in step.items() if v is not None and (v != "" or k in _MAY_BE_EMPTY)}
    _find_element(step)
    needed, allowed = STEPS[step["do"]]
    if not _numbers_are_numbers(step) or not _ends_are_elements(step):
        return None
    if any(key not in step for key in needed):
        return None
    if "ms" in step:
        # Steps wait for what they expect; a pause is for what has no other sign, and holds up every review.
        step["ms"] = min(step["ms"], _LONGEST_WAIT_MS)
    kept = {"do", "check", "as", *needed, *allowed}
    return {key: value for key, value in step.items() if key in kept}


def _items(written: object) -> Iterator[object]:
    if isinstance(written, list | tuple):
        yield from written
    elif isinstance(written, str):
        yield from (line.strip(" -*") for line in written.splitlines() if line.strip(" -*"))
    elif isinstance(written, dict):
        yield written


def _from_mapping(written: object) -> Step | None:
    if not isinstance(written, dict):
        return None
    given = {str(key): value for key, value in written.items()}
    for key in _ACTION_KEYS:
        name = _name(given.get(key))
        if name:
            rest = {k: v for k, v in given.items() if k != key}
            return {**_renamed(rest, name), "do": name}
    # The name itself may be the key, with what belongs to it as its value.
    for key, value in given.items():
        name = _name(key)
        if name and not (name == "as" and len(given) > 1):
            inner = value if isinstance(value, dict) else _main_value(name, value)
            others = {k: v for k, v in given.items() if k != key}
            return {**_renamed({**others, **inner}, name), "do": name}
    return None


def _main_value(name: str, value: object) -> Step:
    if name == "reload" or value is None or isinstance(value, bool):
        return {}
    if (
        isinstance(value, str)
        and name not in _MAIN_KEY
        and name not in ("expectUrl", "expectTitle")
    ):
        return _element(value)
    return {_MAIN_KEY.get(name, "text"): value}


def _renamed(given: Step, name: str) -> Step:
    renamed: Step = {}
    # A key in its own name comes before one that only means the same.
    for key, value in sorted(given.items(), key=lambda item: item[0] in _OTHER_KEYS):
        target = _OTHER_KEYS.get(key.lower(), key) if key not in STEPS[name][0] else key
        if name == "goto" and key == "value":
            target = "path"
        if (
            target in ("text", "value", "path", "key", "user", "filename")
            and isinstance(value, int | float)
            and not isinstance(value, bool)
        ):
            value = f"{value:g}" if isinstance(value, float) else str(value)
        renamed.setdefault(target, value)
    if name in ("expectText", "expectNoText", "expectUrl", "expectTitle") and "text" not in renamed:
        renamed["text"] = renamed.pop("value", None)
    return renamed


def _from_text(written: str) -> Step | None:
    text = written.strip()
    if two := _TWO_WORDS.match(text):
        text = two.group().replace(" ", "").replace("'", "") + text[two.end() :]
    match = _WORD.match(text)
    name = _name(match.group(1)) if match else ""
    if not match or not name:
        return None
    rest = match.group(2).strip()
    if name in _FIELD_STEPS:
        parts = _WITH.match(rest)
        if parts is None:
            return None
        return {"do": name, **_element(parts.group(1)), "value": _unquoted(parts.group(2))}
    return {"do": name, **_main_value(name, _unquoted(rest))} if rest else {"do": name}


def _element(words: str) -> Step:
    """Return where `words` point: a CSS selector where they look like one, else a text."""
    bare = words.strip()
    return {"selector": bare} if _LOOKS_LIKE_CSS.match(bare) else {"text": _unquoted(bare)}


def _find_element(step: Step) -> None:
    """Give a step that only says a text the selector that this text is looked for in."""
    if isinstance(step.get("selector"), str) or "selector" not in STEPS[step["do"]][0]:
        return
    if step["do"] == "attach":
        step["selector"] = _FILE_FIELD
    text = step.get("text")
    if not isinstance(text, str):
        return
    if step["do"] in _FIELD_STEPS:
        label = text.replace("\\", "").replace('"', "")
        step["selector"] = (
            f'[aria-label*="{label}" i], [placeholder*="{label}" i], [name="{label}" i]'
        )
        del step["text"]
    elif step["do"] in ("click", "expectDownload"):
        step["selector"] = _CLICKABLE
    elif step["do"] in ("expectText", "expectNoText"):
        step["selector"] = _ANYWHERE


def _numbers_are_numbers(step: Step) -> bool:
    for key in ("nth", "count", "ms"):
        value = step.get(key)
        if (isinstance(value, str) and value.strip().isdigit()) or (
            isinstance(value, float) and value.is_integer()
        ):
            step[key] = int(value)
        elif value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            return False
        if isinstance(step.get(key), int) and step[key] < 0:
            return False
    texts = (
        "path",
        "selector",
        "text",
        "value",
        "key",
        "user",
        "filename",
        "content",
        "check",
        "as",
    )
    return all(isinstance(step.get(key, ""), str) for key in texts)


def _ends_are_elements(step: Step) -> bool:
    for key in ("from", "to"):
        if key in step and key in STEPS[step["do"]][0]:
            value = step[key]
            end = _element(value) if isinstance(value, str) else value
            if not isinstance(end, dict):
                return False
            if "selector" not in end and isinstance(end.get("text"), str):
                end = {**end, "selector": "li, [draggable=true], section, td, div"}
            if not isinstance(end.get("selector"), str):
                return False
            step[key] = {k: v for k, v in end.items() if k in _ELEMENT}
    return True


def _name(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return _NAMES.get(re.sub(r"[\s_-]", "", value).lower(), "")


def _unquoted(text: str) -> str:
    bare = text.strip()
    return bare[1:-1] if len(bare) > 1 and bare[0] in _QUOTES and bare[-1] in _QUOTES else bare


def _in_words(raw: object) -> str:
    text = raw if isinstance(raw, str) else repr(raw)
    return text if len(text) <= 80 else f"{text[:79]}…"
