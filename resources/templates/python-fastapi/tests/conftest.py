"""A browser for each test, on a database of its own, from a network address of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import app


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Open the app with an empty database."""
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "test.db"))
    # Tries are counted by address, and the app's counts outlast a test.
    with TestClient(app, client=(tmp_path.name, 50_000)) as client:
        yield client


def sign_up(browser: TestClient, email: str = "ada@example.org", name: str = "Ada") -> None:
    """Make an account and stay signed in."""
    form = {"name": name, "email": email, "password": "correct horse"}
    assert browser.post("/sign-up", data=form).status_code == 200
