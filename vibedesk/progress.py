"""Shows a run on a terminal, as plain lines in a pipe, or as JSON."""

from __future__ import annotations

import json
import time
from typing import TextIO

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.events import (
    BlueprintReady,
    CommandFinished,
    CommandStarted,
    DepsInstalled,
    ErrorReported,
    Event,
    FileChunk,
    FileEnd,
    FileStart,
    FixApplied,
    GenerationComplete,
    HostRefused,
    MessageChunk,
    MessageComplete,
    Notice,
    PhaseComplete,
    PhaseDesigned,
    ProposalChunk,
    ProposalClosed,
    ProposalReady,
    ProposalStarted,
    Resumed,
    SandboxLog,
    SandboxState,
    ServerStarted,
    Snapshot,
    SnapshotCreated,
    StateChange,
    Usage,
    VariableAsked,
    Waiting,
)

_STATES = {
    "blueprinting": "Making the blueprint",
    "awaiting_approval": "Waiting for your approval",
    "planning_phase": "Planning the next phase",
    "implementing_phase": "Writing files",
    "installing_deps": "Installing packages",
    "starting_server": "Starting the app",
    "reviewing": "Looking at the app",
    "fixing": "Fixing",
    "finalizing": "Saving a version",
    "complete": "Complete",
    "idle": "Stopped",
}
_GOES_ON = {"rate_limit", "network", "slot", "sandbox"}
"""Waits whose end is worth a line; others end with a change of state, which says it."""


