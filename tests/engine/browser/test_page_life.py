"""Pages within the browser program: when they are over, nothing of them waits for anything."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QApplication

from tests.engine.browser.conftest import Site
from vibedesk.browser.chromium import prepare


@pytest.mark.own_process
def test_the_pages_of_a_check_go_with_it(site: Site, tmp_path: Path) -> None:
    site.put(
        "<button onclick='window.open(`/`)'>Open</button><a download=a.csv href='data:text/csv,a'>Save</a>"
    )
    prepare()
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = QApplication(["pages"])
    app.setQuitOnLastWindowClosed(False)
    import qasync
    from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile

    from vibedesk.browser.check import Check
    from vibedesk.browser.page import BrowserPage

    async def run() -> None:
        gc.disable()
        check = Check(site.url, (800, 600), tmp_path, api_paths=(), step_seconds=5)
        outcome = await check.run(
            [
                {"do": "goto"},
                {"do": "click", "selector": "button"},
                {"do": "as", "user": "Bea"},
                {"do": "expectDownload", "selector": "a", "contains": "a"},
                {"do": "dance"},
            ]
        )
        assert outcome["step"] == 4, outcome["error"]

    with qasync.QEventLoop(app) as loop:
        loop.run_until_complete(run())
    kinds = (BrowserPage, QWebEnginePage, QWebEngineProfile)
    left = [thing for thing in gc.get_objects() if isinstance(thing, QObject)]
    assert [type(thing).__name__ for thing in left if isinstance(thing, kinds)] == []
