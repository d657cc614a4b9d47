"""The window when things go another way: changed plans, rejected keys, stopped servers, first starts, samples.

As in test_window, everything is real: Qt, engine, HTTP to a loopback model server, npm, Vite.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from tests.e2e.studio import blueprint, serving, whole_file
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.window_person import CTRL, Key, Person, run_window
from vibedesk.base.paths import Home
from vibedesk.ui.chat.outcome_cards import CompleteCard, ErrorCard
from vibedesk.ui.dialogs.consent import ConsentDialog
from vibedesk.ui.dialogs.model_setup import ModelSetupDialog
from vibedesk.ui.home.prompt_box import PromptBox

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)

pytestmark = [pytest.mark.own_process, pytest.mark.e2e, pytest.mark.ui, pytest.mark.timeout(300)]

_FILES = {
    "src/App.tsx": "import { words } from './words'\n\n"
    "export default function App() {\n  return <h1>{words}</h1>\n}\n",
    "src/words.ts": "export const words = 'Hello'\n",
}
_ANSWER = "".join(whole_file(path, text) for path, text in _FILES.items())
_HEADING = "document.querySelector('h1')?.textContent"
_BUILD = 120.0


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with serving(monkeypatch) as server:
        yield server


async def _wish(person: Person, text: str = "A greeting card") -> None:
    await person.until(lambda: person.button("Plan it") is not None, "a model is there")
    person.click(person.visible(PromptBox)[0]._field)
    person.type(text)
    person.key(Key.Key_Return)
    await person.until(lambda: person.controller._session is not None, "the project opens")


async def _say(person: Person, text: str) -> None:
    await person.to_front()
    person.key(Key.Key_L, CTRL)
    person.type(text)
    person.key(Key.Key_Return)


def test_the_plan_is_changed_in_words_and_by_hand_and_a_rejected_key_is_no_dead_end(
    qapp: QApplication, home: Home, model: ModelServer
) -> None:
    for _ in range(2):
        model.answer(blueprint(*_FILES), operation="blueprint")
    model.answer(_ANSWER, operation="implement_phase")
    for said in (
        "It is a card that greets.\n\n[no change]",
        "I take that into the plan.",
        "It greets, and that is all.\n\nNo change is needed.",
    ):
        model.answer(said, operation="converse")

    async def scenario(person: Person) -> None:
        await _wish(person)
        await person.until(lambda: person.state == "awaiting_approval", "the plan is ready")
        await _say(person, "What is it for?")
        await person.until(
            lambda: "It is a card that greets." in person.words(person.panels.chat), "answered"
        )
        assert person.state == "awaiting_approval"
        assert person.button("Start building", person.panels.chat) is not None
        assert len(model.requests_for("blueprint")) == 1
        await person.press("Open blueprint", person.panels.chat)
        await person.look("20-blueprint-page")
        await person.press("Ask for changes")
        person.type("Make it friendlier")
        # The new plan comes once the window knows that it is made; until then it shows the old one as ready.
        model.fail(faults.stall(), operation="blueprint")
        person.key(Key.Key_Return)
        await person.until(lambda: person.state == "blueprinting", "it is made anew")
        await person.until(lambda: len(model.requests_for("blueprint")) == 2, "asked anew")
        model.release()
        await person.until(lambda: person.state == "awaiting_approval", "the new plan is ready")
        assert "Make it friendlier" in str(model.requests_for("blueprint")[1].body)
        await person.press("Open blueprint", person.panels.chat)
        title = next(
            f for f in person.visible(QLineEdit) if f.accessibleName() == "Title of the app"
        )
        person.click(title)
        title.selectAll()
        person.type("Kind card")
        model.fail(faults.status(401), operation="implement_phase", times=2)
        await person.press("Start building", person.panels.chat)
        await person.until(lambda: person.state == "error", "the key is rejected", _BUILD)
        card = person.visible(ErrorCard)[-1]
        assert "does not accept the key" in card.text()
        assert person.button("Set up the model", card) is not None
        await person.look("21-key-rejected")
        view = await person.engine.project(person.session.project_id)
        assert view.blueprint["title"] == "Kind card"
        await person.press("Try again", card)
        await person.until(lambda: person.state == "complete", "complete", _BUILD)
        assert "Kind card is ready" in person.visible(CompleteCard)[-1].text()
        model.fail(faults.status(401), operation="converse", times=2)
        await _say(person, "What does it do?")
        await person.until(lambda: len(person.visible(ErrorCard)) > 1, "the answer fails")
        await person.press("Try again", person.visible(ErrorCard)[-1])
        await person.until(
            lambda: "It greets, and that is all." in person.words(person.panels.chat), "answered"
        )

    assert run_window(qapp, home, scenario) == 0


def test_a_running_app_follows_edits_from_everywhere_and_starts_again_after_a_crash(
    qapp: QApplication, home: Home, model: ModelServer
) -> None:
    model.answer(blueprint(*_FILES), operation="blueprint")
    model.answer(_ANSWER, operation="implement_phase")

    async def scenario(person: Person) -> None:
        await _wish(person)
        await person.press("Start building", person.panels.chat)
        await person.until(lambda: person.state == "complete", "complete", _BUILD)
        await person.until_page(_HEADING, "Hello")
        await _edit_outside(person)
        await _edit_inside(person)
        await _use_every_shortcut_from_the_code(person)
        await _lose_the_server(person)

    async def _edit_outside(person: Person) -> None:
        editor = person.panels.editor
        person.session.show_file("src/words.ts", pinned=True)
        await person.until(lambda: editor.current_path == "src/words.ts", "it opens")
        on_disk = Path(person.session.folder) / "src/words.ts"
        on_disk.write_text("export const words = 'From outside'\n")
        await person.until(lambda: "From outside" in (editor.text("src/words.ts") or ""), "seen")
        await person.until_page(_HEADING, "From outside")

    async def _edit_inside(person: Person) -> None:
        await person.to_front()
        person.key(Key.Key_E, CTRL)
        person.key(Key.Key_Home, CTRL)
        person.type("// ")
        person.key(Key.Key_Return)
        folder = Path(person.session.folder)
        await person.until(
            lambda: (folder / "src/words.ts").read_text().startswith("// \n"), "on disk"
        )

    async def _use_every_shortcut_from_the_code(person: Person) -> None:
        workspace, panels = person.window.workspace, person.panels
        before = panels.editor.text("src/words.ts")
        for key, seen in (
            (Key.Key_J, lambda: workspace.dock_collapsed),
            (Key.Key_J, lambda: not workspace.dock_collapsed),
            (Key.Key_2, lambda: workspace.mode == "code"),
            (Key.Key_1, lambda: workspace.mode == "build"),
            (Key.Key_B, lambda: not workspace.tree_shown),
            (Key.Key_B, lambda: workspace.tree_shown),
            (Key.Key_L, lambda: panels.chat.isAncestorOf(QApplication.focusWidget())),
        ):
            person.key(Key.Key_E, CTRL)
            assert panels.editor.isAncestorOf(QApplication.focusWidget())
            person.key(key, CTRL)
            await person.until(seen, f"Ctrl+{key.name[4:]}")
        person.key(Key.Key_E, CTRL)
        person.key(Key.Key_D, CTRL)
        assert panels.editor.text("src/words.ts") == before
        person.key(Key.Key_W, CTRL)
        await person.until(lambda: panels.editor.current_path != "src/words.ts", "closed")

    async def _lose_the_server(person: Person) -> None:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # one that is ending just now
                if "vite" in " ".join(process.cmdline()):
                    os.kill(process.pid, signal.SIGKILL)
        await person.until(lambda: person.panels.preview.state == "stopped", "it is noticed")
        await person.look("22-server-crashed")
        await person.press("Start the app", person.panels.preview)
        await person.until_page(_HEADING, "From outside")

    assert run_window(qapp, home, scenario) == 0


def test_a_sample_offers_its_message_and_refuses_others_without_losing_them(
    qapp: QApplication, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIBEDESK_SAMPLE_PACE", "0")

    async def scenario(person: Person) -> None:
        person._program.welcome_page().sample_chosen.emit("kanban-board")
        await person.until(lambda: person.controller._session is not None, "it opens")
        await person.until(lambda: person.state == "complete", "complete", _BUILD)
        assert "Recorded example. No model is asked." in person.words(person.panels.chat)
        chat = person.panels.chat
        await _say(person, "Paint it pink")
        await person.until(lambda: "recorded example" in person.words(person.window), "refused")
        await person.until(lambda: chat.draft() == "Paint it pink", "the words are kept")
        await person.look("23-sample-refuses")
        chat.set_draft("")
        offered = (await person.engine.project(person.session.project_id)).suggestions[0]
        await person.press(f"Ask: {offered}", chat)
        assert chat.draft() == offered
        person.key(Key.Key_Return)
        await person.until(
            lambda: person.state == "complete" and len(person.visible(CompleteCard)) > 1,
            "changed",
            _BUILD,
        )

    assert run_window(qapp, home, scenario) == 0


def test_without_a_model_the_first_start_leads_to_one(qapp: QApplication, home: Home) -> None:
    async def scenario(person: Person) -> None:
        await person.look("24-no-model")
        await person.press("Add a model first")
        dialog = (await person.until(lambda: person.visible(ModelSetupDialog), "it asks"))[0]
        dialog._key.setFocus()
        dialog._key.setText("sk-ant-test")
        await person.press("Use this model", dialog)
        await person.until(lambda: "keychain" in dialog._problem.text(), "it says what is wrong")
        assert "passphrase" in dialog._problem.text()
        await person.look("25-no-keychain")
        await person.press("Not now", dialog)

    assert run_window(qapp, home, scenario) == 0


def test_without_bubblewrap_nothing_runs_before_the_person_agrees(
    qapp: QApplication, home: Home, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.answer(blueprint(*_FILES), operation="blueprint")
    empty = home.root / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))

    async def scenario(person: Person) -> None:
        await person.until(lambda: person.button("Plan it") is not None, "a model is there")
        person.click(person.visible(PromptBox)[0]._field)
        person.type("A greeting card")
        person.key(Key.Key_Return)
        dialog = (await person.until(lambda: person.visible(ConsentDialog), "it asks"))[0]
        await person.look("26-consent")
        await person.press("Don't run it", dialog)
        await person.until(lambda: person.button("Plan it").isEnabled(), "nothing happened")
        assert await person.engine.projects() == []
        assert person.visible(PromptBox)[0].text() == "A greeting card"
        await person.press("Plan it")
        dialog = (await person.until(lambda: person.visible(ConsentDialog), "it asks again"))[0]
        await person.press("Run with my rights", dialog)
        await person.until(lambda: person.controller._session is not None, "the project opens")
        await person.until(lambda: person.state == "awaiting_approval", "the plan is ready")

    assert run_window(qapp, home, scenario) == 0
