"""Talking with the person: their messages, the answers, and what follows from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import InvalidInputError, VibeDeskError, as_vibedesk_error
from vibedesk.engine.builder.operations import converse
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import ErrorReported, MessageComplete, WishQueued
from vibedesk.engine.models.protocol import NoMoreRecordedAnswersError
from vibedesk.engine.models.samples import get_sample
from vibedesk.engine.states import AgentState
from vibedesk.engine.store.records import ABOUT_THE_PLAN, Json

_CANCELLED = "cancelled"
"""How a message is settled that the person stopped the answer to; nobody answers it later unasked."""


class PhaseStarter(Protocol):
    """What an answer may set going: the agent's side of the conversation."""

    @property
    def running(self) -> bool: ...

    @property
    def state(self) -> AgentState: ...

    async def revise_blueprint(self, store: Callable[[Emit], None]) -> bool:
        """Store what the person said about the blueprint that waits and make it anew; False if none waits."""
        ...

    async def start_phase_for_reply(self) -> None:
        """Begin the phase that writes a reply's change, or leave it to follow the present one."""
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

    async def say(self, text: str) -> str:
        """Store what the person says, start to answer it, and return the message's id.

        Raises:
            InvalidInputError: it is empty.
            NoMoreRecordedAnswersError: the project is a recorded example that has no answer to it.
        """
        message = text.strip()
        if not message:
            raise InvalidInputError("The message is empty.", remedy="Write what should change.")
        await self._refuse_beyond_recording(message)
        if self._agent.state is AgentState.AWAITING_APPROVAL:
            about_the_plan = await self._ask_for_another_plan(message)
            if about_the_plan is not None:
                return about_the_plan
        message_id = await self._access.commit(
            lambda emit: self._add(message, {}, emit), durable=True
        )
        self._start()
        return message_id

    async def _ask_for_another_plan(self, text: str) -> str | None:
        """Return the message's id; None if the plan was approved meanwhile: then it is one like any other."""
        added: list[str] = []

        def store(emit: Emit) -> None:
            added.append(self._add(text, {"settled": ABOUT_THE_PLAN}, emit))

        return added[-1] if await self._agent.revise_blueprint(store) else None

    def _add(self, text: str, data: Json, emit: Emit) -> str:
        store, project_id = self._access.store, self._access.project_id
        record = store.add_message(project_id, "user", text, data=data)
        emit(MessageComplete(record.id, "user", text))
        return record.id

    async def answer_open_messages(self) -> None:
        """Answer what the program's end left without an answer, and what could not be answered last."""
        if not self.answering:
            await self._access.read(self._reopen_last)
        self._start()

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
                await self._answer(message_id, text, turn)
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
        activity = "nothing runs" if not agent.running else f"it is {agent.state.value}"
        reply = await converse(access, message_id, text, reply_id, activity=activity, turn=turn)

        def store(emit: Emit) -> None:
            data: Json = {"answers": message_id, "asked": text, "no_change": reply.no_change}
            if reply.scof.strip():
                data["scof"] = reply.scof
            access.store.update_message(reply_id, text=reply.text, complete=True, data=data)
            emit(MessageComplete(reply_id, "assistant", reply.text))
            if not reply.scof.strip() and not reply.no_change:
                wish = access.store.add_wish(access.project_id, text)
                emit(WishQueued(wish.id, text, "open"))

        await access.commit(store, durable=True)
        if reply.scof.strip():
            await agent.start_phase_for_reply()
        elif not reply.no_change:
            await agent.start_phase_for_wishes()

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
