"""A real page in QtWebEngine tries every way out; the listeners next door hear nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from pytestqt.qtbot import QtBot

from tests.ui.preview.app_server import AppServer, SilentListener, html, script
from vibedesk.ui.preview.panel import PreviewPanel
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
_SECONDS = 30_000

_ESCAPES = """
<link rel=preconnect href="http://127.0.0.1:{other}">
<link rel=preload as=script href="http://127.0.0.1:{other}/preload">
<link rel=prefetch href="http://127.0.0.1:{other}/prefetch">
<link rel=stylesheet href="http://127.0.0.1:{other}/style.css">
<style>@font-face {{ font-family: x; src: url(http://127.0.0.1:{other}/font) }} body {{ font-family: x }}</style>
<script src="http://127.0.0.1:{other}/script.js"></script>
<video src="http://127.0.0.1:{other}/video"></video>
<object data="http://127.0.0.1:{other}/object"></object>
<iframe src="file:///etc/hostname"></iframe>
<iframe src="http://127.0.0.1:{other}/iframe"></iframe>
<iframe src="/redirect"></iframe>
<iframe srcdoc="<img src='http://127.0.0.1:{other}/srcdoc'>"></iframe>
<form id=form target=frame method=post action="http://127.0.0.1:{other}/form"></form><iframe name=frame></iframe>
<script>
const other = "127.0.0.1:{other}";
const settled = [];
const attempt = (promise) => settled.push(Promise.race([
  Promise.resolve(promise).catch(() => 0), new Promise((done) => setTimeout(done, 20000))]));
const ended = (target, ...names) => new Promise((done) => names.forEach((n) => target.addEventListener(n, done)));
for (const address of [`http://${{other}}/`, `http://localhost:{other}/`, `http://2130706433:{other}/`,
    `http://0x7f.1:{other}/`, `http://[::ffff:127.0.0.1]:{other}/`, `http://0.0.0.0:{other}/`,
    `http://x.localhost:{other}/`, `https://${{other}}/`, "file:///etc/hostname", "/redirect"]) {{
  attempt(fetch(address)); attempt(fetch(address, {{ mode: "no-cors" }}));
  const image = new Image(); attempt(ended(image, "load", "error")); image.src = address;
}}
attempt(fetch("/allowed"));
attempt(fetch(`http://${{other}}/cors`, {{ method: "PUT", headers: {{ "x-a": "b" }} }}));
navigator.sendBeacon(`http://${{other}}/beacon`, "x");
const source = new EventSource(`http://${{other}}/events`); attempt(ended(source, "open", "error").then(() => source.close()));
const socket = new WebSocket(`ws://${{other}}/socket`); attempt(ended(socket, "open", "error"));
document.getElementById("form").submit();
attempt(new Promise((done) => {{ const w = new Worker("/worker.js"); w.onmessage = done; w.onerror = done; }}));
attempt(navigator.serviceWorker.register("/service.js").then(() => new Promise((done) => {{
  navigator.serviceWorker.onmessage = done; navigator.serviceWorker.ready.then((r) => r.active.postMessage("go")); }})));
if (window.WebTransport) {{ try {{ attempt(new WebTransport(`https://${{other}}/`).ready); }} catch (e) {{}} }}
try {{
  const peer = new RTCPeerConnection({{ iceServers: [{{ urls: "stun:127.0.0.1:{other}" }},
    {{ urls: "turn:127.0.0.1:{other}?transport=tcp", username: "a", credential: "b" }}] }});
  peer.createDataChannel("x");
  attempt(new Promise((done) => {{ peer.onicecandidate = (e) => e.candidate || done(); }}));
  attempt(peer.createOffer().then((o) => peer.setLocalDescription(o)));
}} catch (e) {{}}
Promise.all(settled).then(() => fetch("/finished"));
</script>
"""
_WORKER = """
const other = "127.0.0.1:{other}";
const run = async () => {{
  await fetch(`http://${{other}}/worker`).catch(() => 0);
  try {{ importScripts(`http://${{other}}/imported.js`); }} catch (e) {{}}
  await new Promise((done) => {{ const s = new WebSocket(`ws://${{other}}/worker-socket`);
    s.onopen = done; s.onerror = done; s.onclose = done; }});
}};
"""


@pytest.fixture
def app() -> Iterator[AppServer]:
    server = AppServer()
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[SilentListener]:
    listener = SilentListener()
    yield listener
    listener.close()


@pytest.fixture
def preview(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[PreviewPanel]:
    opened: list[QUrl] = []
    panel = PreviewPanel(
        theme, open_externally=opened.append, download_folder=tmp_path / "downloads"
    )
    panel.opened = opened  # type: ignore[attr-defined]
    qtbot.addWidget(panel)
    panel.resize(600, 500)
    panel.show()
    yield panel
    panel.shut_down()


def _show(qtbot: QtBot, preview: PreviewPanel, url: str, profile: Path) -> None:
    preview.set_target(url, profile)
    qtbot.waitUntil(lambda: preview.state == "live", timeout=_SECONDS)


def test_no_way_out_reaches_another_listener_on_this_computer(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, other: SilentListener, tmp_path: Path
) -> None:
    worker = _WORKER.format(other=other.port)
    app.pages = {
        "/": html(_ESCAPES.format(other=other.port)),
        "/allowed": (200, {}, b"yes"),
        "/finished": (200, {}, b""),
        "/redirect": (302, {"Location": f"http://127.0.0.1:{other.port}/redirected"}, b""),
        "/worker.js": script(worker + "run().then(() => postMessage('done'));"),
        "/service.js": script(
            worker + "onmessage = (e) => run().then(() => e.source.postMessage('done'));"
            "oninstall = () => skipWaiting();"
        ),
    }
    blocked: list[str] = []
    preview.request_blocked.connect(lambda url, _reason: blocked.append(url))
    preview.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: "/finished" in app.asked, timeout=2 * _SECONDS)
    may = {"/allowed", "/worker.js", "/service.js"}
    qtbot.waitUntil(lambda: may <= set(app.asked), timeout=_SECONDS)
    assert other.heard == []
    assert any("redirected" in url for url in blocked)


def test_the_listeners_would_have_noticed(other: SilentListener, qtbot: QtBot) -> None:
    with socket.create_connection(("127.0.0.1", other.port)):
        qtbot.waitUntil(lambda: other.heard == ["tcp connection"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"stun", ("127.0.0.1", other.port))
    qtbot.waitUntil(lambda: len(other.heard) == 2)


@pytest.mark.parametrize(
    "leave",
    [
        "location.href = '{url}'",
        "location.replace('{url}')",
        "const a = document.createElement('a'); a.href = '{url}'; document.body.append(a); a.click()",
        "const a = document.createElement('a'); a.href = '{url}'; a.target = '_blank'; document.body.append(a); a.click()",
        "window.open('{url}')",
        "location.href = '/redirect'",
        "const m = document.createElement('meta'); m.httpEquiv = 'refresh'; m.content = '0;url={url}'; document.head.append(m)",
    ],
)
def test_the_view_stays_on_the_app_and_offers_the_browser(
    qtbot: QtBot,
    preview: PreviewPanel,
    app: AppServer,
    other: SilentListener,
    tmp_path: Path,
    leave: str,
) -> None:
    elsewhere = f"http://127.0.0.1:{other.port}/elsewhere"
    app.pages = {"/": html("<h1>app</h1>"), "/redirect": (302, {"Location": elsewhere}, b"")}
    _show(qtbot, preview, app.url, tmp_path / "profile")
    web = preview._web
    assert web is not None
    with qtbot.waitSignal(web.left_app, timeout=_SECONDS) as leaving:
        web.page.runJavaScript(leave.format(url=elsewhere))
    assert leaving.args == [QUrl(elsewhere)]
    assert other.heard == []
    assert preview.url.startswith(app.url)
    assert preview._notice is not None
    preview._notice.action_triggered.emit("act")
    assert preview.opened == [QUrl(elsewhere)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "view-source:{app}",
        "chrome://version/",
        "qrc:/x",
        "data:text/html,<h1>x",
    ],
)
def test_pages_that_are_not_the_app_are_never_shown(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, tmp_path: Path, url: str
) -> None:
    app.pages = {"/": html("<h1>app</h1>"), "/next": html("next")}
    _show(qtbot, preview, app.url, tmp_path / "profile")
    web = preview._web
    assert web is not None
    refused = QUrl(url.format(app=app.url))
    with qtbot.waitSignal(web.left_app, timeout=_SECONDS) as leaving:
        web.load(refused)
    assert leaving.args == [refused]
    web.page.runJavaScript(f"location.href = {url.format(app=app.url)!r}")
    web.page.runJavaScript("fetch('/next')")
    qtbot.waitUntil(lambda: "/next" in app.asked, timeout=_SECONDS)
    # Until Chromium hears the refusal, it names the address that was asked for.
    qtbot.waitUntil(lambda: preview.url.startswith(app.url), timeout=_SECONDS)


def test_console_messages_and_uncaught_errors_are_told(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, tmp_path: Path
) -> None:
    app.pages = {"/": html("<script>console.warn('careful');\nnull.watering</script>")}
    told: list[tuple[str, str, str, int]] = []
    preview.console.connect(lambda *message: told.append(message))
    _show(qtbot, preview, app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: len(told) >= 2, timeout=_SECONDS)
    assert told[0][:2] == ("warning", "careful")
    level, message, source, line = told[1]
    assert level == "error"
    assert "watering" in message
    assert source.startswith(app.url)
    assert line == 2


def test_permissions_are_denied_without_asking(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, tmp_path: Path
) -> None:
    app.pages = {
        "/": html(
            """<script>
            const ask = Promise.all([
              new Promise((d) => navigator.geolocation.getCurrentPosition(() => d("yes"), () => d("no"))),
              navigator.mediaDevices.getUserMedia({ video: true }).then(() => "yes", () => "no"),
              Notification.requestPermission().then((p) => p === "granted" ? "yes" : "no"),
              navigator.clipboard.readText().then(() => "yes", () => "no"),
            ]);
            ask.then((answers) => console.log("answers " + answers));
            </script>"""
        )
    }
    told: list[str] = []
    preview.console.connect(lambda _level, message, _source, _line: told.append(message))
    _show(qtbot, preview, app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: any(text.startswith("answers") for text in told), timeout=_SECONDS)
    assert "answers no,no,no,no" in told


def test_app_data_lasts_in_its_profile_until_it_is_reset(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, tmp_path: Path
) -> None:
    app.pages = {
        "/": html(
            "<script>console.log('seen ' + localStorage.seen); localStorage.seen = 'before'</script>"
        )
    }
    told: list[str] = []
    preview.console.connect(lambda _level, message, _source, _line: told.append(message))
    _show(qtbot, preview, app.url, tmp_path / "one")
    preview.reload()
    qtbot.waitUntil(lambda: len(told) == 2, timeout=_SECONDS)
    _show(qtbot, preview, app.url, tmp_path / "two")
    qtbot.waitUntil(lambda: len(told) == 3, timeout=_SECONDS)
    preview.reset_app_data()
    qtbot.waitUntil(lambda: len(told) == 4, timeout=_SECONDS)
    assert told == ["seen undefined", "seen before", "seen undefined", "seen undefined"]


def test_an_app_that_comes_late_is_shown_when_it_answers(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, tmp_path: Path
) -> None:
    app.pages = {"/": html("<h1>app</h1>")}
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        port = silent.getsockname()[1]
        preview.set_target(f"http://127.0.0.1:{port}", tmp_path / "profile")
        qtbot.waitUntil(lambda: preview.state == "disconnected", timeout=_SECONDS)
    preview.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: preview.state == "live", timeout=_SECONDS)
    preview.set_stopped("The sandbox stopped.")
    assert preview.state == "stopped"
    preview.set_target(app.url, tmp_path / "profile")
    qtbot.waitUntil(lambda: preview.state == "live", timeout=_SECONDS)


def test_downloads_go_to_the_downloads_folder_under_a_free_name(
    qtbot: QtBot, preview: PreviewPanel, app: AppServer, tmp_path: Path
) -> None:
    app.pages = {
        "/": html("<a id=a download='../../notes.txt' href='/file'>x</a>"),
        "/file": (200, {"Content-Type": "text/plain"}, b"watered"),
    }
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "notes.txt").write_text("mine")
    _show(qtbot, preview, app.url, tmp_path / "profile")
    web = preview._web
    assert web is not None
    with qtbot.waitSignal(web.downloaded, timeout=_SECONDS) as saved:
        web.page.runJavaScript("document.getElementById('a').click()")
    target = Path(saved.args[0])
    assert target.parent == downloads
    assert target.read_text() == "watered"
    assert (downloads / "notes.txt").read_text() == "mine"
