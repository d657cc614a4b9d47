"""Docker goes away in the middle of a build and comes back: the build says what it waits for, and goes on by itself."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import RunningCommand, assert_gapless, running, vibedesk
from tests.support.docker_engines import Dockerd, load_image, require_docker
from tests.support.model_server import serve_in_thread
from tests.support.recordings import recording

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def _docker() -> None:
    require_docker()


@pytest.fixture(scope="module")
def engine() -> Iterator[Dockerd]:
    with Dockerd() as dockerd:
        client = dockerd.client()
        load_image(client)
        client.close()
        yield dockerd


@contextlib.contextmanager
def building(engine: Dockerd, home: Path) -> Iterator[tuple[RunningCommand, dict[str, str]]]:
    """Start a build of a recorded session in Docker."""
    session = recording("kanban-board")
    prompt = (session / "prompt.txt").read_text(encoding="utf-8").strip()
    with serve_in_thread(session=session, wire_size=700) as server:
        env = {**server.environment("anthropic"), "DOCKER_HOST": engine.host}
        with running("build", prompt, "--sandbox", "docker", "--json", home=home, env=env) as build:
            yield build, env


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: its packages are made once."""
    return tmp_path_factory.mktemp("home")


def containers(engine: Dockerd, project_id: str) -> list[Any]:
    client = engine.client()
    return client.containers.list(all=True, filters={"name": project_id.lower()})


@pytest.mark.parametrize(
    ("moment", "lost"),
    [
        ("command_started", "stop"),  # in an install
        ("server_started", "kill"),  # the app is up
    ],
)
def test_the_build_goes_on_when_docker_is_back(
    engine: Dockerd, home: Path, moment: str, lost: str
) -> None:
    with building(engine, home) as (build, env):
        build.wait_for(f'"type": "{moment}"', timeout=200)
        if lost == "kill":
            engine.kill()
        else:
            engine.stop()
        waiting = json.loads(build.wait_for('"type": "waiting"', timeout=120))
        assert waiting["data"]["reason"] == "sandbox"
        assert "goes on by itself" in waiting["data"]["message"]
        shown = vibedesk("show", waiting["project_id"], "--json", home=home, env=env)
        assert shown.json["waiting"]["reason"] == "sandbox"
        engine.start()
        finished = build.wait(300)
    assert finished.status == 0, finished.stderr
    assert_gapless(finished.events)
    assert finished.states[-1] == "complete"
    assert "resumed" in {event["type"] for event in finished.events}
    written = [e["data"]["path"] for e in finished.events if e["type"] == "file_end"]
    now = vibedesk("show", waiting["project_id"], "--json", home=home, env=env).json
    assert [path for path in written if not (Path(now["folder"]) / path).is_file()] == []


def test_a_killed_container_is_made_up_for_on_an_engine_elsewhere(tmp_path: Path) -> None:
    """The whole job over TCP, with no folder in common."""
    with Dockerd(port=0, hidden=(Path(tempfile.gettempdir()), ROOT)) as engine:
        with contextlib.closing(engine.client(timeout=120)) as client:
            load_image(client)
        with building(engine, tmp_path / "home") as (build, _):
            started = json.loads(build.wait_for('"type": "server_started"', timeout=200))
            [container] = containers(engine, started["project_id"])
            container.remove(force=True)
            finished = build.wait(300)
    assert finished.status == 0, finished.stderr
    assert finished.states[-1] == "complete"


def test_without_docker_a_build_that_wants_it_says_what_to_do(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    refused = vibedesk(
        "build", "--sample", "kanban-board", "--sandbox", "docker", home=tmp_path / "home", env=env
    )
    assert refused.status == 1
    refused.assert_one_sentence("DOCKER_HOST")
