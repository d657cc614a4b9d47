"""A real engine with a scripted model server, on a template that needs no registry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.mendable_app import make_mendable_template
from tests.support.model_server import ModelServer
from tests.support.starter_packages import link_packages
from tests.support.tiny_app import TINY_TEMPLATE, script_tiny_app, whole
from vibedesk.base.paths import Home
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import Event, FixApplied, Notice, Payload
from vibedesk.engine.files.replica import DocumentReplica
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.services import EngineServices

P = TypeVar("P", bound=Payload)
Open = Callable[..., Engine]


class Desk:
    """The engine under test, and everything its projects told."""

    def __init__(self, engine: Engine, server: ModelServer) -> None:
        self.engine = engine
        self.server = server
        self.events: list[Event] = []
        self._more = asyncio.Event()
        self._reading: list[asyncio.Task[None]] = []

    @property
    def services(self) -> EngineServices:
        return self.engine._ours

    def agent(self, project_id: str) -> CodeGeneratorAgent:
        agent = self.services.agents.loaded(project_id)
        assert agent is not None
        return agent

    async def create(self, **options: object) -> str:
        wanted = ProjectOptions(template=str(TINY_TEMPLATE), **options)  # type: ignore[arg-type]
        project_id = await self.engine.create("Count things for me", wanted)
        await self.watch(project_id)
        return project_id

    async def watch(self, project_id: str) -> None:
        subscription = await self.engine.subscribe(project_id)

        async def read() -> None:
            async for event in subscription:
                self.events.append(event)
                self._more.set()

        self._reading.append(asyncio.create_task(read()))

    async def build(self, **options: object) -> str:
        project_id = await self.create(**options)
        await self.engine.generate(project_id)
        await self.engine.wait(project_id)
        return project_id

    async def until(self, condition: Callable[[Event], object]) -> Event:
        """Return the first event so far or to come that fits."""
        position = 0
        async with asyncio.timeout(120):
            while True:
                while position < len(self.events):
                    event = self.events[position]
                    position += 1
                    if condition(event):
                        return event
                self._more.clear()
                await self._more.wait()

    async def until_state(self, state: str) -> Event:
        return await self.until(lambda e: e.type == "state_change" and e.payload.state == state)  # type: ignore[attr-defined]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]

    @property
    def states(self) -> list[str]:
        return [event.payload.state for event in self.of("state_change")]  # type: ignore[attr-defined]

    async def state(self, project_id: str) -> str:
        return (await self.engine.project(project_id)).state

    async def texts(self, project_id: str) -> dict[str, str]:
        files = await self.engine.files(project_id)
        return {f.path: await self.engine.read_file(project_id, f.path) for f in files}

    async def folder(self, project_id: str) -> Path:
        return Path((await self.engine.project(project_id)).folder)

    async def aclose(self) -> None:
        await self.engine.shutdown()
        await asyncio.gather(*self._reading)


@pytest.fixture
def answers() -> dict[str, Any]:
    """What the model answers otherwise than in an undisturbed build; tests parametrize it."""
    return {}


@pytest.fixture
async def server(answers: dict[str, Any]) -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        script_tiny_app(server, **answers)
        yield server


@pytest.fixture
async def desk(
    home: Home, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    desk = Desk(engine, server)
    yield desk
    await desk.aclose()


# -- apps that are looked at and mended ------------------------------------------------------------


class Bench(Desk):
    """A desk on an engine that tests share."""

    def __init__(self, engine: Engine, server: ModelServer, template: Path) -> None:
        super().__init__(engine, server)
        self.template = template
        self.projects: list[str] = []

    async def create(self, **options: object) -> str:
        wanted = ProjectOptions(template=str(self.template), **options)  # type: ignore[arg-type]
        project_id = await self.engine.create("Count things for me", wanted)
        self.projects.append(project_id)
        await self.watch(project_id)
        return project_id

    def told(self, kind: type[P]) -> list[P]:
        return [event.payload for event in self.events if isinstance(event.payload, kind)]

    def notices(self, code: str) -> list[str]:
        return [notice.message for notice in self.told(Notice) if notice.code == code]

    @property
    def fixes(self) -> list[tuple[str, str, bool]]:
        return [(f.path, f.strategy, f.verified) for f in self.told(FixApplied)]

    def asked(self, operation: str) -> list[str]:
        """What was asked, the last turn of each request."""
        return [_text(r.messages[-1]["content"]) for r in self.server.requests_for(operation)]

    def fix_with(self, *scripts: str) -> None:
        """Queue answers that write app.js anew."""
        for script in scripts:
            self.server.answer(whole("app.js", script), operation="fix")

    def script(self, *files: tuple[str, str], last: bool = True) -> str:
        """Queue a build in one phase that writes `files`; return the answer that does."""
        phase = {
            "name": "Card",
            "description": "A card that greets.",
            "files": [{"path": path, "purpose": "it"} for path, _ in files],
            "is_last_phase": last,
        }
        blueprint = {"title": "Card", "description": "Greets.", "initial_phase": phase}
        answer = "".join(whole(path, text) for path, text in files)
        self.server.answer(json.dumps(blueprint), operation="blueprint")
        self.server.answer(answer, operation="implement_phase")
        return answer

    async def statuses(self, project_id: str) -> list[tuple[str, str]]:
        view = await self.engine.project(project_id)
        return [(issue["message"], issue["status"]) for issue in view.issues]

    async def leave(self) -> None:
        for project_id in self.projects:
            await self.engine.cancel(project_id)
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)


async def reopened(home: Home, bench: Bench, *, attended: bool) -> Bench:
    """End the program of a bench that has a home of its own, and start it anew; the caller closes what it returns."""
    await bench.aclose()
    engine = Engine(home, attended=attended)
    await asyncio.to_thread(engine.start)
    return Bench(engine, bench.server, bench.template)


async def rewritten(bench: Bench, project_id: str, text: str, path: str = "app.js") -> None:
    """Have the person write a file anew."""
    editor = DocumentReplica()
    editor.apply(*await bench.engine.updates_since(project_id, 0))
    update = editor.edit(path, 0, 100_000, text)
    assert update is not None
    await bench.engine.apply_update(project_id, update)


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mendable_template(tmp_path_factory.mktemp("templates") / "mendable")


@pytest.fixture(scope="module")
def open_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open engines that last as long as the module: attended ones and others, with a browser or without."""
    engines: dict[tuple[bool, bool], Engine] = {}

    def opened(*, attended: bool, browser: bool) -> Engine:
        key = (attended, browser)
        if key not in engines:
            root = tmp_path_factory.mktemp("home")
            engines[key] = Engine(Home(root=root, projects=root / "projects"), attended=attended)
            engines[key].start()
        return engines[key]

    yield opened
    for engine in engines.values():
        engine.shutdown_blocking()


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("VIBEDESK_REVIEW", "tools")
        yield server


