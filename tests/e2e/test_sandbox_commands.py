"""Options and commands about sandboxes, from outside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.command_line import vibedesk
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import TINY_TEMPLATE, script_tiny_app

pytestmark = pytest.mark.e2e


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve_in_thread() as server:
        script_tiny_app(server)
        yield server


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("build", "x", "--size", "huge"), "size"),
        (("build", "x", "--network", "wifi"), "network"),
        (("sandboxes", "--clean", "-1"), "clean"),
        (("sandboxes", "--clean", "soon"), "days"),
        (("sandboxes", "--clean"), "clean"),
        (("allow", "some-project"), "HOST"),
    ],
)
def test_wrong_use_is_exit_status_2_and_makes_nothing(
    arguments: tuple[str, ...], word: str, root: Path
) -> None:
    done = vibedesk(*arguments, home=root)
    assert done.status == 2
    assert done.stdout == ""
    done.assert_one_sentence(word)
    assert not root.exists()


def test_without_projects_nothing_is_kept(root: Path) -> None:
    assert vibedesk("sandboxes", home=root).stdout == "Nothing is kept for sandboxes.\n"
    assert vibedesk("sandboxes", "--clean", "0", "--json", home=root).json == {
        "freed": 0,
        "kept": [],
    }
    done = vibedesk("allow", "nothing", "api.example.org", home=root)
    assert done.status == 1
    done.assert_one_sentence("nothing")
    assert not root.exists()


def test_a_project_with_its_sandbox(root: Path, server: ModelServer, tmp_path: Path) -> None:
    env = {**server.environment(), "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = vibedesk(
        *("build", "Count things for me", "--template", str(TINY_TEMPLATE), "--max-phases", "1"),
        *("--sandbox", "local", "--size", "standard-1", "--network", "none"),
        home=root,
        env=env,
    )
    assert done.status == 0, done.stderr
    assert "  sandbox: The local sandbox: as asked for. Apps" in done.stdout
    [project] = vibedesk("projects", "--json", home=root).json
    with closing(sqlite3.connect(root / "vibedesk.db")) as database:
        [(stored,)] = database.execute("SELECT options FROM projects").fetchall()
    options = json.loads(stored)
    assert (options["size"], options["network"]) == ("standard-1", "none")

    allowed = vibedesk("allow", project["id"], "API.example.org", "--json", home=root, env=env)
    assert allowed.json == {"granted_hosts": ["api.example.org"]}
    refused = vibedesk("allow", project["id"], "ads.example.org", "--never", home=root, env=env)
    assert refused.status == 0, refused.stderr
    assert "may not reach ads.example.org" in refused.stdout
    wrong = vibedesk("allow", project["id"], "not a host", home=root, env=env)
    assert wrong.status == 1
    wrong.assert_one_sentence("not a host")

    rows = vibedesk("show", project["id"], home=root).stdout.splitlines()
    assert any(row.split()[0] == "sandbox" and row.split()[1].startswith("local") for row in rows)
    assert any(row.split() == ["may", "reach", "api.example.org"] for row in rows)

    kept = vibedesk("sandboxes", "--clean", "0", "--json", home=root, env=env)
    assert kept.status == 0, kept.stderr
    assert set(kept.json) == {"freed", "kept"}
