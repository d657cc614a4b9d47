"""Debugging as it comes, in the order in which it was said."""

from __future__ import annotations

from vibedesk.ui.debug_transcript import DebugTranscript


def test_turns_come_in_order_and_earlier_ones_are_filled_in() -> None:
    told: list[tuple[str, str, str, str]] = []
    transcript = DebugTranscript(lambda *row: told.append(row))
    assert transcript.add("s", 2, "model", "The store saves no date.\nSHOW src/db.ts")
    assert not transcript.add("s", 2, "facts", "export const version = 1;")
    transcript.fill(
        "s",
        [
            {"turn": 1, "role": "model", "text": "What does the log say?\nLOG"},
            {"turn": 1, "role": "facts", "text": "ready in 300 ms"},
        ],
    )
    session, words, detail, state = told[-1]
    assert (session, state) == ("s", "running")
    assert words == "turn 2 · The store saves no date."
    assert detail == (
        "Turn 1, VibeDesk:\nWhat does the log say?\nLOG\n\n"
        "Turn 1, what it saw:\nready in 300 ms\n\n"
        "Turn 2, VibeDesk:\nThe store saves no date.\nSHOW src/db.ts\n\n"
        "Turn 2, what it saw:\nexport const version = 1;"
    )
    transcript.end(failed=False)
    assert told[-1][3] == "done"
    count = len(told)
    transcript.end(failed=True)
    assert len(told) == count, "a session ends once"


def test_a_session_that_did_not_help_says_so() -> None:
    told: list[str] = []
    transcript = DebugTranscript(lambda *row: told.append(row[3]))
    assert not transcript.add("s", 1, "model", "I do not know.")
    transcript.end(failed=True)
    assert told == ["running", "failed"]
