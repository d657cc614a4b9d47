"""The operations: each asks a model once (and again where an answer broke off) and takes the answer in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from vibedesk.base.aio import Batcher
from vibedesk.engine.builder.context import (
    blueprint_request,
    converse_request,
    fix_request,
    implement_request,
    plan_request,
)
from vibedesk.engine.builder.file_answer import BETWEEN_FILES, FileAnswer
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.reply import ReplySplitter
from vibedesk.engine.builder.schemas import Blueprint, Phase
from vibedesk.engine.builder.scof_writer import WrittenFiles
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import BlueprintChunk, MessageChunk
from vibedesk.engine.models.protocol import TextDelta


async def make_blueprint(access: ProjectAccess) -> Blueprint:
    """Ask for the blueprint; its text is stored and told while it comes."""

    async def store(pieces: list[str]) -> None:
        text = "".join(pieces)

        def work(emit: Emit) -> None:
            access.store.append_blueprint_text(access.project_id, text)
            emit(BlueprintChunk(text))

        await access.commit(work)

    async with Batcher(store) as batch:

        async def restart() -> None:
            await batch.flush()
            await access.commit(lambda _: access.store.update(access.project_id, blueprint_text=""))

        await restart()
        request = blueprint_request(await access.context())
        return await access.router.ask_structured(request, Blueprint, batch.put, restart)


async def plan_phase(access: ProjectAccess, number: int, *, final: bool) -> Phase:
    """Ask what phase `number` is to do."""
    request = plan_request(await access.context(), number, final=final)
    return await access.router.ask_structured(request, Phase)


async def implement_phase(
    access: ProjectAccess, number: int, phase: Phase, *, already: WrittenFiles | None = None
) -> WrittenFiles:
    """Ask for the files of a phase and write them.

    Args:
        access: The project.
        number: Which phase.
        phase: Its plan.
        already: What had come before the run was cut off; those files are not asked for again.

    Raises:
        BadAnswerError: The answer changes nothing, also when asked again, or keeps breaking off.
    """
    answer = FileAnswer(
        access,
        number,
        lambda context: implement_request(context, number, phase),
        planned=[f.path for f in phase.files],
        purposes={f.path: f.purpose for f in phase.files},
        written=already,
    )
    if already is None:
        return await answer.take()
    already.cut = already.cut or BETWEEN_FILES
    return await answer.complete()


async def fix_problems(access: ProjectAccess, number: int, problems: Sequence[str]) -> WrittenFiles:
    """Ask for a mend of `problems` and write it."""
    answer = FileAnswer(
        access, number, lambda context: fix_request(context, number, problems), origin="fix"
    )
    return await answer.take()


async def write_reply(
    access: ProjectAccess,
    number: int,
    asked: str,
    scof: str,
    *,
    already: WrittenFiles | None,
    note: Callable[[WrittenFiles], None],
) -> WrittenFiles:
    """Write the files of a conversation's reply to `asked`, whose SCOF is here.

    Args:
        access: The project.
        number: Phase that the files belong to.
        asked: What the person said.
        scof: The change that was the answer.
        already: What had come of it before the run was cut off; the SCOF is written then.
        note: Stores that the SCOF is written and what is owed still, in the transaction that writes it.

    Raises:
        BadAnswerError: nothing is changed, also when asked again, or the rest keeps breaking off.
    """
    written = already or WrittenFiles()
    answer = FileAnswer(
        access,
        number,
        lambda context: converse_request(
            context, asked, activity="the change that you answered with is being written", turn=0
        ),
        written=written,
    )
    if already is None:
        await answer.write(scof, lambda _: note(written))
    return await answer.go_on()


@dataclass(frozen=True, slots=True)
class Reply:
    """A conversation's answer: what to read, and the change that came with it."""

    text: str
    scof: str
    no_change: bool
    """The model said that the message needs no change."""


async def converse(
    access: ProjectAccess,
    message_id: str,
    message: str,
    reply_id: str,
    *,
    activity: str,
    turn: int,
) -> Reply:
    """Answer `message`; the text is stored in message `reply_id` and told while it comes."""

    async def store(pieces: list[str]) -> None:
        text = "".join(pieces)

        def work(emit: Emit) -> None:
            access.store.update_message(reply_id, append=text)
            emit(MessageChunk(reply_id, "assistant", text))

        await access.commit(work)

    splitter = ReplySplitter()
    context = await access.context(before=message_id)
    request = converse_request(context, message, activity=activity, turn=turn)
    async with Batcher(store) as batch, aclosing(access.router.stream(request)) as items:
        async for item in items:
            if isinstance(item, TextDelta) and (text := splitter.feed(item.text)):
                await batch.put(text)
        if text := splitter.close():
            await batch.put(text)
    return Reply(splitter.text, splitter.scof, splitter.no_change)
