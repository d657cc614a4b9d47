"""Acceptance steps: every form that models write, and how people read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recordings import recordings
from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.builder.check_steps import STEPS, normal_step, normal_steps
from vibedesk.engine.builder.schemas import Blueprint, edited_blueprint
from vibedesk.engine.check_words import check_words, step_words

CLICKABLE = "button, a, [role=button], [role=tab], [role=menuitem], [role=option], label, summary"
MINIMAL: dict[str, Any] = {"title": "A", "initial_phase": {"name": "One"}}


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ({"do": "click", "selector": "#add"}, {"do": "click", "selector": "#add"}),
        ({"action": "click", "text": "Add"}, {"do": "click", "selector": CLICKABLE, "text": "Add"}),
        ({"click": "Add"}, {"do": "click", "selector": CLICKABLE, "text": "Add"}),
        ({"goto": "/"}, {"do": "goto", "path": "/"}),
        ({"type": "navigate", "url": "/x"}, {"do": "goto", "path": "/x"}),
        ({"fill": {"selector": "#a", "value": 5}}, {"do": "fill", "selector": "#a", "value": "5"}),
        ({"do": "fill", "selector": "#a", "value": ""}, {"do": "fill", "selector": "#a", "value": ""}),
        ("click 'Add expense'", {"do": "click", "selector": CLICKABLE, "text": "Add expense"}),
        ("Fill #amount with 12.50", {"do": "fill", "selector": "#amount", "value": "12.50"}),
        ("see “12.50”", {"do": "expectText", "selector": "body", "text": "12.50"}),
        ("Don't see Old", {"do": "expectNoText", "selector": "body", "text": "Old"}),
        ("reload", {"do": "reload"}),
        ({"do": "expect_count", "selector": "li", "count": "2"}, {"do": "expectCount", "selector": "li", "count": 2}),
        ({"do": "expectText", "selector": "h1", "value": "Hi"}, {"do": "expectText", "selector": "h1", "text": "Hi"}),
        ({"do": "press", "key": "Enter", "extra": 1}, {"do": "press", "key": "Enter"}),
        ({"do": "as", "user": "second"}, {"do": "as", "user": "second"}),
        ({"do": "drag", "from": "#a", "to": {"selector": "#b", "x": 1}},
         {"do": "drag", "from": {"selector": "#a"}, "to": {"selector": "#b"}}),
        ({"do": "wait", "ms": 300.0}, {"do": "wait", "ms": 300}),
        ({"do": "upload", "file": "a.csv", "content": "x,y"},
         {"do": "attach", "selector": "input[type='file']", "filename": "a.csv", "content": "x,y"}),
        ({"do": "attach", "filename": "a.csv"}, None),
        ({"do": "dance"}, None),
        ({"do": "click"}, None),
        ({"do": "fill", "selector": "#a"}, None),
        ({"do": "expectCount", "selector": "li", "count": "some"}, None),
        ({"do": "click", "selector": ["a"]}, None),
        ("", None),
        (None, None),
        (7, None),
    ],
)  # fmt: skip
def test_one_step(written: object, step: dict[str, Any] | None) -> None:
    assert normal_step(written) == step


def test_a_step_that_says_who_takes_it_is_led_in_and_out() -> None:
    steps, left_out = normal_steps(
        [{"do": "reload", "as": "Bea"}, {"do": "reload", "as": "Bea"}, "reload", {"fly": True}]
    )
    assert [step.get("user", "-") for step in steps] == ["Bea", "-", "-", "first", "-"]
    assert left_out == ["{'fly': True}"]


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_recorded_steps_are_in_their_form_already(folder: Path) -> None:
    steps = json.loads((folder / "expected.json").read_text())["checks"]
    assert normal_steps(steps) == (steps, [])
    for sentence in check_words(steps):
        assert sentence[0].isupper()
        assert not any(sign in sentence for sign in ("[", "data-", "selector", "expect"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["do", "action", "selector", "text", "value", "as", "from", "to", "nth", *STEPS]),
            inner | st.sampled_from([*STEPS]),
            max_size=4,
        )
    ),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
def test_whatever_is_written_becomes_steps_that_are_in_their_form(written: object) -> None:
    steps, _ = normal_steps(written)
    assert normal_steps(steps) == (steps, [])
    for step in steps:
        needed, _ = STEPS[step["do"]]
        assert all(key in step for key in needed)
        assert step_words(step)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ({"do": "click", "selector": "button", "text": "Add expense"}, "Click “Add expense”"),
        ({"do": "click", "selector": "button[aria-label='Done early']"}, "Click the button “Done early”"),
        ({"do": "expectText", "selector": "ul", "text": "12.50"}, "See “12.50” in the list"),
        ({"do": "expectText", "selector": "body", "text": "12.50"}, "See “12.50”"),
        ({"do": "expectNoText", "selector": "li", "text": "Tea"}, "No longer see “Tea” in the list entry"),
        ({"do": "fill", "selector": "#amount", "value": "12"}, "Write “12” into the field “amount”"),
        ({"do": "fill", "selector": "#amount", "value": ""}, "Empty the field “amount”"),
        ({"do": "expectCount", "selector": "[data-card]", "count": 2}, "See exactly 2 cards"),
        ({"do": "expectCount", "selector": "li", "count": 0}, "See no list entries"),
        ({"do": "select", "selector": "select[name='kind']", "value": "Food"}, "Choose “Food” in the drop-down “kind”"),
        ({"do": "click", "selector": "li", "nth": 1}, "Click the 2nd list entry"),
        ({"do": "press", "key": "Control+ArrowUp"}, "Press Control+Up"),
        ({"do": "goto", "path": "/"}, "Open the app"),
        ({"do": "wait", "ms": 1500}, "Wait 1.5 seconds"),
        ({"do": "attach", "selector": "[name='file']", "filename": "a.csv", "content": "x"}, "Choose the file “a.csv”"),
        ({"do": "as", "user": "second"}, "Go on as another person, in a browser of their own"),
        ({"do": "as", "user": "first"}, "Go on as the first person"),
        ({"do": "something new"}, "something new"),
    ],
)  # fmt: skip
def test_steps_as_sentences(step: dict[str, Any], sentence: str) -> None:
    assert step_words(step) == sentence


def test_checks_of_a_blueprint_keep_what_is_understood() -> None:
    check = {"title": "Adds", "phase": "Phase 2", "steps": ["click Add", "wiggle"]}
    blueprint = Blueprint.model_validate({**MINIMAL, "acceptance_checks": check})
    [kept] = blueprint.acceptance_checks
    assert (kept.name, kept.phase, len(kept.steps)) == ("Adds", 2, 1)
    assert blueprint.left_out == ["wiggle"]
    assert "left_out" not in blueprint.model_dump()["acceptance_checks"][0]


def test_an_edit_is_not_guessed_at() -> None:
    stored = Blueprint.model_validate({**MINIMAL, "color_palette": ["red"]}).model_dump()
    assert edited_blueprint(stored, {"title": "B"}).color_palette == ["red"]
    merged = edited_blueprint(stored, {"user_flow": {"ui_layout": "one page"}})
    assert merged.user_flow.ui_layout == "one page"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": ""}, "title", "“title”"),
        ({"views": [{"name": "A"}, {"description": "x"}]}, "views.1.name", "“views 2, name”"),
        ({"color_palette": ["#fff", "blue"]}, "color_palette", "blue"),
        ({"initial_phase": {"files": [{}]}}, "initial_phase.files.0.path", "“initial phase, files 1, path”"),
        ({"acceptance_checks": [{"name": "x", "steps": [{"do": "fly"}]}]}, "acceptance_checks.0.steps", "step 1"),
        ({"bogus": 1}, "bogus", "no such field"),
    ],
)  # fmt: skip
def test_an_edit_that_cannot_be_made_names_the_field(
    changes: dict[str, Any], field: str, words: str
) -> None:
    stored = Blueprint.model_validate(MINIMAL).model_dump()
    with pytest.raises(InvalidInputError, match=words) as caught:
        edited_blueprint(stored, changes)
    assert caught.value.details["field"] == field
