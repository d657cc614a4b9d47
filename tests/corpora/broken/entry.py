"""The form of an entry, and how one is made: a working app of `apps/` with something in it broken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from tests.corpora.broken.changes import CHANGES
from vibedesk.base.resources import resource

Kind = Literal["static", "runtime", "page", "server", "python", "config"]
Edits = Mapping[str, Sequence[tuple[str, str]]]

APPS: Final = Path(__file__).with_name("apps")
TEMPLATES: Final = {
    "todo": "react-vite",
    "expenses": "react-vite",
    "quiz": "react-vite",
    "recipes": "react-vite",
    "snake": "vanilla-ts",
    "converter": "vanilla-ts",
    "helpdesk": "react-fullstack",
    "tasks": "python-fastapi",
}
_NEVER_TS: Final = (
    ": any",
    "as any",
    "<any",
    "any[]",
    "@ts-ignore",
    "@ts-expect-error",
    "@ts-nocheck",
    "as unknown as",
    "as never",
    "eslint-disable",
    "not implemented",
)
_NEVER_PYTHON: Final = (
    "type: ignore",
    "noqa",
    "Any",
    "cast(",
    "NotImplementedError",
    "pass\n",
    "...\n",
)
_TS_COMMENT: Final = re.compile(r"(?<![:'\"`])//[^\n]*|/\*.*?\*/", re.S)
_PYTHON_COMMENT: Final = re.compile(r"(?m)^\s*(#[^\n]+)$")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A broken project.

    Attributes:
        files: What to lay over the starter, by path; the whole app, not only what is broken.
        touched: The paths of `files` in which something is broken.
        broken: What is wrong, in a sentence.
        codes: What the checkers must say of it: numbers of TypeScript, names of rules (eslint, mypy, ruff).
        repairable: Whether a careful tool without a model could mend it with certainty.
        clean: The checkers that have to be clean after repair.
        keep: What is there, in one of the files, and must still be there then.
        never: What is in no file of the app, and must be in none then.
        gains: What must be there then and is not yet.
        loses: What is there and must have gone then.
        installs: The packages of which one must have been added.
        visit: What a visit of the broken app shows: `path`, `steps` before it, `shows` (overlay, blank,
            error page, wrong page, console, request, busy) and the `text` of that.
        after: A text that the same visit shows once it is mended.
    """

    name: str
    template: str
    app: str
    files: Mapping[str, str]
    touched: tuple[str, ...]
    broken: str
    kind: Kind
    repairable: bool
    codes: tuple[int | str, ...] = ()
    clean: tuple[str, ...] = ("types",)
    keep: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    installs: tuple[str, ...] = ()
    visit: Mapping[str, Any] = field(default_factory=dict)
    after: str = ""

    @property
    def expect(self) -> dict[str, Any]:
        """What must hold after repair."""
        found: dict[str, Any] = {
            "clean": list(self.clean),
            "keep": list(self.keep),
            "never": list(self.never),
        }
        found |= {
            key: list(value)
            for key, value in (("gains", self.gains), ("loses", self.loses))
            if value
        }
        if self.installs:
            found["installs"] = list(self.installs)
        if self.after:
            found["shows"] = self.after
        return found

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "template": self.template,
            "files": dict(self.files),
            "broken": self.broken,
            "kind": self.kind,
            "codes": list(self.codes),
            "repairable": self.repairable,
            "expect": self.expect,
            "visit": dict(self.visit),
        }


@cache
def app_files(app: str) -> Mapping[str, str]:
    """Return the files of a working app, by their project paths."""
    root = APPS / app
    own = {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    starter = resource("templates", TEMPLATES[app])
    changed = {
        path: replaced((starter / path).read_text("utf-8"), edits)
        for path, edits in CHANGES.get(app, {}).items()
    }
    return own | changed


def replaced(text: str, edits: Sequence[tuple[str, str]]) -> str:
    """Return `text` with each old text, which stands in it once, replaced by the new one."""
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times {old!r}"
        text = text.replace(old, new)
    return text


def broken(
    name: str,
    app: str,
    sentence: str,
    *codes: int | str,
    edits: Edits | None = None,
    add: Mapping[str, str] | None = None,
    repairable: bool,
    kind: Kind = "static",
    clean: tuple[str, ...] = ("types",),
    keep: tuple[str, ...] = (),
    never: tuple[str, ...] = (),
    gains: tuple[str, ...] = (),
    loses: tuple[str, ...] = (),
    installs: tuple[str, ...] = (),
    visit: Mapping[str, Any] | None = None,
    after: str = "",
) -> Entry:
    """Return the app with `edits` (each old text stands in its file once) and `add`ed or replaced files.

    Every comment of the files that are touched has to be kept, besides what `keep` names.
    """
    files = dict(app_files(app))
    for path, replacements in (edits or {}).items():
        files[path] = replaced(files[path], replacements)
    files |= add or {}
    touched = (*(edits or {}), *(add or {}))
    comments = [found for path in touched for found in _comments(path, files[path])]
    return Entry(
        name=name,
        template=TEMPLATES[app],
        app=app,
        files=files,
        touched=touched,
        broken=sentence,
        kind=kind,
        repairable=repairable,
        codes=codes,
        clean=clean,
        keep=tuple(dict.fromkeys((*comments, *keep))),
        never=(*(_NEVER_PYTHON if TEMPLATES[app] == "python-fastapi" else _NEVER_TS), *never),
        gains=gains,
        loses=loses,
        installs=installs,
        visit=visit or {},
        after=after,
    )


def _comments(path: str, text: str) -> list[str]:
    if path.endswith((".ts", ".tsx")):
        return [found.rstrip() for found in _TS_COMMENT.findall(text)]
    if path.endswith(".py"):
        return _PYTHON_COMMENT.findall(text)
    return []
