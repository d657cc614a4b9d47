"""Makes what is shown of projects from what is stored. Runs on the store's thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from vibedesk.base.clock import utc_now
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.views import (
    DraftView,
    FileView,
    LogLineView,
    MessageView,
    PhaseView,
    ProjectCardView,
    ProjectView,
    WaitingView,
)

_NOT_WORKING = {*(state.value for state in RESTING), AgentState.AWAITING_APPROVAL.value}


def card_view(record: ProjectRecord) -> ProjectCardView:
    palette = (record.blueprint or {}).get("color_palette") or ()
    return ProjectCardView(
        id=record.id,
        name=record.name,
        title=record.title or record.wish,
        description=record.description or record.wish,
        state=record.state.value,
        reason=record.state_reason,
        sample=record.sample,
        palette=tuple(str(color) for color in palette),
        folder=record.folder,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def file_views(store: ProjectStore, files: ProjectFiles, drafts: Drafts) -> list[FileView]:
    details = store.file_details(files.project_id)
    writing = {draft.path for draft in drafts.list()}
    views = []
    for path in sorted({*files.list(), *writing}):
        size, purpose, phase, binary = details.get(path, (0, "", 0, False))
        views.append(
            FileView(
                path=path,
                size=size,
                purpose=purpose,
                phase=phase,
                binary=binary,
                writing=path in writing,
            )
        )
    return views


def project_view(
    store: ProjectStore,
    files: ProjectFiles,
    drafts: Drafts,
    *,
    running: bool,
    sandbox_state: str,
    suggestions: tuple[str, ...] = (),
) -> ProjectView:
    """Return everything a late view needs, exact for the sequence number it carries."""
    record = store.get(files.project_id)
    totals = store.usage_totals(record.id)
    phases = store.phases(record.id)
    return ProjectView(
        id=record.id,
        name=record.name,
        title=record.title,
        wish=record.wish,
        mode=record.mode,
        state=record.state.value,
        reason=record.state_reason,
        running=running,
        can_continue=not running and _can_continue(record, any(not p.completed for p in phases)),
        sample=record.sample,
        folder=record.folder,
        preview_url=record.preview_url,
        sandbox_state=sandbox_state,
        sandbox_kind=record.sandbox_kind,
        seq=record.last_seq,
        version=files.version,
        max_phases=int(record.options.get("max_phases", 0)),
        model=str(record.options.get("model", "")),
        cost=totals.cost,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
        blueprint=record.blueprint,
        blueprint_text="" if record.blueprint else record.blueprint_text,
        phases=tuple(
            PhaseView(
                number=p.number,
                name=p.name,
                description=p.description,
                completed=p.completed,
                files=tuple(p.plan.get("files", ())),
            )
            for p in phases
        ),
        files=tuple(file_views(store, files, drafts)),
        messages=tuple(
            MessageView(id=m.id, role=m.role, text=m.text, at=m.at, complete=m.complete)
            for m in store.messages(record.id)
        ),
        drafts=tuple(DraftView(path=d.path, mode=d.mode, text=d.text) for d in drafts.list()),
        logs=tuple(LogLineView(*line) for line in store.logs(record.id)),
        open_wishes=tuple(w.text for w in store.wishes(record.id, "open")),
        waiting=_waiting(record.waiting),
        error=record.error if record.state is AgentState.ERROR else None,
        granted_hosts=tuple(store.granted_hosts(record.id)),
        suggestions=suggestions,
        worked_seconds=worked_seconds(store.state_changes(record.id), running=running),
    )


def worked_seconds(changes: Sequence[tuple[str, str, str]], *, running: bool) -> float:
    """Return how long the agent has worked at what it builds or has built last.

    A stop, a failure or a wait for approval in between do not begin anew; a change to a complete app does.

    Args:
        changes: (time, state, previous state) of every transition, in order.
        running: Whether it works now; a run that was cut off counts to its last transition.
    """
    total = 0.0
    for index, (at, state, previous) in enumerate(changes):
        if previous == AgentState.COMPLETE.value:
            total = 0.0
        if state in _NOT_WORKING:
            continue
        is_last = index == len(changes) - 1
        end = (utc_now() if running else at) if is_last else changes[index + 1][0]
        total += (datetime.fromisoformat(end) - datetime.fromisoformat(at)).total_seconds()
    return total


def _can_continue(record: ProjectRecord, has_open_phase: bool) -> bool:
    if record.state is AgentState.AWAITING_APPROVAL:
        return False
    if record.state not in RESTING or record.state is AgentState.ERROR:
        return True
    return record.state is AgentState.IDLE and (has_open_phase or record.last_seq > 1)


def _waiting(stored: dict[str, Any] | None) -> WaitingView | None:
    if stored is None:
        return None
    return WaitingView(
        reason=stored["reason"], until=stored.get("until"), message=stored.get("message", "")
    )
