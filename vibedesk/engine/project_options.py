"""How a project is to be built; stored with it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Final, Literal

DEFAULT_MAX_PHASES = 12
DEFAULT_BUDGET: Final = 5.0
"""USD that a new project may spend on models where the person said nothing else."""
BUDGET_SETTING: Final = "build.budget_usd"
"""What a project made in the window may spend where nothing else was said, in USD; None and 0: no limit."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture that a person gives with a wish or a message: its file name, and its bytes as they are."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """What the person chose for a project.

    Attributes:
        mode: How a model works on it: `phases`, planned one after the other. There is no `agent` mode yet.
        template: The starter: a name, or a folder or git address that is kept as one of the person's own; empty: the
            model chooses one for the wish.
        provider: A configured model provider; empty: the default one.
        model: One of its models; empty: its default.
        sample: Name of a recorded example; no model is asked then.
        sandbox: `auto`, `docker` or `local`.
        size: Of the sandbox, one of `sandboxes.sizes.SIZES` or `auto`; empty: the app setting.
        network: What the app's code may reach: `registries` (and what the person granted) or `none`; empty: the
            app setting.
        max_phases: How many phases may be made.
        budget: Most to spend on models, in USD; None: no limit.
        approval: Whether the blueprint waits for approval.
    """

    mode: Literal["phases", "agent"] = "phases"
    template: str = ""
    provider: str = ""
    model: str = ""
    sample: str = ""
    sandbox: Literal["auto", "docker", "local"] = "auto"
    size: str = ""
    network: Literal["", "registries", "none"] = ""
    max_phases: int = DEFAULT_MAX_PHASES
    budget: float | None = None
    approval: bool = False

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> ProjectOptions:
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})


def default_budget(stored: Any) -> float | None:
    """Return the budget that `BUDGET_SETTING` stands for; the usual one where what is stored is none."""
    if stored is None:
        return None
    valid = isinstance(stored, int | float) and math.isfinite(stored) and stored >= 0
    return (float(stored) or None) if valid else DEFAULT_BUDGET
