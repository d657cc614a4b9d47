"""What models are asked, word for word. `UPDATE_GOLDEN=1` writes the files anew; read the difference."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.tiny_app import BLUEPRINT, FIRST_PHASE
from vibedesk.engine.builder import context as requests
from vibedesk.engine.builder.context import ProjectContext
from vibedesk.engine.builder.schemas import Phase
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.models.protocol import ModelRequest

GOLDEN = Path(__file__).parents[2] / "golden"
CONTEXT = ProjectContext(
    template=load_template("react-vite"),
    wish="Count things for me",
    blueprint=BLUEPRINT,
    phases=[(1, "Basics", "Basics of the counter", True), (2, "More", "More of it", False)],
    files={"src/App.tsx": "export default () => null;\n", "package-lock.json": "{}" * 5000},
    wishes=["Make it red"],
    history=[("user", "Hi"), ("assistant", "Hello."), ("user", "Again")],
)
PHASE = Phase.model_validate({**FIRST_PHASE, "install_commands": ["npm install zod@4"]})
IMPLEMENT = requests.implement_request(CONTEXT, 2, PHASE)
MADE: dict[str, Callable[[], ModelRequest]] = {
    "blueprint": lambda: requests.blueprint_request(CONTEXT),
    "plan_phase": lambda: requests.plan_request(CONTEXT, 2, final=True),
    "implement_phase": lambda: IMPLEMENT,
    "continue": lambda: requests.continue_request(
        IMPLEMENT, finished=["index.html"], cut=("app.js", "let a"), missing=["style.css"]
    ),
    "resend": lambda: requests.resend_request(
        IMPLEMENT, [("src/App.tsx", "no place fits", "@@ -1 +1 @@")]
    ),
    "fix": lambda: requests.fix_request(CONTEXT, 2, ["The page answers 500 instead of 200."]),
    "converse": lambda: requests.converse_request(
        CONTEXT, "Mark the style", activity="nothing runs", turn=1
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_request(name: str) -> None:
    request = MADE[name]()
    turns = "".join(f"\n--- {turn.role}\n{turn.text}" for turn in request.messages)
    written = f"--- system\n{request.system}{turns}"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(written, encoding="utf-8")
    assert written == golden.read_text(encoding="utf-8")


def test_the_system_prompt_is_the_same_for_every_operation() -> None:
    assert len({make().system for make in MADE.values()}) == 1


def test_lock_files_and_what_is_too_much_are_only_named() -> None:
    files = {"a.ts": "a" * 100, "big.ts": "b" * 300_000, "package-lock.json": "{}"}
    text = requests._listing(files)
    assert "a" * 100 in text
    assert "Not shown: big.ts, package-lock.json" in text


@pytest.mark.parametrize("slotlike", ["{{schema}}", "{{wish}}", "\\g<0>"])
def test_what_people_write_is_never_taken_for_a_slot(slotlike: str) -> None:
    context = ProjectContext(template=CONTEXT.template, wish=slotlike, blueprint=None)
    assert f"{slotlike}" in requests.blueprint_request(context).messages[0].text


def test_turns_alternate_and_begin_with_the_person() -> None:
    history = [("assistant", "Hi"), ("user", "a"), ("user", "b"), ("assistant", ""), ("user", "c")]
    context = ProjectContext(template=CONTEXT.template, wish="x", blueprint=None, history=history)
    request = requests.converse_request(context, "now", activity="nothing runs", turn=3)
    roles = [turn.role for turn in request.messages]
    assert roles == ["user", "assistant", "user"]
    assert request.messages[0].text == "a\n\nb\n\nc"
