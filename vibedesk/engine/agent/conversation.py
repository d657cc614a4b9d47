"""Talking with the person: their messages, the answers, and what follows from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import (
    InvalidInputError,
    NotAllowedNowError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine.attachments import Keeper
from vibedesk.engine.builder.activity import what_goes_on
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.talk import Reply, converse, summarize
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import ErrorReported, MessageComplete, Notice, WishQueued
from vibedesk.engine.models.protocol import NoMoreRecordedAnswersError
from vibedesk.engine.models.samples import get_sample
from vibedesk.engine.project_views import attachment_view
from vibedesk.engine.store.conversation import ConversationStore
from vibedesk.engine.store.records import ABOUT_THE_PLAN, Json

_CANCELLED = "cancelled"
"""How a message is settled that the person stopped the answer to; nobody answers it later unasked."""


class PhaseStarter(Protocol):
    """What an answer may set going: the agent's side of the conversation."""

    @property
    def running(self) -> bool: ...

    @property
    def waiting_plan(self) -> tuple[str, ...] | None:
        """The fields that the person edited of a plan that waits for them; None where neither it nor a question waits."""
        ...

    async def revise_blueprint(
        self, store: Callable[[Emit], None], anew: Collection[str] = ()
    ) -> bool:
        """Store what the person said about the blueprint that waits and make it anew; False if none waits."""
        ...

    async def start_phase_for_reply(self) -> None:
        """Begin the phase that writes a reply's change, or leave it to follow the present one."""
        ...

    async def regenerate(self, path: str, instructions: str) -> None:
        """Begin to write a file anew, which the person then looks at."""
        ...

    async def start_phase_for_wishes(self) -> None:
        """Begin a phase for queued wishes, or leave them to the next one."""
        ...


