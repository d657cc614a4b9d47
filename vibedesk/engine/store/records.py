"""What the store hands out: plain values, so that rows never leave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vibedesk.engine.states import AgentState

Json = dict[str, Any]

ABOUT_THE_PLAN = "blueprint"
"""`settled` of a message that asked for another blueprint: making that was the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRecord:
    """A project's head data and the agent's persisted state."""

    id: str
    name: str
    title: str
    description: str
    wish: str
    mode: str
    folder: str
    template: str
    sample: str
    state: AgentState
    state_reason: str
    failed_state: AgentState | None
    options: Json
    run: Json
    blueprint: Json | None
    blueprint_text: str
    waiting: Json | None
    error: Json | None
    port: int | None
    sandbox_kind: str
    sandbox_id: str
    preview_url: str
    last_seq: int
    code_version: int
    created_at: str
    updated_at: str
    questions: list[Json] | None = None
    """What was asked before the blueprint: question, options, why, answer (None: open, empty: skipped)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRecord:
    """One phase as planned, and whether it is closed. `source`: blueprint, plan or converse."""

    number: int
    name: str
    description: str
    plan: Json
    source: str
    completed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One message; `data` holds what belongs to it (a reply's SCOF)."""

    id: str
    role: str
    text: str
    at: str
    complete: bool
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRecord:
    """An image of the wish (`message` is empty) or of a message; `blob` is the digest of its bytes."""

    id: str
    message: str
    name: str
    media_type: str
    width: int
    height: int
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRecord:
    """A wish. `status`: open, planned (its phase runs) or done."""

    id: str
    text: str
    status: str
    phase: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord:
    """A file written anew. `status`: writing, ready, taken, dropped or failed."""

    id: str
    path: str
    instructions: str
    base: str
    text: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTotals:
    """What a project's model calls came to; `cost` leaves out calls of unknown price."""

    input_tokens: int
    output_tokens: int
    cost: float
