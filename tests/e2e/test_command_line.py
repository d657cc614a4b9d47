"""The command line from outside: exit statuses, sentences, Ctrl-C, and what is there afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.command_line import (
    Finished,
    assert_gapless,
    processes_of,
    running,
    servers_of,
    vibedesk,
)
from tests.support import model_faults as faults
from tests.support.mendable_app import (
    GOOD,
    MESSAGE,
    STUCK,
    WRONG,
    check,
    make_mendable_template,
    script_app,
)
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import (
    APP,
    BLUEPRINT,
    FIRST,
    LATER,
    PAGE,
    SAID,
    SECOND,
    SECOND_PHASE,
    TINY_TEMPLATE,
    script_tiny_app,
    whole,
)

pytestmark = pytest.mark.e2e

WISH = "Count things for me"
TINY = ("--template", str(TINY_TEMPLATE), "--sandbox", "local")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server with every answer of the tiny app."""
    with serve_in_thread() as server:
        script_tiny_app(server)
        yield server


def build(server: ModelServer, root: Path, *options: str) -> Finished:
    return vibedesk("build", WISH, *TINY, "--json", *options, home=root, env=server.environment())


def say(server: ModelServer, root: Path, project_id: str) -> Finished:
    env = server.environment()
    return vibedesk("say", project_id, "a settings page", "--json", home=root, env=env)


def shown(root: Path, project_id: str) -> dict[str, object]:
    view = vibedesk("show", project_id, "--json", home=root).json
    assert isinstance(view, dict)
    return view


def write_recording(folder: Path) -> Path:
    """Write the tiny app as a recorded session, with one message that it answers."""
    replies = [
        ("01-blueprint.json", "blueprint", 1, json.dumps(BLUEPRINT)),
        ("02-implement-1.scof", "implement", 1, "".join(FIRST)),
        ("03-phase-2.json", "phase", 2, json.dumps(SECOND_PHASE)),
        ("04-implement-2.scof", "implement", 2, "".join(SECOND)),
    ]
    reply, _, scof = SAID.partition("\n\n")
    said = json.dumps({"user": "mark the style", "reply": reply, "scof": scof})
    folder.mkdir()
    for name, _, _, text in (*replies, ("05-conversation.json", "conversation", 0, said)):
        (folder / name).write_text(text, encoding="utf-8")
    order = [{"file": name, "kind": kind, "phase": phase} for name, kind, phase, _ in replies]
    order.append({"file": "05-conversation.json", "kind": "conversation"})
    manifest = {"slug": "counter", "order": order, "variants": {}}
    (folder / "session.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "prompt.txt").write_text(WISH, encoding="utf-8")
    return folder


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("build", ""), "empty"),
            (("build", "   \n"), "empty"),
            (("build",), "empty"),
            (("build", "x", "--max-phases", "0"), "max-phases"),
            (("build", "x", "--max-phases", "many"), "max-phases"),
            (("build", "x", "--budget", "-1"), "budget"),
            (("build", "x", "--sandbox", "cloud"), "sandbox"),
            (("build", "x", "--no-such-option"), "--no-such-option"),
            (("bild", "x"), "bild"),
            (("show",), "ID"),
            (("say", "some-project", " "), "empty"),
        ],
    )
    def test_is_exit_status_2_and_makes_nothing(
        self, root: Path, arguments: tuple[str, ...], word: str
    ) -> None:
        done = vibedesk(*arguments, home=root)
        assert done.status == 2
        assert done.stdout == ""
        done.assert_one_sentence(word)
        assert not root.exists()


