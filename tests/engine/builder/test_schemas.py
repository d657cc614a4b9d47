"""Answers are taken as models give them: recorded ones, and sloppy ones."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.recordings import recordings
from vibedesk.engine.builder.planned_packages import package_specs
from vibedesk.engine.builder.schemas import Blueprint, Phase, ReviewAnswer, kebab_case


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_recorded_blueprints_and_phases(folder) -> None:
    [blueprint] = [
        Blueprint.model_validate_json(p.read_text()) for p in folder.glob("*-blueprint.json")
    ]
    assert blueprint.slug() == blueprint.project_name
    assert blueprint.initial_phase.files
    assert all(re.fullmatch(r"#[0-9a-fA-F]{6}", color) for color in blueprint.color_palette)
    for path in folder.glob("*-phase-*.json"):
        assert Phase.model_validate_json(path.read_text()).files


def test_a_blueprint_needs_little() -> None:
    blueprint = Blueprint.model_validate({"title": "My App!", "initial_phase": {"name": "One"}})
    assert blueprint.slug() == "my-app"
    assert blueprint.views == []
    assert not blueprint.initial_phase.is_last_phase


def test_sloppy_fields_are_taken() -> None:
    blueprint = Blueprint.model_validate(
        {
            "title": "A",
            "unknown": {"x": 1},
            "description": ["Two", "lines"],
            "data_flow": None,
            "pitfalls": "only one",
            "color_palette": None,
            "initial_phase": {
                "name": "One",
                "files": [{"path": "a.ts", "purpose": None, "changes": None, "extra": 1}],
                "install_commands": "npm install zod@4",
            },
            "acceptance_checks": [
                {"name": "adds", "steps": [{"do": "click", "text": "Add", "as": "Ann"}]}
            ],
        }
    )
    assert blueprint.description == "Two\nlines"
    assert blueprint.pitfalls == ["only one"]
    assert blueprint.initial_phase.install_commands == ["npm install zod@4"]
    [who, click] = blueprint.acceptance_checks[0].steps
    assert who.model_dump() == {"do": "as", "user": "Ann"}
    assert click.do == "click"


@pytest.mark.parametrize(
    "answer", [{}, {"title": "A"}, {"title": "", "initial_phase": {"name": "x"}}]
)
def test_what_cannot_be_built_on_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Blueprint.model_validate(answer)


@given(st.text(max_size=80))
def test_kebab_case_is_a_safe_folder_name(text: str) -> None:
    name = kebab_case(text)
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", name)
    assert len(name) <= 48
    assert kebab_case(name) == name


def test_packages_of_a_plan() -> None:
    commands = ["npm install zod@4 react-router@7", "npm i zod@4", "echo hi", "yarn add dayjs"]
    assert package_specs(commands) == ["zod@4", "react-router@7", "dayjs"]


def test_a_stored_blueprint_is_read_back_as_it_was() -> None:
    blueprint = Blueprint.model_validate({"title": "A", "initial_phase": {"name": "One"}})
    assert Blueprint.model_validate(json.loads(json.dumps(blueprint.model_dump()))) == blueprint


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ([1, "2"], [1, 2]),
        ("1, 2 and 3.", [1, 2, 3]),
        (["#1", "(3)", 2.0], [1, 3, 2]),
        (["1; 2"], [1, 2]),
        ([], []),
        ("none", []),
        (["app.js:2: It shows nothing."], None),
        (["1. app.js:2: It shows nothing."], None),
        ("1-3", None),
        ([4], None),
        ([0], None),
        (None, None),
        ([None], None),
        ({"1": True}, None),
    ],
)
def test_what_a_review_says_is_still_there(said: object, left: list[int] | None) -> None:
    answer = ReviewAnswer.model_validate({"still": said, "findings": []})
    assert answer.left(3) == left


def test_a_review_that_ends_early_does_not_say_what_is_still_there() -> None:
    assert ReviewAnswer.model_validate({"findings": []}).left(1) is None
    assert ReviewAnswer.model_validate({"still": [1]}).left(1) is None
