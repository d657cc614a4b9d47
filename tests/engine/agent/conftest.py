"""A real engine with a scripted model server, on a template that needs no registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.model_server import ModelServer
from tests.support.tiny_app import TINY_TEMPLATE, script_tiny_app
from vibedesk.base.paths import Home
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import Event
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.services import EngineServices


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
        async with asyncio.timeout(30):
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


def sandbox_processes() -> list[psutil.Process]:
    """What of this process's sandboxes is alive."""
    return [
        p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE
    ]
