"""What stays wrong after everything that may be tried is the person's to decide; and a mend that was cut off goes on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench, reopened
from tests.support import model_faults as faults
from tests.support.mendable_app import (
    DEBUGGED,
    GOOD,
    MESSAGE,
    STUCK,
    WRONG,
    script_app,
    wrong,
)
from tests.support.model_server import ModelServer
from tests.support.tiny_app import LATER, PACKAGES, phase, whole
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import FileChunk, WishQueued

UNFINISHED = "not all of it works: Cannot find name 'a'"
AGAIN = GOOD + "// again\n"
MORE = whole("more.js", "export {};\n")


async def given_up(bench: Bench) -> str:
    """Build an app that stays wrong."""
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    assert len(bench.asked("fix")) == 3
    return project_id


async def second_phase_given_up(bench: Bench) -> str:
    """Build an app whose second phase breaks what the first made, and stays wrong."""
    script_app(bench.server, GOOD, phases=2)
    plan = phase("More", ["app.js", "later.js"], last=True, packages=PACKAGES.strip())
    bench.server.answer(json.dumps(plan), operation="plan_phase")
    bench.server.answer(
        whole("app.js", WRONG) + whole("later.js", LATER), operation="implement_phase"
    )
    bench.fix_with(*STUCK)
    project_id = await bench.build()
    assert [p.completed for p in (await bench.engine.project(project_id)).phases] == [True, False]
    return project_id


SECOND = whole("app.js", AGAIN) + whole("later.js", LATER)


async def second_phase_stopped_half_way(attended: Bench) -> str:
    """Build an app and stop it in the last file of its second phase."""
    script_app(attended.server, GOOD, phases=2)
    plan = phase("More", ["app.js", "later.js"], last=True, packages=PACKAGES.strip())
    attended.server.answer(json.dumps(plan), operation="plan_phase")
    attended.server.answer(SECOND, operation="implement_phase")
    attended.server.fail(faults.no_usage(), operation="implement_phase")  # the first goes through
    attended.server.fail(faults.stall(after_chars=len(SECOND) - 60), operation="implement_phase")
    project_id = await attended.create()
    await attended.engine.generate(project_id)
    await attended.until(
        lambda e: isinstance(e.payload, FileChunk) and e.payload.path == "later.js"
    )
    await attended.engine.cancel(project_id)
    assert (await attended.texts(project_id))["app.js"] == AGAIN
    return project_id


async def test_what_was_stopped_half_way_is_asked_for_again_after_going_back(
    attended: Bench,
) -> None:
    project_id = await second_phase_stopped_half_way(attended)
    first = (await attended.engine.history(project_id))[-1]
    await attended.engine.restore(project_id, first.commit)
    assert (await attended.texts(project_id)).keys() & {"later.js"} == set()
    attended.server.answer(SECOND, operation="implement_phase")
    await attended.engine.resume(project_id)
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert view.state == "complete", view.reason
    texts = await attended.texts(project_id)
    assert (texts["app.js"], texts["later.js"]) == (AGAIN, LATER)


async def test_a_version_comes_back_with_a_file_that_was_just_being_written(
    attended: Bench,
) -> None:
    later = whole("later.js", LATER)
    script_app(attended.server, GOOD, phases=2)
    plan = phase("More", ["later.js", "app.js"], last=True)
    attended.server.answer(json.dumps(plan), operation="plan_phase")
    attended.server.fail(faults.no_usage(), operation="implement_phase")  # the first goes through
    attended.server.answer(later + whole("app.js", AGAIN), operation="implement_phase")
    for half in (len(later) + 60, len(later) - 60):
        attended.server.fail(faults.stall(after_chars=half), operation="implement_phase")
    project_id = await attended.create()
    await attended.engine.generate(project_id)
    await attended.until(lambda e: e.type == "file_end" and e.payload.path == "later.js")  # type: ignore[attr-defined]
    await attended.engine.cancel(project_id)
    both = await attended.engine.snapshot(project_id, "Both")
    first = (await attended.engine.history(project_id))[-1]
    await attended.engine.restore(project_id, first.commit)
    attended.events.clear()
    await attended.engine.resume(project_id)
    await attended.until(
        lambda e: isinstance(e.payload, FileChunk) and e.payload.path == "later.js"
    )
    await attended.engine.cancel(project_id)
    newest = await attended.engine.restore(project_id, both.commit)
    assert (await attended.texts(project_id))["later.js"] == LATER
    assert (await attended.folder(project_id) / "later.js").read_text() == LATER
    diff = await attended.engine.version_diff(project_id, newest.commit, "now")
    assert diff.files == ()


async def test_half_a_file_of_a_mend_that_failed_is_no_beginning_of_another(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    half = "cat > help.js <<'EOF_H'\n" + "// one\n" * 50
    bench.server.answer(half, operation="fix", stop_reason="max_tokens")
    bench.server.fail(faults.status(400), operation="continue")
    bench.server.answer(
        "cat >> help.js <<'EOF_H'\n// two\nEOF_H\n" + whole("app.js", GOOD), operation="fix"
    )
    project_id = await bench.build()
    assert len(bench.asked("continue")) == 1
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"
    assert (await bench.texts(project_id))["help.js"] == "// two\n"


async def test_a_phase_that_was_left_goes_on_after_a_change_that_came_between(
    attended: Bench,
) -> None:
    """Without it the app is not complete."""
    project_id = await second_phase_stopped_half_way(attended)
    attended.server.answer("Here.\n\n" + MORE, operation="converse")
    attended.server.answer(whole("later.js", LATER), operation="continue")
    await attended.engine.say(project_id, "Add more")
    await attended.engine.wait(project_id)
    view = await attended.engine.project(project_id)
    assert view.state == "complete", view.reason
    assert [p.completed for p in view.phases] == [True] * 3
    assert {"more.js", "later.js"} <= (await attended.texts(project_id)).keys()


async def test_where_nobody_looks_on_it_ends_with_the_reason(bench: Bench) -> None:
    project_id = await given_up(bench)
    view = await bench.engine.project(project_id)
    assert view.state == "idle"
    assert view.reason == f"needs you: {MESSAGE} after 3 tries"
    assert [p.completed for p in view.phases] == [False]
    assert await bench.statuses(project_id) == [(MESSAGE, "given_up")]
    assert len(bench.notices("no_debug")) == 1
    # To go on is to ask for it anew.
    bench.fix_with(GOOD)
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert len(bench.asked("fix")) == 4


async def test_a_mend_of_a_finished_app_that_was_given_up_is_gone_on_with(bench: Bench) -> None:
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    folder = await bench.folder(project_id)
    (folder / "app.js").write_text(WRONG, "utf-8")
    bench.fix_with(*STUCK)
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "idle"
    bench.fix_with(GOOD)
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.asked("plan_phase") == []


async def test_a_stopped_mend_of_a_finished_app_is_gone_on_with(bench: Bench) -> None:
    """Also where the roadmap has more: that is for the next time."""
    script_app(bench.server, GOOD)
    project_id = await bench.build()
    built = (await bench.engine.project(project_id)).blueprint
    assert built is not None
    roadmap = [*built["implementation_roadmap"], {"phase": "Late", "description": "mine"}]
    await bench.engine.edit_blueprint(project_id, {"implementation_roadmap": roadmap})
    await bench.engine.report_runtime_error(project_id, "It does not count")
    bench.fix_with(GOOD + "// mended\n")
    bench.server.fail(faults.stall(after_chars=5), operation="fix")
    await bench.engine.fix(project_id)
    await bench.server.wait_until(lambda: bool(bench.server.requests_for("fix")))
    await bench.engine.cancel(project_id)
    assert await bench.state(project_id) == "idle"
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.asked("plan_phase") == []


async def test_what_a_debugging_concluded_reaches_the_tries_after_it(bench: Bench) -> None:
    concluded = "Whoever made the name has taken it out of another file."
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    bench.server.answer("Which is it?\n\n[show app.js]", operation="debug")
    bench.server.answer(concluded, operation="debug")
    project_id = await bench.build()
    assert await bench.state(project_id) == "idle"
    bench.fix_with(*STUCK)
    bench.server.answer(DEBUGGED, operation="debug")
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert [concluded in asked for asked in bench.asked("fix")] == [False] * 3 + [True] * 3
    assert [concluded in asked for asked in bench.asked("debug")] == [False, False, True]


async def test_what_was_given_up_is_neither_tried_unasked_nor_forgotten(bench: Bench) -> None:
    """A change that does not mend it ends where it was: the app is not called complete."""
    project_id = await given_up(bench)
    bench.server.answer("Done.\n\n" + whole("more.js", "export {};\n"), operation="converse")
    await bench.engine.say(project_id, "Add more")
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert view.state == "idle"
    assert MESSAGE in view.reason
    assert await bench.statuses(project_id) == [(MESSAGE, "given_up")]
    assert len(bench.asked("fix")) == 3
    assert "more.js" in await bench.texts(project_id)


async def test_mends_that_each_bring_another_error_have_an_end(bench: Bench) -> None:
    names = [f"Cannot find name '{a}{b}'." for a in "abcd" for b in "klmnop"]
    script_app(bench.server, wrong(names[0]))
    bench.fix_with(*map(wrong, names[1:9]))
    for name in names[9:]:
        answer = "It is this.\n\n" + whole("app.js", wrong(name))
        bench.server.answer(answer, operation="debug")
    project_id = await bench.build()
    view = await bench.engine.project(project_id)
    assert view.state == "idle"
    assert len(bench.asked("fix")) == 8
    assert len(bench.asked("debug")) == 3
    assert view.reason == f"needs you: {names[11]} after 11 mends of other problems"
    # To go on is to ask for all of it anew.
    bench.fix_with(GOOD)
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    assert await bench.state(project_id) == "complete"


async def test_a_review_by_request_may_try_everything_anew(bench: Bench) -> None:
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK[:2], GOOD)
    project_id = await bench.build()
    assert await bench.state(project_id) == "complete"
    (await bench.folder(project_id) / "app.js").write_text(WRONG, "utf-8")
    bench.fix_with(GOOD)
    await bench.engine.review(project_id)
    await bench.engine.wait(project_id)
    view = await bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert bench.asked("debug") == []


async def test_where_everything_was_skipped_meanwhile_there_is_nothing_to_decide(
    home: Home, model: ModelServer, template: Path
) -> None:
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    bench = Bench(engine, model, template)
    script_app(model, WRONG)
    bench.fix_with(GOOD)
    model.fail(faults.stall(after_chars=5), operation="fix")
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    await model.wait_until(lambda: bool(model.requests_for("fix")))
    await bench.engine.skip_issues(project_id)
    nothing = {"name": "None", "files": [], "install_commands": [], "is_last_phase": True}
    model.answer(json.dumps(nothing), operation="plan_phase")
    again = await reopened(home, bench, attended=False)
    try:
        await again.engine.resume(project_id)
        await again.engine.wait(project_id)
        view = await again.engine.project(project_id)
        assert (view.state, view.reason) == ("idle", UNFINISHED)
        assert view.phases[0].completed
        assert await again.statuses(project_id) == [(MESSAGE, "skipped")]
        assert len(model.requests_for("fix")) == 1
    finally:
        await again.aclose()


class TestWaiting:
    """A person looks on: it waits for their decision."""

    async def stuck(self, attended: Bench) -> str:
        project_id = await given_up(attended)
        view = await attended.engine.project(project_id)
        assert view.state == "fixing"
        assert not view.running
        assert view.waiting is not None
        assert view.waiting.reason == "needs_person"
        assert MESSAGE in view.waiting.message
        return project_id

    async def over(self, attended: Bench, project_id: str, state: str = "complete") -> None:
        await attended.engine.wait(project_id)
        view = await attended.engine.project(project_id)
        assert view.state == state, view.reason
        assert view.waiting is None
        reasons = [e.payload.reason for e in attended.of("resumed")]  # type: ignore[attr-defined]
        assert reasons == ["needs_person"]

    async def test_they_say_what_to_do(self, attended: Bench) -> None:
        project_id = await self.stuck(attended)
        attended.server.answer("So be it.\n\n" + whole("app.js", GOOD), operation="converse")
        await attended.engine.say(project_id, "Take the name out")
        await self.over(attended, project_id)
        view = await attended.engine.project(project_id)
        assert view.issues == ()
        assert [p.completed for p in view.phases] == [True, True]
        assert len(attended.asked("fix")) == 3

    async def test_they_only_talk_about_it(self, attended: Bench) -> None:
        project_id = await self.stuck(attended)
        attended.server.answer("It is a name.\n\n[no change]", operation="converse")
        await attended.engine.say(project_id, "What is it?")
        await attended.engine.wait(project_id)
        view = await attended.engine.project(project_id)
        assert view.waiting is not None
        assert view.waiting.reason == "needs_person"

    @pytest.mark.parametrize("by", ["fix", "resume"])
    async def test_they_have_it_tried_anew(self, attended: Bench, by: str) -> None:
        project_id = await self.stuck(attended)
        attended.fix_with(GOOD)
        await getattr(attended.engine, by)(project_id)
        await self.over(attended, project_id)
        assert (await attended.engine.project(project_id)).issues == ()

    async def test_they_skip_it(self, attended: Bench) -> None:
        project_id = await self.stuck(attended)
        nothing = {"name": "None", "files": [], "install_commands": [], "is_last_phase": True}
        for _ in range(2):
            attended.server.answer(json.dumps(nothing), operation="plan_phase")
        attended.server.fail(faults.stall(after_chars=5), operation="plan_phase")
        await attended.engine.skip_issues(project_id)
        await attended.server.wait_until(lambda: bool(attended.asked("plan_phase")))
        # What they say in the last moment is taken up before it ends.
        attended.server.answer("It joins the next phase.", operation="converse")
        await attended.engine.say(project_id, "Make it red")
        await attended.until(
            lambda e: isinstance(e.payload, WishQueued) and e.payload.text == "Make it red"
        )
        attended.server.release()
        await self.over(attended, project_id, "idle")
        assert await attended.statuses(project_id) == [(MESSAGE, "skipped")]
        view = await attended.engine.project(project_id)
        assert (view.reason, view.can_continue) == (UNFINISHED, True)
        assert view.phases[0].completed
        [wish, *_] = attended.told(WishQueued)
        assert wish.text == f"Mend: {MESSAGE} (app.js)", "also where it stands elsewhere by then"
        assert wish.text in attended.asked("plan_phase")[0]
        assert len(attended.asked("fix")) == 3
        [said, then] = attended.notices("nothing_planned")
        assert said.endswith("The problem stays in the list.")
        assert "“Make it red”" in then
        # What the preview shows is mended unasked, as in an app that is complete.
        attended.fix_with(WRONG + "// shown\n")
        await attended.engine.report_runtime_error(project_id, "It does not count")
        await attended.engine.wait(project_id)
        assert len(attended.asked("fix")) == 4
        assert await attended.statuses(project_id) == [(MESSAGE, "skipped")]
        assert (await attended.engine.project(project_id)).reason == UNFINISHED
        # To go on is to have it tried anew.
        attended.fix_with(GOOD)
        await attended.engine.resume(project_id)
        await attended.engine.wait(project_id)
        view = await attended.engine.project(project_id)
        assert (view.state, view.issues) == ("complete", ()), view.reason
        assert len(attended.asked("plan_phase")) == 2

    async def test_what_they_skip_comes_before_what_they_wished_earlier(
        self, attended: Bench
    ) -> None:
        script_app(attended.server, WRONG)
        attended.fix_with(*STUCK)
        attended.server.fail(faults.stall(after_chars=5), operation="fix")
        project_id = await attended.create()
        await attended.engine.generate(project_id)
        await attended.server.wait_until(lambda: bool(attended.asked("fix")))
        for text in ("Make it red", "Make it blink"):
            attended.server.answer("That joins the next phase.", operation="converse")
            await attended.engine.say(project_id, text)
            await attended.until(
                lambda e, text=text: isinstance(e.payload, WishQueued) and e.payload.text == text  # type: ignore[misc]
            )
        attended.server.release()
        await attended.engine.wait(project_id)
        left = {**phase("Mended", ["app.js"], last=True), "answers": [1]}
        attended.server.answer(json.dumps(left), operation="plan_phase")
        attended.server.answer(whole("app.js", GOOD), operation="implement_phase")
        attended.server.answer(json.dumps(phase("None", [], last=True)), operation="plan_phase")
        await attended.engine.skip_issues(project_id)
        await self.over(attended, project_id)
        [asked, then] = attended.asked("plan_phase")
        mend = f"1. Mend: {MESSAGE} (app.js)\n"
        assert f"{mend}2. Make it red\n3. Make it blink\n" in asked
        assert "1. Make it red\n2. Make it blink\n" in then

    async def test_they_go_back(self, attended: Bench) -> None:
        project_id = await self.stuck(attended)
        versions = await attended.engine.history(project_id)
        await attended.engine.restore(project_id, versions[-1].commit)
        await self.over(attended, project_id, "idle")

    async def test_they_go_back_as_soon_as_they_are_asked(self, attended: Bench) -> None:
        script_app(attended.server, WRONG)
        attended.fix_with(*STUCK)
        attended.server.fail(faults.stall(after_chars=5), operation="debug")
        attended.server.answer("Nobody knows why.", operation="debug")
        project_id = await attended.create()
        await attended.engine.generate(project_id)
        await attended.server.wait_until(lambda: bool(attended.asked("debug")))
        commit = (await attended.engine.history(project_id))[-1].commit
        agent = attended.agent(project_id)

        async def go_back() -> None:
            while not agent._steps.waits_for_person:  # noqa: ASYNC110 - the moment has no event
                await asyncio.sleep(0)
            assert agent.running, "the moment between the wait and the run's end is over"
            await agent.restore(commit)

        going_back = asyncio.create_task(attended.engine._call(go_back()))
        attended.server.release()
        await going_back
        await self.over(attended, project_id, "idle")

    async def test_they_go_back_and_a_pause_that_did_not_come_is_over(
        self, attended: Bench
    ) -> None:
        script_app(attended.server, WRONG)
        attended.fix_with(*STUCK)
        attended.server.fail(faults.stall(after_chars=5), operation="debug")
        attended.server.answer("Nobody knows why.", operation="debug")
        project_id = await attended.create()
        await attended.engine.generate(project_id)
        await attended.server.wait_until(lambda: bool(attended.asked("debug")))
        await attended.engine.pause(project_id)
        attended.server.release()
        await attended.engine.wait(project_id)
        commit = (await attended.engine.history(project_id))[-1].commit
        await attended.engine.restore(project_id, commit)
        await self.over(attended, project_id, "idle")
        attended.server.answer("So be it.\n\n" + whole("app.js", GOOD), operation="converse")
        before = (await attended.engine.project(project_id)).seq
        await attended.engine.say(project_id, "Take the name out")
        told = await attended.until(
            lambda e: e.seq > before and e.type in ("waiting", "file_start")
        )
        assert told.type == "file_start", "it is written at once"

    @pytest.mark.parametrize(
        "said", [False, True], ids=["at once", "after a change that did not help"]
    )
    async def test_they_go_back_then_continue(self, attended: Bench, *, said: bool) -> None:
        """What the open phases had written is gone with that, so it is asked for again before any of them closes."""
        project_id = await second_phase_given_up(attended)
        if said:
            attended.server.answer("Here.\n\n" + MORE, operation="converse")
            await attended.engine.say(project_id, "Add more")
            await attended.engine.wait(project_id)
            assert "more.js" in await attended.texts(project_id)
        [good] = [
            v for v in await attended.engine.history(project_id) if v.label == "Phase 1: Basics"
        ]
        await attended.engine.restore(project_id, good.commit)
        texts = await attended.texts(project_id)
        assert (texts["app.js"], texts.keys() & {"later.js", "more.js"}) == (GOOD, set())
        attended.server.answer(
            whole("app.js", AGAIN) + whole("later.js", LATER), operation="implement_phase"
        )
        await attended.engine.resume(project_id)
        await attended.engine.wait(project_id)
        view = await attended.engine.project(project_id)
        assert (view.state, view.waiting) == ("complete", None), view.reason
        assert [p.completed for p in view.phases] == [True] * (3 if said else 2)
        texts = await attended.texts(project_id)
        assert (texts["app.js"], texts["later.js"]) == (AGAIN, LATER)
        assert ("more.js" in texts) == said
        assert len(attended.asked("implement_phase")) == 3

    async def test_they_stop_it(self, attended: Bench) -> None:
        project_id = await self.stuck(attended)
        await attended.engine.cancel(project_id)
        await self.over(attended, project_id, "idle")


async def test_the_wait_for_a_decision_survives_a_restart(
    home: Home, model: ModelServer, template: Path
) -> None:
    engine = Engine(home, attended=True)
    await asyncio.to_thread(engine.start)
    bench = Bench(engine, model, template)
    project_id = await given_up(bench)
    again = await reopened(home, bench, attended=True)
    try:
        await again.watch(project_id)
        view = await again.engine.project(project_id)
        assert view.waiting is not None
        assert view.waiting.reason == "needs_person"
        assert not view.running
        again.fix_with(GOOD)
        await again.engine.fix(project_id)
        await again.engine.wait(project_id)
        view = await again.engine.project(project_id)
        assert (view.state, view.waiting, view.issues) == ("complete", None, ())
    finally:
        await again.aclose()


@pytest.mark.parametrize("operation", ["fix", "debug"])
async def test_a_mend_that_was_cut_off_repeats_one_call(
    home: Home, model: ModelServer, template: Path, operation: str
) -> None:
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    bench = Bench(engine, model, template)
    script_app(model, WRONG)
    if operation == "debug":
        bench.fix_with(*STUCK)
        model.answer("Which is it?\n\n[show app.js]", operation="debug")
        model.answer(DEBUGGED, operation="debug")
        model.fail(faults.no_usage(), operation="debug")  # the first goes through
    else:
        bench.fix_with(GOOD)
    model.fail(faults.stall(after_chars=10), operation=operation)
    project_id = await bench.create()
    await bench.engine.generate(project_id)
    calls = 2 if operation == "debug" else 1
    await model.wait_until(lambda: len(model.requests_for(operation)) == calls, 120)
    again = await reopened(home, bench, attended=False)
    try:
        await again.engine.resume(project_id)
        await again.engine.wait(project_id)
        view = await again.engine.project(project_id)
        assert (view.state, view.issues) == ("complete", ()), view.reason
        assert len(model.requests_for(operation)) == calls + 1
        assert len(model.requests_for("fix")) == (3 if operation == "debug" else 2)
        assert len(model.requests_for("implement_phase")) == 1
    finally:
        await again.aclose()
