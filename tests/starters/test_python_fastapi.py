"""The Python starter over HTTP: data that outlasts a table made anew, and input that is refused in words."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.starters.workshop import App, Workshop

pytestmark = pytest.mark.e2e

_USERS_ANEW = """\
CREATE TABLE users_anew (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name TEXT NOT NULL CHECK (length(name) < 200),
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('user', 'admin', 'guest')),
  created_at TEXT NOT NULL
) STRICT;
INSERT INTO users_anew SELECT * FROM users;
DROP TABLE users;
ALTER TABLE users_anew RENAME TO users;
"""
_LOST = "DELETE FROM users;\n"
_ROUTES = """

@router.get("/page/{number}")
@router.get("/api/page/{number}")
def page(number: int) -> int:
    return number
"""
_MIGRATE = "uv run --frozen python -c 'from app.core.database import migrate; migrate()'"
_ACCOUNT = {"name": "Ada", "email": "ada@example.org", "password": "correct horse"}


@pytest.fixture
def app(workshop: Workshop, request: pytest.FixtureRequest) -> App:
    app = workshop.copy("python-fastapi", f"python-fastapi-{request.node.name}")
    # The starter has no lock file; the first install makes it.
    app.run(app.of("install_command"))
    return app


def test_a_table_that_is_made_anew_takes_no_rows_of_others_with_it(app: App) -> None:
    with app.serving("preview_command") as server, server.client() as browser:
        browser.post("/sign-up", data=_ACCOUNT)
        browser.post("/notes", data={"text": "Milk"})
        session = dict(browser.cookies)

    _migration(app, "0003_guests.sql", _USERS_ANEW)
    with app.serving("preview_command") as server, server.client() as browser:
        browser.cookies.update(session)
        assert "Milk" in browser.get("/notes").text

    _migration(app, "0004_lost.sql", _LOST)
    status, output = app.attempt(_MIGRATE)
    assert status != 0
    assert "0004_lost.sql: rows of " in output
    (app.folder / "app" / "migrations" / "0004_lost.sql").unlink()
    app.run(_MIGRATE)


def test_input_that_does_not_fit_is_refused_in_words(app: App) -> None:
    home = app.folder / "app" / "routes" / "home.py"
    home.write_text(home.read_text("utf-8") + _ROUTES, "utf-8")
    with app.serving("preview_command") as server, server.client() as browser:
        page = browser.get("/page/one")
        answer = browser.get("/api/page/one")

    assert page.status_code == answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    words = "Missing, or not in the right form: number."
    assert words in page.text
    assert "<h1" in page.text
    assert answer.json() == {"error": words}


def _migration(app: App, name: str, sql: str) -> None:
    (app.folder / "app" / "migrations" / name).write_text(sql, "utf-8")
