"""Markers, underlines and tints of problems in a Scintilla widget; they move with the text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage

from vibedesk.ui.editor.line_problems import LineProblem, ProblemLevel, marked_part, told_at
from vibedesk.ui.theme.theme import Theme

Send = Callable[..., int]
Bytes = Callable[[int, int], bytes]
DefineImage = Callable[[int, bytes, int, int], None]

MARKER_MASK = 0b11 << 9
"""The markers that the gutter's margin has to show."""
_ICON_PX = 12
_LOOKS: dict[ProblemLevel, tuple[int, int, int, str, str]] = {
    "warning": (9, 11, 10, "warning-fill", "warning"),
    "error": (10, 12, 11, "x-circle-fill", "danger"),
}
"""Marker, tint marker, indicator, icon, tone. Higher markers are drawn over lower ones."""
# Numbers of Scintilla's interface: only scintilla.py loads the binding that names them.
_SQUIGGLE, _BACKGROUND = 1, 22
_DEFINE, _SET_BACK = 2040, 2042
_ADD, _DELETE_ALL, _LINE_OF_HANDLE = 2043, 2045, 2017
_INDIC_STYLE, _INDIC_FORE = 2080, 2082
_INDIC_CURRENT, _INDIC_VALUE, _INDIC_FILL, _INDIC_CLEAR = 2500, 2502, 2504, 2505
_INDIC_VALUE_AT = 2507
_LENGTH, _LINE_COUNT, _LINE_START, _LINE_END, _LINE_FROM = 2006, 2154, 2167, 2136, 2166
_POSITION_CLOSE, _POSITION_FROM_POINT, _MARGIN_WIDTH = 2023, 2022, 2243
_MARGINS = 4
_NOTE_TEXT, _NOTE_STYLE, _NOTES_CLEAR, _NOTES_VISIBLE, _NOTES_OFFSET = 2540, 2542, 2547, 2548, 2550
_NEW_STYLES, _STYLE_FORE, _STYLE_BACK = 2553, 2051, 2052
_UNDER_THE_LINE = 1
_TEXT_WIDTH = 2276
_LEAST_COLUMNS, _MOST_ROWS = 30, 3


@dataclass(slots=True)
class _Shown:
    problem: LineProblem
    handle: int


