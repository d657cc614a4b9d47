"""Takes a model's SCOF into the project while it streams: drafts, files, events.

Text is stored in batches of at most a frame and told after it is stored, so that a killed process has lost
nothing that was shown. Only whole files reach the document; the work folder is not touched here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from vibedesk.base.aio import Batcher
from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.builder.going_on import come_so_far, joined, whole_lines
from vibedesk.engine.builder.manifest import MANIFESTS, WRITTEN_BY_INSTALLS, checked_manifest
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    FileChanged,
    FileChunk,
    FileDeleted,
    FileEnd,
    FileRenamed,
    FileStart,
    Notice,
)
from vibedesk.engine.files.stored_document import LockedFileError
from vibedesk.engine.scof import PatchError, ScofEvent, ScofParser
from vibedesk.engine.scof.edits import holds_edits
from vibedesk.engine.scof.events import InstallPackages, OtherCommand, RemovePath, RenamePath
from vibedesk.engine.scof.patches import patch_outcome


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """A change that could not be made: where, why, and what was wanted."""

    path: str
    why: str
    change: str


@dataclass(slots=True)
class WrittenFiles:
    """What one answer (with its continuations) came to."""

    finished: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    refused: list[RefusedChange] = field(default_factory=list)
    """Asked for as whole files."""
    cut: tuple[str, str] | None = None
    """The file the answer broke off in, with what had come."""
    kept_out: list[str] = field(default_factory=list)
    """Paths that the answer brought but that may not be written; nobody asks for them again."""
    rearranged: list[str] = field(default_factory=list)
    """Paths that were deleted, renamed or renamed to."""
    changes: int = 0
    """Files written, deleted, renamed, and packages asked for: 0 means that nothing was changed."""
    no_faults: dict[int, str] = field(default_factory=dict)
    """Why problems are none, by their numbers in the question."""


class ScofWriter:
    """Feeds one answer to the parser and the parser's events to the project; an asynchronous context manager.

    Args:
        access: The project.
        phase: Number of the phase the files belong to.
        planned: Paths that the plan names; none where there is no plan.
        purposes: What the plan says of each path.
        written: Where the result goes; shared between an answer and its continuations.
        shown: How files read when the model was asked; of others it is taken to know how they read now.
        origin: `agent` or `fix`.
    """

    def __init__(
        self,
        access: ProjectAccess,
        *,
        phase: int,
        purposes: Mapping[str, str],
        planned: Collection[str] = (),
        written: WrittenFiles,
        shown: Mapping[str, str] | None = None,
        origin: str = "agent",
    ) -> None:
        self._access = access
        self._phase = phase
        self._purposes = purposes
        self._planned = planned
        self._written = written
        self._shown = dict(shown or {})
        self._origin = origin
        self._parser = ScofParser()
        self._skipped: str | None = None
        self._kept = ""
        """What had come, in an answer before, of the file that is written now."""
        self._closed: list[str] = []
        self._batch: Batcher[ScofEvent] = Batcher(self._store)

    async def feed(self, text: str) -> None:
        """Take in more of the answer."""
        for event in self._parser.feed(text):
            await self._batch.put(event)

    async def write_at_once(self, text: str, also: Callable[[Emit], None]) -> None:
        """Take in an answer that is here already, and do what `also` does, in one transaction."""
        events = [*self._parser.feed(text), *self._parser.close()]

        def work(emit: Emit) -> None:
            for event in _merged(events):
                self._apply(event, emit)
            also(emit)

        await self._access.commit(work, durable=True)
        self._tell_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Keep what came; an answer that ended inside a file leaves it as a draft and reports it as `cut`.

        After a failure or a cancel the open file stays a draft, from which the next run goes on.
        """
        async with self._batch:
            if kind is None:
                for event in self._parser.close():
                    await self._batch.put(event)

    async def _store(self, events: list[ScofEvent]) -> None:
        def work(emit: Emit) -> None:
            for event in _merged(events):
                self._apply(event, emit)

        await self._access.commit(work)
        self._tell_closed()

    def _tell_closed(self) -> None:
        closed, self._closed = self._closed, []
        if closed and self._access.on_closed is not None:
            self._access.on_closed(closed)

    # -- on the store's thread --------------------------------------------------------------------
    def _apply(self, event: ScofEvent, emit: Emit) -> None:
        match event.kind:
            case "start":
                self._start_file(event, emit)
            case "chunk" if event.path != self._skipped:
                self._access.drafts.append(event.path, event.text)
                emit(FileChunk(event.path, event.text))
            case "end" if event.path != self._skipped:
                self._end_file(event, emit)
            case "command":
                self._command(event, emit)
            case "refused":
                emit(Notice(f"{event.path} was not written: {event.text}", "path_refused"))
            case "warning":
                emit(Notice(event.text, "scof_warning"))

    def _start_file(self, event: ScofEvent, emit: Emit) -> None:
        mode = event.mode or "full"
        self._skipped = None
        if event.path in WRITTEN_BY_INSTALLS:
            self._skip(event.path, "only installs write it.", "managed", emit)
            return
        if self._stays(event.path, "written", emit):
            self._skip_quietly(event.path)
            return
        self._kept = self._broken_off(event.path) if mode == "append" else ""
        if self._kept:
            mode = "full"
        try:
            self._start_draft(event.path, mode, self._kept, emit)
        except VibeDeskError as error:
            self._skip(event.path, error.message, error.code, emit)

    def _broken_off(self, path: str) -> str:
        """Return the whole lines that had come of a file that this answer was told of, empty if none had."""
        written = self._written
        told = {*(written.cut or ())[:1], *(refused.path for refused in written.refused)}
        # Of any other file a try that was left may have sent a half.
        draft = self._access.drafts.get(path) if path in told else None
        if draft is None or draft.mode != "full" or draft.phase != self._phase:
            return ""
        return whole_lines(come_so_far(draft))

    def _start_draft(self, path: str, mode: str, kept: str, emit: Emit) -> None:
        self._access.drafts.start(path, mode, self._phase, kept=kept, shown=self._shown.get(path))
        emit(FileStart(path, mode))
        if kept:
            emit(FileChunk(path, kept))

    def _stays(self, path: str, done: str, emit: Emit) -> bool:
        """Whether the file may not be touched; says so where it is to be `done`."""
        if path in self._access.template.untouchable_files:
            emit(Notice(f"{path} was not {done}: the starter needs it as it is.", "untouchable"))
        elif self._access.files.locked([path]):
            emit(Notice(f"{path} was not {done}: you locked it.", LockedFileError.code))
        else:
            return False
        return True

    def _keeps_its_place(self, path: str, done: str, emit: Emit) -> bool:
        """As `_stays`, for what is not written but deleted, moved or replaced."""
        if path not in MANIFESTS | WRITTEN_BY_INSTALLS:
            return self._stays(path, done, emit)
        emit(Notice(f"{path} was not {done}: the app's packages hang on it.", "managed"))
        return True

    def _skip(self, path: str, why: str, code: str, emit: Emit) -> None:
        self._skip_quietly(path)
        emit(Notice(f"{path} was not written: {why}", code))

    def _skip_quietly(self, path: str) -> None:
        self._skipped = path
        written = self._written
        written.kept_out.append(path)
        # Nobody asks on for what may not be written.
        if written.cut is not None and written.cut[0] == path:
            written.cut = None
        written.refused = [refused for refused in written.refused if refused.path != path]

    def _end_file(self, event: ScofEvent, emit: Emit) -> None:
        access, path = self._access, event.path
        if event.truncated:
            access.drafts.interrupt(path)
            self._cut_off(path, joined(self._kept, event.text))
            return
        try:
            text = self._checked(path, self._whole_text(event, emit))
            version = access.drafts.close(path, text, origin=self._origin)
        except PatchError as error:
            self._refuse(path, error.message, event.text, emit)
            return
        except VibeDeskError as error:
            access.drop_draft(path, emit)
            emit(Notice(f"{path} was not written: {error.message}", error.code))
            return
        self._shown[path] = text
        if self._written.cut is not None and self._written.cut[0] == path:
            self._written.cut = None
        self._written.refused = [r for r in self._written.refused if r.path != path]
        if path not in self._written.finished:
            self._written.finished.append(path)
        self._written.changes += 1
        self._tell_unplanned(path, "written", emit)
        purpose = self._purposes.get(path, "")
        access.store.describe_file(access.project_id, path, purpose=purpose, phase=self._phase)
        # As it stands in the document: what a person typed meanwhile is part of it.
        emit(FileEnd(path, access.files.read(path)))
        self._closed.append(path)
        emit(FileChanged(path, version, self._origin))

    def _tell_unplanned(self, path: str, done: str, emit: Emit) -> None:
        if self._planned and path not in self._planned:
            emit(Notice(f"{path} was {done} too; the plan does not name it.", "outside_plan"))

    def _cut_off(self, path: str, text: str) -> None:
        before = self._written.cut
        if before is not None and before[0] not in ("", path):
            # Only one file can be the place to go on from; the other one is asked for by itself.
            self._owe(RefusedChange(before[0], "its text broke off", before[1]))
        self._written.cut = (path, text)

    def _whole_text(self, event: ScofEvent, emit: Emit) -> str:
        if self._kept:
            return joined(self._kept, event.text)
        if event.mode == "full":
            return event.text
        files = self._access.files
        current = files.read(event.path) if files.exists(event.path) else None
        if event.mode == "append":
            return (current or "") + event.text
        if current is None:
            raise PatchError(
                "no_match", f"{event.path} does not exist, so nothing in it can be changed."
            )
        outcome = patch_outcome(current, event.text)
        if holds_edits(event.text) and len(outcome.text) < len(current) // 2:
            # More often a misunderstanding than a wish.
            raise PatchError("malformed", "The edit would drop more than half of the file.")
        if outcome.already_applied:
            emit(Notice(f"A change to {event.path} was made already.", "already_applied"))
        return outcome.text

    def _checked(self, path: str, text: str) -> str:
        if path not in MANIFESTS:
            return text
        starter, _ = self._access.template.files()
        return checked_manifest(path, text, starter.get(path))

    def _refuse(self, path: str, why: str, change: str, emit: Emit) -> None:
        self._access.drop_draft(path, emit)
        self._owe(RefusedChange(path, why, change))
        emit(Notice(f"A change to {path} did not fit; asking for the whole file.", "patch_refused"))

    def _owe(self, owed: RefusedChange) -> None:
        others = [refused for refused in self._written.refused if refused.path != owed.path]
        self._written.refused = [*others, owed]

    def _command(self, event: ScofEvent, emit: Emit) -> None:
        match event.command:
            case InstallPackages(manager=manager, packages=packages):
                if self._access.template.packages.takes_from(manager):
                    self._ask_for_packages(packages)
                else:
                    emit(Notice(f"Not run: {event.text.strip()}", "command_not_run"))
            case RemovePath(path=path):
                self._delete(path, emit)
            case RenamePath(source=source, target=target):
                self._rename(source, target, emit)
            case OtherCommand(text=text):
                emit(Notice(f"Not run: {text}", "command_not_run"))
            case None:
                emit(Notice(f"Not run: {event.text}", "command_not_run"))

    def _ask_for_packages(self, packages: Sequence[str]) -> None:
        access, written = self._access, self._written
        new = [spec for spec in packages if spec not in written.packages]
        written.packages.extend(new)
        written.changes += len(new)
        # Stored at once: the answer that goes on after a crash does not name them again.
        access.store.want_packages(access.project_id, self._phase, written.packages)

    def _delete(self, path: str, emit: Emit) -> None:
        inside = self._files_at(path)
        self._written.rearranged += [path, *inside]
        if not inside:
            emit(Notice(f"{path} was to be deleted but is not there.", "no_such_file"))
        for file in inside:
            if self._keeps_its_place(file, "deleted", emit):
                continue
            version = self._access.files.delete(file, self._origin)
            self._shown.pop(file, None)
            self._written.changes += 1
            self._tell_unplanned(file, "deleted", emit)
            emit(FileDeleted(file, version, self._origin))

    def _rename(self, source: str, target: str, emit: Emit) -> None:
        inside = self._files_at(source)
        if not inside:
            emit(Notice(f"{source} was to be renamed but is not there.", "no_such_file"))
        for file in inside:
            new_path = target + file.removeprefix(source)
            if self._keeps_its_place(file, "renamed", emit):
                continue
            if self._keeps_its_place(new_path, "replaced", emit):
                self._ask_for_manifest(new_path, file)
                continue
            try:
                self._make_way(file, new_path, emit)
                version = self._access.files.rename(file, new_path, self._origin)
            except VibeDeskError as error:
                emit(Notice(f"{file} was not renamed: {error.message}", error.code))
                continue
            if file in self._shown:
                self._shown[new_path] = self._shown.pop(file)
            else:
                self._shown.pop(new_path, None)
            self._written.changes += 1
            self._written.rearranged += [file, new_path]
            if file in self._planned:
                self._tell_unplanned(new_path, f"made of {file}", emit)
            else:
                self._tell_unplanned(file, f"renamed to {new_path}", emit)
            emit(FileRenamed(file, new_path, version, self._origin))

    def _ask_for_manifest(self, path: str, moved: str) -> None:
        """Have a manifest that another file was to replace sent as itself: then it is checked."""
        files = self._access.files
        if path in MANIFESTS and not files.locked([path]):
            why = f"{path} is only taken where it is sent whole"
            text = files.read_binary(moved).decode(errors="replace")
            self._owe(RefusedChange(path, why, text))

    def _make_way(self, source: str, target: str, emit: Emit) -> None:
        """Delete the file that another one is moved onto, as `mv` does."""
        if source != target and self._access.files.exists(target):
            version = self._access.files.delete(target, self._origin)
            self._tell_unplanned(target, "replaced", emit)
            emit(FileDeleted(target, version, self._origin))

    def _files_at(self, path: str) -> list[str]:
        """Return the file `path`, or the files in the folder of that name."""
        files = self._access.files
        if files.exists(path):
            return [path]
        return [file for file in files.list() if file.startswith(f"{path}/")]


def _merged(events: list[ScofEvent]) -> list[ScofEvent]:
    """Join neighbouring chunks of one file, so that a batch costs one write a file."""
    merged: list[ScofEvent] = []
    for (kind, path), group in itertools.groupby(events, key=lambda e: (e.kind, e.path)):
        if kind == "chunk":
            pieces = list(group)
            text = "".join(piece.text for piece in pieces)
            merged.append(ScofEvent("chunk", path, pieces[0].mode, text))
        else:
            merged.extend(group)
    return merged
