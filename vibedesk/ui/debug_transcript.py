"""Debugging sessions as they come, put into words for a row of the conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication

from vibedesk.ui.chat.card_header import WorkState

_MOST_WORDS = 80

Turn = tuple[int, str, str]
"""Number, role (model, or facts: what it saw) and text."""
Show = Callable[[str, str, str, WorkState], None]
"""Takes the session, what it does in a few words, the whole transcript, and how it stands."""


class DebugTranscript:
    """Gathers the turns of sessions; the last session is the one that runs."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._turns: dict[str, dict[tuple[int, str], str]] = {}
        self._running = ""

    def add(self, session: str, turn: int, role: str, text: str) -> bool:
        """Take in a turn. Return whether earlier ones are missing, because they came before the window did."""
        missing = session not in self._turns and turn > 1
        self._turns.setdefault(session, {})[turn, role] = text
        self._running = session
        self._tell(session, "running")
        return missing

    def fill(self, session: str, turns: Sequence[Mapping[str, Any]]) -> None:
        """Take in turns that are stored."""
        known = self._turns.setdefault(session, {})
        for told in turns:
            known.setdefault((int(told["turn"]), str(told["role"])), str(told["text"]))
        self._tell(session, "running" if session == self._running else "done")

    def end(self, *, failed: bool) -> None:
        """The run went on to something else: the session is over."""
        session, self._running = self._running, ""
        if session:
            self._tell(session, "failed" if failed else "done")

    def _tell(self, session: str, state: WorkState) -> None:
        turns = self._turns[session]
        ordered = _ordered([(turn, role, text) for (turn, role), text in turns.items()])
        detail = transcript_text(ordered)
        said = [text for _, role, text in ordered if role == "model" and text.strip()]
        words = said[-1].strip().split("\n", 1)[0] if said else ""
        if len(words) > _MOST_WORDS:
            words = f"{words[: _MOST_WORDS - 1].rstrip()}…"
        count = max((turn for turn, _ in turns), default=0)
        turn = _tr("turn {0}").format(count)
        self._show(session, f"{turn} · {words}" if words else turn, detail, state)


def in_order(turns: Iterable[Mapping[str, Any]]) -> list[Turn]:
    """Return stored turns in the order in which they were said."""
    return _ordered((int(t["turn"]), str(t["role"]), str(t["text"])) for t in turns)


def transcript_text(turns: Iterable[Turn]) -> str:
    """Return turns as one text."""
    return "\n\n".join(f"{turn_heading(turn, role)}\n{text.strip()}" for turn, role, text in turns)


def _ordered(turns: Iterable[Turn]) -> list[Turn]:
    # The model speaks first in a turn, and is shown what it asked for after that.
    return sorted(turns, key=lambda said: (said[0], said[1] != "model"))


def turn_heading(turn: int, role: str) -> str:
    """Return who said it, and when."""
    words = _tr("Turn {0}, VibeDesk:") if role == "model" else _tr("Turn {0}, what it saw:")
    return words.format(turn)


def _tr(text: str) -> str:
    return QCoreApplication.translate("DebugTranscript", text)
