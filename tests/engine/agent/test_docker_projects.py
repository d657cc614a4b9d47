"""Projects whose apps run in Docker, through the engine's public face."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.engine.agent.conftest import Bench, Desk
from tests.engine.agent.test_debug_commands import (
    CHANGING,
    FOLDERS,
    WRITES,
    changed_and_undone,
)
from tests.engine.sandboxes.contract import run, texts
from tests.engine.sandboxes.docker.homes import Opened, eventually, held, opened, write_project
from tests.engine.sandboxes.docker.hostile import IMPOSTOR
from tests.engine.sandboxes.egress.loopback import listening
from tests.engine.sandboxes.egress.tiny_registry import TinyRegistry, tiny_registry
from tests.support.docker_engines import docker_client, docker_host, docker_image  # noqa: F401
from tests.support.mendable_app import MESSAGE, PAGE, STUCK, WRONG, script_app
from tests.support.model_server import ModelServer
from tests.support.program import Program
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.work_folder import Undone
from vibedesk.engine.sandboxes.docker.containers import store_name
from vibedesk.engine.sandboxes.driver import SandboxError, SandboxSpec, SandboxUnavailableError
from vibedesk.engine.sandboxes.ports import pick_port

NO_DOCKER = "unix:///nowhere/docker.sock"
BEFORE_UNDOING = "Before undoing what a command changed"


@pytest.fixture
async def desk(
    home: Home,
    server: ModelServer,
    docker_host: str,  # noqa: F811
    docker_image: str,  # noqa: F811 - it is in the engine
    docker_client: docker.DockerClient,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    for name, value in {**server.environment(), "DOCKER_HOST": docker_host}.items():
        monkeypatch.setenv(name, value)
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    made = Desk(engine, server)
    yield made
    await ended(made, docker_client)


@pytest.fixture
async def bench(
    home: Home,
    model: ModelServer,
    template: Path,
    docker_host: str,  # noqa: F811
    docker_image: str,  # noqa: F811 - it is in the engine
    docker_client: docker.DockerClient,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bench]:
    """As the local one: nobody looks on, and there is no browser."""
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    engine = Engine(home, attended=False)
    await asyncio.to_thread(engine.start)
    made = Bench(engine, model, template)
    yield made
    await ended(made, docker_client)


async def ended(desk: Desk, client: docker.DockerClient) -> None:
    """Close it and remove what it made in Docker."""
    owner = await desk.engine.setting("sandbox.home_id", "")
    await desk.aclose()
    mine = {"label": f"dev.vibedesk.home={owner}"}
    for container in client.containers.list(all=True, filters=mine):
        container.remove(force=True)
    for volume in client.volumes.list(filters=mine):
        volume.remove(force=True)


def container_of(client: docker.DockerClient, project_id: str) -> Any:
    found = client.containers.list(all=True, filters={"name": project_id.lower()})
    return found[0] if found else None


async def restarted(desk: Desk, home: Home) -> Desk:
    """As if VibeDesk was closed and started again."""
    await desk.aclose()
    engine = Engine(home)
    await asyncio.to_thread(engine.start)
    desk.engine = engine
    return desk


async def stored_in(client: docker.DockerClient, project_id: str) -> str:
    container = container_of(client, project_id)
    return str(container.exec_run(["cat", "/app/app.db"]).output.decode())


async def test_a_project_is_built_shown_and_looked_after(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    assert await desk.state(project_id) == "complete"
    assert (await desk.engine.project(project_id)).sandbox_kind == "docker"
    assert not (await desk.folder(project_id) / "node_modules").exists()

    first = await desk.engine.sandbox(project_id)
    now = await desk.engine.sandbox(project_id)
    assert (now.kind, now.state, now.size, now.network) == (
        "docker",
        "running",
        "auto",
        "registries",
    )
    assert now.engine.startswith("Docker ")
    assert "Docker" in now.why
    assert now.port is not None
    assert now.started_seconds is not None
    assert first.memory
    assert first.processes
    assert now.cpu_limit
    assert now.memory_limit
    assert now.disk_limit

    runtime = desk.agent(project_id).runtime
    assert runtime._sandbox is not None
    assert await runtime._sandbox.pause(0)  # type: ignore[attr-defined]
    assert (await desk.engine.sandbox(project_id)).state == "paused"
    shell = await desk.engine.sandbox_shell(project_id)
    assert shell[0] == "docker"
    assert (await desk.engine.sandbox(project_id)).state == "running"
    await desk.engine.stop_sandbox(project_id)
    assert (await desk.engine.sandbox(project_id)).state == "stopped"
    with pytest.raises(NotAllowedNowError):
        await desk.engine.sandbox_shell(project_id)
    assert (await desk.engine.restart_sandbox(project_id)).endswith(str(now.port))

    kept = {item.kind for item in await desk.engine.kept_for_sandboxes()}
    assert {"image", "sandbox"} <= kept
    assert await desk.engine.clean_sandboxes(older_than_days=0) >= 0
    assert (await desk.engine.sandbox(project_id)).state == "running"

    await desk.engine.delete_project(project_id)
    assert container_of(docker_client, project_id) is None


async def test_a_project_whose_sandbox_docker_does_not_let_go_can_be_deleted(
    desk: Desk,
    home: Home,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    with held(docker_client, container_of(docker_client, project_id).name):
        with pytest.raises(SandboxError, match="Docker could not do"):
            await desk.engine.rebuild_sandbox(project_id)
        deleted = await desk.engine.delete_project(project_id)
        assert "could not be removed now" in deleted.left
        assert await desk.engine.projects() == []
        await restarted(desk, home)
        assert [card.id for card in await desk.engine.projects()] == []
        assert container_of(docker_client, project_id) is not None
    await restarted(desk, home)
    await desk.engine.kept_for_sandboxes()
    assert container_of(docker_client, project_id) is None


async def test_a_restart_tries_a_docker_again_that_was_given_up(desk: Desk) -> None:
    project_id = await desk.build()
    await desk.engine.stop_sandbox(project_id)
    sandboxes = desk.services._sandboxes._sandboxes
    sandboxes.give_up_docker(SandboxUnavailableError("The image could not be made."))
    await desk.engine.start_preview(project_id)
    assert (await desk.engine.sandbox(project_id)).kind.startswith("local")
    await desk.engine.restart_sandbox(project_id)
    assert (await desk.engine.sandbox(project_id)).kind == "docker"


async def test_what_the_app_stored_outlives_a_time_without_docker(
    desk: Desk,
    home: Home,
    docker_client: docker.DockerClient,  # noqa: F811
    docker_host: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project_id = await desk.build()
    container_of(docker_client, project_id).exec_run(["sh", "-c", "echo rows > /app/app.db"])

    monkeypatch.setenv("DOCKER_HOST", NO_DOCKER)
    await restarted(desk, home)
    await desk.engine.start_preview(project_id)
    assert (await desk.engine.project(project_id)).sandbox_kind.startswith("local")

    monkeypatch.setenv("DOCKER_HOST", docker_host)
    await restarted(desk, home)
    await desk.engine.start_preview(project_id)
    assert (await desk.engine.project(project_id)).sandbox_kind == "docker"
    assert await stored_in(docker_client, project_id) == "rows\n"


async def test_rebuilding_takes_what_the_app_stored_and_nothing_else(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    texts = await desk.texts(project_id)
    container_of(docker_client, project_id).exec_run(["sh", "-c", "echo rows > /app/app.db"])
    await desk.engine.rebuild_sandbox(project_id)
    assert "No such file" in await stored_in(docker_client, project_id)
    assert await desk.texts(project_id) == texts
    # Also one that is not open: opening may be what does not work.
    await desk.engine.stop_sandbox(project_id)
    before = container_of(docker_client, project_id).id
    await desk.engine.rebuild_sandbox(project_id)
    assert container_of(docker_client, project_id).id != before


async def test_size_and_network_are_the_persons(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    container_of(docker_client, project_id).exec_run(["sh", "-c", "echo rows > /app/app.db"])
    await desk.engine.set_sandbox_options(project_id, size="lite", network="none")
    await desk.engine.restart_sandbox(project_id)
    now = await desk.engine.sandbox(project_id)
    assert (now.size, now.network, now.memory_limit) == ("lite", "none", 1024**3)
    assert container_of(docker_client, project_id).attrs["HostConfig"]["Memory"] == 1024**3
    assert await stored_in(docker_client, project_id) == "rows\n"
    for wrong in ({"size": "huge"}, {"network": "all"}, {"sandbox": "cloud"}):
        with pytest.raises(InvalidInputError):
            await desk.engine.set_sandbox_options(project_id, **wrong)  # type: ignore[arg-type]


async def test_an_install_finds_the_projects_files_whatever_the_app_removed(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """Else what is added in an empty folder would become the project's only package."""
    project_id = await desk.build()
    before = await desk.texts(project_id)
    container_of(docker_client, project_id).exec_run(["sh", "-c", "rm -rf /app/*"])
    runtime = desk.agent(project_id).runtime
    await desk.engine._call(runtime.install(["test", "-s", "package.json"]))
    assert inside(docker_client, project_id, "index.html") == before["index.html"]
    assert await desk.texts(project_id) == before


