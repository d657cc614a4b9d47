"""What the engine tells: frozen, typed facts about one project, in order.

Every event carries `project_id`, `seq` (gapless per project, across restarts) and `at` (UTC, ISO 8601).
The classes are the payloads; `Event` is the envelope that carries one. `Event.to_dict()` is the JSON that
`--json` prints. Payloads listed in `TRANSIENT` are high-rate pieces whose text is stored where it belongs
(document, draft, transcript, log), so the event log keeps only that they happened.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
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
    cut_off: bool = False
    """Whether the work in `previous` had ended before, with the program: no run has been at it since."""


@dataclass(frozen=True, slots=True)
class RunStarted(Payload):
    """The agent is at work from here on: a run begins, or goes on in the state in which it was left."""

    type: ClassVar[str] = "run_started"


@dataclass(frozen=True, slots=True)
class BlueprintChunk(Payload):
    """More of the model's answer while the blueprint is written."""

    type: ClassVar[str] = "blueprint_chunk"
    chunk: str


@dataclass(frozen=True, slots=True)
class BlueprintSection(Payload):
    """A field of the blueprint is whole while the rest still comes; `value` is as in `blueprint_ready`."""

    type: ClassVar[str] = "blueprint_section"
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class BlueprintRestarted(Payload):
    """The blueprint is written anew from its beginning; chunks and sections so far are void."""

    type: ClassVar[str] = "blueprint_restarted"


@dataclass(frozen=True, slots=True)
class QuestionsAsked(Payload):
    """The wish is ambiguous: the person is asked before the plan is made.

    Each of the one to three `questions` has `question`, `options` (ready answers), `why`, `answer` (None). A
    `waiting` with the reason `answers` follows.
    """

    type: ClassVar[str] = "questions_asked"
    questions: list[Json]


@dataclass(frozen=True, slots=True)
class QuestionsAnswered(Payload):
    """The same `questions`, each with the person's `answer`; an empty one was skipped."""

    type: ClassVar[str] = "questions_answered"
    questions: list[Json]


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
class FileDropped(Payload):
    """What was written of `path` since its start counts for nothing: it reads as before, or is gone (`file_deleted`)."""

    type: ClassVar[str] = "file_dropped"
    path: str


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
class FileMarked(Payload):
    """The person said of `path` that it is locked, pinned or excluded, or took that back."""

    type: ClassVar[str] = "file_marked"
    path: str
    mark: str
    on: bool


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
class MessageRestarted(Payload):
    """Message `message_id` is written anew from its beginning: its connection broke."""

    type: ClassVar[str] = "message_restarted"
    message_id: str


@dataclass(frozen=True, slots=True)
class MessageComplete(Payload):
    """A message of the conversation is whole; `attachments` are as in `AttachmentView`."""

    type: ClassVar[str] = "message_complete"
    message_id: str
    role: str
    text: str
    attachments: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class WishQueued(Payload):
    """A wish waits for a phase (`open`), was taken up by one (`planned`), answered (`done`), or taken back (`removed`).

    `text` is what it now says; an `open` one may be told again with another text, or after its phase was stopped.
    `phase` is the number of the phase that took it up.
    """

    type: ClassVar[str] = "wish_queued"
    wish_id: str
    text: str
    status: str
    phase: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnostics(Payload):
    """The problems that are known now; an empty list means none."""

    type: ClassVar[str] = "diagnostics"
    issues: list[Json]


@dataclass(frozen=True, slots=True)
class Reviewed(Payload):
    """The whole app was looked at; `sources` says by what, as in an issue: only there does no issue mean that all is well.

    `version` is that of the code which the app showed then.
    """

    type: ClassVar[str] = "reviewed"
    sources: list[str]
    version: int = 0


@dataclass(frozen=True, slots=True)
class FixApplied(Payload):
    """A fix was written; `verified` says whether looking again showed that it helped, None where nobody can look.

    `issue` is what it was for; empty where what was asked about was called no fault and something else was changed.
    """

    type: ClassVar[str] = "fix_applied"
    path: str
    issue: str
    strategy: str
    verified: bool | None


@dataclass(frozen=True, slots=True)
class CheckStarted(Payload):
    """An acceptance check is run."""

    type: ClassVar[str] = "check_started"
    name: str


