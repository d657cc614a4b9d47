"""Talking: the answer to one message of the person's, and the summary of a conversation that grew long."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from vibedesk.base.aio import Batcher
from vibedesk.engine.builder.context import converse_request, summarize_request
from vibedesk.engine.builder.focus import of_message, with_asked
from vibedesk.engine.builder.images import images_of, with_images
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.relevance.scores import Focus
from vibedesk.engine.builder.reply import ReplySplitter
from vibedesk.engine.builder.since import since_last_answer
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.builder.transcript import OldPart, old_part
from vibedesk.engine.builder.whole_answer import whole_answer
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import MessageChunk, MessageRestarted, Notice
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    BudgetExceededError,
    ModelError,
    ModelRequest,
    TextDelta,
)
from vibedesk.engine.store.conversation import ConversationStore


@dataclass(frozen=True, slots=True)
class Reply:
    """A conversation's answer: what to read, and the change that came with it."""

    text: str
    scof: str
    no_change: bool
    """The model said that the message needs no change."""
    asked: tuple[str, ...] = ()
    """Files that it wants to see before it answers."""
    anew: tuple[str, ...] = ()
    """Fields of the plan that the person edited and now wants otherwise."""
    regenerate: str = ""
    """The file that the person wants to be written anew; then it carries no change, and queues none."""
    version: int = 0
    """That of the code that the model was shown."""


async def converse(
    access: ProjectAccess,
    message_id: str,
    message: str,
    reply_id: str,
    *,
    activity: str,
    turn: int,
    plan: Sequence[str] | None = None,
) -> Reply:
    """Answer `message`; the text is stored in message `reply_id` and told while it comes.

    An answer that breaks off is asked for again, from its beginning; one that asks for files once, with them. `plan` are
    the fields that the person edited of a blueprint that waits for them, None where none does.

    Raises:
        BadAnswerError: it asks for files again.
    """

    async def store(pieces: list[str]) -> None:
        text = "".join(pieces)

        def work(emit: Emit) -> None:
            access.store.update_message(reply_id, append=text)
            emit(MessageChunk(reply_id, "assistant", text))

        await access.commit(work)

    def restart(emit: Emit) -> None:
        access.store.update_message(reply_id, text="")
        emit(MessageRestarted(reply_id))

    changes = await access.read(lambda: since_last_answer(access.store, access.files))
    images = await images_of(access, [message_id])

    async def ask(focus: Focus) -> Reply:
        version = await access.read(lambda: access.files.version)
        context = await access.context(focus, before=message_id)
        request = with_images(
            converse_request(
                context, message, activity=activity, turn=turn, changes=changes, plan=plan
            ),
            images,
        )
        reply = await whole_answer(
            lambda: _stream_reply(access, request, store), lambda: access.commit(restart)
        )
        return replace(reply, version=version)

    focus = of_message(message, await access.read(lambda: _said_before(access, message_id)))
    reply = await ask(focus)
    if reply.asked:
        await access.commit(restart)
        reply = await ask(with_asked(focus, reply.asked))
    if reply.asked:
        raise BadAnswerError(
            "The model asked for files instead of answering.",
            remedy="Say it again in other words, or choose another model.",
            retryable=True,
        )
    return reply


def _said_before(access: ProjectAccess, message_id: str) -> list[str]:
    messages = access.store.messages(access.project_id)
    before = itertools.takewhile(lambda message: message.id != message_id, messages)
    return [message.text for message in before if message.role == "user"]


async def _stream_reply(
    access: ProjectAccess,
    request: ModelRequest,
    store: Callable[[list[str]], Awaitable[None]],
) -> Reply:
    splitter = ReplySplitter()
    async with Batcher(store) as batch, aclosing(access.router.stream(request)) as items:
        async for item in items:
            if isinstance(item, TextDelta) and (text := splitter.feed(item.text)):
                await batch.put(text)
        if text := splitter.close():
            await batch.put(text)
    regenerate = "" if splitter.scof.strip() else splitter.regenerate
    return Reply(
        splitter.text,
        splitter.scof,
        splitter.no_change or bool(regenerate),
        splitter.asked,
        splitter.anew,
        regenerate,
    )


async def summarize(access: ProjectAccess, before: str | None) -> None:
    """Sum up the oldest part of the conversation if it has grown long; the transcript itself stays.

    Without a usable answer it is tried again after the next one; where the part has grown too long for that it is left
    out of requests. A notice says so.

    Args:
        access: The project.
        before: The person's message that waits for its answer: it and what follows stay out.
    """

    def look() -> tuple[str, OldPart | None]:
        conversation = ConversationStore(access.project_id)
        text, upto = conversation.summary()
        messages = access.store.messages(access.project_id)
        return text, old_part(messages, after=upto, before=before)

    text, old = await access.read(look)
    if old is None:
        return
    try:
        with timed(access, "summarize"):
            request = summarize_request(await access.context(before=before), old.messages)
            text = await whole_answer(partial(_whole_text, access, request))
    except BudgetExceededError:
        return
    except ModelError as error:
        then = "It is left out of requests." if old.has_to_go else "It is tried again later."
        words = f"The earlier conversation was not summed up: {error.message} {then}"
        await access.bus.emit(access.project_id, Notice(words, "no_summary"))
        if not old.has_to_go:
            return
    await access.read(lambda: ConversationStore(access.project_id).set_summary(text, old.upto))


async def _whole_text(access: ProjectAccess, request: ModelRequest) -> str:
    async with aclosing(access.router.stream(request)) as items:
        text = "".join([item.text async for item in items if isinstance(item, TextDelta)]).strip()
    if not text:
        raise BadAnswerError("The model's answer was empty.")
    return text
