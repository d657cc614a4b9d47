from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QTextCursor
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from vibedesk.ui.chat.code_block import CodeBlockView
from vibedesk.ui.chat.messages import AgentMessage
from vibedesk.ui.chat.rich_text import RichText
from vibedesk.ui.theme.theme import Theme

OBJECT_REPLACEMENT = "\ufffc"


def shown(qtbot: QtBot, theme: Theme, text: str) -> AgentMessage:
    message = AgentMessage(theme)
    qtbot.addWidget(message)
    message.set_text(text, complete=True)
    message.resize(360, 400)
    message.show()
    qtbot.waitExposed(message)
    return message


def prose(message: AgentMessage) -> RichText:
    return message.findChildren(RichText)[0]


def test_html_is_shown_as_the_text_it_is(qtbot: QtBot, theme: Theme) -> None:
    text = "Hi <script>alert(1)</script> <b>bold</b>\n\n<div onclick=x>y</div>\n"
    message = shown(qtbot, theme, text)
    plain = prose(message).toPlainText()
    assert "<script>alert(1)</script>" in plain
    assert "<b>bold</b>" in plain
    assert "<div onclick=x>y</div>" in plain


def test_local_pictures_are_not_loaded(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    picture = tmp_path / "secret.png"
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    assert image.save(str(picture))
    text = f"![secret]({picture.as_uri()}) ![p]({picture}) <img src={picture.as_uri()}>"
    message = shown(qtbot, theme, text)
    assert OBJECT_REPLACEMENT not in prose(message).toPlainText()
    assert prose(message).loadResource(2, picture.as_uri()) is None
    colours = {
        QColor(grab.pixel(x, y)).name()
        for grab in [message.grab().toImage()]
        for x in range(grab.width())
        for y in range(grab.height())
    }
    assert "#ff0000" not in colours


def test_remote_pictures_are_not_fetched(qtbot: QtBot, theme: Theme) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        host = f"http://127.0.0.1:{server.server_port}"
        message = shown(qtbot, theme, f"![a]({host}/a.png) <img src='{host}/b.png'>\n\n[x]({host})")
        qtbot.wait(200)
        message.grab()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == []


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"]
)
def test_dangerous_links_are_words(qtbot: QtBot, theme: Theme, target: str) -> None:
    message = shown(qtbot, theme, f"[click]({target}) <{target}>")
    assert not any(
        format_.toCharFormat().isAnchor() for format_ in prose(message).document().allFormats()
    )


def test_links_are_reported_and_not_followed(qtbot: QtBot, theme: Theme) -> None:
    message = shown(qtbot, theme, "[site](https://example.org/a?b=1)")
    view = prose(message)
    cursor = QTextCursor(view.document())
    cursor.setPosition(2)
    at = view.cursorRect(cursor).center()
    with qtbot.waitSignal(message.link_activated, timeout=2000) as link:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at))
    assert link.args == ["https://example.org/a?b=1"]
    assert "site" in view.toPlainText()


def test_markdown_becomes_formats(qtbot: QtBot, theme: Theme) -> None:
    message = shown(qtbot, theme, "**bold** `code` *it* ~~gone~~\n\n- one\n- two\n\n1. a")
    document = prose(message).document()
    cursor = QTextCursor(document)

    def format_at(word: str) -> object:
        found = document.find(word, cursor)
        return found.charFormat()

    assert format_at("bold").fontWeight() == 600
    assert format_at("code").fontFamilies() == [theme.font("code").family()]
    assert format_at("it").fontItalic()
    assert format_at("gone").fontStrikeOut()
    lists = [document.findBlockByNumber(n).textList() for n in range(document.blockCount())]
    assert sum(1 for made in lists if made is not None) == 3


def test_code_can_be_copied(qtbot: QtBot, theme: Theme) -> None:
    message = shown(qtbot, theme, "Look:\n\n```ts\nconst a = 1\nconst b = 2\n```\n\nDone.")
    block = message.findChildren(CodeBlockView)[0]
    qtbot.mouseClick(block.findChildren(QToolButton)[0], Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "const a = 1\nconst b = 2"


def test_streaming_keeps_the_widgets_that_are_finished(qtbot: QtBot, theme: Theme) -> None:
    text = "First.\n\n```js\nlet a\n```\n\nSecond paragraph that grows and grows."
    message = AgentMessage(theme)
    qtbot.addWidget(message)
    message.resize(360, 400)
    message.show()
    for end in range(1, len(text) + 1):
        message.set_text(text[:end], complete=False)
    whole = shown(qtbot, theme, text)
    expected = [part.toPlainText() for part in whole.findChildren(RichText)]

    def visible_prose() -> list[str]:
        parts = message.findChildren(RichText)
        return [part.toPlainText() for part in parts if part.isVisible()]

    qtbot.waitUntil(lambda: visible_prose() == expected, timeout=2000)
    assert len(message.findChildren(CodeBlockView)) == 1
    assert message.accessibleName() == ""
    message.set_text(text, complete=True)
    assert "Second paragraph" in message.accessibleName()
