"""The full-stack starter over HTTP: accounts, sessions, roles, data that lasts, and server code that changes while it runs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from http import HTTPStatus
from itertools import count
from typing import Any

import httpx
import pytest

from tests.starters.workshop import App, Server, Workshop
from vibedesk.engine.review.uncaught import uncaught_errors

pytestmark = pytest.mark.e2e

_PASSWORD = "correct horse"
_number = count(1)
_PRIVATE = ("data/app.db", "data/app.db?raw", "server/app.ts", "server/app.ts?import&url")


@pytest.fixture(scope="module")
def app(workshop: Workshop) -> App:
    return workshop.copy("react-fullstack", "fullstack-accounts")


@pytest.fixture(scope="module")
def built(workshop: Workshop) -> App:
    app = workshop.copy("react-fullstack", "fullstack-built")
    app.run(app.of("build_command"))
    return app


@pytest.fixture(scope="module")
def server(app: App) -> Iterator[Server]:
    with app.serving("dev_command") as server:
        yield server


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    """Whoever signed up first."""
    with server.client() as browser:
        assert _sign_up(browser)["role"] == "admin"
        yield browser


@pytest.fixture
def person(server: Server, admin: httpx.Client) -> Iterator[httpx.Client]:
    """Someone who has signed up, and is no admin."""
    with server.client() as browser:
        assert _sign_up(browser)["role"] == "user"
        yield browser


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    with server.client() as browser:
        yield browser


def test_signing_up_starts_a_session_in_a_cookie_that_scripts_cannot_read(
    app: App, stranger: httpx.Client, admin: httpx.Client
) -> None:
    answer = stranger.post("/api/sign-up", json=_account(email=" Grace@Example.com "))

    assert answer.json()["user"]["email"] == "grace@example.com"
    name, _, rest = answer.headers["set-cookie"].partition("=")
    token, *flags = rest.split("; ")
    assert name.startswith("session_")
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"} <= set(flags)
    assert _user(stranger)["email"] == "grace@example.com"
    kept = str(_rows(app, "SELECT * FROM sessions") + _rows(app, "SELECT * FROM users"))
    assert token not in kept
    assert _PASSWORD not in kept


def test_the_same_password_is_stored_in_two_ways(app: App, person: httpx.Client) -> None:
    hashes = [row[0] for row in _rows(app, "SELECT password_hash FROM users")]

    assert len(hashes) >= 2
    assert len(set(hashes)) == len(hashes)


def test_an_address_has_one_account(person: httpx.Client, stranger: httpx.Client) -> None:
    answer = stranger.post("/api/sign-up", json=_account(email=_user(person)["email"].upper()))

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "email" in answer.json()["error"]["fields"]
    assert _user(stranger) is None


def test_signing_out_ends_the_session_itself(person: httpx.Client, server: Server) -> None:
    cookies = dict(person.cookies)

    assert person.post("/api/sign-out").status_code == HTTPStatus.OK

    assert not person.cookies
    with server.client() as thief:
        thief.cookies.update(cookies)
        assert _user(thief) is None
        assert thief.get("/api/notes").status_code == HTTPStatus.UNAUTHORIZED


def test_signing_in_again_finds_what_was_written(
    person: httpx.Client, stranger: httpx.Client
) -> None:
    person.post("/api/notes", json={"text": "Water the plants"})
    email = _user(person)["email"]

    answer = stranger.post("/api/sign-in", json={"email": email, "password": _PASSWORD})

    assert answer.status_code == HTTPStatus.OK
    assert "password_hash" not in answer.text
    assert [note["text"] for note in _notes(stranger)] == ["Water the plants"]


def test_wrong_password_and_unknown_address_read_the_same(
    person: httpx.Client, stranger: httpx.Client
) -> None:
    email = _user(person)["email"]

    wrong = stranger.post("/api/sign-in", json={"email": email, "password": "battery staple"})
    unknown = stranger.post(
        "/api/sign-in", json={"email": f"un{email}", "password": "battery staple"}
    )

    assert wrong.status_code == unknown.status_code == HTTPStatus.UNAUTHORIZED
    assert wrong.json() == unknown.json()
    assert not stranger.cookies


def test_guessing_a_password_is_slowed_down(person: httpx.Client, stranger: httpx.Client) -> None:
    account = {"email": _user(person)["email"], "password": "guess"}

    tries = [stranger.post("/api/sign-in", json=account) for _ in range(9)]

    statuses = [answer.status_code for answer in tries]
    assert statuses == [HTTPStatus.UNAUTHORIZED] * 8 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert 0 < int(tries[-1].headers["retry-after"]) <= 15 * 60
    right = stranger.post("/api/sign-in", json={**account, "password": _PASSWORD})
    assert right.status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_many_people_behind_one_address_sign_in_and_guessing_is_stopped(workshop: Workshop) -> None:
    app = workshop.copy("react-fullstack", "fullstack-addresses")
    routes = app.folder / "server" / "routes" / "accounts.ts"
    text = routes.read_text("utf-8")
    bounds = {"perAccount": "2", "perAddress": "4", "perAccountAnywhere": "3"}
    limit = r"(const (per\w+) = new RateLimit\()\d+"
    fewer, changed = re.subn(limit, lambda m: m[1] + bounds[m[2]], text)
    assert changed == len(bounds)
    routes.write_text(fewer, "utf-8")
    app.run(app.of("build_command"))
    # Behind a proxy people have the addresses that it tells.
    site = {"PUBLIC_ORIGIN": "https://app.example"}
    proxied = replace(app, environment={**app.environment, **site})
    with proxied.serving("preview_command") as server, server.client() as browser:
        browser.headers["Origin"] = site["PUBLIC_ORIGIN"]

        def send(path: str, account: dict[str, str], address: str) -> httpx.Response:
            return browser.post(path, json=account, headers={"X-Forwarded-For": address})

        def tries(account: dict[str, str], address: str = "school", times: int = 1) -> list[int]:
            answers = [send("/api/sign-in", account, address) for _ in range(times)]
            return [answer.status_code for answer in answers]

        ada, bob, *others = (_account() for _ in range(6))
        signed_up = [send("/api/sign-up", who, "school") for who in (ada, bob, *others)]
        assert [answer.status_code for answer in signed_up] == [200] * 6
        assert [status for who in (ada, bob, *others) for status in tries(who)] == [200] * 6

        guess = {**ada, "password": "guess"}
        assert tries(guess, times=7) == [401, 401, 429, 429, 429, 429, 429]
        assert tries(ada) == [429]
        assert tries(ada, address="home") == [200]
        assert tries(bob, times=3) == [200] * 3

        # What was refused is no further guess of this address; two it may still make.
        for who, status in zip(others[:3], (401, 401, 429), strict=True):
            assert tries({**who, "password": "guess"}) == [status]
        refused = send("/api/sign-in", bob, "school")
        assert refused.json()["error"]["code"] == "too_many_tries"
        assert 60 < int(refused.headers["retry-after"]) <= 15 * 60
        assert tries(bob, address="home") == [200]

        # Of a rush some may have to wait for a moment; nobody failed.
        people = (ada, bob, *others)
        with ThreadPoolExecutor(24) as pool:
            rush = list(pool.map(lambda who: send("/api/sign-in", who, "class"), people * 4))
        assert {answer.status_code for answer in rush} <= {200, 429}
        waits = {int(answer.headers.get("retry-after", "0")) for answer in rush}
        assert max(waits) <= 10
        assert [status for who in people for status in tries(who, "class")] == [200] * 6

        # One host has a whole /64 of IPv6; an IPv4 address may come in two ways of writing.
        wrong = [{**who, "password": "guess"} for who in (bob, others[3])]
        networks = ("2001:db8:0:0:1::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")
        assert [tries(wrong[0], at) for at in networks] == [[401], [401], [429], [401]]
        written = ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2")
        assert [tries(wrong[1], at) for at in written] == [[401], [401], [429], [401]]

        # From however many addresses one account is guessed at.
        assert tries(guess, "192.0.2.3") == [401]
        assert tries(guess, "192.0.2.4") == tries(ada, "192.0.2.5") == [429]


def test_a_session_ends_with_its_time(app: App, person: httpx.Client) -> None:
    with closing(_database(app)) as database, database:
        database.execute(
            "UPDATE sessions SET expires_at = '2020-01-01T00:00:00.000Z' WHERE user_id = ?",
            [_user(person)["id"]],
        )

    assert person.get("/api/notes").status_code == HTTPStatus.UNAUTHORIZED


def test_a_new_password_ends_the_other_sessions(
    person: httpx.Client, stranger: httpx.Client
) -> None:
    email = _user(person)["email"]
    stranger.post("/api/sign-in", json={"email": email, "password": _PASSWORD})

    wrong = person.post("/api/account/password", json={"current": "no", "password": "new horse"})
    right = person.post(
        "/api/account/password", json={"current": _PASSWORD, "password": "new horse"}
    )

    assert "current" in wrong.json()["error"]["fields"]
    assert right.status_code == HTTPStatus.OK
    assert _user(person)["email"] == email
    assert _user(stranger) is None


def test_notes_are_for_who_is_signed_in_and_only_their_own(
    person: httpx.Client, admin: httpx.Client, stranger: httpx.Client
) -> None:
    note = person.post("/api/notes", json={"text": "Mine"}).json()["note"]

    assert stranger.get("/api/notes").status_code == HTTPStatus.UNAUTHORIZED
    assert note not in _notes(admin)
    assert admin.delete(f"/api/notes/{note['id']}").status_code == HTTPStatus.NOT_FOUND
    assert person.delete(f"/api/notes/{note['id']}").status_code == HTTPStatus.OK
    assert _notes(person) == []


def test_only_admins_see_people_and_change_roles(person: httpx.Client, admin: httpx.Client) -> None:
    me = _user(person)
    role = {"role": "admin"}

    assert person.get("/api/users").status_code == HTTPStatus.FORBIDDEN
    assert person.patch(f"/api/users/{me['id']}", json=role).status_code == HTTPStatus.FORBIDDEN
    assert admin.patch(f"/api/users/{me['id']}", json=role).status_code == HTTPStatus.OK

    assert me["id"] in {user["id"] for user in person.get("/api/users").json()["users"]}


@pytest.mark.parametrize("text", ["'); DROP TABLE notes;--", '" OR 1=1 --', "<b>&amp;\u2028 ü 🌱"])
def test_what_people_type_is_never_read_as_sql(person: httpx.Client, text: str) -> None:
    person.post("/api/notes", json={"text": text})

    assert [note["text"] for note in _notes(person)] == [text]
    assert person.delete("/api/notes/' OR '1'='1").status_code == HTTPStatus.NOT_FOUND
    answer = person.post("/api/sign-in", json={"email": "' OR 1=1 --", "password": text})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {}}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({"json": {"text": "  "}}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({"json": {"text": ["a"]}}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({"json": {"text": "a" * 2001}}, HTTPStatus.UNPROCESSABLE_ENTITY),
        (
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            HTTPStatus.BAD_REQUEST,
        ),
        ({"data": {"text": "a"}}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        ({"json": {"text": "a" * 1_100_000}}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    person: httpx.Client, sent: dict[str, Any], status: int
) -> None:
    answer = person.post("/api/notes", **sent)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert _notes(person) == []


def test_another_site_cannot_act_for_a_person(person: httpx.Client) -> None:
    elsewhere = {"Origin": "http://127.0.0.1:1"}

    refused = person.post("/api/notes", json={"text": "Not me"}, headers=elsewhere)

    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert _notes(person) == []
    read = person.get("/api/notes", headers=elsewhere)
    assert "access-control-allow-origin" not in read.headers


def test_data_and_server_code_are_not_handed_out(app: App, server: Server) -> None:
    with server.client() as browser:
        browser.get("/api/session")  # the server has made its database
    places = [f"/{path}" for path in _PRIVATE] + [f"/@fs{app.folder}/{path}" for path in _PRIVATE]

    assert {place: server.status(place) for place in places} == dict.fromkeys(places, 403)


def test_an_unknown_endpoint_is_told_in_json(stranger: httpx.Client) -> None:
    assert stranger.get("/api/nothing").json()["error"]["code"] == "not_found"
    assert stranger.put("/api/notes").headers["allow"] == "GET, POST"
    assert stranger.get("/api/%E0%A4%A").status_code == HTTPStatus.BAD_REQUEST


def test_data_and_session_outlast_a_restart_also_as_built(built: App) -> None:
    with built.serving("dev_command") as server, server.client() as browser:
        _sign_up(browser)
        browser.post("/api/notes", json={"text": "Still here"})
        cookies = dict(browser.cookies)
    ran = _rows(built, "SELECT * FROM schema_migrations")

    for command in ("dev_command", "preview_command"):
        with built.serving(command) as server, server.client() as browser:
            browser.cookies.update(cookies)
            assert [note["text"] for note in _notes(browser)] == ["Still here"]

    assert [row[0] for row in ran] == ["0001_accounts.sql", "0002_notes.sql"]
    assert _rows(built, "SELECT * FROM schema_migrations") == ran


def test_the_built_app_serves_its_own_files_only(built: App) -> None:
    with built.serving("preview_command") as server, server.client() as browser:
        start = browser.get("/")
        assert browser.get("/notes").text == start.text
        assert browser.get("/assets/gone.js").status_code == HTTPStatus.NOT_FOUND
        for path in ("/%2e%2e/server/main.js", "/..%2f..%2fpackage.json", "/%00"):
            answer = browser.get(path)
            assert answer.status_code == HTTPStatus.NOT_FOUND or answer.text == start.text
        assert browser.get("/api/notes").status_code == HTTPStatus.UNAUTHORIZED


def test_server_code_changes_while_the_process_runs(workshop: Workshop) -> None:
    app = workshop.copy("react-fullstack", "fullstack-changes")
    routes = app.folder / "server" / "routes" / "accounts.ts"
    original = routes.read_text("utf-8")
    with app.serving("dev_command") as server, server.client() as browser:
        _sign_up(browser)
        before = server.members()

        server.change(routes, original.replace("=> ({ user })", "=> ({ user, version: 2 })"))
        server.until(lambda: browser.get("/api/session").json().get("version") == 2)

        server.change(routes, original + "\nconst broken = (\n")
        server.until(lambda: browser.get("/api/session").status_code == 500)
        server.until(lambda: "[app-error] The server code cannot be loaded" in server.output)

        server.change(routes, original)
        server.until(lambda: browser.get("/api/session").status_code == 200)
        assert _user(browser)["role"] == "admin"
        assert set(before) <= set(server.members())


def test_an_error_of_a_route_is_logged_with_its_place(workshop: Workshop) -> None:
    app = workshop.copy("react-fullstack", "fullstack-errors")
    routes = app.folder / "server" / "routes" / "accounts.ts"
    wrong = routes.read_text("utf-8").replace(
        "=> ({ user })", "=> {\n      throw new Error(`not ${user}`)\n    }"
    )
    routes.write_text(wrong, "utf-8")
    line = wrong[: wrong.index("throw new Error(`not")].count("\n") + 1
    with app.serving("dev_command") as server, server.client() as browser:
        assert browser.get("/api/session").status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        server.until(lambda: "Error: not null" in server.output)
        assert f"server/routes/accounts.ts:{line}:" in server.output


def test_what_nothing_catches_is_told_with_its_place(workshop: Workshop) -> None:
    app = workshop.copy("react-fullstack", "fullstack-uncaught")
    routes = app.folder / "server" / "routes" / "accounts.ts"
    wrong = routes.read_text("utf-8").replace(
        "=> ({ user })",
        "=> {\n      setTimeout(() => {\n        throw new Error('too late')\n      })\n      return { user }\n    }",
    )
    routes.write_text(wrong, "utf-8")
    line = wrong[: wrong.index("throw new Error('too late')")].count("\n") + 1
    with app.serving("dev_command") as server, server.client() as browser:
        assert browser.get("/api/session").status_code == HTTPStatus.OK
        server.process.wait(20)
        [issue] = uncaught_errors(server.output, str(app.folder))
    assert issue.message == "Error: too late"
    assert issue.place.startswith(f"server/routes/accounts.ts:{line}:")


def test_migrations_run_while_the_process_runs_and_are_not_rewritten(workshop: Workshop) -> None:
    app = workshop.copy("react-fullstack", "fullstack-migrations")
    third = app.folder / "server" / "migrations" / "0003_tags.sql"
    with app.serving("dev_command") as server, server.client() as browser:

        def tables() -> set[str]:
            browser.get("/api/session")
            return {row[0] for row in _rows(app, "SELECT name FROM sqlite_master")}

        def problem() -> str:
            return str(browser.get("/api/session").json().get("error", {}).get("message", ""))

        half = "CREATE TABLE half (id TEXT);\nCREATE TABLE tags (id TEX T NOT;\n"
        # Vite's watcher tells nothing of what came before it was ready.
        server.until(lambda: "0003_tags.sql failed" in problem() or server.change(third, half))
        assert "half" not in tables()

        good = "CREATE TABLE tags (id TEXT PRIMARY KEY) STRICT;\n"
        server.change(third, good)
        server.until(lambda: "tags" in tables())
        assert problem() == ""

        server.change(third, "CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT) STRICT;\n")
        server.until(lambda: "was changed after it had run" in problem())
        assert good in problem()

        server.change(third, f"-- what notes are about\n{good}")
        server.until(lambda: problem() == "")


def _account(**more: str) -> dict[str, str]:
    email = f"person{next(_number)}@example.com"
    return {"name": "Person", "email": email, "password": _PASSWORD, **more}


def _sign_up(browser: httpx.Client) -> dict[str, Any]:
    answer = browser.post("/api/sign-up", json=_account())
    assert answer.status_code == HTTPStatus.OK, answer.text
    user: dict[str, Any] = answer.json()["user"]
    return user


def _user(browser: httpx.Client) -> Any:
    return browser.get("/api/session").json()["user"]


def _notes(browser: httpx.Client) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = browser.get("/api/notes").json()["notes"]
    return notes


def _database(app: App) -> sqlite3.Connection:
    return sqlite3.connect(app.folder / "data" / "app.db", timeout=10)


def _rows(app: App, query: str) -> list[tuple[Any, ...]]:
    with closing(_database(app)) as database:
        return database.execute(query).fetchall()
