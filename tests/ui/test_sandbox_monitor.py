"""When the window asks what a sandbox uses, and when it does not."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from tests.ui.qt_loop import run_on_qt, until
from tests.ui.sandbox_gallery import DOCKER
from vibedesk.base.errors import NotFoundError
from vibedesk.engine.views import SandboxView
from vibedesk.ui.sandbox_monitor import SandboxMonitor

pytestmark = pytest.mark.ui


class Asked:
    """Answers as a sandbox would, and keeps who asked; holds answers back while `held`."""

    def __init__(self) -> None:
        self.projects: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.held: asyncio.Event | None = None
        self.error: Exception | None = None
        self.owner = QObject()
        self.monitor = SandboxMonitor(self.answer, self.owner, every_ms=5)

    async def answer(self, project_id: str) -> SandboxView:
        self.projects.append(project_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.held is not None:
                await self.held.wait()
            if self.error is not None:
                raise self.error
            return dataclasses.replace(DOCKER, processes=len(self.projects))
        finally:
            self.at_once -= 1

    async def asked(self, times: int) -> None:
        await until(lambda: len(self.projects) >= times, f"asked {times} times")

    async def quiet(self) -> None:
        """Return when it has not asked for many of its pauses."""
        await until(
            lambda: not self.monitor.asking_regularly and not self.monitor._asking, "it stops"
        )
        before = len(self.projects)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await until(lambda: loop.time() > begun + 0.1)
        assert len(self.projects) == before


Scenario = Callable[[Asked], Awaitable[None]]


@pytest.fixture
def play(qapp: QApplication) -> Callable[[Scenario], None]:
    def start(scenario: Scenario) -> None:
        async def run() -> None:
            asked = Asked()
            try:
                await scenario(asked)
            finally:
                if asked.held is not None:
                    asked.held.set()
                asked.monitor.follow("", "")
                await until(lambda: asked.at_once == 0)
                asked.owner.deleteLater()

        run_on_qt(qapp, run())

    return start


def test_it_asks_again_and_again_while_seen_and_running(play: Callable[[Scenario], None]) -> None:
    async def scenario(asked: Asked) -> None:
        asked.monitor.set_seen(True)
        asked.monitor.follow("p", "running")
        await asked.asked(4)
        assert set(asked.projects) == {"p"}
        assert asked.monitor.view is not None
        assert len(asked.monitor.history.cpu()) >= 3

    play(scenario)


@pytest.mark.parametrize("state", ["absent", "building", "starting", "stopped", "failed"])
def test_it_does_not_ask_for_what_does_not_run(
    play: Callable[[Scenario], None], state: str
) -> None:
    async def scenario(asked: Asked) -> None:
        asked.monitor.set_seen(True)
        asked.monitor.follow("p", state)
        await asked.quiet()
        assert asked.projects == []

    play(scenario)


def test_it_stops_when_nobody_sees_it_and_goes_on_after(play: Callable[[Scenario], None]) -> None:
    async def scenario(asked: Asked) -> None:
        asked.monitor.set_seen(True)
        asked.monitor.follow("p", "paused")
        await asked.asked(2)
        asked.monitor.set_seen(False)
        await asked.quiet()
        before = len(asked.projects)
        asked.monitor.set_seen(True)
        await asked.asked(before + 2)

    play(scenario)


def test_there_is_never_more_than_one_question(play: Callable[[Scenario], None]) -> None:
    async def scenario(asked: Asked) -> None:
        asked.held = asyncio.Event()
        asked.monitor.set_seen(True)
        asked.monitor.follow("p", "running")
        await asked.asked(1)
        for _ in range(5):
            asked.monitor.refresh()
            asked.monitor.set_seen(False)
            asked.monitor.set_seen(True)
            asked.monitor.follow("p", "running")
        assert asked.projects == ["p"]
        asked.held.set()
        await asked.asked(4)
        assert asked.most_at_once == 1

    play(scenario)


def test_an_answer_about_a_project_that_was_left_is_dropped(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(asked: Asked) -> None:
        asked.held = asyncio.Event()
        asked.monitor.set_seen(True)
        asked.monitor.follow("first", "running")
        await asked.asked(1)
        asked.monitor.follow("second", "running")
        asked.held.set()
        await asked.asked(2)
        assert asked.projects[1] == "second"
        asked.monitor.follow("", "")
        assert asked.monitor.view is None
        await asked.quiet()

    play(scenario)


def test_old_numbers_go_with_what_they_measured(play: Callable[[Scenario], None]) -> None:
    async def scenario(asked: Asked) -> None:
        asked.monitor.set_seen(True)
        asked.monitor.follow("p", "running")
        await until(lambda: asked.monitor.view is not None)
        asked.monitor.follow("p", "stopped")
        view = asked.monitor.view
        assert view is not None
        assert (view.state, view.cpu, view.memory, view.port) == ("stopped", None, None, None)
        assert view.engine == DOCKER.engine
        assert asked.monitor.history.cpu() == []

    play(scenario)


def test_a_question_that_fails_is_asked_again(play: Callable[[Scenario], None]) -> None:
    async def scenario(asked: Asked) -> None:
        asked.error = NotFoundError("It is being made.")
        asked.monitor.set_seen(True)
        asked.monitor.follow("p", "running")
        await asked.asked(2)
        assert asked.monitor.view is None
        asked.error = None
        await until(lambda: asked.monitor.view is not None)

    play(scenario)


def test_it_can_be_asked_for_one_that_does_not_run(play: Callable[[Scenario], None]) -> None:
    async def scenario(asked: Asked) -> None:
        asked.monitor.follow("p", "stopped")
        asked.monitor.refresh()
        await until(lambda: asked.monitor.view is not None)
        assert asked.monitor.history.cpu() == [], "no minute of one that does not run"
        await asked.quiet()
        assert asked.projects == ["p"]

    play(scenario)
