"""The Node API starter over HTTP: checked input, data that lasts, and a port that stays open while the server changes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.starters.workshop import App, Workshop

pytestmark = pytest.mark.e2e


@pytest.fixture
def app(workshop: Workshop, request: pytest.FixtureRequest) -> App:
    return workshop.copy("node-api", f"node-api-{request.node.name}")


def test_entries_are_checked_kept_and_removed(app: App) -> None:
    text = "'); DROP TABLE entries;--"
    with app.serving("dev_command") as server, server.client() as browser:
        entry = browser.post("/api/entries", json={"text": text})
        refused = browser.post("/api/entries", json={"text": " "})
        no_json = browser.post("/api/entries", content=b"{")
        form = browser.post("/api/entries", data={"text": "a"}, headers={"Origin": "http://a.b"})
        too_large = browser.post("/api/entries", json={"text": "a" * 1_100_000})
        gone = browser.delete("/api/entries/' OR '1'='1")

    with app.serving("preview_command") as server, server.client() as browser:
        assert _texts(browser) == [text]
        removed = browser.delete(f"/api/entries/{entry.json()['id']}")
        assert _texts(browser) == []

    assert entry.status_code == HTTPStatus.CREATED
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "text" in refused.json()["error"]["fields"]
    assert no_json.status_code == HTTPStatus.BAD_REQUEST
    assert form.status_code == HTTPStatus.FORBIDDEN
    assert too_large.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert gone.status_code == HTTPStatus.NOT_FOUND
    assert removed.status_code == HTTPStatus.NO_CONTENT


def test_the_page_gets_javascript_and_nothing_but_its_own_files(app: App) -> None:
    with app.serving("dev_command") as server, server.client() as browser:
        script = browser.get("/api.ts")
        assert script.headers["content-type"].startswith("text/javascript")
        assert "import type" not in script.text
        assert ": number" not in script.text
        for path in (
            "/..%2fpackage.json",
            "/shared/..%2f..%2fpackage.json",
            "/data/app.db",
            "/%00",
        ):
            assert browser.get(path).status_code == HTTPStatus.NOT_FOUND, path


def test_the_port_answers_while_the_server_changes(app: App) -> None:
    source = app.folder / "src" / "app.ts"
    original = source.read_text("utf-8")
    with app.serving("dev_command") as server, server.client() as browser:
        statuses: set[int] = set()

        def answer(path: str) -> httpx.Response:
            # A connection that is kept may be closed by the server that ends just as it is used again.
            found = browser.get(path, headers={"Connection": "close"})
            statuses.add(found.status_code)
            return found

        server.change(source, original.replace("entries: counted?.entries ?? 0", "entries: 99"))
        server.until(lambda: answer("/api/status").json()["entries"] == 99)
        assert statuses == {HTTPStatus.OK}

        server.change(source, original + "\nthrow new Error('out of <order>')\n")
        server.until(lambda: "out of &#60;order&#62;" in answer("/").text)
        assert statuses == {HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR}
        assert "[app-error]" in server.output

        new = app.folder / "src" / "lib"
        new.mkdir()
        server.change(new / "number.ts", "export const number: number = 7\n")
        server.change(
            source,
            "import { number } from './lib/number.ts'\n"
            + original.replace("entries: counted?.entries ?? 0", "entries: number"),
        )
        server.until(lambda: _entries(answer("/api/status")) == 7)
        server.change(new / "number.ts", "export const number: number = 8\n")
        server.until(lambda: _entries(answer("/api/status")) == 8)


def _entries(answer: httpx.Response) -> Any:
    return answer.json()["entries"] if answer.status_code == HTTPStatus.OK else None


def _texts(browser: httpx.Client) -> list[str]:
    return [entry["text"] for entry in browser.get("/api/entries").json()]
