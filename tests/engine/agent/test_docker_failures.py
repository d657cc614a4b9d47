"""Docker answers and yet cannot do it: the agent comes to rest with the reason, keeps everything, and goes on later."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.engine.agent.conftest import Desk
from tests.support.docker_answers import INFO, VERSION, engine_on_tcp
from tests.support.docker_engines import (  # noqa: F401
    Dockerd,
    docker_host,
    docker_image,
    load_image,
    require_docker,
)
from tests.support.model_server import ModelServer
from tests.support.small_engine import SmallEngine, small  # noqa: F401
from tests.support.tiny_app import script_tiny_app
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.sandboxes.driver import SandboxUnavailableError

TOO_OLD = {**VERSION, "Version": "1.12.6", "ApiVersion": "1.24"}


async def restarted(desk: Desk, home: Home) -> None:
    """As if VibeDesk was closed and started again."""
    await desk.aclose()
    desk.engine = Engine(home)
    await asyncio.to_thread(desk.engine.start)


async def test_its_disk_is_full(
    desk: Desk,
    small: SmallEngine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", small.engine.host)
    await asyncio.to_thread(small.fill)
    project_id = await desk.build(sandbox="docker")
    assert await desk.state(project_id) == "error"
    view = await desk.engine.project(project_id)
    assert view.error is not None
    assert view.error["message"] == "Docker's disk is full."
    assert "docker system df" in view.error["remedy"]
    before = await desk.texts(project_id)
    asked = len(desk.server.requests)

    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "error", "nothing has changed"
    assert await desk.texts(project_id) == before
    assert len(desk.server.requests) == asked, "no model is asked again for it"

    await asyncio.to_thread(small.free)
    await desk.engine.resume(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert before.keys() <= (await desk.texts(project_id)).keys()
    assert (await desk.engine.project(project_id)).sandbox_kind == "docker"


async def test_its_image_is_removed_between_two_builds(
    desk: Desk, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_docker()
    with Dockerd() as engine, contextlib.closing(engine.client(timeout=120)) as client:
        tag = load_image(client)
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        first = await desk.build(sandbox="docker")
        assert await desk.state(first) == "complete"
        client.images.remove(tag, force=True)
        script_tiny_app(server)
        second = await desk.build(sandbox="docker")
        assert await desk.state(second) == "complete"
        assert (await desk.engine.project(second)).sandbox_kind == "docker"
        assert client.images.get(tag)
        await desk.engine.shutdown()


async def test_it_is_too_old_at_the_next_start(
    desk: Desk,
    home: Home,
    docker_host: str,  # noqa: F811
    docker_image: str,  # noqa: F811 - it is in the engine
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    project_id = await desk.build(sandbox="docker")
    assert await desk.state(project_id) == "complete"
    texts = await desk.texts(project_id)

    with engine_on_tcp({"/version": (200, TOO_OLD), "/info": (200, INFO)}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        await restarted(desk, home)
        with pytest.raises(SandboxUnavailableError, match=r"1\.12\.6 .* too old") as caught:
            await desk.engine.start_preview(project_id)
        assert "Update it" in caught.value.remedy
        assert await desk.state(project_id) == "complete"
        assert await desk.texts(project_id) == texts
        with pytest.raises(SandboxUnavailableError, match="too old"):
            await desk.create(sandbox="docker")

    monkeypatch.setenv("DOCKER_HOST", docker_host)
    await restarted(desk, home)
    await desk.engine.start_preview(project_id)
    assert (await desk.engine.sandbox(project_id)).kind == "docker"
    await desk.engine.delete_project(project_id)