class ProgressPrinter:
    """Prints the events of one run.

    Args:
        out: Where to; a terminal gets a line that moves, a pipe gets plain lines.
        as_json: Print the events themselves, one JSON object a line.
    """

    def __init__(self, out: TextIO, *, as_json: bool) -> None:
        self._out = out
        self._as_json = as_json
        self._live = out.isatty() and not as_json
        self._started = time.monotonic()
        self._tokens = 0
        self._files = 0
        self._characters = 0
        self._writing = ""
        self._sandbox = ""
        self._preparing = ""
        self.failure: VibeDeskError | None = None
        """The last error that was told and not followed by going on."""
        self.state = ""
        """The state the agent moved to last while this was shown; empty if it did not move."""

    def show(self, event: Event) -> None:
        match event.payload:
            case ErrorReported(message, remedy, code):
                self.failure = VibeDeskError(message, remedy=remedy, code=code)
            case Notice(message=message, code="not_regenerated" as code):
                self.failure = VibeDeskError(message, code=code)
            case StateChange(state=state):
                self.state = state
                if state not in ("error", "idle"):
                    self.failure = None
        if self._as_json:
            self._out.write(json.dumps(event.to_dict(), ensure_ascii=False) + "\n")
            self._out.flush()
            return
        self._show(event)

    def close(self) -> None:
        """Leave the terminal on a fresh line."""
        self._wipe()

    def _show(self, event: Event) -> None:  # noqa: C901 - one case an event
        match event.payload:
            case Snapshot(project=project):
                if project.sample:
                    self._line(
                        f"Recorded example {project.sample}: every answer is recorded, no model is asked."
                    )
                self._line(f"Project {project.id} in {project.folder}")
            case StateChange(state=state, reason=reason) if state in _STATES:
                self._line(
                    f"[{self._clock()}] {_STATES[state]}" + (f" ({reason})" if reason else "")
                )
            case BlueprintReady(blueprint):
                self._line(f"  {blueprint['title']}: {blueprint['description']}")
            case PhaseDesigned(phase):
                self._line(
                    f"  phase {phase['number']}: {phase['name']}, {len(phase['files'])} files"
                )
            case FileStart(path=path):
                self._writing, self._characters = path, 0
                self._status(f"  writing {path}")
            case FileChunk(chunk=chunk):
                self._characters += len(chunk)
                self._status(f"  writing {self._writing} ({self._characters} characters)")
            case FileEnd(path, content):
                self._files += 1
                self._line(f"  wrote {path} ({len(content)} characters)")
            case CommandStarted(command):
                self._line(f"  $ {command}")
            case CommandFinished(exit_status=status, seconds=seconds) if status != 0:
                self._line(f"  failed with status {status} after {seconds:.1f} s")
            case DepsInstalled(seconds=seconds):
                self._line(f"  installed in {seconds:.1f} s")
            case ServerStarted(url):
                self._line(f"  the app answers at {url}")
            case SnapshotCreated(commit=commit, label=label):
                self._line(f"  version {commit[:12]}: {label}")
            case FixApplied(path, issue, strategy, verified):
                self._line(f"  {_fix_words(path, issue, strategy, verified=verified)}")
            case PhaseComplete(index):
                self._line(f"  phase {index} is complete")
            case MessageChunk(chunk=chunk):
                self._status(f"  … {chunk.strip()[-60:]}")
            case MessageComplete(role="assistant", text=text):
                self._line(text)
            case ProposalStarted(path=path):
                self._writing, self._characters = path, 0
                self._line(f"  writing {path} anew")
            case ProposalChunk(chunk=chunk):
                self._characters += len(chunk)
                self._status(f"  writing {self._writing} ({self._characters} characters)")
            case ProposalReady(path=path):
                self._line(f"  {path} is written anew")
            case ProposalClosed(status="taken"):
                self._line("  taken over")
            case Waiting(message=message):
                self._line(f"  waiting: {message}")
            case Resumed(reason) if reason in _GOES_ON:
                self._line("  the wait is over")
            case SandboxState(state, reason):
                self._show_sandbox(state, reason)
            case SandboxLog(stream="vibedesk", line=line):
                self._show_preparing(line)
            case HostRefused(host):
                self._line(
                    f"  The app wanted to reach {host}; allow it with: "
                    f"vibedesk allow {event.project_id} {host}"
                )
            case VariableAsked(name, purpose):
                self._line(
                    f"  The app asks for {name}{f' ({purpose})' if purpose else ''}; give it with: "
                    f"vibedesk variables {event.project_id} --set {name} - --allow"
                )
            case Notice(message=message, code="sandbox_kind"):
                self._line(f"  sandbox: {message}")
            case Notice(message=message):
                self._line(f"  note: {message}")
            case Usage(input_tokens=given, output_tokens=made):
                self._tokens += given + made
            case GenerationComplete(files, phases):
                self._line(
                    f"Done: {files} files in {phases} phases, {self._clock()}, {self._tokens} tokens."
                )

    def _show_sandbox(self, state: str, reason: str) -> None:
        """Print what a person may wonder about; that a server starts and runs is said by the steps themselves."""
        told, self._sandbox = self._sandbox, f"{state} {reason}"
        if state in ("building", "paused", "failed") and reason and told != self._sandbox:
            self._line(f"  sandbox: {reason}")

    def _show_preparing(self, line: str) -> None:
        """Print what is done for the sandbox; `Getting packages… 3 of 9` moves, or is said once in a pipe."""
        step, moves, _ = line.partition("…")
        if moves and self._live:
            self._status(f"  sandbox: {line}")
        elif step != self._preparing:
            self._line(f"  sandbox: {step}{moves}")
        self._preparing = step

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._started)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _line(self, text: str) -> None:
        self._wipe()
        self._out.write(f"{text}\n")
        self._out.flush()

    def _status(self, text: str) -> None:
        if self._live:
            shown = " ".join(text.split("\n"))[:100]
            self._out.write(f"\r\x1b[K{shown}")
            self._out.flush()

    def _wipe(self) -> None:
        if self._live:
            self._out.write("\r\x1b[K")
            self._out.flush()


def _fix_words(path: str, issue: str, strategy: str, *, verified: bool | None) -> str:
    """Return what a fix changed, what for, and what looking again showed."""
    how = " without a model" if strategy == "deterministic" else ""
    what = issue.strip().split("\n", 1)[0]
    looked = {True: "checked", False: "did not help", None: "could not be checked again"}[verified]
    return f"fix of {path}{how}{f' ({what})' if what else ''}: {looked}"
