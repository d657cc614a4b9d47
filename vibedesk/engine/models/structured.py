"""Answers that have to be JSON of a given shape, from models that wrap, decorate and break it.

value = recover_json(text)                                        # object, or BadAnswerError
plan = await ask_structured(model.stream, request, Phase, on_text=show)
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from typing import TYPE_CHECKING, TypeVar

from vibedesk.engine.models.prompt_files import fill
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    BudgetExceededError,
    ChatMessage,
    Finished,
    ModelRequest,
    StreamInterruptedError,
    StreamItem,
    TextDelta,
)
from vibedesk.engine.models.tolerant_json import read_tolerantly

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_Answer = TypeVar("_Answer", bound="BaseModel")

Ask = Callable[[ModelRequest], AsyncGenerator[StreamItem, None]]
"""`ChatModel.stream` or `ModelRouter.stream`."""
OnText = Callable[[str], Awaitable[None]]
OnRestart = Callable[[], Awaitable[None]]

_MAX_ASKS = 2
_MAX_STARTS = 64
_MAX_DEPTH = 200
_OPENING = re.compile(r"[{\[]")
_FENCE_END = re.compile(r"\n[ \t]*(?:```|~~~)[^\n]*\s*$")


@dataclass(frozen=True, slots=True)
class Recovered:
    """A value found in an answer; `complete` is false where its end had to be made up."""

    value: object
    complete: bool


def recover_json(text: str) -> object:
    """Return the JSON value that `text` most likely means.

    Fences, prose around it, trailing commas, single quotes, comments and a missing end are forgiven.

    Raises:
        BadAnswerError: There is nothing like an object or a list in it.
    """
    for candidate in recover_candidates(text):
        return candidate.value
    raise BadAnswerError(
        "The model's answer holds no JSON.", remedy="Try again, or choose another model."
    )


def recover_candidates(text: str) -> Iterator[Recovered]:
    """Yield the values that `text` may mean, the most trustworthy first; objects and lists only."""
    stripped = text.lstrip("\ufeff").strip()
    whole = _parse_strictly(stripped)
    if isinstance(whole, dict | list):
        if whole:
            yield Recovered(whole, complete=True)
        return
    readings = sorted(_readings(stripped), key=lambda reading: -reading.span)
    starts = _starts(stripped)
    # What a broken object holds is whole too; so a reading has to be most of what there is to be the answer.
    covered = readings[0].span * 2 if readings else 0
    if starts and covered < len(stripped) - starts[0]:
        repaired = _repair(stripped, starts[0])
        if repaired is not None:
            yield repaired
    for reading in readings:
        yield Recovered(reading.value, reading.complete)


async def ask_structured(
    ask: Ask,
    request: ModelRequest,
    schema: type[_Answer],
    on_text: OnText | None = None,
    on_restart: OnRestart | None = None,
) -> _Answer:
    """Ask for one JSON object of `schema`, and once more if the answer is not one.

    The second question carries the first answer and what is wrong with it. An answer that the token limit cut
    off is asked for again even if its beginning would do, because a list that ends early looks whole; so is one
    without a field that the request's `json_schema` requires though `schema` has a default for it. These are used
    only if the second answer is no better, or, unless it was cut off, if no second may be asked for (the budget is
    raised some time). One that the connection cut off is asked for anew.

    Args:
        ask: How to ask; a retrying router or a bare model.
        request: The question; its `json_schema` is set from `schema` where it is None.
        schema: What the answer must be.
        on_text: Gets the answer's text as it comes.
        on_restart: Is told that the text starts anew.

    Raises:
        BadAnswerError: Two answers did not have the form.
        ModelError: As `ask` raises it, when no text came.
    """
    form = request.json_schema or schema.model_json_schema()
    request = replace(request, json_schema=form)
    asked, problem = request, ""
    wanted = schema.model_fields.keys() & set(form.get("required", ()))
    poorer: _Answer | None = None
    broken_off = False
    for attempt in range(_MAX_ASKS):
        if attempt and on_restart is not None:
            await on_restart()
        try:
            text, cut_off = await _collect(ask, asked, on_text)
        except StreamInterruptedError:
            if attempt + 1 == _MAX_ASKS and poorer is None:
                raise
            continue
        except BudgetExceededError:
            if poorer is None or broken_off:
                raise
            break
        answer, complete, problem = _validate(text, schema)
        if answer is not None:
            lacking = sorted(wanted - answer.model_fields_set)
            if not lacking and (complete or not cut_off):
                return answer
            poorer, broken_off = answer, cut_off
            problem = "\n".join(f"- {name}: Field required" for name in lacking)
            if cut_off:
                problem = "It was cut off before its end. Make it shorter."
        asked = correction_request(request, text, problem)
    if poorer is not None:
        return poorer
    raise BadAnswerError(
        "The model did not give its answer in the form that is needed, also when asked again.",
        remedy="Try again, or choose another model.",
        details={"problem": problem},
    )


async def _collect(ask: Ask, request: ModelRequest, on_text: OnText | None) -> tuple[str, bool]:
    """Return the answer's text and whether the token limit cut it off."""
    parts: list[str] = []
    cut_off = False
    async with aclosing(ask(request)) as items:
        async for item in items:
            match item:
                case TextDelta(text):
                    parts.append(text)
                    if on_text is not None:
                        await on_text(text)
                case Finished(stop_reason):
                    cut_off = stop_reason == "max_tokens"
    return "".join(parts), cut_off


