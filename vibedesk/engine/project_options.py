"""How a project is to be built; stored with it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

DEFAULT_MAX_PHASES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """What the person chose for a project.

    Attributes:
        template: The starter.
        provider: A configured model provider; empty: the default one.
        model: One of its models; empty: its default.
        sample: Name of a recorded example; no model is asked then.
        sandbox: `auto`, `docker` or `local`.
        max_phases: How many phases may be made.
        budget: Most to spend on models, in USD; None: no limit.
        approval: Whether the blueprint waits for approval.
    """

    template: str = "react-vite"
    provider: str = ""
    model: str = ""
    sample: str = ""
    sandbox: Literal["auto", "docker", "local"] = "auto"
    max_phases: int = DEFAULT_MAX_PHASES
    budget: float | None = None
    approval: bool = False

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> ProjectOptions:
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})
