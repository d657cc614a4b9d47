"""What a request tells the model about the project: its plan, its files, what happened.

Until files are chosen by relevance, all text files go in, largest and least telling first out, within a
budget of characters; what does not fit is listed by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vibedesk.engine.builder.prompts import fill, schema_text, system_prompt
from vibedesk.engine.builder.schemas import Blueprint, Phase
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.files.ignore_rules import holds_secrets
from vibedesk.engine.models.protocol import ChatMessage, ModelRequest

_FILE_BUDGET = 240_000
_NEVER_SHOWN = frozenset({"package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"})
_HISTORY_MESSAGES = 30
_CHANGE_CHARACTERS = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectContext:
    """Everything a request may be made of; plain values, read in one go from the store."""

    template: Template
    wish: str
    blueprint: Mapping[str, Any] | None
    phases: Sequence[tuple[int, str, str, bool]] = ()
    """(number, name, description, completed)"""
    files: Mapping[str, str] = field(default_factory=dict)
    wishes: Sequence[str] = ()
    history: Sequence[tuple[str, str]] = ()
    """(role, text) of the conversation so far"""


def blueprint_request(context: ProjectContext) -> ModelRequest:
    return _request(
        context,
        "blueprint",
        fill("blueprint", wish=context.wish, schema=schema_text(Blueprint)),
        json_schema=Blueprint.model_json_schema(),
        phase=1,
    )


def plan_request(context: ProjectContext, number: int, *, final: bool) -> ModelRequest:
    """Ask for the plan of phase `number`; `final` when no further phase is allowed."""
    allowance = (
        "It is the last phase that may be made: finish the app with it and set `is_last_phase`. "
        if final
        else ""
    )
    text = fill(
        "plan_phase",
        project=_project(context),
        phases=_phases(context),
        wishes=_wishes(context),
        phase_number=str(number),
        allowance=allowance,
        schema=schema_text(Phase),
    )
    return _request(
        context, "plan_phase", text, json_schema=Phase.model_json_schema(), phase=number
    )


def implement_request(context: ProjectContext, number: int, phase: Phase) -> ModelRequest:
    packages = (
        "Already installed for this phase: " + "; ".join(phase.install_commands) + "\n\n"
        if phase.install_commands
        else ""
    )
    text = fill(
        "implement_phase",
        project=_project(context),
        phase_number=str(number),
        phase_name=phase.name,
        phase_description=phase.description,
        phase_files="\n".join(
            f"- {f.path}: {f.purpose}" + (f" ({f.changes})" if f.changes else "")
            for f in phase.files
        ),
        packages=packages,
        wishes=_wishes(context),
    )
    return _request(context, "implement_phase", text, phase=number)


def continue_request(
    original: ModelRequest,
    *,
    finished: Sequence[str],
    cut: tuple[str, str] | None,
    missing: Sequence[str],
) -> ModelRequest:
    """Ask to go on after an answer that broke off.

    Args:
        original: The request whose answer broke off.
        finished: Paths that are whole.
        cut: The path it broke off in, with what had come of it.
        missing: Planned paths that have not come.
    """
    again = f"send {cut[0]} again, whole, then " if cut else ""
    cut_text = (
        f"It broke off inside {cut[0]}, of which this had come:\n<partial>\n{cut[1][-4000:]}\n</partial>"
        if cut
        else ""
    )
    text = fill(
        "continue",
        finished=f"These files are finished: {', '.join(finished)}. " if finished else "",
        cut=cut_text,
        again=again,
        missing=f" ({', '.join(missing)})" if missing else "",
    )
    return _follow_up(original, "(the answer that broke off)", text)


def resend_request(original: ModelRequest, refused: Sequence[tuple[str, str, str]]) -> ModelRequest:
    """Ask for whole files where changes (path, why, what was sent) could not be made."""
    text = fill(
        "resend",
        refused="\n".join(
            f'<refused path="{path}">\n{why}\n\nYou had sent:\n{change[-_CHANGE_CHARACTERS:]}\n</refused>\n'
            for path, why, change in refused
        ),
        paths=", ".join(path for path, _, _ in refused),
    )
    return _follow_up(original, "(the answer with the changes)", text)


def fix_request(context: ProjectContext, number: int, problems: Sequence[str]) -> ModelRequest:
    text = fill(
        "fix", project=_project(context), problems="\n".join(f"- {line}" for line in problems)
    )
    return _request(context, "fix", text, phase=number)


def converse_request(
    context: ProjectContext, message: str, *, activity: str, turn: int
) -> ModelRequest:
    """Answer `message`; `turn` is how many messages of the person came before it."""
    text = fill("converse", project=_project(context), activity=activity, message=message)
    history = tuple(
        ChatMessage("assistant" if role == "assistant" else "user", said)
        for role, said in _alternating(context.history[-_HISTORY_MESSAGES:])
    )
    request = _request(context, "converse", text, turn=turn)
    return ModelRequest(
        operation="converse",
        system=request.system,
        messages=(*history, *request.messages),
        turn=turn,
    )


def _follow_up(original: ModelRequest, answered: str, text: str) -> ModelRequest:
    return dataclasses.replace(
        original,
        operation="continue",
        messages=(
            *original.messages,
            ChatMessage("assistant", answered),
            ChatMessage("user", text),
        ),
        json_schema=None,
    )


def _request(
    context: ProjectContext,
    operation: Any,
    text: str,
    *,
    json_schema: dict[str, Any] | None = None,
    phase: int = 0,
    turn: int = 0,
) -> ModelRequest:
    return ModelRequest(
        operation=operation,
        system=system_prompt(context.template),
        messages=(ChatMessage("user", text),),
        json_schema=json_schema,
        phase=phase,
        turn=turn,
    )


def _project(context: ProjectContext) -> str:
    parts = [f"The person's wish:\n<wish>\n{context.wish}\n</wish>"]
    if context.blueprint:
        blueprint = Blueprint.model_validate(context.blueprint)
        parts.append(
            "The blueprint:\n"
            + blueprint.model_dump_json(exclude={"initial_phase", "acceptance_checks"})
        )
    parts.append(
        "The project's files:\n\n"
        + _listing(
            context.files,
            context.template.untouchable_files - set(context.template.important_files),
        )
    )
    return "\n\n".join(parts)


def _listing(files: Mapping[str, str], hidden: Collection[str] = ()) -> str:
    shown, left = [], _FILE_BUDGET
    named: list[str] = []
    for path in sorted(files, key=lambda p: (len(files[p]), p)):
        size = len(files[path])
        if path in hidden or _never_shown(path) or size > left:
            named.append(path)
            continue
        left -= size
        shown.append(path)
    blocks = [f'<file path="{path}">\n{_ended(files[path])}</file>' for path in sorted(shown)]
    if named:
        blocks.append("Not shown: " + ", ".join(sorted(named)))
    return "\n\n".join(blocks)


def _never_shown(path: str) -> bool:
    return path.rsplit("/", 1)[-1] in _NEVER_SHOWN or holds_secrets(path)


def _ended(text: str) -> str:
    # A blank line that is not in the file would find its way into patches.
    return text if text.endswith("\n") or not text else f"{text}\n"


def _phases(context: ProjectContext) -> str:
    return "\n".join(
        f"{number}. {name} ({'done' if completed else 'open'}): {description}"
        for number, name, description, completed in context.phases
    )


def _wishes(context: ProjectContext) -> str:
    if not context.wishes:
        return ""
    lines = "\n".join(f"- {wish}" for wish in context.wishes)
    return f"The person asked for this meanwhile:\n{lines}\n\n"


def _alternating(history: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    # Providers want turns that alternate and start with the person; neighbours of one role are joined, and
    # the new message, a user's, follows: so the history has to end with the assistant.
    joined: list[tuple[str, str]] = []
    for role, text in history:
        if not text.strip():
            continue
        if joined and joined[-1][0] == role:
            joined[-1] = (role, f"{joined[-1][1]}\n\n{text}")
        elif joined or role == "user":
            joined.append((role, text))
    if joined and joined[-1][0] == "user":
        joined.append(("assistant", "(no answer)"))
    return joined
