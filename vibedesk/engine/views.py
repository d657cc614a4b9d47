"""What the engine shows of a project: frozen values for windows and terminals."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from vibedesk.engine.card_view import ProjectCardView, View

Json = dict[str, Any]
VersionBase = Literal["parent", "now"]
"""What a kept version is compared with: the one before it, or the files as they are now."""


@dataclass(frozen=True, slots=True)
class FileView(View):
    """One file of the project."""

    path: str
    size: int
    purpose: str = ""
    phase: int = 0
    binary: bool = False
    writing: bool = False
    marks: tuple[str, ...] = ()
    """What the person said of it: locked, pinned, excluded."""


@dataclass(frozen=True, slots=True)
class PhaseView(View):
    """One phase: planned, running or completed."""

    number: int
    name: str
    description: str
    completed: bool
    files: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachmentView(View):
    """An image that came with the wish (`message_id` is empty) or a message. Sizes are in pixels, as it is kept."""

    id: str
    name: str
    media_type: str
    width: int
    height: int
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class QuestionView(View):
    """Something that the model asked before it planned. `options` are ready answers.

    `answer` is None while the question is open, empty where the person skipped it.
    """

    question: str
    options: tuple[str, ...] = ()
    why: str = ""
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class MessageView(View):
    """One message of the conversation; `role` is user or assistant."""

    id: str
    role: str
    text: str
    at: str
    complete: bool
    attachments: tuple[AttachmentView, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLineView(View):
    """One stored log line."""

    at: str
    stream: str
    line: str


@dataclass(frozen=True, slots=True)
class DraftView(View):
    """A file that is being written: what has come so far, and whether the project had none at that path."""

    path: str
    mode: str
    text: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class VersionView(View):
    """One kept version in the history, newest first in lists. `author`: agent, fix or you."""

    commit: str
    label: str
    author: str
    at: str
    files_changed: int


@dataclass(frozen=True, slots=True)
class FileDiffView(View):
    """How one file differs between two versions. `status`: added, changed or deleted."""

    path: str
    status: str
    additions: int
    deletions: int
    hunks: str
    """Unified-diff hunks, from the first `@@`; empty for a binary file and for one that is too long to show."""
    binary: bool = False


@dataclass(frozen=True, slots=True)
class VersionDiffView(View):
    """What a kept version changed (`against` parent), or what has changed since it (`against` now)."""

    commit: str
    against: str
    files: tuple[FileDiffView, ...]


@dataclass(frozen=True, slots=True)
class WishView(View):
    """A queued wish. `status`: open (it can be changed), or planned: phase `phase` answers it."""

    id: str
    text: str
    status: str
    phase: int | None


@dataclass(frozen=True, slots=True)
class HunkView(View):
    """A passage of a proposal that can be taken over by itself.

    `old_start` and `new_start` are line numbers from 1; where there are no lines on that side, they are put before
    that line. The lines come without their ends.
    """

    index: int
    old_start: int
    old_lines: tuple[str, ...]
    new_start: int
    new_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposalView(View):
    """A file that the model writes anew. `status`: writing, interrupted, ready, taken, dropped or failed."""

    id: str
    path: str
    instructions: str
    base: str
    """The file when it was asked for."""
    text: str
    """What is proposed; while it is written, what has come so far."""
    status: str
    hunks: tuple[HunkView, ...] = ()
    """How `base` becomes `text`, once it is ready."""


@dataclass(frozen=True, slots=True)
class WaitingView(View):
    """What the agent waits for."""

    reason: str
    until: str | None
    message: str


@dataclass(frozen=True, slots=True)
class CheckResultView(View):
    """An acceptance check and how it went when it was last run; `passed` is None where it never was."""

    name: str
    sentences: tuple[str, ...]
    phase: int | None
    passed: bool | None = None
    step: int | None = None
    """The step that failed, from 0; None where all held."""
    sentence: str = ""
    error: str = ""
    picture: str = ""
    """Id of a PNG of the page at the end."""
    at: str = ""
    why: str = ""
    """Why a model corrected it; empty where none did."""
    outdated: bool = False
    """Whether the code changed since: nobody saw how it goes now."""


@dataclass(frozen=True, slots=True)
class ReadinessView(View):
    """Whether an app may go out: its acceptance checks, run just now, its build, and what its security review found."""

    checks: tuple[CheckResultView, ...]
    unbuilt: tuple[Json, ...] = ()
    """Issues that keep it from being built as it would be published."""
    findings: tuple[Json, ...] = ()
    """Issues as in the event `diagnostics`, the gravest first; empty where no review was asked for."""

    @property
    def failed(self) -> tuple[CheckResultView, ...]:
        return tuple(check for check in self.checks if check.passed is False)

    @property
    def outdated(self) -> tuple[CheckResultView, ...]:
        """The checks that did not see the code as it is: it changed while they ran."""
        return tuple(check for check in self.checks if check.outdated)

    @property
    def blocking(self) -> tuple[Json, ...]:
        """The findings that have to be mended first; what the person skipped they decided about."""
        return tuple(
            finding
            for finding in self.findings
            if finding["severity"] != "warning" and finding["status"] != "skipped"
        )

    @property
    def ready(self) -> bool:
        return not (self.failed or self.outdated or self.unbuilt or self.blocking)

    def to_dict(self) -> dict[str, Any]:
        return {"ready": self.ready, **dataclasses.asdict(self)}


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
    template: str
    """The starter; empty until the model has chosen one."""
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
    """The answer so far, while the blueprint is written (for the first time or anew)."""
    phases: tuple[PhaseView, ...] = ()
    files: tuple[FileView, ...] = ()
    messages: tuple[MessageView, ...] = ()
    drafts: tuple[DraftView, ...] = ()
    logs: tuple[LogLineView, ...] = ()
    open_wishes: tuple[str, ...] = ()
    waiting: WaitingView | None = None
    error: Json | None = None
    granted_hosts: tuple[str, ...] = ()
    refused_hosts: tuple[str, ...] = ()
    """Hosts that the person does not want the app to reach; they are not asked about again."""
    suggestions: tuple[str, ...] = ()
    """What could be said next: the messages that a recorded example has an answer to."""
    budget: float | None = None
    """Most to spend on models, in USD; None: no limit."""
    wishes: tuple[WishView, ...] = ()
    """The queue: every wish that no finished phase has answered, oldest first."""
    proposals: tuple[ProposalView, ...] = ()
    """Files written anew that are not taken over yet."""
    blueprint_sections: Json = field(default_factory=dict)
    """The fields that are whole while the blueprint is written; empty when it is there."""
    questions: tuple[QuestionView, ...] = ()
    """What was asked before the plan; open while the agent waits for `answers`."""
    edited_fields: tuple[str, ...] = ()
    """The blueprint's fields that the person edited since the model wrote it."""
    attachments: tuple[AttachmentView, ...] = ()
    """Every image of the wish and of the messages."""
    issues: tuple[Json, ...] = ()
    """What is wrong, the gravest first, as in the event `diagnostics`."""
    reviewed: tuple[str, ...] = ()
    """What the app was looked at by last, as in the event `reviewed`."""
    reviewed_at: str = ""
    """When that was; empty where it never was."""
    reviewed_outdated: bool = False
    """Whether nobody saw how the app goes now: the code changed since, or no page could be looked at."""
    checks: tuple[CheckResultView, ...] = ()
    worked_seconds: float = 0.0
    """How long the agent has worked at what it builds or has built last."""
    halted: str = ""
    """Which of `HALTS` a run is in, also where `waiting` is something else; empty where it is in none."""


