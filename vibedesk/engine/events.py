"""What the engine tells: frozen, typed facts about one project, in order.

Every event carries `project_id`, `seq` (gapless per project, across restarts) and `at` (UTC, ISO 8601).
The classes are the payloads; `Event` is the envelope that carries one. `Event.to_dict()` is the JSON that
`--json` prints. Payloads listed in `TRANSIENT` are high-rate pieces whose text is stored where it belongs
(document, draft, transcript, log), so the event log keeps only that they happened.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Json = dict[str, Any]
Origin = Literal["agent", "fix", "user", "disk", "restore"]


class Payload:
    """Base of every payload: `type` is its name on the wire."""

    type: ClassVar[str]
    __slots__ = ()

    def to_data(self) -> Json:
        return {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One payload with its place in the project's order."""

    project_id: str
    seq: int
    at: str
    payload: Payload

    @property
    def type(self) -> str:
        return self.payload.type

    def to_dict(self) -> Json:
        return {
            "type": self.payload.type,
            "seq": self.seq,
            "at": self.at,
            "project_id": self.project_id,
            "data": self.payload.to_data(),
        }


@dataclass(frozen=True, slots=True)
class Snapshot(Payload):
    """The whole state up to this `seq`; the first thing a new subscriber gets. Never stored."""

    type: ClassVar[str] = "snapshot"
    project: Any
    """A `vibedesk.engine.views.ProjectView`."""

    def to_data(self) -> Json:
        return {"project": self.project.to_dict()}


@dataclass(frozen=True, slots=True)
class StateChange(Payload):
    """The agent moved to `state`."""

    type: ClassVar[str] = "state_change"
    state: str
    previous: str
    reason: str


@dataclass(frozen=True, slots=True)
class BlueprintChunk(Payload):
    """More of the model's answer while the blueprint is written."""

    type: ClassVar[str] = "blueprint_chunk"
    chunk: str


@dataclass(frozen=True, slots=True)
class BlueprintReady(Payload):
    """The blueprint is whole and valid."""

    type: ClassVar[str] = "blueprint_ready"
    blueprint: Json


@dataclass(frozen=True, slots=True)
class PhaseDesigning(Payload):
    """The plan of phase `phase_number` (from 1) is asked for."""

    type: ClassVar[str] = "phase_designing"
    phase_number: int


@dataclass(frozen=True, slots=True)
class PhaseDesigned(Payload):
    """The plan of a phase is there: `phase` has number, name, description, files, install_commands."""

    type: ClassVar[str] = "phase_designed"
    phase: Json


@dataclass(frozen=True, slots=True)
class FileStart(Payload):
    """The model began to write `path`. `mode`: full, patch or append."""

    type: ClassVar[str] = "file_start"
    path: str
    mode: str


@dataclass(frozen=True, slots=True)
class FileChunk(Payload):
    """More of `path`, already stored."""

    type: ClassVar[str] = "file_chunk"
    path: str
    chunk: str


@dataclass(frozen=True, slots=True)
class FileEnd(Payload):
    """`path` is whole; `content` is its full text as it now stands in the document."""

    type: ClassVar[str] = "file_end"
    path: str
    content: str


@dataclass(frozen=True, slots=True)
class FilesWritten(Payload):
    """The work folder got `count` changed files in one batch."""

    type: ClassVar[str] = "files_written"
    count: int


@dataclass(frozen=True, slots=True)
class FileChanged(Payload):
    """`path` has a new version in the document."""

    type: ClassVar[str] = "file_changed"
    path: str
    version: int
    origin: str


@dataclass(frozen=True, slots=True)
class FileRenamed(Payload):
    """`path` is now called `new_path`."""

    type: ClassVar[str] = "file_renamed"
    path: str
    new_path: str
    version: int
    origin: str


@dataclass(frozen=True, slots=True)
class FileDeleted(Payload):
    """`path` is gone (a tombstone in the document)."""

    type: ClassVar[str] = "file_deleted"
    path: str
    version: int
    origin: str


