"""The browser program's life: one for many requests, a new one after its end, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.engine.browser.conftest import Site
from vibedesk.engine.browser.process import BrowserError, BrowserProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

HELLO = [{"do": "goto", "path": "/"}, {"do": "expectText", "selector": "h1", "text": "Hello"}]


async def test_one_program_serves_requests_that_come_at_once(
    browser: BrowserProcess, site: Site
) -> None:
    site.put("<h1>Hello</h1>")
    outcomes = await asyncio.gather(*(browser.run_check(site.url, HELLO) for _ in range(3)))
    assert [outcome.passed for outcome in outcomes] == [True] * 3
    before = browser.pid
    await browser.visit(site.url)
    assert browser.pid == before


async def test_a_cancelled_check_leaves_the_program_ready(
    browser: BrowserProcess, site: Site
) -> None:
    site.put("<h1>Hello</h1>")
    await browser.visit(site.url)
    before = browser.pid
    waiting = asyncio.create_task(
        browser.run_check(site.url, [*HELLO, {"do": "wait", "ms": 60000}])
    )
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await browser.run_check(site.url, HELLO)).passed
    assert browser.pid == before


async def test_a_page_whose_script_never_ends_is_given_up(
    browser: BrowserProcess, site: Site
) -> None:
    site.put("<h1>Hello</h1><button onclick='for (;;) {}'>Hang</button>")
    outcome = await browser.run_check(
        site.url, [*HELLO, {"do": "click", "selector": "button"}, *HELLO[1:]]
    )
    assert outcome.error == "The page does not answer: its scripts never end."
    site.put("<h1>Hello</h1>")
    assert (await browser.run_check(site.url, HELLO)).passed


async def test_a_program_that_was_killed_is_started_again(site: Site) -> None:
    site.put("<h1>Hello</h1>")
    browser = BrowserProcess()
    try:
        await browser.visit(site.url)
        assert browser.pid is not None
        os.kill(browser.pid, signal.SIGKILL)
        assert (await browser.visit(site.url)).text == "Hello"
    finally:
        await browser.aclose()


async def test_a_program_that_never_starts_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QTWEBENGINEPROCESS_PATH", str(tmp_path / "none"))
    browser = BrowserProcess()
    try:
        with pytest.raises(BrowserError, match="ended by itself"):
            await browser.visit(site.url)
        assert browser.pid is None
    finally:
        await browser.aclose()


async def test_a_program_that_is_closed_while_it_is_asked_is_not_started_again(site: Site) -> None:
    site.put("<h1>Hello</h1>")
    browser = BrowserProcess()
    await browser.visit(site.url)
    waiting = asyncio.create_task(
        browser.run_check(site.url, [*HELLO, {"do": "wait", "ms": 60000}])
    )
    await asyncio.sleep(0)
    await browser.aclose()
    with pytest.raises(BrowserError):
        await waiting
    assert browser.pid is None


async def test_nothing_is_left_when_it_is_closed(site: Site) -> None:
    site.put("<h1>Hello</h1>")
    browser = BrowserProcess()
    await browser.visit(site.url)
    assert browser.pid is not None
    family = [psutil.Process(browser.pid), *psutil.Process(browser.pid).children(recursive=True)]
    assert len(family) > 1
    await browser.aclose()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert browser.pid is None
