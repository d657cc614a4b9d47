"""One file written anew: asked for, and read out of whatever form the answer has."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from vibedesk.engine.builder.context import continue_request, regenerate_request, resend_request
from vibedesk.engine.builder.focus import of_file
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.events import Notice
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    Finished,
    ModelRequest,
    StreamInterruptedError,
    TextDelta,
)
from vibedesk.engine.scof import PatchError, ScofParser, apply_edits, apply_patch, parse_scof

_MOST_TRIES = 4
_SEARCH_MARK = re.compile(r"^(<{3,}|-{3,})[ \t]+SEARCH[ \t]*\r?$", re.M)
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n`]*\n(.*?)^\1[ \t]*\r?$", re.M | re.S)
_HUNK = re.compile(r"^@@ .*@@", re.M)


class UnusableAnswerError(Exception):
    """No new text of the file can be read out of the answer; the words say why."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """The answer broke off inside the file; `text` had come of it."""

    text: str


def proposed_text(path: str, base: str, answer: str) -> str | CutOff:
    """Return what an answer makes of the file at `path`.

    It may be the file or a patch of it in SCOF, search/replace edits, or one fenced block.

    Args:
        path: The file that was asked for; others are ignored.
        base: How it reads now.
        answer: The model's words.

    Raises:
        UnusableAnswerError: there is nothing of the file in it, or what there is does not fit.
    """
    try:
        text = _in_scof(path, base, answer)
        return _in_other_form(path, base, answer) if text is None else text
    except PatchError as error:
        raise UnusableAnswerError(error.message) from error


def _in_scof(path: str, base: str, answer: str) -> str | CutOff | None:
    result = parse_scof([answer])
    if result.truncated == path:
        return CutOff(result.partial)
    if path in result.files:
        return result.files[path]
    patches = [patch["diff"] for patch in result.patches if patch["path"] == path]
    added = [append["text"] for append in result.appends if append["path"] == path]
    if not patches and not added:
        return None
    text = base
    for diff in patches:
        text = apply_patch(text, diff)
    return _not_halved(base, "".join([text, *added]))


def _in_other_form(path: str, base: str, answer: str) -> str:
    if _SEARCH_MARK.search(answer):
        return _not_halved(base, apply_edits(base, answer))
    blocks = [match[2] for match in _FENCED.finditer(answer)]
    if len(blocks) != 1:
        raise UnusableAnswerError(f"the answer does not hold {path}")
    if _HUNK.search(blocks[0]):
        return _not_halved(base, apply_patch(base, blocks[0]))
    return blocks[0]


def _not_halved(base: str, text: str) -> str:
    # A change that drops most of a file is more often a misunderstanding than a wish.
    if len(text) < len(base) // 2:
        raise UnusableAnswerError("the change would drop more than half of the file")
    return text


async def regenerate_file(
    access: ProjectAccess,
    path: str,
    base: str,
    instructions: str,
    *,
    restart: Callable[[], Awaitable[None]],
    put: Callable[[str], Awaitable[None]],
) -> str:
    """Ask for a file anew and return its text; nothing is written.

    Args:
        access: The project.
        path: Which file.
        base: How it reads now.
        instructions: What the person wants of it.
        restart: Awaited before every answer: what was put before is void.
        put: Gets the file's text while it comes.

    Raises:
        BadAnswerError: no answer could be used, also when asked again.
    """
    original = regenerate_request(
        await access.context(of_file(path, instructions)), path, base, instructions
    )
    request, why = original, ""
    for _ in range(_MOST_TRIES):
        await restart()
        answer, ended = await _ask(access, path, request, put)
        try:
            text = proposed_text(path, base, answer)
        except UnusableAnswerError as error:
            why = str(error)
            await _notice(access, f"The answer could not be used: {why}. Asking again.")
            request = resend_request(original, [(path, why, answer)])
            continue
        if isinstance(text, CutOff) or not (ended or path in parse_scof([answer]).files):
            part = text.text if isinstance(text, CutOff) else ""
            why = "the answer broke off"
            await _notice(access, "The answer broke off. Asking again.")
            request = continue_request(original, finished=[], cut=(path, part), missing=[])
            continue
        if text != base:
            return text
        why = "nothing in it was changed"
        request = resend_request(original, [(path, why, answer)])
    raise BadAnswerError(
        f"The model did not write {path} anew: {why}.",
        remedy="Say more precisely what should change, or choose another model.",
        retryable=True,
    )


async def _ask(
    access: ProjectAccess,
    path: str,
    request: ModelRequest,
    put: Callable[[str], Awaitable[None]],
) -> tuple[str, bool]:
    """Return the answer and whether the model ended it by itself."""
    parser, pieces, ended = ScofParser(), [], False
    try:
        async with aclosing(access.router.stream(request)) as items:
            async for item in items:
                match item:
                    case TextDelta(text):
                        pieces.append(text)
                        for event in parser.feed(text):
                            if event.kind == "chunk" and event.path == path:
                                await put(event.text)
                    case Finished(stop_reason):
                        ended = stop_reason != "max_tokens"
    except StreamInterruptedError:
        pass  # what came is looked at, and asked for again if it is not whole
    return "".join(pieces), ended


async def _notice(access: ProjectAccess, message: str) -> None:
    await access.bus.emit(access.project_id, Notice(message, "asked_again"))
