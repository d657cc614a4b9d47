"""What models are asked, word for word. `UPDATE_GOLDEN=1` writes the files anew; read the difference."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.tiny_app import BLUEPRINT, FIRST_PHASE
from vibedesk.base.resources import resource
from vibedesk.engine.builder import context as requests
from vibedesk.engine.builder.context import ProjectContext
from vibedesk.engine.builder.file_choice import ChosenFile, FileChoice
from vibedesk.engine.builder.images import with_images
from vibedesk.engine.builder.prompts import (
    blueprint_shape,
    framework_pitfalls,
    system_prompt,
)
from vibedesk.engine.builder.schemas import Blueprint, Phase
from vibedesk.engine.builder.templates import load_template, template_names
from vibedesk.engine.models.prompt_files import prompt
from vibedesk.engine.models.protocol import ChatMessage, ImagePart, ModelRequest
from vibedesk.engine.models.structured import correction_request

GOLDEN = Path(__file__).parents[2] / "golden"
TEMPLATE = load_template("react-vite")
CHECK = {
    "name": "It counts",
    "phase": 2,
    "steps": [
        {"do": "goto", "path": "/"},
        {"do": "click", "selector": "button", "text": "Count"},
        {"do": "expectText", "selector": "main", "text": "1"},
    ],
}
NOTHING_YET = ProjectContext(template=TEMPLATE, wish="Count things for me", blueprint=None)
CONTEXT = ProjectContext(
    template=TEMPLATE,
    wish="Count things for me",
    blueprint={**BLUEPRINT, "acceptance_checks": [CHECK]},
    answers=[("Alone or together?", "Alone"), ("With a sound?", "")],
    phases=[(1, "Basics", "Basics of the counter", True), (2, "More", "More of it", False)],
    files=FileChoice(
        (
            ChosenFile("index.html", "<title>Counter</title>\n"),
            ChosenFile("src/App.tsx", "export default () => null", 1),
        ),
        ("package-lock.json",),
    ),
    locked=["src/legal.ts"],
    wishes=["Make it red"],
    summary="They want it calm.",
    history=[("user", "Hi"), ("assistant", "Hello."), ("user", "Again")],
)
ASKING = dataclasses.replace(CONTEXT, files=dataclasses.replace(CONTEXT.files, can_ask=True))
PHASE = Phase.model_validate({**FIRST_PHASE, "install_commands": ["npm install zod@4"]})
PICTURES = [ImagePart("image/png", b"", "sketch.png"), ImagePart("image/png", b"", "page.png")]
IMPLEMENT = requests.implement_request(CONTEXT, 2, PHASE)


def _first_phase_of(starter: str) -> Callable[[], ModelRequest]:
    """Return what makes the first request for files of a project that begins from `starter`."""
    template = load_template(starter)
    context = ProjectContext(template=template, wish=CONTEXT.wish, blueprint=BLUEPRINT)
    pages = [
        p for p in template.important_files if p.startswith(("src/", "page/", "app/templates"))
    ]
    files = [{"path": path, "purpose": "the counter"} for path in pages]
    phase = Phase.model_validate({**FIRST_PHASE, "files": files})
    return lambda: requests.implement_request(context, 1, phase)


MADE: dict[str, Callable[[], ModelRequest]] = {
    "blueprint": lambda: requests.blueprint_request(
        dataclasses.replace(NOTHING_YET, starters=[TEMPLATE], may_ask=True)
    ),
    "blueprint_again": lambda: requests.blueprint_request(
        dataclasses.replace(
            CONTEXT,
            edited_fields=["title", "color_palette"],
            refused_plan="The plan leaves vite.config.ts as it is: the starter needs it so.",
        )
    ),
    "plan_phase": lambda: requests.plan_request(CONTEXT, 2, final=True),
    "implement_phase": lambda: IMPLEMENT,
    "implement_phase_without_a_package": lambda: requests.implement_request(
        CONTEXT, 2, PHASE, missing=["zod@4"]
    ),
    "implement_phase_with_pictures": lambda: with_images(IMPLEMENT, PICTURES, reference=True),
    "continue": lambda: requests.continue_request(
        IMPLEMENT, finished=["index.html"], cut=("app.js", "let a"), missing=["style.css"]
    ),
    "continue_file": lambda: requests.continue_request(
        IMPLEMENT,
        finished=["index.html"],
        cut=("app.js", "let a\nlet b"),
        missing=["style.css"],
        append=True,
    ),
    "resend": lambda: requests.resend_request(
        IMPLEMENT, [("src/App.tsx", "no place fits", "@@ -1 +1 @@")]
    ),
    "simpler": lambda: requests.simpler_request(IMPLEMENT, []),
    "simpler_one_file": lambda: requests.simpler_request(IMPLEMENT, ["index.html"]),
    "fix": lambda: requests.fix_request(
        CONTEXT, 2, ["The page answers 500 instead of 200."], ["patched index.html"]
    ),
    "fix_findings": lambda: requests.fix_request(
        CONTEXT, 2, ["src/App.tsx:1: Nothing is kept. (review 1)"], doubtful=True
    ),
    "fix_more_files": lambda: requests.fix_request(ASKING, 2, ["It shows 0."]),
    "fix_closer": lambda: requests.fix_request(
        CONTEXT, 2, ["It shows 0."], ["patched index.html", prompt("tasks/look_closer").text]
    ),
    "fix_whole_files": lambda: requests.fix_request(
        CONTEXT, 2, ["It shows 0."], ["patched index.html", prompt("tasks/send_whole").text]
    ),
    "debug": lambda: requests.debug_request(CONTEXT, 2, ["It shows 0."], ["patched App.tsx"]),
    "review": lambda: requests.review_request(CONTEXT, 2, ["src/App.tsx"], plan=PHASE),
    "review_again": lambda: requests.review_request(
        CONTEXT,
        2,
        ["src/App.tsx"],
        plan=PHASE,
        last=True,
        known=["index.html:1: The title is English. (no fault: the wish is, too)"],
        again=["src/App.tsx:1: Nothing is kept. (blocking)", "Nobody can sign in. (warning)"],
    ),
    "review_whole": lambda: requests.review_request(CONTEXT, 2, [], last=True, whole=True),
    "checks": lambda: requests.checks_request(CONTEXT, 2, ["It counts: no button Count"]),
    "regenerate_file": lambda: requests.regenerate_request(
        CONTEXT, "src/App.tsx", "export default () => null", "Make it blue"
    ),
    "summarize": lambda: requests.summarize_request(
        CONTEXT, [("user", "Hi"), ("assistant", "Yes")]
    ),
    "converse": lambda: requests.converse_request(
        CONTEXT, "Mark the style", activity="nothing runs", turn=1, changes=["phase 1 is done"]
    ),
    "converse_pictures": lambda: with_images(
        requests.converse_request(CONTEXT, "Like this", activity="nothing runs", turn=1), PICTURES
    ),
    "correction": lambda: correction_request(
        requests.plan_request(CONTEXT, 2, final=False), '{"name": 1}', "- name: should be a string"
    ),
    "converse_plan": lambda: requests.converse_request(
        dataclasses.replace(CONTEXT, history=[], phases=[]),
        "What is it for?",
        activity="nothing runs: the blueprint waits for the person's approval",
        turn=0,
        plan=["title", "acceptance_checks"],
    ),
    **{f"starter_{name}": _first_phase_of(name) for name in template_names()},
}
WITH_PROJECT = [n for n in MADE if not n.startswith(("blueprint", "summarize", "starter"))]
PROMPTS = sorted(p for p in resource("prompts").rglob("*.*") if p.name != "README.md")


@pytest.mark.parametrize("name", MADE)
def test_request(name: str) -> None:
    request = MADE[name]()
    turns = "".join(
        f"\n--- {turn.role}\n" + "\n--- (up to here a cache may keep it)\n".join(_pieces(turn))
        for turn in request.messages
    )
    written = f"--- system: {len(request.system)} characters of system.txt{turns}"
    _compare(GOLDEN / f"{name}.txt", written)


def _pieces(turn: ChatMessage) -> list[str]:
    ends = (0, *turn.stable_ends, len(turn.text))
    return [turn.text[begin:end] for begin, end in pairwise(ends)]


def _stable(turn: ChatMessage) -> str:
    return "".join(_pieces(turn)[:-1])


def _task(turn: ChatMessage) -> str:
    return _pieces(turn)[-1]


def test_the_system_prompt() -> None:
    _compare(GOLDEN / "system.txt", system_prompt())


def _compare(golden: Path, written: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(written, encoding="utf-8")
    assert written == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_a_request() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*MADE, "system"}


def test_the_system_prompt_is_the_same_for_every_operation_and_small() -> None:
    assert {make().system for make in MADE.values()} == {system_prompt()}
    # About four characters a token.
    assert len(system_prompt()) < 4 * 4500


def test_operations_on_the_same_project_begin_alike() -> None:
    parts = set()
    for name in WITH_PROJECT:
        first = MADE[name]().messages[0]
        parts.add(_stable(first))
    assert len(parts) == 1
    assert '<file path="src/App.tsx">' in parts.pop()


def test_the_shape_of_a_blueprint_names_every_field_in_order() -> None:
    shape = json.loads(blueprint_shape())
    assert list(shape) == list(Blueprint.model_fields)
    blueprint = Blueprint.model_validate(shape)
    assert blueprint.left_out == []
    assert set(shape["initial_phase"]) == set(Phase.model_fields)


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: str(path.stem))
def test_every_prompt_is_in_a_golden(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        text = prompt(_name(path)).text
    between_slots = (re.escape(piece.strip()) for piece in re.split(r"\{\{\w+\}\}", text))
    sent = re.compile(".*?".join(between_slots), re.DOTALL)
    assert any(sent.search(golden.read_text("utf-8")) for golden in GOLDEN.glob("*.txt"))


def _name(path: Path) -> str:
    return path.relative_to(resource("prompts")).with_suffix("").as_posix()


@pytest.mark.parametrize(
    "path", [p for p in PROMPTS if p.suffix == ".md"], ids=lambda path: str(path.stem)
)
def test_every_prompt_says_what_it_is_for(path: Path) -> None:
    name = _name(path)
    found = prompt(name)
    assert found.purpose.endswith(".")
    assert found.version >= 1
    assert found.purpose not in found.text
    assert name in found.label


def test_a_label_tells_texts_apart() -> None:
    one = prompt("tasks/fix")
    other = dataclasses.replace(one, text=f"{one.text} ")
    assert one.label != other.label


def test_pitfalls_follow_the_starter() -> None:
    react = framework_pitfalls(TEMPLATE)
    assert "StrictMode" in react
    assert "FastAPI" not in react
    python = dataclasses.replace(TEMPLATE, frameworks=("fastapi@0.120", "node:sqlite", "cobol"))
    assert framework_pitfalls(python).startswith("FastAPI:")
    assert "DatabaseSync" in framework_pitfalls(python)
    assert framework_pitfalls(dataclasses.replace(TEMPLATE, frameworks=())) == ""


@pytest.mark.parametrize("can_ask", [True, False])
def test_only_an_answer_that_may_is_told_how_to_ask_for_files(can_ask: bool) -> None:
    context = dataclasses.replace(
        CONTEXT, files=dataclasses.replace(CONTEXT.files, can_ask=can_ask)
    )
    asked = [
        requests.fix_request(context, 2, ["It shows 0."]),
        requests.converse_request(context, "Hi", activity="nothing runs", turn=1),
    ]
    for request in asked:
        assert ("[show " in request.messages[-1].text) is can_ask


def test_checks_that_are_due_are_named_when_a_phase_is_written() -> None:
    assert "It counts" in _task(IMPLEMENT.messages[0])
    earlier = requests.implement_request(CONTEXT, 1, PHASE).messages[0]
    assert "It counts" not in _task(earlier)


@pytest.mark.parametrize("slotlike", ["{{shape}}", "{{wish}}", "\\g<0>"])
def test_what_people_write_is_never_taken_for_a_slot(slotlike: str) -> None:
    context = dataclasses.replace(CONTEXT, wish=slotlike, wishes=[slotlike])
    assert slotlike in requests.blueprint_request(context).messages[0].text
    planned = requests.plan_request(context, 2, final=False).messages[0].text
    assert planned.count(slotlike) == 2


def test_turns_alternate_and_begin_with_the_person() -> None:
    history = [("assistant", "Hi"), ("user", "a"), ("user", "b"), ("assistant", ""), ("user", "c")]
    context = dataclasses.replace(NOTHING_YET, history=history)
    request = requests.converse_request(context, "now", activity="nothing runs", turn=3)
    roles = [turn.role for turn in request.messages]
    assert roles == ["user", "assistant", "user"]
    assert request.messages[0].text.endswith("a\n\nb\n\nc")
