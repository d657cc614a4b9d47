"""Which kind of sandbox a project gets, and why."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.docker_answers import INFO, VERSION, engine_on_tcp
from tests.support.docker_engines import docker_host, docker_image  # noqa: F401
from vibedesk.base.errors import ConsentRequiredError
from vibedesk.base.paths import Home
from vibedesk.engine import sandbox_choice
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.sandbox_choice import DriverChoice, HomeFacts, Sandboxes, SandboxSetting
from vibedesk.engine.sandboxes.driver import Exited, SandboxSpec, SandboxUnavailableError
from vibedesk.engine.sandboxes.ports import pick_port


async def facts() -> HomeFacts:
    return HomeFacts(owner="choice", sandbox_ids=frozenset())


@pytest.fixture
async def sandboxes(tmp_path: Path) -> AsyncIterator[Sandboxes]:
    made = Sandboxes(tmp_path / "cache", facts)
    yield made
    await made.aclose()


async def test_without_docker_auto_takes_the_local_one_and_says_why(sandboxes: Sandboxes) -> None:
    choice = await sandboxes.choose("auto")
    assert choice.kind == "local"
    assert "Docker" in choice.why
    assert (await sandboxes.local.isolation()).sentence in choice.why


async def test_without_docker_docker_is_refused_with_what_to_do(sandboxes: Sandboxes) -> None:
    with pytest.raises(SandboxUnavailableError, match="Docker") as caught:
        await sandboxes.choose("docker")
    assert caught.value.remedy


async def test_local_never_looks_for_docker(sandboxes: Sandboxes) -> None:
    choice = await sandboxes.choose("local")
    assert choice.kind == "local"
    assert "as asked for" in choice.why


async def test_where_docker_answers_auto_takes_it(
    sandboxes: Sandboxes,
    docker_host: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await sandboxes.choose("auto")).kind == "local"
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    choice = await sandboxes.choose("auto")
    assert choice.kind == "docker"
    assert choice.engine.startswith("Docker ")
    assert await sandboxes.isolates("auto") == (True, "")


@pytest.mark.parametrize(
    ("setting", "why"), [("auto", "Docker answers."), ("docker", "Docker, as asked for.")]
)
async def test_what_docker_cannot_limit_is_said_with_the_choice(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch, setting: SandboxSetting, why: str
) -> None:
    rootless = {**INFO, "SecurityOptions": ["name=rootless"], "MemoryLimit": False}
    with engine_on_tcp({"/version": (200, VERSION), "/info": (200, rootless)}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        choice = await sandboxes.choose(setting)
    assert choice.kind == "docker"
    assert choice.why == f"{why} It cannot limit memory and system calls."


async def test_of_a_docker_that_limits_everything_only_its_answer_is_said(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_on_tcp() as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert (await sandboxes.choose("auto")).why == "Docker answers."


async def test_a_docker_that_cannot_make_sandboxes_is_given_up(
    sandboxes: Sandboxes,
    docker_host: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    error = SandboxUnavailableError(
        "The sandbox image could not be made.", remedy="Give Docker some space."
    )
    sandboxes.give_up_docker(error)
    choice = await sandboxes.choose("auto")
    assert choice.kind == "local"
    assert "image could not be made. Give Docker some space." in choice.why
    # Who wants Docker and nothing else gets what Docker says now.
    assert (await sandboxes.choose("docker")).kind == "docker"

    sandboxes.try_docker_again()
    assert (await sandboxes.choose("auto")).kind == "docker"
    sandboxes.give_up_docker(error)
    assert (await sandboxes.choose("auto")).kind == "local"

    monkeypatch.setattr(sandbox_choice, "GIVEN_UP_SECONDS", 0.0)
    sandboxes.give_up_docker(error)
    assert (await sandboxes.choose("auto")).kind == "docker", "its time is over"


async def test_a_project_is_told_its_kind_and_gets_it(
    sandboxes: Sandboxes,
    docker_host: str,  # noqa: F811
    docker_image: str,  # noqa: F811 - it is in the engine
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    told: list[DriverChoice] = []

    async def setting() -> str:
        return "auto"

    async def on_choice(choice: DriverChoice) -> None:
        told.append(choice)

    folder = tmp_path / "app"
    folder.mkdir()
    driver = sandboxes.for_project(setting, on_choice)  # type: ignore[arg-type]
    spec = SandboxSpec(project_id="01CHOICE", folder=folder, port=pick_port())
    sandbox = await driver.open(spec, on_line=lambda _: None, on_status=lambda *_: None)
    assert [choice.kind for choice in told] == ["docker"]
    assert sandbox.kind == "docker"
    assert [output async for output in sandbox.exec(["true"])] == [Exited(0)]
    await sandbox.remove()


@pytest.mark.parametrize("attended", [True, False])
async def test_naming_the_local_sandbox_is_agreement_only_where_nobody_can_be_asked(
    home: Home, monkeypatch: pytest.MonkeyPatch, attended: bool
) -> None:
    monkeypatch.setenv("OPENAI_COMPATIBLE_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_COMPATIBLE_MODEL", "nobody")
    # Without bubblewrap nothing keeps an app from the person's files.
    monkeypatch.setenv("PATH", str(Path(sys.prefix) / "bin"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    engine = Engine(home, attended=attended)
    await asyncio.to_thread(engine.start)
    try:
        options = ProjectOptions(sandbox="local")
        if attended:
            with pytest.raises(ConsentRequiredError) as refused:
                await engine.create("Count things", options)
            assert "--sandbox" not in refused.value.remedy
            await engine.grant_consent()
        else:
            with pytest.raises(ConsentRequiredError) as refused:
                await engine.create("Count things", ProjectOptions(sandbox="auto"))
            assert "--sandbox local" in refused.value.remedy
        assert await engine.create("Count things", options)
    finally:
        await engine.shutdown()
