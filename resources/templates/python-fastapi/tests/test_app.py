"""What a visitor does and must then see."""

from fastapi.testclient import TestClient

from app.core.database import migrate
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
    sign_up(browser)
    browser.post("/sign-out")
    taken = {"name": "Ada", "email": "ada@example.org", "password": "correct horse"}
    assert "There is an account" in browser.post("/sign-up", data=taken).text


def test_other_sites_cannot_send_forms(browser: TestClient) -> None:
    answer = browser.post("/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_guessing_passwords_is_slowed_down(browser: TestClient) -> None:
    form = {"email": "ada@example.org", "password": "guess"}
    pages = [browser.post("/sign-in", data=form).text for _ in range(11)]
    assert "Too many tries" in pages[-1]
    assert "Too many tries" not in pages[-2]


def test_a_page_that_is_not_there(browser: TestClient) -> None:
    assert "Nothing here" in browser.get("/nowhere").text
    assert browser.get("/api/nowhere").json() == {"error": "The page does not exist, or was moved."}
