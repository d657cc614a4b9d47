"""One project with the React starter's packages, and one language service, for all tests of repair."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.starter_packages import starter_with_packages
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.sandboxes.driver import Sandbox, SandboxSpec
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import pick_port


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starter_with_packages("react-vite", tmp_path_factory.mktemp("repair") / "app")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox(
    starter: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sandbox]:
    driver = LocalDriver(tmp_path_factory.mktemp("state"))
    spec = SandboxSpec(project_id="repair", folder=starter, port=pick_port())
    yield await driver.open(spec, on_line=lambda _line: None, on_status=lambda *_: None)
    await driver.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_service(sandbox: Sandbox) -> AsyncIterator[LanguageService]:
    service = LanguageService(sandbox)
    yield service
    await service.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def service(shared_service: LanguageService) -> AsyncIterator[LanguageService]:
    yield shared_service
    await shared_service.forget()