@dataclass(frozen=True, slots=True)
class CheckFinished(Payload):
    """It ended. Where it failed: the step (from 0; None: all steps held), that step in words, what was there instead.

    `picture` is the id of a PNG of the page at its end. `outdated`: the code changed while it ran.
    """

    type: ClassVar[str] = "check_finished"
    name: str
    passed: bool
    step: int | None
    sentence: str
    error: str
    picture: str
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class ChecksCorrected(Payload):
    """Acceptance checks were added, or corrected because they tested what the app should not do: [{name, why}]."""

    type: ClassVar[str] = "checks_corrected"
    checks: list[Json]


@dataclass(frozen=True, slots=True)
class RuntimeErrorSeen(Payload):
    """The app threw an error while the person used the preview."""

    type: ClassVar[str] = "runtime_error"
    message: str
    stack: str
    source: str


@dataclass(frozen=True, slots=True)
class DebugTurn(Payload):
    """One turn of deep debugging: what the model said, or what a command or a file showed."""

    type: ClassVar[str] = "debug_turn"
    session_id: str
    turn: int
    role: str
    text: str


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
class HostRefused(Payload):
    """The app in the sandbox wanted to reach `host` (or host:port), which nobody allowed or refused yet."""

    type: ClassVar[str] = "host_refused"
    host: str


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
    """One model call's tokens and cost in USD; `cost` is None where the price is unknown.

    `saved` is what the provider's cache saved; `outcome`: finished, interrupted, cancelled or failed.
    """

    type: ClassVar[str] = "usage"
    operation: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    phase: int = 0
    saved: float | None = None
    outcome: str = "finished"


@dataclass(frozen=True, slots=True)
class VariableAsked(Payload):
    """The app needs the variable `name` from the person; `purpose` says what for, in the app's words."""

    type: ClassVar[str] = "variable_asked"
    name: str
    purpose: str


@dataclass(frozen=True, slots=True)
class BudgetWarning(Payload):
    """`spent` of `limit` USD are used."""

    type: ClassVar[str] = "budget_warning"
    spent: float
    limit: float


@dataclass(frozen=True, slots=True)
class Waiting(Payload):
    """The agent waits.

    `reason`: rate_limit, network, budget, approval, answers, needs_person, consent, paused, slot, sandbox; `until`: UTC.
    """

    type: ClassVar[str] = "waiting"
    reason: str
    until: str | None
    message: str


WAITS_FOR_PERSON = frozenset({"budget", "approval", "answers", "needs_person", "consent", "paused"})
"""Reasons of `Waiting` in which nothing is done until the person does something."""
HALTS = frozenset({"paused", "budget"})
"""Those of a run that stays where it is; others, as of an answer, may come meanwhile."""


@dataclass(frozen=True, slots=True)
class Resumed(Payload):
    """The wait is over."""

    type: ClassVar[str] = "resumed"
    reason: str


@dataclass(frozen=True, slots=True)
class ErrorReported(Payload):
    """Something went wrong that the person should know; the state says whether the run stopped.

    `details` may have `tried` (what was done about it, a line each), `cost` (of that, in USD) and `log`.
    """

    type: ClassVar[str] = "error"
    message: str
    remedy: str
    code: str
    details: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice(Payload):
    """Something worth knowing that is no error: a refused path, a skipped command, a recovered answer."""

    type: ClassVar[str] = "notice"
    message: str
    code: str


@dataclass(frozen=True, slots=True)
class ProposalStarted(Payload):
    """The model begins to write `path` anew; again with the same id when its answer could not be used."""

    type: ClassVar[str] = "proposal_started"
    proposal_id: str
    path: str
    instructions: str


@dataclass(frozen=True, slots=True)
class ProposalChunk(Payload):
    """More of the file that is proposed, already stored."""

    type: ClassVar[str] = "proposal_chunk"
    proposal_id: str
    chunk: str


@dataclass(frozen=True, slots=True)
class ProposalReady(Payload):
    """The proposal can be looked at and taken over."""

    type: ClassVar[str] = "proposal_ready"
    proposal_id: str
    path: str


@dataclass(frozen=True, slots=True)
class ProposalClosed(Payload):
    """The proposal is over. `status`: taken, dropped or failed (an `error` says why)."""

    type: ClassVar[str] = "proposal_closed"
    proposal_id: str
    status: str


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
    {
        "blueprint_chunk",
        "file_chunk",
        "message_chunk",
        "proposal_chunk",
        "sandbox_log",
        "command_output",
    }
)
"""Payload types whose text is stored elsewhere; the event log does not repeat it."""
