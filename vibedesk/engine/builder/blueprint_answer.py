"""The operation that makes a blueprint of a wish; its text and its fields are stored and told while they come."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence

from vibedesk.base.aio import Batcher
from vibedesk.engine.builder.context import ProjectContext, blueprint_request
from vibedesk.engine.builder.images import OF_THE_WISH, images_of, with_images
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import Blueprint, BlueprintAnswer, Question, read_section
from vibedesk.engine.builder.section_reader import SectionReader, read_sections
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import BlueprintChunk, BlueprintRestarted, BlueprintSection
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.records import ABOUT_THE_PLAN

OnTemplate = Callable[[str], Awaitable[object]]


async def make_blueprint(
    access: ProjectAccess,
    *,
    may_ask: bool,
    edited: Sequence[str],
    refused: str = "",
    on_template: OnTemplate,
) -> Blueprint | list[Question]:
    """Ask for the blueprint.

    Args:
        access: The project.
        may_ask: Whether the answer may be questions to the person.
        edited: Fields of the present blueprint that the person edited and that the new one should keep.
        refused: Why the last answer's first phase could not be written; empty where there was none.
        on_template: Is told the starter's name as soon as it has come.

    Returns:
        The blueprint, or one to three questions.
    """
    context = dataclasses.replace(
        await _context(access, may_ask=may_ask, edited=edited), refused_plan=refused
    )
    images = await images_of(access, await access.read(lambda: _messages_with_images(access)))
    request = with_images(blueprint_request(context), images)
    stream = _Stream(access, on_template)
    async with Batcher(stream.store) as batch:

        async def restart() -> None:
            await batch.flush()
            await stream.restart()

        await stream.restart()
        ask = access.router.ask_structured
        if not may_ask:
            return await ask(request, Blueprint, batch.put, restart)
        answer = await ask(request, BlueprintAnswer, batch.put, restart)
    return answer.blueprint or answer.questions


class _Stream:
    """Takes in the answer's text as it comes."""

    def __init__(self, access: ProjectAccess, on_template: OnTemplate) -> None:
        self._access = access
        self._on_template = on_template
        self._reader = SectionReader()

    async def restart(self) -> None:
        """Forget what had come, of this answer or of one that was cut off with the program."""
        access = self._access
        self._reader = SectionReader()

        def work(emit: Emit) -> None:
            if access.store.get(access.project_id).blueprint_text:
                access.store.update(access.project_id, blueprint_text="")
                emit(BlueprintRestarted())

        await access.commit(work)

    async def store(self, pieces: list[str]) -> None:
        access, text = self._access, "".join(pieces)
        sections = known_sections(self._reader.feed(text))

        def work(emit: Emit) -> None:
            access.store.append_blueprint_text(access.project_id, text)
            emit(BlueprintChunk(text))
            for name, value in sections:
                emit(BlueprintSection(name, value))

        await access.commit(work)
        for name, value in sections:
            if name == "template" and value:
                await self._on_template(str(value))


def known_sections(found: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    """Return those that are fields of a blueprint, as they are stored; what has not their form yet is left out."""
    sections = []
    for name, value in found:
        try:
            sections.append((name, read_section(name, value)))
        except ValueError:
            continue
    return sections


def partial_blueprint(text: str) -> dict[str, object]:
    """Return the fields that are whole in an answer of which `text` has come."""
    return dict(known_sections(list(read_sections(text).items())))


async def _context(
    access: ProjectAccess, *, may_ask: bool, edited: Sequence[str]
) -> ProjectContext:
    context = await access.context()

    def complete() -> ProjectContext:
        record = access.store.get(access.project_id)
        fixed = ProjectOptions.from_dict(record.options).template
        asked = record.questions or []
        return dataclasses.replace(
            context,
            may_ask=may_ask,
            answers=[(q["question"], q["answer"] or "") for q in asked],
            edited_fields=list(edited),
            starters=[] if fixed else access.templates.all(),
        )

    return await access.read(complete)


def _messages_with_images(access: ProjectAccess) -> set[str]:
    messages = access.store.messages(access.project_id)
    return {OF_THE_WISH, *(m.id for m in messages if m.data.get("settled") == ABOUT_THE_PLAN)}