async def test_packages_that_no_project_needs_go_by_age(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(registry: TinyRegistry) -> None:
        sandboxes = desk.services._sandboxes
        driver = await sandboxes._sandboxes.docker()
        layers: dict[str, str] = {}
        places: dict[str, Opened] = {}
        for name in ("left", "recent", "old"):
            registry.publish(name, "1.0.0")
            write_project(tmp_path / name, registry, {name: "1.0.0"})
            spec = SandboxSpec(
                project_id=f"01AGE{name.upper()}", folder=tmp_path / name, port=pick_port()
            )
            places[name] = await opened(driver, spec)
            [layers[name]] = {each.name for each in (await driver.kept()).layers} - {
                *layers.values()
            }
        for name in ("recent", "old"):
            await places[name].sandbox.remove()
        home = await desk.services.setting("sandbox.home_id", "")
        volume = docker_client.volumes.get(store_name(home))
        long_ago = time.time() - 40 * 86_400
        for name in ("left", "old"):
            os.utime(Path(volume.attrs["Mountpoint"], "layers", layers[name]), (long_ago, long_ago))

        sizes = {each.name: each.bytes for each in (await driver.kept()).layers}
        assert await sandboxes.clean(30) == sizes[layers["old"]] > 0
        left = {each.name for each in (await driver.kept()).layers}
        assert left == {layers["left"], layers["recent"]}
        asked = await run(places["left"].sandbox, "node", "-p", "require('left')")
        assert texts(asked) == ["left@1.0.0"]
        await places["left"].sandbox.remove()

    async with tiny_registry() as registry:
        monkeypatch.setenv("npm_config_registry", registry.address)
        await desk.engine._call(scenario(registry))


def inside(client: docker.DockerClient, project_id: str, path: str) -> str:
    answer = container_of(client, project_id).exec_run(["cat", f"/app/{path}"])
    return str(answer.output.decode())


def is_inside(client: docker.DockerClient, project_id: str, path: str) -> bool:
    asked = container_of(client, project_id).exec_run(["test", "-e", f"/app/{path}"])
    return bool(asked.exit_code == 0)


def store_inside(client: docker.DockerClient, project_id: str, path: str, text: str) -> None:
    script = f"mkdir -p $(dirname {path}) && echo {text} > {path}"
    done = container_of(client, project_id).exec_run(["sh", "-c", script])
    assert done.exit_code == 0, done.output


async def moved(desk: Desk, project_id: str, sandbox: str) -> str:
    """Let the app run elsewhere; return the kind of its sandbox."""
    await desk.engine.set_sandbox_options(project_id, sandbox=sandbox)
    before = await desk.engine.sandbox(project_id)
    assert before.sandbox == sandbox
    assert not before.kind.startswith(sandbox), "not before the next start"
    await desk.engine.restart_sandbox(project_id)
    now = await desk.engine.sandbox(project_id)
    assert now.state == "running"
    return now.kind


async def test_an_app_moves_out_of_docker_and_back_and_each_keeps_what_it_stored(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    await desk.engine.create_file(project_id, ".gitignore", "data\n")
    store_inside(docker_client, project_id, "data/app.db", "docker")
    store_inside(docker_client, project_id, "data/app.db-wal", "docker")
    for name in ("menu.ts", "gone.ts"):
        await desk.engine.create_file(project_id, f"src/data/{name}", "old\n")
        assert inside(docker_client, project_id, f"src/data/{name}") == "old\n"

    assert (await moved(desk, project_id, "local")).startswith("local")
    folder = await desk.folder(project_id)
    assert (folder / "node_modules").exists(), "its packages are installed here, too"
    (folder / "data").mkdir()
    for name in ("app.db", "app.db-shm", "picture.png"):
        (folder / "data" / name).write_text("here\n")
    (folder / "index.html").write_text("<h1>changed meanwhile</h1>\n")
    await desk.engine.delete_file(project_id, "style.css")
    # The project's, although .gitignore names the folder.
    (folder / "src" / "data" / "menu.ts").write_text("new\n")
    await desk.engine.create_file(project_id, "src/data/prices.ts", "new\n")
    await desk.engine.delete_file(project_id, "src/data/gone.ts")

    assert await moved(desk, project_id, "docker") == "docker"
    for _ in range(2):
        assert inside(docker_client, project_id, "data/app.db") == "docker\n"
        assert inside(docker_client, project_id, "data/app.db-wal") == "docker\n"
        assert "No such file" in inside(docker_client, project_id, "data/app.db-shm")
        assert "changed meanwhile" in inside(docker_client, project_id, "index.html")
        assert "No such file" in inside(docker_client, project_id, "style.css")
        assert inside(docker_client, project_id, "src/data/menu.ts") == "new\n"
        assert inside(docker_client, project_id, "src/data/prices.ts") == "new\n"
        assert "No such file" in inside(docker_client, project_id, "src/data/gone.ts")
        await desk.engine.restart_sandbox(project_id)

    await moved(desk, project_id, "local")
    assert (folder / "data" / "app.db").read_text() == "here\n"
    await moved(desk, project_id, "docker")
    shutil.rmtree(folder / "data")
    await desk.engine.restart_sandbox(project_id)
    assert inside(docker_client, project_id, "data/app.db") == "docker\n"


async def test_what_an_app_stored_on_this_machine_goes_into_docker_with_it_once(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build(sandbox="local")
    await desk.engine.create_file(project_id, ".gitignore", "data\n")
    folder = await desk.folder(project_id)
    (folder / "data").mkdir()
    for name in ("app.db", "app.db-wal"):
        (folder / "data" / name).write_text("here\n")

    assert await moved(desk, project_id, "docker") == "docker"
    assert inside(docker_client, project_id, "data/app.db") == "here\n"
    store_inside(docker_client, project_id, "data/app.db", "docker")
    store_inside(docker_client, project_id, "data/app.db-wal", "docker")

    await moved(desk, project_id, "local")
    (folder / "data" / "app.db").write_text("here again\n")
    (folder / "data" / "app.db-wal").unlink()

    await moved(desk, project_id, "docker")
    for _ in range(2):
        assert inside(docker_client, project_id, "data/app.db") == "docker\n"
        assert inside(docker_client, project_id, "data/app.db-wal") == "docker\n"
        await desk.engine.restart_sandbox(project_id)


async def test_what_an_app_stored_in_docker_stays_whatever_becomes_of_what_came_with_it(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build(sandbox="local")
    await desk.engine.create_file(project_id, ".gitignore", "data\n")
    folder = await desk.folder(project_id)
    (folder / "data").mkdir()
    (folder / "data" / "app.db").write_text("here\n")
    assert await moved(desk, project_id, "docker") == "docker"
    assert inside(docker_client, project_id, "data/app.db") == "here\n"
    store_inside(docker_client, project_id, "data/app.db", "docker")
    await desk.engine.restart_sandbox(project_id)

    os.utime(folder / "data" / "app.db")  # as a backup does
    await desk.engine.restart_sandbox(project_id)
    assert inside(docker_client, project_id, "data/app.db") == "docker\n"
    shutil.rmtree(folder / "data")
    for _ in range(2):
        await desk.engine.restart_sandbox(project_id)
        assert inside(docker_client, project_id, "data/app.db") == "docker\n"


async def test_the_person_is_asked_once_for_each_host(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    sandbox = desk.agent(project_id).runtime._sandbox
    assert sandbox is not None

    async def ask(host: str) -> None:
        script = f"fetch('http://{host}').catch(() => {{}})"
        async for _ in sandbox.exec(["node", "-e", script], timeout=30):
            pass

    async def want(host: str) -> None:
        await desk.engine._call(ask(host))

    await desk.engine.refuse_host(project_id, "refused.example.org")
    await want("refused.example.org")
    await want("api.example.org")
    await desk.until(lambda event: event.type == "host_refused")
    await want("api.example.org")
    await want("last.example.org")
    await desk.until(lambda event: event.payload.to_data() == {"host": "last.example.org"})
    asked = [event.payload.to_data()["host"] for event in desk.of("host_refused")]
    assert asked == ["api.example.org", "last.example.org"]
    view = await desk.engine.project(project_id)
    assert view.refused_hosts == ("refused.example.org",)


async def test_what_the_person_changes_on_disk_reaches_the_running_app(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    await desk.engine.open(project_id)
    folder: Path = await desk.folder(project_id)
    container = container_of(docker_client, project_id)
    (folder / "index.html").write_text("<h1>by hand</h1>")
    (folder / ".env").write_text("TOKEN=of-the-app")

    def arrived() -> bool:
        page = container.exec_run(["cat", "/app/index.html"]).output
        secret = container.exec_run(["cat", "/app/.env"]).output
        return page == b"<h1>by hand</h1>" and secret == b"TOKEN=of-the-app"

    await eventually(arrived, "both files are inside")


async def test_what_a_command_that_is_to_look_changes_inside_is_undone(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            await runtime.ask(["sh", "-c", "echo mine > app.js; rm style.css"])
        return undone

    undone = Undone(["app.js", "style.css"])
    assert await desk.engine._call(look()) == undone
    assert await desk.engine._call(look()) == undone, "it was there again"
    container = container_of(docker_client, project_id)
    for path in ("app.js", "style.css", "index.html"):
        inside = container.exec_run(["cat", f"/app/{path}"]).output.decode()
        assert inside == before[path]
    assert await desk.texts(project_id) == before


async def test_what_others_store_while_a_command_looks_inside_stays(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """The folder is the person's, and a file of the project may be where the app stores its data."""
    project_id = await desk.build()
    await desk.engine.create_file(project_id, "todos.json", "[]")
    before = await desk.texts(project_id)
    folder = await desk.folder(project_id)
    runtime = desk.agent(project_id).runtime
    await desk.engine._call(runtime.materialise())
    store_inside(docker_client, project_id, "todos.json", "[1]")

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            (folder / "style.css").write_text("/* mine */")
            (folder / "new.js").write_text("// mine")
            (folder / "index.html").unlink()
            await runtime.ask(["sh", "-c", "echo stolen > app.js"])
        return undone

    assert await desk.engine._call(look()) == Undone(["app.js"])
    mine = {"style.css": "/* mine */", "new.js": "// mine"}
    texts = await desk.texts(project_id)
    assert mine.items() <= texts.items()
    assert "index.html" not in texts
    assert not (folder / "index.html").exists()
    for path, text in mine.items():
        assert (folder / path).read_text() == text
        assert inside(docker_client, project_id, path) == text
    assert inside(docker_client, project_id, "app.js") == texts["app.js"] == before["app.js"]
    assert inside(docker_client, project_id, "todos.json") == "[1]\n"
    versions = await desk.engine.history(project_id)
    [kept] = [v for v in versions if v.label == BEFORE_UNDOING]
    await desk.engine.restore_file(project_id, kept.commit, "app.js")
    assert (await desk.texts(project_id))["app.js"] == "stolen\n"


async def test_the_folder_is_not_written_to_undo_what_a_command_changed_inside(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """The person may save there at any moment."""
    project_id = await desk.build()
    folder = await desk.folder(project_id)
    runtime = desk.agent(project_id).runtime
    before = {path: path.stat() for path in [folder, *folder.glob("*.*")]}

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            await runtime.ask(["sh", "-c", "echo stolen > app.js; rm style.css; ln -s / link"])
        return undone

    assert await desk.engine._call(look()) == Undone(["app.js", "style.css"])
    assert BEFORE_UNDOING in [v.label for v in await desk.engine.history(project_id)]
    assert {path: path.stat() for path in before} == before


@pytest.mark.parametrize("sizes", [["15M", "15M"], ["1", "100M"]], ids=["together", "one"])
async def test_what_is_too_large_to_be_kept_is_undone_all_the_same_but_for_new_files(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
    sizes: list[str],
) -> None:
    """Of the project's own the folder has another copy."""
    project_id = await desk.build()
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            script = 'truncate -s "$1" app.js; truncate -s "$2" new.bin style.css; echo 1 > new.js'
            await runtime.ask(["sh", "-c", script, "sh", *sizes])
        return undone

    undone = await desk.engine._call(look())
    assert undone == Undone(["app.js", "new.js", "style.css"], left=["new.bin"], kept=False)
    assert undone.outcome == (
        "That was undone; what was there could not be kept. new.bin could not be put back."
    )
    assert is_inside(docker_client, project_id, "new.bin")
    assert not is_inside(docker_client, project_id, "new.js")
    for path in ("app.js", "style.css"):
        assert inside(docker_client, project_id, path) == before[path]
    assert await desk.texts(project_id) == before
    [kept] = [v for v in await desk.engine.history(project_id) if v.label == BEFORE_UNDOING]
    await desk.engine.restore_file(project_id, kept.commit, "new.js")
    assert (await desk.texts(project_id))["new.js"] == "1\n"
    store_inside(docker_client, project_id, "style.css", "stored")
    await desk.engine._call(runtime.stop())
    await desk.engine._call(runtime.ask(["true"]))
    assert inside(docker_client, project_id, "style.css") == "stored\n", "it is done with"


DRIBBLE = """
import threading
kinds = {}

def dribble(channel):
    send(f.DATA, channel, raw({'path': 'app.js', 'size': 100_000}))
    while True:
        send(f.DATA, channel, b'x')
        time.sleep(0.05)

open('/app/took-over', 'w').close()
for kind, channel, payload in arrivals():
    if kind == f.OPEN:
        kinds[channel] = json.loads(payload)['kind']
    match kind, kinds.get(channel):
        case f.OPEN, 'exec':
            send(f.DATA, channel, b'0' * 64 + b'  app.js\\n')
            send(f.RESULT, channel, b'{"report": "exit 1"}')
        case f.OPEN, 'get':
            threading.Thread(target=dribble, args=(channel,)).start()
        case f.END, 'put':
            send(f.RESULT, channel, b'{"written": 1}')
"""


async def test_an_app_that_answers_without_end_does_not_hold_up_what_is_undone(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime
    runtime.undo.keep_seconds = 0.5
    container = container_of(docker_client, project_id)

    def took_over() -> bool:
        return container.exec_run(["test", "-e", "/app/took-over"]).exit_code == 0

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            attack = ["python3", "-I", "-c", IMPOSTOR + DRIBBLE]
            impostor = asyncio.create_task(run(await runtime.sandbox(), *attack))
            await eventually(took_over, "it took over")
        await runtime.stop()
        [ended] = await asyncio.gather(impostor, return_exceptions=True)
        assert isinstance(ended, SandboxError)
        return undone

    assert await desk.engine._call(look()) == Undone(sorted(before), kept=False)
    assert await desk.texts(project_id) == before
    assert BEFORE_UNDOING not in [v.label for v in await desk.engine.history(project_id)]


ENDS = """
open('/app/took-over', 'w').close()
for channel, request in requests():
    match request['kind']:
        case 'exec':
            send(f.RESULT, channel, b'{"report": "exit 1"}')
        case 'get':
            send(f.RESULT, channel, b'{}')
        case 'put':
            os.kill(agent, signal.SIGKILL)
"""


async def test_an_undoing_that_ends_the_session_is_tried_again_in_the_next_sandbox_only(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """Otherwise nobody could use it."""
    project_id = await desk.build()
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime
    container = container_of(docker_client, project_id)

    def took_over() -> bool:
        return container.exec_run(["test", "-e", "/app/took-over"]).exit_code == 0

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            await runtime.ask(["sh", "-c", "echo stolen > app.js"])
            attack = ["python3", "-I", "-c", IMPOSTOR + ENDS]
            impostor = asyncio.create_task(run(await runtime.sandbox(), *attack))
            await eventually(took_over, "it took over")
        [ended] = await asyncio.gather(impostor, return_exceptions=True)
        assert isinstance(ended, SandboxError)
        return undone

    assert await desk.engine._call(look()) == Undone(left=sorted(before))
    for _ in range(2):
        await desk.engine._call(runtime.ask(["true"]))
        assert inside(docker_client, project_id, "app.js") == "stolen\n"
    await desk.engine._call(runtime.stop())
    await desk.engine._call(runtime.ask(["true"]))
    assert inside(docker_client, project_id, "app.js") == before["app.js"]


@pytest.mark.parametrize("commands", [CHANGING, [f'node -e "{FOLDERS}"']], ids=["some", "folders"])
async def test_what_a_debugging_command_changes_inside_is_undone(
    bench: Bench,
    docker_client: docker.DockerClient,  # noqa: F811
    commands: list[str],
) -> None:
    project_id = await changed_and_undone(bench, *commands)
    texts = await bench.texts(project_id)
    for path in ("index.html", "app.js", "package.json"):
        assert inside(docker_client, project_id, path) == texts[path]
    assert not is_inside(docker_client, project_id, "extra.js")


async def test_files_that_a_command_makes_inside_are_undone_and_kept(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """But not what is none of the project's: what the app, a tool or a database stored."""
    project_id = await desk.build()
    await desk.engine.create_file(project_id, ".gitignore", "data/\n")
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime
    await desk.engine._call(runtime.materialise())
    store_inside(docker_client, project_id, "stored.txt", "[1]")
    stays = ("stored.txt", "data/1.txt", ".cache/1.txt", "app.db", ".env")
    made = ("src/deep/extra.ts", *stays)

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            each = 'mkdir -p "$(dirname "$path")"; echo made > "$path"'
            script = f"for path; do {each}; done; rm app.js"
            await runtime.ask(["sh", "-c", script, "sh", *made])
        return undone

    assert await desk.engine._call(look()) == Undone(["app.js", "src/deep/extra.ts"])
    assert not is_inside(docker_client, project_id, "src")
    for path in stays:
        assert inside(docker_client, project_id, path) == "made\n"
    assert await desk.texts(project_id) == before
    [kept] = [v for v in await desk.engine.history(project_id) if v.label == BEFORE_UNDOING]
    await desk.engine.restore_file(project_id, kept.commit, "src/deep/extra.ts")
    assert (await desk.texts(project_id))["src/deep/extra.ts"] == "made\n"
    await desk.engine._call(runtime.materialise())
    assert inside(docker_client, project_id, "src/deep/extra.ts") == "made\n"


async def test_a_pipe_in_a_files_place_does_not_keep_the_rest_from_being_undone(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            await runtime.ask(["sh", "-c", "rm app.js; mkfifo app.js; echo mine > style.css"])
        return undone

    assert await desk.engine._call(look()) == Undone(["app.js", "style.css"])
    for path in ("app.js", "style.css"):
        assert inside(docker_client, project_id, path) == before[path]


async def test_what_a_command_changed_inside_is_undone_although_the_program_was_killed(
    bench: Bench,
    home: Home,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """Otherwise the next review would judge code that the project does not have."""
    await bench.engine.shutdown()
    script_app(bench.server, WRONG)
    bench.fix_with(*STUCK)
    writes = "; ".join(map(WRITES.format, ("extra.js", "index.html")))
    command = f"{writes}; setTimeout(() => {{}}, 60_000)"
    bench.server.answer(f'[run node -e "{command}"]\n', operation="debug")
    bench.server.answer("I do not know.", operation="debug")
    program = Program("build", "Count", "--template", bench.template, "--json")
    await asyncio.to_thread(program.until_state, "fixing")
    project_id = program.project_id
    await eventually(
        lambda: inside(docker_client, project_id, "index.html") == "let x;",
        "the command ran",
        seconds=60,  # after three fixes in vain
    )
    await asyncio.to_thread(program.kill)
    bench.engine = Engine(home, attended=False)
    await asyncio.to_thread(bench.engine.start)
    await bench.watch(project_id)
    await bench.engine.resume(project_id)
    await bench.engine.wait(project_id)
    assert await bench.statuses(project_id) == [(MESSAGE, "given_up")]
    await bench.engine.restart_sandbox(project_id)
    assert inside(docker_client, project_id, "index.html") == PAGE
    assert (await bench.texts(project_id))["index.html"] == PAGE
    [notice] = bench.notices("undone")
    assert "changed index.html" in notice
    assert notice.endswith("Left alone, as it may be the app's: extra.js.")
    assert is_inside(docker_client, project_id, "extra.js")
    [kept] = [v for v in await bench.engine.history(project_id) if v.label == BEFORE_UNDOING]
    await bench.engine.restore_file(project_id, kept.commit, "index.html")
    assert (await bench.texts(project_id))["index.html"] == "let x;"


async def test_what_a_command_shut_inside_is_undone(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """Or behind a link, or below so many folders that no path leads there."""
    project_id = await desk.build()
    await desk.engine.create_file(project_id, "src/deep/shut.ts", "// shut")
    await desk.engine.create_file(project_id, "pages/a/b.ts", "// behind a link")
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime
    await desk.engine._call(runtime.materialise())

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            new = "mkdir new; touch new/file.js; chmod 500 new; touch shut.js; chmod 000 shut.js"
            taken = "rm app.js; mkdir -p app.js/deep/er; chmod 000 app.js/deep app.js"
            deep = "rm style.css; mkdir -p style.css/$(yes in/ | head -1200 | tr -d '\\n')"
            moved = "mv pages moved; ln -s moved pages"
            await runtime.ask(["sh", "-c", f"{new}; {taken}; {deep}; {moved}; chmod 000 src"])
        return undone

    project = ["app.js", "pages/a/b.ts", "src/deep/shut.ts", "style.css"]
    undone = sorted([*project, "moved/a/b.ts", "new/file.js"])
    # What could not be read is no version.
    assert await desk.engine._call(look()) == Undone(undone, left=["shut.js"], kept=False)
    for path in project:
        assert inside(docker_client, project_id, path) == before[path]
    assert not is_inside(docker_client, project_id, "new")
    assert not is_inside(docker_client, project_id, "moved")


async def test_what_could_not_be_undone_inside_is_tried_once_in_each_session(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    await desk.engine.create_file(project_id, "src/held.ts", "// mine")
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime
    await desk.engine._call(runtime.materialise())

    def give(owner: int) -> int:
        """Give the folder to another user of the container; return whose it was."""
        pid = container_of(docker_client, project_id).attrs["State"]["Pid"]
        src = Path(f"/proc/{pid}/root/app/src")
        before = src.stat().st_uid
        os.chown(src, owner, -1)
        return before

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            await runtime.ask(["sh", "-c", "echo stolen > src/held.ts; rm style.css"])
            owners.append(give(0))
        return undone

    async def in_a_new_session() -> None:
        """The app's processes end, and the next use brings the sandbox back."""
        sandbox = await runtime.sandbox()
        container_of(docker_client, project_id).kill()
        await eventually(lambda: sandbox.session is None, "the end is noticed")
        await runtime.take_in()
        assert sandbox.session is None, "nothing is woken for it"
        await runtime.ask(["true"])
        await runtime.ask(["true"])

    async def look_over_an_end() -> Undone:
        async with runtime.undo.changes() as undone:
            sandbox = await runtime.sandbox()
            container_of(docker_client, project_id).kill()
            await eventually(lambda: sandbox.session is None, "the end is noticed")
        return undone

    def told() -> list[str]:
        data = [event.payload.to_data() for event in desk.of("notice")]
        return [d["message"] for d in data if d["code"] == "undone"]

    def kept() -> list[str]:
        return [v.commit for v in versions if v.label == BEFORE_UNDOING]

    owners: list[int] = []
    undone = Undone(["style.css"], left=["src/held.ts"])
    assert await desk.engine._call(look()) == undone
    assert inside(docker_client, project_id, "style.css") == before["style.css"]
    await desk.engine._call(in_a_new_session())
    assert inside(docker_client, project_id, "src/held.ts") == "stolen\n"
    versions = await desk.engine.history(project_id)
    [commit] = kept()
    await desk.until(lambda _: told())
    [notice] = told()
    assert notice.endswith("debugging. src/held.ts could not be put back.")

    # What a later command undoes is no more than what that one changed.
    assert await desk.engine._call(look_over_an_end()) == Undone()
    await desk.engine._call(runtime.ask(["true"]))
    give(owners[0])
    await desk.engine._call(runtime.take_in())
    await desk.engine._call(runtime.ask(["true"]))
    assert inside(docker_client, project_id, "src/held.ts") == "stolen\n"
    await desk.engine._call(in_a_new_session())
    assert inside(docker_client, project_id, "src/held.ts") == "// mine"
    await desk.until(lambda _: len(told()) == 3)
    assert "changed src/held.ts" in told()[-1]
    assert "could not" not in told()[-1]
    versions = await desk.engine.history(project_id)
    assert kept() == [commit]
    await desk.engine.restore_file(project_id, commit, "src/held.ts")
    assert (await desk.texts(project_id))["src/held.ts"] == "stolen\n"


class Way:
    """A way to Docker, through a port on loopback, that can be shut: for whoever goes it Docker is gone then."""

    def __init__(self, host: str) -> None:
        self._socket = host.removeprefix("unix://")
        self._writers: set[asyncio.StreamWriter] = set()
        self.shut = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            return
        answers, asks = await asyncio.open_unix_connection(self._socket)
        self._writers |= {writer, asks}
        try:
            await asyncio.gather(self._carry(reader, asks), self._carry(answers, writer))
        finally:
            asks.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    def close(self) -> None:
        self.shut = True
        for writer in self._writers:
            writer.transport.abort()


async def test_what_a_command_changed_before_docker_went_is_undone_when_it_is_back(
    desk: Desk,
    home: Home,
    docker_host: str,  # noqa: F811
    docker_client: docker.DockerClient,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way = Way(docker_host)
    async with listening(way.accept) as port:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
        await restarted(desk, home)
        project_id = await desk.build()
        before = await desk.texts(project_id)
        runtime = desk.agent(project_id).runtime

        async def look() -> None:
            async with runtime.undo.changes():
                await runtime.ask(["sh", "-c", "echo stolen > app.js"])
                here.call_soon_threadsafe(way.close)
                await eventually(lambda: runtime.lost, "its end is noticed")

        here = asyncio.get_running_loop()
        await desk.engine._call(look())
        assert inside(docker_client, project_id, "app.js") == "stolen\n"
        way.shut = False
        await desk.engine.start_preview(project_id)
        assert inside(docker_client, project_id, "app.js") == before["app.js"]
        told = await desk.until(lambda event: event.payload.to_data().get("code") == "undone")
        assert "changed app.js" in told.payload.to_data()["message"]
        await desk.engine._call(runtime.stop())


async def test_where_files_inside_cannot_be_compared_all_but_what_the_app_stored_is_the_projects_again(
    desk: Desk,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    project_id = await desk.build()
    await desk.engine.create_file(project_id, "todos.json", "[]")
    before = await desk.texts(project_id)
    runtime = desk.agent(project_id).runtime
    await desk.engine._call(runtime.materialise())
    store_inside(docker_client, project_id, "todos.json", "[1]")

    async def look() -> Undone:
        async with runtime.undo.changes() as undone:
            await runtime.ask(["sh", "-c", "echo mine > app.js; rm style.css"])
            runtime.undo.look_seconds = 0.0
        return undone

    undone = await desk.engine._call(look())
    others = sorted(before.keys() - {"todos.json"})
    assert undone == Undone(others, left=["todos.json"], kept=False, known=False)
    assert undone.what.startswith("may have changed app.js, ")
    assert inside(docker_client, project_id, "todos.json") == "[1]\n"
    for path in others:
        assert inside(docker_client, project_id, path) == before[path]

    # Without knowing what was there before, nothing is run, and nothing overwritten.
    ran = False

    async def look_again() -> None:
        nonlocal ran
        async with runtime.undo.changes():
            ran = True

    with pytest.raises(SandboxError, match="could not be told"):
        await desk.engine._call(look_again())
    assert not ran
    await asyncio.to_thread(runtime.work_folder.set_undoing_inside, True)
    await desk.engine._call(runtime.ask(["true"]))
    assert inside(docker_client, project_id, "todos.json") == "[1]\n"
    told = await desk.until(lambda event: event.payload.to_data().get("code") == "undone")
    assert "may have changed" in told.payload.to_data()["message"]
    assert await asyncio.to_thread(lambda: runtime.work_folder.undoing_inside)


async def test_a_sandbox_in_which_undoing_fails_is_not_forgotten(
    desk: Desk,
    tmp_path: Path,
    docker_client: docker.DockerClient,  # noqa: F811
) -> None:
    """Nobody could stop it any more."""
    project_id = await desk.build()
    runtime = desk.agent(project_id).runtime
    folder = await desk.folder(project_id)
    await desk.engine._call(runtime.stop())
    await asyncio.to_thread(runtime.work_folder.set_undoing_inside, True)
    # As if the disk that it lies on was not connected.
    folder.rename(tmp_path / "away")
    folder.mkdir()
    with pytest.raises(StorageError):
        await desk.engine._call(runtime.sandbox())
    assert container_of(docker_client, project_id).status == "running"
    await desk.engine._call(runtime.stop())
    assert container_of(docker_client, project_id).status == "exited"
