"""What the home pages show of a project or a sample: plain values, ready to be painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CardState = Literal["draft", "building", "interrupted", "ready", "failed"]

_RUN_STATES = frozenset(
    {
        "blueprinting",
        "awaiting_approval",
        "planning_phase",
        "implementing_phase",
        "installing_deps",
        "starting_server",
        "reviewing",
        "fixing",
        "finalizing",
    }
)


def card_state(agent_state: str, *, running: bool) -> CardState:
    """Say how a project stands, from its stored agent state and whether work goes on right now."""
    if agent_state in _RUN_STATES:
        return "building" if running else "interrupted"
    if agent_state == "complete":
        return "ready"
    return "failed" if agent_state == "error" else "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCard:
    """A project of the library.

    `updated_at` (seconds since the epoch) orders the cards, `updated_text` is what is shown of it.
    `sample` marks a project that a recorded example made.
    """

    id: str
    title: str
    description: str = ""
    palette: tuple[str, ...] = ()
    state: CardState = "draft"
    updated_text: str = ""
    updated_at: float = 0.0
    sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCard:
    """A recorded example that can be watched without any model."""

    id: str
    title: str
    description: str = ""
    palette: tuple[str, ...] = ()
