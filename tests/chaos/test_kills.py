"""SIGKILL somewhere in each state, and the program goes on as if nothing had been; `make chaos` has 200 of them."""

from __future__ import annotations

import random

import pytest

from tests.chaos.lives import Point, Stage

pytestmark = pytest.mark.e2e

SAMPLE = [
    Point("build", 0, "idle", 0),
    Point("build", 0, "blueprinting", 1, 7),
    Point("approve", 0, "awaiting_approval", 2),
    Point("build", 0, "implementing_phase", 2, 7),
    Point("build", 0, "installing_deps", 3, 8),
    Point("build", 0, "starting_server", 4, 2),
    Point("build", 0, "reviewing", 5),
    Point("build", 0, "finalizing", 6),
    Point("build", 0, "planning_phase", 7, 1),
    Point("build", 0, "fixing", 11, 3),
    Point("fail", 0, "error", 8),
    Point("say", 0, "complete", 0, 2),
    Point("say", 0, "implementing_phase", 1, 2),
    Point("regenerate", 0, "complete", 0, 3),
    Point("regenerate", 0, "complete", 0, 9),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize("point", SAMPLE, ids=lambda p: f"{p.act}-{p.state}-{p.visit}-{p.after}")
def test_goes_on(point: Point, stage: Stage) -> None:
    [kill] = stage.survive(point)
    assert kill.decided == point.state


def test_goes_on_after_a_second_kill(stage: Stage) -> None:
    point = Point("build", 0, "implementing_phase", 2, 5)
    assert len(stage.survive(point, random.Random(1))) == 2