@dataclass(frozen=True, slots=True)
class SampleView(View):
    """A recorded example that ships with VibeDesk."""

    name: str
    title: str
    description: str
    prompt: str
    palette: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeletedView(View):
    """What became of a deleted project. `folder`: `trash`, or where its folder is now; empty where there was none."""

    folder: str
    left: str = ""
    """What could not be removed yet, in a sentence for the person."""


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
class SandboxView(View):
    """One project's sandbox as a person sees it. What is not known or not running is None."""

    kind: str
    """docker, local+bwrap, local, or empty before the first start."""
    why: str
    """Why it is of this kind, in a sentence."""
    state: str
    reason: str
    size: str
    """The size asked for: auto, lite, standard-1 … standard-4."""
    network: str
    """registries or none."""
    sandbox: str = "auto"
    """The kind asked for: auto, docker, local. It counts from the next start."""
    cpu: float | None = None
    """Cores in use."""
    cpu_limit: float | None = None
    memory: int | None = None
    memory_limit: int | None = None
    disk: int | None = None
    disk_limit: int | None = None
    processes: int | None = None
    port: int | None = None
    """On 127.0.0.1, while the app is served."""
    engine: str = ""
    """Which Docker, where it is one: `Docker 28.1 on this machine`, `Docker 28.1 at tcp://…`."""
    started_seconds: float | None = None
    """How long its last start took, from the wish to the page."""


