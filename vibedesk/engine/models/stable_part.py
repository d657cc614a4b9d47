"""How a request goes out so that what it has in common with the one before is read from the provider's cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from vibedesk.engine.models.protocol import ChatMessage, ModelRequest


def visible_request(request: ModelRequest, *, images: bool) -> ModelRequest:
    """Return the request as the model gets it: where it sees no `images`, it is told which there are."""
    if images or not any(turn.images for turn in request.messages):
        return request
    return replace(request, messages=tuple(_told(turn) for turn in request.messages))


def stable_end(turn: ChatMessage) -> int:
    """Return how many characters of a turn's text come before its images."""
    return turn.stable_ends[-1] if turn.stable_ends else 0


def system_blocks(request: ModelRequest) -> tuple[list[dict[str, Any]], tuple[ChatMessage, ...]]:
    """Return system prompt and stable part as blocks with cache marks, and the turns without that part.

    It stands with the system prompt because Anthropic drops what it has cached of the turns, but not of the system
    prompt, as soon as a request has pictures, or an effort, that the one before did not have.
    """
    first, *others = request.messages
    end = stable_end(first)
    if not first.images and not first.text[end:]:
        # A turn has to say something.
        return _marked([request.system]), request.messages
    stable = [first.text[begin:until] for begin, until in pairwise((0, *first.stable_ends))]
    rest = replace(first, text=first.text[end:], stable_ends=())
    return _marked([request.system, *stable]), (rest, *others)


def _marked(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return texts, those first that change most rarely, as blocks with cache marks.

    A cache is written at marks, of which a request has four at most, and read at the end of any block. So they stand
    where the next request will look: behind the first two, which hardly ever change, behind all but the last,
    which is what changed just now, and behind all.
    """
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text} for text in texts if text]
    for block in (*blocks[:2], *blocks[-2:]):
        block["cache_control"] = {"type": "ephemeral"}
    return blocks


def _told(turn: ChatMessage) -> ChatMessage:
    if not turn.images:
        return turn
    names = ", ".join(image.name or image.media_type for image in turn.images)
    note = f"[Attached, but not visible to you: {names}]"
    end = stable_end(turn)
    return replace(turn, text=f"{turn.text[:end]}{note}\n\n{turn.text[end:]}", images=())
