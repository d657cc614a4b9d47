"""One browser for all tests here, and pages on loopback for it to see."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_asyncio

from vibedesk.engine.browser.process import BrowserProcess

SLOW = "/slow"
"""Is answered when the test is over."""
Answer = tuple[int, str, bytes]


@dataclass
class Site:
    """Serves `pages` by path; what it does not have is a 404."""

    url: str
    pages: dict[str, Answer] = field(default_factory=dict)

    def put(self, body: str, path: str = "/", *, status: int = 200, head: str = "") -> str:
        """Serve a whole page of `body`; return its address."""
        page = f'<!doctype html><html lang="en"><head><title>Page</title>{head}</head><body>{body}</body></html>'
        self.pages[path] = (status, "text/html; charset=utf-8", page.encode())
        return self.url + path


@pytest.fixture
def site() -> Iterator[Site]:
    pages: dict[str, Answer] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            if self.path == SLOW:
                ended.wait(20)
            status, kind, body = pages.get(
                self.path.partition("?")[0], (404, "text/plain", b"none")
            )
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if 300 <= status < 400:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep requests out of the tests' output."""

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_address[1]}", pages)
    ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[BrowserProcess]:
    browser = BrowserProcess()
    yield browser
    await browser.aclose()
