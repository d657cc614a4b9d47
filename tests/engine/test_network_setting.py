"""What apps may reach where their project does not say it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    await made.shutdown()


async def made(engine: Engine, **options: object) -> str:
    """Make a project, as it is when it is opened."""
    wanted = ProjectOptions(sample="kanban-board", **options)  # type: ignore[arg-type]
    project_id = await engine.create("", wanted)
    await engine._call(engine._ours.agents.get(project_id))
    return project_id


async def network(engine: Engine, project_id: str) -> str:
    """Return what counts for its app's next connection, which is also what is shown."""
    agent = engine._ours.agents.loaded(project_id)
    assert agent is not None
    counts = agent.runtime._terms.network().mode
    assert (await engine.sandbox(project_id)).network == counts
    return counts


@pytest.mark.parametrize("where", ["here", "by another process"])
async def test_a_deleted_project_keeps_the_setting_from_no_other(
    engine: Engine, where: str
) -> None:
    gone, stays = await made(engine), await made(engine)
    ours = engine._ours
    if where == "here":
        await engine.delete_project(gone)
        assert ours._sandboxes._networks.keys() == {stays}
    else:
        await ours.database.run(lambda: ours.store.update(gone, deleted_at="2026-01-01"))
    await engine.set_setting("sandbox.network", "none")
    assert await network(engine, stays) == "none"
    assert ours._sandboxes._networks.keys() == {stays}


async def test_the_setting_counts_where_a_project_says_nothing(engine: Engine) -> None:
    before, own = await made(engine), await made(engine, network="registries")
    assert await network(engine, before) == "registries"
    await engine.set_setting("sandbox.network", "none")
    new = await made(engine)
    assert [await network(engine, each) for each in (new, before, own)] == [
        *("none", "none", "registries"),
    ]
    await engine.set_sandbox_options(new, network="registries")
    assert await network(engine, new) == "registries"
