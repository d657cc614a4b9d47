"""A starter that the model chooses becomes a running app: Python, in both kinds of sandbox; and own starters on the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.command_line import running, vibedesk
from tests.support.docker_engines import docker_host, docker_image  # noqa: F401
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.python_app import script_python_app
from tests.support.tiny_app import TINY_TEMPLATE

pytestmark = pytest.mark.e2e


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve_in_thread() as server:
        script_python_app(server)
        yield server


@pytest.mark.parametrize("sandbox", ["local", "docker"])
def test_the_model_chooses_python_and_the_app_answers(
    sandbox: str, server: ModelServer, root: Path, request: pytest.FixtureRequest
) -> None:
    environment = server.environment()
    if sandbox == "docker":
        request.getfixturevalue("docker_image")
        environment["DOCKER_HOST"] = request.getfixturevalue("docker_host")
    options = ("--sandbox", sandbox, "--json", "--serve")
    with running("build", "Greet people", *options, home=root, env=environment) as command:
        started = json.loads(command.wait_for('"server_started"', timeout=200))
        command.wait_for('"generation_complete"', timeout=200)
        url = started["data"]["url"]
        with urlopen(url) as page:
            assert "Good morning" in page.read().decode()
        with urlopen(f"{url}/api/health") as answer:
            assert json.load(answer) == {"status": "ok"}
    [project] = vibedesk("projects", "--json", home=root).json
    folder = Path(project["folder"])
    assert (folder / ".venv").exists() == (sandbox == "local")
    assert "humanize==4.9.0" in (folder / "pyproject.toml").read_text()
    assert (folder / "uv.lock").is_file()
    paths = {file["path"] for file in vibedesk("files", project["id"], "--json", home=root).json}
    assert {"uv.lock", "app/main.py", "app/routes/home.py"} <= paths
    assert not any(path.startswith((".venv", "data/")) for path in paths)


def test_own_starters(root: Path, tmp_path: Path) -> None:
    listed = vibedesk("templates", "--json", home=root).json
    assert listed[0]["name"] == "react-vite"
    assert not root.joinpath("vibedesk.db").exists()
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "mine")
    added = vibedesk("templates", "--add", str(folder), home=root)
    assert added.status == 0, added.stderr
    assert added.stdout.startswith("Added tiny: ")
    again = vibedesk("templates", home=root)
    assert "tiny" in again.stdout
    assert "(yours)" in again.stdout
    assert vibedesk("templates", "--remove", "tiny", home=root).status == 0
    wrong = vibedesk("templates", "--remove", "tiny", home=root)
    assert wrong.status == 1
    assert "no template of your own" in wrong.stderr
    refused = vibedesk("templates", "--add", "https://me:secret@example.org/x.git", home=root)
    assert refused.status == 1
    assert "secret" not in refused.stderr
