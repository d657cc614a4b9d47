"""Nothing that a model answers, and no failure, leaves a project where nobody can go on."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import (
    FIRST,
    INSIDE_FIRST_FILE,
    LATER,
    SECOND,
    STYLE,
    phase,
    whole,
)
from vibedesk.base.errors import NotAllowedNowError, StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.engine import Engine
from vibedesk.engine.events import FixApplied, WishQueued

NO_SUCH = {"name": "tiny-app", "private": True, "dependencies": {"no-such-package-of-mine": "1"}}
SOUND = {"name": "tiny-app", "private": True, "dependencies": {"left-pad": "1.3.0"}}
MADE_UP = whole("package.json", json.dumps(NO_SUCH) + "\n")
MENDED = whole("package.json", json.dumps(SOUND) + "\n")
CLASHING = MADE_UP.replace("no-such-package-of-mine", "clashing")


@pytest.mark.parametrize("answers", [{"said": "I keep it as it is."}])
async def test_a_wish_that_needs_nothing_is_settled(desk: Desk, server: ModelServer) -> None:
    project_id = await desk.build()
    server.answer(json.dumps(phase("Nothing", [], last=True)), operation="plan_phase")
    await desk.engine.say(project_id, "Please keep it as it is")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete"
    assert view.open_wishes == ()
    assert len(server.requests_for("plan_phase")) == 2
    told = [e.payload.status for e in desk.events if isinstance(e.payload, WishQueued)]
    assert told == ["open", "done"]


@pytest.mark.parametrize("answers", [{"second": "".join(SECOND) + MADE_UP}])
async def test_a_made_up_package_in_the_manifest_is_fixed(desk: Desk, server: ModelServer) -> None:
    server.answer(MENDED, operation="fix")
    project_id = await desk.build()
    view = await desk.engine.project(project_id)
    assert view.state == "complete", view.reason
    [fix] = server.requests_for("fix")
    assert "'no-such-package-of-mine' is not in this registry" in str(fix.messages[-1]["content"])
    assert json.loads((await desk.texts(project_id))["package.json"]) == SOUND
    [fixed] = [e.payload for e in desk.events if isinstance(e.payload, FixApplied)]
    assert (fixed.path, fixed.strategy, fixed.verified) == ("package.json", "model", True)
    assert "package" in fixed.issue


@pytest.mark.parametrize("answers", [{"second": "".join(SECOND) + MADE_UP}])
async def test_a_made_up_package_that_stays_ends_with_words(
    desk: Desk, server: ModelServer
) -> None:
    for number in range(3):
        server.answer(whole("notes.txt", f"try {number}\n"), operation="fix")
    project_id = await desk.build()
    view = await desk.engine.project(project_id)
    assert view.state == "idle"
    assert "does not exist after 3 tries" in view.reason
    verified = [e.payload.verified for e in desk.events if isinstance(e.payload, FixApplied)]
    assert verified == [False, False, False]


# -- what a person says, and its change ------------------------------------------------------------------


APPENDING = "Done.\n\ncat >> notes.md <<'EOF'\nline\nEOF\nmv app.js main.js\n"


@pytest.mark.parametrize("answers", [{"said": APPENDING}])
async def test_a_change_that_was_cut_off_is_not_made_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends right after the change is stored, and goes on."""
    project_id = await desk.build()
    await desk.engine.create_file(project_id, "notes.md", "first\n")

    async def full(self: OpenWork) -> None:
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(OpenWork, "drop_drafts", full)
        await desk.engine.say(project_id, "Add a line")
        await desk.engine.wait(project_id)
        assert await desk.state(project_id) == "error"
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    texts = await desk.texts(project_id)
    assert texts["notes.md"] == "first\nline\n"
    assert "main.js" in texts
    assert "app.js" not in texts


@pytest.mark.parametrize("answers", [{"said": "Moved.\n\nmv style.css app.js\n"}])
async def test_a_file_that_is_moved_onto_another_takes_its_place(desk: Desk) -> None:
    project_id = await desk.build()
    await desk.engine.say(project_id, "Move it")
    await desk.engine.wait(project_id)
    texts = await desk.texts(project_id)
    assert texts["app.js"] == STYLE
    assert "style.css" not in texts
    folder = await desk.folder(project_id)
    assert (folder / "app.js").read_text() == STYLE
    assert await desk.state(project_id) == "complete"


