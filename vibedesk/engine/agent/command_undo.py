"""Undoing what a debugging command, which is to look only, changes in the project's files.

Where the sandbox shares the project's folder, that is put right there. Where it has files of its own, the folder is the
person's and is not written: it says how the project's files are to be inside. What lay there instead is kept as a
version. That a command runs is noted, so that what it did is undone later where the program or the sandbox ended
meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from vibedesk.base.aio import finish
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import Notice
from vibedesk.engine.files.blobs import blob_digest
from vibedesk.engine.files.history import History
from vibedesk.engine.files.ignore_rules import NEVER_ENTERED, folders_above
from vibedesk.engine.files.work_folder import Undone, WorkFolder
from vibedesk.engine.review.checkers import ask
from vibedesk.engine.sandboxes.driver import Sandbox, SandboxError
from vibedesk.engine.sandboxes.inside.files import DATABASE

_log = logging.getLogger(__name__)

T = TypeVar("T")

_FILES_AT_ONCE = 400
"""As many paths as surely fit into one command."""
_MOST_LISTED = 20_000
"""Among more files inside nobody looks for new ones."""
_LISTED = (0, 1)
"""How `find` ends; 1 where it could not look at some."""
_LOOK_SECONDS = 20.0
_CARRY_SECONDS = 20.0
_KEEP_SECONDS = 10.0
_MOST_KEPT_BYTES = 20_000_000
"""How much of what a command made of files inside is kept as a version."""
_COMMAND_SECONDS = 60.0


class WithHistory(Protocol):
    """Changes document and history in one transaction; see `Snapshots.with_history`."""

    def __call__(self, change: Callable[[History, Emit], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class _Inside:
    """Where a sandbox that has files of its own differs from the project; of databases, which are the app's, nothing.

    Attributes:
        changed: The project's files that are otherwise there, or no files, or behind a link.
        new: What would be files of the project and are none; None where there are too many to look at.
    """

    changed: Collection[str]
    new: Collection[str] | None


class CommandUndo:
    """Undoes what one project's debugging commands change in its files.

    Args:
        access: The project.
        work_folder: Returns its work folder, which may have been moved.
        sandbox: Returns its open sandbox; before that it calls `undo_left_inside`.
        take_in: Brings what other programs changed in the folder into the document and into the sandbox; before
            that it calls `undo_left`.
        engine_answers: Whether what runs the sandboxes can be reached.
    """

    def __init__(
        self,
        access: ProjectAccess,
        *,
        work_folder: Callable[[], WorkFolder],
        sandbox: Callable[[], Awaitable[Sandbox]],
        take_in: Callable[[], Awaitable[int]],
        engine_answers: Callable[[], Awaitable[bool]],
    ) -> None:
        self._access = access
        self._folder = work_folder
        self._sandbox = sandbox
        self._take_in = take_in
        self._engine_answers = engine_answers
        self._running_in: Sandbox | None = None
        self._undoing_left = asyncio.Lock()
        self._failed_in: object = None
        self._kept: set[tuple[str, str]] = set()
        self.look_seconds = _LOOK_SECONDS
        """How long it may take to compare the files inside with the project's."""
        self.keep_seconds = _KEEP_SECONDS
        """How long it may take to fetch what a command made of files inside."""
        self.with_history: WithHistory | None = None
        """Set by the project's `Snapshots`."""

    @property
    def in_folder(self) -> bool:
        """Whether a command runs whose changes in the folder are to be undone, so that nobody takes them in."""
        return self._running_in is not None and not self._running_in.has_own_files

    @asynccontextmanager
    async def changes(self, seconds: float = _COMMAND_SECONDS) -> AsyncIterator[Undone]:
        """Undo what is done to the project's files while the body runs a command that is to look only.

        Args:
            seconds: How long the command may take; where the program ends meanwhile, only that much is undone later.

        Yields:
            What became of it; nothing until the body has ended.

        Raises:
            SandboxError: how the files inside are before cannot be told; the body is not run.
        """
        undone = Undone()
        sandbox = await self._sandbox()
        await self._take_in()
        note: Callable[[], None]
        undo: Callable[[], Coroutine[Any, Any, Undone]]
        if sandbox.has_own_files:
            before = await self._look(sandbox)
            earlier = await self._access.read(lambda: self._folder().undoing_inside)
            note = partial(self._folder().set_undoing_inside, True)
            undo = partial(self._undo_command_inside, before, earlier=earlier)
        else:
            note = partial(self._folder().begin_undoing, seconds)
            undo = self._undo_in_folder
        self._running_in = sandbox
        try:
            await self._access.read(note)
            yield undone
        finally:
            try:
                undone.add(await finish(undo()))
            finally:
                self._running_in = None

    async def undo_left(self) -> None:
        """Undo what a command did in the folder that was to look only, where the program ended meanwhile.

        It had no longer than a command may take: what changed later is the person's.
        """
        async with self._undoing_left:
            until = await self._access.read(lambda: self._folder().to_be_put_back)
            if self.in_folder or not until:
                return
            undone = await self._undo_in_folder(until=until)
        await self._tell_undone_later(undone)

    async def undo_left_inside(self, sandbox: Sandbox) -> None:
        """Undo what is left of such a command in a sandbox that has files of its own, as the folder is now.

        What the app stored meanwhile in a file of the project cannot be told from it; it is kept as a version. New
        files cannot be told from the app's either; they stay. Where it fails it is tried once in each session, and
        where it ended the session, once in this sandbox.
        """
        if not await self._is_left_inside(sandbox):
            return
        await self._take_in()
        async with self._undoing_left:
            if not await self._is_left_inside(sandbox):
                return
            undone = await self._undo_inside(sandbox, None)
        await self._tell_undone_later(undone)

    async def _is_left_inside(self, sandbox: Sandbox) -> bool:
        failed = self._failed_in is not None and self._failed_in in (sandbox.session, sandbox)
        if self._running_in is not None or failed or not sandbox.has_own_files:
            return False
        return await self._access.read(lambda: self._folder().undoing_inside)

    async def _tell_undone_later(self, undone: Undone) -> None:
        if undone:
            words = f"A command {undone.what} while a model was debugging. {undone.outcome}"
            await self._access.bus.emit(self._access.project_id, Notice(words, "undone"))

    async def _undo_in_folder(self, *, until: int = 0) -> Undone:
        return await self._undo(lambda keep: self._folder().put_back(keep, until=until))

    async def _undo(self, undo: Callable[[Callable[[], object]], Undone]) -> Undone:
        """Call `undo` with what makes a version, which it does while the document has what a command made."""

        def work(history: History, emit: Emit) -> Undone:
            # By the project's own rules also while the document has what the command made of .gitignore.
            ignored = history.ignored()
            label = "Before undoing what a command changed"
            with telling_changes(self._access.files, emit):
                undone = undo(lambda: history.snapshot(label, ignored=ignored))
            if undone:
                history.snapshot("Undone: what a command changed")
            return undone

        assert self.with_history is not None
        return await self.with_history(work)

    # -- inside ---------------------------------------------------------------------------------
    # Nobody can stop this, and what runs inside answers as slowly as it likes: so each part has its time.

    async def _undo_command_inside(self, before: _Inside, *, earlier: bool) -> Undone:
        try:
            async with asyncio.timeout(_CARRY_SECONDS):
                # What the person saved meanwhile counts, inside too.
                await self._take_in()
                sandbox = await self._sandbox()
        except (TimeoutError, SandboxError) as error:
            # It is noted: the next use of the sandbox goes on.
            _log.warning("nothing is undone in %s yet: %r", self._access.project_id, error)
            return Undone()
        return await self._undo_inside(sandbox, before, earlier=earlier)

    async def _undo_inside(
        self, sandbox: Sandbox, before: _Inside | None, *, earlier: bool = False
    ) -> Undone:
        """Make the project's files inside what they are in the folder, but for what was otherwise `before` as well.

        Where files cannot be compared, all of the project's are carried in, but for those that were otherwise
        `before`; without that nothing is, since it may be what the app stored. New files that could not be kept stay.

        Args:
            sandbox: It has files of its own.
            before: How it was before the command; None where the program ended meanwhile.
            earlier: Whether what an earlier command changed was to be undone `before`.
        """
        try:
            after = await self._look(sandbox)
        except SandboxError as error:
            _log.warning("files of %s are not compared: %r", self._access.project_id, error)
            every = await self._access.read(lambda: self._folder().differing({}))
            if before is None:
                await self._note_failure(sandbox)
                return Undone(left=every, known=False)
            stays = sorted(before.changed)
            changed = set(every) - set(stays)
            undone = await self._carry_back(sandbox, changed, set())
            undone.add(Undone(left=stays, kept=not changed, known=False))
        else:
            stays = sorted(set(before.changed) & set(after.changed)) if before is not None else []
            changed, new = _changed_since(before, after)
            unkept = await self._keep(sandbox, sorted(changed | new))
            undone = await self._carry_back(sandbox, changed, new - unkept)
            unsure = sorted(after.new or ()) if before is None else []
            undone.add(Undone(left=sorted(new & unkept), kept=not changed & unkept, unsure=unsure))
        if changed & set(undone.left):
            await self._note_failure(sandbox)
        elif not (earlier and stays):
            self._kept.clear()
            self._failed_in = None
            await self._access.read(lambda: self._folder().set_undoing_inside(False))
        return undone

    async def _note_failure(self, sandbox: Sandbox) -> None:
        """See to it that it is not tried at each use: not again in this session, nor here where it cost the session."""
        self._failed_in = sandbox.session
        if self._failed_in is None and await self._engine_answers():
            self._failed_in = sandbox

    async def _carry_back(self, sandbox: Sandbox, changed: set[str], new: set[str]) -> Undone:
        """Make files inside what they are in the folder, which does not have the `new` ones."""
        # What goes makes room, should the disk be full.
        paths = [*sorted(new), *sorted(changed)]
        left = set[str]()
        if not await self._carry_in(sandbox, paths):
            left = await self._still_changed(sandbox, changed, new)
        return Undone(sorted(set(paths) - left), sorted(left))

    async def _carry_in(self, sandbox: Sandbox, paths: Sequence[str]) -> bool:
        """Put files of the folder inside; return whether all of them are there for sure."""
        session = sandbox.session
        if paths and session is None:
            # Whoever wakes it brings in what changed in the folder, which is none of this.
            return False
        try:
            async with asyncio.timeout(_CARRY_SECONDS):
                await sandbox.push(paths)
        except (TimeoutError, SandboxError) as error:
            _log.warning("files of %s stay changed inside: %r", self._access.project_id, error)
            return False
        return sandbox.session is session

    async def _still_changed(self, sandbox: Sandbox, changed: set[str], new: set[str]) -> set[str]:
        """Return which of these are not inside what they are in the folder, all where that cannot be told."""
        if sandbox.session is None:
            return changed | new
        try:
            now = await self._look(sandbox)
        except SandboxError:
            return changed | new
        return (changed & set(now.changed)) | (new if now.new is None else new & set(now.new))

    async def _keep(self, sandbox: Sandbox, paths: Sequence[str]) -> set[str]:
        """Keep what these files hold inside as a version, once and as much as fits; return those that are not."""
        contents, unkept = await self._contents(sandbox, paths)
        digests = await asyncio.to_thread(lambda: {p: blob_digest(contents[p]) for p in contents})
        new = {path: contents[path] for path, _ in digests.items() - self._kept}
        if new:
            refused = (await self._undo(lambda keep: self._folder().keep(new, keep))).left
            unkept.update(refused)
            self._kept |= {(path, digests[path]) for path in new.keys() - refused}
        return unkept

    async def _contents(
        self, sandbox: Sandbox, paths: Sequence[str]
    ) -> tuple[dict[str, bytes], set[str]]:
        """Return what these files hold inside, and those for which there was no room or no time."""
        contents: dict[str, bytes] = {}
        unread = set(paths)
        room = _MOST_KEPT_BYTES
        try:
            async with asyncio.timeout(self.keep_seconds):
                for start in range(0, len(paths), _FILES_AT_ONCE):
                    asked = paths[start : start + _FILES_AT_ONCE]
                    came, refused = await sandbox.contents(asked, room)
                    contents |= came
                    room -= sum(map(len, came.values()))
                    unread -= set(asked) - refused
        except (TimeoutError, SandboxError) as error:
            _log.warning("not all that changed in %s is kept: %r", self._access.project_id, error)
        return contents, unread

    async def _look(self, sandbox: Sandbox) -> _Inside:
        """Return where a sandbox that has files of its own differs.

        Raises:
            SandboxError: that cannot be told in time.
        """
        try:
            async with asyncio.timeout(self.look_seconds):
                return _Inside(await self._changed(sandbox), await self._new(sandbox))
        except TimeoutError as error:
            raise _not_told() from error

    async def _changed(self, sandbox: Sandbox) -> list[str]:
        known = await self._access.read(lambda: self._folder().differing({}))
        places = sorted({*known, *(folder for path in known for folder in folders_above(path))})
        digests: dict[str, str] = {}
        links = set[str]()
        for start in range(0, len(places), _FILES_AT_ONCE):
            these = [f"./{path}" for path in places[start : start + _FILES_AT_ONCE]]
            # Plain files only: reading a pipe would never end.
            plain = ("-type", "f", "-exec", "sha256sum", "{}", "+")
            argv = ["find", *these, "-maxdepth", "0", "-type", "l", "-print", "-o", *plain]
            status, lines = await ask(sandbox, argv)
            if status not in _LISTED:
                raise _not_told()
            digests |= {line[68:]: line[:64] for line in lines if line[64:68] == "  ./"}
            links |= {line[2:] for line in lines if line.startswith("./")}
        # What is only seen through a link lies elsewhere, however it reads.
        there = {p: digest for p, digest in digests.items() if links.isdisjoint(folders_above(p))}
        changed = await self._access.read(lambda: self._folder().differing(there))
        return [path for path in changed if not DATABASE.fullmatch(path)]

    async def _new(self, sandbox: Sandbox) -> set[str] | None:
        tools = [word for name in sorted(NEVER_ENTERED) for word in ("-o", "-name", name)][1:]
        argv = ["find", ".", "-type", "d", "(", *tools, ")", "-prune", "-o", "-type", "f", "-print"]
        status, lines = await ask(sandbox, argv)
        if status not in _LISTED or len(lines) > _MOST_LISTED:
            return None
        paths = [line[2:] for line in lines if line.startswith("./")]
        # Not on the store's thread: an app may have named them.
        new = await asyncio.to_thread(self._folder().new_elsewhere, paths)
        return {path for path in new if not DATABASE.fullmatch(path)}


def _not_told() -> SandboxError:
    return SandboxError(
        "How the project's files are in the sandbox could not be told in time, so what a command changes there could "
        "not be undone.",
        remedy="Try again later.",
    )


def _changed_since(before: _Inside | None, after: _Inside) -> tuple[set[str], set[str]]:
    """Return what was not otherwise, and not there, before: that is what the app stores, in the project's files too."""
    if before is None:
        return set(after.changed), set()
    known = before.new is not None and after.new is not None
    new = set(after.new or ()) - set(before.new or ()) if known else set[str]()
    return set(after.changed) - set(before.changed), new
