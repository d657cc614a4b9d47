"""What consecutive requests of a run have in common, as the server receives it: provider caches live on that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile
from typing import Any

import pytest

from tests.engine.agent.conftest import Desk
from tests.engine.agent.test_blueprint import picture
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
from tests.support.tiny_app import TINY_TEMPLATE
from vibedesk.engine.project_options import ImageFile, ProjectOptions

TASK = "# Your task"
TALK = "# The conversation"
FILES = "# Its files"
_FILE = re.compile(r'<file path="[^"]*">\n.*?</file>\n', re.S)
_LOOK_BACK = 20
"""So many blocks before a mark Anthropic looks for something that it keeps."""
_NAMED = re.compile(r"^Files that are there but not shown:(?:\n- .*)*", re.M)
_SUMMARY = re.compile(r"<summary>\n.*?\n</summary>", re.S)


@pytest.fixture
async def asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[ReceivedRequest]:  # noqa: F811
    """Every request of a project in which each operation has its turn, in the order in which they came.

    A picture goes with the wish: with some of the requests, that is, and not with others.
    """
    monkeypatch.setenv("VIBEDESK_REVIEW", "tools")
    desk.server.fail(faults.max_tokens(after_chars=AT), operation="implement_phase")
    options = ProjectOptions(template=str(TINY_TEMPLATE))
    sketch = ImageFile("sketch.png", picture("red"))
    project_id = await desk.engine.create("Count things for me", options, [sketch])
    await desk.watch(project_id)
    await desk.engine.generate(project_id)
    assert await settle(desk, project_id) == 0
    await have_talked_long(desk, project_id)
    await desk.engine.say(project_id, "Mach es grün")
    await desk.engine.wait(project_id)
    await proposal(desk, project_id)
    await ask_for_checks(desk, project_id)
    assert {request.operation for request in desk.server.requests} == {*ROUTE_OF, "continue"}
    with_it = {request.operation for request in desk.server.requests if has_picture(request)}
    assert with_it == {"blueprint", "implement_phase", "continue"}
    return desk.server.requests


def told(request: ReceivedRequest) -> str:
    """Return a request as one text: what a cache compares."""
    return "".join(texts(blocks(request)))


def blocks(request: ReceivedRequest) -> Iterator[dict[str, Any]]:
    """Yield what a request is made of, in order, whatever it stands in."""
    yield from request.system_blocks
    for turn in request.messages:
        content = turn["content"]
        yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


def has_picture(request: ReceivedRequest) -> bool:
    return any(block["type"] != "text" for block in blocks(request))


def common(one: ReceivedRequest, other: ReceivedRequest) -> str:
    """Return what both requests begin with."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(told(one), told(other), strict=False))
    return "".join(character for character, _ in same)


def project_part(request: ReceivedRequest) -> str:
    """Return what stands before the task, or before a conversation, and before a picture for it."""
    text = "".join(texts(takewhile(lambda block: block["type"] == "text", blocks(request))))
    return text[: min(text.find(mark) % (len(text) + 1) for mark in (TASK, TALK))].rstrip()


def files(request: ReceivedRequest) -> list[str]:
    """Return the files of the project part in their order, paths and texts."""
    return _FILE.findall(project_part(request))


def may_change(request: ReceivedRequest) -> tuple[list[str], list[str], list[str]]:
    """Return what of the project part may differ between two requests; the first install brings a file that is only named."""
    part = project_part(request)
    return files(request), _NAMED.findall(part), _SUMMARY.findall(part)


async def test_what_requests_of_all_operations_have_in_common(
    asked: list[ReceivedRequest],
    wire: str,  # noqa: F811
) -> None:
    assert len({request.system_blocks[0]["text"].encode() for request in asked}) == 1
    blueprint, *others = asked
    assert "Never write or change: " in common(blueprint, others[0])
    alike, older = set(), set()
    for one, other in pairwise(others):
        shared, pair = common(one, other), (one.operation, other.operation)
        assert FILES in shared, pair
        # What has not changed and stood before all that did stands there still.
        same = takewhile(set(files(other)).__contains__, files(one))
        assert [file for file in same if file not in shared] == [], pair
        if may_change(one) == may_change(other):
            assert shared.startswith(project_part(other)), pair
            alike.add(pair)
        if wire == "anthropic":
            kept = read_by_anthropic(one, other)
            # What the project is always, also where the picture came or went; all of it where nothing changed.
            assert "The blueprint:" in kept, pair
            assert kept.rstrip() == project_part(other) or pair not in alike, pair
            if files(one) != files(other) and '<file path="' in kept:
                older.add(pair)
    # Nothing changed between these two, so all but the task is the same.
    assert {("plan_phase", "implement_phase"), ("regenerate_file", "checks")} <= alike
    # What the starter brought stands before what the first phase wrote.
    planned = project_part(next(r for r in asked if r.operation == "plan_phase"))
    order = [planned.index(f'<file path="{path}">') for path in ("package.json", "index.html")]
    assert order == sorted(order)
    if wire == "anthropic":
        # Files were written in between: those of earlier phases are still read.
        assert {("implement_phase", "fix"), ("fix", "fix")} <= older


def read_by_anthropic(one: ReceivedRequest, other: ReceivedRequest) -> str:
    """Return what of a request is read from the cache because the one before wrote it there, by Anthropic's rules.

    Written is what ends at a mark; read what ends with a block, up to twenty before a mark. What stands in turns is lost
    where a picture or the effort came or went.
    """
    same_kind = has_picture(one) == has_picture(other) and one.body.get(
        "output_config"
    ) == other.body.get("output_config")
    before, now = list(blocks(one)), list(blocks(other))
    assert len([block for block in now if "cache_control" in block]) <= 4
    written = marks(before)
    for end in range(len(now), 0, -1):
        sought = any(end <= mark < end + _LOOK_BACK for mark in marks(now))
        whole = same_kind or end <= len(other.system_blocks)
        if sought and whole and end in written and texts(now[:end]) == texts(before[:end]):
            return "".join(texts(now[:end]))
    return ""


def marks(sent: list[dict[str, Any]]) -> list[int]:
    """Return how many blocks there are up to each mark."""
    return [number for number, block in enumerate(sent, start=1) if "cache_control" in block]


def texts(sent: Iterable[dict[str, Any]]) -> list[str]:
    return [block["text"] if block["type"] == "text" else json.dumps(block) for block in sent]
