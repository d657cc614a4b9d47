"""What each operation's request is about, so that the files that matter for it can be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vibedesk.engine.builder.relevance.scores import Focus
from vibedesk.engine.builder.schemas import Blueprint, Phase

_WRITES_MUCH, _LOOKS_AROUND, _CAN_ASK = 28_000, 16_000, 12_000
"""Tokens of files: many files are written against what is shown; a plan names others; an answer can ask for more."""
_NEXT_STEPS = 2
_SAID_BEFORE = 2


def of_phase(phase: Phase, wishes: Sequence[str] = ()) -> Focus:
    """Return the focus of a phase that is to be written."""
    # What a planned file that exists is for says nothing of the change.
    files = (file.changes or file.purpose for file in phase.files)
    return Focus(
        paths=tuple(file.path for file in phase.files),
        words="\n".join([phase.name, phase.description, *files, *wishes]),
        budget=_WRITES_MUCH,
        operation="implement_phase",
    )


def of_plan(blueprint: Mapping[str, Any] | None, done: int, wishes: Sequence[str]) -> Focus:
    """Return the focus of the plan after `done` phases: what was asked for, then the roadmap's next steps."""
    steps = Blueprint.model_validate(blueprint).implementation_roadmap if blueprint else []
    ahead = "\n".join(f"{s.phase}: {s.description}" for s in steps[done : done + _NEXT_STEPS])
    words = "\n".join(wishes)
    return Focus(
        words=words or ahead,
        background=ahead if words else "",
        budget=_LOOKS_AROUND,
        operation="plan_phase",
    )


def of_problems(problems: Sequence[str], *, closely: bool = False) -> Focus:
    """Return the focus of a mend; `closely` where one was in vain: more files, those around the broken ones first."""
    budget = _WRITES_MUCH if closely else _CAN_ASK
    words = "\n".join(problems)
    return Focus(words=words, budget=budget, operation="fix", can_ask=True, closely=closely)


def of_message(message: str, said_before: Sequence[str] = ()) -> Focus:
    """Return the focus of an answer; what the person said before matters where the message takes it up."""
    before = "\n".join(said_before[-_SAID_BEFORE:])
    return Focus(words=message, background=before, budget=_CAN_ASK, can_ask=True)


def with_asked(focus: Focus, paths: Sequence[str]) -> Focus:
    """Return the focus of asking again, with the files that the answer asked for; it may not ask a second time."""
    return replace(focus, paths=(*focus.paths, *paths), can_ask=False)


def of_file(path: str, instructions: str) -> Focus:
    """Return the focus of one file that is written anew."""
    return Focus(paths=(path,), words=instructions, budget=_CAN_ASK, operation="regenerate_file")


def of_written(paths: Sequence[str], words: Sequence[str] = ()) -> Focus:
    """Return the focus of looking at what a phase wrote, such as a review or its acceptance checks."""
    return Focus(
        paths=tuple(paths), words="\n".join(words), budget=_WRITES_MUCH, operation="review"
    )
