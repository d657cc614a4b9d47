"""Which of the things that a previewed page prints are errors of the app, each told once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, QTimer, Signal

_PAUSE_MS = 400
"""What comes within it is told together, the first first: one failure often prints several lines."""
_MOST_AT_ONCE = 5
_RESOURCE = "Failed to load resource"
_SERVER_FAILED = re.compile(r"status of 5\d\d")
_VOLATILE = re.compile(r"\d+")
_TOOLS = ("[vite]", "[hmr]", "Warning: ", "Download the React DevTools")
"""How lines begin that a tool prints for developers."""


@dataclass(frozen=True, slots=True)
class PageError:
    """An error of the app's page: its first line, and all that was printed with the place it came from."""

    message: str
    stack: str
    source: str


class PageErrors(QObject):
    """Gathers what the console of one preview says.

    Args:
        own_origin: Where the app runs; errors of other origins are not the app's.
        quiet: Whether nothing is to be told now, because files are changing under the page.
        parent: Ends it.
    """

    seen = Signal(object)
    """A `PageError` that was not told since `forget`."""

    def __init__(
        self, own_origin: Callable[[], str], quiet: Callable[[], bool], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._own_origin = own_origin
        self._quiet = quiet
        self._told: set[tuple[str, str]] = set()
        self._waiting: list[PageError] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._tell)

    def on_console(self, level: str, message: str, source: str, line: int) -> None:
        """Take in a line of the console."""
        if level != "error" or self._quiet() or not self._is_of_app(message, source):
            return
        first = message.strip().split("\n", 1)[0]
        place = source.split("?", 1)[0]
        key = (_VOLATILE.sub("#", first), place)
        if key in self._told:
            return
        self._told.add(key)
        stack = message.strip()
        if source and "\n    at " not in stack:
            # Chromium names the place beside the message; traces have it as their first frame.
            stack = f"{stack}\n    at {source}:{max(1, line)}:1"
        self._waiting.append(PageError(first, stack, place))
        if not self._pause.isActive():
            self._pause.start()

    def forget(self) -> None:
        """The code changed: an error that shows again is told again."""
        self._told.clear()
        self._waiting.clear()
        self._pause.stop()

    def _is_of_app(self, message: str, source: str) -> bool:
        own = _origin(self._own_origin())
        if not own or _origin(source) not in ("", own) or message.startswith(_TOOLS):
            return False
        return _RESOURCE not in message or bool(_SERVER_FAILED.search(message))

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting[:_MOST_AT_ONCE], []
        if not self._quiet():
            for error in waiting:
                self.seen.emit(error)


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "?"
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
