"""One file written anew: asked for at any moment, looked at as hunks, taken over without losing what was typed."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import APP, INSIDE_FIRST_FILE, whole
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.base.resources import resource
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import ProjectView

ANEW = APP.replace("line3 = 3", "line3 = 33").replace("line40 = 40", "line40 = 44")
SENT = whole("app.js", ANEW)


async def write(desk: Desk, project_id: str, text: str) -> None:
    """Make `app.js` read `text`, by the person's hand."""
    await desk.engine._call(
        desk.services._change_files(project_id, lambda files: files.write("app.js", text, "user"))
    )


async def with_app(desk: Desk) -> str:
    """Return a project that has `app.js` and no history."""
    project_id = await desk.create()
    await desk.engine.create_file(project_id, "app.js", APP)
    return project_id


async def regenerated(desk: Desk, project_id: str, answer: str = SENT) -> str:
    desk.server.answer(answer, operation="regenerate_file")
    proposal_id = await desk.engine.regenerate_file(project_id, "app.js", "Other numbers")
    await desk.engine.wait(project_id)
    return proposal_id


async def test_a_file_is_written_anew_and_taken_over_hunk_by_hunk(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await desk.build()
    base = await desk.engine.read_file(project_id, "app.js")
    new = base.replace("line3 = 3;", "line3 = 33;").replace("line40 = 40", "line40 = 44")
    proposal_id = await regenerated(desk, project_id, whole("app.js", new))
    [request] = server.requests_for("regenerate_file")
    assert "Other numbers" in str(request.messages[-1]["content"])
    view = await desk.engine.proposal(project_id, proposal_id)
    assert (view.path, view.status, view.base, view.text) == ("app.js", "ready", base, new)
    first, second = view.hunks
    assert first.old_lines == ("export const line3 = 3;",)
    assert first.new_lines == ("export const line3 = 33;",)
    assert base.splitlines()[first.old_start - 1] == first.old_lines[0]
    assert new.splitlines()[second.new_start - 1] == second.new_lines[0]
    assert (await desk.engine.project(project_id)).proposals == (view,)
    assert await desk.engine.read_file(project_id, "app.js") == base
    await desk.engine.take_proposal(project_id, proposal_id, [1])
    taken = base.replace("line40 = 40", "line40 = 44")
    assert await desk.engine.read_file(project_id, "app.js") == taken
    assert (await desk.folder(project_id) / "app.js").read_text() == taken
    newest = (await desk.engine.history(project_id))[0]
    assert (newest.label, newest.author) == ("Regenerate app.js", "agent")
    assert (await desk.engine.project(project_id)).proposals == ()
    with pytest.raises(NotAllowedNowError):
        await desk.engine.take_proposal(project_id, proposal_id)
    kinds = [e.type for e in desk.events if e.type.startswith("proposal_")]
    assert (kinds[0], kinds[-2:]) == ("proposal_started", ["proposal_ready", "proposal_closed"])
    assert "".join(e.payload.chunk for e in desk.of("proposal_chunk")) == new  # type: ignore[attr-defined]
    assert await desk.state(project_id) == "complete"


async def test_what_the_person_types_beside_the_hunks_survives(desk: Desk) -> None:
    project_id = await with_app(desk)
    proposal_id = await regenerated(desk, project_id)
    mine = APP.replace("line20 = 20;", "line20 = 20; // mine")
    await write(desk, project_id, f"// top\n{mine}")
    await desk.engine.take_proposal(project_id, proposal_id)
    both = ANEW.replace("line20 = 20;", "line20 = 20; // mine")
    assert await desk.engine.read_file(project_id, "app.js") == f"// top\n{both}"


async def test_a_hunk_whose_lines_were_changed_is_refused_and_nothing_happens(desk: Desk) -> None:
    project_id = await with_app(desk)
    proposal_id = await regenerated(desk, project_id)
    mine = APP.replace("line40 = 40", "line40 = 41")
    await write(desk, project_id, mine)
    with pytest.raises(NotAllowedNowError, match="Change 2") as caught:
        await desk.engine.take_proposal(project_id, proposal_id)
    assert (caught.value.code, caught.value.details) == ("hunk_conflict", {"hunk": "1"})
    assert await desk.engine.read_file(project_id, "app.js") == mine
    await desk.engine.take_proposal(project_id, proposal_id, [0])
    taken = mine.replace("line3 = 3;", "line3 = 33;")
    assert await desk.engine.read_file(project_id, "app.js") == taken


async def test_what_may_not_be_written_is_refused(desk: Desk) -> None:
    project_id = await with_app(desk)
    with pytest.raises(NotFoundError):
        await desk.engine.regenerate_file(project_id, "nothing.js", "Other numbers")
    with pytest.raises(InvalidInputError):
        await desk.engine.regenerate_file(project_id, "app.js", "  ")
    proposal_id = await regenerated(desk, project_id)
    await desk.engine.mark_file(project_id, "app.js", "locked", on=True)
    with pytest.raises(NotAllowedNowError, match="locked"):
        await desk.engine.regenerate_file(project_id, "app.js", "Other numbers")
    with pytest.raises(NotAllowedNowError, match="locked"):
        await desk.engine.take_proposal(project_id, proposal_id)
    assert await desk.engine.read_file(project_id, "app.js") == APP


async def test_a_manifest_that_hunks_would_break_is_not_taken_over(desk: Desk) -> None:
    project_id = await desk.build()
    good = await desk.engine.read_file(project_id, "package.json")
    broken = good.replace("\n}", ',\n  "x": }\n}')
    desk.server.answer(whole("package.json", broken), operation="regenerate_file")
    proposal_id = await desk.engine.regenerate_file(project_id, "package.json", "Add x")
    await desk.engine.wait(project_id)
    assert (await desk.engine.proposal(project_id, proposal_id)).status == "ready"
    for hunks in (None, [0]):
        with pytest.raises(NotAllowedNowError, match=r"package\.json is no JSON"):
            await desk.engine.take_proposal(project_id, proposal_id, hunks)
    assert await desk.engine.read_file(project_id, "package.json") == good
    assert (await desk.engine.proposal(project_id, proposal_id)).status == "ready"


async def test_what_the_starter_needs_in_a_manifest_is_kept_and_said(desk: Desk) -> None:
    project_id = await desk.engine.create("Count", ProjectOptions(template="react-vite"))
    await desk.watch(project_id)
    text = resource("templates/react-vite/package.json").read_text("utf-8")
    await desk.engine.create_file(project_id, "package.json", text)
    desk.server.answer(whole("package.json", '{"name": "mine"}\n'), operation="regenerate_file")
    proposal_id = await desk.engine.regenerate_file(project_id, "package.json", "Only the name")
    await desk.engine.wait(project_id)
    starter = json.loads(text)
    await desk.engine.take_proposal(project_id, proposal_id)
    taken = json.loads(await desk.engine.read_file(project_id, "package.json"))
    assert (taken["name"], taken["scripts"]) == ("mine", starter["scripts"])
    assert taken["dependencies"] == starter["dependencies"]
    told = [e.payload for e in desk.of("notice")]
    assert [n.message for n in told if n.code == "manifest_kept"] == [  # type: ignore[attr-defined]
        "In package.json the starter's own scripts and packages were kept, which the new text leaves out."
    ]


async def test_what_only_installs_write_is_not_written_anew(desk: Desk) -> None:
    project_id = await desk.build()
    with pytest.raises(NotAllowedNowError, match="only installs write it"):
        await desk.engine.regenerate_file(project_id, "package-lock.json", "Other versions")


@pytest.mark.parametrize(
    "fault", [faults.drop(after_chars=200), faults.max_tokens(after_chars=200)]
)
async def test_an_answer_that_breaks_off_is_asked_for_again(
    desk: Desk, server: ModelServer, fault: faults.Fault
) -> None:
    project_id = await with_app(desk)
    server.fail(fault, operation="regenerate_file")
    server.answer(SENT, operation="continue")
    proposal_id = await regenerated(desk, project_id)
    assert (await desk.engine.proposal(project_id, proposal_id)).text == ANEW
    assert len(desk.of("proposal_started")) == 2


async def test_an_answer_without_the_file_is_asked_for_again_and_then_given_up(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await with_app(desk)
    server.answer("I would rather not.", operation="continue")
    server.answer(SENT, operation="continue")
    proposal_id = await regenerated(desk, project_id, "I would rather not.")
    assert (await desk.engine.proposal(project_id, proposal_id)).status == "ready"
    for _ in range(3):
        server.answer(whole("app.js", APP), operation="continue")
    proposal_id = await regenerated(desk, project_id, "No.")
    view = await desk.engine.proposal(project_id, proposal_id)
    assert (view.status, view.hunks) == ("failed", ())
    [error] = desk.of("error")
    assert "nothing in it was changed" in error.payload.message  # type: ignore[attr-defined]
    assert await desk.state(project_id) == "idle"


async def test_a_newer_one_takes_the_place_of_an_older_one(desk: Desk, server: ModelServer) -> None:
    project_id = await with_app(desk)
    server.fail(faults.stall(after_chars=200), operation="regenerate_file")
    server.answer(SENT, operation="regenerate_file")
    first = await desk.engine.regenerate_file(project_id, "app.js", "Other numbers")
    await desk.until(lambda e: e.type == "proposal_chunk")
    second = await regenerated(desk, project_id)
    assert (await desk.engine.proposal(project_id, first)).status == "dropped"
    assert [p.id for p in (await desk.engine.project(project_id)).proposals] == [second]
    await desk.engine.drop_proposal(project_id, second)
    assert (await desk.engine.project(project_id)).proposals == ()


async def test_of_two_that_are_asked_for_at_once_one_is_open(
    desk: Desk, server: ModelServer
) -> None:
    project_id = await with_app(desk)
    for _ in range(2):
        server.answer(SENT, operation="regenerate_file")
    asked = [desk.engine.regenerate_file(project_id, "app.js", f"Way {n}") for n in range(2)]
    first, second = await asyncio.gather(*asked)
    await desk.engine.wait(project_id)
    [left] = (await desk.engine.project(project_id)).proposals
    assert left.status == "ready"
    [dropped] = {first, second} - {left.id}
    assert (await desk.engine.proposal(project_id, dropped)).status == "dropped"


async def test_beside_a_run_both_end_well(desk: Desk, server: ModelServer) -> None:
    server.fail(faults.stall(after_chars=INSIDE_FIRST_FILE), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "file_chunk")
    base = await desk.engine.read_file(project_id, "server.mjs")
    server.answer(whole("server.mjs", f"// anew\n{base}"), operation="regenerate_file")
    proposal_id = await desk.engine.regenerate_file(project_id, "server.mjs", "Say it is anew")
    with pytest.raises(NotAllowedNowError, match="being written"):
        await desk.engine.regenerate_file(project_id, "index.html", "Greener")
    await desk.until(lambda e: e.type == "proposal_ready")
    await desk.engine.take_proposal(project_id, proposal_id)
    server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    texts = await desk.texts(project_id)
    assert texts["server.mjs"] == f"// anew\n{base}"
    assert "patched" in texts["app.js"]
    assert (await desk.folder(project_id) / "server.mjs").read_text() == texts["server.mjs"]


async def test_one_that_the_programs_end_cut_off_can_be_asked_for_again(
    desk: Desk, server: ModelServer, home: Home
) -> None:
    project_id = await with_app(desk)
    server.fail(faults.stall(after_chars=200), operation="regenerate_file")
    server.answer(SENT, operation="regenerate_file")
    await desk.engine.regenerate_file(project_id, "app.js", "Other numbers")
    await desk.until(lambda e: e.type == "proposal_chunk")
    await desk.engine.shutdown()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        [left] = (await engine.project(project_id)).proposals
        assert (left.status, left.instructions) == ("interrupted", "Other numbers")
        assert left.text
        assert APP.startswith(left.text[:20])
        again = await engine.regenerate_file(project_id, left.path, left.instructions)
        await engine.wait(project_id)
        [ready] = (await engine.project(project_id)).proposals
        assert (ready.id, ready.status, ready.text) == (again, "ready", ANEW)
        await engine.take_proposal(project_id, again)
        assert await engine.read_file(project_id, "app.js") == ANEW
    finally:
        await engine.shutdown()


# -- from the chat ----------------------------------------------------------------------------------


async def asked_in_chat(desk: Desk) -> tuple[str, ProjectView]:
    """Ask for a file in the chat; the model answers as the test's `answers` say."""
    project_id = await with_app(desk)
    desk.server.answer(SENT, operation="regenerate_file")
    await desk.engine.say(project_id, "Regenerate it with other numbers")
    await desk.engine.wait(project_id)
    return project_id, await desk.engine.project(project_id)


@pytest.mark.parametrize("answers", [{"said": "You can look it over.\n\n[regenerate app.js]"}])
async def test_what_the_chat_has_written_anew_is_looked_over_like_any_other(desk: Desk) -> None:
    project_id, view = await asked_in_chat(desk)
    [proposal] = view.proposals
    assert (proposal.path, proposal.status, proposal.text) == ("app.js", "ready", ANEW)
    assert proposal.instructions == "Regenerate it with other numbers"
    assert await desk.engine.read_file(project_id, "app.js") == APP
    assert (view.state, view.wishes) == ("idle", ())
    assert view.messages[-1].text == "You can look it over."
    desk.server.answer("Gern.\n\n[no change]", operation="converse")
    await desk.engine.say(project_id, "Thanks")
    await desk.engine.wait(project_id)
    said = desk.server.requests_for("converse")[-1].messages
    assert "[regenerate app.js]" in str(said)


@pytest.mark.parametrize("answers", [{"said": "You can look it over.\n\n[regenerate no.js]"}])
async def test_what_the_chat_cannot_have_written_anew_is_said(desk: Desk) -> None:
    _, view = await asked_in_chat(desk)
    assert (view.proposals, view.wishes) == ((), ())
    assert view.messages[-1].text == "You can look it over."
    told = [n.payload.message for n in desk.of("notice") if n.payload.code == "not_regenerated"]  # type: ignore[attr-defined]
    assert ["no file no.js" in words for words in told] == [True]
    assert desk.of("error") == [], "another try would change nothing"
