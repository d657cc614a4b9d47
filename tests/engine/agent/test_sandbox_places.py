"""How many sandboxes run at once, and who gives way to whom."""

from __future__ import annotations

from tests.engine.agent.conftest import Desk
from tests.support.model_server import ModelServer
from tests.support.tiny_app import TINY_TEMPLATE, script_tiny_app
from vibedesk.engine.events import Waiting
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.slots import SANDBOXES_SETTING


async def test_the_app_that_nobody_looks_at_gives_its_place_and_the_next_waits_in_line(
    desk: Desk, server: ModelServer
) -> None:
    script_tiny_app(server)
    script_tiny_app(server)
    engine = desk.engine
    await engine.set_setting(SANDBOXES_SETTING, 1)
    unseen = await engine.create("Count things", ProjectOptions(template=str(TINY_TEMPLATE)))
    await engine.generate(unseen)
    await engine.wait(unseen)
    assert (await engine.sandbox(unseen)).port is not None

    seen = await desk.build()
    assert await desk.state(seen) == "complete"
    assert (await engine.sandbox(unseen)).port is None
    assert (await engine.sandbox(seen)).port is not None

    third = await desk.create()
    await engine.generate(third)
    told = await desk.until(lambda e: isinstance(e.payload, Waiting))
    assert told.project_id == third
    waiting = (await engine.project(third)).waiting
    assert waiting is not None
    assert waiting.message == "Waiting for a free sandbox: 1st in line."
    assert (await engine.sandbox(seen)).port is not None
    await engine.stop_sandbox(seen)
    await engine.wait(third)
    assert await desk.state(third) == "complete"
