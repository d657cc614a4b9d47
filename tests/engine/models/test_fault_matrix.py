"""Every fault, in every operation, on both wires, on the real engine: it ends complete, or in an error that can be resumed.

One run carries its fault into each operation in turn, so the matrix has a run for each fault and wire. An answer that the
token limit cuts off comes first, so that `continue` has its turn in each of them.

A chunk that comes twice inside a file is text like any other, for nothing on either wire numbers the chunks: the file
keeps every line that was sent and has one more, made of the repeated piece. Every other file is as without it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_faults import Fault
from tests.support.model_server import REPEATED, ModelServer
from tests.support.tiny_app import APP, BLUEPRINT, PACKAGES, PAGE, phase, whole
from vibedesk.base.paths import Home
from vibedesk.engine.agent.open_work import Reached
from vibedesk.engine.builder.transcript import MOST_CHARACTERS
from vibedesk.engine.engine import Engine
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.store.conversation import ConversationStore
from vibedesk.engine.views import ProposalView

STYLE = "/* Grün, 日本, 👋 */\n" + "".join(f".rule-{n} {{ order: {n}; }}\n" for n in range(40))
FIRST = whole("style.css", STYLE) + PACKAGES + whole("index.html", PAGE) + whole("app.js", APP)
SECOND_PHASE = phase("More", ["index.html"], last=True)
BROKEN = [whole("index.html", f"BROKEN {number} 👋\n") for number in range(4)]
"""What the second phase writes, and three mends that do not help."""
LOOKS = "Nachsehen 👋: was steht in der Seite, und was sagt der Server dazu?\n\n[show index.html]\n"
DEBUGGED = "Die Seite sagt BROKEN 👋, mehr ist nicht falsch daran.\n\n" + whole("index.html", PAGE)
FOUND = "Größen stehen fest 👋, auf kleinen Bildschirmen ist das zu groß."
REVIEWED = {"findings": [{"file": "style.css", "line": 2, "severity": "warning", "message": FOUND}]}
CHECK = {
    "name": "Zeigt 👋",
    "steps": [
        {"do": "goto", "path": "/"},
        {"do": "expectText", "selector": "h1", "text": "Counter"},
    ],
}
ANEW = "// 👋 anders\n" + APP.replace("line3 = 3;", "line3 = 33;")
SUMMARY = "Sie mögen runde Zahlen 👋, ruhige Farben und kurze Sätze, sonst nichts weiter."
SAID_STYLE = "/* gesagt 👋 */\n"
TOLD = "Ich habe es grün gemacht 👋, sonst ist alles, wie es war."
SAID = f"{TOLD}\n\n" + whole("said.css", SAID_STYLE)
PLAN = {**BLUEPRINT, "description": "Zählt 👋."}
AT = 53
"""Characters into an answer: inside the first file of those that write files, but for one that talks before."""

ROUTE_OF = {
    "blueprint": "blueprint",
    "plan_phase": "plan_phase",
    "implement_phase": "implement_phase",
    "regenerate_file": "implement_phase",
    "fix": "fix",
    "review": "fix",
    "debug": "fix",
    "checks": "fix",
    "converse": "converse",
    "summarize": "converse",
}
"""Whose model every operation asks; a `continue` asks that of what it goes on with."""
RETRY = {"base_s": 0.02, "max_s": 0.1, "outage_s": 20, "jitter": 0}


@dataclass(frozen=True)
class Case:
    """A fault and how often it comes in a row in each operation."""

    fault: Fault
    times: int = 1

    def arrived(self, answer: str, text: str) -> str:
        """Return what becomes of the `text` that an answer has, where the fault falls into it."""
        if self.fault.kind != "duplicate":
            return text
        at = AT - answer.index(text)
        return text[:at] + text[at - REPEATED : at] + text[at:]


CASES = {
    "dropped mid-token": Case(faults.drop(after_chars=AT)),
    "cut inside a code point": Case(faults.utf8_cut()),
    "character in two halves": Case(faults.split_surrogate()),
    "chunk sent twice": Case(faults.duplicate(after_chars=AT)),
    "no finish reason": Case(faults.no_stop(after_chars=AT)),
    "web page with status 200": Case(faults.html()),
    "broken tool call": Case(faults.broken_tool(after_chars=AT)),
    "no usage": Case(faults.no_usage()),
    "stall": Case(faults.stall(after_chars=AT)),
    "storm of 429": Case(faults.status(429, retry_after=0.01), times=7),
    "529": Case(faults.status(529), times=5),
    "broken JSON": Case(faults.broken_json(after_chars=AT)),
    "error in the stream": Case(faults.error_event(after_chars=AT)),
    "empty answer": Case(faults.empty(), times=2),
}


def script(server: ModelServer) -> None:
    second = {**SECOND_PHASE, "name": "Mehr 👋"}
    for _ in range(2):  # the first may be spoilt and of no use
        server.answer(json.dumps(PLAN, ensure_ascii=False), operation="blueprint")
        server.answer(json.dumps(second, ensure_ascii=False), operation="plan_phase")
        server.answer(json.dumps({"checks": [CHECK]}, ensure_ascii=False), operation="checks")
    server.answer(FIRST, operation="implement_phase")
    server.answer(BROKEN[0], operation="implement_phase")
    for mend in BROKEN[1:]:
        server.answer("# Nur die Seite 👋\n" + mend, operation="fix")
    server.answer(LOOKS, operation="debug")
    server.answer(DEBUGGED, operation="debug")
    for _ in range(3):
        server.answer(json.dumps(REVIEWED, ensure_ascii=False), operation="review")
    server.answer(SAID, operation="converse")
    server.answer(SUMMARY, operation="summarize")
    server.answer(whole("app.js", ANEW), operation="regenerate_file")


@pytest.fixture(params=["anthropic", "openai"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def desk(home: Home, wire: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    async with ModelServer() as server:
        for name, value in server.environment(wire).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("VIBEDESK_STALL_SECONDS", "0.8")
        script(server)
        engine = Engine(home)
        await asyncio.to_thread(engine.start)
        await engine.set_setting("models.retry", RETRY)
        await ask_a_model_for_each_route(engine)
        desk = Desk(engine, server)
        yield desk
        await desk.aclose()


async def ask_a_model_for_each_route(engine: Engine) -> None:
    for route in (await engine.routes()).routes:
        step = route.steps[0]
        own = dataclasses.replace(step, model=f"{step.model}-{route.operation}")
        await engine.set_route(route.operation, [own])


def assert_asked_by_route(server: ModelServer) -> None:
    """Check that every request went to the model that is set for its operation."""
    route = ""
    for request in server.requests:
        route = ROUTE_OF.get(request.operation, route)
        assert request.body["model"].endswith(f"-{route}"), request.operation


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


async def have_talked_long(desk: Desk, project_id: str) -> None:
    """Let so much have been said that the next answer is followed by a summary."""
    access = desk.agent(project_id).access

    def talk(_: Emit) -> None:
        for number in range(5):
            words = f"{number} " + "x" * (MOST_CHARACTERS // 5)
            said = access.store.add_message(project_id, "user", words)
            answered = {"answers": said.id, "no_change": True}
            access.store.add_message(project_id, "assistant", "Ja.", data=answered)

    await desk.engine._call(access.commit(talk))


async def summary(desk: Desk, project_id: str) -> str:
    """Return what stands for the conversation's older part."""
    access = desk.agent(project_id).access

    async def look() -> str:
        return (await access.read(lambda: ConversationStore(project_id).summary()))[0]

    return await desk.engine._call(look())