@pytest.fixture
async def bench(open_engine: Open, model: ModelServer, template: Path) -> AsyncIterator[Bench]:
    """Nobody looks on, and there is no browser."""
    bench = Bench(open_engine(attended=False, browser=False), model, template)
    yield bench
    await bench.leave()


@pytest.fixture
async def attended(open_engine: Open, model: ModelServer, template: Path) -> AsyncIterator[Bench]:
    """A person looks on; there is no browser."""
    bench = Bench(open_engine(attended=True, browser=False), model, template)
    yield bench
    await bench.leave()


@pytest.fixture
async def seeing(
    open_engine: Open, model: ModelServer, template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    """A person looks on, and pages are looked at in a browser."""
    monkeypatch.setenv("VIBEDESK_REVIEW", "full")
    bench = Bench(open_engine(attended=True, browser=True), model, template)
    yield bench
    await bench.leave()


# -- apps with a real compiler ---------------------------------------------------------------------


class ReactBench(Bench):
    """Builds on the React starter, with its packages there from the beginning."""

    async def create(self, **options: object) -> str:
        project_id = await super().create(**options)
        folder = await self.folder(project_id)
        await asyncio.to_thread(link_packages, "react-vite", folder)
        return project_id


@pytest.fixture
async def react(open_engine: Open, model: ModelServer) -> AsyncIterator[ReactBench]:
    """Nobody looks on, and there is no browser."""
    bench = ReactBench(open_engine(attended=False, browser=False), model, Path("react-vite"))
    yield bench
    await bench.leave()
