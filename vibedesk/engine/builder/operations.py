"""The operations: each asks a model once (and again where an answer broke off) and takes the answer in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from vibedesk.base.aio import Batcher
from vibedesk.engine.builder.context import (
    blueprint_request,
    continue_request,
    converse_request,
    fix_request,
    implement_request,
    plan_request,
    resend_request,
)
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.reply import ReplySplitter
from vibedesk.engine.builder.schemas import Blueprint, Phase
from vibedesk.engine.builder.scof_writer import ScofWriter, WrittenFiles
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import BlueprintChunk, MessageChunk, Notice
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    Finished,
    ModelRequest,
    StreamInterruptedError,
    TextDelta,
)

_MAX_CONTINUATIONS = 6
_MAX_WITHOUT_PROGRESS = 2
_BETWEEN_FILES = ("", "")
"""The place where an answer broke off, when it was in no file."""


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
    request = implement_request(await access.context(), number, phase)
    planned = [f.path for f in phase.files]
    purposes = {f.path: f.purpose for f in phase.files}
    written = already or WrittenFiles()
    if already is not None:
        written.cut = _cut_or_between(written)
        return await _complete(access, request, number, purposes, written, planned, "agent")
    return await _write(access, request, number, purposes, written, planned)


async def fix_problems(access: ProjectAccess, number: int, problems: Sequence[str]) -> WrittenFiles:
    """Ask for a mend of `problems` and write it."""
    request = fix_request(await access.context(), number, problems)
    return await _write(access, request, number, {}, WrittenFiles(), [], origin="fix")


async def write_reply(access: ProjectAccess, number: int, scof: str) -> WrittenFiles:
    """Write the files of a conversation's reply, whose SCOF has come whole."""
    written = WrittenFiles()
    async with ScofWriter(access, phase=number, purposes={}, written=written) as writer:
        await writer.feed(scof)
    context = await access.context()
    request = converse_request(context, "(see above)", activity="", turn=0)
    return await _complete(access, request, number, {}, written, [], "agent")


@dataclass(frozen=True, slots=True)
class Reply:
    """A conversation's answer: what to read, and the change that came with it."""

    text: str
    scof: str
    no_change: bool
    """The model said that the message needs no change."""


async def converse(
    access: ProjectAccess, message: str, reply_id: str, *, activity: str, turn: int
) -> Reply:
    """Answer `message`; the text is stored in message `reply_id` and told while it comes."""

    async def store(pieces: list[str]) -> None:
        text = "".join(pieces)

        def work(emit: Emit) -> None:
            access.store.update_message(reply_id, append=text)
            emit(MessageChunk(reply_id, "assistant", text))

        await access.commit(work)

    splitter = ReplySplitter()
    request = converse_request(await access.context(), message, activity=activity, turn=turn)
    async with Batcher(store) as batch, aclosing(access.router.stream(request)) as items:
        async for item in items:
            if isinstance(item, TextDelta) and (text := splitter.feed(item.text)):
                await batch.put(text)
        if text := splitter.close():
            await batch.put(text)
    return Reply(splitter.text, splitter.scof, splitter.no_change)


async def _write(
    access: ProjectAccess,
    request: ModelRequest,
    number: int,
    purposes: Mapping[str, str],
    written: WrittenFiles,
    planned: Sequence[str],
    *,
    origin: str = "agent",
) -> WrittenFiles:
    before = written.changes
    ended = await _stream(access, request, number, purposes, written, origin)
    if ended and written.changes == before and not written.refused and not written.cut:
        await access.bus.emit(
            access.project_id,
            Notice("The answer changed nothing; asking once more.", "nothing_changed"),
        )
        ended = await _stream(access, request, number, purposes, written, origin)
        if written.changes == before and ended:
            raise BadAnswerError(
                "The model's answer changed nothing.",
                remedy="Try again, or choose another model.",
            )
    if not ended:
        written.cut = _cut_or_between(written)
    return await _complete(access, request, number, purposes, written, planned, origin)


async def _complete(
    access: ProjectAccess,
    original: ModelRequest,
    number: int,
    purposes: Mapping[str, str],
    written: WrittenFiles,
    planned: Sequence[str],
    origin: str,
) -> WrittenFiles:
    """Ask on until nothing is cut off and no change is refused.

    A file that was cut off or refused stays on the list until it has come whole.
    """
    stuck = 0
    for _ in range(_MAX_CONTINUATIONS):
        if written.cut is None and not written.refused:
            return written
        before = written.changes
        between = written.cut == _BETWEEN_FILES
        if written.cut is not None:
            request = _go_on(original, written, planned)
            written.cut = None if between else written.cut
        else:
            files = await access.read(access.files.texts)
            request = resend_request(original, written.refused, files)
        ended = await _stream(access, request, number, purposes, written, origin)
        silent = between and written.changes == before and bool(_missing(written, planned))
        if not ended or silent:
            written.cut = _cut_or_between(written)
        stuck = stuck + 1 if written.changes == before else 0
        if stuck >= _MAX_WITHOUT_PROGRESS:
            break
    if written.cut is None and not written.refused:
        return written
    left = ", ".join(
        dict.fromkeys([*(written.cut or ())[:1], *(path for path, _ in written.refused)])
    )
    raise BadAnswerError(
        f"The model did not send {left or 'the rest of its answer'}, also when asked again.",
        remedy="What came is kept. Continue, or choose another model.",
        retryable=True,
    )


def _go_on(original: ModelRequest, written: WrittenFiles, planned: Sequence[str]) -> ModelRequest:
    cut = None if written.cut == _BETWEEN_FILES else written.cut
    missing = [path for path in _missing(written, planned) if cut is None or path != cut[0]]
    return continue_request(original, finished=written.finished, cut=cut, missing=missing)


def _missing(written: WrittenFiles, planned: Sequence[str]) -> list[str]:
    return [path for path in planned if path not in written.finished]


async def _stream(
    access: ProjectAccess,
    request: ModelRequest,
    number: int,
    purposes: Mapping[str, str],
    written: WrittenFiles,
    origin: str,
) -> bool:
    """Stream one answer into the project; return whether the model ended it by itself."""
    ended = False
    async with ScofWriter(
        access, phase=number, purposes=purposes, written=written, origin=origin
    ) as writer:
        try:
            async with aclosing(access.router.stream(request)) as items:
                async for item in items:
                    match item:
                        case TextDelta(text):
                            await writer.feed(text)
                        case Finished(stop_reason):
                            ended = stop_reason != "max_tokens"
        except StreamInterruptedError as error:
            notice = Notice(f"{error.message} Going on from there.", "stream_interrupted")
            await access.bus.emit(access.project_id, notice)
    return ended


def _cut_or_between(written: WrittenFiles) -> tuple[str, str]:
    """Return the file the answer broke off in, with what came of it."""
    return written.cut or _BETWEEN_FILES
