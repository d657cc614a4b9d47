"""Puts requests together: system prompt, project part, task, in the order of how rarely they change.

Providers cache what requests begin with. So the system prompt is the same for everything, the project part (starter,
wish, blueprint, files, map) differs between two requests only where the project does, with the files changed last
at its end, and what is asked now comes after both.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vibedesk.engine.builder.file_choice import NO_FILES, ChosenFile, FileChoice
from vibedesk.engine.builder.going_on import SHOWN_CHARACTERS, whole_lines
from vibedesk.engine.builder.planned_packages import package_specs
from vibedesk.engine.builder.prompts import (
    blueprint_shape,
    framework_pitfalls,
    starter_list,
    system_prompt,
)
from vibedesk.engine.builder.schemas import (
    Blueprint,
    ChecksAnswer,
    NextPhase,
    Phase,
    ReviewAnswer,
    blueprint_schema,
)
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.models.prompt_files import fill, prompt
from vibedesk.engine.models.protocol import ChatMessage, ModelRequest, Operation

_CHANGE_CHARACTERS = 12_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectContext:
    """Everything a request may be made of; plain values, read in one go from the store.

    Attributes:
        template: What the project begins with.
        wish: In the person's words.
        blueprint: The plan, once there is one.
        starters: What the blueprint may choose from; empty once one is chosen.
        may_ask: Whether the blueprint's answer may be questions to the person.
        answers: (question, answer) of the person; an empty answer was skipped.
        edited_fields: Fields of `blueprint` that the person edited and that another plan keeps.
        refused_plan: Why the first phase of the last blueprint could not be written; empty where there was none.
        phases: (number, name, description, completed).
        files: Which files are shown, and a map of the others.
        locked: Paths that the person locked.
        wishes: What the person asked for meanwhile: of a plan all that is open, else what the open phase answers.
        summary: What the earlier part of the conversation came to.
        history: (role, text) of the conversation after that.
    """

    template: Template
    wish: str
    blueprint: Mapping[str, Any] | None
    starters: Sequence[Template] = ()
    may_ask: bool = False
    answers: Sequence[tuple[str, str]] = ()
    edited_fields: Sequence[str] = ()
    refused_plan: str = ""
    phases: Sequence[tuple[int, str, str, bool]] = ()
    files: FileChoice = NO_FILES
    locked: Sequence[str] = ()
    wishes: Sequence[str] = ()
    summary: str = ""
    history: Sequence[tuple[str, str]] = ()


def blueprint_request(context: ProjectContext) -> ModelRequest:
    """Ask for the blueprint, or for questions where `context.may_ask`."""
    if context.starters:
        stable = fill("starters", starters=starter_list(context.starters))
        template = fill("tasks/choose_starter").rstrip()
    else:
        stable = _template_part(context.template) + "\n"
        template = f'The starter is chosen: "{context.template.name}". `template` names it.'
    task = fill(
        "tasks/blueprint",
        wish=context.wish,
        template=template,
        answers=_answers(context),
        given=_given(context) + _refused(context),
        questions=fill("tasks/questions") + "\n" if context.may_ask else "",
        shape=blueprint_shape(),
    )
    return _made(
        "blueprint",
        ChatMessage("user", stable + "\n" + task, stable_ends=(len(stable),)),
        json_schema=blueprint_schema(may_ask=context.may_ask),
        phase=1,
    )


def plan_request(context: ProjectContext, number: int, *, final: bool) -> ModelRequest:
    """Ask for the plan of phase `number`, a `NextPhase`; `final` when no further phase is allowed."""
    allowance = fill("tasks/last_allowed").rstrip() + " " if final else ""
    task = fill(
        "tasks/plan_phase",
        phases=_phases(context),
        wishes=_wishes(context, numbered=True),
        phase_number=str(number),
        allowance=allowance,
    )
    schema = NextPhase.model_json_schema()
    return _asked(context, "plan_phase", task, json_schema=schema, phase=number)


def implement_request(
    context: ProjectContext, number: int, phase: Phase, *, missing: Sequence[str] = ()
) -> ModelRequest:
    """Ask for the files of phase `number`; `missing` are packages of its plan that the registry does not have."""
    installed = [spec for spec in package_specs(phase.install_commands) if spec not in missing]
    packages = ""
    if installed:
        packages += f"Already installed for this phase: {', '.join(installed)}\n\n"
    if missing:
        packages += fill("tasks/missing_packages", packages=", ".join(missing)) + "\n"
    due = [
        check["name"]
        for check in _checks(context)
        if (check.get("phase") or number + 1) <= number and check["name"]
    ]
    checks = fill("tasks/due_checks", checks="; ".join(due)) + "\n" if due else ""
    task = fill(
        "tasks/implement_phase",
        phase_number=str(number),
        phase_name=phase.name,
        phase_description=phase.description,
        phase_files=_planned_files(phase),
        packages=packages,
        wishes=_wishes(context),
        checks=checks,
    )
    return _asked(context, "implement_phase", task, phase=number)


def continue_request(
    original: ModelRequest,
    *,
    finished: Sequence[str],
    cut: tuple[str, str] | None,
    missing: Sequence[str],
    append: bool = False,
) -> ModelRequest:
    """Ask to go on after an answer that broke off.

    Args:
        original: The request whose answer broke off.
        finished: Paths that are whole.
        cut: The path it broke off in, with what had come of it.
        missing: Planned paths that have not come.
        append: Have the cut file gone on with after its last whole line, instead of sent again.
    """
    again, cut_text = _cut(*cut, append=append) if cut else ("", "")
    text = fill(
        "tasks/continue",
        finished=f"These files are finished: {', '.join(finished)}. " if finished else "",
        cut=cut_text,
        again=again,
        missing=f" ({', '.join(missing)})" if missing else "",
    )
    return _follow_up(original, "(the answer that broke off)", text)


def _cut(path: str, text: str, *, append: bool) -> tuple[str, str]:
    """Return what is to be done about a file that broke off, and what had come of it."""
    # Also where it is to come whole: an answer that goes on all the same is put behind the last whole line.
    shown = whole_lines(text) or text
    cut_text = (
        f"It broke off inside {path}, of which this had come last:\n"
        f"<partial>\n{_ended(shown[-SHOWN_CHARACTERS:])}</partial>"
    )
    if not append:
        return f"send {path} again, whole, then ", cut_text
    again = (
        f"it is too long for one answer, so go on with it first, by `cat >> {path}` and the line that comes right after "
        "the last one in <partial>, repeating none of those before; then "
    )
    return again, cut_text


def resend_request(original: ModelRequest, refused: Sequence[tuple[str, str, str]]) -> ModelRequest:
    """Ask for whole files where changes (path, why, what was sent) could not be made."""
    text = fill(
        "tasks/resend",
        refused="\n".join(
            f'<refused path="{path}">\n{why}\n\nYou had sent:\n{change[-_CHANGE_CHARACTERS:]}\n</refused>\n'
            for path, why, change in refused
        ),
        paths=", ".join(path for path, _, _ in refused),
    )
    return _follow_up(original, "(the answer with the changes)", text)


def simpler_request(
    original: ModelRequest, only: Sequence[str], *, doubtful: bool = False
) -> ModelRequest:
    """Ask again, in a form that is harder to get wrong, after an answer that changed nothing.

    Args:
        original: The request whose answer changed nothing; this one keeps its operation.
        only: The paths that are to be sent now; empty for all that it asks for.
        doubtful: As for `fix_request`.
    """
    amount = (
        f"Send only {', '.join(only)} now."
        if only
        else "Send each file that you write in this form, one after the other."
    )
    if doubtful:
        amount += "\n\n" + fill("tasks/no_fault")
    return dataclasses.replace(
        original,
        messages=(
            *original.messages,
            ChatMessage("assistant", "(the answer that changed nothing)"),
            ChatMessage("user", fill("tasks/simpler", amount=amount)),
        ),
    )


def fix_request(
    context: ProjectContext,
    number: int,
    problems: Sequence[str],
    tried: Sequence[str] = (),
    besides: str = "",
    *,
    doubtful: bool = False,
) -> ModelRequest:
    """Ask for a mend of `problems`.

    Args:
        context: The project.
        number: The open phase.
        problems: What is wrong, a text each.
        tried: What earlier mends did.
        besides: What else is known.
        doubtful: Some, numbered in their texts, nobody but a model found: the answer may say that they are none.
    """
    task = fill(
        "tasks/fix",
        problems=_lines(problems),
        tried=_tried(tried),
        besides=f"{besides}\n\n" if besides else "",
        doubtful=fill("tasks/no_fault") + "\n" if doubtful else "",
        files=_more_files(context),
    )
    return _asked(context, "fix", task, phase=number)


def debug_request(
    context: ProjectContext, number: int, problems: Sequence[str], tried: Sequence[str] = ()
) -> ModelRequest:
    """Ask for the cause behind what bounded repair could not mend: sentences, then SCOF."""
    task = fill("tasks/debug", problems=_lines(problems), tried=_tried(tried))
    return _asked(context, "debug", task, phase=number)


def review_request(
    context: ProjectContext,
    number: int,
    paths: Sequence[str],
    *,
    plan: Phase | None = None,
    last: bool = False,
    whole: bool = False,
    known: Sequence[str] = (),
    again: Sequence[str] = (),
) -> ModelRequest:
    """Ask what is wrong with the files that phase `number` wrote; the answer is a `ReviewAnswer`.

    Where findings are asked about `again`, its `json_schema` requires that it says which are still there.

    Args:
        context: The project.
        number: Which phase.
        paths: What it wrote or changed.
        plan: What it was to do.
        last: Nothing is planned after it.
        whole: It wrote nothing; what is asked about is the app as a whole.
        known: What earlier reviews found, a line each, and is not to be found again.
        again: What they found in code that changed since: the answer says by number what is still there.
    """
    listed = fill("tasks/known_findings", found=_lines(known)) + "\n"
    asked = _numbered(again)
    written = fill("tasks/review_phase", paths=", ".join(paths))
    about = fill("tasks/review_whole") if whole else written
    task = fill(
        "tasks/review",
        phase_number=str(number),
        plan=_planned(plan) if plan is not None else "",
        later=fill("tasks/review_last" if last else "tasks/review_not_last").rstrip(),
        about=about.rstrip(),
        known=listed if known else "",
        again=fill("tasks/still_there", found=asked) + "\n" if again else "",
    )
    schema = ReviewAnswer.model_json_schema()
    if again:
        schema["required"] = ["still", "findings"]
    return _asked(context, "review", task, json_schema=schema, phase=number)


def checks_request(context: ProjectContext, number: int, failed: Sequence[str]) -> ModelRequest:
    """Ask whether checks fit what was built; `failed` says which failed and how. Answer: `ChecksAnswer`."""
    words = f"These failed:\n{_lines(failed)}\n\n" if failed else ""
    task = fill("tasks/checks", phase_number=str(number), failed=words)
    schema = ChecksAnswer.model_json_schema()
    return _asked(context, "checks", task, json_schema=schema, phase=number)


def regenerate_request(
    context: ProjectContext, path: str, text: str, instructions: str
) -> ModelRequest:
    """Ask for one file anew, whole, in SCOF; `text` is the file as it is now."""
    task = fill(
        "tasks/regenerate_file", path=path, text=_ended(text), instructions=instructions.strip()
    )
    return _asked(context, "regenerate_file", task)


def summarize_request(
    context: ProjectContext, conversation: Sequence[tuple[str, str]]
) -> ModelRequest:
    """Ask for a summary, in plain text, of `context.summary` and what was said after it."""
    earlier = (
        f"The summary of what was said before:\n<summary>\n{context.summary}\n</summary>\n\n"
        if context.summary
        else ""
    )
    said = "\n\n".join(
        f"{'You' if role == 'assistant' else 'The person'}: {text.strip()}"
        for role, text in conversation
    )
    task = fill("tasks/summarize", summary=earlier, conversation=said)
    return _asked(dataclasses.replace(context, summary=""), "summarize", task)


def converse_request(
    context: ProjectContext,
    message: str,
    *,
    activity: str,
    turn: int,
    changes: Sequence[str] = (),
    plan: Sequence[str] | None = None,
) -> ModelRequest:
    """Answer `message`.

    Args:
        context: The project; its history ends before the message.
        message: What the person says.
        activity: What the build does right now.
        turn: How many messages of the person came before it.
        changes: What happened in the project since their last message, a line each.
        plan: The fields that they edited of the blueprint that waits for them; None where none does.
    """
    since = f"Since their last message:\n{_lines(changes)}\n" if changes else ""
    task = fill(
        "tasks/converse",
        activity=activity,
        message=message,
        changes=since,
        plan="" if plan is None else _plan_talk(plan),
        files=_more_files(context),
    )
    turns = _alternating(context.history)
    return _asked(context, "converse", task, turns=turns, turn=turn)


def _asked(
    context: ProjectContext,
    operation: Operation,
    task: str,
    *,
    turns: Sequence[tuple[str, str]] = (),
    json_schema: dict[str, Any] | None = None,
    phase: int = 0,
    turn: int = 0,
) -> ModelRequest:
    """Put the project part before the first turn and the task after the last."""
    pieces = _project_part(context)
    part = "".join(pieces)
    said = [*turns, ("user", task)]
    if turns:
        said[0] = ("user", f"# The conversation\n\n{said[0][1]}")
    first, *others = said
    messages = [
        ChatMessage(
            "user",
            f"{part}\n{first[1]}",
            stable_ends=tuple(itertools.accumulate(len(piece) for piece in pieces)),
        ),
        *(
            ChatMessage("assistant" if role == "assistant" else "user", text)
            for role, text in others
        ),
    ]
    return _made(operation, *messages, json_schema=json_schema, phase=phase, turn=turn)


def _made(
    operation: Operation,
    *messages: ChatMessage,
    json_schema: dict[str, Any] | None = None,
    phase: int = 0,
    turn: int = 0,
) -> ModelRequest:
    _log.info("%s: asked with %s", operation, prompt(f"tasks/{operation}").label)
    return ModelRequest(
        operation=operation,
        system=system_prompt(),
        messages=messages,
        json_schema=json_schema,
        phase=phase,
        turn=turn,
    )


def _follow_up(original: ModelRequest, answered: str, text: str) -> ModelRequest:
    return dataclasses.replace(
        original,
        operation="continue",
        continues=original.continues or original.operation,
        messages=(
            *original.messages,
            ChatMessage("assistant", answered),
            ChatMessage("user", text),
        ),
        json_schema=None,
    )


def fixed_characters(context: ProjectContext, *, talk: bool) -> int:
    """Return how long a request is without files and task; `talk`: with the conversation."""
    fixed = dataclasses.replace(context, files=NO_FILES)
    said = sum(len(text) for _, text in context.history) if talk else 0
    return len(system_prompt()) + sum(len(piece) for piece in _project_part(fixed)) + said


# -- the project part --------------------------------------------------------------------------------------------
def _project_part(context: ProjectContext) -> list[str]:
    """Return what stands before every task, in pieces, those first that change most rarely.

    First what the project is, then the files by the phase that changed them last, the newest with all that follows.
    """
    files = [_files(list(group)) for _, group in itertools.groupby(context.files.chosen, _phase_of)]
    if files:
        files[0] = f"# Its files\n\n{files[0]}"
    what_it_is = [
        _template_part(context.template),
        f"The person's wish:\n<wish>\n{context.wish}\n</wish>\n",
        _answers(context),
        _blueprint(context),
    ]
    newest = [
        *files[-1:],
        _rest(context.files.rest),
        "These are too large to be shown, even where they are asked for: "
        f"{', '.join(context.files.too_large)}.\n"
        if context.files.too_large
        else "",
        f"The person locked these; never write them: {', '.join(context.locked)}.\n"
        if context.locked
        else "",
        f"What you two talked about before:\n<summary>\n{context.summary}\n</summary>\n"
        if context.summary
        else "",
    ]
    blocks = [_joined(what_it_is), *files[:-1], _joined(newest)]
    # A blank line stands before a block, not after: so none changes because of what follows it.
    return [f"\n{block}" if number else block for number, block in enumerate(blocks) if block]


def _joined(pieces: Iterable[str]) -> str:
    return "\n".join(piece for piece in pieces if piece)


def _template_part(template: Template) -> str:
    pitfalls = framework_pitfalls(template)
    return fill(
        "project",
        template_name=template.folder.name,
        template_description=template.description,
        template_usage="\n".join(f"- {line}" for line in template.usage),
        untouchable=", ".join(sorted(template.untouchable_files)) or "nothing",
        frameworks=f"\n{pitfalls}\n" if pitfalls else "",
    )


def _blueprint(context: ProjectContext) -> str:
    if not context.blueprint:
        return ""
    blueprint = Blueprint.model_validate(context.blueprint)
    left_out = {"initial_phase", "acceptance_checks", "template"}
    plan = blueprint.model_dump_json(exclude=left_out, exclude_defaults=True)
    checks = "\n".join(json.dumps(check, ensure_ascii=False) for check in _checks(context))
    return f"The blueprint:\n{plan}\n" + (f"\nIts acceptance checks:\n{checks}\n" if checks else "")


def _checks(context: ProjectContext) -> list[dict[str, Any]]:
    if not context.blueprint:
        return []
    blueprint = Blueprint.model_validate(context.blueprint)
    return [check.model_dump(exclude_none=True) for check in blueprint.acceptance_checks]


def _phase_of(file: ChosenFile) -> int:
    return file.phase


def _files(files: Sequence[ChosenFile]) -> str:
    return "\n".join(f'<file path="{file.path}">\n{_ended(file.text)}</file>\n' for file in files)


def _rest(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "Files that are there but not shown:\n" + _lines(lines) + "\n"


def _ended(text: str) -> str:
    # A blank line that is not in the file would find its way into patches.
    return text if text.endswith("\n") or not text else f"{text}\n"


# -- parts of tasks ----------------------------------------------------------------------------------------------
def _answers(context: ProjectContext) -> str:
    if not context.answers:
        return ""
    lines = _lines(
        f"{question} {answer.strip() or '(skipped: decide yourself)'}"
        for question, answer in context.answers
    )
    return f"You asked, and the person answered:\n{lines}\n\n"


def _given(context: ProjectContext) -> str:
    if not context.edited_fields or not context.blueprint:
        return ""
    blueprint = Blueprint.model_validate(context.blueprint).model_dump_json(exclude_defaults=True)
    return fill("tasks/given", fields=", ".join(context.edited_fields), blueprint=blueprint) + "\n"


def _refused(context: ProjectContext) -> str:
    if not context.refused_plan:
        return ""
    return fill("tasks/refused_plan", reason=context.refused_plan) + "\n"


def _plan_talk(edited: Sequence[str]) -> str:
    words = (
        f"They edited these fields of the plan by hand, and what they wrote there stays: {', '.join(edited)}. If they "
        f"now want one of these to be different, end with a line that names it, like [anew {edited[0]}]."
        if edited
        else ""
    )
    return fill("tasks/plan_talk", edited=words)


def _phases(context: ProjectContext) -> str:
    return "\n".join(
        f"{number}. {name} ({'done' if completed else 'open'}): {description}"
        for number, name, description, completed in context.phases
    )


def _wishes(context: ProjectContext, *, numbered: bool = False) -> str:
    if not context.wishes:
        return ""
    lines = _numbered(context.wishes) if numbered else _lines(context.wishes)
    return f"The person asked for this meanwhile:\n{lines}\n\n"


def _more_files(context: ProjectContext) -> str:
    return fill("tasks/more_files") if context.files.can_ask else ""


def _planned(phase: Phase) -> str:
    """Return what a phase was to do."""
    files = f"\n{_planned_files(phase)}" if phase.files else ""
    return f"What it was to do: {phase.name}. {phase.description}".rstrip() + f"{files}\n\n"


def _planned_files(phase: Phase) -> str:
    return "\n".join(
        f"- {f.path}: {f.purpose}" + (f" ({f.changes})" if f.changes else "") for f in phase.files
    )


def _tried(tried: Sequence[str]) -> str:
    return f"Already tried, in vain:\n{_lines(tried)}\n\n" if tried else ""


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _numbered(texts: Iterable[str]) -> str:
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, start=1))


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
