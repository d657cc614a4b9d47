"""Turns the bytes a program prints into the lines people read."""

from __future__ import annotations

import re

MAX_LINE_CHARS = 8_000
"""As much of a line as anybody reads."""
MAX_REPORT_CHARS = 32 * 1024 * 1024
"""As much of a line as is taken of a program's answer to us: many a tool prints its JSON report on a single one."""
# Vite colours nearly every character, so a readable line may be far longer as it comes.
_MAX_LINE_BYTES = 128 * 1024
_CUT_MARK = " … (line cut)"

# Control sequences, OSC strings (titles, links), other escapes, and what control characters are left.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f]"
)


class LineSplitter:
    """Splits one output stream into lines, at any chunking, in bounded memory.

    Lines come without their end, without ANSI codes and control characters; invalid UTF-8 becomes U+FFFD; of
    a line that was redrawn with carriage returns the last state is kept; a line of more than `longest` characters
    is cut and says so.
    """

    def __init__(self, longest: int = MAX_LINE_CHARS) -> None:
        self._longest = longest
        self._most_bytes = max(longest, _MAX_LINE_BYTES)
        self._pending = bytearray()
        self._dropped = False

    def feed(self, data: bytes) -> list[str]:
        lines: list[str] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._keep(data[start:end])
            lines.append(self._take())
            start = end + 1
        self._keep(data[start:])
        return lines

    def close(self) -> list[str]:
        """Return the last line if it had no end."""
        return [self._take()] if self._pending else []

    def _keep(self, data: bytes) -> None:
        room = self._most_bytes - len(self._pending)
        if len(data) > room:
            self._dropped = True
        self._pending += data[:room]

    def _take(self) -> str:
        text = self._pending.decode(errors="replace").rstrip("\r")
        dropped, self._dropped = self._dropped, False
        self._pending.clear()
        states = [state for state in text.split("\r") if state]
        text = strip_ansi(states[-1]) if states else ""
        if dropped or len(text) > self._longest:
            return text[: self._longest] + _CUT_MARK
        return text


class FloodGate:
    """Lets through so many lines a second, and says how many were left out.

    A program in an endless loop prints a million lines a second; each would be stored and shown.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._second = 0
        self._passed = 0
        self._left_out = 0

    def admit(self, text: str, now: float) -> list[str]:
        """Return what to show at the time `now` (seconds, never going back)."""
        shown: list[str] = []
        if int(now) != self._second:
            shown = self.close()
            self._second, self._passed = int(now), 0
        if self._passed < self._limit:
            self._passed += 1
            shown.append(text)
        else:
            self._left_out += 1
        return shown

    def close(self) -> list[str]:
        """Return the line that tells what was left out since the last one, if anything was."""
        left_out, self._left_out = self._left_out, 0
        return [f"… {left_out:,} lines left out: too many in a second"] if left_out else []


def strip_ansi(text: str) -> str:
    """Return `text` without terminal codes and control characters (tabs stay)."""
    return _ANSI.sub("", text)
