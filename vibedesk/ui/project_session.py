"""The open project: turns its events into what the panels show, and what the person does into commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from vibedesk.base.errors import (
    ConsentRequiredError,
    NotFoundError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.files.replica import RemoteEdit
from vibedesk.engine.views import ProjectView
from vibedesk.ui.bridge import ProjectFeed
from vibedesk.ui.chat.blueprint_card import BlueprintState
from vibedesk.ui.chat.card_header import WorkState
from vibedesk.ui.chat_control import ChatControl
from vibedesk.ui.document_sync import DocumentSync
from vibedesk.ui.file_marking import FileMarking
from vibedesk.ui.file_streams import FileStreams
from vibedesk.ui.files.file_marks import PersonMark
from vibedesk.ui.mending_control import PAYLOADS, MendingControl
from vibedesk.ui.preview_watch import PreviewWatch
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.proposal_reviews import ProposalReviews
from vibedesk.ui.roadmap_view import RoadmapView
from vibedesk.ui.run_clock import RunClock
from vibedesk.ui.run_view import RunView
from vibedesk.ui.sandbox.words import is_up
from vibedesk.ui.tasks import WidgetTasks

_WAITS_OF_SANDBOXES = ("slot", "sandbox")
_OWN_STREAM = "vibedesk"
"""The log lines that tell what VibeDesk does to prepare a sandbox, and later what it met in it."""
_TOLD_IN_CHAT = frozenset(
    {
        "locked",
        "untouchable",
        "outside_plan",
        "forgotten",
        "not_written",
        "plan_checked",
        "version_replaced",
        "too_large_to_show",
        "unknown_price",
        "fallback",
        "images_not_seen",
        "nothing_changed",
        "pausing",
        "no_summary",
        "template_gone",
        "no_review",
        "no_checks",
        "check_steps_left_out",
        "check_suggested",
        "other_data",
        "left_out",
        "manifest_locked",
        "nothing_planned",
        "not_mended",
        "no_fault",
        "not_regenerated",
    }
)
"""Notices about money and about what became of what was asked for; all others are in the log only."""
_ABOUT_THE_MODEL = ("no_model", "key_rejected", "quota_exceeded", "request_refused")

Confirm = Callable[[str, str, str], Awaitable[bool]]


class ProjectSession(QObject):
    """One project while it is on screen.

    Args:
        engine: Where it lives.
        project_id: Which.
        panels: Where it is shown; cleared first.
        profiles: Where previews keep their browser data.
        confirm: Asks before something is deleted: title, text, what the button says.
        parent: Ends the session with it.
    """

    run_changed = Signal()
    """The phase, the state or what is known of them changed."""
    facts_changed = Signal()
    """Title, cost, sandbox, version or file count changed."""
    failed = Signal(object)
    """A command was refused: a VibeDeskError."""
    progress_changed = Signal()
    """`progress` did: the sandbox is being prepared."""
    consent_wanted = Signal()
    """Nothing may run before the person agreed to it; `go_on` after that."""
    variable_asked = Signal(str, str)
    """The app asked for a variable: its name and what for."""
    deleted = Signal()
    code_wanted = Signal()
    """A file was asked for: the editor is to be seen."""

    def __init__(
        self,
        engine: Engine,
        project_id: str,
        panels: ProjectPanels,
        profiles: Path,
        confirm: Confirm,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.project_id = project_id
        self.run = RunView()
        self.clock = RunClock()
        self.title = ""
        self.folder = ""
        self.sample = ""
        self.sandbox = ("absent", "")
        self.sandbox_kind = ""
        self.progress = ""
        """The last line about what is being prepared; empty while nothing is."""
        self.cost = 0.0
        self.model = ""
        self.version_count = 0
        self.loaded = False
        self._engine = engine
        self._panels = panels
        self._profiles = profiles
        self._confirm = confirm
        self._tasks = WidgetTasks(self, self.failed.emit)
        self._feed = ProjectFeed(engine, self._on_events, self)
        self.watch = PreviewWatch(panels, lambda: self._preview_url, self)
        self._sync = DocumentSync(
            engine,
            project_id,
            self._show_edits,
            self.failed.emit,
            lambda path: self._streams.settled(path),
        )
        self._streams = FileStreams(panels, self._sync, self._tasks.start)
        self._marking = FileMarking(engine, project_id, panels)
        self._reviews = ProposalReviews(
            engine, project_id, panels, self._sync, self._tasks.start, self.show_file
        )
        self._known: set[str] = set()
        self._plan = RoadmapView()
        self._chat = ChatControl(engine, project_id, panels.chat, self._tasks, self)
        self.mending = MendingControl(
            engine, project_id, panels, self._tasks, self.run, lambda: self._preview_url, self
        )
        self.mending.changed.connect(self.run_changed)
        self.mending.place_wanted.connect(self.show_place)
        self._started_messages: set[str] = set()
        self._unshown: set[str] = set()
        self._preview_url = ""
        self._waiting_words = ""
        self._restarting = False
        self._closed = False
        self._granted: tuple[str, ...] = ()
        self._suggestions: tuple[str, ...] = ()
        self._connections: list[tuple[Any, Callable[..., Any]]] = []
        self._opening: asyncio.Task[None] | None = None
        self._connect()

    @property
    def failed_to_open(self) -> bool:
        """Whether there is nothing to show, and nothing more to come."""
        return not self.loaded and self._opening is not None and self._opening.done()

    # -- life -----------------------------------------------------------------------------------------
    def start(self) -> None:
        self._panels.clear()
        self._tasks.start(self._sync.send_typed(), name="send typed")
        self._opening = self._tasks.start(self._open(), name="open project")

    async def close(self) -> None:
        """Stop showing the project; everything typed is stored first."""
        self._closed = True
        # What is written from now on would reach nobody; the next project has them again.
        self._panels.set_enabled(enabled=False)
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections.clear()
        async with AsyncExitStack() as rest:
            # The last comes first, and each whatever becomes of those before it.
            rest.push_async_callback(self._engine.close, self.project_id)
            rest.callback(self._tasks.cancel)
            rest.push_async_callback(self._sync.all_sent)
            rest.push_async_callback(self._feed.close)
            rest.callback(self._reviews.close)
            rest.push_async_callback(self._chat.close)
            # What the chat hands over would wait for the end of a look.
            self.mending.close()

    async def send_typed(self) -> None:
        """Return when the engine has everything that the person typed."""
        await self._sync.all_sent()

    async def _open(self) -> None:
        await self._feed.open(self.project_id)
        await self._engine.open(self.project_id)

    def _connect(self) -> None:
        chat, files = self._panels.chat, self._panels.files
        editor, preview = self._panels.editor, self._panels.preview
        for signal, slot in (
            (chat.stop_requested, self.stop),
            (chat.continue_requested, self.go_on),
            (chat.retry_requested, self.go_on),
            (chat.file_clicked, self.show_file),
            (chat.link_clicked, _open_link),
            (files.file_activated, self.show_file),
            (files.file_pinned, lambda path: self.show_file(path, pinned=True)),
            (files.rename_requested, self._on_rename),
            (files.delete_requested, self._on_delete),
            (files.reveal_requested, self._on_reveal),
            (files.regenerate_requested, self._reviews.ask),
            (files.review_requested, self._reviews.review),
            (files.mark_requested, self._on_mark),
            (editor.regenerate_requested, self._reviews.ask),
            (editor.review_requested, self._reviews.review),
            (editor.lock_requested, lambda path, on: self._on_mark([path], "locked", on=on)),
            (editor.change, self._on_typed),
            (editor.reopen_requested, self.show_file),
            (editor.current_changed, self._on_current_file),
            (preview.restart_requested, self.restart_app),
            (preview.console, self.watch.on_console),
            (preview.request_blocked, self.watch.on_blocked),
        ):
            signal.connect(slot)
            self._connections.append((signal, slot))

    # -- what the person does ----------------------------------------------------------------------------
    def pause(self) -> None:
        self.run.pausing = True
        self.run_changed.emit()
        self._do(self._pause())

    async def _pause(self) -> None:
        try:
            await self._engine.pause(self.project_id)
        except Exception:
            self.run.pausing = False
            self.run_changed.emit()
            raise

    def stop(self) -> None:
        self.run.stopping = True
        self.run_changed.emit()
        self._do(self._stop())

    async def _stop(self) -> None:
        try:
            await self._engine.cancel(self.project_id)
        except Exception:
            self.run.stopping = False
            self.run_changed.emit()
            raise

    def go_on(self) -> None:
        """Do again what failed or was stopped: the run, an answer, the start of the preview."""
        # Whoever goes on takes back a pause that is still to come.
        self.run.pausing = False
        self.run_changed.emit()
        self._panels.chat.hide_continue()
        self._do(self._go_on())

    async def _go_on(self) -> None:
        await self._engine.resume(self.project_id)
        now = await self._engine.project(self.project_id)
        if now.state == "complete" and now.sandbox_state not in ("starting", "running"):
            await self._preview()

    def restart_app(self) -> None:
        """Start the app again; a sandbox that broke is emptied before."""
        if self.sandbox[0] == "failed":
            self._do(self._restart())
        else:
            self._do(self._preview())

    async def _preview(self) -> None:
        await self._engine.start_preview(self.project_id)

    async def _restart(self) -> None:
        self.set_restarting(restarting=True)
        try:
            await self._engine.restart_sandbox(self.project_id)
        finally:
            self.set_restarting(restarting=False)

    def set_restarting(self, *, restarting: bool) -> None:
        """Say that the app stops only to start again; one that is closed leaves the panels to the next."""
        if self._closed:
            return
        self._restarting = restarting
        if not restarting and self.sandbox[0] in ("stopped", "absent", "failed"):
            self._on_sandbox(*self.sandbox)

    def show_file(self, path: str, *, pinned: bool = False) -> None:
        self._do(self._show_file(path, pinned=pinned))

    def show_place(self, path: str, line: int, column: int) -> None:
        """Open a file at a line and column, counted from 1; 0 where not known."""
        self._do(self._show_place(path, line, column))

    async def _show_place(self, path: str, line: int, column: int) -> None:
        await self._show_file(path, pinned=False)
        if line:
            self._panels.editor.go_to(path, line, max(1, column))

    async def _show_file(self, path: str, *, pinned: bool) -> None:
        text = await self._sync.text(path)
        if text is None and not self._sync.is_streaming(path):
            raise self._nothing_to_show(path)
        if self.run.running and path != self._panels.editor.current_path:
            # Who opens another file wants to stay there.
            self._panels.editor.set_following(False)
        self.code_wanted.emit()
        self._panels.editor.open_file(path, text or "", pinned=pinned)

    def _nothing_to_show(self, path: str) -> VibeDeskError:
        if path in self._known:
            words = self.tr("{0} is no text file.")
        elif path in self.run.planned and path not in self.run.finished:
            words = self.tr("{0} is not written yet.")
        else:
            words = self.tr("{0} is not there any more.")
        return NotFoundError(words.format(path))

    def _on_rename(self, path: str, new_path: str) -> None:
        self._do(self._engine.rename_file(self.project_id, path, new_path))

    def _on_delete(self, paths: list[str]) -> None:
        self._do(self._delete(paths))

    async def _delete(self, paths: list[str]) -> None:
        if len(paths) == 1:
            title = self.tr("Delete {0}?").format(paths[0])
            text = self.tr("It goes from the project and its folder. Saved versions keep it.")
        else:
            title = self.tr("Delete {0} files and folders?").format(len(paths))
            text = self.tr("They go from the project and its folder. Saved versions keep them.")
        if await self._confirm(title, text, self.tr("Delete")):
            for path in paths:
                await self._engine.delete_file(self.project_id, path)

    def _on_mark(self, paths: list[str], mark: PersonMark, on: bool) -> None:
        self._do(self._marking.mark(paths, mark, on=on))

    def _on_reveal(self, path: str) -> None:
        place = Path(self.folder) / path
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(place.parent)))

    def _on_typed(self, path: str, position: int, removed: int, inserted: str) -> None:
        self._sync.typed(path, position, removed, inserted)

    def _on_current_file(self, path: str) -> None:
        if path:
            self._panels.files.select(path)

    def _do(self, work: Any) -> None:
        self._tasks.start(_discard(work))

    # -- what happened ----------------------------------------------------------------------------------
    def _on_events(self, batch: list[e.Event]) -> None:
        logs: list[tuple[str, str, str]] = []
        stale = False
        for event in batch:
            match event.payload:
                case e.SandboxLog(stream, line):
                    logs.append((event.at, stream, line))
                case e.CommandOutput(_, line):
                    logs.append((event.at, "install", line))
                case e.FileChanged(origin=origin) if origin != "agent":
                    stale = True
            try:
                self._show_event(event)
            except Exception as error:  # noqa: BLE001 - what comes after it is shown all the same
                self._tell_unshown(event, error)
        if logs:
            self._panels.logs.append([(_moment(at), stream, line) for at, stream, line in logs])
        if stale:
            self._do(self._sync.fetch())

    def _show_event(self, event: e.Event) -> None:
        match event.payload:
            case e.SandboxLog(stream, line) if stream == _OWN_STREAM:
                self._on_progress(line, _moment(event.at))
            case payload if self._reviews.handle(payload):
                pass
            case payload if isinstance(payload, PAYLOADS):
                self.mending.show(payload, _moment(event.at))
            case _:
                self._on_event(event)

    def _tell_unshown(self, event: e.Event, error: Exception) -> None:
        """Log what went wrong, and tell it once for each kind of event."""
        told = as_vibedesk_error(error)
        if event.type not in self._unshown:
            self._unshown.add(event.type)
            self.failed.emit(told)

    def _on_event(self, event: e.Event) -> None:  # noqa: C901 - one case an event
        at, chat = _moment(event.at), self._panels.chat
        match event.payload:
            case e.Snapshot(project=project):
                self._show_project(project)
            case e.StateChange(state, previous, reason):
                self._on_state(state, previous, reason, at)
            case e.RunStarted():
                self._on_run_started(at)
            case (
                e.BlueprintSection()
                | e.BlueprintRestarted()
                | e.QuestionsAsked()
                | e.QuestionsAnswered()
                | e.WishQueued()
            ):
                self._chat.show(event.payload, at)
            case e.BlueprintReady(blueprint):
                self._chat.blueprint_is_whole()
                self._plan.blueprint = blueprint
                self.title = blueprint.get("title") or self.title
                self._show_plan()
                self._refresh_roadmap()
                self.mending.load_checks()
                self.facts_changed.emit()
            case e.PhaseDesigning(number):
                self._panels.log(at, "agent", self.tr("planning phase {0}").format(number))
            case e.PhaseDesigned(phase):
                self._on_phase(phase, at)
            case e.FileStart(path) | e.FileChunk(path) | e.FileEnd(path):
                self._streams.show(event.payload, known=path in self._known)
                self._known.add(path)
                if isinstance(event.payload, e.FileEnd):
                    self.run.finished.add(path)
                    self.run_changed.emit()
            case e.FileDropped(path):
                self._streams.dropped(path)
            case e.FileChanged(path, version, origin):
                self.mending.code_changed(version)
                if path not in self._known:
                    self._known.add(path)
                    self._panels.files.set_state(path, "unchanged")
                if origin != "agent" and not self._sync.is_streaming(path):
                    self._panels.files.set_state(path, "modified")
            case e.FileDeleted(path, version):
                self.mending.code_changed(version)
                self._known.discard(path)
                self._streams.deleted(path)
                self._panels.files.remove_file(path)
                self._panels.editor.file_deleted(path)
            case e.FileRenamed(path, new_path, version):
                self.mending.code_changed(version)
                self._known.discard(path)
                self._known.add(new_path)
                self._panels.files.file_renamed(path, new_path)
                self._panels.editor.file_renamed(path, new_path)
                self._streams.renamed(path, new_path)
            case e.FileMarked(path, mark, on):
                self._marking.on_marked(path, mark, on=on)
            case e.FilesWritten(count):
                many = self.tr("{0} files written to the folder").format(count)
                text = self.tr("1 file written to the folder") if count == 1 else many
                self._panels.log(at, "write", text)
            case e.CommandStarted(command):
                chat.activity("command", command, None, "running", key=command, at=at)
                self._panels.log(at, "install", f"$ {command}")
            case e.CommandFinished(command, status, seconds):
                outcome: WorkState = "done" if status == 0 else "failed"
                chat.activity("command", command, seconds, outcome, key=command, at=at)
            case e.ServerStarted(url):
                preview = self._panels.preview
                # A page of the server before this one may be half loaded, and does not always find back by itself.
                stale = preview.state == "live" and self._preview_url == url
                self._preview_url = url
                self._show_preview()
                if stale:
                    preview.reload()
                chat.activity("server", url, None, "done", at=at)
            case e.PhaseComplete(index):
                self._on_phase_complete(index)
            case e.SnapshotCreated(commit, label):
                self.version_count += 1
                chat.activity("snapshot", label, None, "done", key=commit, at=at)
                self.facts_changed.emit()
            case e.GenerationComplete(files, phases):
                self._on_complete(files, phases, at)
            case e.MessageChunk(message_id, _, chunk):
                if message_id not in self._started_messages:
                    self._started_messages.add(message_id)
                    chat.agent_message_start(message_id, at)
                chat.agent_message_chunk(message_id, chunk)
            case e.MessageRestarted(message_id):
                chat.agent_message_restarted(message_id)
            case e.MessageComplete(message_id, role, text, attachments):
                if role == "user":
                    pictures = self._chat.pictures(attachments)
                    chat.add_user_message(message_id, text, at, pictures)
                else:
                    chat.agent_message_done(message_id, text, at)
            case e.SandboxState(state, reason):
                self._on_sandbox(state, reason)
            case e.HostRefused(host):
                self.watch.on_refused(host)
            case e.Usage(model=model, cost=cost):
                self.model = model
                self.cost += cost or 0.0
                chat.set_model("" if self.sample else model)
                self.facts_changed.emit()
            case e.VariableAsked(name, purpose):
                self.variable_asked.emit(name, purpose)
            case e.BudgetWarning(spent, limit):
                text = self.tr("{0:.2f} of {1:.2f} USD are used.").format(spent, limit)
                chat.activity("check", text, None, "done", at=at)
                self._chat.show(event.payload, at)
            case e.Waiting(reason, until, message):
                self._show_waiting(reason, until, message)
            case e.Resumed(reason):
                self._end_waiting(reason)
            case e.ErrorReported(message, remedy, code, details):
                self._show_error(message, remedy, code, at, details)
            case e.Notice(message, code):
                self._panels.log(at, "vibedesk", message)
                if code == "roadmap_open":
                    self._offer_more(at)
                if code in _TOLD_IN_CHAT:
                    # The same words again, as in an outage, are no other row.
                    chat.activity("notice", message, None, "done", detail=message, at=at)
            case e.ProjectChanged(project):
                self.title = project.get("title") or self.title
                self.folder = project.get("folder") or self.folder
                if "budget" in project:
                    self._chat.set_budget(project["budget"])
                self._on_granted(tuple(project.get("granted_hosts", self._granted)))
                self.facts_changed.emit()
            case e.ProjectDeleted():
                self.deleted.emit()

    def _show_project(self, project: ProjectView) -> None:
        """Show everything there is: the snapshot that a new subscriber gets first."""
        chat, files = self._panels.chat, self._panels.files
        self.title = project.title or project.wish
        self.folder = project.folder
        self.sample = project.sample
        self._suggestions = project.suggestions
        self.model = project.model
        self.cost = project.cost
        self.sandbox, self.sandbox_kind = (project.sandbox_state, ""), project.sandbox_kind
        self._preview_url, self._granted = project.preview_url, project.granted_hosts
        self.watch.refused = frozenset(project.refused_hosts)
        self._known = {file.path for file in project.files}
        files.set_files([file.path for file in project.files])
        self._marking.show(project.files)
        self._reviews.show(project.proposals)
        chat.set_sample(bool(project.sample))
        chat.set_model("" if project.sample else project.model)
        self._show_words(project)
        self._plan.set_phases(phase.to_dict() for phase in project.phases)
        last = project.phases[-1] if project.phases else None
        self.run.take_up(
            project.state,
            project.reason,
            running=project.running,
            waiting=project.waiting.reason if project.waiting is not None else "",
            can_continue=project.can_continue,
            halted=project.halted,
        )
        self.run.phase_total = self._plan.total
        self.run.built = any(phase.completed for phase in project.phases)
        if last is not None:
            self.run.open_phase(last.number, last.name, [f["path"] for f in last.files])
            self.run.finished = {f.path for f in project.files if f.phase == last.number}
        self.clock = RunClock(project.worked_seconds)
        self._follow_clock()
        for draft in project.drafts if project.running else ():
            self._streams.take_up(draft)
        self._panels.logs.append(
            [(_moment(line.at), line.stream, line.line) for line in project.logs]
        )
        self._refresh_roadmap()
        chat.set_running(self.run.running)
        self._chat.show_project(project)
        self.mending.show_project(project)
        self._show_standing(project)
        self.loaded = True
        own = [line.line for line in project.logs if line.stream == _OWN_STREAM]
        self._on_sandbox(project.sandbox_state, "", own[-1] if own else "")
        self.run_changed.emit()
        self.facts_changed.emit()

    def _show_words(self, project: ProjectView) -> None:
        chat = self._panels.chat
        first = project.messages[0].at if project.messages else ""
        of_the_wish = [image for image in project.attachments if not image.message_id]
        pictures = self._chat.pictures_of(of_the_wish)
        chat.add_user_message("wish", project.wish, _moment(first), pictures)
        if project.blueprint is not None:
            self._plan.blueprint = project.blueprint
            state = _state_of_plan(project.state, begun=bool(project.phases))
            chat.set_blueprint(project.blueprint, state)
        for phase in project.phases:
            if phase.completed:
                key, at = f"phase {phase.number}", _moment(first)
                chat.activity("phase", phase.name, None, "done", key=key, at=at)
        for message in project.messages:
            if message.role == "user":
                pictures = self._chat.pictures_of(message.attachments)
                chat.add_user_message(message.id, message.text, _moment(message.at), pictures)
            elif message.complete:
                chat.agent_message_done(message.id, message.text, _moment(message.at))
            else:
                self._started_messages.add(message.id)
                chat.agent_message_start(message.id, _moment(message.at))
                chat.agent_message_chunk(message.id, message.text)

    def _show_standing(self, project: ProjectView) -> None:
        chat = self._panels.chat
        if project.waiting is not None:
            waiting = project.waiting
            self._show_waiting(waiting.reason, waiting.until, waiting.message)
        if project.error is not None:
            error = project.error
            details = error.get("details")
            self._show_error(error["message"], error["remedy"], error["code"], None, details)
        elif project.state == "complete":
            last = project.messages[-1].at if project.messages else ""
            built = sum(phase.completed for phase in project.phases)
            self._on_complete(len(project.files), built, _moment(last))
            if self.run.can_continue:
                self._offer_more(_moment(last))
        elif self.run.can_continue and (
            project.phases or project.blueprint or project.blueprint_text
        ):
            chat.show_continue(self._stopped_words(project.reason))

    def _show_waiting(self, reason: str, until: str | None, message: str) -> None:
        if reason == "approval":
            words = self.tr("The plan waits for your approval.")
            self._panels.chat.set_waiting(words, for_person=True)
        elif reason == "needs_person":
            self._panels.chat.set_waiting(self.tr("It waits for your decision."), for_person=True)
            self.mending.ask_person(message)
        elif reason != "budget" or not self._chat.wait_for_budget(self.cost):
            for_person = reason in e.WAITS_FOR_PERSON
            end = _moment(until) if until else None
            self._panels.chat.set_waiting(message, end, for_person=for_person)
        self.run.wait_for(reason)
        self._waiting_words = message
        if reason == self.run.halted:
            # Nothing starts a stopped app by itself any more.
            self._on_sandbox(*self.sandbox, self.progress)
        self._follow_clock()
        self.mending.follow_run()
        self._show_stage()
        self.run_changed.emit()

    def _end_waiting(self, reason: str) -> None:
        self._chat.end_wait(reason)
        self._panels.chat.set_waiting(None)
        self._panels.chat.end_decision()
        self.run.end_wait(reason)
        self._follow_clock()
        self.mending.follow_run()
        self._show_stage()
        self.run_changed.emit()

    def _show_error(
        self,
        message: str,
        remedy: str,
        code: str,
        at: datetime | None,
        details: dict[str, Any] | None = None,
    ) -> None:
        retry = ("retry", self.tr("Try again"))
        actions = [retry]
        if code in _ABOUT_THE_MODEL:
            actions.append(("model", self.tr("Set up the model")))
        self._panels.chat.show_error(message, remedy, actions, at, details)
        if code == ConsentRequiredError.code and at is not None:
            self.consent_wanted.emit()

    def _stopped_words(self, reason: str) -> str:
        """Say where a run stopped, and why if not everybody knows."""
        number = self.run.phase_number
        if number:
            words = self.tr("The build stopped in phase {0}.").format(number)
        else:
            words = self.tr("The build stopped while the plan was made.")
        known = reason in ("", "stopped", "stopped by you")
        why = "" if known else f" {reason[:1].upper()}{reason[1:].rstrip('.')}."
        return words + why + self.tr(" Everything finished is saved. Continue?")

    # -- pieces -------------------------------------------------------------------------------------------
    def _on_state(self, state: str, previous: str, reason: str, at: datetime) -> None:
        chat = self._panels.chat
        if state == "blueprinting":
            if self._plan.blueprint is not None and previous == "awaiting_approval":
                # The one that was there stays in the conversation above what the person asked for.
                chat.set_blueprint({}, "streaming")
                self._plan.blueprint = None
            self._chat.blueprint_is_whole()
        was_running = self.run.running
        self.run.enter(state, reason, previous)
        self._show_plan()
        self.mending.follow_run()
        self._follow_clock()
        if self.run.running and not was_running:
            self._panels.editor.set_following(True)
        if previous in ("implementing_phase", "fixing"):
            chat.end_activity(complete=state not in ("error", "idle"))
        self._begin_writing(at)
        if not self.run.running and state != "awaiting_approval":
            self._streams.end()
            chat.stop_work()
        chat.set_running(self.run.running)
        if state == "idle":
            chat.show_continue(self._stopped_words(reason), at)
        self._refresh_roadmap()
        self.run_changed.emit()

    def _on_run_started(self, at: datetime) -> None:
        """A run that was cut off goes on: of a step that is taken again no change of state tells."""
        if self.run.running:
            return
        self.run.go_on()
        self.mending.follow_run()
        self._follow_clock()
        self._panels.editor.set_following(True)
        self._begin_writing(at)
        self._panels.chat.set_running(self.run.running)
        self._refresh_roadmap()
        self.run_changed.emit()

    def _follow_clock(self) -> None:
        working = self.run.starts_app and self.run.waiting not in e.WAITS_FOR_PERSON
        self.clock.follow(self.run.state, running=working)
        self.run.elapsed = self.clock.words()

    def _begin_writing(self, at: datetime) -> None:
        """Show what is still to be written of the phase, if that is what is done now."""
        to_write = [path for path in self.run.planned if path not in self.run.finished]
        if self.run.state == "implementing_phase" and to_write:
            self._panels.chat.begin_activity("writing", to_write, at)
            for path in to_write:
                if path not in self._known:
                    self._panels.files.set_state(path, "queued")

    def _offer_more(self, at: datetime) -> None:
        """The roadmap of a complete app has more to build: the person says when."""
        words = self.tr("The roadmap has what no phase was planned for. Plan and build it now?")
        self.run.can_continue = True
        self._panels.chat.show_continue(words, at)
        self.run_changed.emit()

    def _show_plan(self) -> None:
        if self._plan.blueprint is not None:
            state = _state_of_plan(self.run.state, begun=bool(self.run.phase_number))
            self._panels.chat.set_blueprint(self._plan.blueprint, state)

    def _on_phase(self, phase: dict[str, Any], at: datetime) -> None:
        number = phase["number"]
        self._plan.open_phase(phase)
        self.run.phase_total = self._plan.total
        self.run.open_phase(number, phase["name"], [f["path"] for f in phase.get("files", ())])
        self._panels.files.clear_states()
        self._panels.editor.clear_marks()
        self._streams.begin_phase()
        if number > 1 or phase.get("source") == "converse":
            self._panels.chat.activity(
                "phase", phase["name"], None, "done", key=f"phase {number}", at=at
            )
            if self._preview_url:
                stale = self.tr("Showing phase {0}. Updates when phase {1} is ready.")
                self._panels.preview.set_stale(stale.format(number - 1, number))
        self._refresh_roadmap()
        self.run_changed.emit()

    def _on_phase_complete(self, index: int) -> None:
        self._plan.close_phase(index)
        self.run.built = True
        self._panels.preview.set_stale(None)
        self._refresh_roadmap()

    def _on_complete(self, files: int, phases: int, at: datetime) -> None:
        written = self.tr("1 file") if files == 1 else self.tr("{0} files").format(files)
        if phases != 1:
            written = self.tr("{0} in {1} phases").format(written, phases)
        cost = self.tr("recorded, no cost") if self.sample else f"${self.cost:.2f}"
        self._panels.chat.set_complete(
            {
                "title": self.tr("{0} is ready").format(self.title),
                "elapsed": self.run.elapsed,
                "checks": [
                    (written, ""),
                    *self.mending.outcome_rows(),
                    (self.tr("Saved as a version"), cost),
                ],
                "suggestions": list(self._suggestions),
            },
            at,
        )

    def _on_granted(self, hosts: tuple[str, ...]) -> None:
        if hosts != self._granted:
            self._granted = hosts
            preview = self._panels.preview
            preview.set_granted_hosts(hosts)
            if preview.state in ("live", "loading"):
                preview.reload()

    def _on_progress(self, line: str, at: datetime) -> None:
        if self.sandbox[0] in ("building", "starting"):
            self.progress = line
            self._show_stage()
            self.progress_changed.emit()
        else:
            self._panels.chat.activity("notice", line, None, "done", detail=line, at=at)

    def _on_sandbox(self, state: str, reason: str, line: str = "") -> None:
        self.sandbox = (state, reason)
        self.progress = line if state in ("building", "starting") else ""
        preview = self._panels.preview
        if state in ("stopped", "absent") and self._restarting:
            preview.set_preparing(self.tr("Starting the app…"))
        elif state == "stopped" and self._preview_url and not self.run.starts_app:
            # While a run is at work the server only restarts; the page comes back by itself.
            preview.set_stopped(self.tr("The app is not running."))
        elif state == "failed" and reason and (self._preview_url or not self.run.running):
            preview.set_stopped(reason)
        elif state != "paused" or preview.state != "live":
            self._show_preview()
        self._show_stage()
        self.facts_changed.emit()

    def _show_stage(self) -> None:
        """Say in place of the page what is being done so that there will be one."""
        preview, state = self._panels.preview, self.sandbox[0]
        page_there = preview.state in ("live", "loading", "disconnected")
        waiting = self.run.waiting if self.run.waiting in _WAITS_OF_SANDBOXES else ""
        if state == "building":
            preview.set_preparing(
                self.tr("Preparing the sandbox…"),
                self.tr("The first time this takes about a minute. It is done once."),
                self.progress,
            )
        elif page_there:
            return
        elif waiting:
            titles = {"slot": self.tr("Waiting in line"), "sandbox": self.tr("Waiting for Docker")}
            preview.set_preparing(titles[waiting], self._waiting_words, waiting=True)
        elif (
            state == "starting"
            or (self._restarting and state != "failed")
            or (state == "running" and not self._preview_url)
        ):
            preview.set_preparing(self.tr("Starting the app…"), "", self.progress)
        else:
            preview.end_preparing()

    def _show_preview(self) -> None:
        preview = self._panels.preview
        if not self.loaded or not self._preview_url:
            return
        if is_up(self.sandbox[0]):
            preview.set_target(self._preview_url, self._profiles / self.project_id, self._granted)
        elif not self.run.starts_app and self.sandbox[0] not in ("building", "starting"):
            preview.set_stopped(self.tr("The app is not running."))

    def _refresh_roadmap(self) -> None:
        if self._plan.blueprint is not None:
            self._panels.chat.set_roadmap(self._plan.rows(self.run, self.tr))

    def _show_edits(self, edits: Iterable[RemoteEdit]) -> None:
        for edit in edits:
            self._panels.editor.apply_edit(edit.path, edit.position, edit.removed, edit.inserted)


async def _discard(work: Any) -> None:
    await work


def _state_of_plan(state: str, *, begun: bool) -> BlueprintState:
    """Return how a whole blueprint stands in a state of the run; `begun`: there is a phase."""
    if state == "awaiting_approval":
        return "awaiting_approval"
    return "resting" if state in ("idle", "error", "blueprinting") and not begun else "approved"


def _moment(at: str | None) -> datetime:
    if not at:
        return datetime.now().astimezone()
    return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone()


def _open_link(url: str) -> None:
    target = QUrl(url)
    if target.scheme() in ("http", "https"):
        QDesktopServices.openUrl(target)
