"""What models answer in JSON. Unknown fields are ignored, missing optional ones get defaults.

A person's edits go through the same classes, but strictly: what would be forgiven a model is an error that names the
field (`edited_blueprint`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.builder.check_steps import STEPS, normal_step, normal_steps

MAX_QUESTIONS = 3
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_NUMBERS = re.compile(r"(?:[\d\s,;&#()\[\]]|\band\b)*")
"""`3`, `#3`, `(3)`, `1, 2 and 3`."""
_NO_WORDS = frozenset({"", "false", "no", "none", "null", "n/a"})


def _text(value: Any) -> Any:
    # Models write null, numbers or lists of sentences where a text was asked for.
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return str(value) if isinstance(value, int | float) else value


def _texts(value: Any) -> Any:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _number(value: Any) -> int:
    # Models write "39-40", "L12", 12.0 or null.
    found = re.search(r"\d{1,9}", "" if isinstance(value, bool) else str(value))
    return int(found.group()) if found else 0


def _numbers(value: Any) -> list[int] | None:
    """Return the numbers that a list or a text is of; None where it holds anything else, as a place or a quote is."""
    found: list[int] = []
    for item in value if isinstance(value, list) else [value]:
        said = str(item).strip().rstrip(".").lower().removesuffix(".0")
        if item is None or not (said in _NO_WORDS or _NUMBERS.fullmatch(said)):
            return None
        found += map(int, re.findall(r"\d+", said))
    return found


def _edited(name: str, info: ValidationInfo) -> bool:
    """Tell whether a person edited this field of a blueprint: what they wrote is not guessed at."""
    return name in (info.context or ())


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[Text], BeforeValidator(_texts)]
Number = Annotated[int, BeforeValidator(_number)]
"""0 where there is none."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class PlannedFile(_Answer):
    """A file the phase will write; `changes` says what changes in an existing one."""

    path: str
    purpose: Text = ""
    changes: Text | None = None


class Phase(_Answer):
    """The plan of one phase."""

    name: str = Field(min_length=1)
    description: Text = ""
    files: list[PlannedFile] = Field(default_factory=list)
    install_commands: Texts = Field(default_factory=list)
    is_last_phase: bool = False


class NextPhase(Phase):
    """The plan of the next phase, and which of the numbered wishes it `answers`: where it names none, all of them."""

    answers: list[int] = Field(default_factory=list, exclude=True)

    @field_validator("answers", mode="before")
    @classmethod
    def _named(cls, value: Any) -> list[int]:
        return _numbers(value) or []


