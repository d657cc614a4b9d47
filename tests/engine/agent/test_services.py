"""What the engine does around its agents: stops previews that open, needs Node only for code, keeps secrets."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.keychains import MemoryKeychain, in_use
from tests.support.processes import Leftovers
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, StorageError
from vibedesk.base.paths import Home
from vibedesk.base.resources import resource
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.sandboxes import local_driver
from vibedesk.engine.sandboxes.driver import SandboxUnavailableError
from vibedesk.engine.store.usage import add_call


@pytest.mark.parametrize("way", ["cancel", "stop_all", "delete"])
async def test_a_preview_that_is_opening_is_stopped_like_one_that_is_up(
    leftovers: Leftovers, desk: Desk, way: str
) -> None:
    project_id = await desk.build()
    agent = desk.agent(project_id)
    await desk.engine.cancel(project_id)
    async with agent.runtime._lock:  # the preview waits in the middle of opening
        await desk.engine.open(project_id)
        previews = desk.services._previews
        assert previews.opening(project_id)
        match way:
            case "cancel":
                await desk.engine.cancel(project_id)
            case "stop_all":
                await desk.engine.stop_all()
            case "delete":
                await desk.engine.delete_project(project_id)
    assert not previews.opening(project_id)
    assert not agent.runtime.serving
    assert leftovers() == []


async def test_who_leaves_while_the_answer_is_on_its_way_does_not_listen(desk: Desk) -> None:
    project_id = await desk.engine.create("Count things for me", ProjectOptions())
    pushed = threading.Event()
    leaving = asyncio.create_task(desk.engine.subscribe(project_id, pushed.set))
    await asyncio.sleep(0)
    # Held here, this side hears of the answer only after it has left.
    assert pushed.wait(10)
    for _ in range(5):
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), desk.engine._loop).result(10)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert not desk.services.bus.has_listeners(project_id)


async def test_a_mode_that_does_not_exist_yet_makes_no_project(desk: Desk) -> None:
    made = await desk.create(mode="phases")
    assert (await desk.engine.project(made)).mode == "phases"
    with pytest.raises(InvalidInputError, match="“agent” yet"):
        await desk.create(mode="agent")
    assert [project.id for project in await desk.engine.projects()] == [made]


async def test_a_restart_installs_what_is_not_there_any_more(desk: Desk) -> None:
    project_id = await desk.build()
    packages = await desk.folder(project_id) / "node_modules"
    await desk.engine.stop_sandbox(project_id)
    await asyncio.to_thread(shutil.rmtree, packages)
    await desk.engine.restart_sandbox(project_id)
    assert packages.exists()
    assert (await desk.engine.sandbox(project_id)).state == "running"


async def test_one_project_that_cannot_be_stopped_does_not_keep_the_others_running(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await desk.build(), await desk.create()

    async def fail() -> None:
        raise SandboxUnavailableError("It cannot be stopped.")

    await desk.engine.open(second)
    monkeypatch.setattr(desk.agent(second), "cancel", fail)
    with pytest.raises(SandboxUnavailableError):
        await desk.engine.stop_all()
    assert not desk.agent(first).runtime.serving


async def test_without_node_a_project_is_still_opened_kept_restored_and_stopped(
    desk: Desk, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await desk.build()
    await desk.engine.shutdown()

    def none() -> None:
        raise SandboxUnavailableError("There is no Node.js.")

    monkeypatch.setattr(local_driver, "find_toolchains", none)
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        first = (await engine.history(project_id))[-1]
        await engine.open(project_id)
        await engine.create_file(project_id, "note.txt", "kept\n")
        assert (await engine.snapshot(project_id, "mine")).label == "mine"
        await engine.restore(project_id, first.commit)
        await engine.cancel(project_id)
    finally:
        await engine.shutdown()


async def test_a_project_whose_recording_is_gone_is_still_shown(home: Home, tmp_path: Path) -> None:
    recording = tmp_path / "mine"
    shutil.copytree(resource("samples") / "kanban-board", recording)
    options = ProjectOptions(sample=str(recording), sandbox="local")
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    project_id = await engine.create("", options)
    assert (await engine.project(project_id)).suggestions
    await engine.shutdown()
    shutil.rmtree(recording)
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    try:
        assert (await engine.project(project_id)).suggestions == ()
        await engine.unsubscribe(await engine.subscribe(project_id))
    finally:
        await engine.shutdown()


async def test_secrets_in_env_files_reach_neither_the_model_nor_git(desk: Desk) -> None:
    project_id = await desk.build()
    folder = await desk.folder(project_id)
    (folder / ".env").write_text("SECRET=sk_live_disk\n")
    (folder / ".env.production").write_text("SECRET=sk_live_production\n")
    (folder / ".env.example").write_text("SECRET=\n")
    await desk.engine.snapshot(project_id, "outside edit")
    await desk.engine.create_file(project_id, "server/.env", "SECRET=sk_live_typed\n")
    await desk.engine.snapshot(project_id, "typed")
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    listed = await asyncio.to_thread(
        subprocess.run,
        ["git", "-C", folder, "ls-tree", "-r", "--name-only", "refs/vibedesk/history"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = listed.stdout.split()
    assert [name for name in names if ".env" in name] == [".env.example"]
    assert desk.server.requests
    assert not any("sk_live" in str(request) for request in desk.server.requests)
    assert (folder / "server" / ".env").read_text() == "SECRET=sk_live_typed\n"


async def test_a_folder_that_cannot_be_moved_loses_neither_itself_nor_its_secrets(
    desk: Desk, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await desk.create()
    folder = await desk.folder(project_id)
    folder.mkdir(parents=True)
    (home.root / "trash").write_text("a file where the folder of the trash would be")

    def no_trash(_path: Path) -> None:
        raise OSError("there is no trash on this desktop")

    monkeypatch.setattr("send2trash.send2trash", no_trash)
    with in_use(MemoryKeychain()) as keychain:
        await desk.engine.set_variable(project_id, "PAYMENT_KEY", "sk_live_1", consent=True)
        with pytest.raises(StorageError, match="could not be moved to the trash"):
            await desk.engine.delete_project(project_id)
        assert list(keychain.kept.values()) == ["sk_live_1"]
        assert folder.is_dir()
        assert [card.id for card in await desk.engine.projects()] == [project_id]
        (home.root / "trash").unlink()
        await desk.engine.delete_project(project_id)
        assert [path.name for path in (home.root / "trash").iterdir()] == [folder.name]
        assert keychain.kept == {}
    assert await desk.engine.projects() == []


async def test_how_thoroughly_is_reviewed_counts_for_an_open_project_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIBEDESK_REVIEW")
    await desk.engine.set_setting("review.depth", "page")
    project_id = await desk.build()
    with pytest.raises(NotAllowedNowError, match="under Building"):
        await desk.engine.run_checks(project_id)
    await desk.engine.set_setting("review.depth", "full")
    await desk.engine.run_checks(project_id)
    await desk.engine.set_setting("review.depth", "tools")
    with pytest.raises(NotAllowedNowError):
        await desk.engine.run_checks(project_id)


async def spend(desk: Desk, project_id: str, cost: float) -> None:
    call = {
        "operation": "implement_phase",
        "provider": "p",
        "model": "m",
        "input_tokens": 1,
        "output_tokens": 1,
        "cached_tokens": 0,
        "cost": cost,
        "latency": 1.0,
    }
    await desk.services.database.run(lambda: add_call(project_id, call))


async def test_a_message_over_the_budget_asks_no_model_until_the_budget_is_raised(
    desk: Desk,
) -> None:
    project_id = await desk.build(budget=5.0)
    await spend(desk, project_id, 6.0)
    await desk.engine.say(project_id, "Mark the style")
    await desk.engine.wait(project_id)
    assert desk.server.requests_for("converse") == []
    told = await desk.until(lambda e: e.type == "error")
    data = told.payload.to_data()
    assert data["code"] == "budget"
    assert f"vibedesk resume {project_id} --budget USD" in data["remedy"]
    await desk.engine.resume(project_id, budget=50.0)
    await desk.engine.wait(project_id)
    assert len(desk.server.requests_for("converse")) == 1


async def test_a_model_without_a_price_is_told_once(desk: Desk) -> None:
    await desk.build(budget=5.0, provider="anthropic", model="unheard-of")
    notices = [e.payload.to_data() for e in desk.of("notice")]
    assert [n["message"] for n in notices if n["code"] == "unknown_price"] == [
        "The price of unheard-of is not known, so the budget cannot stop it."
    ]


async def test_a_model_whose_provider_counts_nothing_is_told_once(desk: Desk) -> None:
    desk.server.fail(faults.no_usage(), times=20)
    project_id = await desk.build(budget=0.0001)
    view = await desk.engine.project(project_id)
    assert (view.state, view.cost) == ("complete", 0)
    notices = [e.payload.to_data() for e in desk.of("notice")]
    [told] = [n["message"] for n in notices if n["code"] == "unknown_price"]
    assert told == (
        "The provider of claude-sonnet-5-5 does not say how much its answers use, so the budget cannot stop it."
    )


async def test_without_a_budget_nobody_is_told_that_none_can_stop_it(desk: Desk) -> None:
    desk.server.fail(faults.no_usage(), times=20)
    await desk.build(provider="anthropic", model="unheard-of")
    codes = [e.payload.to_data()["code"] for e in desk.of("notice")]
    assert "unknown_price" not in codes


async def test_two_changes_of_a_running_app_are_so_far_apart_that_its_server_sees_both(
    desk: Desk,
) -> None:
    project_id = await desk.build()
    for name in ("one.js", "two.js"):
        await desk.engine.create_file(project_id, name, "export {}\n")
    folder = await desk.folder(project_id)
    first, second = ((folder / name).stat().st_mtime for name in ("one.js", "two.js"))
    assert second - first > 0.05, "within 50 ms a dev server's watcher takes two changes for one"


async def test_edits_on_disk_are_followed_again_when_the_files_are_back(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project_id = await desk.build()
    folder, aside = await desk.folder(project_id), tmp_path / "aside"
    aside.mkdir()
    for path in list(folder.iterdir()):
        path.rename(aside / path.name)
    caplog.set_level("INFO")
    await desk.engine.open(project_id)
    async with asyncio.timeout(60):
        while "the folder is not taken in" not in caplog.text:  # noqa: ASYNC110 - only the log tells
            await asyncio.sleep(0.05)
    for path in list(aside.iterdir()):
        path.rename(folder / path.name)
    (folder / "index.html").write_text("<h1>Mine</h1>", "utf-8")

    async def taken_in() -> bool:
        return await desk.engine.read_file(project_id, "index.html") == "<h1>Mine</h1>"

    async with asyncio.timeout(60):
        while not await taken_in():  # noqa: ASYNC110 - the edit may come with the first look
            await asyncio.sleep(0.05)