class ScintillaProblems:
    """The problems of one editor.

    Args:
        theme: The look.
        send: Sends a message to Scintilla.
        text: Returns the bytes of a range.
        define_image: Gives a marker a picture: number, pixels as ARGB32, width, height.
        room: Returns how wide the text may be, in pixels.
    """

    def __init__(
        self,
        theme: Theme,
        send: Send,
        text: Bytes,
        define_image: DefineImage,
        room: Callable[[], int],
    ) -> None:
        self._theme = theme
        self._send = send
        self._text = text
        self._define_image = define_image
        self._room = room
        self._shown: list[_Shown] = []
        self._note_style = send(_NEW_STYLES, 1)
        send(_NOTES_OFFSET, self._note_style)
        send(_NOTES_VISIBLE, _UNDER_THE_LINE)

    def dress(self, ratio: float) -> None:
        """Take icons and colours from the theme, for a screen of this pixel ratio."""
        send = self._send
        for marker, tint, indicator, icon, tone in _LOOKS.values():
            image = self._theme.pixmap(icon, f"{tone}.text", _ICON_PX, ratio).toImage()
            image = image.convertToFormat(QImage.Format.Format_ARGB32)
            self._define_image(marker, bytes(image.constBits()), image.width(), image.height())
            send(_DEFINE, tint, _BACKGROUND)
            send(_SET_BACK, tint, _bgr(self._theme.color(f"{tone}.subtle")))
            send(_INDIC_STYLE, indicator, _SQUIGGLE)
            send(_INDIC_FORE, indicator, _bgr(self._theme.color(f"{tone}.text")))
        send(_STYLE_FORE, self._note_style, _bgr(self._theme.color("danger.text")))
        send(_STYLE_BACK, self._note_style, _bgr(self._theme.color("danger.subtle")))

    def show(self, problems: Sequence[LineProblem]) -> None:
        """Replace what is marked; lines that the text does not have are left out."""
        self.clear()
        lines = self._send(_LINE_COUNT)
        for problem in problems:
            if 1 <= problem.line <= lines:
                self._mark(problem)
        self._say_errors()

    def clear(self) -> None:
        self._shown.clear()
        self._send(_NOTES_CLEAR)
        for marker, tint, indicator, *_ in _LOOKS.values():
            self._send(_DELETE_ALL, marker)
            self._send(_DELETE_ALL, tint)
            self._send(_INDIC_CURRENT, indicator)
            self._send(_INDIC_CLEAR, 0, self._send(_LENGTH))

    def lines(self) -> list[tuple[int, LineProblem]]:
        """Return where the problems stand now, lines from 1; those whose line was deleted are left out."""
        found = [(self._send(_LINE_OF_HANDLE, s.handle) + 1, s.problem) for s in self._shown]
        return [(line, problem) for line, problem in found if line > 0]

    def told(self, at: QPoint) -> str:
        """Return what is to be said at a place of the viewport."""
        left = sum(self._send(_MARGIN_WIDTH, margin) for margin in range(_MARGINS))
        if at.x() < left:
            line = self._send(_LINE_FROM, self._send(_POSITION_FROM_POINT, left, at.y())) + 1
            return told_at([problem for where, problem in self.lines() if where == line])
        position = self._send(_POSITION_CLOSE, at.x(), at.y())
        if position < 0:
            return ""
        values = [self._send(_INDIC_VALUE_AT, look[2], position) for look in _LOOKS.values()]
        named = [self._shown[v - 1].problem for v in values if 0 < v <= len(self._shown)]
        same = [
            s.problem
            for s in self._shown
            if any((s.problem.line, s.problem.column) == (p.line, p.column) for p in named)
        ]
        return told_at(same)

    def _mark(self, problem: LineProblem) -> None:
        line = problem.line - 1
        marker, tint, indicator, *_ = _LOOKS[problem.level]
        self._shown.append(_Shown(problem, self._send(_ADD, line, marker)))
        if problem.level == "error":
            self._send(_ADD, line, tint)
        start, end = self._send(_LINE_START, line), self._send(_LINE_END, line)
        text = self._text(start, end).decode("utf-8", "replace")
        first, last = marked_part(text, problem.column)
        begin = start + len(text[:first].encode())
        length = len(text[first:last].encode())
        if length > 0:
            self._send(_INDIC_CURRENT, indicator)
            self._send(_INDIC_VALUE, len(self._shown))
            self._send(_INDIC_FILL, begin, length)

    def _say_errors(self) -> None:
        """Write under each line what is wrong there."""
        said: dict[int, list[str]] = {}
        for line, problem in self.lines():
            if problem.level == "error":
                said.setdefault(line - 1, []).append(problem.message.strip().split("\n", 1)[0])
        # A letter is a fraction of a pixel wider than what Scintilla says of it alone.
        hundred = max(1, self._send(_TEXT_WIDTH, self._note_style, b"0" * 100))
        columns = self._room() * 100 // hundred
        for line, messages in said.items():
            rows = [
                row for message in dict.fromkeys(messages) for row in _wrapped(message, columns)
            ]
            self._send(_NOTE_TEXT, line, "\n".join(rows).encode())
            self._send(_NOTE_STYLE, line, 0)


def _wrapped(message: str, columns: int) -> list[str]:
    """Return a message in rows of so many columns, with air at their sides."""
    width = max(_LEAST_COLUMNS, columns) - 2
    rows = textwrap.wrap(message, width, max_lines=_MOST_ROWS, placeholder="…")
    return [f" {row} " for row in rows]


def _bgr(colour: QColor) -> int:
    return colour.red() | colour.green() << 8 | colour.blue() << 16
