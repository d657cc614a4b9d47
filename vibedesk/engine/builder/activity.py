"""What the build does right now, in words for a model that talks with the person."""

from __future__ import annotations

from collections.abc import Sequence

from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.records import Json, PhaseRecord, ProjectRecord, WishRecord

_S = AgentState
_DOING = {
    _S.BLUEPRINTING: "the blueprint is being made, before the first phase",
    _S.AWAITING_APPROVAL: "nothing runs: the blueprint waits for the person's approval",
    _S.PLANNING_PHASE: "the next phase is being planned",
    _S.IMPLEMENTING_PHASE: "the files of {phase} are being written",
    _S.INSTALLING_DEPS: "packages for {phase} are being installed",
    _S.STARTING_SERVER: "the app is being started with what {phase} wrote",
    _S.REVIEWING: "{phase} is being checked",
    _S.FIXING: "a problem in {phase} is being fixed",
    _S.FINALIZING: "{phase} is being saved as a version",
    _S.COMPLETE: "nothing runs: everything planned is built",
    _S.IDLE: "nothing runs",
    _S.ERROR: "nothing runs: the last step failed",
}


def what_goes_on(
    record: ProjectRecord,
    phases: Sequence[PhaseRecord],
    wishes: Sequence[WishRecord],
    *,
    running: bool,
) -> str:
    """Return what the build does, why it stands still, the phases and the queue."""
    # A phase that another one took over stays open until that one is complete.
    phase = phases[-1] if phases else None
    name = f"phase {phase.number} ({phase.name})" if phase else "the first phase"
    doing = _DOING[record.state].format(phase=name)
    lines = [doing if running else _standing_still(record, doing)]
    lines += [_asked(question) for question in _open_questions(record)]
    if record.waiting is not None:
        lines.append(f"It waits: {record.waiting.get('message', '')}")
    if phases:
        told = "; ".join(f"{p.number} {p.name}{'' if p.completed else ' (open)'}" for p in phases)
        lines.append(f"Phases: {told}")
    if wishes:
        told = "; ".join(f"“{w.text}” ({_status(w)})" for w in wishes)
        lines.append(f"Queued wishes: {told}")
    return "\n".join(lines)


def _standing_still(record: ProjectRecord, doing: str) -> str:
    if record.state is _S.ERROR:
        return f"{doing}: {(record.error or {}).get('message', record.state_reason)} They can try again."
    if record.state is _S.IDLE and record.state_reason:
        return f"{doing}: {record.state_reason}"
    if record.state in RESTING or record.state is _S.AWAITING_APPROVAL:
        return doing
    if _open_questions(record):
        return "nothing runs: before the blueprint you asked the person something that they have not answered yet"
    return f"nothing runs: the program ended while {doing}. They can continue it."


def _open_questions(record: ProjectRecord) -> list[Json]:
    return list(record.questions or ()) if record.run.get("awaits_answers") else []


def _asked(question: Json) -> str:
    options = f" ({' / '.join(question['options'])})" if question.get("options") else ""
    why = f" Why: {question['why']}" if question.get("why") else ""
    return f"You asked: {question['question']}{options}{why}"


def _status(wish: WishRecord) -> str:
    return f"phase {wish.phase} answers it" if wish.status == "planned" else "open"
