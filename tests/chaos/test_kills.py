"""SIGKILL somewhere in each state, and the program goes on as if nothing had been; `make chaos` has 200 of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.chaos.lives import Outcome, Point, Stage, Undisturbed
from tests.chaos.points import every_point, never_met, too_few
from vibedesk.engine.states import AgentState

pytestmark = pytest.mark.e2e

SAMPLE = [
    Point("build", 0, "idle", 0),
    Point("build", 0, "blueprinting", 1, 7),
    Point("approve", 0, "awaiting_approval", 2),
    Point("build", 0, "implementing_phase", 2, 7),
    Point("build", 0, "installing_deps", 3, None, "deps_installed"),
    Point("build", 0, "starting_server", 4, 2),
    Point("build", 0, "reviewing", 5),
    Point("build", 0, "finalizing", 6),
    Point("build", 0, "planning_phase", 7, 1),
    Point("build", 0, "fixing", 12, 3),
    Point("fail", 0, "error", 8),
    Point("say", 0, "complete", 0, 2),
    Point("say", 0, "implementing_phase", 1, 2),
    Point("regenerate", 0, "complete", 0, 3),
    Point("regenerate", 0, "complete", 0, None, "file_changed"),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize(
    "point", SAMPLE, ids=lambda p: f"{p.act}-{p.state}-{p.visit}-{p.kind or p.after}"
)
def test_goes_on(point: Point, stage: Stage) -> None:
    [kill] = stage.survive(point)
    assert kill.reached
    assert kill.decided == point.state


def test_a_state_with_too_few_kills_is_noticed() -> None:
    chosen = [Point("build", 0, "fixing", 0)] * 7 + [Point("build", 0, "idle", 0)] * 2
    assert too_few(chosen, Counter(fixing=5, idle=2)) == []
    assert too_few(chosen, Counter(fixing=4, idle=1, error=9)) == ["fixing", "idle"]


def test_a_state_that_no_life_is_ever_in_is_noticed() -> None:
    lives = {"build": undisturbed(*AgentState), "fail": undisturbed(AgentState.ERROR)}
    assert never_met(every_point(lives)) == []
    lives["build"] = undisturbed(*(set(AgentState) - {AgentState.FIXING, AgentState.ERROR}))
    assert never_met(every_point(lives)) == ["fixing"]


def test_the_sample_has_a_kill_in_every_state() -> None:
    assert never_met(SAMPLE) == []


def undisturbed(*states: AgentState) -> Undisturbed:
    events = [{"type": "state_change", "data": {"state": state.value}} for state in states]
    return Undisturbed(Outcome("", "", {}, {}), 0, [events])


def test_a_program_that_ends_before_its_place_is_not_killed(stage: Stage) -> None:
    [kill] = stage.survive(Point("say", 0, "complete", 99))
    assert not kill.reached


def test_goes_on_after_a_second_kill(stage: Stage) -> None:
    point = Point("build", 0, "implementing_phase", 2, 5)
    assert len(stage.survive(point, random.Random(1))) == 2
