"""What models answer in JSON. Unknown fields are ignored, missing optional ones get defaults."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


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


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[Text], BeforeValidator(_texts)]


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


class View(_Answer):
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


class RoadmapStep(_Answer):
    """One step of the way, by name."""

    phase: str
    description: Text = ""


class CheckStep(BaseModel):
    """One action or expectation; its other keys depend on `do`."""

    model_config = ConfigDict(extra="allow")
    do: str


class AcceptanceCheck(_Answer):
    """What a user does and must then see."""

    name: str
    phase: int | None = None
    steps: list[CheckStep] = Field(default_factory=list)


class Blueprint(_Answer):
    """The plan of the whole app."""

    title: str = Field(min_length=1)
    project_name: str = ""
    description: Text = ""
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
    template: Text = ""
    acceptance_checks: list[AcceptanceCheck] = Field(default_factory=list)

    def slug(self) -> str:
        """Return the project name in kebab-case, made of the title where the model gave none."""
        return kebab_case(self.project_name) or kebab_case(self.title) or "app"


def kebab_case(text: str) -> str:
    """Return `text` as lower-case words joined by single hyphens, at most 48 characters."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:48].strip("-")
