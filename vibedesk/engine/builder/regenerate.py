"""One file written anew: asked for, and read out of whatever form the answer has."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from vibedesk.engine.builder.context import continue_request, regenerate_request, resend_request
from vibedesk.engine.builder.focus import of_file
from vibedesk.engine.builder.going_on import is_gone_on_with, joined, whole_lines
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.events import Notice
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    Finished,
    ModelRequest,
    StreamInterruptedError,
    TextDelta,
)
from vibedesk.engine.scof import PatchError, ScofParser, apply_edits, apply_patch

_MOST_ANSWERS = 12
_MOST_IN_VAIN = 4
_SEARCH_MARK = re.compile(r"^(<{3,}|-{3,})[ \t]+SEARCH[ \t]*\r?$", re.M)
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n`]*\n(.*?)^\1[ \t]*\r?$", re.M | re.S)
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.M)
_HUNK = re.compile(r"^@@ .*@@", re.M)


class UnusableAnswerError(Exception):
    """No new text of the file can be read out of the answer; the words say why."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """The answer broke off; `text` has come of the file, from its beginning: nothing where it can only come anew."""

    text: str


def proposed_text(
    path: str,
    base: str,
    answer: str,
    *,
    kept: str = "",
    appends: bool = False,
    ended: bool = True,
) -> str | CutOff:
    """Return what an answer makes of the file at `path`.

    It may be the file or a patch of it in SCOF, search/replace edits, or one fenced block.

    Args:
        path: The file that was asked for; others are ignored.
        base: How it reads now.
        answer: The model's words.
        kept: The whole lines of it that had come before; what the answer appends goes on with them.
        appends: It was asked to go on with them. A block alone, or a file shorter than they are, may be the rest only.
        ended: Whether the model ended the answer by itself.

    Raises:
        UnusableAnswerError: there is nothing of the file in it, or what there is does not fit.
    """
    try:
        text = _in_scof(path, base, answer, kept, ended=ended)
        if text is None:
            if appends and ended:
                raise UnusableAnswerError(f"it does not go on with {path}")
            text = _in_other_form(path, base, answer) if ended else CutOff("")
    except PatchError as error:
        raise UnusableAnswerError(error.message) from error
    if appends and isinstance(text, str) and len(text) < len(kept):
        raise UnusableAnswerError(f"it holds less of {path} than had come before")
    return text


def _in_scof(path: str, base: str, answer: str, kept: str, *, ended: bool) -> str | CutOff | None:
    parser = ScofParser()
    text: str | None = None
    whole = False
    for event in (*parser.feed(answer), *parser.close()):
        if event.kind != "end" or event.path != path:
            continue
        if event.mode == "full":
            text, whole = event.text, True
        elif event.mode == "append" and kept and text is None:
            text, whole = joined(kept, event.text), True
        elif event.mode == "append":
            text = (base if text is None else text) + event.text
        elif not event.truncated:
            text = apply_patch(base if text is None else text, event.text)
        if event.truncated:
            return CutOff(text if text is not None and whole and event.mode != "patch" else "")
    if text is None or whole:
        return text
    # Another change may have been to come.
    return _not_halved(base, text) if ended else CutOff("")


def _in_other_form(path: str, base: str, answer: str) -> str:
    if _SEARCH_MARK.search(answer):
        return _not_halved(base, apply_edits(base, answer))
    blocks = [match[2] for match in _FENCED.finditer(answer)]
    # A fence that is left over means that the block ends elsewhere: the file has fences of its own.
    if len(blocks) != 1 or _FENCE.search(_FENCED.sub("", answer)):
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

    A text that breaks off is asked for whole again or, where it is long, gone on with; it is returned whole or not at all.

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
    room = await access.router.answer_room(original)
    request, why = original, ""
    cut = ""  # what has come of a text that broke off
    appends, in_vain = False, 0
    for _ in range(_MOST_ANSWERS):
        await restart()
        kept = whole_lines(cut)
        answer, ended = await _ask(access, path, request, kept, put)
        try:
            text = proposed_text(path, base, answer, kept=kept, appends=appends, ended=ended)
        except UnusableAnswerError as error:
            why = str(error)
            await _notice(access, f"The answer could not be used: {why}. Asking again.")
            text = None
        else:
            if isinstance(text, str) and text != base:
                return text
            if isinstance(text, str):
                why, cut, appends = "nothing in it was changed", "", False
            else:
                why = "the answer broke off"
                await _notice(access, "The answer broke off. Asking for the rest.")
        if isinstance(text, CutOff) or cut:
            again = not appends and bool(cut)
            if isinstance(text, CutOff) and len(text.text) > len(cut):
                cut = text.text
            appends = appends or is_gone_on_with(cut, room=room, again=again)
            request = continue_request(
                original, finished=[], cut=(path, cut), missing=[], append=appends
            )
        else:
            request = resend_request(original, [(path, why, answer)])
        in_vain = 0 if len(whole_lines(cut)) > len(kept) else in_vain + 1
        if in_vain >= _MOST_IN_VAIN:
            break
    raise BadAnswerError(
        f"The model did not write {path} anew: {why}.",
        remedy="Say more precisely what should change, or choose another model.",
        retryable=True,
    )


async def _ask(
    access: ProjectAccess,
    path: str,
    request: ModelRequest,
    kept: str,
    put: Callable[[str], Awaitable[None]],
) -> tuple[str, bool]:
    """Return the answer and whether the model ended it by itself; `kept` is shown before what it appends."""
    parser, pieces, ended = ScofParser(), [], False
    try:
        async with aclosing(access.router.stream(request)) as items:
            async for item in items:
                match item:
                    case TextDelta(text):
                        pieces.append(text)
                        for event in parser.feed(text):
                            if event.path != path:
                                continue
                            if event.kind == "start" and event.mode == "append" and kept:
                                await put(kept)
                            elif event.kind == "chunk":
                                await put(event.text)
                    case Finished(stop_reason):
                        ended = stop_reason in ("end", "refusal")
    except StreamInterruptedError:
        pass  # what came is looked at, and asked on for if it is not whole
    return "".join(pieces), ended


async def _notice(access: ProjectAccess, message: str) -> None:
    await access.bus.emit(access.project_id, Notice(message, "asked_again"))
