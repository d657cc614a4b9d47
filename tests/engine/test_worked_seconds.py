"""How long the agent has worked at an app: neither rests nor waits for the person count."""

from __future__ import annotations

from vibedesk.engine import events as e
from vibedesk.engine.project_views import worked_seconds

TOLD = [
    (0, e.StateChange("blueprinting", "idle", "")),
    (0, e.RunStarted()),
    (10, e.Waiting("answers", None, "")),
    (5000, e.Resumed("answers")),
    (5000, e.RunStarted()),
    (5005, e.Waiting("approval", None, "")),
    (5005, e.StateChange("awaiting_approval", "blueprinting", "")),
    (9000, e.Resumed("approval")),
    (9000, e.StateChange("implementing_phase", "awaiting_approval", "")),
]
"""15 seconds of work, and a beginning."""


def seconds(*told: tuple[int, e.Payload]) -> float:
    rows = [
        (
            f"2026-01-01T{at // 3600:02d}:{at % 3600 // 60:02d}:{at % 60:02d}.000Z",
            payload.type,
            payload.to_data(),
        )
        for at, payload in told
    ]
    return worked_seconds(rows, running=False)


def test_the_time_in_which_the_person_is_waited_for_does_not_count() -> None:
    assert seconds(*TOLD) == 15
    done = (9100, e.StateChange("complete", "finalizing", ""))
    assert seconds(*TOLD, done) == 115
    pause = [(9040, e.Waiting("paused", None, "")), (9090, e.Resumed("paused"))]
    assert seconds(*TOLD, *pause, done) == 65


def test_a_wait_for_something_else_counts() -> None:
    wait = [(9010, e.Waiting("rate_limit", None, "")), (9090, e.Resumed("rate_limit"))]
    assert seconds(*TOLD, *wait, (9100, e.StateChange("complete", "finalizing", ""))) == 115


def test_of_a_run_that_was_cut_off_only_what_is_known_counts() -> None:
    cut = [*TOLD, (9060, e.StateChange("reviewing", "implementing_phase", ""))]
    assert seconds(*cut) == 75
    again = (30_000, e.RunStarted())
    assert seconds(*cut, again, (30_005, e.StateChange("complete", "reviewing", ""))) == 80


def test_what_happens_to_a_run_that_was_cut_off_does_not_count() -> None:
    cut = [*TOLD, (9060, e.StateChange("reviewing", "implementing_phase", ""))]
    preview = [(30_000, e.Waiting("slot", None, "")), (30_010, e.Resumed("slot"))]
    assert seconds(*cut, *preview) == 75
    again = [(30_020, e.RunStarted()), (30_025, e.StateChange("complete", "reviewing", ""))]
    assert seconds(*cut, *preview, *again) == 80
    restored = (40_000, e.StateChange("idle", "reviewing", "you went back", cut_off=True))
    assert seconds(*cut, *preview, restored) == 75
    again = [
        (40_005, e.StateChange("implementing_phase", "idle", "")),
        (40_005, e.RunStarted()),
        (40_011, e.StateChange("idle", "implementing_phase", "stopped by you")),
    ]
    assert seconds(*cut, *preview, restored, *again) == 81


def test_a_pause_over_the_programs_end_does_not_count() -> None:
    paused = [*TOLD, (9020, e.Waiting("paused", None, ""))]
    again = [(30_000, e.Resumed("paused")), (30_000, e.RunStarted())]
    assert seconds(*paused, *again, (30_005, e.StateChange("complete", "x", ""))) == 40


def test_a_change_to_a_complete_app_begins_anew() -> None:
    done = [*TOLD, (9100, e.StateChange("complete", "finalizing", ""))]
    more = (9200, e.StateChange("planning_phase", "complete", ""))
    assert seconds(*done, more, (9207, e.StateChange("idle", "planning_phase", ""))) == 7
