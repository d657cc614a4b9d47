"""What the preview panel says and does around the page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QElapsedTimer, Qt, QUrl
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.preview.app_server import AppServer, html
from vibedesk.ui.preview.chromium_flags import chromium_flags
from vibedesk.ui.preview.downloads import free_name
from vibedesk.ui.preview.panel import PreviewPanel
from vibedesk.ui.preview.profile_folder import ProfileFolder
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
_SECONDS = 30_000


@pytest.fixture
def app() -> Iterator[AppServer]:
    server = AppServer()
    server.pages = {"/": html("<h1>app</h1>"), "/library": html("<h1>library</h1>")}
    yield server
    server.close()


@pytest.fixture
def opened() -> list[QUrl]:
    return []


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme, opened: list[QUrl]) -> Iterator[PreviewPanel]:
    made = PreviewPanel(theme, open_externally=opened.append)
    qtbot.addWidget(made)
    made.resize(600, 500)
    made.show()
    yield made
    made.shut_down()


def _words(panel: PreviewPanel) -> str:
    return " ".join(
        child.text() for child in panel.findChildren(QLabel) if child.isVisible() and child.text()
    )


def test_nothing_to_preview_is_said_in_words(panel: PreviewPanel) -> None:
    assert panel.state == "empty"
    assert "Nothing to preview yet" in _words(panel)
    assert "usually after 2 minutes" in _words(panel)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="root is a Unix matter")
def test_as_root_it_says_that_chromiums_sandbox_is_off(panel: PreviewPanel) -> None:
    said = "The preview runs without Chromium's own sandbox because VibeDesk was started as root."
    assert (said in _words(panel)) == (os.geteuid() == 0)


def test_stopped_gives_the_reason_and_a_way_on(panel: PreviewPanel, qtbot: QtBot) -> None:
    panel.set_stopped("The sandbox stopped. It used more than 2 GB. Your files are safe.")
    assert "It used more than 2 GB" in _words(panel)
    with qtbot.waitSignal(panel.restart_requested):
        panel._stopped.action_triggered.emit("restart")


def test_a_stopped_app_leads_to_its_sandbox(panel: PreviewPanel, qtbot: QtBot) -> None:
    panel.set_stopped("The sandbox stopped. It used more than 2 GB. Your files are safe.")
    buttons = panel.findChildren(QAbstractButton)
    show = next(b for b in buttons if b.isVisible() and b.accessibleName() == "Show the sandbox")
    with qtbot.waitSignal(panel.sandbox_requested), qtbot.assertNotEmitted(panel.restart_requested):
        qtbot.mouseClick(show, Qt.MouseButton.LeftButton)


def test_preparing_shows_the_last_line_and_ends_in_nothing_or_in_a_page(
    panel: PreviewPanel, app: AppServer, qtbot: QtBot, tmp_path: Path
) -> None:
    text = "The first time this takes about a minute. It is done once."
    panel.set_preparing("Preparing the sandbox…", text, "Unpacking Node.js (1 of 7)")
    panel.set_preparing("Preparing the sandbox…", text, "Unpacking Node.js (2 of 7)")
    assert panel.state == "preparing"
    qtbot.waitUntil(lambda: "Unpacking Node.js (2 of 7)" in _words(panel))
    assert "Preparing the sandbox…" in _words(panel)
    assert "about a minute" in _words(panel)
    panel.end_preparing()
    assert panel.state == "empty"
    panel.set_preparing("Waiting in line", "Waiting for a free sandbox: 2nd in line.", waiting=True)
    assert "2nd in line" in _words(panel)
    panel.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: panel.state == "live", timeout=_SECONDS)
    panel.end_preparing()
    assert panel.state == "live"
    panel.set_preparing("Preparing the sandbox…")
    assert panel.state == "preparing", "a sandbox that is made anew has no page"


def test_a_long_preparation_says_how_long(panel: PreviewPanel, qtbot: QtBot) -> None:
    panel.set_preparing("Preparing the sandbox…")
    view = panel._preparing
    view._show_time()
    assert view._time.text() == ""
    view._since = _Clock(72_000)
    view._show_time()
    assert view._time.text() == "1:12"


class _Clock(QElapsedTimer):
    """Says that so many milliseconds have passed."""

    def __init__(self, milliseconds: int) -> None:
        super().__init__()
        self._milliseconds = milliseconds
        self.start()

    def elapsed(self) -> int:
        return self._milliseconds


def test_typing_an_address_stays_in_the_app_or_offers_the_browser(
    panel: PreviewPanel, app: AppServer, opened: list[QUrl], qtbot: QtBot, tmp_path: Path
) -> None:
    panel.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: panel.state == "live", timeout=_SECONDS)
    field = panel._bar._field
    field.setText("/library")
    QTest.keyClick(field, Qt.Key.Key_Return)
    # Its address is named already while it is only asked for: then there is no way back yet.
    qtbot.waitUntil(
        lambda: (
            panel.url == f"{app.url}/library" and panel._web is not None and panel._web.can_go_back
        ),
        timeout=_SECONDS,
    )
    field.setText("https://example.com/docs")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel._notice is not None)
    assert opened == []
    assert panel._notice is not None
    panel._notice.action_triggered.emit("act")
    assert opened == [QUrl("https://example.com/docs")]
    qtbot.mouseClick(panel._bar._outside, Qt.MouseButton.LeftButton)
    assert opened[-1] == QUrl(f"{app.url}/library")
    panel._bar.back.emit()
    qtbot.waitUntil(lambda: panel.url == f"{app.url}/", timeout=_SECONDS)


def test_devices_and_the_pill_keep_the_page_in_place(
    panel: PreviewPanel, app: AppServer, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: panel.state == "live", timeout=_SECONDS)
    assert panel._web is not None
    panel.set_device("phone")
    assert panel._web.width() == 390
    panel.set_device("desktop")
    assert panel._web.width() == panel.width()
    panel.set_stale("Showing phase 1. Updates when phase 2 is ready.")
    assert "Showing phase 1" in _words(panel)
    panel.set_stale(None)
    assert "Showing phase 1" not in _words(panel)


def test_being_told_the_same_app_again_does_not_load_it_again(
    panel: PreviewPanel, app: AppServer, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: panel.state == "live", timeout=_SECONDS)
    panel.set_target(app.url, tmp_path / "profile", ["api.example.com"])
    assert panel.state == "live"
    panel.reload()
    qtbot.waitUntil(lambda: app.asked.count("/") == 2, timeout=_SECONDS)


def test_clearing_lets_go_of_the_page(
    panel: PreviewPanel, app: AppServer, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: panel.state == "live", timeout=_SECONDS)
    panel.clear()
    assert panel.state == "empty"
    assert panel.url == ""


def test_what_is_no_address_is_refused(panel: PreviewPanel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not an http address"):
        panel.set_target("file:///etc/passwd", tmp_path)


def test_everything_that_takes_the_keyboard_has_a_name(panel: PreviewPanel) -> None:
    nameless = [
        child
        for child in panel.findChildren(QWidget)
        if child.isVisible()
        and child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not child.accessibleName()
        and not (isinstance(child, QAbstractButton) and child.text())
    ]
    assert nameless == []


def test_a_profile_begins_anew_and_old_data_goes_at_the_next_opening(tmp_path: Path) -> None:
    folder = ProfileFolder(tmp_path / "profile")
    first = folder.open()
    (first / "cookies").write_text("x")
    second = folder.renew()
    assert second != first
    assert list(second.iterdir()) == []
    assert folder.open() == second
    assert not first.exists()


def test_a_page_ends_before_its_profile_also_with_a_window_that_just_goes(
    qtbot: QtBot, tmp_path: Path
) -> None:
    from vibedesk.ui.preview.web_view import PreviewWebView

    window = QWidget()
    web = PreviewWebView(tmp_path / "profile", QColor("black"))
    web.setParent(window)
    profile = web.page.profile()
    ended: list[str] = []
    web.page.destroyed.connect(lambda: ended.append("page"))
    profile.destroyed.connect(lambda: ended.append("profile"))
    del profile, web
    shiboken6.delete(window)
    assert ended == ["page", "profile"]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("notes.txt", "notes (2).txt"),
        ("../../notes.txt", "notes (2).txt"),
        ("..\\notes.txt", "notes (2).txt"),
        ("other.csv", "other.csv"),
        ("..", "download"),
        ("", "download"),
    ],
)
def test_a_download_never_overwrites_or_leaves_its_folder(
    tmp_path: Path, wanted: str, given: str
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert free_name(tmp_path, wanted) == given


def test_chromium_is_sandboxed_unless_root_and_always_behind_the_gateway() -> None:
    person, root = (chromium_flags("--disable-gpu", 4711, as_root=root) for root in (False, True))
    assert "--no-sandbox" not in person
    assert "--no-sandbox" in root
    for flags in (person, root):
        assert "--disable-gpu" in flags
        assert "--proxy-server=http://127.0.0.1:4711" in flags
        assert "--proxy-bypass-list=<-loopback>" in flags
