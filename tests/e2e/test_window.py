"""The main job through the real window: a wish is typed, the app is built, seen, changed, kept.

Real Qt on a (virtual) screen, real engine, real HTTP to a loopback model server, real npm and Vite. With
VIBEDESK_SHOTS=FOLDER pictures of every state are kept there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from tests.e2e.studio import serving
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.processes import Leftovers
from tests.support.recordings import recording
from tests.support.window_person import CTRL, Key, Person, run_window
from vibedesk.base.paths import Home
from vibedesk.ui.dialogs.ask import AskDialog
from vibedesk.ui.home.prompt_box import PromptBox

# QtWebEngine wants this said before the application is made.
QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)

pytestmark = [pytest.mark.own_process, pytest.mark.e2e, pytest.mark.ui, pytest.mark.timeout(600)]

_SESSION = recording("expense-tracker")
_CONVERSATION = json.loads((_SESSION / "05-conversation.json").read_text("utf-8"))
_EXPECTED = json.loads((_SESSION / "expected.json").read_text("utf-8"))
_WISH = "Build me a dark expense tracker called Tally."
_MINE = "// mine: keep this\n"
_HEADING = "document.querySelector('h1')?.textContent"
_BUILD = 240.0


async def _wish(person: Person, text: str) -> None:
    box = person.visible(PromptBox)[0]
    await person.until(lambda: person.button("Plan it") is not None, "a model is there")
    person.click(box._field)
    person.type(text)
    await person.look("01-welcome-typed")
    person.key(Key.Key_Return)


async def _type_into(person: Person, path: str, text: str) -> None:
    """Open a file and type at its beginning."""
    person.session.show_file(path, pinned=True)
    await person.until(lambda: person.panels.editor.current_path == path, f"{path} is open")
    person.key(Key.Key_E, CTRL)
    await person.until(
        lambda: person.panels.editor.isAncestorOf(QApplication.focusWidget()), "focus in the editor"
    )
    person.key(Key.Key_Home, CTRL)
    for line in text.splitlines():
        person.type(line)
        person.key(Key.Key_Return)


async def _first_sitting(person: Person, model: ModelServer) -> None:
    await _wish(person, _WISH)
    await person.until(lambda: person.window.page == "workspace", "the project opens")
    await person.until(lambda: person.state == "blueprinting", "the plan is made")
    await person.look("02-blueprinting")
    await person.until(lambda: person.state == "awaiting_approval", "the plan is ready", _BUILD)
    await person.look("03-awaiting-approval")
    assert _WISH in person.words(person.panels.chat)
    assert "The plan is ready for you" in person.words(person.window.workspace.phase_bar)
    await person.press("Start building", person.panels.chat)
    await person.until(
        lambda: "src/lib/format.ts" in person.session.run.finished, "format.ts is written", _BUILD
    )
    # The next phase stands still in its first file until it is stopped there, however long the page takes.
    model.fail(faults.stall(after_chars=600, how="pings"), operation="implement_phase")
    await _type_into(person, "src/lib/format.ts", _MINE)
    await person.look("04-typed-while-writing")
    await person.until(
        lambda: person.session.run.phase_number == 2 and person.state == "implementing_phase",
        "phase 2 is written",
        _BUILD,
    )
    await person.until_page(_HEADING, "Tally")
    await person.look("05-phase-2")
    person.window.close()
    dialog = await person.until(lambda: person.visible(AskDialog), "closing asks")
    await person.look("06-close-asks")
    await person.press("Cancel", dialog[0])
    await person.to_front()
    person.key(Key.Key_Period, CTRL)
    await person.until(lambda: person.state == "idle", "stopped")
    await person.until(lambda: person.button("Continue", person.panels.chat), "a card to go on")
    await person.look("07-stopped")


async def _second_sitting(person: Person) -> None:
    await person.until(lambda: "Tally" in person.words(), "the project is listed")
    await person.look("08-welcome-again")
    project = (await person.engine.projects())[0]
    person.controller.open_project(project.id)
    await person.until(lambda: person.controller._session, "it opens")
    await person.until(lambda: person.button("Continue", person.panels.chat), "a card to go on")
    await person.look("09-opened-again")
    await _start_a_second_time(person)
    await person.press("Continue", person.panels.chat)
    await person.until(lambda: person.state == "complete", "complete", 2 * _BUILD)
    await person.until_page(_HEADING, "Tally")
    assert set(_EXPECTED["files"]) <= set(person.panels.files.paths)
    view = await person.engine.project(project.id)
    assert (Path(view.folder) / "src/lib/format.ts").read_text().startswith(_MINE)
    assert (await person.engine.read_file(project.id, "src/lib/format.ts")).startswith(_MINE)
    await person.look("10-complete")
    await _look_from_all_sides(person)


async def _start_a_second_time(person: Person) -> None:
    """A second start raises the window that is there, and ends."""
    person.window.showMinimized()
    await person.until(person.window.isMinimized, "minimised")
    second = _start_program()
    await person.until(lambda: second.poll() is not None, "the second start ends")
    assert second.returncode == 0
    await person.until(lambda: not person.window.isMinimized(), "raised")


def _start_program() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "vibedesk", "--home", os.environ["VIBEDESK_HOME"]]
    )


async def _look_from_all_sides(person: Person) -> None:
    for scheme in ("dark", "light"):
        person.set_scheme(scheme)
        for size in ((1600, 1000), (1280, 800), (960, 620)):
            await person.look(f"11-complete-{scheme}-{size[0]}", size)
    person.set_scheme("dark")


async def _third_sitting(person: Person) -> None:
    """The finished app starts by itself; a wish in the chat changes it."""
    project = (await person.engine.projects())[0]
    person.controller.open_project(project.id)
    await person.until(lambda: person.controller._session, "it opens")
    await person.until_page(_HEADING, "Tally")
    assert person.state == "complete"
    assert "App is running" in person.words(person.window._status)
    assert _WISH in person.words(person.panels.chat)
    await person.look("12-preview-by-itself")
    await person.to_front()
    person.key(Key.Key_L, CTRL)
    person.type(_CONVERSATION["user"])
    person.key(Key.Key_Return)
    await person.until(
        lambda: "src/components/BudgetBar.tsx" in person.panels.files.paths, "the change comes"
    )
    await person.until(lambda: person.state == "complete", "complete again", _BUILD)
    await person.until_page("document.body.innerText.includes('Set a monthly budget')", True)
    words = person.words(person.panels.chat)
    assert _CONVERSATION["user"] in words
    await person.look("13-changed")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with serving(monkeypatch, _SESSION, text_sizes=(160,), delay_s=0.1) as server:
        yield server


def test_a_wish_becomes_a_running_app_that_is_stopped_continued_changed_and_kept(
    leftovers: Leftovers, qapp: QApplication, home: Home, model: ModelServer
) -> None:
    for sitting in (partial(_first_sitting, model=model), _second_sitting, _third_sitting):
        assert run_window(qapp, home, sitting) == 0
        assert leftovers() == []
    assert not model.unanswered
