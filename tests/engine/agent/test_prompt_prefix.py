"""What consecutive requests of a run have in common, as the server receives it: provider caches live on that."""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import Any

import pytest

from tests.engine.agent.conftest import Desk
from tests.support.model_http import ReceivedRequest
from tests.support.model_server import ModelServer
from vibedesk.base.paths import Home

TASK = "# Your task"
FILES = "# Its files"


@pytest.fixture(params=["anthropic", "openai"])
def wire(
    request: pytest.FixtureRequest,
    home: Home,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment(request.param).items():
        monkeypatch.setenv(name, value)
    wire: str = request.param
    return wire


@pytest.fixture
async def run(desk: Desk, wire: str, server: ModelServer) -> list[ReceivedRequest]:
    """Every request of a build of two phases and a message after it."""
    options: dict[str, Any] = {} if wire == "anthropic" else {"provider": "openai"}
    project_id = await desk.build(**options)
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    asked = [r for r in server.requests if r.operation not in ("review", "checks", "summarize")]
    operations = [request.operation for request in asked]
    assert operations == [
        "blueprint",
        "implement_phase",
        "plan_phase",
        "implement_phase",
        "converse",
    ]
    return asked


def told(request: ReceivedRequest) -> str:
    """Return a request as one text: what a cache compares."""
    return request.system + "".join(text_of(turn) for turn in request.messages)


def common(one: ReceivedRequest, other: ReceivedRequest) -> str:
    """Return what both requests begin with."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(told(one), told(other), strict=False))
    return "".join(character for character, _ in same)


def text_of(turn: dict[str, Any]) -> str:
    content = turn["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


async def test_what_requests_of_a_run_have_in_common(run: list[ReceivedRequest], wire: str) -> None:
    assert len({request.system.encode() for request in run}) == 1
    for one, other in pairwise(run[1:]):
        shared = common(one, other)
        assert FILES in shared, (one.operation, other.operation)
        if (one.operation, other.operation) == ("plan_phase", "implement_phase"):
            # Nothing changed between these two, so all but the task is the same.
            assert TASK in shared
    # What the starter brought stands before what the first phase wrote.
    starters = told(run[2]).index('<file path="package.json">')
    assert starters < told(run[2]).index('<file path="index.html">')
    assert len(common(run[1], run[2])) > starters
    if wire == "anthropic":
        for request in run:
            assert_kept_by_anthropic(request)


def assert_kept_by_anthropic(request: ReceivedRequest) -> None:
    """The system prompt and the project part end with a mark, and nothing else does."""
    blocks = [*request.body["system"]]
    for turn in request.body["messages"]:
        blocks += turn["content"] if isinstance(turn["content"], list) else []
    marked = [block for block in blocks if "cache_control" in block]
    stable, following = request.body["messages"][0]["content"]
    assert marked == [request.body["system"][-1], stable]
    assert TASK not in stable["text"]
    assert TASK in following["text"] or request.operation == "converse"
