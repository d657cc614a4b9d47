"""Hosts that a previewed app may reach are kept with its project."""

from __future__ import annotations

from pathlib import Path

import pytest

from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions


@pytest.fixture
async def engine(tmp_path: Path) -> Engine:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made  # type: ignore[misc]
    await made.shutdown()


async def test_a_granted_host_is_told_and_stays(engine: Engine) -> None:
    project_id = await engine.create("", ProjectOptions(sample="kanban-board"))
    subscription = await engine.subscribe(project_id)
    assert await engine.grant_host(project_id, " API.example.org ") == ["api.example.org"]
    assert await engine.grant_host(project_id, "b.example.org:8443") == [
        "api.example.org",
        "b.example.org:8443",
    ]
    told = [e.payload.to_data() for e in subscription.drain() if e.type == "project_changed"]
    assert [t["project"]["granted_hosts"] for t in told] == [
        ["api.example.org"],
        ["api.example.org", "b.example.org:8443"],
    ]
    assert (await engine.project(project_id)).granted_hosts == (
        "api.example.org",
        "b.example.org:8443",
    )


@pytest.mark.parametrize(
    "host", ["", "https://x.org", "localhost", "127.0.0.1", "a b.org", "x.org/"]
)
async def test_what_is_no_host_name_is_refused(engine: Engine, host: str) -> None:
    project_id = await engine.create("", ProjectOptions(sample="kanban-board"))
    with pytest.raises(InvalidInputError):
        await engine.grant_host(project_id, host)
    assert (await engine.project(project_id)).granted_hosts == ()


async def test_an_unknown_project_has_no_hosts(engine: Engine) -> None:
    with pytest.raises(NotFoundError):
        await engine.grant_host("nothing", "api.example.org")
