"""A project as the library lists it; apart from the other views, because the window's first picture needs it alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class View:
    """Something the engine shows; `to_dict` is its JSON."""

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class ProjectCardView(View):
    """A project as the library lists it."""

    id: str
    name: str
    title: str
    description: str
    state: str
    reason: str
    sample: str
    palette: tuple[str, ...]
    folder: str
    created_at: str
    updated_at: str
