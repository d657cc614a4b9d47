"""A home with one project in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vibedesk.base.clock import utc_now
from vibedesk.base.paths import Home
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import ProjectRow


def add_project(database: Database, project_id: str, folder: Path) -> str:
    """Insert a bare project and return its id."""
    now = utc_now()
    database.call(
        lambda: ProjectRow.insert(
            id=project_id, name=project_id, folder=str(folder), created_at=now, updated_at=now
        ).execute()
    )
    return project_id


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(root=tmp_path / "home", projects=tmp_path / "projects")


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    database = Database.open(home, write=True)
    yield database
    database.close()


@pytest.fixture
def new_project(database: Database, home: Home) -> Callable[[str], str]:
    return lambda name: add_project(database, name, home.projects / name)


@pytest.fixture
def project_id(database: Database, home: Home) -> str:
    return add_project(database, "P1", home.projects / "p1")


@pytest.fixture
def files(database: Database, project_id: str) -> ProjectFiles:
    return ProjectFiles(database, project_id)
