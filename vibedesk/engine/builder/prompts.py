"""What requests are made of besides the project's own words: the system prompt, pitfalls, starters.

The system prompt is one text for all projects, starters and operations, so that providers can cache it. What changes
comes after it, the more often the later: see `context`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from vibedesk.base.resources import resource
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.models.prompt_files import prompt

_SYSTEM = ("role", "design", "behaviour", "engineering", "scof")
_FRAMEWORK_NAME = re.compile(r"[^a-z0-9]+")


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
