"""Prompts: texts in `resources/prompts`, whose slots are filled in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from vibedesk.base.resources import resource

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)


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
