"""What consecutive requests of a run have in common, as the server receives it: provider caches live on that."""

from __future__ import annotations

import re
from itertools import pairwise, takewhile
from typing import Any

import pytest

from tests.engine.agent.conftest import Desk
from tests.engine.models.test_fault_matrix import (  # noqa: F401 - two of them are fixtures
    AT,
    ROUTE_OF,
    ask_for_checks,
    desk,
    have_talked_long,
    proposal,
    settle,
    wire,
)
from tests.support import model_faults as faults
from tests.support.model_http import ReceivedRequest

TASK = "# Your task"
TALK = "# The conversation"
FILES = "# Its files"
_FILE = re.compile(r'<file path="[^"]*">\n.*?</file>\n', re.S)
_SUMMARY = re.compile(r"<summary>\n.*?\n</summary>", re.S)


@pytest.fixture
async def asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[ReceivedRequest]:  # noqa: F811
    """Every request of a project in which each operation has its turn, in the order in which they came."""
    monkeypatch.setenv("VIBEDESK_REVIEW", "tools")
    desk.server.fail(faults.max_tokens(after_chars=AT), operation="implement_phase")
    project_id = await desk.build()
    assert await settle(desk, project_id) == 0
    await have_talked_long(desk, project_id)
    await desk.engine.say(project_id, "Mach es grün")
    await desk.engine.wait(project_id)
    await proposal(desk, project_id)
    await ask_for_checks(desk, project_id)
    assert {request.operation for request in desk.server.requests} == {*ROUTE_OF, "continue"}
    return desk.server.requests


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


def project_part(request: ReceivedRequest) -> str:
    """Return what stands before the task, or before a conversation."""
    text = told(request)
    return text[: min(text.index(mark) for mark in (TASK, TALK) if mark in text)]


def files(request: ReceivedRequest) -> list[str]:
    """Return the files of the project part in their order, paths and texts."""
    return _FILE.findall(project_part(request))


def summary(request: ReceivedRequest) -> list[str]:
    return _SUMMARY.findall(project_part(request))


def installed_between(one: ReceivedRequest, other: ReceivedRequest) -> bool:
    """Whether the starter's first install, which runs beside the first phase, ended between two requests."""
    lock_file = '<file path="package-lock.json">'
    return lock_file in told(other) and lock_file not in told(one)


async def test_what_requests_of_all_operations_have_in_common(
    asked: list[ReceivedRequest],
    wire: str,  # noqa: F811
) -> None:
    assert len({request.system.encode() for request in asked}) == 1
    blueprint, *others = asked
    assert "Never write or change: " in common(blueprint, others[0])
    alike = set()
    for one, other in pairwise(others):
        shared, pair = common(one, other), (one.operation, other.operation)
        assert FILES in shared, pair
        # What has not changed and stood before all that did stands there still.
        if not installed_between(one, other):
            same = takewhile(set(files(other)).__contains__, files(one))
            assert [file for file in same if file not in shared] == [], pair
        if (files(one), summary(one)) == (files(other), summary(other)):
            assert shared.startswith(project_part(other)), pair
            alike.add(pair)
    # Nothing changed between these two, so all but the task is the same.
    assert {("plan_phase", "implement_phase"), ("regenerate_file", "checks")} <= alike
    # What the starter brought stands before what the first phase wrote.
    planned = project_part(next(r for r in asked if r.operation == "plan_phase"))
    order = [planned.index(f'<file path="{path}">') for path in ("package.json", "index.html")]
    assert order == sorted(order)
    if wire == "anthropic":
        for request in asked:
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
