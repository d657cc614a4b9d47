"""Amounts, sizes and states as people read them."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from tests.ui.sandbox_gallery import DOCKER, GIB, LOCAL, MIB
from vibedesk.engine.sandboxes.driver import SandboxStatus
from vibedesk.engine.sandboxes.sizes import SIZES
from vibedesk.ui.sandbox.words import (
    app_place,
    app_state_words,
    bytes_words,
    cpu_measure,
    cpu_share,
    last_used_words,
    machine_cores,
    seconds_words,
    sizes,
    state_chip,
)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 B"),
        (900, "900 B"),
        (812 * 1024, "812 KB"),
        (412 * MIB, "412 MB"),
        (1023 * MIB, "1023 MB"),
        (2 * GIB, "2 GB"),
        (round(1.24 * GIB), "1.2 GB"),
        (3 * 1024 * GIB, "3 TB"),
    ],
)
def test_amounts_are_said_as_people_say_them(amount: int, words: str) -> None:
    assert bytes_words(amount) == words


def test_the_sizes_mean_what_the_engine_makes_of_them() -> None:
    told = {s.key: (s.cores, s.memory_gb * GIB, s.disk_gb * GIB) for s in sizes()}
    assert told == {s.name: (s.cpus, s.memory, s.disk) for s in SIZES.values()}
    assert sizes()[1].meaning == "1 core, 2 GB memory, 4 GB disk"


def test_cpu_is_a_share_of_what_may_be_used() -> None:
    assert cpu_share(DOCKER) == pytest.approx(0.12)
    assert cpu_measure(DOCKER) == "of 2 cores"
    assert cpu_measure(dataclasses.replace(DOCKER, cpu_limit=1.0)) == "of 1 core"
    assert cpu_measure(dataclasses.replace(DOCKER, cpu_limit=1.5)) == "of 1.5 cores"
    busy = dataclasses.replace(LOCAL, cpu=float(machine_cores()))
    assert cpu_share(busy) == 1.0
    assert cpu_measure(busy) == "of this computer"
    assert cpu_share(dataclasses.replace(DOCKER, cpu=None)) is None


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("", ""),
        ("no moment", ""),
        ("2026-11-20T12:00:00Z", "used today"),
        ("2026-11-19T12:00:00Z", "used yesterday"),
        ("2026-11-01T12:00:00Z", "used 19 days ago"),
        ("2026-08-01T12:00:00Z", "used 3 months ago"),
    ],
)
def test_last_use_is_said_in_days(at: str, words: str) -> None:
    assert last_used_words(at, date(2026, 11, 20)) == words


def test_short_times_are_exact_and_long_ones_round() -> None:
    assert [seconds_words(s) for s in (1.38, 42.4, 130)] == ["1.4 s", "42 s", "2 min"]


def test_every_state_has_words_of_its_own() -> None:
    words = [app_state_words(state.value) for state in SandboxStatus]
    chips = [state_chip(state.value).text for state in SandboxStatus]
    assert len({*words}) == len({*chips}) == len(SandboxStatus)
    assert not {*words, *chips} & {state.value for state in SandboxStatus}


def test_an_unknown_setting_is_automatic() -> None:
    assert [app_place(v) for v in ("docker", "local", "auto", "cluster", None)] == [
        "docker",
        "local",
        "auto",
        "auto",
        "auto",
    ]
