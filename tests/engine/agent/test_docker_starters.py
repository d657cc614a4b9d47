"""What a starter needs besides packages, in a Docker sandbox that is lost."""

from __future__ import annotations

from pathlib import Path

import docker

from tests.engine.agent.conftest import Desk
from tests.engine.agent.test_docker_projects import (  # noqa: F401
    container_of,
    desk,
    restarted,
)
from tests.engine.agent.test_starters import SEED, begin, variant
from tests.support.docker_engines import docker_client, docker_host, docker_image  # noqa: F401
from vibedesk.base.paths import Home


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
