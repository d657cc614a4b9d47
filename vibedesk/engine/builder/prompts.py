"""Prompts: texts in `resources/prompts`, filled with the project's facts.

The system prompt is one text for all projects, starters and operations, so that providers can cache it. What changes
comes after it, the more often the later: see `context`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vibedesk.base.resources import resource
from vibedesk.engine.builder.templates import Template

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_SYSTEM = ("role", "design", "behaviour", "engineering", "scof")
_FRAMEWORK_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text of `resources/prompts`; `purpose` and `version` are its front matter and are not sent."""

    name: str
    purpose: str
    version: int
    text: str

    @property
    def label(self) -> str:
        """Name, version and digest of the text, for logs: `tasks/fix 1 (0a1b2c3d)`."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:8]
        return f"{self.name} {self.version} ({digest})"


@lru_cache(maxsize=64)
def prompt(name: str) -> Prompt:
    """Return a prompt, like `tasks/fix`.

    Raises:
        ValueError: its front matter lacks purpose or version.
    """
    source = resource("prompts", f"{name}.md").read_text("utf-8")
    match = _FRONT_MATTER.match(source)
    facts = dict(line.split(": ", 1) for line in match[1].split("\n")) if match else {}
    if match is None or not {"purpose", "version"} <= facts.keys():
        raise ValueError(f"The prompt {name} does not begin with its purpose and version.")
    return Prompt(name, facts["purpose"], int(facts["version"]), source[match.end() :].strip())


def fill(name: str, **values: str) -> str:
    """Return the prompt `name` with every `{{slot}}` replaced; a missing value is a `KeyError`."""
    return _SLOT.sub(lambda match: values[match.group(1)], prompt(name).text).strip() + "\n"


@lru_cache(maxsize=1)
def system_prompt() -> str:
    """Return the first part of every request, the same for all of them."""
    return "\n\n".join(prompt(f"system/{name}").text for name in _SYSTEM) + "\n"


@lru_cache(maxsize=1)
def blueprint_shape() -> str:
    """Return the example that shows the form of a blueprint, as JSON."""
    return resource("prompts", "tasks", "blueprint_shape.json").read_text("utf-8").strip()


def framework_pitfalls(template: Template) -> str:
    """Return what is known to go wrong with the frameworks of a starter; empty where nothing is."""
    known = {path.stem for path in resource("prompts", "frameworks").glob("*.md")}
    names = (_framework_name(framework) for framework in template.frameworks)
    wanted = dict.fromkeys(name for name in names if name in known)
    return "\n\n".join(prompt(f"frameworks/{name}").text for name in wanted)


def _framework_name(framework: str) -> str:
    """Return the name of its prompt: `node-sqlite` for `node:sqlite@24`."""
    bare = framework.lower().lstrip("@").split("@", 1)[0]
    return _FRAMEWORK_NAME.sub("-", bare).strip("-")


def starter_list(starters: Sequence[Template]) -> str:
    """Return what a blueprint is told of the starters that it may choose from."""
    return "\n".join(
        f"- {starter.name}: {starter.description}"
        + (f" Best for: {starter.best_for}" if starter.best_for else "")
        + f" Main files: {', '.join(starter.important_files)}."
        for starter in starters
    )
