"""An answer that is files: streamed into the project, gone on with where it breaks off, mended where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

from vibedesk.engine.builder.context import (
    ProjectContext,
    continue_request,
    resend_request,
    simpler_request,
)
from vibedesk.engine.builder.focus import with_asked
from vibedesk.engine.builder.going_on import is_gone_on_with
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.relevance.scores import Focus
from vibedesk.engine.builder.reply import asked_files, no_faults
from vibedesk.engine.builder.scof_writer import ScofWriter, WrittenFiles
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import Notice
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    BudgetExceededError,
    Finished,
    ModelError,
    ModelRequest,
    StreamInterruptedError,
    TextDelta,
)

_MAX_CONTINUATIONS = 6
_MAX_WITHOUT_PROGRESS = 2
_MOST_SAID = 4_000
_SMALL_CONTEXT = 40_000
"""Tokens: a model with no more than that is asked for one file at a time, once a longer answer was none."""

BETWEEN_FILES = ("", "")
"""`WrittenFiles.cut` of an answer that broke off, but not inside a file."""


class FileAnswer:
    """One question whose answer is SCOF.

    Args:
        access: The project.
        number: Phase that the files belong to.
        focus: What it is about: which files it shows.
        question: Makes the request of the project as it is; asked anew for every continuation, so that the model
            sees what it has written already.
        planned: Paths that are expected.
        purposes: What the plan says of each path.
        written: What had come before.
        origin: `agent` or `fix`.
        doubtful: How many problems, by number from 1, the answer may say are none.
    """

    def __init__(
        self,
        access: ProjectAccess,
        number: int,
        focus: Focus,
        question: Callable[[ProjectContext], ModelRequest],
        *,
        planned: Sequence[str] = (),
        purposes: Mapping[str, str] | None = None,
        written: WrittenFiles | None = None,
        origin: str = "agent",
        doubtful: int = 0,
    ) -> None:
        self._access = access
        self._number = number
        self._focus = focus
        self._question = question
        self._planned = planned
        self._purposes = purposes or {}
        self._written = written or WrittenFiles()
        self._origin = origin
        self._doubtful = doubtful
        self._shown: dict[str, str] = {}
        """The code as it was when the model was asked last: what is typed since then it does not know."""
        self._said = ""
        """What the last answer began with."""
        self._asked_whole = ""
        """The file that was cut off last and asked for whole."""

    async def take(self) -> WrittenFiles:
        """Ask, write what comes, and ask on until it is whole.

        Raises:
            BadAnswerError: the answer changes nothing, also when asked again, or keeps breaking off.
        """
        written = self._written
        before = written.changes
        request = await self._request()
        ended = await self._stream(request)
        nothing = self._came_to_nothing(before)
        if ended and nothing and self._focus.can_ask and (asked := asked_files(self._said)):
            self._focus = with_asked(self._focus, asked)
            request = await self._request()
            ended = await self._stream(request)
            nothing = self._came_to_nothing(before)
        if ended and nothing:
            ended = await self._once_more(request)
        if not ended:
            self._broke_off()
        return await self.complete()

    async def write(
        self, scof: str, also: Callable[[Emit], None], shown: Mapping[str, str]
    ) -> None:
        """Write an answer that is here already, and do what `also` does, in one transaction.

        `shown` is how files read when the model was asked for it; of others it is taken to know how they read now.
        """
        self._shown = dict(shown)
        await self._writer().write_at_once(scof, also)

    async def go_on(self) -> WrittenFiles:
        """Ask on after `write` until the answer is whole.

        Raises:
            BadAnswerError: as `take`.
        """
        written = self._written
        nothing = not written.changes and not written.refused and not written.cut
        if nothing and not await self._once_more(await self._request()):
            self._broke_off()
        return await self.complete()

    async def _once_more(self, request: ModelRequest) -> bool:
        """Ask again, in a simpler form, where an answer changed nothing; return whether the answer is whole now."""
        before = self._written.changes
        await self._notice("The answer changed nothing; asking once more.", "nothing_changed")
        facts = await self._access.router.capabilities(request)
        one_by_one = facts.context_window <= _SMALL_CONTEXT and len(self._missing()) > 1
        ended = await self._stream(
            simpler_request(
                request, self._missing()[:1] if one_by_one else [], doubtful=self._doubtful > 0
            )
        )
        if self._written.changes == before and ended and not self._written.no_faults:
            raise BadAnswerError(
                "The model's answer changed nothing.", remedy="Try again, or choose another model."
            )
        return ended and not one_by_one

    async def complete(self) -> WrittenFiles:
        """Ask on until nothing is cut off and no change is refused, and once for files that were forgotten.

        A file that was cut off or refused stays on the list until it has come whole.
        """
        await self._complete_answer()
        if await self._ask_for_forgotten():
            await self._complete_answer()
        if forgotten := self._missing():
            words = f"The plan names {', '.join(forgotten)}, which the model did not write."
            await self._notice(words, "not_written")
        return self._written

    async def _ask_for_forgotten(self) -> bool:
        """Ask for planned files that the answer, though it ended, does not have; return whether there were any."""
        forgotten = self._missing()
        if not forgotten:
            return False
        await self._notice(f"Still missing, and asked for: {', '.join(forgotten)}.", "forgotten")
        question = await self._request()
        request = continue_request(
            question, finished=self._written.finished, cut=None, missing=forgotten
        )
        try:
            if not await self._stream(request):
                self._broke_off()
        except BudgetExceededError:
            raise
        except ModelError as error:
            # What is there is whole; the review says what it lacks.
            await self._notice(
                f"The model was asked for it and failed: {error.message}", error.code
            )
        return True

    async def _complete_answer(self) -> None:
        written, stuck = self._written, 0
        for _ in range(_MAX_CONTINUATIONS):
            if written.cut is None and not written.refused:
                return
            before, cut = written.changes, written.cut
            between = cut == BETWEEN_FILES
            request = await self._next_request()
            if between:
                written.cut = None
            ended = await self._stream(request)
            silent = between and written.changes == before and bool(self._missing())
            if not ended or silent:
                self._broke_off()
            grew = _grew(cut, written.cut)
            stuck = stuck + 1 if written.changes == before and not grew else 0
            if stuck >= _MAX_WITHOUT_PROGRESS:
                break
        if written.cut is None and not written.refused:
            return
        owed = [*(written.cut or ())[:1], *(refused.path for refused in written.refused)]
        left = ", ".join(dict.fromkeys(path for path in owed if path))
        raise BadAnswerError(
            f"The model did not send {left or 'the rest of its answer'}, also when asked again.",
            remedy="What came is kept. Continue, or choose another model.",
            retryable=True,
        )

    async def _request(self) -> ModelRequest:
        self._shown = await self._access.read(self._access.files.texts)
        return self._question(await self._access.context(self._focus))

    async def _next_request(self) -> ModelRequest:
        written, question = self._written, await self._request()
        if written.cut is None:
            return resend_request(question, [(r.path, r.why, r.change) for r in written.refused])
        cut = None if written.cut == BETWEEN_FILES else written.cut
        missing = [path for path in self._missing() if cut is None or path != cut[0]]
        append = cut is not None and await self._goes_on(question, *cut)
        self._asked_whole = "" if cut is None or append else cut[0]
        return continue_request(
            question, finished=written.finished, cut=cut, missing=missing, append=append
        )

    async def _goes_on(self, question: ModelRequest, path: str, text: str) -> bool:
        """Whether a cut file is gone on with instead of sent again: where it is large, or cut for the second time."""
        draft = await self._access.read(lambda: self._access.drafts.get(path))
        if draft is None or draft.mode != "full":
            return False
        room = await self._access.router.answer_room(question)
        return is_gone_on_with(text, room=room, again=path == self._asked_whole)

    def _missing(self) -> list[str]:
        written = self._written
        settled = {*written.finished, *written.kept_out, *written.rearranged}
        return [path for path in self._planned if path not in settled]

    def _came_to_nothing(self, before: int) -> bool:
        """Whether an answer brought nothing since `before` changes, nor a reason why nothing is to change."""
        written = self._written
        owed = written.refused or written.cut
        return written.changes == before and not owed and not written.no_faults

    def _broke_off(self) -> None:
        self._written.cut = self._written.cut or BETWEEN_FILES

    def _writer(self) -> ScofWriter:
        return ScofWriter(
            self._access,
            phase=self._number,
            purposes=self._purposes,
            planned=self._planned,
            written=self._written,
            shown=self._shown,
            origin=self._origin,
        )

    async def _stream(self, request: ModelRequest) -> bool:
        """Stream one answer into the project; return whether the model ended it by itself."""
        ended = False
        self._said = ""
        async with self._writer() as writer:
            try:
                async with aclosing(self._access.router.stream(request)) as items:
                    async for item in items:
                        match item:
                            case TextDelta(text):
                                if len(self._said) < _MOST_SAID:
                                    self._said += text
                                await writer.feed(text)
                            case Finished(stop_reason):
                                ended = stop_reason in ("end", "refusal")
            except StreamInterruptedError as error:
                await self._notice(f"{error.message} Going on from there.", "stream_interrupted")
        said = no_faults(self._said) if self._doubtful else {}
        self._written.no_faults |= {n: why for n, why in said.items() if 1 <= n <= self._doubtful}
        return ended

    async def _notice(self, message: str, code: str) -> None:
        await self._access.bus.emit(self._access.project_id, Notice(message, code))


def _grew(before: tuple[str, str] | None, after: tuple[str, str] | None) -> bool:
    """Whether more has come of the same file, though it is cut off again."""
    if before is None or after is None or before[0] != after[0]:
        return False
    return len(after[1]) > len(before[1])
