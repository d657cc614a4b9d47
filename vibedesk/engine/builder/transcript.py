"""The conversation as requests carry it: the recent messages, and where the older ones are cut off.

A cut is always before a message of the person's, so that no answer is parted from its question, and it moves in
large steps: between two of them the requests of a conversation begin with the same messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vibedesk.engine.scof import ScofParser
from vibedesk.engine.store.records import MessageRecord

MOST_CHARACTERS = 48_000
"""About 12,000 tokens. A history that grows beyond it is summed up, all but half of it."""
MOST_UNSUMMED = 2 * MOST_CHARACTERS
"""A history that no model sums up is cut only beyond this."""


@dataclass(frozen=True, slots=True)
class OldPart:
    """The messages that are to be summed up, as (role, text), and the last of the person's among them."""

    messages: tuple[tuple[str, str], ...]
    upto: str
    has_to_go: bool
    """They are too many to go with requests until a model sums them up."""


def history(
    messages: Sequence[MessageRecord], *, after: str = "", before: str | None = None
) -> list[tuple[str, str]]:
    """Return (role, text) of the conversation, each answer after its question.

    Args:
        messages: The transcript.
        after: Leave out this message of the person's, with its answer, and everything before it.
        before: Leave out this message of the person's, and everything after it.
    """
    return [(m.role, _with_outcome(m)) for m in _between(messages, after, before)]


def old_part(
    messages: Sequence[MessageRecord], *, after: str, before: str | None
) -> OldPart | None:
    """Return what has to leave the history to make it half as long as it may be; None while it is short enough."""
    told = [(_question(m), m.role, _with_outcome(m)) for m in _between(messages, after, before)]
    size = sum(len(text) for _, _, text in told)
    if size <= MOST_CHARACTERS:
        return None
    left, upto = MOST_CHARACTERS // 2, told[-1][0]
    for question in sorted({question for question, _, _ in told}, reverse=True):
        left -= sum(len(text) for asked, _, text in told if asked == question)
        if left < 0:
            upto = question
            break
    old = tuple((role, text) for asked, role, text in told if asked <= upto)
    return OldPart(old, upto, has_to_go=size > MOST_UNSUMMED)


def _between(
    messages: Sequence[MessageRecord], after: str, before: str | None
) -> list[MessageRecord]:
    ordered = sorted(messages, key=lambda m: (_question(m), m.id))
    return [
        m
        for m in ordered
        if m.complete and _question(m) > after and (before is None or _question(m) < before)
    ]


def _question(message: MessageRecord) -> str:
    return str(message.data.get("answers") or message.id)


def _with_outcome(message: MessageRecord) -> str:
    """Return a message's text with what came of it, which the person saw in other places."""
    if scof := message.data.get("scof"):
        paths = ", ".join(dict.fromkeys(e.path for e in ScofParser().feed(scof) if e.path))
        return f"{message.text}\n\n(The change followed in SCOF: {paths or 'packages'}.)"
    if path := message.data.get("regenerate"):
        return f"{message.text}\n\n[regenerate {path}]"
    return f"{message.text}\n\n[no change]" if message.data.get("no_change") else message.text
