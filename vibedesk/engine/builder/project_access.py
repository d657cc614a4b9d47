"""What the operations of one project may touch, handed in explicitly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from vibedesk.engine.builder.context import ProjectContext
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import FileChanged, FileDeleted, FileRenamed
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.files.stored_document import FileChange
from vibedesk.engine.models.project_router import ProjectRouter
from vibedesk.engine.scof import ScofParser
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import ABOUT_THE_PLAN, MessageRecord

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
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

    async def commit(self, work: Callable[[Emit], T], *, durable: bool = False) -> T:
        """Run `work(emit)` in one transaction; its events go out after the commit."""
        return await self.bus.commit(self.project_id, work, durable=durable)

    async def read(self, work: Callable[[], T]) -> T:
        """Run a query on the store's thread."""
        return await self.database.run(work, durable=False)

    async def context(self, *, before: str | None = None) -> ProjectContext:
        """Return what requests are made of, as the project stands now.

        Args:
            before: Leave out this message of the conversation and what came after it.
        """
        return await self.read(lambda: self._context(before))

    def _context(self, before: str | None) -> ProjectContext:
        record = self.store.get(self.project_id)
        phases = self.store.phases(self.project_id)
        messages = self.store.messages(self.project_id)
        added = [m.text for m in messages if m.data.get("settled") == ABOUT_THE_PLAN]
        return ProjectContext(
            template=self.template,
            wish="\n\nOn seeing the plan they added: ".join([record.wish, *added]),
            blueprint=record.blueprint,
            phases=[(p.number, p.name, p.description, p.completed) for p in phases],
            files=self.files.texts(),
            wishes=[w.text for w in self.store.wishes(self.project_id, "open", "planned")],
            history=_history(messages, before),
        )


def _history(messages: list[MessageRecord], before: str | None) -> list[tuple[str, str]]:
    """Return (role, text) of the conversation, each answer after its question, up to the question `before`."""

    def question(message: MessageRecord) -> str:
        return str(message.data.get("answers") or message.id)

    ordered = sorted(messages, key=lambda m: (question(m), m.id))
    return [
        (m.role, _with_outcome(m))
        for m in ordered
        if m.complete and (before is None or question(m) < before)
    ]


def _with_outcome(message: MessageRecord) -> str:
    """Return a message's text with what came of it, which the person saw in other places."""
    if scof := message.data.get("scof"):
        paths = ", ".join(dict.fromkeys(e.path for e in ScofParser().feed(scof) if e.path))
        return f"{message.text}\n\n(The change followed in SCOF: {paths or 'packages'}.)"
    return f"{message.text}\n\n[no change]" if message.data.get("no_change") else message.text


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
