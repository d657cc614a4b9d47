"""Problems at lines of a file, as an editor marks them and says them when pointed at."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

ProblemLevel = Literal["error", "warning"]
_WORD = re.compile(r"[\w$]+")


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong at a place; `line` counts from 1, `column` in characters from 1, 0 for the whole line."""

    line: int
    column: int
    level: ProblemLevel
    message: str


def marked_part(text: str, column: int) -> tuple[int, int]:
    """Return where in a line, in characters from 0, its problem is underlined.

    That is the word at the column; without one the rest of the line from there, and without a column all
    that is not indentation.
    """
    stripped = text.rstrip()
    indent = len(stripped) - len(stripped.lstrip())
    start = min(max(column - 1, indent), len(stripped)) if column else indent
    if not column:
        return start, len(stripped)
    while start < len(stripped) and stripped[start].isspace():
        start += 1
    word = _WORD.match(stripped, start)
    if word is not None:
        return word.span()
    if start < len(stripped):
        return start, start + 1
    return max(indent, start - 1), start


def told_at(problems: Sequence[LineProblem]) -> str:
    """Return what is said of problems at one place, each message once."""
    return "\n\n".join(dict.fromkeys(problem.message.strip() for problem in problems))


class ProblemHover(QObject):
    """Says the problem under the mouse, in the text or in the gutter beside it.

    Args:
        area: The editor.
        told: Returns what is to be said at a place of its viewport; "" for nothing.
    """

    def __init__(self, area: QAbstractScrollArea, told: Callable[[QPoint], str]) -> None:
        super().__init__(area)
        self._viewport = area.viewport()
        self._told = told
        self._viewport.installEventFilter(self)

    def stop(self) -> None:
        """Say no more; needed before the editor is let go, whose widget lives a little longer."""
        self._viewport.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return False
        text = self._told(event.pos())
        if text:
            QToolTip.showText(event.globalPos(), text, self._viewport)
        else:
            QToolTip.hideText()
        return True
