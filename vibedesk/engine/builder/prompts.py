"""Prompts: texts in `resources/prompts`, filled with the project's facts.

The system text depends on the template alone, so it is byte-identical between the requests of a project and
providers can cache it. Everything that changes comes after it.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from vibedesk.base.resources import resource
from vibedesk.engine.builder.templates import Template

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def fill(name: str, **values: str) -> str:
    """Return the prompt `name` with every `{{slot}}` replaced; a missing value is a `KeyError`."""
    return _SLOT.sub(lambda match: values[match.group(1)], _source(name)).strip() + "\n"


def system_prompt(template: Template) -> str:
    """Return the stable first part of every request of a project."""
    return fill(
        "system",
        template_name=template.folder.name,
        template_description=template.description,
        template_usage="\n".join(f"- {line}" for line in template.usage),
        template_untouchable=", ".join(sorted(template.untouchable_files)),
    )


@lru_cache(maxsize=8)
def schema_text(model: type[BaseModel]) -> str:
    """Return the JSON schema of an answer, compact, without titles that only repeat names."""
    return json.dumps(_slim(model.model_json_schema()), ensure_ascii=False)


def _slim(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _slim(value)
            for key, value in node.items()
            if (not (key == "title" and isinstance(value, str)) and key != "description")
            or (key in ("description", "title") and isinstance(value, dict))
        }
    return [_slim(item) for item in node] if isinstance(node, list) else node


@lru_cache(maxsize=32)
def _source(name: str) -> str:
    return resource("prompts", f"{name}.md").read_text("utf-8")
