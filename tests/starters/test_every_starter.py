"""Every starter installs, type-checks, lints, builds and serves, by the commands of its description."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from tests.starters.workshop import App, Server, Workshop, starter_names

pytestmark = pytest.mark.e2e

_WRONG_TYPES = {
    "react-vite": ("src/App.tsx", "export default function App() {\n  return <p>{gone}</p>\n}\n"),
    "react-fullstack": (
        "src/App.tsx",
        "import { api } from './lib/api'\n\nexport default function App() {\n"
        "  void api('POST /api/notes', { body: { txt: '' } })\n  return null\n}\n",
    ),
    "vue-vite": ("src/App.vue", "<template>\n  <p>{{ gone }}</p>\n</template>\n"),
    "svelte-vite": (
        "src/App.svelte",
        '<script lang="ts">\n  let n: number = "1"\n</script>\n{n}\n',
    ),
    "vanilla-ts": (
        "src/app.ts",
        "export function startApp(root: HTMLElement): number {\n  return root.id\n}\n",
    ),
    "python-fastapi": ("app/routes/home.py", "count: int = 'one'\n"),
    "node-api": ("page/main.ts", "const n: number = 'one'\nconsole.info(n)\n"),
}


@pytest.fixture(scope="module", params=starter_names())
def app(request: pytest.FixtureRequest, workshop: Workshop) -> App:
    """A starter with its packages."""
    return workshop.installed(request.param)


@pytest.fixture(scope="module")
def built(app: App) -> App:
    app.run(app.of("build_command"))
    return app


def test_it_type_checks(app: App) -> None:
    app.run(app.of("typecheck_command"))


def test_it_lints_without_a_warning(app: App) -> None:
    assert "warning" not in app.run(app.of("lint_command"))


def test_its_dev_server_serves_the_page(app: App) -> None:
    with app.serving("dev_command") as server:
        _assert_page(server)
        assert "[app-error]" not in server.output


def test_what_was_built_is_served(built: App) -> None:
    with built.serving("preview_command") as server:
        _assert_page(server)
        assert "[app-error]" not in server.output


@pytest.mark.parametrize("app", _WRONG_TYPES, indirect=True)
def test_the_type_check_finds_what_is_wrong(app: App, workshop: Workshop) -> None:
    path, text = _WRONG_TYPES[app.name]
    file = app.folder / path
    before = file.read_text("utf-8")
    file.write_text(text, "utf-8")
    try:
        status, output = app.attempt(app.of("typecheck_command"))
    finally:
        file.write_text(before, "utf-8")

    assert status != 0
    assert path in output


@dataclass
class _Page(HTMLParser):
    """What a test asks about a page."""

    language: str = ""
    ids: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    files: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.ids.add(values.get("id", ""))
        if tag == "html":
            self.language = values.get("lang", "")
        address = values.get("src" if tag in ("script", "img") else "href", "")
        if tag in ("script", "link", "img") and address and not address.startswith("data:"):
            self.files.append(address)


def _assert_page(server: Server) -> None:
    with server.client() as browser:
        answer = browser.get("/", headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        page = _Page()
        page.feed(answer.text)
        assert page.language
        assert re.search(r"<title>\s*\S.*?</title>", answer.text)
        assert page.ids & {"root", "app"} or "main" in page.tags
        assert page.files
        for address in page.files:
            place = urljoin(f"{server.url}/", address)
            assert place.startswith(f"{server.url}/"), f"{address} is on another host"
            assert browser.get(place).status_code == 200, address
