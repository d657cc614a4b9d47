"""Whether the browser that looks at apps works here, and what it lacks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vibedesk.engine.browser.process import BrowserError, BrowserProcess

_HEADING = "It works"
_BODY = f'<!doctype html><html lang="en"><title>Page</title><h1>{_HEADING}</h1></html>'.encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_MISSING = re.compile(r"(lib[\w+.-]+?\.so[\d.]*): cannot open shared object file")
_OF_NSS = frozenset({"libnssutil3.so", "libsmime3.so", "libssl3.so"})
_SET_UP_AGAIN = (
    "Run `sh scripts/setup.sh` in VibeDesk's folder: it gets what is missing, or names it."
)
_LAST_LINES = 3
_MOST_TOLD = 300


@dataclass(frozen=True, slots=True)
class BrowserHealth:
    """Whether a page could be looked at; else why not, and what to do about it."""

    works: bool
    message: str
    remedy: str = ""


async def diagnose_browser() -> BrowserHealth:
    """Start the browser program, show it a page of our own, and end it."""
    browser = BrowserProcess()
    try:
        async with _page() as url:
            report = await browser.visit(url)
    except BrowserError as error:
        return _what_is_wrong(error)
    finally:
        await browser.aclose()
    if _HEADING not in report.text:
        return BrowserHealth(False, "The browser starts, but shows no page.", _SET_UP_AGAIN)
    return BrowserHealth(True, "The browser that looks at apps starts and shows a page.")


@asynccontextmanager
async def _page() -> AsyncIterator[str]:
    """Serve one page on this machine; give its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(_ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def _what_is_wrong(error: BrowserError) -> BrowserHealth:
    said = f"{error.message}\n{error.details.get('output', '')}"
    found = _MISSING.search(said)
    if found is not None:
        library = found[1]
        return BrowserHealth(
            False,
            f"The browser that looks at apps cannot start: the system library {library} is missing.",
            f"Install it: `sudo apt install {debian_package(library)}` on Debian and Ubuntu. {_SET_UP_AGAIN}",
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    words = " ".join(lines[-_LAST_LINES:])[-_MOST_TOLD:]
    return BrowserHealth(
        False,
        f"The browser that looks at apps does not work: {words.rstrip('.')}.",
        _SET_UP_AGAIN,
    )


def debian_package(library: str) -> str:
    """Return the package that has a library, by the rule that Debian names them by: libXtst.so.6 is in libxtst6."""
    if library in _OF_NSS:
        return "libnss3"
    name, _, version = library.lower().partition(".so")
    version = version.strip(".")
    return f"{name}-{version}" if version and name[-1].isdigit() else f"{name}{version}"
