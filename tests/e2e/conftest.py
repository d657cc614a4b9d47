"""What end-to-end tests share: one install of the starter's packages, one engine a module."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.studio import Studio, install_starter_packages, open_studio, serving
from tests.support.model_server import ModelServer


@pytest.fixture(scope="session")
def starter_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_starter_packages(tmp_path_factory.mktemp("starter"))


@pytest.fixture(scope="module")
def open_engine(
    starter_packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    with open_studio(tmp_path_factory.mktemp("studio"), starter_packages) as studio:
        yield studio


@pytest.fixture
def studio(open_engine: Studio) -> Iterator[Studio]:
    """The module's engine; what a test leaves running is stopped."""
    yield open_engine
    asyncio.run(open_engine.engine.stop_all())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model server for scripted answers, in this process's environment."""
    with serving(monkeypatch) as server:
        yield server