class TestWhatIsNotThere:
    @pytest.mark.parametrize(
        "command",
        [
            ("show", "nothing"),
            ("files", "nothing"),
            ("history", "nothing"),
            ("resume", "nothing"),
            ("say", "nothing", "hello"),
            ("restore", "nothing", "abcdef"),
            ("check", "nothing"),
            ("snapshot", "nothing"),
            ("regenerate", "nothing", "a.js", "--instructions", "Shorter"),
            ("delete", "nothing"),
        ],
        ids=lambda command: command[0],
    )
    def test_an_unknown_project_is_a_sentence(self, root: Path, command: tuple[str, ...]) -> None:
        done = vibedesk(*command, home=root)
        assert done.status == 1
        done.assert_one_sentence("nothing")
        assert not root.exists()

    def test_export_of_an_unknown_project_makes_no_folder(self, root: Path, tmp_path: Path) -> None:
        done = vibedesk("export", "nothing", str(tmp_path / "out"), home=root)
        assert done.status == 1
        done.assert_one_sentence("nothing")
        assert not (tmp_path / "out").exists()

    def test_an_unknown_sample_suggests_the_nearest(self, root: Path) -> None:
        done = vibedesk("build", "--sample", "kanban-bord", home=root)
        assert done.status == 1
        done.assert_one_sentence("kanban-bord", "Did you mean kanban-board?")

    @pytest.mark.parametrize(
        ("option", "value", "word"),
        [("--template", "no-such", "react-vite"), ("--provider", "antropic", "anthropic")],
    )
    def test_an_unknown_template_or_provider_names_what_there_is(
        self, root: Path, server: ModelServer, option: str, value: str, word: str
    ) -> None:
        env = server.environment()
        done = vibedesk("build", WISH, option, value, home=root, env=env)
        assert done.status == 1
        done.assert_one_sentence(value, word)
        assert vibedesk("projects", "--json", home=root).json == []

    def test_without_a_model_it_says_how_to_set_one_up(self, root: Path) -> None:
        done = vibedesk("build", WISH, *TINY, home=root)
        assert done.status == 1
        done.assert_one_sentence("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
        assert vibedesk("projects", "--json", home=root).json == []

    def test_no_projects_yet(self, root: Path) -> None:
        assert vibedesk("projects", "--json", home=root).json == []
        done = vibedesk("projects", home=root)
        assert (done.status, done.stdout) == (0, "There are no projects yet.\n")
        assert not root.exists()


class TestBuild:
    def test_without_json_it_prints_plain_lines(self, server: ModelServer, root: Path) -> None:
        done = vibedesk("build", WISH, *TINY, home=root, env=server.environment())
        assert done.status == 0, done.stderr
        assert "\x1b" not in done.stdout
        assert "\r" not in done.stdout
        for line in ("Making the blueprint", "wrote app.js", "phase 2 is complete", "Done: "):
            assert line in done.stdout

    def test_out_gets_the_files(self, server: ModelServer, root: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        done = build(server, root, "--out", str(out))
        assert done.status == 0, done.stderr
        assert (out / "index.html").read_text() == PAGE
        assert (out / "later.js").read_text() == LATER
        assert not (out / ".git").exists()
        assert not (out / "node_modules").exists()

    def test_out_that_is_not_empty_is_refused_before_anything_is_asked(
        self, server: ModelServer, root: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        done = build(server, root, "--out", str(tmp_path))
        assert done.status == 1
        done.assert_one_sentence("not empty")
        assert server.requests == []
        assert vibedesk("projects", "--json", home=root).json == []

    def test_max_phases_ends_the_build(self, server: ModelServer, root: Path) -> None:
        done = build(server, root, "--max-phases", "1")
        assert done.status == 0, done.stderr
        assert done.of_type("generation_complete") == [
            {"files": done.of_type("generation_complete")[0]["files"], "phases": 1}
        ]
        assert [r.operation for r in server.requests] == ["blueprint", "implement_phase"]

    def test_a_budget_that_is_used_up_ends_idle_with_the_reason(
        self, server: ModelServer, root: Path
    ) -> None:
        done = build(server, root, "--model", "claude-sonnet-5-5", "--budget", "0.000001")
        assert done.status == 1
        done.assert_one_sentence("budget")
        assert done.states[-1] == "idle"
        assert [r.operation for r in server.requests] == ["blueprint"]
        assert len(done.of_type("budget_warning")) == 1
        view = shown(root, done.project_id)
        assert view["state"] == "idle"
        assert "budget" in str(view["reason"])
        stopped = vibedesk("resume", done.project_id, home=root, env=server.environment())
        assert stopped.status == 1
        stopped.assert_one_sentence("budget")
        raised = vibedesk(
            "resume", done.project_id, "--budget", "5", home=root, env=server.environment()
        )
        assert raised.status == 0, raised.stderr
        assert shown(root, done.project_id)["state"] == "complete"

    def test_serves_until_ctrl_c(self, server: ModelServer, root: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        command = ("build", WISH, *TINY, "--serve", "--out", str(out))
        with running(*command, home=root, env=server.environment()) as serving:
            url = serving.wait_for_url()
            with urlopen(url, timeout=60) as page:
                assert page.read().decode() == PAGE
            assert (out / "index.html").read_text() == PAGE, "the copy does not wait for Ctrl-C"
            [folder] = (root / "projects").iterdir()
            port = url.rpartition(":")[2]
            assert servers_of(folder, port) != []
            serving.interrupt()
            assert serving.wait(120).status == 0
        assert processes_of(str(root)) + servers_of(folder, port) == []


class TestSamples:
    def test_says_that_it_is_recorded_and_refuses_what_was_not_recorded(
        self, root: Path, tmp_path: Path
    ) -> None:
        sample = write_recording(tmp_path / "counter")
        env = {"VIBEDESK_SAMPLE_PACE": "0"}
        done = vibedesk("build", "--sample", str(sample), *TINY, home=root, env=env)
        assert done.status == 0, done.stderr
        assert "counter: every answer is recorded, no model is asked" in done.stdout
        [project] = vibedesk("projects", "--json", home=root).json
        refused = vibedesk("say", project["id"], "make it pink", home=root, env=env)
        assert refused.status == 1
        refused.assert_one_sentence("recorded example", "mark the style")
        said = vibedesk("say", project["id"], "mark the style", home=root, env=env)
        assert said.status == 0, said.stderr
        assert "I marked the style." in said.stdout
        refused = vibedesk("say", project["id"], "mark the style", home=root, env=env)
        assert refused.status == 1
        refused.assert_one_sentence("no more recorded answers")
        assert "recorded example" in vibedesk("show", project["id"], home=root).stdout


class TestFailures:
    def test_a_rejected_key_is_a_sentence_and_resume_goes_on(
        self, server: ModelServer, root: Path
    ) -> None:
        server.fail(faults.status(401), operation="implement_phase")
        done = build(server, root)
        assert done.status == 1
        done.assert_one_sentence("key")
        assert done.states[-1] == "error"
        assert shown(root, done.project_id)["state"] == "error"

        resumed = vibedesk("resume", done.project_id, "--json", home=root, env=server.environment())
        assert resumed.status == 0, resumed.stderr
        assert resumed.states[-1] == "complete"
        assert_gapless(resumed.events)
        assert [event["type"] for event in resumed.events].count("blueprint_ready") == 0
        # The numbers go on across the two processes.
        assert resumed.events[0]["seq"] >= done.events[-1]["seq"]

    def test_an_app_that_cannot_be_mended_is_exit_status_1_with_the_reason(
        self, root: Path, tmp_path: Path
    ) -> None:
        template = make_mendable_template(tmp_path / "mendable")
        with serve_in_thread() as server:
            script_app(server, WRONG)
            for script in STUCK:
                server.answer(whole("app.js", script), operation="fix")
            env = {**server.environment(), "VIBEDESK_REVIEW": "tools"}
            options = ("--template", str(template), "--sandbox", "local", "--json")
            done = vibedesk("build", WISH, *options, home=root, env=env)
            assert done.status == 1
            done.assert_one_sentence("needs you", MESSAGE, "after 3 tries")
            assert done.states[-1] == "idle"
            assert len(server.requests_for("fix")) == 3

            server.answer(whole("app.js", GOOD), operation="fix")
            resumed = vibedesk("resume", done.project_id, "--json", home=root, env=env)
            assert resumed.status == 0, resumed.stderr
            assert resumed.states[-1] == "complete"

    def test_a_failed_answer_to_say_is_exit_status_1(self, server: ModelServer, root: Path) -> None:
        done = build(server, root)
        assert done.status == 0, done.stderr
        server.fail(faults.status(402), operation="converse")
        env = server.environment()
        said = vibedesk("say", done.project_id, "hello", "--json", home=root, env=env)
        assert said.status == 1
        said.assert_one_sentence("credit")
        assert shown(root, done.project_id)["state"] == "complete"

    def test_a_wish_whose_phase_fails_is_exit_status_1(
        self, server: ModelServer, root: Path
    ) -> None:
        """A message that became a wish is not done when its phase could not be planned."""
        done = build(server, root, "--max-phases", "1")
        assert done.status == 0, done.stderr
        with serve_in_thread() as other:
            other.answer("That joins the next phase.", operation="converse")
            other.fail(faults.status(401), operation="plan_phase")
            said = say(other, root, done.project_id)
        assert said.status == 1
        said.assert_one_sentence("key")
        assert shown(root, done.project_id)["state"] == "error"

    def test_a_wish_that_the_budget_stops_is_exit_status_1(
        self, server: ModelServer, root: Path
    ) -> None:
        priced = ("--model", "claude-sonnet-5-5", "--budget", "0.05", "--max-phases", "1")
        done = build(server, root, *priced)
        assert done.status == 0, done.stderr
        with serve_in_thread() as other:
            other.answer("That joins the next phase. " * 2000, operation="converse")
            said = say(other, root, done.project_id)
            assert [r.operation for r in other.requests] == ["converse"]
        assert said.status == 1
        said.assert_one_sentence("budget of 0.05 USD")
        view = shown(root, done.project_id)
        assert view["state"] == "idle"

    def test_a_question_that_needs_no_change_is_exit_status_0(
        self, server: ModelServer, root: Path
    ) -> None:
        done = build(server, root)
        with serve_in_thread() as other:
            other.answer("It counts.\n\n[no change]", operation="converse")
            said = say(other, root, done.project_id)
        assert said.status == 0, said.stderr
        assert said.states == []
        assert shown(root, done.project_id)["state"] == "complete"


class TestInterrupting:
    def test_ctrl_c_keeps_what_is_finished_and_resume_completes(self, root: Path) -> None:
        with serve_in_thread() as server:
            server.answer(json.dumps(BLUEPRINT), operation="blueprint")
            server.answer("".join(FIRST), operation="implement_phase")
            at = "".join(FIRST).index("export const line30")
            server.fail(faults.stall(after_chars=at), operation="implement_phase")
            command = ("build", WISH, *TINY, "--json")
            with running(*command, home=root, env=server.environment()) as building:
                building.wait_for("export const line2")
                building.interrupt()
                done = building.wait(120)
            assert done.status == 130
            assert done.stderr == ""
            assert done.states[-1] == "idle"
            assert_gapless(done.events)
            # The request was ended, not left to run.
            asyncio.run(server.wait_until(lambda: server.requests[-1].client_left, timeout=30))

        # The starter may have been served by then, or not yet.
        ports = [data["url"].rpartition(":")[2] for data in done.of_type("server_started")]
        [folder] = (root / "projects").iterdir()
        assert processes_of(str(root)) + servers_of(folder, *ports) == []
        view = shown(root, done.project_id)
        assert view["state"] == "idle"
        ended = {data["path"] for data in done.of_type("file_end")}
        assert ended == {"index.html"}
        listed = vibedesk("files", done.project_id, "--json", home=root).json
        assert ended <= {file["path"] for file in listed}

        with serve_in_thread() as server:
            server.answer(whole("app.js", APP) + FIRST[-1], operation="continue")
            server.answer(json.dumps(SECOND_PHASE), operation="plan_phase")
            server.answer("".join(SECOND), operation="implement_phase")
            resumed = vibedesk(
                "resume", done.project_id, "--json", home=root, env=server.environment()
            )
            assert resumed.status == 0, resumed.stderr
            operations = [r.operation for r in server.requests]
            assert operations == ["continue", "plan_phase", "implement_phase"]
        assert resumed.states[-1] == "complete"
        assert "index.html" not in {data["path"] for data in resumed.of_type("file_end")}
        folder = Path(str(shown(root, done.project_id)["folder"]))
        assert (folder / "index.html").read_text() == PAGE
        assert "patched = true" in (folder / "app.js").read_text()
        assert "left-pad" in (folder / "package.json").read_text()

    def test_ctrl_c_while_it_waits_for_a_rate_limit(self, server: ModelServer, root: Path) -> None:
        server.fail(faults.status(429, retry_after=120), operation="blueprint")
        command = ("build", WISH, *TINY, "--json")
        with running(*command, home=root, env=server.environment()) as building:
            building.wait_for('"type": "waiting"')
            building.interrupt()
            done = building.wait(120)
        assert done.status == 130
        assert done.states[-1] == "idle"
        assert shown(root, done.project_id)["state"] == "idle"

    def test_others_may_read_while_it_builds_but_not_build(self, root: Path) -> None:
        with serve_in_thread() as server:
            server.fail(faults.stall(), operation="blueprint")
            script_tiny_app(server)
            command = ("build", WISH, *TINY, "--json")
            with running(*command, home=root, env=server.environment()) as building:
                building.wait_for('"blueprinting"')
                [project] = vibedesk("projects", "--json", home=root).json
                assert project["state"] == "blueprinting"
                second = build(server, root)
                assert second.status == 1
                second.assert_one_sentence(str(building.process.pid))
                building.interrupt()
                assert building.wait(120).status == 130


def test_bytes_that_are_no_text_are_no_reason_to_fail(server: ModelServer, root: Path) -> None:
    wish = "Count \udcff things"
    options = ("--json", "--provider", "anthropic")
    built = vibedesk("build", wish, *TINY, *options, home=root, env=server.environment())
    assert built.status == 0, built.stderr
    assert shown(root, built.project_id)["wish"] == "Count � things"
    unknown = vibedesk("show", "no\udcff", home=root)
    assert unknown.status == 1
    assert "unexpected" not in unknown.stderr


def test_a_recorded_example_does_not_answer_a_wish_of_ones_own(root: Path) -> None:
    refused = vibedesk("build", "A tip calculator", "--sample", "kanban-board", home=root)
    assert refused.status == 2
    assert "kanban-board" in refused.stderr
    assert not root.exists()


def test_a_target_that_cannot_be_written_is_told_before_the_build(
    server: ModelServer, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    refused = build(server, root, "--out", str(tmp_path / "file" / "copy"))
    assert refused.status == 1
    assert "copy" in refused.stderr
    assert "--home" not in refused.stderr
    assert not server.requests


def test_a_wish_that_is_no_web_app_is_built_only_when_it_is_gone_on_with(root: Path) -> None:
    objection = "A macro is no web app; this is a page that counts."
    with serve_in_thread() as server:
        script_tiny_app(server, blueprint={**BLUEPRINT, "not_a_web_app": objection})
        stopped = build(server, root)
        assert stopped.status == 1
        stopped.assert_one_sentence(objection, "Continue")
        assert f"Go on with: vibedesk resume {stopped.project_id}" in stopped.stderr
        assert [r.operation for r in server.requests if r.operation] == ["blueprint"]
        env = server.environment()
        going_on = vibedesk("resume", stopped.project_id, home=root, env=env)
        assert going_on.status == 0, going_on.stderr
        assert shown(root, stopped.project_id)["state"] == "complete"
        assert len(server.requests_for("blueprint")) == 1


def test_the_end_and_show_list_the_warnings_that_stay(root: Path, tmp_path: Path) -> None:
    template = make_mendable_template(tmp_path / "template")
    hint = {"file": "app.js", "line": 2, "severity": "warning", "message": "Zero is not shown."}
    wrong = {**hint, "severity": "blocking", "message": "It is empty."}
    with serve_in_thread() as server:
        script_app(server, GOOD, checks=[check(), {**check("Later"), "steps": []}])
        server.answer(json.dumps({"findings": [hint, wrong]}), operation="review")
        server.answer("[no fault 1: it has to be]", operation="fix")
        env = {**server.environment(), "VIBEDESK_REVIEW": "tools"}
        wanted = ("--template", str(template), "--sandbox", "local")
        built = vibedesk("build", WISH, *wanted, home=root, env=env)
        assert built.status == 0, built.stderr
    warnings = [
        "warning   app.js:2: It is empty. (no fault, says the model: it has to be)",
        "warning   app.js:2: Zero is not shown.",
    ]
    *_, done, _, page, checks, left, first, second = built.stdout.splitlines()
    assert done.startswith("Done: ")
    assert page == "The page was not looked at in a browser."
    assert checks == "0 of 2 checks pass, 2 were not run."
    assert left == "2 warnings are left:"
    assert sorted((first, second)) == [f"  {line}" for line in warnings]
    [project] = vibedesk("projects", "--json", home=root).json
    lines = vibedesk("show", project["id"], home=root).stdout.splitlines()
    assert sorted(line for line in lines if line.startswith("problem")) == [
        f"problem   {line}" for line in warnings
    ]
