"""The operations: each asks a model once (and again where an answer broke off) and takes the answer in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vibedesk.engine.builder.context import (
    ProjectContext,
    converse_request,
    fix_request,
    implement_request,
    plan_request,
)
from vibedesk.engine.builder.file_answer import BETWEEN_FILES, FileAnswer
from vibedesk.engine.builder.focus import of_message, of_phase, of_plan, of_problems, with_asked
from vibedesk.engine.builder.images import OF_THE_WISH, images_of, with_images
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.relevance.scores import Focus
from vibedesk.engine.builder.schemas import NextPhase, Phase
from vibedesk.engine.builder.scof_writer import WrittenFiles
from vibedesk.engine.events import Notice
from vibedesk.engine.models.protocol import BadAnswerError, ModelRequest
from vibedesk.engine.store.records import WishRecord


async def plan_phase(
    access: ProjectAccess, number: int, wishes: Sequence[WishRecord], *, final: bool
) -> NextPhase:
    """Ask what phase `number` is to do, and which of the open `wishes` it answers, by their place in the list."""
    texts = [wish.text for wish in wishes]

    def look() -> Focus:
        blueprint = access.store.get(access.project_id).blueprint
        return of_plan(blueprint, number - 1, texts)

    context = replace(await access.context(await access.read(look)), wishes=texts)
    request = plan_request(context, number, final=final)
    images = await images_of(access, await access.read(lambda: _messages_of(access, wishes)))
    request = with_images(request, images, reference=True)
    return await access.router.ask_structured(request, NextPhase)


async def implement_phase(
    access: ProjectAccess,
    number: int,
    phase: Phase,
    *,
    missing: Sequence[str] = (),
    already: WrittenFiles | None = None,
) -> WrittenFiles:
    """Ask for the files of a phase and write them.

    Args:
        access: The project.
        number: Which phase.
        phase: Its plan.
        missing: Packages of its plan that the registry does not have.
        already: What had come before the run was cut off; those files are not asked for again.

    Raises:
        BadAnswerError: The answer changes nothing, also when asked again, or keeps breaking off.
    """
    wishes = await access.read(lambda: access.store.wishes(access.project_id, "planned"))
    messages = await access.read(lambda: _messages_of(access, wishes))
    images = await images_of(access, messages | ({OF_THE_WISH} if number == 1 else set()))
    answer = FileAnswer(
        access,
        number,
        of_phase(phase, [wish.text for wish in wishes]),
        lambda context: with_images(
            implement_request(context, number, phase, missing=missing), images, reference=True
        ),
        planned=[f.path for f in phase.files],
        purposes={f.path: f.purpose for f in phase.files},
        written=already,
    )
    if already is None:
        return await answer.take()
    already.cut = already.cut or BETWEEN_FILES
    return await answer.complete()


async def fix_problems(
    access: ProjectAccess,
    number: int,
    problems: Sequence[str],
    tried: Sequence[str] = (),
    *,
    attempt: int = 1,
    besides: str = "",
    doubtful: int = 0,
) -> WrittenFiles:
    """Ask for a mend of `problems` and write it.

    A later attempt than the first sees more of the project; the second asks the next model of the route first, if
    there is one.

    Args:
        access: The project.
        number: The open phase.
        problems: What is wrong, a text each.
        tried: What earlier mends did, in vain.
        attempt: Which one it is, from 1.
        besides: What else is known, as it is told the model.
        doubtful: How many of the problems are numbered, and may turn out to be none.

    Returns:
        What was written; nothing where the answer changed nothing, also when asked again, for that is a mend that
        did not help.
    """

    def question(context: ProjectContext) -> ModelRequest:
        request = fix_request(context, number, problems, tried, besides, doubtful=doubtful > 0)
        return replace(request, other_model=attempt == 2)

    written = WrittenFiles()
    focus = of_problems(problems, closely=attempt > 1)
    answer = FileAnswer(
        access, number, focus, question, written=written, origin="fix", doubtful=doubtful
    )
    try:
        return await answer.take()
    except BadAnswerError as error:
        await access.bus.emit(access.project_id, Notice(error.message, error.code))
        return written


async def write_reply(
    access: ProjectAccess,
    number: int,
    asked: str,
    scof: str,
    *,
    version: int,
    already: WrittenFiles | None,
    note: Callable[[WrittenFiles], None],
) -> WrittenFiles:
    """Write the files of a conversation's reply to `asked`, whose SCOF is here.

    Args:
        access: The project.
        number: Phase that the files belong to.
        asked: What the person said.
        scof: The change that was the answer.
        version: That of the code that it was the answer to; 0 where that is not known.
        already: What had come of it before the run was cut off; the SCOF is written then.
        note: Stores that the SCOF is written and what is owed still, in the transaction that writes it.

    Raises:
        BadAnswerError: nothing is changed, also when asked again, or the rest keeps breaking off.
    """
    written = already or WrittenFiles()
    answer = FileAnswer(
        access,
        number,
        with_asked(of_message(asked), ()),
        lambda context: converse_request(
            context, asked, activity="the change that you answered with is being written", turn=0
        ),
        written=written,
    )
    if already is None:
        # What a model wrote since is not mixed with it: that would be two answers to one wish.
        shown = await access.read(lambda: access.files.without_person(version)) if version else {}
        await answer.write(scof, lambda _: note(written), shown)
    return await answer.go_on()


def _messages_of(access: ProjectAccess, wishes: Sequence[WishRecord]) -> set[str]:
    """Return the ids of the messages that queued these wishes."""
    queued = {wish.id for wish in wishes}
    replies = access.store.messages(access.project_id)
    return {reply.data["answers"] for reply in replies if reply.data.get("wish") in queued}
