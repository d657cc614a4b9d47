"""The checker itself, against small pages: what holds passes, what does not is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.e2e.checker import CheckResult, run_checks

pytestmark = pytest.mark.e2e

_PAGE = """<!doctype html><html lang="en"><head><title>Little shop</title><link rel="icon" href="data:,">
<style>.hidden { display: none } #a, #b { width: 120px; height: 80px; background: #ddd; margin: 8px }</style></head>
<body><h1>Shop   of
  things</h1><p class="hidden">secret</p><ul><li>One</li><li>Two</li></ul>
<input aria-label="Name"><input type="file" style="display: none"><select aria-label="Size"><option value="s">Small</option><option value="l">Large</option></select>
<button id="add">Add</button><button id="ask">Ask</button><a download="list.csv" href="data:text/csv,name;price">Save</a>
<div id="a">A</div><div id="b">B</div><p id="out"></p>
<script>
const out = document.querySelector('#out')
document.querySelector('#add').onclick = () => setTimeout(() => {
  document.querySelector('ul').insertAdjacentHTML('beforeend', '<li>Three</li>') }, 300)
document.querySelector('#ask').onclick = () => { if (confirm('Sure?')) out.textContent = 'agreed' }
document.querySelector('input').onkeydown = (e) => { if (e.key === 'Enter') { location.hash = 'sent'; out.textContent = 'sent ' + e.target.value } }
document.querySelector('[type=file]').onchange = async (e) => {
  const file = e.target.files[0]
  out.textContent = file.name + ': ' + await file.text()
}
document.querySelector('select').onchange = (e) => { out.textContent = 'size ' + e.target.value }
let held = null
document.querySelector('#a').onmousedown = () => { held = 'A' }
document.querySelector('#b').onmouseup = () => { out.textContent = held + ' dropped on B' }
</script></body></html>"""

Serve = Callable[[str], str]


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, _format: str, *args: Any) -> None:
        """Keep requests out of the tests' output."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()

    def put(page: str) -> str:
        (folder / "index.html").write_text(page, encoding="utf-8")
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield put
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def check(serve: Serve, tmp_path: Path) -> Callable[..., CheckResult]:
    def run(*steps: dict[str, Any], page: str = _PAGE) -> CheckResult:
        expected = tmp_path / "expected.json"
        expected.write_text(
            json.dumps({"checks": [{"do": "goto", "path": "/"}, *steps]}), encoding="utf-8"
        )
        return run_checks(serve(page), expected)

    return run


def test_every_kind_of_step_holds_on_a_page_that_does_it(
    check: Callable[..., CheckResult], tmp_path: Path
) -> None:
    result = check(
        {"check": "shows the shop", "do": "expectText", "selector": "h1", "text": "shop of things"},
        {"do": "expectTitle", "text": "Little"},
        {"do": "expectNoText", "selector": "p", "text": "secret"},
        {"do": "expectCount", "selector": "li", "count": 2},
        {"do": "click", "selector": "button", "text": "add"},
        {"check": "adds a thing", "do": "expectCount", "selector": "li", "count": 3},
        {"do": "fill", "selector": "input", "value": "Ada"},
        {"do": "expectValue", "selector": "input", "value": "Ada"},
        {"do": "press", "selector": "input", "key": "Enter"},
        {"do": "expectText", "selector": "#out", "text": "sent Ada"},
        {"do": "expectUrl", "text": "#sent"},
        {"do": "select", "selector": "select", "value": "l"},
        {"do": "expectText", "selector": "#out", "text": "size l"},
        {"do": "attach", "selector": "[type='file']", "filename": "a.csv", "content": "x;y"},
        {"do": "expectText", "selector": "#out", "text": "a.csv: x;y"},
        {"do": "drag", "from": {"selector": "#a"}, "to": {"selector": "#b"}},
        {"do": "expectText", "selector": "#out", "text": "A dropped on B"},
        {
            "do": "expectDownload",
            "selector": "a",
            "text": "Save",
            "filename": "list.csv",
            "contains": ["name", "price"],
        },
        {"do": "click", "selector": "#ask"},
        {"do": "expectText", "selector": "#out", "text": "agreed"},
        {"do": "press", "key": "Tab"},
        {"do": "wait", "ms": 10},
        {"do": "reload"},
        {"check": "forgets it", "do": "expectCount", "selector": "li", "text": "three", "count": 0},
    )
    assert result.ok, str(result)
    assert result.milestones == ["shows the shop", "adds a thing", "forgets it"]


def test_the_step_that_fails_is_named_with_what_was_there(
    check: Callable[..., CheckResult],
) -> None:
    result = check(
        {"check": "lists things", "do": "expectCount", "selector": "li", "count": 5},
        {"check": "never reached", "do": "reload"},
    )
    assert not result.ok
    assert result.failed is not None
    assert result.failed["index"] == 1
    assert result.failed["milestone"] == "lists things"
    assert result.failed["reason"] == "expected 5 of li, found 2"


def test_a_download_with_other_content_fails(check: Callable[..., CheckResult]) -> None:
    result = check(
        {"do": "expectDownload", "selector": "a", "filename": "list.csv", "contains": "weight"}
    )
    assert result.failed is not None
    assert 'lacks "weight"' in result.failed["reason"]


@pytest.mark.parametrize(
    ("script", "kind"),
    [("console.error('broken')", "console"), ("throw new Error('broken')", "exception")],
)
def test_errors_of_the_page_fail_a_run_whose_steps_hold(
    check: Callable[..., CheckResult], script: str, kind: str
) -> None:
    result = check(page=f"<link rel=icon href='data:,'><script>{script}</script>")
    assert result.failed is None
    assert not result.ok
    assert [error["kind"] for error in result.errors] == [kind]
    assert "broken" in result.errors[0]["text"]


def test_a_request_to_another_host_is_stopped_and_fails_the_run(
    check: Callable[..., CheckResult],
) -> None:
    result = check(page="<link rel=icon href='data:,'><img src='http://198.51.100.7/pixel.png'>")
    assert not result.ok
    assert result.blocked == ["http://198.51.100.7/pixel.png"]


def test_without_steps_there_is_no_result(serve: Serve, tmp_path: Path) -> None:
    expected = tmp_path / "expected.json"
    expected.write_text("{}", encoding="utf-8")
    with pytest.raises(RuntimeError, match="no steps"):
        run_checks(serve(_PAGE), expected, "conversation_checks")
