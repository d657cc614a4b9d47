"""Docker sandboxes to test with, on the engine that all tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engine.sandboxes.docker.hostile import cell, jail, shared_cell  # noqa: F401
from tests.support.docker_engines import (  # noqa: F401
    docker_client,
    docker_host,
    docker_image,
)
from vibedesk.engine.sandboxes.docker.connection import DockerConnection
from vibedesk.engine.sandboxes.docker.diagnosis import DockerEndpoint, find_endpoint
from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver, MakeEgress
from vibedesk.engine.sandboxes.driver import RefusedSink
from vibedesk.engine.sandboxes.egress.npm_registry import NpmRegistry
from vibedesk.engine.sandboxes.egress.proxy import Egress
from vibedesk.engine.sandboxes.egress.registries import Registries, find_registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.node import find_toolchains

ROOT = Path(__file__).parents[4]

DriverFactory = Callable[..., DockerDriver]


def endpoint_of(host: str) -> DockerEndpoint:
    return find_endpoint({"DOCKER_HOST": host})


@pytest.fixture(scope="session")
def registries() -> Registries:
    return find_registries(find_toolchains()[0].npm, os.environ)


@pytest.fixture(scope="session")
def npm_relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address, on loopback, of a relay to the person's npm registry: this process may not reach that itself."""
    program = ROOT / "tests" / "engine" / "sandboxes" / "egress" / "relay_program.py"
    with subprocess.Popen(
        [sys.executable, str(program), str(tmp_path_factory.mktemp("npm"))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.wait(timeout=30)


@pytest.fixture
def make_egress(tmp_path: Path, registries: Registries) -> MakeEgress:
    upstream = Upstream(os.environ)
    registry = NpmRegistry(tmp_path / "tarballs", registries, upstream)

    def make(rules: Callable[[], NetworkRules], on_refused: RefusedSink) -> Egress:
        return Egress(
            rules=rules,
            registries=registries,
            registry=registry,
            upstream=upstream,
            on_refused=on_refused,
        )

    return make


@pytest.fixture
async def driver_factory(
    docker_host: str,  # noqa: F811
    docker_image: str,  # noqa: F811 - it is in the engine
    tmp_path: Path,
    make_egress: MakeEgress,
) -> AsyncIterator[DriverFactory]:
    """Makes drivers of one home; what they made is removed at the end."""
    owner = f"t{uuid4().hex[:8]}"
    made: list[DockerDriver] = []

    def make(**changes: object) -> DockerDriver:
        settings: dict[str, object] = {
            "owner": owner,
            "cache": tmp_path / "cache",
            "make_egress": make_egress,
            "pool_size": 0,
        }
        host = str(changes.pop("host", docker_host))
        driver = DockerDriver(DockerConnection(endpoint_of(host)), **{**settings, **changes})  # type: ignore[arg-type]
        made.append(driver)
        return driver

    yield make
    for driver in made:
        await driver.aclose()
    last = make()
    await last.prepare()
    await last.tidy(frozenset())
    await last.remove_store()
    await last.aclose()
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


@pytest.fixture
async def driver(driver_factory: DriverFactory) -> DockerDriver:
    return driver_factory()
