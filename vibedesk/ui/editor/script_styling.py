"""Feeds Scintilla with the styles of our own script lexer, in slices that never hold up a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QTimer

from vibedesk.ui.editor.script_lexer import ScriptLexer, State

_SLICE = 16 * 1024
_PAUSE_MS = 12
_GET_END_STYLED = 2028
_LINE_FROM_POSITION = 2166
_POSITION_FROM_LINE = 2167
_START_STYLING = 2032
_SET_STYLING_EX = 2073


class Send(Protocol):
    """Sends Scintilla a message with two parameters."""

    def __call__(self, message: int, first: int = 0, second: int | bytes = 0) -> int: ...


class ScriptStyling:
    """Styles one editor's text from the last good line on, as far as Scintilla asks.

    A long way (the end of a large file) is gone in slices between which the window stays alive; until then
    the rest is shown plain.

    Args:
        widget: The editor's; the styling ends with it.
        send: Sends it a message.
        text: Returns the bytes of a range.
    """

    def __init__(self, widget: QObject, send: Send, text: Callable[[int, int], bytes]) -> None:
        self._send = send
        self._text = text
        self._lexer: ScriptLexer | None = None
        self._states = [State()]
        self._wanted = 0
        self._timer = QTimer(widget)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._go_on)

    def use(self, script: str) -> None:
        """Choose the dialect, `js` or `jsx`; "" leaves styling to Scintilla."""
        self._lexer = ScriptLexer(jsx=script == "jsx") if script else None
        self._states = [State()]
        self._wanted = 0

    def stop(self) -> None:
        self._timer.stop()

    def forget_after(self, line: int) -> None:
        """Drop what was known about the lines below a changed one."""
        del self._states[line + 1 :]

    def on_style_needed(self, position: int) -> None:
        if self._lexer is None:
            return
        self._wanted = max(self._wanted, position)
        if not self._timer.isActive():
            self._go_on()

    def _go_on(self) -> None:
        lexer = self._lexer
        if lexer is None:
            return
        line = self._send(_LINE_FROM_POSITION, self._send(_GET_END_STYLED))
        line = min(line, len(self._states) - 1)
        start = self._send(_POSITION_FROM_LINE, line)
        last = self._send(_LINE_FROM_POSITION, min(self._wanted, start + _SLICE))
        end = self._send(_POSITION_FROM_LINE, last + 1)
        data = self._text(start, end)
        styles = bytearray()
        del self._states[line + 1 :]
        state = self._states[line]
        for text in data.splitlines(keepends=True):
            line_styles, state = lexer.style_line(text, state)
            styles += line_styles
            self._states.append(state)
        self._send(_START_STYLING, start, 0)
        self._send(_SET_STYLING_EX, len(styles), bytes(styles))
        if end < self._wanted:
            self._timer.start()
        else:
            self._wanted = 0
