"""A model that replays a recorded session, and says in every place that it is recorded."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from vibedesk.engine.models.capabilities import ModelCapabilities
from vibedesk.engine.models.prices import FREE
from vibedesk.engine.models.protocol import (
    Finished,
    ModelRequest,
    NoMoreRecordedAnswersError,
    StopReason,
    StreamItem,
    TextDelta,
)
from vibedesk.engine.models.samples import RecordedReply, Recording, ReplyKind, load_recording

RECORDED_PROVIDER: Final = "recorded"
DEFAULT_PACE: Final = 250.0
"""Tokens per second: about what a fast model streams."""

_CHARS_PER_TOKEN = 4
_UNPACED_CHUNK = 2_000
_BOUNDLESS = 10_000_000


class RecordedModel:
    """Answers from a recording, chosen by the request's operation, phase and turn alone.

    It keeps no state between calls, so a run that was cut off goes on with the right answers. `continue` gives
    the whole reply of its phase again: the files that came before are re-sent unchanged, whichever they were.
    `converse` answers only what the person said in the recording, never a wish of one's own.

    Args:
        folder: The recording.
        pace: Tokens per second; 0 gives the text as fast as it is taken.
        truncated: Play the broken-off variant of a reply, where there is one, and its continuation.
        sleep: How to wait between two pieces.
    """

    def __init__(
        self,
        folder: Path,
        *,
        pace: float = DEFAULT_PACE,
        truncated: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._pace = pace
        self._truncated = truncated
        self._sleep = sleep

    @property
    def name(self) -> str:
        return f"recorded example {self._folder.name}"

    @property
    def provider(self) -> str:
        return RECORDED_PROVIDER

    @property
    def capabilities(self) -> ModelCapabilities:
        """Nothing is too much for a recording, and nothing of it costs anything."""
        return ModelCapabilities(
            context_window=_BOUNDLESS, max_output_tokens=_BOUNDLESS, price=FREE, known=True
        )

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Yield the recorded answer in pieces of uneven size, then `Finished` without tokens.

        Raises:
            NoMoreRecordedAnswersError: The recording has no answer to this.
        """
        text, stop_reason = await asyncio.to_thread(self._answer, request)
        # The seed makes the pieces of an answer the same at every replay.
        rng = random.Random(
            f"{self._folder.name}/{request.operation}/{request.phase}/{request.turn}"
        )
        for piece in self._pieces(text, rng):
            yield TextDelta(piece)
            await self._sleep(len(piece) / _CHARS_PER_TOKEN / self._pace if self._pace else 0)
        yield Finished(stop_reason)

    async def aclose(self) -> None:
        """Release nothing: there is no connection."""

    def _pieces(self, text: str, rng: random.Random) -> Iterator[str]:
        position = 0
        while position < len(text):
            size = (
                rng.choice((2, 3, 4, 5, 7, 12, 24))
                if self._pace
                else rng.randint(1, _UNPACED_CHUNK)
            )
            yield text[position : position + size]
            position += size

    def _answer(self, request: ModelRequest) -> tuple[str, StopReason]:
        recording = load_recording(self._folder)
        match request.operation:
            case "blueprint":
                return self._reply(recording, "blueprint", 1).text(), "end"
            case "plan_phase":
                return self._reply(recording, "phase", request.phase).text(), "end"
            case "fix":
                return self._reply(recording, "fix", request.phase).text(), "end"
            case "implement_phase":
                return self._implement(recording, request.phase)
            case "continue":
                return self._continue(recording, request.phase), "end"
            case "converse":
                return self._converse(recording, request), "end"
            case _:
                raise _nothing_recorded(recording)

    def _reply(self, recording: Recording, kind: ReplyKind, phase: int) -> RecordedReply:
        reply = recording.reply(kind, phase)
        if reply is None:
            raise _nothing_recorded(recording)
        return reply

    def _implement(self, recording: Recording, phase: int) -> tuple[str, StopReason]:
        reply = self._reply(recording, "implement", phase)
        variant = recording.truncated.get(reply.path.name) if self._truncated else None
        if variant is None:
            return reply.text(), "end"
        return variant.read_bytes().decode("utf-8", errors="replace"), "max_tokens"

    def _continue(self, recording: Recording, phase: int) -> str:
        reply = self._reply(recording, "implement", phase)
        if (
            self._truncated
            and recording.continued is not None
            and reply.path.name in recording.truncated
        ):
            return recording.continued.read_bytes().decode("utf-8", errors="replace")
        return reply.text()

    def _converse(self, recording: Recording, request: ModelRequest) -> str:
        """Return the reply of that turn if the person says what was said in the recording."""
        said = _words(request.messages[-1].text) if request.messages else ""
        conversations = recording.conversations()
        if request.turn < len(conversations):
            reply = conversations[request.turn]
            if _words(reply.user_message()) in said:
                return reply.text()
        raise _nothing_recorded(recording)


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _nothing_recorded(recording: Recording) -> NoMoreRecordedAnswersError:
    return NoMoreRecordedAnswersError(
        f"This is a recorded example ({recording.slug}); it has no more recorded answers.",
        remedy="Start a project of your own with a model to go further.",
    )
