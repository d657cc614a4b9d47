"""An app that is built and of which not all works: what is said or wanted meanwhile, and what is wrong, both come first."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from tests.engine.agent.conftest import Bench, rewritten
from tests.engine.agent.test_findings_kept import HINT, SHOWN, findings
from tests.engine.agent.test_giving_up import MORE, given_up
from tests.support import model_faults as faults
from tests.support.mendable_app import GOOD, MESSAGE, STUCK, WRONG, script_app
from tests.support.tiny_app import phase
from vibedesk.engine.events import WishQueued
from vibedesk.engine.review.known_issues import issue_of

NOTHING = json.dumps({"name": "None", "files": [], "install_commands": [], "is_last_phase": True})
AT_THE_LIMIT = "the limit of 1 phases is reached with open wishes"
ONE_MORE = json.dumps(phase("More", ["more.js"], last=True))


async def ended_in_part(attended: Bench) -> str:
    """Build an app that stays wrong, skip that, and have nothing planned for it."""
    project_id = await given_up(attended)
    attended.server.answer(NOTHING, operation="plan_phase")
    await attended.engine.skip_issues(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.can_continue) == ("idle", True)
    assert view.reason.startswith("not all of it works")
    return project_id


async def stopped_in_its_mending_phase(attended: Bench) -> str:
    """Build an app that stays wrong, skip that, and stop the phase that is to mend it: its wish is open again."""
    project_id = await given_up(attended)
    mended = {**phase("Mended", ["app.js"], last=True), "answers": [1]}
    attended.server.answer(json.dumps(mended), operation="plan_phase")
    attended.server.fail(faults.stall(after_chars=5), operation="implement_phase")
    attended.server.answer(MORE, operation="implement_phase")
    begun = len(attended.asked("implement_phase"))
    await attended.engine.skip_issues(project_id)
    await attended.server.wait_until(lambda: len(attended.asked("implement_phase")) > begun)
    await attended.engine.cancel(project_id)
    return project_id


async def skipped_at_the_limit(attended: Bench) -> str:
    """Build an app of one phase that stays wrong, and skip that: the wish that stands for it has no phase to go into."""
    script_app(attended.server, WRONG)
    attended.fix_with(*STUCK)
    project_id = await attended.build(max_phases=1)
    await attended.engine.skip_issues(project_id)
    await attended.engine.wait(project_id)
    assert await attended.state(project_id) == "idle"
    return project_id


async def wished_at_the_limit(attended: Bench) -> str:
    """Build an app of one phase in which a model finds no more than a warning, and wish something meanwhile."""
    script_app(attended.server, GOOD)
    findings(attended, [HINT])
    attended.server.fail(faults.stall(after_chars=5), operation="implement_phase")
    project_id = await attended.create(max_phases=1)
    await attended.engine.generate(project_id)
    await attended.server.wait_until(lambda: bool(attended.asked("implement_phase")))
    await say_for_later(attended, project_id, "Make it red", until="open")
    # Not released: what is to stall later would not.
    await attended.engine.cancel(project_id)
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.reason, view.open_wishes) == (AT_THE_LIMIT, ("Make it red",))
    return project_id


async def wish_ended(attended: Bench, project_id: str, status: str) -> None:
    """See that no wish is open, and how the one became that stands for what was skipped."""
    assert (await attended.engine.project(project_id)).open_wishes == ()
    ended = await attended.until(
        lambda e: isinstance(e.payload, WishQueued) and e.payload.status != "open"
    )
    assert isinstance(ended.payload, WishQueued)
    assert (ended.payload.text, ended.payload.status) == (f"Mend: {MESSAGE} (app.js)", status)


async def drop_wishes(attended: Bench, project_id: str) -> None:
    for wish in attended.told(WishQueued):
        await attended.engine.edit_queue(project_id, wish.wish_id, None)


async def stop_in_a_mend(
    attended: Bench, project_id: str, begin: Awaitable[object], answer: str = GOOD
) -> None:
    """Stop while a model answers how to mend the app; it answers the same when it is asked again."""
    mends = len(attended.asked("fix"))
    attended.fix_with(answer)
    attended.server.fail(faults.stall(after_chars=5), operation="fix")
    await begin
    await attended.server.wait_until(lambda: len(attended.asked("fix")) > mends)
    await attended.engine.cancel(project_id)


async def stop_at_the_end_of_a_mend(attended: Bench, project_id: str) -> None:
    """Have the app mended, and stop when the review found nothing more, before a version of it is made."""
    attended.fix_with(GOOD)
    await attended.engine.fix(project_id)
    agent = attended.agent(project_id)

    async def stop() -> None:
        async with asyncio.timeout(30):
            while agent.state != "finalizing":  # noqa: ASYNC110 - the event comes too late
                await asyncio.sleep(0)
        async with agent.snapshots._lock:
            await agent.cancel()

    await attended.engine._call(stop())
    assert await attended.state(project_id) == "idle"


async def say_for_later(attended: Bench, project_id: str, text: str, *, until: str) -> None:
    attended.server.answer("That joins the next phase.", operation="converse")
    await attended.engine.say(project_id, text)
    await attended.until(
        lambda e: (
            isinstance(e.payload, WishQueued)
            and e.payload.text == text
            and e.payload.status == until
        )
    )


async def test_what_was_skipped_is_mended_beside_a_step_of_the_roadmap(attended: Bench) -> None:
    project_id = await ended_in_part(attended)
    built = (await attended.engine.project(project_id)).blueprint
    assert built is not None
    roadmap = [*built["implementation_roadmap"], {"phase": "Late", "description": "mine"}]
    await attended.engine.edit_blueprint(project_id, {"implementation_roadmap": roadmap})
    attended.server.answer(ONE_MORE, operation="plan_phase")
    attended.server.answer(MORE, operation="implement_phase")
    attended.fix_with(GOOD)
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    texts = await attended.texts(project_id)
    assert texts["app.js"] == GOOD
    assert "more.js" in texts


async def test_a_wish_for_a_problem_ends_where_that_is_mended_beside_another_wish(
    attended: Bench,
) -> None:
    project_id = await stopped_in_its_mending_phase(attended)
    # It leaves the phase that was to mend, and a model answers no more than this.
    red = {**phase("More", ["more.js"], last=True), "answers": [2]}
    attended.server.answer(json.dumps(red), operation="plan_phase")
    attended.server.answer(MORE, operation="implement_phase")
    attended.fix_with(GOOD)
    attended.server.answer(NOTHING, operation="plan_phase")
    await say_for_later(attended, project_id, "Make it red", until="done")
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues, view.open_wishes) == ("complete", (), ()), view.reason
    assert "Mend: " not in attended.asked("plan_phase")[-1]
    assert attended.notices("nothing_planned") == []
    assert (await attended.texts(project_id))["app.js"] == GOOD


async def test_a_problem_that_is_skipped_again_has_one_wish(attended: Bench) -> None:
    project_id = await stopped_in_its_mending_phase(attended)
    # However it is written, it is the same problem, and not mended.
    issues = attended.agent(project_id)._steps.mending.issues
    [there] = await attended.engine._call(issues.records("open"))
    rewrapped = replace(issue_of(there), message=MESSAGE.replace(" ", "  "))
    assert rewrapped.signature == there.signature
    await attended.engine._call(issues.report([rewrapped], {rewrapped.source}, 2))
    assert (await attended.engine.project(project_id)).open_wishes == (f"Mend: {MESSAGE} (app.js)",)
    await attended.engine._call(issues.report([issue_of(there)], {rewrapped.source}, 2))

    await attended.engine.skip_issues(project_id)
    [wish] = (await attended.engine.project(project_id)).wishes
    assert (wish.text, wish.status, wish.phase) == (f"Mend: {MESSAGE} (app.js)", "open", None)


async def test_a_stopped_mend_is_made_before_nothing_is_left_to_do(attended: Bench) -> None:
    """Also where the plan has nothing for what was said meanwhile."""
    project_id = await ended_in_part(attended)
    await stop_in_a_mend(attended, project_id, attended.engine.resume(project_id))
    attended.fix_with(GOOD)
    attended.server.answer(NOTHING, operation="plan_phase")
    await say_for_later(attended, project_id, "Make it red", until="done")
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert (await attended.texts(project_id))["app.js"] == GOOD


async def test_a_stopped_mend_is_not_begun_unasked(attended: Bench) -> None:
    script_app(attended.server, GOOD)
    project_id = await attended.build()
    met = attended.engine.report_runtime_error(project_id, "It does not count")
    await stop_in_a_mend(attended, project_id, met)
    [asked] = attended.asked("fix")
    await attended.engine.start_preview(project_id)
    await attended.engine.report_runtime_error(project_id, "It does not sit")
    await attended.engine.wait(project_id)
    assert attended.asked("fix") == [asked]
    assert await attended.state(project_id) == "idle"


async def test_as_many_phases_again_may_follow_it(attended: Bench) -> None:
    project_id = await skipped_at_the_limit(attended)
    await drop_wishes(attended, project_id)
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    assert (await attended.engine.project(project_id)).reason.startswith("not all of it works")
    mends = len(attended.asked("fix"))
    attended.fix_with(GOOD, GOOD)
    attended.server.fail(faults.stall(after_chars=5), operation="fix")
    await attended.engine.fix(project_id)
    await attended.server.wait_until(lambda: len(attended.asked("fix")) > mends)
    await say_for_later(attended, project_id, "Make it red", until="open")
    await attended.engine.cancel(project_id)
    attended.server.answer(ONE_MORE, operation="plan_phase")
    attended.server.answer(MORE, operation="implement_phase")
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert "more.js" in await attended.texts(project_id)


async def test_a_stopped_mend_is_made_before_everything_allowed_is_built(attended: Bench) -> None:
    project_id = await skipped_at_the_limit(attended)
    await stop_in_a_mend(attended, project_id, attended.engine.fix(project_id))
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert (await attended.texts(project_id))["app.js"] == GOOD


@pytest.mark.parametrize("wished", [True, False])
async def test_a_stopped_mend_of_a_warning_is_made_where_no_phase_may_follow(
    attended: Bench, *, wished: bool
) -> None:
    project_id = await wished_at_the_limit(attended)
    [warning] = (await attended.engine.project(project_id)).issues
    mend = attended.engine.fix(project_id, [str(warning["signature"])])
    await stop_in_a_mend(attended, project_id, mend, SHOWN)
    if not wished:
        await drop_wishes(attended, project_id)
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.issues, view.open_wishes) == ((), ("Make it red",) if wished else ())
    assert view.state == ("idle" if wished else "complete"), view.reason
    assert (view.reason == AT_THE_LIMIT) == wished
    assert (await attended.texts(project_id))["app.js"] == SHOWN


async def test_a_mend_that_was_stopped_at_its_end_is_in_the_last_good_version(
    attended: Bench,
) -> None:
    project_id = await skipped_at_the_limit(attended)
    await drop_wishes(attended, project_id)
    await stop_at_the_end_of_a_mend(attended, project_id)
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    shown = ("git", "-C", view.folder, "show", "main:app.js")
    kept = await asyncio.to_thread(subprocess.run, shown, check=True, capture_output=True)
    assert kept.stdout.decode() == GOOD


async def test_what_was_skipped_is_wished_no_more_once_it_is_mended(attended: Bench) -> None:
    project_id = await skipped_at_the_limit(attended)
    attended.fix_with(GOOD)
    await attended.engine.fix(project_id)
    await attended.engine.wait(project_id)
    await wish_ended(attended, project_id, "removed")
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason


async def test_what_was_skipped_is_wished_no_more_once_it_is_gone(attended: Bench) -> None:
    project_id = await skipped_at_the_limit(attended)
    await rewritten(attended, project_id, GOOD)
    await attended.engine.review(project_id)
    await attended.engine.wait(project_id)
    assert (await attended.engine.project(project_id)).issues == ()
    await wish_ended(attended, project_id, "done")