class _Named(_Answer):
    """Something with a name; models sometimes write the name alone."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        first = next(iter(cls.model_fields))
        return {first: value} if isinstance(value, str) else value


class View(_Named):
    """One screen of the app."""

    name: str
    description: Text = ""


class UserFlow(_Answer):
    """How the app is laid out, looks, and is walked through."""

    ui_layout: Text = ""
    ui_design: Text = ""
    user_journey: Text = ""


class Architecture(_Answer):
    """How data moves inside."""

    data_flow: Text = ""


class RoadmapStep(_Named):
    """One step of the way, by name."""

    phase: Text
    description: Text = ""


class CheckStep(BaseModel):
    """One action or expectation in the form of `check_steps.STEPS`; its other keys depend on `do`."""

    model_config = ConfigDict(extra="allow")
    do: str


class AcceptanceCheck(_Answer):
    """What a user does and must then see. `phase` counts from 1; None: when the app is complete."""

    name: Text = ""
    phase: int | None = None
    steps: list[CheckStep] = Field(default_factory=list)
    left_out: list[str] = Field(default_factory=list, exclude=True)
    """Steps of the answer that could not be understood, in words; never stored."""

    @model_validator(mode="before")
    @classmethod
    def _in_form(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or _edited("acceptance_checks", info):
            return value
        steps, left_out = normal_steps(value.get("steps"))
        phase = value.get("phase")
        if isinstance(phase, str):
            number = re.search(r"\d+", phase)
            phase = int(number.group()) if number else None
        usable = isinstance(phase, int) and not isinstance(phase, bool) and phase > 0
        named = value.get("name") or value.get("title") or value.get("check") or ""
        return {
            "name": named,
            "phase": phase if usable else None,
            "steps": steps,
            "left_out": [*value.get("left_out", ()), *left_out],
        }

    @field_validator("steps", mode="before")
    @classmethod
    def _known_steps(cls, value: Any, info: ValidationInfo) -> Any:
        if not _edited("acceptance_checks", info) or not isinstance(value, list):
            return value
        steps = []
        for number, raw in enumerate(value, start=1):
            step = normal_step(raw)
            if step is None:
                raise ValueError(f"step {number} is none of {', '.join(STEPS)}, or lacks something")
            steps.append(step)
        return steps


def _objects(value: Any) -> Any:
    return [value] if isinstance(value, dict) else (value or [])


def _objection(value: Any) -> Any:
    if isinstance(value, bool):
        return "This wish is no web app; the plan makes the nearest thing." if value else ""
    text = _text(value)
    return "" if isinstance(text, str) and text.strip().lower().rstrip(".") in _NO_WORDS else text


class Blueprint(_Answer):
    """The plan of the whole app. Models write the fields in this order."""

    title: str = Field(min_length=1)
    project_name: Text = ""
    description: Text = ""
    template: Text = ""
    not_a_web_app: Annotated[str, BeforeValidator(_objection)] = ""
    """Empty, or what the wish is instead and what the nearest thing is, in a sentence."""
    detailed_description: Text = ""
    color_palette: Texts = Field(default_factory=list)
    views: list[View] = Field(default_factory=list)
    user_flow: UserFlow = Field(default_factory=UserFlow)
    data_flow: Text = ""
    architecture: Architecture = Field(default_factory=Architecture)
    pitfalls: Texts = Field(default_factory=list)
    frameworks: Texts = Field(default_factory=list)
    implementation_roadmap: list[RoadmapStep] = Field(default_factory=list)
    initial_phase: Phase
    acceptance_checks: Annotated[list[AcceptanceCheck], BeforeValidator(_objects)] = Field(
        default_factory=list
    )

    @field_validator("color_palette")
    @classmethod
    def _colours(cls, value: list[str], info: ValidationInfo) -> list[str]:
        for colour in value if _edited("color_palette", info) else ():
            if not _COLOUR.fullmatch(colour.strip()):
                raise ValueError(f"{colour!r} is no colour like #1a2b3c")
        return value

    def slug(self) -> str:
        """Return the project name in kebab-case, made of the title where the model gave none."""
        return kebab_case(self.project_name) or kebab_case(self.title) or "app"

    @property
    def left_out(self) -> list[str]:
        """Return the acceptance steps of the answer that could not be understood, in words."""
        return [words for check in self.acceptance_checks for words in check.left_out]


class Question(_Named):
    """Something that the wish leaves open. `options` are ready answers, `why` says what hangs on it."""

    question: str = Field(min_length=1)
    options: Texts = Field(default_factory=list)
    why: Text = ""


class BlueprintAnswer(_Answer):
    """A blueprint, or one to three questions that come before it."""

    questions: list[Question] = Field(default_factory=list)
    blueprint: Blueprint | None = None

    @model_validator(mode="before")
    @classmethod
    def _which(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        questions = value.get("questions")
        if isinstance(questions, list) and questions and "initial_phase" not in value:
            return {"questions": questions[:MAX_QUESTIONS]}
        return {"blueprint": value}


class Finding(_Answer):
    """One finding of a code review.

    `quote` is a line of the file, as it stands there. `line` is not asked for, as no model sees numbers of lines.
    """

    file: Text = ""
    quote: Text = ""
    line: SkipJsonSchema[Number] = 0
    severity: Text = "warning"
    message: Text = ""


class ReviewAnswer(_Answer):
    """What a review of a phase's code found, and which of the findings that it was asked about are `still` there.

    Where it says that of none of them in a way that can be understood, `still` is as if it had not been written.
    """

    still: list[int] = Field(default_factory=list)
    findings: Annotated[list[Finding], BeforeValidator(_objects)] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _understood(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "still" not in value:
            return value
        still = _numbers(value["still"])
        others = {name: said for name, said in value.items() if name != "still"}
        return others if still is None else {"still": still, **others}

    def left(self, asked: int) -> list[int] | None:
        """Return which of the findings 1 to `asked` are still there; None where it does not say of each."""
        whole = self.model_fields_set >= {"still", "findings"}
        return self.still if whole and all(1 <= n <= asked for n in self.still) else None


class Correction(_Answer):
    """Why an acceptance check that was there is changed."""

    name: Text
    why: Text = ""


class ChecksAnswer(_Answer):
    """New and corrected acceptance checks, and why the latter change."""

    checks: list[AcceptanceCheck] = Field(default_factory=list)
    corrected: list[Correction] = Field(default_factory=list)


def blueprint_schema(*, may_ask: bool) -> dict[str, Any]:
    """Return the JSON schema of a blueprint; with `may_ask`, of a blueprint or questions."""
    schema = Blueprint.model_json_schema()
    if not may_ask:
        return schema
    asked = Question.model_json_schema()
    questions = {"type": "array", "items": asked, "maxItems": MAX_QUESTIONS}
    properties = {"questions": questions, **schema["properties"]}
    return {**schema, "properties": properties, "required": []}


def read_section(name: str, value: object) -> object:
    """Return a field of a blueprint as it is stored.

    Raises:
        ValueError: there is no such field, or it cannot have this value.
    """
    if name not in Blueprint.model_fields:
        raise ValueError(f"a blueprint has no {name}")
    adapter = _field(name)
    return adapter.dump_python(adapter.validate_python(value))


@cache
def _field(name: str) -> TypeAdapter[Any]:
    field = Blueprint.model_fields[name]
    form: Any = Annotated[field.annotation, name, *field.metadata]
    return TypeAdapter(form)


def edited_blueprint(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Blueprint:
    """Return the blueprint with a person's changes: objects are merged, lists and texts replaced.

    What is as it was is not looked at: a person need not mend what the model wrote.

    Raises:
        InvalidInputError: a change cannot be made; `details` has its `field` ("views.0.name") and the `reason`.
    """
    changes = {name: value for name, value in changes.items() if stored.get(name) != value}
    unknown = next((name for name in changes if name not in Blueprint.model_fields), None)
    if unknown is not None:
        raise _cannot_change(unknown, "a blueprint has no such field")
    try:
        return Blueprint.model_validate(_merged(stored, changes), context=frozenset(changes))
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise _cannot_change(".".join(map(str, first["loc"])), reason) from error


def _merged(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(stored)
    for name, value in changes.items():
        known = merged.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(known, value)
        else:
            merged[name] = value
    return merged


def _cannot_change(field: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"“{field_words(field)}” of the blueprint cannot be like this: {reason}.",
        remedy="Correct it and try again; nothing was changed.",
        details={"field": field, "reason": reason},
    )


def field_words(field: str) -> str:
    """Return a field's path as people read it: `views.0.name` is "views 1, name"."""
    words = ""
    for part in field.split("."):
        if part.isdigit():
            words += f" {int(part) + 1}"
        else:
            words += (", " if words else "") + part.replace("_", " ")
    return words


def kebab_case(text: str) -> str:
    """Return `text` as lower-case words joined by single hyphens, at most 48 characters."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:48].strip("-")
