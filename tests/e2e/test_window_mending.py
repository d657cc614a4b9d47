"""An error that the person meets in the preview, from the banner over the page to the mend, through the real window.

As in test_window, everything is real: Qt, engine, HTTP to a loopback model server, the sandbox, and the browser that
runs the acceptance checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from tests.e2e.studio import serving
from tests.support import model_faults as faults
from tests.support.mendable_app import GOOD, check, make_mendable_template, script_app
from tests.support.model_server import ModelServer
from tests.support.tiny_app import whole
from tests.support.window_person import CTRL, Key, Person, run_window
from vibedesk.base.paths import Home
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.chat.activity_card import ActivityCard

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)

pytestmark = [pytest.mark.own_process, pytest.mark.e2e, pytest.mark.ui, pytest.mark.timeout(240)]

_THROWS = GOOD.replace("+ 1", "+ step")
_MENDED = GOOD + "// counts in ones\n"
_THROWN = "ReferenceError: step is not defined"
_MINE = "// mine: keep this\n"
_COUNT = "document.querySelector('output').textContent"
_BUILD = 120.0


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("VIBEDESK_REVIEW", "full")
    with serving(monkeypatch) as server:
        script_app(server, GOOD, checks=[check()])
        server.answer(json.dumps({"findings": []}), operation="review")
        server.answer(json.dumps({"checks": [], "corrected": []}), operation="checks")
        yield server


async def _finished_app(person: Person, template: Path) -> None:
    """Have an app built, and open it."""
    await person.engine.set_setting("fix.automatic", False)  # the person says when
    project_id = await person.engine.create("A counter", ProjectOptions(template=str(template)))
    await person.engine.generate(project_id)
    person.controller.open_project(project_id)
    await person.until(lambda: person.controller._session, "it opens")
    await person.until(lambda: person.state == "complete", "complete", _BUILD)
    await person.until_page(_COUNT, "0")


async def _use(person: Person) -> None:
    """Click the app's button in the preview."""
    await person.page("document.querySelector('button').click()")


async def _break_it(person: Person) -> None:
    """Change the app in another editor, and load its page again: now the button throws."""
    editor = person.panels.editor
    person.session.show_file("app.js", pinned=True)
    await person.until(lambda: editor.text("app.js") == GOOD, "app.js is open")
    (Path(person.session.folder) / "app.js").write_text(_THROWS, "utf-8")
    await person.until(lambda: editor.text("app.js") == _THROWS, "the change is seen")
    await _reload(person)


async def _reload(person: Person) -> None:
    """This app's server does not tell its page of changes, as those of the starters do."""
    await person.press("Reload preview", person.panels.preview)
    await person.until(lambda: person.panels.preview.state == "live", "it is loaded again")


async def _type_at_the_beginning(person: Person, text: str) -> None:
    await person.to_front()
    person.key(Key.Key_E, CTRL)
    person.key(Key.Key_Home, CTRL)
    for line in text.splitlines():
        person.type(line)
        person.key(Key.Key_Return)


def test_an_error_met_in_the_preview_is_mended_checked_and_costs_nothing_that_was_typed(
    qapp: QApplication, home: Home, model: ModelServer, tmp_path: Path
) -> None:
    fix = whole("app.js", _MENDED)
    model.answer(fix, operation="fix")
    model.fail(faults.stall(after_chars=len(fix) // 2), operation="fix")
    template = make_mendable_template(tmp_path / "mendable")

    async def scenario(person: Person) -> None:
        await _finished_app(person, template)
        banner, problems = person.panels.preview.error_banner, person.panels.problems
        await _break_it(person)
        await _use(person)
        await person.until(banner.isVisible, "the banner")
        await person.until(lambda: problems.problems, "it is known")
        assert banner.message == _THROWN
        await person.look("30-error-met")

        # A check sees it as well, so a mend of it can be looked at.
        await person.press("Checks", person.panels.dock)
        await person.press("Run checks", person.panels.dock)
        checks = person.panels.checks
        await person.until(lambda: [c.state for c in checks.checks] == ["failed"], "it fails")
        await person.press("Fix it", banner)
        editor = person.panels.editor
        await person.until(lambda: editor.text("app.js") != _THROWS, "the mend streams in")
        assert "Fixing it now" in banner._busy.text()
        await _type_at_the_beginning(person, _MINE)
        await person.look("31-typed-while-mended")
        model.release()
        await person.until(lambda: person.state == "complete", "mended", _BUILD)

        assert banner.isHidden()
        assert problems.problems == ()
        # What was typed may have come after the check had begun, which is told as well.
        assert [c.result.passed for c in checks.checks] == [True]
        cards = [card.text() for card in person.panels.chat.findChildren(ActivityCard)]
        assert f"Fixed, {_THROWN} · 1 file, checked, done" in cards
        on_disk = Path(person.session.folder) / "app.js"
        assert editor.text("app.js") == _MINE + _MENDED
        await person.until(lambda: on_disk.read_text("utf-8") == _MINE + _MENDED, "on disk")
        await _reload(person)
        await _use(person)
        await person.until_page(_COUNT, "1")
        await person.look("32-mended")
        assert len(model.requests_for("fix")) == 1

    assert run_window(qapp, home, scenario) == 0
    assert model.unanswered == []
