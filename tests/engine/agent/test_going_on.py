"""A file that is longer than what one answer may hold ends whole, on both wires."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import PAGE, phase, whole
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import FileChunk
from vibedesk.engine.files.replica import DocumentReplica
from vibedesk.engine.views import ProposalView, RouteStepView

MODELS = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol"}
MOST_TOKENS = 2_000
LIMIT = 4 * MOST_TOKENS
"""Characters: about what one answer may hold."""
LONG = "".join(f"export const grün{n} = 'Wert {n} 👋';\n" for n in range(3 * LIMIT // 37))
SHORT = "".join(f"export const line{n} = {n};\n" for n in range(60))
BEGUN = "cat > app.js <<'EOF_A'\n"
GOES_ON = "cat >> app.js <<'EOF_B'\n"


@pytest.fixture(params=["anthropic", "openai"])
async def desk(
    home: Home, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    async with ModelServer() as server:
        for name, value in server.environment(request.param).items():
            monkeypatch.setenv(name, value)
        plan = {
            "title": "Counter",
            "description": "Counts.",
            "initial_phase": phase("Basics", ["app.js", "index.html"], last=True),
        }
        server.answer(json.dumps(plan), operation="blueprint")
        engine = Engine(home)
        await asyncio.to_thread(engine.start)
        step = RouteStepView(
            provider=request.param, model=MODELS[request.param], max_output_tokens=MOST_TOKENS
        )
        await engine.set_route("implement_phase", [step])
        desk = Desk(engine, server)
        yield desk
        await desk.aclose()


def cut(desk: Desk, text: str, operation: str = "continue") -> None:
    """Queue an answer that ends where the model may not write more."""
    desk.server.answer(text, operation=operation, stop_reason="max_tokens")


def last_line(end: int, text: str = LONG) -> int:
    """Where the line begins that a cut at `end` goes through."""
    return text.rindex("\n", 0, end) + 1


def asked(desk: Desk) -> list[str]:
    """The last turn of each request to go on."""
    turns = [r.messages[-1]["content"] for r in desk.server.requests_for("continue")]
    return [t if isinstance(t, str) else "".join(part["text"] for part in t) for t in turns]


async def test_a_file_of_three_times_the_limit_ends_whole(desk: Desk) -> None:
    assert 2.8 * LIMIT < len(LONG) < 3 * LIMIT
    one = LIMIT
    two = last_line(one) + LIMIT
    cut(desk, BEGUN + LONG[:one], "implement_phase")
    cut(desk, GOES_ON + LONG[last_line(one) : two])
    rest = f"{GOES_ON}{LONG[last_line(two) :]}EOF_B\n"
    desk.server.answer(rest + whole("index.html", PAGE), operation="continue")
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    texts = await desk.texts(project_id)
    assert (texts["app.js"], texts["index.html"]) == (LONG, PAGE)
    assert (await desk.folder(project_id) / "app.js").read_bytes() == LONG.encode()
    first, second = asked(desk)
    assert "cat >> app.js" in first
    assert f"\n{LONG[:one].splitlines()[-2]}\n</partial>" in first
    assert f"\n{LONG[:two].splitlines()[-2]}\n</partial>" in second


async def test_a_short_file_is_asked_for_whole_and_gone_on_with_when_cut_again(desk: Desk) -> None:
    cut(desk, BEGUN + SHORT[:300], "implement_phase")
    cut(desk, BEGUN + SHORT[:700])
    rest = f"{GOES_ON}{SHORT[last_line(700, SHORT) :]}EOF_B\n"
    desk.server.answer(rest + whole("index.html", PAGE), operation="continue")
    project_id = await desk.build()
    assert (await desk.texts(project_id))["app.js"] == SHORT
    first, second = asked(desk)
    assert "send app.js again, whole" in first
    assert "cat >> app.js" in second


async def test_a_whole_file_where_its_rest_was_asked_for_is_taken(desk: Desk) -> None:
    cut(desk, BEGUN + LONG[: LIMIT // 2], "implement_phase")
    answer = whole("app.js", SHORT) + whole("index.html", PAGE)
    desk.server.answer(answer, operation="continue")
    project_id = await desk.build()
    assert (await desk.texts(project_id))["app.js"] == SHORT
    assert "cat >> app.js" in asked(desk)[0]


@pytest.mark.parametrize("lines", [2, 30])
async def test_the_last_lines_shown_are_not_doubled(desk: Desk, lines: int) -> None:
    cut(desk, BEGUN + LONG[: LIMIT // 2], "implement_phase")
    shown = LONG[: last_line(LIMIT // 2)].splitlines(keepends=True)
    again = "".join(shown[-lines:])
    two = LIMIT
    cut(desk, GOES_ON + again + LONG[last_line(LIMIT // 2) : two])
    again = "".join(LONG[: last_line(two)].splitlines(keepends=True)[-lines:])
    rest = f"{GOES_ON}{again}{LONG[last_line(two) :]}EOF_B\n"
    desk.server.answer(rest + whole("index.html", PAGE), operation="continue")
    project_id = await desk.build()
    assert (await desk.texts(project_id))["app.js"] == LONG


async def test_lines_that_are_all_alike_are_not_taken_for_a_repetition(desk: Desk) -> None:
    alike = "export const the_same_line_again_and_again = 0;\n" * (LIMIT // 40)
    end = LIMIT // 2
    cut(desk, BEGUN + alike[:end], "implement_phase")
    rest = f"{GOES_ON}{alike[last_line(end, alike) :]}EOF_B\n"
    desk.server.answer(rest + whole("index.html", PAGE), operation="continue")
    project_id = await desk.build()
    assert (await desk.texts(project_id))["app.js"] == alike


async def test_a_stream_that_drops_in_the_rest_is_gone_on_with(desk: Desk) -> None:
    one = LIMIT // 2
    cut(desk, BEGUN + LONG[:one], "implement_phase")
    desk.server.fail(faults.drop(after_chars=2_500), operation="continue")
    desk.server.answer(f"{GOES_ON}{LONG[last_line(one) :]}EOF_B\n", operation="continue")
    two = last_line(one) + 2_500 - len(GOES_ON)
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.server.wait_until(lambda: len(desk.server.requests_for("continue")) == 2, 120)
    assert f"\n{LONG[:two].splitlines()[-2]}\n</partial>" in asked(desk)[1]
    await desk.engine.cancel(project_id)


async def test_a_file_that_does_not_grow_ends_in_an_error_that_keeps_it(desk: Desk) -> None:
    one = LIMIT // 2
    cut(desk, BEGUN + LONG[:one], "implement_phase")
    for _ in range(2):
        cut(desk, GOES_ON + LONG[last_line(one) : one])
    project_id = await desk.build()
    assert await desk.state(project_id) == "error"
    assert len(asked(desk)) == 3, "twice in vain, and once in another try, which nothing answers"
    desk.server.answer(f"{GOES_ON}{LONG[last_line(one) :]}EOF_B\n", operation="continue")
    desk.server.answer(whole("index.html", PAGE), operation="continue")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert (await desk.texts(project_id))["app.js"] == LONG


async def test_what_a_stopped_rest_had_repeated_is_not_doubled(desk: Desk) -> None:
    """Nothing of it is at an end when the person stops: what it repeats is seen when the build goes on."""
    one = LIMIT // 2
    kept = LONG[: last_line(one)]
    repeated = "".join(kept.splitlines(keepends=True)[-30:])
    rest = GOES_ON + repeated + LONG[len(kept) :]
    came = len(GOES_ON + repeated) + 400
    cut(desk, BEGUN + LONG[:one], "implement_phase")
    desk.server.answer(rest, operation="continue")
    desk.server.fail(faults.stall(after_chars=came), operation="continue")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    two = last_line(len(kept) + 400)
    await desk.until(lambda _: LONG[len(kept) : two] in seen(desk))
    await desk.engine.cancel(project_id)
    last = f"{GOES_ON}{LONG[two:]}EOF_B\n" + whole("index.html", PAGE)
    desk.server.answer_with(lambda request: last if request.operation == "continue" else "")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert (await desk.texts(project_id))["app.js"] == LONG
    assert f"\n{LONG[:two].splitlines()[-1]}\n</partial>" in asked(desk)[1]


@pytest.mark.parametrize("text", [LONG, SHORT])
async def test_what_is_typed_between_a_stop_and_its_going_on_stays(desk: Desk, text: str) -> None:
    one = LIMIT // 2 if text == LONG else 300
    begun = text[: last_line(one, text)]
    desk.server.answer(f"{BEGUN}{text}", operation="implement_phase")
    desk.server.fail(faults.stall(after_chars=len(BEGUN) + one), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda _: begun in seen(desk))
    await desk.engine.cancel(project_id)
    replica = DocumentReplica()
    replica.apply(*await desk.engine.updates_since(project_id, 0))
    first, others = text.split("\n", 1)
    typed = replica.edit("app.js", len(f"{first}\n".encode()), 0, "// mine\n")
    assert typed is not None
    await desk.engine.apply_update(project_id, typed)
    rest = f"{GOES_ON}{text[len(begun) :]}EOF_B\n" if text == LONG else whole("app.js", text)
    desk.server.answer(rest + whole("index.html", PAGE), operation="continue")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert (await desk.texts(project_id))["app.js"] == f"{first}\n// mine\n{others}"
    assert ("cat >> app.js" in asked(desk)[0]) == (text == LONG)


def seen(desk: Desk) -> str:
    """What was shown of files since one began last."""
    text = ""
    for event in desk.events:
        if event.type == "file_start":
            text = ""
        elif isinstance(event.payload, FileChunk):
            text += event.payload.chunk
    return text


# -- one file written anew --------------------------------------------------------------------------


async def anew(desk: Desk) -> tuple[str, ProposalView]:
    """Have `app.js` written anew, and return the project and how that went."""
    project_id = await desk.create()
    await desk.engine.create_file(project_id, "app.js", SHORT)
    proposal_id = await desk.engine.regenerate_file(project_id, "app.js", "Auf Deutsch")
    await desk.engine.wait(project_id)
    return project_id, await desk.engine.proposal(project_id, proposal_id)


def shown(desk: Desk) -> str:
    """Return what the person has seen come of the file, by its last beginning."""
    told = [e for e in desk.events if e.type in ("proposal_started", "proposal_chunk")]
    begun = max(at for at, event in enumerate(told) if event.type == "proposal_started")
    return "".join(event.payload.chunk for event in told[begun + 1 :])  # type: ignore[attr-defined]


async def test_a_file_that_is_written_anew_may_be_longer_than_an_answer(desk: Desk) -> None:
    one = LIMIT
    two = last_line(one) + LIMIT
    cut(desk, BEGUN + LONG[:one], "regenerate_file")
    cut(desk, GOES_ON + LONG[last_line(one) : two])
    desk.server.answer(f"{GOES_ON}{LONG[last_line(two) :]}EOF_B\n", operation="continue")
    # Where it goes on after this, it repeats what had come.
    desk.server.fail(faults.drop(after_chars=2_500), operation="continue")
    project_id, view = await anew(desk)
    assert (view.status, view.text, shown(desk)) == ("ready", LONG, LONG)
    assert ["cat >> app.js" in turn for turn in asked(desk)] == [True] * 3
    await desk.engine.take_proposal(project_id, view.id)
    assert await desk.engine.read_file(project_id, "app.js") == LONG


async def test_what_had_come_of_a_file_written_anew_outlasts_answers_of_no_use(desk: Desk) -> None:
    one = last_line(LIMIT)
    cut(desk, BEGUN + LONG[:one], "regenerate_file")
    # The rest without a word where it belongs is no whole file, and neither is it at the file's name.
    desk.server.answer(f"```js\n{LONG[one:]}```\n", operation="continue")
    desk.server.answer(f"cat > app.js <<'E'\n{LONG[-300:]}E\n", operation="continue")
    desk.server.answer(f"{GOES_ON}{LONG[one:]}EOF_B\n", operation="continue")
    desk.server.fail(faults.drop(after_chars=3), operation="continue")
    _, view = await anew(desk)
    assert (view.status, view.text) == ("ready", LONG)
    assert ["cat >> app.js" in turn for turn in asked(desk)] == [True] * 4


async def test_a_file_written_anew_that_does_not_grow_is_never_shown_as_a_change(
    desk: Desk,
) -> None:
    one = LIMIT // 2
    cut(desk, BEGUN + LONG[:one], "regenerate_file")
    for _ in range(4):
        cut(desk, GOES_ON + LONG[last_line(one) : one])
    project_id, view = await anew(desk)
    assert (view.status, view.hunks) == ("failed", ())
    [error] = desk.of("error")
    assert "the answer broke off" in error.payload.message  # type: ignore[attr-defined]
    assert await desk.engine.read_file(project_id, "app.js") == SHORT
