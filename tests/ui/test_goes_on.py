"""A run that was cut off with the program goes on in the window."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import TINY_TEMPLATE
from tests.ui.chat.test_with_engine import Desk, server
from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui

__all__ = ["server"]


def test_it_can_be_stopped_as_soon_as_it_goes_on(
    qapp: QApplication, tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        server.fail(faults.stall(after_chars=5), operation="blueprint")
    home = Home(root=tmp_path, projects=tmp_path / "projects")
    theme = Theme("dark")
    theme.apply(qapp)

    async def started() -> Engine:
        engine = Engine(home, attended=True)
        await asyncio.to_thread(engine.start)
        return engine

    async def cut_off() -> str:
        engine = await started()
        await engine.grant_consent()
        options = ProjectOptions(template=str(TINY_TEMPLATE))
        project_id = await engine.create("Count things", options)
        await engine.generate(project_id)
        await until(lambda: server.requests_for("blueprint"), "the model is asked")
        await engine.shutdown()
        return project_id

    async def run() -> None:
        project_id = await cut_off()
        engine = await started()
        desk = Desk(engine, project_id, theme, tmp_path)
        desk.session.start()
        await until(lambda: desk.session.loaded, "the snapshot")
        stop = desk.panels.chat._composer._stop
        try:
            assert desk.session.run.phase_view(str).control == "continue"
            assert not stop.isVisible()
            desk.session.go_on()
            await until(lambda: desk.session.run.running, "it is under way")
            view = desk.session.run.phase_view(str)
            assert (view.control, view.pause) == ("stop", "offered")
            assert view.steps[0].state == "active"
            assert stop.isVisible()
            assert not desk.session.clock.stands
            desk.session.stop()
            await until(lambda: desk.session.run.state == "idle", "it stops")
        finally:
            await desk.close()
            await engine.shutdown()

    run_on_qt(qapp, run())
