"""What the engine shows of a project: frozen values for windows and terminals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vibedesk.engine.card_view import ProjectCardView, View

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileView(View):
    """One file of the project."""

    path: str
    size: int
    purpose: str = ""
    phase: int = 0
    binary: bool = False
    writing: bool = False


@dataclass(frozen=True, slots=True)
class PhaseView(View):
    """One phase: planned, running or completed."""

    number: int
    name: str
    description: str
    completed: bool
    files: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageView(View):
    """One message of the conversation; `role` is user or assistant."""

    id: str
    role: str
    text: str
    at: str
    complete: bool


@dataclass(frozen=True, slots=True)
class LogLineView(View):
    """One stored log line."""

    at: str
    stream: str
    line: str


@dataclass(frozen=True, slots=True)
class DraftView(View):
    """A file that is being written: what has come so far."""

    path: str
    mode: str
    text: str


@dataclass(frozen=True, slots=True)
class VersionView(View):
    """One kept version in the history, newest first in lists. `author`: agent, fix or you."""

    commit: str
    label: str
    author: str
    at: str
    files_changed: int


@dataclass(frozen=True, slots=True)
class WaitingView(View):
    """What the agent waits for."""

    reason: str
    until: str | None
    message: str


@dataclass(frozen=True, slots=True)
class ProjectView(View):
    """Everything a window needs to show a project that it opens late."""

    id: str
    name: str
    title: str
    wish: str
    mode: str
    state: str
    reason: str
    running: bool
    can_continue: bool
    sample: str
    folder: str
    preview_url: str
    sandbox_state: str
    sandbox_kind: str
    seq: int
    version: int
    max_phases: int
    model: str
    cost: float
    input_tokens: int
    output_tokens: int
    blueprint: Json | None
    blueprint_text: str
    phases: tuple[PhaseView, ...] = ()
    files: tuple[FileView, ...] = ()
    messages: tuple[MessageView, ...] = ()
    drafts: tuple[DraftView, ...] = ()
    logs: tuple[LogLineView, ...] = ()
    open_wishes: tuple[str, ...] = ()
    waiting: WaitingView | None = None
    error: Json | None = None
    granted_hosts: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    """What could be said next: the messages that a recorded example has an answer to."""
    worked_seconds: float = 0.0
    """How long the agent has worked at what it builds or has built last."""


@dataclass(frozen=True, slots=True)
class SampleView(View):
    """A recorded example that ships with VibeDesk."""

    name: str
    title: str
    description: str
    prompt: str
    palette: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckView(View):
    """One line of `vibedesk doctor`. `status`: ok, warning or missing."""

    name: str
    status: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class DoctorView(View):
    """What is there and what is missing; `can_build` is whether the main job can run."""

    can_build: bool
    checks: tuple[CheckView, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class ProviderView(View):
    """A model provider: what is there, what is missing.

    `key_source`: environment, keychain or empty; `overrides_keychain`: the environment's key wins over one that
    was entered.
    """

    name: str
    label: str
    base_url: str
    default_model: str
    ready: bool
    key_source: str = ""
    problem: str = ""
    overrides_keychain: bool = False


__all__ = [
    "CheckView",
    "DoctorView",
    "DraftView",
    "FileView",
    "LogLineView",
    "MessageView",
    "PhaseView",
    "ProjectCardView",
    "ProjectView",
    "ProviderView",
    "SampleView",
    "VersionView",
    "WaitingView",
]
