"""Versions: whose they are, when they are kept, what they differ in, and what comes back of them."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import APP, LATER, PAGE, SECOND, whole
from vibedesk.base.errors import NotFoundError

BROKEN = {"second": "".join([*SECOND, whole("index.html", "BROKEN\n")])}


async def versions(desk: Desk, project_id: str) -> list[tuple[str, str]]:
    return [(v.author, v.label) for v in await desk.engine.history(project_id)]


async def test_edits_are_kept_after_a_quiet_time_and_a_name_always(desk: Desk) -> None:
    project_id = await desk.build()
    assert await versions(desk, project_id) == [
        ("agent", "Phase 2: More"), ("agent", "Phase 1: Basics"),
    ]  # fmt: skip
    desk.agent(project_id).snapshots.quiet_seconds = 0.05
    await desk.engine.create_file(project_id, "mine.js", "one\ntwo\n")
    await desk.until(lambda e: e.type == "snapshot_created" and e.payload.author == "you")  # type: ignore[attr-defined]
    assert (await versions(desk, project_id))[0] == ("you", "Your edits: mine.js")
    await desk.engine.snapshot(project_id, "Before the demo")
    assert (await versions(desk, project_id))[0] == ("you", "Before the demo")
    same = await desk.engine.snapshot(project_id, "")
    assert same.label == "Before the demo"

    newest, edits, second, first = await desk.engine.history(project_id)
    shown = await desk.engine.version_diff(project_id, edits.commit)
    [file] = shown.files
    assert (file.path, file.status, file.additions, file.deletions) == ("mine.js", "added", 2, 0)
    assert file.hunks == "@@ -0,0 +1,2 @@\n+one\n+two\n"
    assert (await desk.engine.version_diff(project_id, newest.commit)).files == ()
    patched = {f.path: f for f in (await desk.engine.version_diff(project_id, second.commit)).files}
    assert patched["app.js"].additions == 1
    assert patched["later.js"].additions == len(LATER.splitlines())
    since = await desk.engine.version_diff(project_id, first.commit, "now")
    assert {f.path for f in since.files} == {"app.js", "later.js", "mine.js"}
    assert (await desk.engine.version_diff(project_id, newest.commit, "now")).files == ()

    await desk.engine.restore_file(project_id, first.commit, "app.js")
    texts = await desk.texts(project_id)
    assert texts["app.js"] == APP
    assert texts["later.js"] == LATER
    assert (await desk.folder(project_id) / "app.js").read_text() == APP
    assert (await versions(desk, project_id))[0] == ("you", "Restored app.js of “Phase 1: Basics”")
    with pytest.raises(NotFoundError, match=r"no later\.js"):
        await desk.engine.restore_file(project_id, first.commit, "later.js")


async def test_edits_are_kept_before_the_agents_next_version(
    desk: Desk, server: ModelServer
) -> None:
    server.fail(faults.stall(after_chars=40), operation="plan_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "phase_complete")
    await desk.until_state("planning_phase")
    await desk.engine.create_file(project_id, "mine.js", "mine\n")
    server.release()
    await desk.engine.wait(project_id)
    assert await versions(desk, project_id) == [
        ("agent", "Phase 2: More"), ("you", "Your edits: mine.js"), ("agent", "Phase 1: Basics"),
    ]  # fmt: skip


async def test_going_back_waits_until_nobody_looks_at_the_app(desk: Desk) -> None:
    project_id = await desk.build()
    agent = desk.agent(project_id)
    oldest = (await desk.engine.history(project_id))[-1]
    before = agent.access.files.version

    async def go_back() -> int:
        """Return at which version of the code a look ended that began before."""
        begun, asked, seen = asyncio.Event(), asyncio.Event(), []

        async def look() -> None:
            begun.set()
            await asked.wait()
            for _ in range(500):
                await agent.access.read(lambda: None)
            seen.append(await agent.access.read(lambda: agent.access.files.version))

        looking = asyncio.create_task(agent._look(look))
        await begun.wait()
        restoring = asyncio.create_task(agent.restore(oldest.commit))
        asked.set()
        await asyncio.gather(looking, restoring)
        return seen[0]

    assert await desk.engine._call(go_back()) == before
    assert "later.js" not in await desk.texts(project_id)


@pytest.mark.parametrize("answers", [BROKEN])
async def test_a_fix_is_a_version_of_its_own(desk: Desk, server: ModelServer) -> None:
    server.answer(whole("index.html", PAGE), operation="fix")
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    kept = await versions(desk, project_id)
    assert [author for author, _ in kept] == ["agent", "fix", "agent", "agent"]
    assert kept[0][1] == "Phase 2: More"
    assert kept[1][1].startswith("Fix: the page answers 500")
    assert kept[2][1] == "Phase 2: More, before fixing"
    fix = (await desk.engine.history(project_id))[1]
    [file] = (await desk.engine.version_diff(project_id, fix.commit)).files
    assert file.path == "index.html"
    assert "-BROKEN" in file.hunks