async def proposal(desk: Desk, project_id: str) -> ProposalView:
    """Return what the model makes of app.js, asked again where it failed; the file is as it was meanwhile."""
    for _ in range(2):
        asked = await desk.engine.regenerate_file(project_id, "app.js", "Other numbers")
        await desk.engine.wait(project_id)
        view = await desk.engine.proposal(project_id, asked)
        if view.status == "ready":
            return view
        assert desk.of("error")
    raise AssertionError(f"it is {view.status}")


async def ask_for_checks(desk: Desk, project_id: str) -> list[str]:
    """Have a model write the checks that are missing, as a review does where a browser looks."""
    self_test = desk.agent(project_id)._steps.mending._review.self_test
    return await desk.engine._call(self_test.correct(Reached(2, last=True), ()))


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
async def test_every_run_ends_complete_and_no_file_is_torn(
    desk: Desk, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIBEDESK_REVIEW", "tools")
    desk.server.fail(faults.max_tokens(after_chars=AT), operation="implement_phase")
    for operation in (*ROUTE_OF, "continue"):
        desk.server.fail(case.fault, operation=operation, times=case.times)
    project_id = await desk.build()
    resumed = await settle(desk, project_id)
    assert desk.of("debug_turn")
    await have_talked_long(desk, project_id)
    for _ in range(case.times + 1):
        await desk.engine.say(project_id, "Mach es grün")
        await desk.engine.wait(project_id)
        resumed += await settle(desk, project_id)
        if "said.css" in await desk.texts(project_id):
            break
    summed_up = await summary(desk, project_id)
    before = await desk.texts(project_id)
    anew = await proposal(desk, project_id)
    assert await desk.texts(project_id) == before
    await desk.engine.take_proposal(project_id, anew.id)
    texts = await desk.texts(project_id)
    checks = await ask_for_checks(desk, project_id)
    expected = {
        "index.html": PAGE,
        "app.js": case.arrived(whole("app.js", ANEW), ANEW),
        "style.css": case.arrived(FIRST, STYLE),
        "said.css": SAID_STYLE,
    }
    assert {path: texts[path] for path in expected} == expected
    assert summed_up == case.arrived(SUMMARY, SUMMARY)
    assert checks == [CHECK["name"]]
    found = (await desk.engine.project(project_id)).issues
    assert FOUND in {issue["message"] for issue in found}
    folder = await desk.folder(project_id)
    assert {path: (folder / path).read_text("utf-8") for path in texts} == texts
    hit = {r.operation for r in desk.server.requests if r.fault == case.fault.kind}
    assert hit == {*ROUTE_OF, "continue"}
    assert_asked_by_route(desk.server)
    assert resumed <= 2, "faults like these are nobody's business"


async def test_a_server_that_is_away_for_a_while_is_waited_for(desk: Desk) -> None:
    project_id = await desk.create()
    await desk.server.refuse_connections()
    await desk.engine.generate(project_id)
    await desk.until(lambda event: event.type == "waiting")
    await desk.server.accept_connections()
    assert await settle(desk, project_id) == 0
    assert (await desk.texts(project_id))["app.js"] == APP
