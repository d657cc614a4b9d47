"""`vibedesk regenerate`, `snapshot` and `restore --file`, as a person at a terminal uses them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.command_line import vibedesk
from tests.support.model_server import ModelServer, serve_in_thread
from tests.support.tiny_app import APP, TINY_TEMPLATE, whole
from vibedesk.base.paths import resolve_home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions

pytestmark = pytest.mark.e2e

ANEW = APP.replace("line3 = 3", "line3 = 33")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    with serve_in_thread() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def project_id(tmp_path: Path, server: ModelServer) -> str:
    """A project with `app.js`, in the home `tmp_path`."""
    engine = Engine(resolve_home(str(tmp_path)))
    engine.start()

    async def make() -> str:
        options = ProjectOptions(template=str(TINY_TEMPLATE))
        made = await engine.create("Count things for me", options)
        await engine.create_file(made, "app.js", APP)
        await engine.shutdown()
        return made

    return asyncio.run(make())


def test_a_file_is_written_anew_and_can_be_brought_back(
    tmp_path: Path, server: ModelServer, project_id: str
) -> None:
    named = vibedesk("snapshot", project_id, "As it was", "--json", home=tmp_path)
    assert (named.status, named.json["label"], named.json["author"]) == (0, "As it was", "you")
    server.answer(whole("app.js", ANEW), operation="regenerate_file")
    done = vibedesk(
        "regenerate", project_id, "app.js", "--instructions", "Other numbers", "--json", home=tmp_path
    )  # fmt: skip
    assert done.status == 0, done.stderr
    assert done.of_type("proposal_closed")[0]["status"] == "taken"
    assert done.of_type("snapshot_created")[-1]["label"] == "Regenerate app.js"
    [file] = tmp_path.rglob("app.js")
    assert file.read_text() == ANEW
    back = vibedesk("restore", project_id, named.json["commit"], "--file", "app.js", home=tmp_path)
    assert back.status == 0, back.stderr
    assert file.read_text() == APP
    labels = [v["label"] for v in vibedesk("history", project_id, "--json", home=tmp_path).json]
    assert labels == ["Restored app.js of “As it was”", "Regenerate app.js", "As it was"]


def test_a_file_that_the_chat_has_written_anew_is_said_to_wait_in_the_window(
    tmp_path: Path, server: ModelServer, project_id: str
) -> None:
    server.answer("Gladly.\n\n[regenerate app.js]", operation="converse")
    server.answer(whole("app.js", ANEW), operation="regenerate_file")
    done = vibedesk("say", project_id, "Regenerate app.js with other numbers", home=tmp_path)
    assert done.status == 0, done.stderr
    assert "The new app.js waits in the window" in done.stdout


def test_what_cannot_be_written_anew_is_one_sentence(
    tmp_path: Path, server: ModelServer, project_id: str
) -> None:
    words = ("--instructions", "Other numbers")
    missing = vibedesk("regenerate", project_id, "nothing.js", *words, home=tmp_path)
    assert missing.status == 1
    missing.assert_one_sentence("nothing.js")
    refused = vibedesk("regenerate", project_id, "app.js", *words, home=tmp_path)
    assert refused.status == 1
    refused.assert_one_sentence("refuses the request")
