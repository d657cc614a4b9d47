"""The chat of the open project beyond words: pictures, questions, queue, budget, the blueprint and its changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, QTimer

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ImageFile
from vibedesk.engine.views import AttachmentView, ProjectView, QuestionView, WishView
from vibedesk.ui.chat.blueprint_texts import Starter
from vibedesk.ui.chat.image_intake import ImageIntake
from vibedesk.ui.chat.image_viewer import LARGEST
from vibedesk.ui.chat.messages import Picture
from vibedesk.ui.chat.panel import ChatPanel
from vibedesk.ui.chat.pictures import Attached, decoded, thumbnail
from vibedesk.ui.tasks import WidgetTasks

_DONE_SHOWN_MS = 6000
"""How long a wish that was answered stays in the queue."""
_WARN_AT = 0.8

Payload = (
    e.BlueprintSection
    | e.BlueprintRestarted
    | e.QuestionsAsked
    | e.QuestionsAnswered
    | e.WishQueued
    | e.BudgetWarning
)


class ChatControl(QObject):
    """Turns what the person does in one project's chat into commands, and what the engine tells into what is shown.

    Args:
        engine: Where the project lives.
        project_id: Which.
        chat: Where it is shown.
        tasks: Where commands run; what is refused is told there.
        parent: Ends it.
    """

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        chat: ChatPanel,
        tasks: WidgetTasks,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._project_id = project_id
        self._chat = chat
        self._tasks = tasks
        self._sections: dict[str, Any] = {}
        self._wishes: dict[str, WishView] = {}
        self._names: dict[str, str] = {}
        self._spent = 0.0
        self._limit: float | None = None
        self._intake = ImageIntake(chat.theme, chat.tray, check_images(engine), tasks)
        self._sending: set[asyncio.Task[None]] = set()
        self._connections: list[tuple[Any, Callable[..., Any]]] = []
        self._connect()

    def _connect(self) -> None:
        chat = self._chat
        for signal, slot in (
            (chat.message_sent, self._on_message),
            (chat.tray.offered, self._intake.take),
            (chat.tray.opened, self._intake.show),
            (chat.thumbnail_wanted, self._on_thumbnail_wanted),
            (chat.picture_opened, self._on_picture_opened),
            (chat.questions_answered, self._on_answered),
            (chat.wish_edited, self._on_wish_edited),
            (chat.wish_removed, self._on_wish_removed),
            (chat.budget_raised, self._on_budget_raised),
            (chat.approve_requested, self._on_approved),
            (chat.replan_requested, self._on_replan),
            (chat.save_requested, self._on_save),
        ):
            signal.connect(slot)
            self._connections.append((signal, slot))

    async def close(self) -> None:
        """Show and hear nothing any more; what was handed over or changed in the blueprint is with the engine then.

        What it does not take stays where it was written.
        """
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections.clear()
        while self._sending:
            await asyncio.wait(self._sending)
        page = self._chat.blueprint_page
        if page.state in ("awaiting_approval", "approved") and (changes := page.changes()):
            # Half-written changes are no error to tell somebody who is leaving.
            with contextlib.suppress(VibeDeskError):
                await self._save(changes)

    # -- what happened ----------------------------------------------------------------------------------
    def show_project(self, project: ProjectView) -> None:
        """Show what a new subscriber gets first; the conversation itself is shown before."""
        self._spent, self._limit = project.cost, project.budget
        self._wishes = {wish.id: wish for wish in project.wishes}
        self._chat.set_queue(list(self._wishes.values()))
        self._chat.blueprint_page.set_edited_before(edited=bool(project.edited_fields))
        if project.blueprint_sections:
            self._sections = dict(project.blueprint_sections)
            self._chat.set_blueprint(self._sections, "streaming")
        waits = project.waiting is not None and project.waiting.reason == "answers"
        if project.questions:
            self._chat.show_questions(project.questions, is_open=waits)
        if self._limit and self._spent >= _WARN_AT * self._limit:
            self._chat.warn_of_budget(self._spent, self._limit)
        self._tasks.start(self._load_starters(), name="starters")

    def show(self, payload: Payload, at: datetime) -> None:
        """Show one event."""
        match payload:
            case e.BlueprintSection(name, value):
                self._sections[name] = value
                self._chat.set_blueprint(self._sections, "streaming")
            case e.BlueprintRestarted():
                self.restart_blueprint()
            case e.QuestionsAsked(questions):
                self._chat.show_questions(_views(questions), is_open=True, at=at)
            case e.QuestionsAnswered(questions):
                self._chat.show_questions(_views(questions), is_open=False, at=at)
            case e.WishQueued():
                self._on_wish(payload)
            case e.BudgetWarning(spent, limit):
                self._spent, self._limit = spent, limit
                self._chat.warn_of_budget(spent, limit)

    def restart_blueprint(self) -> None:
        """What came of a blueprint so far is void."""
        if self._sections:
            self._chat.set_blueprint({}, "streaming")
        self._sections = {}

    def blueprint_is_whole(self) -> None:
        self._sections = {}

    def set_budget(self, limit: float | None) -> None:
        """Another limit counts."""
        self._limit = limit
        self._chat.hide_budget()

    def wait_for_budget(self, spent: float) -> bool:
        """Say that the limit is reached; False where none is known."""
        if self._limit is None:
            return False
        self._chat.set_budget_reached(spent, self._limit)
        return True

    def end_wait(self, reason: str) -> None:
        """A wait is over."""
        if reason == "budget":
            self._chat.hide_budget()
        elif reason == "answers":
            # Answered ones are shown already; these were left when the run was stopped.
            self._chat.close_questions()

    def pictures(self, attachments: Sequence[Mapping[str, Any]]) -> list[Picture]:
        """Return what is shown of the images of a message, each as of `AttachmentView`."""
        found = [Picture(str(image["id"]), str(image["name"])) for image in attachments]
        self._names.update(found)
        return found

    def pictures_of(self, attachments: Sequence[AttachmentView]) -> list[Picture]:
        return self.pictures([image.to_dict() for image in attachments])

    def _on_wish(self, told: e.WishQueued) -> None:
        wish = WishView(told.wish_id, told.text, told.status, told.phase)
        if told.status == "removed":
            self._wishes.pop(wish.id, None)
        else:
            self._wishes[wish.id] = wish
        self._chat.set_queue(list(self._wishes.values()))
        if told.status == "done":
            timer = QTimer(self)
            timer.setSingleShot(True)
            timer.timeout.connect(lambda: self._forget(wish))
            timer.timeout.connect(timer.deleteLater)
            timer.start(_DONE_SHOWN_MS)

    def _forget(self, wish: WishView) -> None:
        if self._wishes.get(wish.id) == wish:
            del self._wishes[wish.id]
            self._chat.set_queue(list(self._wishes.values()))

    # -- what the person does ----------------------------------------------------------------------------
    def _on_message(self, text: str, pictures: tuple[Attached, ...]) -> None:
        self._send(self._say(text, pictures))

    async def _say(self, text: str, pictures: tuple[Attached, ...]) -> None:
        page = self._chat.blueprint_page
        try:
            if page.state == "awaiting_approval" and (changes := page.changes()):
                # The message may have the plan made anew, around what was edited.
                await self._save(changes)
            await self._engine.say(self._project_id, text, [p.file for p in pictures])
        except Exception:
            # What was written must not be lost with the refusal.
            self._chat.give_back(text, pictures)
            raise

    def _on_answered(self, answers: list[str] | None) -> None:
        self._send(self._answer(answers))

    async def _answer(self, answers: list[str] | None) -> None:
        self._chat.set_answering(answering=True)
        try:
            await self._engine.answer(self._project_id, answers)
        except Exception:
            self._chat.take_back_answers()
            raise
        finally:
            self._chat.set_answering(answering=False)

    def _on_wish_edited(self, wish_id: str, text: str) -> None:
        self._send(self._edit_wish(wish_id, text))

    async def _edit_wish(self, wish_id: str, text: str) -> None:
        try:
            await self._engine.edit_queue(self._project_id, wish_id, text)
        except Exception:
            self._chat.give_back(text)
            raise

    def _on_wish_removed(self, wish_id: str) -> None:
        self._tasks.start(self._engine.edit_queue(self._project_id, wish_id, None))

    def _on_budget_raised(self, limit: float) -> None:
        self._tasks.start(self._engine.set_budget(self._project_id, limit))

    def _on_approved(self, blueprint: dict[str, Any]) -> None:
        self._send(self._approve(blueprint))

    def _on_replan(self, changes: dict[str, Any]) -> None:
        self._send(self._replan(changes))

    def _on_save(self, changes: dict[str, Any]) -> None:
        self._send(self._save(changes))

    async def _approve(self, blueprint: dict[str, Any]) -> None:
        await self._hand_over(blueprint, self._engine.approve(self._project_id, blueprint))

    async def _replan(self, changes: dict[str, Any]) -> None:
        await self._save(changes)
        await self._engine.replan(self._project_id)
        self._chat.blueprint_page.set_edited_before(edited=False)
        self._chat.show_tab("chat")

    async def _save(self, changes: dict[str, Any]) -> None:
        await self._hand_over(changes, self._engine.edit_blueprint(self._project_id, changes))
        self._chat.blueprint_page.set_edited_before(edited=True)

    async def _hand_over(self, changes: dict[str, Any], command: Awaitable[None]) -> None:
        """Give the engine what was changed in the blueprint; what it refuses is a change again."""
        page = self._chat.blueprint_page
        page.set_handed_over(changes)
        try:
            await command
        except Exception:
            page.set_handed_over({})
            raise

    def _send(self, work: Coroutine[Any, Any, None]) -> None:
        """Hand over what was written; `close` waits for it."""
        task = self._tasks.start(self._tell_at_field(work))
        if task is not None:
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _tell_at_field(self, work: Awaitable[None]) -> None:
        """Do it, and show a refusal of what was written in the blueprint at the field it is about."""
        try:
            await work
        except VibeDeskError as error:
            field = error.details.get("field")
            if not field:
                raise
            reason = error.details.get("reason", "")
            said = f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else error.message
            self._chat.show_blueprint_problem(field, said)

    # -- what is fetched -----------------------------------------------------------------------------------
    async def _load_starters(self) -> None:
        starters = [
            Starter(t.name, t.title, t.best_for or t.description)
            for t in await self._engine.templates()
        ]
        self._chat.blueprint_page.set_starters(starters)

    def _on_thumbnail_wanted(self, picture_id: str) -> None:
        self._tasks.start(self._fetch_thumbnail(picture_id))

    async def _fetch_thumbnail(self, picture_id: str) -> None:
        try:
            data = await self._engine.attachment(self._project_id, picture_id)
        except VibeDeskError:
            # A lost picture keeps its glyph; opening it says that it is lost.
            return
        self._chat.set_thumbnail(picture_id, await asyncio.to_thread(thumbnail, data))

    def _on_picture_opened(self, picture_id: str) -> None:
        self._tasks.start(self._open_picture(picture_id))

    async def _open_picture(self, picture_id: str) -> None:
        data = await self._engine.attachment(self._project_id, picture_id)
        picture = await asyncio.to_thread(decoded, data, LARGEST)
        self._chat.show_picture(self._names.get(picture_id, ""), picture)


def check_images(engine: Engine) -> Callable[[Sequence[ImageFile], int], Any]:
    """Return what asks the engine whether images can be sent."""

    async def check(images: Sequence[ImageFile], beside: int) -> None:
        await engine.check_images(images, beside=beside)

    return check


def _views(questions: Sequence[Mapping[str, Any]]) -> list[QuestionView]:
    return [
        QuestionView(
            question=asked["question"],
            options=tuple(asked.get("options", ())),
            why=asked.get("why", ""),
            answer=asked.get("answer"),
        )
        for asked in questions
    ]