@dataclass(frozen=True, slots=True)
class StoredView(View):
    """Something that is kept on disk.

    `kind`: image, packages, tarballs or sandbox, which are for the sandboxes; database, backups, logs, blobs, cache,
    browser or trash, which are in the home.
    """

    kind: str
    name: str
    bytes: int
    last_used: str
    """UTC, ISO 8601; empty where it is not known."""
    in_use: bool
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class ProviderView(View):
    """A model provider: what is there, what is missing.

    `key_source`: environment, keychain, file or empty; `overrides_keychain`: the environment's key wins over one that
    was entered. `kind`: cloud or local; `models`: those of its presets; `reachable`: whether something answers at a
    local server, None where nobody looked; `key_page`: where to get a key; `own`: the person added it; `free`: its
    models cost nothing.
    """

    name: str
    label: str
    base_url: str
    default_model: str
    ready: bool
    key_source: str = ""
    problem: str = ""
    overrides_keychain: bool = False
    kind: str = "cloud"
    models: tuple[str, ...] = ()
    reachable: bool | None = None
    key_page: str = ""
    key_required: bool = True
    free: bool = False
    own: bool = False
    key_variable: str = ""
    """The environment variable that the key is from."""


@dataclass(frozen=True, slots=True)
class ModelView(View):
    """A model that a provider offers. Sizes in tokens, prices in USD per million tokens, None where unknown.

    `known`: the facts are of this model, and no cautious defaults. `prompt_caching`: none, automatic or explicit.
    `price_from`: who says the prices: shipped (with VibeDesk), server or person; `price_date`: the day of shipped
    ones, else empty. `temperature`: whether it takes one.
    """

    name: str
    known: bool
    context_window: int
    max_output_tokens: int
    images: bool
    structured_output: bool
    prompt_caching: str
    reasoning_efforts: tuple[str, ...]
    input_price: float | None
    output_price: float | None
    cached_price: float | None
    price_date: str
    price_from: str = "shipped"
    temperature: bool = True