def _validate(text: str, schema: type[_Answer]) -> tuple[_Answer | None, bool, str]:
    """Return the answer if one is in `text`, whether it was whole, and else what is wrong."""
    from pydantic import ValidationError

    problem = "There is no JSON object in the answer."
    for number, candidate in enumerate(recover_candidates(text)):
        try:
            return schema.model_validate(candidate.value), candidate.complete, ""
        except ValidationError as error:
            if number == 0:
                problem = _describe(error)
    return None, False, problem


def _describe(error: ValidationError) -> str:
    lines = [
        f"- {'.'.join(map(str, item['loc'])) or 'the answer'}: {item['msg']}"
        for item in error.errors()[:10]
    ]
    return "\n".join(lines)


def correction_request(request: ModelRequest, answer: str, problem: str) -> ModelRequest:
    """Ask `request` again after an `answer` that could not be used because of `problem`."""
    turns = (
        *request.messages,
        ChatMessage("assistant", answer or "(no answer)"),
        ChatMessage("user", fill("tasks/correction", problem=problem)),
    )
    return replace(request, messages=turns)


def _parse_strictly(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class _Reading:
    value: object
    span: int
    complete: bool


def _readings(text: str) -> list[_Reading]:
    """Return the objects and lists that can be read without guessing, none of them inside another."""
    found: list[_Reading] = []
    position = 0
    for start in _starts(text):
        if start < position:
            continue
        reading = read_tolerantly(text, start)
        if reading is not None:
            position = reading.end
            if reading.value:
                found.append(_Reading(reading.value, reading.end - start, reading.complete))
    return found


def _starts(text: str) -> list[int]:
    matches = _OPENING.finditer(text)
    return [match.start() for match in islice(matches, _MAX_STARTS)]


def _repair(text: str, start: int) -> Recovered | None:
    """Return what the broken JSON that begins at `start` most likely means; guesses inside strings too."""
    import json_repair

    body = _FENCE_END.sub("", text[start:])
    if _depth(body) > _MAX_DEPTH:
        return None
    try:
        value = json_repair.loads(body, skip_json_loads=True)
    except (ValueError, RecursionError, IndexError):
        return None
    if isinstance(value, list) and body.startswith("{"):
        # Several values in a row; the first one is what began here.
        value = next((part for part in value if isinstance(part, dict) and part), None)
    if not value or not isinstance(value, dict | list):
        return None
    return Recovered(value, complete=body.rstrip().endswith(("}", "]")))


def _depth(text: str) -> int:
    """Return how deep brackets nest at most, for brackets in strings too."""
    steps = (1 if bracket in "{[" else -1 for bracket in re.findall(r"[{}\[\]]", text))
    return max(accumulate(steps), default=0)
