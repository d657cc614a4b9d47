"""`vibedesk check`: the acceptance checks in a real browser and the security review, from the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.command_line import Finished, processes_of, running, vibedesk
from tests.engine.review.security_cases import STRIPE
from tests.support.mendable_app import GOOD, IDLE_BUTTON, check, make_mendable_template, script_app
from tests.support.model_server import serve_in_thread

pytestmark = pytest.mark.e2e

STEPS = [{"do": "goto", "path": "/"}, {"do": "expectText", "selector": "h1", "text": "Counter"}]


@dataclass(frozen=True, slots=True)
class App:
    """A built app whose plan has two checks."""

    home: Path
    project_id: str
    env: dict[str, str]

    @property
    def folder(self) -> Path:
        return Path(vibedesk("show", self.project_id, "--json", home=self.home).json["folder"])

    def check(self, *options: str) -> Finished:
        return vibedesk("check", self.project_id, *options, home=self.home, env=self.env)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    root = tmp_path_factory.mktemp("check")
    template = make_mendable_template(root / "template")
    with serve_in_thread() as server:
        script_app(server, GOOD, checks=[check(), {"name": "Opens", "phase": 1, "steps": STEPS}])
        env = {**server.environment(), "VIBEDESK_REVIEW": "full"}
        wanted = ("--template", str(template), "--sandbox", "local", "--json")
        built = vibedesk("build", "Count things", *wanted, home=root / "home", env=env)
        assert built.status == 0, built.stderr
        yield App(root / "home", built.project_id, env)


def test_what_passes_is_listed_and_nothing_keeps_running(app: App) -> None:
    done = app.check()
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["pass  Counts", "pass  Opens", "2 of 2 checks pass."]
    assert processes_of(str(app.folder)) == []


def test_an_edit_that_breaks_the_app_and_a_key_in_its_code_are_found(app: App) -> None:
    script = app.folder / "app.js"
    try:
        script.write_text(f'{IDLE_BUTTON}export const stripe = "{STRIPE}";\n', "utf-8")
        done = app.check("--security")
        assert done.status == 1
        shown = done.stdout.splitlines()
        assert shown[0] == "FAIL  Counts"
        assert shown[1].startswith("      Step 3: See “1”")
        assert "pass  Opens" in shown
        assert "1 of 2 checks pass." in shown
        [found] = [line for line in shown if "app.js:2" in line]
        assert found.startswith(("critical", "blocking"))
        assert STRIPE not in done.stdout
        # The starter's packages are from nowhere that could be asked for known holes, which is a warning.
        assert shown[-1] == "2 findings of the security review; 1 must be mended first."

        told = app.check("--security", "--json")
        assert told.status == 1
        report = told.json
        assert report["ready"] is False
        assert [(c["name"], c["passed"], c["step"]) for c in report["checks"]] == [
            ("Counts", False, 2),
            ("Opens", True, None),
        ]
        gravest = report["findings"][0]
        assert (gravest["file"], gravest["line"]) == ("app.js", 2)

        script.write_text(f'{GOOD}export const stripe = "{STRIPE}";\n', "utf-8")
        assert app.check().status == 0, "without --security only the checks count"
        assert app.check("--security").status == 1, "a key in the code keeps it from going out"
    finally:
        script.write_text(GOOD, "utf-8")
    done = app.check("--security")
    assert done.status == 0, done.stdout
    last = done.stdout.splitlines()[-1]
    assert last == "1 finding of the security review; none must be mended first."


def test_it_can_be_interrupted(app: App) -> None:
    with running("check", app.project_id, "--verbose", home=app.home, env=app.env) as command:
        command.wait_for("The dev server is starting")
        command.interrupt()
        done = command.wait()
    assert done.status == 130
    assert "Traceback" not in done.stderr
    assert processes_of(str(app.folder)) == []


def test_where_the_browser_is_switched_off_it_says_how_to_switch_it_on(app: App) -> None:
    env = {**app.env, "VIBEDESK_REVIEW": "page"}
    done = vibedesk("check", app.project_id, home=app.home, env=env)
    assert done.status == 1
    done.assert_one_sentence("browser", "VIBEDESK_REVIEW=full")


def test_before_anything_is_built_there_is_nothing_to_check(app: App, tmp_path: Path) -> None:
    with serve_in_thread() as server:
        template = make_mendable_template(tmp_path / "template")
        wanted = ("--template", str(template), "--sandbox", "local", "--json")
        env = server.environment()
        failed = vibedesk("build", "Count things", *wanted, home=tmp_path / "home", env=env)
        assert failed.status == 1
        done = vibedesk("check", failed.project_id, home=tmp_path / "home", env=env)
    assert done.status == 1
    done.assert_one_sentence("nothing to check yet")
