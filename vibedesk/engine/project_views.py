"""Makes what is shown of projects from what is stored. Runs on the store's thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from vibedesk.base.clock import utc_now
from vibedesk.engine.builder.blueprint_answer import partial_blueprint
from vibedesk.engine.check_words import check_words
from vibedesk.engine.events import (
    HALTS,
    WAITS_FOR_PERSON,
    Resumed,
    RunStarted,
    StateChange,
    Waiting,
)
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.hunks import Hunk, hunks_between
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.review.known_issues import shown_issues
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.attachments import AttachmentStore
from vibedesk.engine.store.issues import IssueStore
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.proposals import Proposals
from vibedesk.engine.store.records import AttachmentRecord, Json, ProjectRecord, ProposalRecord
from vibedesk.engine.views import (
    AttachmentView,
    CheckResultView,
    DraftView,
    FileView,
    HunkView,
    LogLineView,
    MessageView,
    PhaseView,
    ProjectCardView,
    ProjectView,
    ProposalView,
    QuestionView,
    WaitingView,
    WishView,
)

_OF_THE_WORK = (StateChange.type, RunStarted.type, Waiting.type, Resumed.type)
"""Events that say whether the agent works."""
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
    marks = files.marks()
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
                marks=tuple(sorted(marks.get(path, ()))),
            )
        )
    return views


def proposal_view(record: ProposalRecord, writing: Collection[str]) -> ProposalView:
    """Return a proposal with its hunks; `writing` are those that a model is at right now."""
    ready = record.status not in ("writing", "failed")
    interrupted = record.status == "writing" and record.id not in writing
    hunks = hunks_between(record.base, record.text) if ready else ()
    return ProposalView(
        id=record.id,
        path=record.path,
        instructions=record.instructions,
        base=record.base,
        text=record.text,
        status="interrupted" if interrupted else record.status,
        hunks=tuple(_hunk_view(index, hunk) for index, hunk in enumerate(hunks)),
    )


def _hunk_view(index: int, hunk: Hunk) -> HunkView:
    return HunkView(
        index=index,
        old_start=hunk.start + 1,
        old_lines=tuple(line.rstrip("\r\n") for line in hunk.old),
        new_start=hunk.new_start + 1,
        new_lines=tuple(line.rstrip("\r\n") for line in hunk.new),
    )


def project_view(
    store: ProjectStore,
    files: ProjectFiles,
    drafts: Drafts,
    *,
    running: bool,
    writing: Collection[str] = (),
    sandbox_state: str,
    suggestions: tuple[str, ...] = (),
) -> ProjectView:
    """Return everything a late view needs, exact for the sequence number it carries."""
    record = store.get(files.project_id)
    totals = store.usage_totals(record.id)
    phases = store.phases(record.id)
    attachments = tuple(attachment_view(a) for a in AttachmentStore(record.id).all())
    reviewed_at, reviewed, seen_version = store.last_review(record.id)
    coming = record.blueprint_text if _is_coming(record) else ""
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
        template=record.template,
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
        blueprint_text=coming,
        blueprint_sections=partial_blueprint(coming),
        questions=tuple(_question(asked) for asked in record.questions or ()),
        edited_fields=tuple(record.run.get("edited", ())),
        attachments=attachments,
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
            MessageView(
                id=m.id,
                role=m.role,
                text=m.text,
                at=m.at,
                complete=m.complete,
                attachments=tuple(a for a in attachments if a.message_id == m.id),
            )
            for m in store.messages(record.id)
        ),
        drafts=tuple(
            DraftView(path=d.path, mode=d.mode, text=d.text, is_new=d.base is None)
            for d in drafts.list()
        ),
        logs=tuple(LogLineView(*line) for line in store.logs(record.id)),
        open_wishes=tuple(w.text for w in store.wishes(record.id, "open")),
        waiting=_waiting(record.waiting),
        error=record.error if record.state is AgentState.ERROR else None,
        granted_hosts=tuple(store.granted_hosts(record.id)),
        refused_hosts=tuple(store.refused_hosts(record.id)),
        suggestions=suggestions,
        budget=record.options.get("budget"),
        wishes=tuple(
            WishView(id=w.id, text=w.text, status=w.status, phase=w.phase)
            for w in store.wishes(record.id, "open", "planned")
        ),
        proposals=tuple(proposal_view(p, writing) for p in Proposals(record.id).open()),
        issues=tuple(shown_issues(IssueStore(record.id))),
        reviewed=reviewed,
        reviewed_at=reviewed_at,
        reviewed_outdated=bool(reviewed_at) and seen_version != record.code_version,
        checks=check_views(record, IssueStore(record.id)),
        worked_seconds=worked_seconds(store.events_of(record.id, *_OF_THE_WORK), running=running),
        halted=_halted(record.waiting) if running else "",
    )


def check_views(record: ProjectRecord, store: IssueStore) -> tuple[CheckResultView, ...]:
    """Return the blueprint's acceptance checks and how they went when they were last run."""
    results = {result.name: result for result in store.checks()}
    views = []
    for check in (record.blueprint or {}).get("acceptance_checks") or ():
        steps = [step for step in check.get("steps", ()) if isinstance(step, dict)]
        view = CheckResultView(
            name=str(check.get("name", "")),
            sentences=tuple(check_words(steps)),
            phase=check.get("phase"),
        )
        result = results.get(view.name)
        if result is not None:
            view = dataclasses.replace(
                view,
                passed=result.passed,
                step=result.data.get("step"),
                sentence=str(result.data.get("sentence", "")),
                error=str(result.data.get("error", "")),
                picture=result.picture,
                at=result.at,
                why=result.why,
                outdated=result.passed is not None and result.code_version != record.code_version,
            )
        views.append(view)
    return tuple(views)


