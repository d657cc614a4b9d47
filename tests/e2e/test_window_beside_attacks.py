"""An app that attacks what it runs on, in Docker, while its person works in the window: that stays well and says what it was.

The attacks are those of tests/engine/sandboxes/docker, bounded by the limits of a small sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import docker
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from tests.e2e.studio import serving
from tests.engine.sandboxes.conftest import living
from tests.engine.sandboxes.docker.hostile import TINY
from tests.support.docker_engines import docker_client, docker_host, docker_image, why_not  # noqa: F401
from tests.support.mendable_app import GOOD, make_mendable_template, script_app
from tests.support.model_server import ModelServer
from tests.support.tiny_app import whole
from tests.support.window_person import CTRL, Key, Person, run_window
from vibedesk.base.paths import Home
from vibedesk.base.text import readable_bytes
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.sandboxes.docker.containers import OWNER_LABEL
from vibedesk.engine.sandboxes.sizes import SIZES
from vibedesk.ui.dock.logs_panel import LogsPanel

if reason := why_not():
    pytest.skip(reason, allow_module_level=True)

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)

pytestmark = [pytest.mark.own_process, pytest.mark.e2e, pytest.mark.ui, pytest.mark.timeout(240)]

_ROUNDS = 30
_BUILD = 120.0
_HEADING = "document.querySelector('h1')?.textContent"

# What the app's server does when its page asks for /begin, and when it asks for /end.
_SERVER = """\
import { spawn } from "node:child_process";
import { Server } from "node:http";

const emit = Server.prototype.emit;
Server.prototype.emit = function (name, request, ...rest) {
  if (name === "request" && request.url === "/begin") spawn("bash", ["-c", BEGIN], { stdio: "inherit" });
  if (name === "request" && request.url === "/end") end();
  return emit.call(this, name, request, ...rest);
};
"""


@dataclass(frozen=True)
class _Attack:
    """What the server does: `begin` in a shell until it ends, which prints `beat` again and again, and `end` itself."""

    name: str
    begin: str
    beat: str
    end: str
    sentence: str


_ATTACKS = (
    _Attack(
        "memory",
        'while :; do python3 -c "held = []\nwhile True: held.append(bytearray(8 << 20))"; echo again $?; done',
        "again 137",
        "const held = [];\nfunction end() {\n  for (;;) held.push(Buffer.alloc(8 << 20, 1));\n}\n",
        f"The app used more than {readable_bytes(TINY.memory)} of memory. Your files are safe.",
    ),
    _Attack(
        "processes",
        "trap '' TERM; bomb() { bomb | bomb & }; bomb; sleep 600",
        "Resource temporarily unavailable",
        'function end() {\n  setInterval(() => spawn("true"), 5);\n}\n',
        f"The app tried to run more than {TINY.processes} processes. Your files are safe.",
    ),
)


@pytest.fixture
def docker_home(
    docker_host: str,  # noqa: F811
    docker_image: str,  # noqa: F811 - it is in the engine
    docker_client: docker.DockerClient,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[list[str]]:
    """The engine of all tests is the person's; what homes of these names leave there is removed."""
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    monkeypatch.setitem(SIZES, TINY.name, TINY)
    owners: list[str] = []
    yield owners
    for owner in owners:
        mine = {"label": f"{OWNER_LABEL}={owner}"}
        for container in docker_client.containers.list(all=True, filters=mine):
            container.remove(force=True)
        for volume in docker_client.volumes.list(filters=mine):
            volume.remove(force=True)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with serving(monkeypatch) as server:
        yield server


async def _go_round(person: Person, project_id: str) -> None:
    """Type letter by letter: each is shown, and page and engine answer, before the next is typed."""
    await person.to_front()
    person.key(Key.Key_L, CTRL)
    for number in range(1, _ROUNDS + 1):
        none = Qt.KeyboardModifier.NoModifier
        pressed = QKeyEvent(QEvent.Type.KeyPress, Key.Key_X, none, "x")
        QCoreApplication.postEvent(QApplication.focusWidget(), pressed)
        await person.until(lambda n=number: person.panels.chat.draft() == "x" * n, "it is shown")
        await person.until_page("1 + 1", 2)
        assert (await person.engine.project(project_id)).id == project_id


@pytest.mark.parametrize("attack", _ATTACKS, ids=lambda attack: attack.name)
def test_the_window_is_at_hand_beside_an_attack_and_says_what_it_was(
    qapp: QApplication,
    home: Home,
    model: ModelServer,
    docker_home: list[str],
    tmp_path: Path,
    attack: _Attack,
) -> None:
    token = uuid4().hex
    server = f"{_SERVER}const BEGIN = {json.dumps(f'{attack.begin} # {token}')};\n{attack.end}"
    script_app(model, GOOD, also=whole("config.mjs", server))
    template = make_mendable_template(tmp_path / "mendable")

    async def scenario(person: Person) -> None:
        engine = person.engine
        options = ProjectOptions(template=str(template), sandbox="docker", size=TINY.name)
        project_id = await engine.create("A counter", options)
        await engine.generate(project_id)
        person.controller.open_project(project_id)
        await person.until(lambda: person.controller._session, "it opens")
        await person.until(lambda: person.state == "complete", "complete", _BUILD)
        docker_home.append(await engine.setting("sandbox.home_id", ""))
        await person.until_page(_HEADING, "Counter")
        logs = person.window.findChild(LogsPanel)
        chat, preview = person.panels.chat, person.panels.preview

        def beats() -> int:
            return sum(attack.beat in line.text for line in logs.model.lines)

        await person.page("void fetch('/begin')")
        await person.until(lambda: attack.sentence in person.words(chat), "it is felt and told")
        await person.look(f"40-attack-on-{attack.name}")
        await _go_round(person, project_id)
        # Only the newest lines are kept: their number says nothing once there are that many.
        logs.clear()
        await person.until(lambda: beats() > 0, "it went on beside that")
        assert living(token)

        await person.page("void fetch('/end').catch(() => 0)")
        await person.until(lambda: attack.sentence in person.words(preview), "why it ended")
        await person.look(f"41-told-of-{attack.name}")
        await person.until(lambda: not living(token), "nothing of it runs on")
        assert await engine.read_file(project_id, "app.js") == GOOD
        await person.press("Start the app", preview)
        await person.until_page(_HEADING, "Counter")
        assert person.panels.chat.draft() == "x" * _ROUNDS

    assert run_window(qapp, home, scenario) == 0