@pytest.mark.parametrize("answers", [{"said": "Gone.\n\nrm nothing.js\n"}])
async def test_a_change_that_changes_nothing_is_asked_for_again(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    server.answer("Gone.\n\nrm nowhere.js\n", operation="converse")
    await desk.engine.say(project_id, "Remove it")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "error"
    assert "changed nothing" in view.reason
    server.answer("Gone.\n\nrm style.css\n", operation="converse")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert "style.css" not in await desk.texts(project_id)


REFUSING = 'process.stderr.write("npm error ERESOLVE\\n"); process.exit(1);\n'


@pytest.mark.parametrize("answers", [{"said": "Added.\n\n" + CLASHING}])
async def test_a_change_said_after_a_failure_is_made_before_it_goes_on(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    folder = await desk.folder(project_id)
    install = (folder / "install.mjs").read_text()
    (folder / "install.mjs").write_text(
        'import { readFileSync as read } from "node:fs";\n'
        'if (read("package.json", "utf8").includes("clashing")) {\n'
        f"  {REFUSING}}}\n" + install
    )
    server.answer("Another way.\n\n" + MENDED, operation="converse")
    await desk.engine.say(project_id, "Use the clashing one")
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "error"
    await desk.engine.say(project_id, "Use another package")
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "error"
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete", view.reason
    assert all(p.completed for p in view.phases)


async def test_a_change_said_to_a_cut_off_run_makes_it_go_on(
    desk: Desk, server: ModelServer, home: Home
) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.shutdown()
    server.answer("".join(FIRST), operation="continue")
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        await engine.say(project_id, "Mark the style")
        await engine.wait(project_id)
        view = await engine.project(project_id)
        assert view.state == "complete"
        assert "said.css" in {file.path for file in view.files}
    finally:
        await engine.shutdown()


async def test_a_message_that_meets_the_approval_is_answered(desk: Desk) -> None:
    project_id = await desk.build(approval=True)
    await asyncio.gather(
        desk.engine.approve(project_id), desk.engine.say(project_id, "Mark the style")
    )
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete"
    assert [m.text for m in view.messages if m.role == "user"][-1] == "Mark the style"
    assert "said.css" in {file.path for file in view.files}


async def test_an_approval_is_waited_for_in_so_many_words(desk: Desk) -> None:
    project_id = await desk.build(approval=True)
    view = await desk.engine.project(project_id)
    assert view.waiting is not None
    assert view.waiting.reason == "approval"
    assert [e.payload.reason for e in desk.of("waiting")] == ["approval"]  # type: ignore[attr-defined]
    assert not desk.of("resumed")
    await desk.engine.approve(project_id)
    await desk.engine.wait(project_id)
    assert (await desk.engine.project(project_id)).waiting is None
    assert [e.payload.reason for e in desk.of("resumed")] == ["approval"]  # type: ignore[attr-defined]


async def test_a_message_that_was_stopped_is_not_answered_later(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    server.fail(faults.stall(after_chars=21), operation="converse")
    await desk.engine.say(project_id, "Make it blue")
    await desk.until(lambda e: e.type == "message_chunk")
    await desk.engine.cancel(project_id)
    view = await desk.engine.project(project_id)
    assert [(m.role, m.complete) for m in view.messages][-1] == ("assistant", True)
    assert view.messages[-1].text
    server.answer("Nothing to do.\n\n[no change]", operation="converse")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert len(server.requests_for("converse")) == 1
    await desk.engine.say(project_id, "What is it?")
    await desk.engine.wait(project_id)
    assert len(server.requests_for("converse")) == 2
    assert await desk.state(project_id) == "complete"


# -- where a run goes on -------------------------------------------------------------------------------------


async def test_a_rename_of_the_folder_that_was_not_stored_is_found(desk: Desk) -> None:
    project_id = await desk.build()
    await desk.engine.stop_all()
    folder = await desk.folder(project_id)
    services = desk.services
    await services.database.run(lambda: services.store.update(project_id, name="renamed"))
    renamed = folder.rename(folder.with_name("renamed"))
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete", view.reason
    assert await desk.folder(project_id) == renamed
    assert (renamed / "said.css").is_file()
    assert not folder.exists()


@pytest.mark.parametrize("answers", [{"second": whole("index.html", "BROKEN\n")}])
async def test_only_answers_count_as_fixes(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.status(401), operation="fix")
    project_id = await desk.build()
    assert await desk.state(project_id) == "error"
    for number in range(3):
        server.answer(whole("index.html", f"BROKEN {number}\n"), operation="fix")
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "idle"
    assert len(server.requests_for("fix")) == 4


@pytest.mark.parametrize("answers", [{"said": "I will."}])
async def test_to_go_on_at_the_phase_limit_says_so(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create(max_phases=1)
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    await desk.engine.say(project_id, "Make it red")
    await desk.until(lambda e: e.type == "wish_queued")
    server.release()
    await desk.engine.wait(project_id)
    with pytest.raises(NotAllowedNowError, match="limit of 1 phases"):
        await desk.engine.resume(project_id)
    assert await desk.state(project_id) == "idle"
    assert not server.requests_for("plan_phase")


@pytest.mark.parametrize("answers", [{"said": "I will.", "second": whole("half.js", LATER)}])
async def test_a_half_file_of_a_phase_that_was_left_is_none_of_the_next(
    desk: Desk, server: ModelServer
) -> None:
    server.fail(faults.no_usage(), operation="implement_phase")  # the first goes through
    server.fail(faults.stall(after_chars=200), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk" and e.payload.path == "half.js")  # type: ignore[attr-defined]
    await desk.engine.cancel(project_id)
    # The answer that was stopped is the next one, too.
    server.answer(json.dumps(phase("Red", ["half.js"], last=True)), operation="plan_phase")
    await desk.engine.say(project_id, "Make it red")
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "complete", view.reason
    assert view.drafts == ()
    assert server.requests_for("continue") == []
    assert (await desk.texts(project_id))["half.js"] == LATER
    assert [p.completed for p in view.phases] == [True] * 3


async def test_of_several_half_files_the_last_one_is_gone_on_with(desk: Desk) -> None:
    project_id = await desk.build()
    access = desk.agent(project_id).access
    phases = OpenWork(access)

    def break_off() -> None:
        access.drafts.start("z.js", "full", 2)
        access.drafts.append("z.js", "// z")
        access.drafts.interrupt("z.js")
        access.drafts.start("a.js", "full", 2)
        access.drafts.append("a.js", "// a")

    await desk.services.database.run(break_off)
    [_, second] = await phases.phases()
    written = await phases.interrupted(second)
    assert written is not None
    assert written.cut == ("a.js", "// a")
    assert [owed.path for owed in written.refused] == ["z.js"]