class Conversation:
    """Answers one message after the other, also while a run is under way."""

    def __init__(self, agent: PhaseStarter, access: ProjectAccess) -> None:
        self._agent = agent
        self._access = access
        self._scope = TaskScope(f"conversation {access.project_id}")
        self._task: asyncio.Task[None] | None = None
        self.last_error: VibeDeskError | None = None

    @property
    def answering(self) -> bool:
        return self._task is not None and not self._task.done()

    async def say(self, text: str, keep: Keeper | None = None) -> str:
        """Store what the person says, start to answer it, and return the message's id.

        Args:
            text: Their words.
            keep: Stores the images that go with it.

        Raises:
            InvalidInputError: it is empty.
            NoMoreRecordedAnswersError: the project is a recorded example that has no answer to it.
        """
        message = text.strip()
        if not message:
            raise InvalidInputError("The message is empty.", remedy="Write what should change.")
        await self._refuse_beyond_recording(message)
        message_id = await self._access.commit(
            lambda emit: self._add(message, keep, emit), durable=True
        )
        self._start()
        return message_id

    def _add(self, text: str, keep: Keeper | None, emit: Emit) -> str:
        store, project_id = self._access.store, self._access.project_id
        record = store.add_message(project_id, "user", text)
        kept = keep(project_id, record.id) if keep is not None else []
        shown = tuple(attachment_view(image).to_dict() for image in kept)
        emit(MessageComplete(record.id, "user", text, shown))
        return record.id

    async def edit_queue(self, wish_id: str, text: str | None) -> None:
        """Give a queued wish another text, or take it back (None).

        Raises:
            InvalidInputError: the text is empty.
            NotFoundError: it is not in the queue any more.
            NotAllowedNowError: a phase is at work on it, or has built it.
        """
        wanted = None if text is None else text.strip()
        if wanted == "":
            raise InvalidInputError("The wish is empty.", remedy="Write it, or take it back.")
        queue = ConversationStore(self._access.project_id)

        def work(emit: Emit) -> None:
            wish = queue.wish(wish_id)
            if wish.status != "open":
                doing = "is at work on" if wish.status == "planned" else "has built"
                raise NotAllowedNowError(
                    f"Phase {wish.phase} {doing} this wish.", remedy="Say what should be different."
                )
            if wanted is None:
                queue.remove_wish(wish_id)
                emit(WishQueued(wish_id, wish.text, "removed"))
            elif wanted != wish.text:
                queue.change_wish(wish_id, wanted)
                emit(WishQueued(wish_id, wanted, "open"))

        await self._access.commit(work, durable=True)

    async def answer_open_messages(self) -> bool:
        """Answer what the program's end left without an answer, and what could not be answered last.

        Returns:
            Whether there is anything to answer.
        """
        if not self.answering:
            await self._access.read(self._reopen_last)
        found = await self._next_unanswered() is not None
        self._start()
        return found

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    async def cancel(self) -> None:
        """Stop answering; what was said and answered so far stays, and is not answered later unasked."""
        task = self._task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._access.commit(self._settle_open, durable=True)

    def _settle_open(self, emit: Emit) -> None:
        store = self._access.store
        messages = store.messages(self._access.project_id)
        answered = {m.data.get("answers") for m in messages if m.role == "assistant" and m.complete}
        settled = {m.id for m in messages if m.data.get("settled")}
        for message in messages:
            if message.role == "assistant" and not message.complete:
                text = message.text or "Stopped."
                store.update_message(message.id, text=text, complete=True)
                emit(MessageComplete(message.id, "assistant", text))
            elif message.role == "user" and message.id not in answered | settled:
                store.update_message(message.id, data={"settled": _CANCELLED})

    async def aclose(self) -> None:
        await self._scope.aclose()

    def _start(self) -> None:
        if not self.answering:
            self.last_error = None
            self._task = self._scope.start(self._answer_all(), name="answer")

    async def _answer_all(self) -> None:
        while (message := await self._next_unanswered()) is not None:
            message_id, text, turn = message
            try:
                with timed(self._access, "converse"):
                    await self._answer(message_id, text, turn)
                following = await self._next_unanswered()
                await summarize(self._access, following[0] if following else None)
            except Exception as caught:  # noqa: BLE001 - becomes a sentence in the chat
                error = as_vibedesk_error(caught)
                self.last_error = error
                await self._give_up(message_id, error)

    async def _next_unanswered(self) -> tuple[str, str, int] | None:
        """Return (id, text, how many of the person's messages came before) of the oldest open message."""
        access = self._access

        def work() -> tuple[str, str, int] | None:
            messages = access.store.messages(access.project_id)
            answered = {
                m.data.get("answers") for m in messages if m.role == "assistant" and m.complete
            }
            turn = 0
            for message in messages:
                if message.role != "user":
                    continue
                if message.id not in answered and not message.data.get("settled"):
                    return message.id, message.text, turn
                turn += 1
            return None

        return await access.read(work)

    async def _answer(self, message_id: str, text: str, turn: int) -> None:
        access, agent = self._access, self._agent
        reply_id = await access.read(lambda: self._open_reply(message_id))
        activity = await access.read(self._activity)
        plan = agent.waiting_plan
        reply = await converse(
            access, message_id, text, reply_id, activity=activity, turn=turn, plan=plan
        )
        wants_another = plan is not None and not reply.no_change
        if wants_another and await self._plan_anew(message_id, reply_id, reply):
            return
        refused = await self._regenerate(reply.regenerate, text)

        def store(emit: Emit) -> None:
            data: Json = {"answers": message_id, "asked": text, "no_change": reply.no_change}
            if reply.regenerate:
                data["regenerate"] = reply.regenerate
            queued: list[WishQueued] = []
            if reply.scof.strip():
                data["scof"], data["version"] = reply.scof, reply.version
            elif not reply.no_change:
                wish = access.store.add_wish(access.project_id, text)
                data["wish"] = wish.id
                queued.append(WishQueued(wish.id, text, "open"))
            access.store.update_message(reply_id, text=reply.text, complete=True, data=data)
            emit(MessageComplete(reply_id, "assistant", reply.text))
            if refused is not None:
                # No error: the message is answered, and another try would be refused like this one.
                emit(Notice(str(refused), "not_regenerated"))
            for told in queued:
                emit(told)

        await access.commit(store, durable=True)
        if reply.scof.strip():
            await agent.start_phase_for_reply()
        elif not reply.no_change:
            await agent.start_phase_for_wishes()

    async def _regenerate(self, path: str, instructions: str) -> VibeDeskError | None:
        """Have a file written anew where the answer says so; return what keeps it from that.

        Before the answer counts as given: after a crash it is given again, and the newer version takes the older's place.
        """
        try:
            if path:
                await self._agent.regenerate(path, instructions)
        except VibeDeskError as error:
            return error
        return None

    async def _plan_anew(self, message_id: str, reply_id: str, reply: Reply) -> bool:
        """Have the plan that waited made anew with the message; False where the person approved it meanwhile."""
        messages = self._access.store

        def store(emit: Emit) -> None:
            answered = {"answers": message_id}
            messages.update_message(reply_id, text=reply.text, complete=True, data=answered)
            messages.update_message(message_id, data={"settled": ABOUT_THE_PLAN})
            emit(MessageComplete(reply_id, "assistant", reply.text))

        return await self._agent.revise_blueprint(store, reply.anew)

    def _activity(self) -> str:
        store, project_id = self._access.store, self._access.project_id
        return what_goes_on(
            store.get(project_id),
            store.phases(project_id),
            store.wishes(project_id, "open", "planned"),
            running=self._agent.running,
        )

    def _reopen_last(self) -> None:
        """Let the person's last message be answered again if that failed."""
        access = self._access
        said = [m for m in access.store.messages(access.project_id) if m.role == "user"]
        if said and said[-1].data.get("settled") not in (None, ABOUT_THE_PLAN, _CANCELLED):
            access.store.update_message(said[-1].id, data={})

    def _open_reply(self, message_id: str) -> str:
        """Return the id of an empty reply; one that a crash cut short is written anew."""
        access = self._access
        for message in access.store.messages(access.project_id):
            if not message.complete and message.data.get("answers") == message_id:
                access.store.update_message(message.id, text="")
                return message.id
        data = {"answers": message_id}
        record = access.store.add_message(
            access.project_id, "assistant", "", complete=False, data=data
        )
        return record.id

    async def _give_up(self, message_id: str, error: VibeDeskError) -> None:
        access = self._access

        def store(emit: Emit) -> None:
            access.store.update_message(message_id, data={"settled": error.code})
            emit(ErrorReported(error.message, error.remedy, error.code))

        await access.commit(store)

    async def _refuse_beyond_recording(self, text: str) -> None:
        access = self._access
        record = await access.read(lambda: access.store.get(access.project_id))
        if not record.sample:
            return
        if self._agent.waiting_plan is not None:
            raise NoMoreRecordedAnswersError(
                "This is a recorded example: its plan cannot be talked about.",
                remedy="Start building, and then say what should change.",
            )
        said = await access.read(
            lambda: sum(m.role == "user" for m in access.store.messages(access.project_id))
        )
        sample = await asyncio.to_thread(get_sample, record.sample)
        recorded = sample.messages[said] if said < len(sample.messages) else None
        if recorded is not None and recorded.split() == text.split():
            return
        remedy = "Start a project of your own to build what you have in mind."
        if recorded is None:
            raise NoMoreRecordedAnswersError(
                "This is a recorded example, and there are no more recorded answers.", remedy=remedy
            )
        raise NoMoreRecordedAnswersError(
            f"This is a recorded example: the only message it has an answer to is “{recorded}”",
            remedy=remedy,
        )