@dataclass(frozen=True, slots=True)
class RouteStepView(View):
    """One model of a route, and how it is asked; None and empty: as usual.

    `problem`: why it cannot be used now, with its `remedy`; both are ignored where a route is set.
    """

    provider: str
    model: str
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: Literal["", "low", "medium", "high"] = ""
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RouteView(View):
    """Which models answer an operation, in order. `problem`: why none of them can."""

    operation: str
    steps: tuple[RouteStepView, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RoutesView(View):
    """Every route, and the preset they come from. `problem`: the person's file of models cannot be used, and why."""

    preset: str
    presets: tuple[str, ...]
    routes: tuple[RouteView, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionView(View):
    """How a connection test went; `latency` in seconds, of the model's answer where it got that far.

    `code`: ok, address, unknown_host, no_server, tls, timeout, key, key_missing, wrong_path, wrong_server, quota,
    rate_limited, server_down, model or keychain_unavailable. `models`: what the provider offers, as far as it told;
    `model`: which one answered.
    """

    ok: bool
    code: str
    message: str
    remedy: str
    latency: float
    models: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class DiscoveredServerView(View):
    """A model server on this machine; `provider`: under which name it is set up."""

    provider: str
    label: str
    base_url: str
    models: tuple[str, ...]
    in_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSumView(View):
    """The sums of a group of model calls. Money is in USD.

    `input_tokens` includes the cached ones and those written to the cache, `output_tokens` the reasoning ones.
    """

    key: str
    """Day (YYYY-MM-DD, local), operation, model, phase number or project id; empty for everything."""
    label: str
    calls: int
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: float
    """Without the calls of unknown price."""
    unpriced: int
    """How many calls have no known price."""
    saved: float
    """What reading from the providers' caches saved."""
    mean_seconds: float
    """From a request to the end of its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView(View):
    """One model call. `outcome`: finished, interrupted, cancelled or failed; `cost` is None where unknown."""

    at: str
    project_id: str
    operation: str
    provider: str
    model: str
    phase: int
    outcome: str
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: float | None
    saved: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDayView(View):
    """One day (YYYY-MM-DD, local) and what it is made of; `key` and `label` of the parts are as in the report's groups."""

    day: str
    parts: tuple[UsageSumView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport(View):
    """What the models were asked and what it came to, by the providers' own count."""

    totals: UsageSumView
    by_day: tuple[UsageSumView, ...]
    """Oldest first; days without a call are left out."""
    by_operation: tuple[UsageSumView, ...]
    """These and the following: the dearest first, but phases in order."""
    by_model: tuple[UsageSumView, ...]
    by_phase: tuple[UsageSumView, ...]
    by_project: tuple[UsageSumView, ...]
    calls: tuple[CallView, ...]
    """The last ones, newest first."""
    budget: float | None = None
    """Of the one project that is asked for."""
    days_by_operation: tuple[UsageDayView, ...] = ()
    """The days of `by_day`, taken apart."""
    days_by_model: tuple[UsageDayView, ...] = ()


@dataclass(frozen=True, slots=True)
class EstimateView(View):
    """What a project will cost, in USD; None where a price is not known. `why`: what it rests on, in a sentence."""

    low: float | None
    likely: float | None
    high: float | None
    why: str


@dataclass(frozen=True, slots=True)
class ReportFileView(View):
    """One text of a bug report."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class BugReportView(View):
    """What a bug report would have; shown before it is written."""

    files: tuple[ReportFileView, ...]


@dataclass(frozen=True, slots=True)
class VariableView(View):
    """A variable of the app itself. `asked_by`: you or agent; `has_value`: there is something to give to the app.

    `value` is empty where it is secret.
    """

    name: str
    secret: bool
    value: str
    has_value: bool
    purpose: str
    asked_by: str
    consent: bool
    """Whether the person lets the app have it."""


@dataclass(frozen=True, slots=True)
class SecretsView(View):
    """Where secrets are kept. `kind`: keychain, file (encrypted with a passphrase) or none yet."""

    kind: str
    locked: bool
    """The passphrase is needed before secrets can be read or kept."""
    message: str


__all__ = [
    "AttachmentView",
    "BugReportView",
    "CallView",
    "CheckResultView",
    "CheckView",
    "ConnectionView",
    "DiscoveredServerView",
    "DoctorView",
    "DraftView",
    "EstimateView",
    "FileDiffView",
    "FileView",
    "HunkView",
    "LogLineView",
    "MessageView",
    "ModelView",
    "PhaseView",
    "ProjectCardView",
    "ProjectView",
    "ProposalView",
    "ProviderView",
    "QuestionView",
    "ReadinessView",
    "ReportFileView",
    "RouteStepView",
    "RouteView",
    "RoutesView",
    "SampleView",
    "SandboxView",
    "SecretsView",
    "StoredView",
    "UsageDayView",
    "UsageReport",
    "UsageSumView",
    "VariableView",
    "VersionBase",
    "VersionDiffView",
    "VersionView",
    "WaitingView",
    "WishView",
]


@dataclass(frozen=True, slots=True)
class TemplateView(View):
    """A starter."""

    name: str
    title: str
    description: str
    best_for: str
    frameworks: tuple[str, ...]
    language: str
    """typescript or python"""
    own: bool
    """Whether the person brought it."""
