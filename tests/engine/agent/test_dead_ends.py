"""Nothing that a model answers, and no failure, leaves a project where nobody can go on."""

from __future__ import annotations

import json

import pytest

from tests.engine.agent.conftest import Desk
from tests.support.model_server import ModelServer
from tests.support.tiny_app import SECOND, phase, whole
from vibedesk.engine.events import FixApplied, WishQueued

NO_SUCH = {"name": "tiny-app", "private": True, "dependencies": {"no-such-package-of-mine": "1"}}
SOUND = {"name": "tiny-app", "private": True, "dependencies": {"left-pad": "1.3.0"}}
MADE_UP = whole("package.json", json.dumps(NO_SUCH) + "\n")
MENDED = whole("package.json", json.dumps(SOUND) + "\n")


@pytest.mark.parametrize("answers", [{"said": "I keep it as it is."}])
async def test_a_wish_that_needs_nothing_is_settled(desk: Desk, server: ModelServer) -> None:
    project_id = await desk.build()
    server.answer(json.dumps(phase("Nothing", [], last=True)), operation="plan_phase")
    await desk.engine.say(project_id, "Please keep it as it is")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete"
    assert view.open_wishes == ()
    assert len(server.requests_for("plan_phase")) == 2
    told = [e.payload.status for e in desk.events if isinstance(e.payload, WishQueued)]
    assert told == ["open", "done"]


@pytest.mark.parametrize("answers", [{"second": "".join(SECOND) + MADE_UP}])
async def test_a_made_up_package_in_the_manifest_is_fixed(desk: Desk, server: ModelServer) -> None:
    server.answer(MENDED, operation="fix")
    project_id = await desk.build()
    view = await desk.engine.project(project_id)
    assert view.state == "complete", view.reason
    [fix] = server.requests_for("fix")
    assert "'no-such-package-of-mine' is not in this registry" in str(fix.messages[-1]["content"])
    assert json.loads((await desk.texts(project_id))["package.json"]) == SOUND
    [fixed] = [e.payload for e in desk.events if isinstance(e.payload, FixApplied)]
    assert (fixed.path, fixed.strategy, fixed.verified) == ("package.json", "model", True)
    assert "package" in fixed.issue


@pytest.mark.parametrize("answers", [{"second": "".join(SECOND) + MADE_UP}])
async def test_a_made_up_package_that_stays_ends_with_words(
    desk: Desk, server: ModelServer
) -> None:
    for number in range(3):
        server.answer(whole("notes.txt", f"try {number}\n"), operation="fix")
    project_id = await desk.build()
    view = await desk.engine.project(project_id)
    assert view.state == "idle"
    assert "does not exist after 3 tries" in view.reason
    verified = [e.payload.verified for e in desk.events if isinstance(e.payload, FixApplied)]
    assert verified == [False, False, False]
