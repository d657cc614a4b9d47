"""What the operations of one project may touch, handed in explicitly."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from vibedesk.base.errors import NotAllowedNowError, VibeDeskError
from vibedesk.engine.builder.context import ProjectContext, fixed_characters
from vibedesk.engine.builder.own_templates import Templates
from vibedesk.engine.builder.relevance.scores import Focus
from vibedesk.engine.builder.relevance.selection import (
    CHARACTERS_PER_TOKEN,
    MAP_TOKENS,
    MOST_TOKENS,
    KnownFiles,
    choose_files,
)
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.builder.transcript import history
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import FileChanged, FileDeleted, FileDropped, FileRenamed, Notice
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.stored_document import FileChange
from vibedesk.engine.models.project_router import ProjectRouter
from vibedesk.engine.models.protocol import ModelRequest
from vibedesk.engine.store.conversation import ConversationStore
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.file_ages import file_ages, file_purposes
from vibedesk.engine.store.file_marks import FileMarks
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import ABOUT_THE_PLAN

T = TypeVar("T")

_SURELY = 0.8
"""Of a model's room for a prompt: dense code has more tokens than are reckoned with."""
_TASK = 1_500
"""Tokens of what an operation asks, beside what it is about."""


@dataclass(slots=True, kw_only=True)
class ProjectAccess:
    """One project's store, files, model and events."""

    project_id: str
    database: Database
    store: ProjectStore
    bus: EventBus
    files: ProjectFiles
    drafts: Drafts
    router: ProjectRouter
    template: Template
    """What the project begins with; until one is chosen, what it begins with if none ever is."""
    template_chosen: bool = True
    """False while the model has not said yet which starter it takes: nothing is laid out or installed before."""
    templates: Templates = field(default_factory=Templates)
    """Every starter there is."""
    on_closed: Callable[[Collection[str]], None] | None = None
    """Called, where somebody wants to know, with the paths of files that an answer has written whole; must not wait."""
    told_too_large: set[str] = field(default_factory=set)
    """Files of which the person was told that no model sees them."""
    revoked: bool = False
    """A run that could not be ended was given up: whatever it still does must change nothing any more."""

    async def commit(self, work: Callable[[Emit], T], *, durable: bool = False) -> T:
        """Run `work(emit)` in one transaction; its events go out after the commit."""
        if self.revoked:
            raise NotAllowedNowError("This run was given up, and changes nothing any more.")
        return await self.bus.commit(self.project_id, work, durable=durable)

    async def manifest(self) -> str:
        """Return the text that lists the app's packages, as it is in the document; empty where there is none."""
        path = self.template.packages.manifest
        return await self.read(lambda: self.files.read(path) if self.files.exists(path) else "")

    async def read(self, work: Callable[[], T]) -> T:
        """Run a query on the store's thread."""
        return await self.database.run(work, durable=False)

    async def context(
        self, focus: Focus | None = None, *, before: str | None = None
    ) -> ProjectContext:
        """Return what requests are made of, as the project stands now.

        Args:
            focus: What the request is about: it decides which files are shown.
            before: Leave out this message of the conversation and what came after it.
        """
        context, files = await self.read(lambda: self._context(before))
        # Reading many new texts takes longer than the store's thread may be kept from others.
        focus = focus or Focus()
        most = await self._room_for_files(context, focus)
        chosen = await asyncio.to_thread(choose_files, files, focus, most=most)
        await self._tell_too_large(chosen.too_large)
        return dataclasses.replace(context, files=chosen)

    async def _room_for_files(self, context: ProjectContext, focus: Focus) -> int:
        """Return the tokens that the model has left for files; reckoned carefully, for tokens are estimated."""
        request = ModelRequest(operation=focus.operation, system="", messages=())
        try:
            room = await self.router.prompt_room(request)
        except VibeDeskError:
            # Why no model can be asked is told when it is asked.
            return MOST_TOKENS
        talk = focus.operation == "converse"
        around = fixed_characters(context, talk=talk) + len(focus.words) + len(focus.background)
        return int(room * _SURELY) - around // CHARACTERS_PER_TOKEN - _TASK - MAP_TOKENS

    async def _tell_too_large(self, paths: Collection[str]) -> None:
        """Tell the person, once a file, that what they want to be seen is not."""
        new = [path for path in paths if path not in self.told_too_large]
        if new:
            self.told_too_large.update(new)
            words = (
                f"Too large for the model to read with everything else, so it is told only the name: {', '.join(new)}. "
                "Keep less in it, unpin it, or choose a model with a larger window."
            )
            await self.bus.emit(self.project_id, Notice(words, "too_large_to_show"))

    def _context(self, before: str | None) -> tuple[ProjectContext, KnownFiles]:
        record = self.store.get(self.project_id)
        phases = self.store.phases(self.project_id)
        messages = self.store.messages(self.project_id)
        summary, upto = ConversationStore(self.project_id).summary()
        marks = FileMarks(self.project_id).all()
        untold = self.template.untouchable_files - set(self.template.important_files)
        added = [m.text for m in messages if m.data.get("settled") == ABOUT_THE_PLAN]
        files = KnownFiles(
            texts=self.files.texts(),
            changed=file_ages(self.project_id),
            purposes=file_purposes(self.project_id),
            marks=marks,
            important=self.template.important_files,
            hidden=untold,
        )
        context = ProjectContext(
            template=self.template,
            wish="\n\nOn seeing the plan they added: ".join([record.wish, *added]),
            blueprint=record.blueprint,
            phases=[(p.number, p.name, p.description, p.completed) for p in phases],
            starters=[] if self.template_chosen else self.templates.all(),
            locked=sorted(path for path, of in marks.items() if "locked" in of),
            wishes=[w.text for w in self.store.wishes(self.project_id, "planned")],
            history=history(messages, after=upto, before=before),
            summary=summary,
        )
        return context, files

    def drop_draft(self, path: str, emit: Emit) -> None:
        """Drop what was written of a file, and tell it; for use inside a transaction."""
        with telling_changes(self.files, emit):
            self.drafts.discard(path)
        emit(FileDropped(path))


@contextmanager
def telling_changes(files: ProjectFiles, emit: Emit) -> Iterator[None]:
    """Emit every change that the body makes to `files`; for use inside a transaction."""

    def tell(change: FileChange) -> None:
        match change.kind:
            case "changed":
                emit(FileChanged(change.path, change.version, change.origin))
            case "deleted":
                emit(FileDeleted(change.path, change.version, change.origin))
            case "renamed":
                emit(FileRenamed(change.path, change.new_path or "", change.version, change.origin))

    stop = files.on_change(tell)
    try:
        yield
    finally:
        stop()
