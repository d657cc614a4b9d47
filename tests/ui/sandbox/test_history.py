from __future__ import annotations

import dataclasses

import pytest

from tests.ui.sandbox_gallery import DOCKER, GIB, LOCAL, MIB
from vibedesk.ui.sandbox.history import UsageHistory


def test_a_minute_is_kept_and_the_newest_is_at_the_right() -> None:
    history = UsageHistory()
    for second in range(0, 121, 2):
        history.add(DOCKER, float(second))
    curve = history.cpu()
    assert curve[0] == (0.0, pytest.approx(0.12))
    assert curve[-1] == (1.0, pytest.approx(0.12))
    assert len(curve) == 31


def test_memory_is_measured_by_its_limit() -> None:
    history = UsageHistory()
    history.add(dataclasses.replace(DOCKER, memory=GIB), 0.0)
    assert history.memory() == [(1.0, pytest.approx(0.25))]
    assert history.most_memory() == GIB


def test_without_a_limit_the_curve_leaves_room_above_the_most() -> None:
    history = UsageHistory()
    history.add(dataclasses.replace(LOCAL, memory=200 * MIB), 0.0)
    history.add(dataclasses.replace(LOCAL, memory=100 * MIB), 30.0)
    assert [much for _, much in history.memory()] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert [when for when, _ in history.memory()] == [0.5, 1.0]


def test_what_could_not_be_measured_leaves_a_gap() -> None:
    history = UsageHistory()
    history.add(dataclasses.replace(DOCKER, cpu=None, memory=None), 0.0)
    assert history.cpu() == history.memory() == []
    assert history.most_cpu() == 0.0
    history.clear()
    assert history.memory_measure() == 1
