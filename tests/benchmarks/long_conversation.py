"""A conversation of 1,000 messages against one of 50: every step must cost what is in sight, not what was ever said.

CPU time of adding a message, of showing the whole conversation for the first time, of a streamed frame, a resize and
a scroll step, each with its layout and, but for the scroll step, its painting. Medians of alternating rounds; exits 1
over a limit. Run under a display.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, cycle

from PySide6.QtWidgets import QApplication

from tests.benchmarks._in_turn import cpu_seconds, exit_status, within_limit
from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.theme.theme import Theme

_SMALL, _LARGE = 50, 1_000
_MOST_ADDING, _MOST_STEP = 1.5, 2.0
_AT = datetime(2026, 11, 20, 10, 41, tzinfo=UTC)
_PARAGRAPH = (
    "Done. The week strip sits under the **greeting**, and `today` is filled in green. " * 3
)
_CHUNK = _PARAGRAPH[:80] + " "
_CHUNKS_A_MESSAGE = 15


def empty_panel(theme: Theme) -> ChatPanel:
    panel = ChatPanel(theme)
    panel.resize(384, 860)
    panel.show()
    QApplication.processEvents()
    return panel


def say(panel: ChatPanel, messages: int) -> None:
    for number in range(messages // 2):
        at = _AT + timedelta(minutes=2 * number)
        panel.add_user_message(f"u{number}", f"Make it better, please, time {number}", at)
        panel.agent_message_done(f"a{number}", _PARAGRAPH, at)


def settle(panel: ChatPanel) -> None:
    """What is due is laid out and painted."""
    QApplication.sendPostedEvents()
    panel.repaint()


def leave(panel: ChatPanel) -> None:
    panel.close()
    panel.deleteLater()
    QApplication.processEvents()


def adding(theme: Theme, messages: int) -> Callable[[], float]:
    def measure() -> float:
        panel = empty_panel(theme)
        cost = cpu_seconds(lambda: say(panel, messages))
        leave(panel)
        return cost / messages

    return measure


def showing(theme: Theme, messages: int) -> Callable[[], float]:
    def measure() -> float:
        panel = empty_panel(theme)
        say(panel, messages)
        cost = cpu_seconds(lambda: settle(panel))
        leave(panel)
        return cost

    return measure


def streaming(panel: ChatPanel) -> Callable[[], float]:
    chunks = count()

    def frame() -> None:
        message = f"live{next(chunks) // _CHUNKS_A_MESSAGE}"
        panel.agent_message_chunk(message, _CHUNK)
        panel._feed._show_pending()
        settle(panel)

    return lambda: cpu_seconds(frame)


def resizing(panel: ChatPanel) -> Callable[[], float]:
    widths: Iterator[int] = cycle((420, 384))

    def resize() -> None:
        panel.resize(next(widths), 860)
        settle(panel)

    return lambda: cpu_seconds(resize)


def scrolling(panel: ChatPanel) -> Callable[[], float]:
    bar = panel._transcript.verticalScrollBar()
    ways: Iterator[int] = cycle([-1] * 20 + [1] * 20)
    bar.setValue(bar.maximum() - 100)

    def measure() -> float:
        cost = cpu_seconds(lambda: bar.setValue(bar.value() + 60 * next(ways)))
        settle(panel)
        return cost

    return measure


def main() -> int:
    application = QApplication(sys.argv[:1])
    theme = Theme("dark")
    theme.apply(application)
    print(f"{_SMALL} messages / {_LARGE} messages")
    good = [
        within_limit(
            "adding a message",
            adding(theme, _SMALL),
            adding(theme, _LARGE),
            limit=_MOST_ADDING,
            rounds=25,
        ),
        within_limit(
            "showing them",
            showing(theme, _SMALL),
            showing(theme, _LARGE),
            limit=_MOST_STEP,
            rounds=9,
        ),
    ]
    small, large = empty_panel(theme), empty_panel(theme)
    for panel, messages in ((small, _SMALL), (large, _LARGE)):
        say(panel, messages)
        settle(panel)
    for name, step, rounds, warm_up in (
        ("a streamed frame", streaming, 60, 15),
        ("a resize", resizing, 40, 4),
        ("a scroll step", scrolling, 160, 40),
    ):
        good.append(
            within_limit(
                name, step(small), step(large), limit=_MOST_STEP, rounds=rounds, warm_up=warm_up
            )
        )
    leave(small)
    leave(large)
    return exit_status(good)


if __name__ == "__main__":
    sys.exit(main())
