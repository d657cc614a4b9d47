"""What a visitor does and must then see."""

import pytest
from fastapi.testclient import TestClient

from app.core import rate_limit
from app.core.database import migrate
from app.core.rate_limit import RateLimit
from app.main import app
from app.routes import accounts
from tests.conftest import sign_up


def test_the_start_page_answers(browser: TestClient) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert "Ready when you are" in page.text
    assert browser.get("/api/health").json() == {"status": "ok"}


def test_migrations_run_once(browser: TestClient) -> None:
    migrate()
    assert browser.get("/").status_code == 200


def test_notes_are_kept_for_who_wrote_them(browser: TestClient) -> None:
    sign_up(browser)
    page = browser.post("/notes", data={"text": "<b>Milk</b>"})
    assert "&lt;b&gt;Milk&lt;/b&gt;" in page.text
    browser.post("/sign-out")
    sign_up(browser, "bob@example.org", "Bob")
    assert "Milk" not in browser.get("/notes").text


def test_pages_for_members_ask_to_sign_in(browser: TestClient) -> None:
    page = browser.get("/notes")
    assert page.url.path == "/sign-in"
    assert "Please sign in first." in page.text


def test_signing_in_again(browser: TestClient) -> None:
    sign_up(browser)
    browser.post("/sign-out")
    wrong = browser.post("/sign-in", data={"email": "ada@example.org", "password": "wrong"})
    assert wrong.status_code == 422
    form = {"email": "ADA@example.org", "password": "correct horse", "next": "/notes"}
    page = browser.post("/sign-in", data=form)
    assert page.url.path == "/notes"
    assert "Welcome back, Ada." in page.text


def test_nobody_is_sent_to_another_site(browser: TestClient) -> None:
    sign_up(browser)
    for place in ("//evil.example", "https://evil.example", "/\\evil.example"):
        answer = browser.get("/sign-in", params={"next": place}, follow_redirects=False)
        assert answer.headers["location"] == "/"


def test_only_the_first_account_is_an_admin(browser: TestClient) -> None:
    sign_up(browser)
    assert "ada@example.org" in browser.get("/people").text
    browser.post("/sign-out")
    sign_up(browser, "bob@example.org", "Bob")
    refused = browser.get("/people")
    assert refused.status_code == 403
    assert "Sign out" in refused.text
    assert "Sign out" in browser.get("/nowhere").text


def test_what_is_wrong_with_a_form_is_said(browser: TestClient) -> None:
    page = browser.post("/sign-up", data={"name": "", "email": "x", "password": "short"})
    assert page.status_code == 422
    assert "Use at least 8 characters." in page.text
    # Looked at by the expression, this would take hours.
    endless = {"name": "Ada", "email": f"a@{'.' * 500_000}@", "password": "correct horse"}
    assert "Enter an e-mail address" in browser.post("/sign-up", data=endless).text
    sign_up(browser)
    browser.post("/sign-out")
    taken = {"name": "Ada", "email": "ada@example.org", "password": "correct horse"}
    assert "There is an account" in browser.post("/sign-up", data=taken).text


def test_other_sites_cannot_send_forms(browser: TestClient) -> None:
    answer = browser.post("/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_many_people_at_one_address_sign_up_and_in(browser: TestClient) -> None:
    for number in range(11):
        sign_up(browser, f"pupil{number}@example.org", "Pupil")
        browser.post("/sign-out")
        form = {"email": f"pupil{number}@example.org", "password": "correct horse"}
        assert "Welcome back" in browser.post("/sign-in", data=form).text


def test_guessing_a_password_is_stopped(browser: TestClient) -> None:
    sign_up(browser, "bob@example.org", "Bob")
    sign_up(browser)
    browser.post("/sign-out")
    form = {"email": "ada@example.org", "password": "guess"}
    answers = [browser.post("/sign-in", data=form) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert "Too many tries. Try again in 15 min." in answers[-1].text
    assert 60 < int(answers[-1].headers["retry-after"]) <= 900

    right = {"email": " ADA@example.org", "password": "correct horse"}
    assert browser.post("/sign-in", data=right).status_code == 429
    elsewhere = TestClient(app, client=("192.0.2.7", 50_000))
    assert "Welcome back, Ada." in elsewhere.post("/sign-in", data=right).text
    assert "Welcome back, Bob." in browser.post("/sign-in", data=right | {"email": "bob@example.org"}).text


def test_signing_in_forgives_what_was_mistyped_before(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_fails_at_account", RateLimit(most=2, seconds=60))
    sign_up(browser)
    for password in ("guess", "correct horse") * 2:
        page = browser.post("/sign-in", data={"email": "ada@example.org", "password": password})
    assert "Welcome back, Ada." in page.text


def test_guessing_at_many_accounts_is_stopped(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_fails_at_account", RateLimit(most=2, seconds=60))
    monkeypatch.setattr(accounts, "_fails_at_address", RateLimit(most=4, seconds=600))
    sign_up(browser)

    def status(name: str, password: str = "guess") -> int:
        form = {"email": f"{name}@example.org", "password": password}
        return browser.post("/sign-in", data=form).status_code

    # Neither what succeeds nor what is refused for one account uses up the others' tries.
    assert [status("ada", "correct horse") for _ in range(5)] == [200] * 5
    assert [status("ada") for _ in range(7)] == [422] * 2 + [429] * 5
    assert [status("bob"), status("cleo"), status("dan")] == [422, 422, 429]


def test_guessing_one_password_from_many_addresses_is_stopped(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_fails_at_account", RateLimit(most=2, seconds=60))
    monkeypatch.setattr(accounts, "_fails_anywhere", RateLimit(most=3, seconds=600))
    sign_up(browser)

    def status(address: str, password: str = "guess", name: str = "ada") -> int:
        form = {"email": f"{name}@example.org", "password": password}
        return TestClient(app, client=(address, 50_000)).post("/sign-in", data=form).status_code

    # One host has a whole /64 of IPv6; an IPv4 address may come in two ways of writing.
    assert [status("2001:db8::1"), status("2001:db8:0:0:ffff::2"), status("2001:db8::3")] == [422, 422, 429]
    assert [status("192.0.2.1", name="bob"), status("::ffff:192.0.2.1", name="bob")] == [422, 422]
    assert status("192.0.2.1", name="bob") == 429
    # Neither what succeeds nor what is refused is a guess.
    assert [status("192.0.2.2", "correct horse") for _ in range(4)] == [200] * 4
    assert [status("2001:db8:0:1::1"), status("192.0.2.3")] == [422, 429]
    assert status("192.0.2.4", "correct horse") == 429
    assert status("192.0.2.4", name="bob") == 422


def test_sign_ups_have_a_bound(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_sign_ups", RateLimit(most=1, seconds=600))
    sign_up(browser)
    form = {"name": "Bob", "email": "bob@example.org", "password": "correct horse"}
    refused = browser.post("/sign-up", data=form)
    assert refused.status_code == 429
    assert "Too many tries. Try again in 10 min." in refused.text
    assert 540 < int(refused.headers["retry-after"]) <= 600


def test_the_oldest_of_very_many_keys_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "_MOST_KEYS", 2)
    limit = RateLimit(most=1, seconds=600)
    assert [limit.count(key) for key in ("a", "b", "c")] == [0, 0, 0]
    assert limit.count("b") > 0
    assert limit.count("a") == 0


def test_a_page_that_is_not_there(browser: TestClient) -> None:
    assert "Nothing here" in browser.get("/nowhere").text
    assert browser.get("/api/nowhere").json() == {"error": "The page does not exist, or was moved."}
