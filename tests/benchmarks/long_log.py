"""A log of 10,000 lines against one of 500: a frame of new lines must cost what is in sight, not what was ever logged.

CPU time of taking in, laying out and painting ten new lines, and of one change of the filter per line that is held.
Medians of alternating rounds; exits 1 over a limit. Run under a display.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle

from PySide6.QtWidgets import QApplication

from tests.benchmarks._in_turn import cpu_seconds, exit_status, within_limit
from vibedesk.ui.dock.logs_model import LogLine
from vibedesk.ui.dock.logs_panel import LogsPanel
from vibedesk.ui.theme.theme import Theme

_SMALL, _LARGE = 500, 10_000
_MOST_FRAME, _MOST_FILTER = 3.0, 1.5
_A_FRAME = 10
_AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)


def lines(count: int) -> list[LogLine]:
    return [LogLine(_AT, "vite", f"line {number}") for number in range(count)]


def filled(theme: Theme, count: int) -> LogsPanel:
    panel = LogsPanel(theme)
    panel.resize(900, 160)
    panel.show()
    panel.model.append(lines(count))
    QApplication.processEvents()
    return panel


def a_frame(panel: LogsPanel) -> Callable[[], float]:
    new = lines(_A_FRAME)

    def show() -> None:
        panel.model.append(new)
        QApplication.processEvents()
        panel.repaint()

    return lambda: cpu_seconds(show)


def filtering(panel: LogsPanel) -> Callable[[], float]:
    words: Iterator[str] = cycle(("LINE 19", ""))
    held = len(panel.model.lines)
    return lambda: cpu_seconds(lambda: panel.set_filter(next(words))) / held


def main() -> int:
    application = QApplication(sys.argv[:1])
    theme = Theme("dark")
    theme.apply(application)
    small, large = filled(theme, _SMALL), filled(theme, _LARGE)
    print(f"{_SMALL} lines / {_LARGE} lines")
    good = [
        within_limit(
            "a line, by a filter",
            filtering(small),
            filtering(large),
            limit=_MOST_FILTER,
            rounds=40,
            warm_up=2,
        ),
        within_limit(
            f"a frame of {_A_FRAME} new lines",
            a_frame(small),
            a_frame(large),
            limit=_MOST_FRAME,
            rounds=100,
            warm_up=5,
        ),
    ]
    small.close()
    large.close()
    return exit_status(good)


if __name__ == "__main__":
    sys.exit(main())