def worked_seconds(told: Sequence[tuple[str, str, Json]], *, running: bool) -> float:
    """Return how long the agent has worked at what it builds or has built last.

    A stop, a failure, a pause or another wait for the person does not count and does not begin anew; a change to a
    complete app does.

    Args:
        told: (time, type, data) of the events `_OF_THE_WORK`, in order.
        running: Whether a run is under way; one that was cut off counts to what it told last.
    """
    total, works, waits = 0.0, False, False
    since: datetime | None = None
    for at, kind, data in told:
        if kind in (Waiting.type, Resumed.type) and data["reason"] not in WAITS_FOR_PERSON:
            # It goes on to count, and may be that of a preview, long after a run was cut off.
            continue
        now = datetime.fromisoformat(at)
        if since is not None and kind != RunStarted.type and not data.get("cut_off"):
            total += (now - since).total_seconds()
        if kind == StateChange.type:
            works, waits = data["state"] not in _NOT_WORKING, False
            if data["previous"] == AgentState.COMPLETE.value:
                total = 0.0
        elif kind != RunStarted.type:
            waits = kind == Waiting.type
        since = now if works and not waits else None
    if running and since is not None:
        total += (datetime.fromisoformat(utc_now()) - since).total_seconds()
    return total


def _is_coming(record: ProjectRecord) -> bool:
    """Tell whether the blueprint is still being written, for the first time or anew."""
    anew = record.state is AgentState.BLUEPRINTING and not record.run.get("has_blueprint")
    return record.blueprint is None or anew


def _can_continue(record: ProjectRecord, has_open_phase: bool) -> bool:
    if record.state is AgentState.AWAITING_APPROVAL or record.run.get("awaits_answers"):
        return False
    if record.state not in RESTING or record.state is AgentState.ERROR:
        return True
    if record.state is AgentState.COMPLETE:
        return bool(record.run.get("roadmap_open"))
    return has_open_phase or record.last_seq > 1


def attachment_view(record: AttachmentRecord) -> AttachmentView:
    return AttachmentView(
        id=record.id,
        name=record.name,
        media_type=record.media_type,
        width=record.width,
        height=record.height,
        message_id=record.message,
    )


def _question(asked: dict[str, Any]) -> QuestionView:
    return QuestionView(
        question=asked["question"],
        options=tuple(asked.get("options", ())),
        why=asked.get("why", ""),
        answer=asked.get("answer"),
    )


def _waiting(stored: dict[str, Any] | None) -> WaitingView | None:
    if stored is None:
        return None
    return WaitingView(
        reason=stored["reason"], until=stored.get("until"), message=stored.get("message", "")
    )


def _halted(stored: dict[str, Any] | None) -> str:
    waits = [stored, *stored.get("before", ())] if stored is not None else []
    return next((wait["reason"] for wait in waits if wait["reason"] in HALTS), "")
