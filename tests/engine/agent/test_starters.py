"""Which starter a project begins with: the model's choice while the blueprint comes, the person's, and its set-up."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.agent.conftest import Desk
from tests.support import model_faults as faults
from tests.support.model_server import ModelServer
from tests.support.tiny_app import BLUEPRINT, TINY_TEMPLATE
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.builder.templates import DEFAULT_TEMPLATE, load_template
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions

CHOSEN = {"title": "Counter", "template": "tiny", **BLUEPRINT}
SEED, GROW = (
    f"node -e \"require('fs').appendFileSync('seeds.txt', '{word}\\n')\""
    for word in ("seed", "grow")
)


def variant(folder: Path, name: str, **meta: object) -> Path:
    """Return a copy of the tiny starter with another name and page."""
    shutil.copytree(TINY_TEMPLATE, folder)
    described = json.loads((folder / "template.json").read_text())
    (folder / "template.json").write_text(json.dumps({**described, "name": name, **meta}))
    (folder / "index.html").write_text(f"<title>{name}</title>")
    (folder / f"only-{name}.txt").write_text("")
    return folder


async def begin(desk: Desk, **options: Any) -> str:
    """Create a project whose starter the model chooses, unless one is given."""
    project_id = await desk.engine.create("Count things for me", ProjectOptions(**options))
    await desk.watch(project_id)
    return project_id


async def choose(desk: Desk, project_id: str, name: str, *, by_person: bool = False) -> str:
    agent = await desk.services.agents.get(project_id)
    chosen = await desk.engine._call(agent._steps.setup.choose_template(name, by_person=by_person))
    return chosen.name


async def make_ready(desk: Desk, project_id: str) -> None:
    await desk.engine._call(desk.agent(project_id)._steps.setup.ready())


async def page_of(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).text


def chosen_in(desk: Desk) -> list[str]:
    changes = [e.payload.project for e in desk.of("project_changed")]  # type: ignore[attr-defined]
    return [c["template"] for c in changes if "template" in c]


@pytest.fixture
async def tiny(desk: Desk) -> None:
    await desk.engine.add_template(str(TINY_TEMPLATE))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("answers", [{"blueprint": CHOSEN}])
async def test_the_starter_serves_while_the_rest_of_the_blueprint_comes(
    desk: Desk, server: ModelServer
) -> None:
    named = json.dumps(CHOSEN).index('"tiny"') + len('"tiny", "project_name": "c')
    server.fail(faults.stall(after_chars=named), operation="blueprint")
    project_id = await begin(desk)
    view = await desk.engine.project(project_id)
    assert not view.files
    await desk.engine.generate(project_id)
    started = await desk.until(lambda e: e.type == "server_started")
    assert "Starter" in await page_of(started.payload.url)  # type: ignore[attr-defined]
    assert not desk.of("blueprint_ready")
    assert chosen_in(desk) == ["tiny"]
    server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert desk.agent(project_id).access.template.name == "tiny"


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("answers", [{"blueprint": CHOSEN}])
async def test_nothing_is_laid_out_before_the_model_has_chosen(
    desk: Desk, server: ModelServer
) -> None:
    server.fail(faults.stall(after_chars=5), operation="blueprint")
    project_id = await begin(desk)
    await desk.engine.generate(project_id)
    await server.wait_until(lambda: bool(server.requests_for("blueprint")))
    await desk.until_state("blueprinting")
    assert await desk.engine.files(project_id) == []
    assert not desk.of("command_started")
    server.release()
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"


@pytest.mark.usefixtures("tiny")
async def test_a_starter_that_the_person_fixed_stays(desk: Desk) -> None:
    project_id = await begin(desk, template="tiny")
    assert await choose(desk, project_id, "react-vite") == "tiny"
    assert (await desk.services.record(project_id)).template == "tiny"


async def test_another_choice_takes_the_first_ones_place(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        await desk.engine.add_template(str(variant(tmp_path / name, name)))
    project_id = await begin(desk)
    await choose(desk, project_id, "One")
    await make_ready(desk, project_id)
    folder = await desk.folder(project_id)
    assert (folder / "node_modules").is_dir()
    await desk.engine.create_file(project_id, "mine.txt", "kept")
    await choose(desk, project_id, "two")
    assert not (folder / "node_modules").exists()
    assert not desk.agent(project_id).runtime.serving
    await make_ready(desk, project_id)
    assert sorted(p.name for p in folder.glob("*.txt")) == ["mine.txt", "only-two.txt"]
    assert "<title>two</title>" in await page_of(desk.agent(project_id).runtime.url)
    assert chosen_in(desk) == ["one", "two"]
    assert await choose(desk, project_id, "no such starter") == "react-vite"
    assert "only-two.txt" not in [file.path for file in await desk.engine.files(project_id)]


async def test_a_starter_is_not_changed_after_something_is_built(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.engine.add_template(str(variant(tmp_path / "one", "one")))
    project_id = await desk.build()
    with pytest.raises(NotAllowedNowError, match="starter cannot be changed"):
        await choose(desk, project_id, "one", by_person=True)
    with pytest.raises(NotFoundError, match="no template"):
        await choose(desk, project_id, "nobody", by_person=True)
    assert await choose(desk, project_id, "one") == "tiny"


# -- set-up ----------------------------------------------------------------------------------------------------
async def test_the_set_up_runs_once_and_again_where_it_is_lost(desk: Desk, tmp_path: Path) -> None:
    folder = variant(tmp_path / "seeded", "seeded", setup_commands=[SEED, GROW])
    project_id = await begin(desk, template=str(folder))
    await desk.engine.generate(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    work = await desk.folder(project_id)
    assert (work / "seeds.txt").read_text() == "seed\ngrow\n"
    await desk.engine.stop_sandbox(project_id)
    await desk.engine.start_preview(project_id)
    assert (work / "seeds.txt").read_text() == "seed\ngrow\n"
    services = desk.services
    # It succeeded once, and will not again.
    once = "node gone.js"
    await services.database.run(lambda: services.store.add_command(project_id, once, 0))
    shutil.rmtree(work / "node_modules")
    await desk.engine.rebuild_sandbox(project_id)
    assert (work / "seeds.txt").read_text() == "seed\ngrow\n" * 2
    notices = [e.payload.message for e in desk.of("notice") if e.payload.code == "not_replayed"]  # type: ignore[attr-defined]
    assert notices == [f"`{once}` did not succeed again in the new sandbox."]
    recorded = await services._read(lambda: services.store.commands(project_id))
    assert [c for c in recorded if "-e" in c] == [shlex.join(shlex.split(c)) for c in (SEED, GROW)]


async def test_a_set_up_that_fails_is_said_and_tried_again(desk: Desk, tmp_path: Path) -> None:
    command = "node -e \"process.exit(require('fs').existsSync('node_modules/.good') ? 0 : 1)\""
    folder = variant(tmp_path / "seeded", "seeded", setup_commands=[command])
    project_id = await begin(desk, template=str(folder))
    await desk.engine.generate(project_id)
    await desk.engine.wait(project_id)
    view = await desk.engine.project(project_id)
    assert view.state == "error"
    assert view.error is not None
    assert "failed" in view.error["message"]
    (await desk.folder(project_id) / "node_modules" / ".good").touch()
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"


# -- the person's own ------------------------------------------------------------------------------------------
async def test_own_starters_are_listed_used_and_removed(desk: Desk, tmp_path: Path) -> None:
    added = await desk.engine.add_template(str(variant(tmp_path / "one", "one")))
    assert (added.name, added.own, added.language) == ("one", True, "typescript")
    listed = await desk.engine.templates()
    assert listed[0].name == "react-vite"
    assert listed[-1] == added
    project_id = await begin(desk, template="one")
    with pytest.raises(NotAllowedNowError, match="is used by"):
        await desk.engine.remove_template("one")
    await desk.engine.delete_project(project_id)
    await desk.engine.remove_template("one")
    assert added not in await desk.engine.templates()
    with pytest.raises(NotFoundError):
        await begin(desk, template="one")
    with pytest.raises(InvalidInputError):
        await begin(desk, template="https://me:secret@example.org/x.git")


async def reopened(desk: Desk, home: Home) -> Desk:
    """End the program and start it anew; the caller closes what it returns."""
    await desk.aclose()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    return Desk(engine, desk.server)


async def test_a_starter_that_was_named_by_its_folder_stays_with_the_project(
    desk: Desk, home: Home, tmp_path: Path
) -> None:
    folder = variant(tmp_path / "one", "one")
    project_id = await begin(desk, template=str(folder))
    await desk.engine.generate(project_id)
    await desk.engine.wait(project_id)
    shutil.rmtree(folder)
    again = await reopened(desk, home)
    try:
        await again.engine.open(project_id)
        await again.engine.say(project_id, "Mark the style")
        await again.engine.wait(project_id)
        assert await again.state(project_id) == "complete"
        assert (await again.engine.project(project_id)).template == "one"
        assert "said.css" in await again.texts(project_id)
        await again.engine.cancel(project_id)
    finally:
        await again.aclose()


@pytest.mark.parametrize(
    ("scripts", "start"),
    [
        ({"dev": "node server.mjs"}, "env HOST={host} PORT={port} npm run dev"),
        ({}, load_template(DEFAULT_TEMPLATE).dev_command),
    ],
)
async def test_a_project_whose_starter_is_gone_is_still_opened_and_stopped(
    desk: Desk, home: Home, server: ModelServer, scripts: dict[str, str], start: str
) -> None:
    server.fail(faults.stall(), operation="implement_phase")
    project_id = await desk.create()
    await desk.engine.generate(project_id)
    await desk.until(lambda e: e.type == "command_started")  # the folder is laid out by then
    await desk.until_state("implementing_phase")
    manifest = await desk.folder(project_id) / "package.json"
    manifest.write_text(json.dumps({"name": "counter", "scripts": scripts}))
    again = await reopened(desk, home)
    try:
        # As an earlier VibeDesk kept it: the path, which is nowhere now.
        await again.services._read(
            lambda: again.services.store.update(project_id, template="/nowhere/tiny")
        )
        await again.watch(project_id)
        await again.engine.open(project_id)
        told = await again.until(
            lambda e: e.type == "notice" and e.payload.code == "template_gone"  # type: ignore[attr-defined]
        )
        assert "'/nowhere/tiny'" in told.payload.message  # type: ignore[attr-defined]
        assert again.agent(project_id).access.template.dev_command == start
        await again.engine.cancel(project_id)
        assert await again.state(project_id) == "idle"
    finally:
        await again.aclose()


async def test_starters_of_most_projects_are_prepared_first(desk: Desk) -> None:
    for template in ("python-fastapi", "python-fastapi", "react-vite"):
        await begin(desk, template=template)
    used = await desk.engine._call(desk.services.library.most_used())
    assert [template.name for template in used][:2] == ["python-fastapi", "react-vite"]
