"""Every fault, in every operation, on both wires, on the real engine: it ends complete, or in an error that can be resumed.

One run carries its fault into each operation in turn, so the matrix has a run for each fault and wire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_faults import Fault
from tests.support.model_server import ModelServer
from tests.support.tiny_app import APP, BLUEPRINT, PACKAGES, PAGE, phase, whole
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine

STYLE = "/* Grün, 日本, 👋 */\n" + "".join(f".rule-{n} {{ order: {n}; }}\n" for n in range(40))
FIRST = PACKAGES + whole("index.html", PAGE) + whole("app.js", APP) + whole("style.css", STYLE)
SECOND_PHASE = phase("More", ["index.html"], last=True)
BROKEN = whole("index.html", "BROKEN\n")
SAID_STYLE = "/* gesagt 👋 */\n"
SAID = "Ich habe es grün gemacht 👋.\n\n" + whole("said.css", SAID_STYLE)
PLAN = {**BLUEPRINT, "description": "Zählt 👋."}

OPERATIONS = ("blueprint", "implement_phase", "plan_phase", "fix", "converse")
RETRY = {"base_s": 0.02, "max_s": 0.1, "outage_s": 20, "jitter": 0}


@dataclass(frozen=True)
class Case:
    """A fault and how often it comes in a row in each operation.

    `exact`: the files are as without it. `goes_on`: it leaves half an answer, which is gone on with.
    """

    fault: Fault
    times: int = 1
    exact: bool = True
    goes_on: bool = False


CASES = {
    "dropped mid-token": Case(faults.drop(after_chars=53), goes_on=True),
    "cut inside a code point": Case(faults.utf8_cut(), goes_on=True),
    "character in two halves": Case(faults.split_surrogate()),
    "chunk sent twice": Case(faults.duplicate(after_chars=len(FIRST) - 300), exact=False),
    "no finish reason": Case(faults.no_stop(after_chars=53), goes_on=True),
    "web page with status 200": Case(faults.html()),
    "broken tool call": Case(faults.broken_tool(after_chars=53), goes_on=True),
    "no usage": Case(faults.no_usage()),
    "stall": Case(faults.stall(after_chars=53), goes_on=True),
    "storm of 429": Case(faults.status(429, retry_after=0.01), times=7),
    "529": Case(faults.status(529), times=5),
    "broken JSON": Case(faults.broken_json(after_chars=53), goes_on=True),
    "error in the stream": Case(faults.error_event(after_chars=53), goes_on=True),
    "empty answer": Case(faults.empty(), times=2),
}


def script(server: ModelServer) -> None:
    server.answer(json.dumps(PLAN, ensure_ascii=False), operation="blueprint")
    server.answer(FIRST, operation="implement_phase")
    server.answer(
        json.dumps({**SECOND_PHASE, "name": "Mehr 👋"}, ensure_ascii=False), operation="plan_phase"
    )
    server.answer(BROKEN, operation="implement_phase")
    server.answer("# Nur die Seite 👋\n" + whole("index.html", PAGE), operation="fix")
    server.answer(SAID, operation="converse")


@pytest.fixture(params=["anthropic", "openai"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def desk(home: Home, wire: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    async with ModelServer() as server:
        for name, value in {**server.environment(wire), "VIBEDESK_STALL_SECONDS": "0.8"}.items():
            monkeypatch.setenv(name, value)
        script(server)
        engine = Engine(home)
        await asyncio.to_thread(engine.start)
        await engine.set_setting("models.retry", RETRY)
        desk = Desk(engine, server)
        yield desk
        await desk.aclose()


async def settle(desk: Desk, project_id: str) -> int:
    """Wait for the end, resuming what says that it can be; return how often that was needed."""
    for resumed in range(8):
        await desk.engine.wait(project_id)
        view = await desk.engine.project(project_id)
        if view.state == "complete":
            return resumed
        assert view.state in ("error", "idle")
        assert view.reason
        assert view.can_continue
        await desk.engine.resume(project_id)
    raise AssertionError(f"it does not get on: {view.reason}")


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
async def test_every_run_ends_complete_and_no_file_is_torn(desk: Desk, case: Case) -> None:
    for operation in (*OPERATIONS, "continue"):
        desk.server.fail(case.fault, operation=operation, times=case.times)
    project_id = await desk.build()
    resumed = await settle(desk, project_id)
    for _ in range(case.times + 1):
        await desk.engine.say(project_id, "Mach es grün")
        await desk.engine.wait(project_id)
        resumed += await settle(desk, project_id)
        if "said.css" in await desk.texts(project_id):
            break
    texts = await desk.texts(project_id)
    if case.exact:
        assert texts["index.html"] == PAGE
        assert texts["app.js"] == APP
        assert texts["style.css"] == STYLE
        assert texts["said.css"] == SAID_STYLE
    folder = await desk.folder(project_id)
    assert {path: (folder / path).read_text("utf-8") for path in texts} == texts
    hit = {r.operation for r in desk.server.requests if r.fault == case.fault.kind}
    assert hit >= set(OPERATIONS)
    assert ("continue" in hit) == case.goes_on
    assert resumed <= 2, "faults like these are nobody's business"


async def test_a_server_that_is_away_for_a_while_is_waited_for(desk: Desk) -> None:
    project_id = await desk.create()
    await desk.server.refuse_connections()
    await desk.engine.generate(project_id)
    await desk.until(lambda event: event.type == "waiting")
    await desk.server.accept_connections()
    assert await settle(desk, project_id) == 0
    assert (await desk.texts(project_id))["app.js"] == APP
