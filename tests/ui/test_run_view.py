"""The phase bar's picture of a run, and its clock."""

from __future__ import annotations

import pytest

from vibedesk.ui.run_clock import RunClock
from vibedesk.ui.run_view import RunView


def same(text: str) -> str:
    return text


def steps(run: RunView) -> list[str]:
    return [step.state for step in run.phase_view(same).steps]


def test_a_fresh_project_offers_nothing() -> None:
    view = RunView().phase_view(same)
    assert (view.control, view.share, view.overline) == ("none", 0.0, "")


def test_a_phase_that_is_written_counts_its_files() -> None:
    run = RunView(phase_total=2)
    run.open_phase(1, "Lists", ["a.ts", "b.ts"])
    run.enter("implementing_phase", "", "installing_deps")
    before = run.phase_view(same)
    run.finished.add("a.ts")
    after = run.phase_view(same)
    assert steps(run) == ["done", "done", "active", "todo", "todo", "todo"]
    assert after.steps[2].extra == "1/2"
    assert before.share < after.share < 0.5
    assert (after.overline, after.title) == ("Phase 1 of 2", "Lists")
    assert (after.control, after.tone) == ("stop", "live")


def test_a_wait_turns_the_running_step_amber_and_says_so() -> None:
    run = RunView(phase_total=2)
    run.open_phase(1, "Lists", ["a.ts", "b.ts"])
    run.enter("implementing_phase", "", "installing_deps")
    run.finished.add("a.ts")
    run.wait_for("sandbox")
    view = run.phase_view(same)
    assert steps(run) == ["done", "done", "waiting", "todo", "todo", "todo"]
    assert (view.steps[2].share, view.steps[2].extra, view.tone) == (0.5, "waiting", "warning")
    run.enter("idle", "stopped", "implementing_phase")
    assert run.waiting == "", "who stops waits for nothing"


def test_a_paused_run_can_go_on_and_nothing_else_begins_meanwhile() -> None:
    run = RunView()
    run.enter("implementing_phase", "", "planning_phase")
    assert run.phase_view(same).pause == "offered"
    run.pausing = True
    assert (run.phase_view(same).control, run.phase_view(same).pause) == ("stop", "asked")
    run.wait_for("paused")
    view = run.phase_view(same)
    assert (view.control, view.pause, view.steps[2].extra) == ("paused", "none", "paused")
    assert view.may_stop
    assert view.may_continue
    assert run.busy
    run.end_wait("paused")
    run.wait_for("needs_person")
    assert run.phase_view(same).pause == "none"


@pytest.mark.parametrize("reason", ["paused", "budget"])
def test_a_halt_ends_with_its_own_wait_a_change_of_state_or_another_picture(reason: str) -> None:
    run = RunView()
    run.enter("implementing_phase", "", "planning_phase")

    def halt() -> None:
        run.wait_for(reason)
        run.wait_for("slot")
        run.end_wait("slot")
        assert (run.waiting, run.starts_app) == ("", False)

    def take_up(halted: str) -> None:
        run.take_up("fixing", "", running=True, waiting="slot", can_continue=False, halted=halted)

    halt()
    run.end_wait(reason)
    assert run.starts_app
    halt()
    run.enter("reviewing", "", "implementing_phase")
    assert run.starts_app
    halt()
    take_up("")
    assert run.starts_app
    take_up(reason)
    assert not run.starts_app


def test_a_pause_that_is_to_come_says_when() -> None:
    run = RunView(phase_total=2, pausing=True)
    run.open_phase(1, "Lists", ["a.ts"])
    run.enter("implementing_phase", "", "planning_phase")
    assert run.phase_view(same).overline == "Pausing after its files"
    run.enter("reviewing", "", "implementing_phase")
    assert run.phase_view(same).overline == "Pausing after this step"
    run.enter("idle", "", "reviewing")
    assert run.phase_view(same).overline == "Phase 1 of 2"


def test_approval_is_the_persons_turn() -> None:
    run = RunView()
    run.enter("awaiting_approval", "", "blueprinting")
    assert not run.running
    assert run.phase_view(same).tone == "warning"
    assert run.phase_view(same).control == "none"


@pytest.mark.parametrize(("state", "tone"), [("idle", "warning"), ("error", "danger")])
def test_what_stopped_can_be_continued_and_nothing_looks_alive(state: str, tone: str) -> None:
    run = RunView()
    run.open_phase(1, "Lists", ["a.ts"])
    run.enter("implementing_phase", "", "installing_deps")
    run.stopping = True
    run.enter(state, "why", "implementing_phase")
    view = run.phase_view(same)
    assert (view.control, view.tone) == ("continue", tone)
    assert "active" not in steps(run)


@pytest.mark.parametrize("state", ["planning_phase", "implementing_phase", "reviewing", "fixing"])
def test_what_was_cut_off_with_the_program_does_not_look_alive(state: str) -> None:
    run = RunView()
    run.open_phase(1, "Lists", ["a.ts"])
    run.take_up(state, "why", running=False, waiting="", can_continue=True)
    view = run.phase_view(same)
    assert (view.control, view.tone) == ("continue", "warning")
    assert not {"active", "fixing"}.intersection(steps(run))


def test_an_error_marks_the_step_that_failed() -> None:
    run = RunView()
    run.open_phase(1, "Lists", [])
    run.enter("error", "", "reviewing")
    assert steps(run)[3] == "failed"


def test_complete_says_how_long_it_took() -> None:
    run = RunView(elapsed="6:12")
    run.open_phase(3, "Charts", [])
    run.enter("complete", "", "finalizing")
    view = run.phase_view(same)
    assert (view.overline, view.title, view.share) == ("Built in 6:12", "Your app is ready", 1.0)
    assert view.finished


def test_the_clock_goes_on_from_what_was_worked_and_stands_while_nothing_runs() -> None:
    clock = RunClock(61.0)
    clock.follow("idle", running=False)
    assert clock.words() == "1:01"
    clock.follow("implementing_phase", running=True)
    clock.follow("idle", running=False)
    assert clock.words() == "1:01"
    clock.follow("complete", running=False)
    clock.follow("implementing_phase", running=True)
    assert clock.words() == ""


def test_only_a_fix_and_the_look_at_it_are_called_fixing() -> None:
    run = RunView()
    states = (
        "planning_phase", "implementing_phase", "installing_deps", "starting_server", "reviewing",
        "fixing", "installing_deps", "starting_server", "reviewing", "finalizing", "reviewing",
    )  # fmt: skip
    fixing = []
    for previous, state in zip(("idle", *states), states, strict=False):
        run.enter(state, "", previous)
        fixing.append(run.fixing)
    assert fixing == [False] * 5 + [True] * 4 + [False] * 2
    run.enter("fixing", "", "reviewing")
    run.waiting = "needs_person"
    assert not run.fixing, "then the person decides"