@dataclass(frozen=True, slots=True)
class DepsInstalled(Payload):
    """Packages are installed. `packages` names those asked for; empty means what package.json lists."""

    type: ClassVar[str] = "deps_installed"
    packages: list[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class ServerStarted(Payload):
    """The dev server's page answers at `url`."""

    type: ClassVar[str] = "server_started"
    url: str


@dataclass(frozen=True, slots=True)
class PhaseComplete(Payload):
    """Phase `index` (from 1) passed its review and is closed."""

    type: ClassVar[str] = "phase_complete"
    index: int


@dataclass(frozen=True, slots=True)
class SnapshotCreated(Payload):
    """A version was kept in git. `author`: agent, fix or you."""

    type: ClassVar[str] = "snapshot_created"
    commit: str
    label: str
    author: str


@dataclass(frozen=True, slots=True)
class GenerationComplete(Payload):
    """The run ended in `complete`."""

    type: ClassVar[str] = "generation_complete"
    files: int
    phases: int


@dataclass(frozen=True, slots=True)
class MessageChunk(Payload):
    """More of message `message_id` while it is written."""

    type: ClassVar[str] = "message_chunk"
    message_id: str
    role: str
    chunk: str


@dataclass(frozen=True, slots=True)
class MessageComplete(Payload):
    """A message of the conversation is whole."""

    type: ClassVar[str] = "message_complete"
    message_id: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class WishQueued(Payload):
    """A wish waits for the next phase (`open`) or was taken up (`phase`) or answered (`done`)."""

    type: ClassVar[str] = "wish_queued"
    wish_id: str
    text: str
    status: str


@dataclass(frozen=True, slots=True)
class Diagnostics(Payload):
    """The problems that are known now; an empty list means none."""

    type: ClassVar[str] = "diagnostics"
    issues: list[Json]


@dataclass(frozen=True, slots=True)
class FixApplied(Payload):
    """A fix was written; `verified` says whether the check passed again."""

    type: ClassVar[str] = "fix_applied"
    path: str
    issue: str
    strategy: str
    verified: bool


@dataclass(frozen=True, slots=True)
class SandboxLog(Payload):
    """One line that the sandbox printed, ANSI codes removed. `stream`: install, server, build or vibedesk."""

    type: ClassVar[str] = "sandbox_log"
    stream: str
    line: str


@dataclass(frozen=True, slots=True)
class SandboxState(Payload):
    """The sandbox is absent, building, starting, running, paused, stopped or failed."""

    type: ClassVar[str] = "sandbox_state"
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class CommandStarted(Payload):
    """A command runs in the sandbox."""

    type: ClassVar[str] = "command_started"
    command: str


@dataclass(frozen=True, slots=True)
class CommandOutput(Payload):
    """One line it printed, ANSI codes removed."""

    type: ClassVar[str] = "command_output"
    command: str
    line: str


@dataclass(frozen=True, slots=True)
class CommandFinished(Payload):
    """It ended."""

    type: ClassVar[str] = "command_finished"
    command: str
    exit_status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Usage(Payload):
    """One model call's tokens and cost in USD; `cost` is None where the price is unknown."""

    type: ClassVar[str] = "usage"
    operation: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class BudgetWarning(Payload):
    """`spent` of `limit` USD are used."""

    type: ClassVar[str] = "budget_warning"
    spent: float
    limit: float


@dataclass(frozen=True, slots=True)
class Waiting(Payload):
    """The agent waits. `reason`: rate_limit, network, budget, approval, needs_person, consent, slot; `until`: UTC."""

    type: ClassVar[str] = "waiting"
    reason: str
    until: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Resumed(Payload):
    """The wait is over."""

    type: ClassVar[str] = "resumed"
    reason: str


@dataclass(frozen=True, slots=True)
class ErrorReported(Payload):
    """Something went wrong that the person should know; the state says whether the run stopped."""

    type: ClassVar[str] = "error"
    message: str
    remedy: str
    code: str


@dataclass(frozen=True, slots=True)
class Notice(Payload):
    """Something worth knowing that is no error: a refused path, a skipped command, a recovered answer."""

    type: ClassVar[str] = "notice"
    message: str
    code: str


@dataclass(frozen=True, slots=True)
class ProjectChanged(Payload):
    """Title, folder or other head data of the project changed."""

    type: ClassVar[str] = "project_changed"
    project: Json


@dataclass(frozen=True, slots=True)
class ProjectDeleted(Payload):
    """The project went to the trash. Its last event."""

    type: ClassVar[str] = "project_deleted"
    folder: str


PAYLOADS: dict[str, type[Payload]] = {cls.type: cls for cls in Payload.__subclasses__()}

TRANSIENT = frozenset(
    {"blueprint_chunk", "file_chunk", "message_chunk", "sandbox_log", "command_output"}
)
"""Payload types whose text is stored elsewhere; the event log does not repeat it."""
