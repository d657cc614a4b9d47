"""What comes with a starter's packages, and what it needs besides them in a Docker sandbox that is lost."""

from __future__ import annotations

import json
from pathlib import Path

import docker
import pytest

from tests.engine.agent.conftest import Desk
from tests.engine.agent.test_docker_projects import (  # noqa: F401
    container_of,
    desk,
    restarted,
)
from tests.engine.agent.test_starters import SEED, begin, choose, make_ready, variant
from tests.support.docker_engines import docker_client, docker_host, docker_image  # noqa: F401
from tests.support.tiny_python_index import tiny_index
from vibedesk.base.paths import Home

PYTHON = {
    "description": "A page served by Python. For tests.",
    "language": "python",
    "install_command": "uv sync",
    "dev_command": "uv run --frozen python -m http.server --bind {host} {port}",
    "build_command": "",
}
PYPROJECT = '[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = ["{}"]\n'


def python_starter(folder: Path, package: str) -> Path:
    folder.mkdir()
    described = json.dumps({**PYTHON, "name": folder.name})
    texts = {
        "template.json": described,
        "pyproject.toml": PYPROJECT.format(package),
        "index.html": "<h1>",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def inside(client: docker.DockerClient, project_id: str, path: str) -> str:
    done = container_of(client, project_id).exec_run(["cat", f"/app/{path}"])
    return str(done.output.decode())


async def test_a_lost_sandbox_is_set_up_again_in_order(
    desk: Desk,  # noqa: F811
    home: Home,
    docker_client: docker.DockerClient,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = variant(tmp_path / "seeded", "seeded", setup_commands=[SEED])
    project_id = await begin(desk, template=str(folder))
    await desk.engine.generate(project_id)
    await desk.engine.wait(project_id)
    assert await desk.state(project_id) == "complete"
    assert inside(docker_client, project_id, "seeds.txt") == "seed\n"
    services = desk.services
    later = "sh -c 'echo later >> seeds.txt'"
    await services.database.run(lambda: services.store.add_command(project_id, later, 0))
    owner = await desk.engine.setting("sandbox.home_id", "")

    again = await restarted(desk, home)
    await again.engine.start_preview(project_id)
    assert inside(docker_client, project_id, "seeds.txt") == "seed\n"

    await again.engine.stop_sandbox(project_id)
    mine = {"label": f"dev.vibedesk.home={owner}"}
    for container in docker_client.containers.list(all=True, filters=mine):
        container.remove(force=True)
    for volume in docker_client.volumes.list(filters=mine):
        volume.remove(force=True)
    third = await restarted(again, home)
    await third.engine.start_preview(project_id)
    assert inside(docker_client, project_id, "seeds.txt") == "seed\nlater\n"
    assert (await third.engine.project(project_id)).files
    recorded = await third.services.database.run(lambda: third.services.store.commands(project_id))
    assert sum("seeds.txt" in command for command in recorded) == 2


async def test_the_lock_file_of_packages_that_were_ready_becomes_the_projects(
    desk: Desk,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = python_starter(tmp_path / "python", "alpha")
    with tiny_index("127.0.0.2") as index:
        index.publish("alpha", "1.0")
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.address)
        monkeypatch.setenv("no_proxy", f"{index.host},127.0.0.1")
        locks = []
        for newest in ("1.1", "1.2"):
            project_id = await begin(desk, template=str(folder))
            await desk.engine.start_preview(project_id)
            locks.append(await desk.engine.read_file(project_id, "uv.lock"))
            index.publish("alpha", newest)
        assert locks[0] == locks[1]
        assert 'version = "1.0"' in locks[0]
        assert desk.of("command_started") == [], "nothing had to be installed"

        await desk.engine.rebuild_sandbox(project_id)
        assert await desk.engine.read_file(project_id, "uv.lock") == locks[0]
        assert (await desk.folder(project_id) / "uv.lock").read_text() == locks[0]


async def test_another_starter_has_its_own_packages(
    desk: Desk,  # noqa: F811
    docker_client: docker.DockerClient,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not those that are kept ready for the first one's manifest."""
    with tiny_index("127.0.0.2") as index:
        for package in ("alpha", "beta"):
            index.publish(package, "1.0")
            await desk.engine.add_template(str(python_starter(tmp_path / package, package)))
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.address)
        monkeypatch.setenv("no_proxy", f"{index.host},127.0.0.1")
        project_id = await begin(desk)
        for package in ("alpha", "beta"):
            await choose(desk, project_id, package)
            await make_ready(desk, project_id)
            found = container_of(docker_client, project_id).exec_run(
                ["sh", "-c", "ls /app/.venv/lib/python*/site-packages"]
            )
            assert f"{package}-1.0.dist-info" in found.output.decode()
