"""Files written anew at the person's word: asked for beside a run, looked at, and taken over hunk by hunk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vibedesk.base.aio import Batcher, TaskScope
from vibedesk.base.errors import (
    InvalidInputError,
    NotAllowedNowError,
    NotFoundError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine.agent.snapshots import Snapshots
from vibedesk.engine.builder.manifest import MANIFESTS, WRITTEN_BY_INSTALLS, checked_manifest
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.regenerate import regenerate_file
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import (
    ErrorReported,
    Notice,
    ProposalChunk,
    ProposalClosed,
    ProposalReady,
    ProposalStarted,
)
from vibedesk.engine.files.hunks import with_hunks
from vibedesk.engine.files.path_index import checked_path
from vibedesk.engine.files.stored_document import LockedFileError
from vibedesk.engine.scof import PatchError
from vibedesk.engine.store.proposals import Proposals as ProposalStore
from vibedesk.engine.store.records import ProposalRecord


class Proposals:
    """The proposals of one project. Each is written by a task of its own; at most one of a file is open.

    Args:
        access: The project.
        snapshots: Keep what is taken over as a version.
    """

    def __init__(self, access: ProjectAccess, snapshots: Snapshots) -> None:
        self._access = access
        self._snapshots = snapshots
        self._store = ProposalStore(access.project_id)
        self._scope = TaskScope(f"proposals {access.project_id}")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._beginning = asyncio.Lock()

    @property
    def writing(self) -> frozenset[str]:
        """The ids of those that are being written now."""
        return frozenset(self._tasks)

    async def regenerate(self, path: str, instructions: str) -> str:
        """Start to write `path` anew and return the proposal's id; an older one of that file is dropped.

        Raises:
            InvalidInputError: there are no instructions, or it is no text file.
            NotFoundError: there is no such file.
            NotAllowedNowError: the file is locked, being written or a lock file, or the project is a recorded example.
        """
        wanted, path = instructions.strip(), checked_path(path)
        if not wanted:
            raise InvalidInputError(
                "The instructions are empty.", remedy="Write what should be different in the file."
            )

        async with self._beginning:
            return await self._begin(path, wanted)

    async def _begin(self, path: str, wanted: str) -> str:
        await self._access.read(lambda: self._text(path))
        for proposal in await self._access.read(self._store.open):
            if proposal.path == path:
                await self.drop(proposal.id)
        record = await self._access.commit(
            lambda _: self._store.add(path, wanted, self._text(path)), durable=True
        )
        task = self._scope.start(self._write(record), name=f"regenerate {path}")
        self._tasks[record.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(record.id, None))
        return record.id

    async def take(self, proposal_id: str, hunks: Sequence[int] | None) -> int:
        """Merge chosen hunks (None: all) into the file as it is now, and return the version of the code.

        Raises:
            HunkConflictError: the person changed the lines of a chosen hunk meanwhile; nothing was changed.
            NotAllowedNowError: it is not ready, the file is locked or being written, or a manifest would be broken.
            NotFoundError: the file was deleted.
        """
        await self._snapshots.keep_persons()

        def merge(emit: Emit) -> tuple[str, int]:
            record = self._store.get(proposal_id)
            if record.status != "ready":
                raise NotAllowedNowError(
                    "This proposal cannot be taken over.", remedy="Ask for the file again."
                )
            current = self._text(record.path)
            text = with_hunks(record.base, current, record.text, hunks)
            text = self._checked(record.path, text, emit)
            with telling_changes(self._access.files, emit):
                version = self._access.files.write(record.path, text, "agent")
            self._close(proposal_id, "taken", emit)
            return record.path, version

        path, version = await self._access.commit(merge, durable=True)
        await self._snapshots.take(f"Regenerate {path}", author="agent")
        return version

    async def drop(self, proposal_id: str) -> None:
        """Forget a proposal; one that is being written is stopped."""
        await self._stop(proposal_id)

        def work(emit: Emit) -> None:
            if self._store.get(proposal_id).status in ("writing", "ready"):
                self._close(proposal_id, "dropped", emit)

        await self._access.commit(work, durable=True)

    async def wait(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def cancel(self) -> None:
        """Drop what is being written; what is ready stays."""
        for proposal_id in self.writing:
            await self.drop(proposal_id)

    async def aclose(self) -> None:
        """Stop writing; what had come stays, and can be asked for again."""
        await self._scope.aclose()

    # -- one proposal -----------------------------------------------------------------------------
    async def _write(self, record: ProposalRecord) -> None:
        access, proposal_id = self._access, record.id

        def begin(emit: Emit) -> None:
            self._store.set(proposal_id, status="writing", text="")
            emit(ProposalStarted(proposal_id, record.path, record.instructions))

        async def store(pieces: list[str]) -> None:
            text = "".join(pieces)

            def work(emit: Emit) -> None:
                self._store.append(proposal_id, text)
                emit(ProposalChunk(proposal_id, text))

            await access.commit(work)

        try:
            async with Batcher(store) as batch:

                async def restart() -> None:
                    await batch.flush()
                    await access.commit(begin)

                with timed(access, "regenerate_file"):
                    text = await regenerate_file(
                        access,
                        record.path,
                        record.base,
                        record.instructions,
                        restart=restart,
                        put=batch.put,
                    )
            await access.commit(lambda emit: self._ready(record, text, emit), durable=True)
        except Exception as caught:  # noqa: BLE001 - becomes a sentence
            await self._fail(proposal_id, as_vibedesk_error(caught))

    def _ready(self, record: ProposalRecord, text: str, emit: Emit) -> None:
        self._store.set(record.id, status="ready", text=text)
        emit(ProposalReady(record.id, record.path))

    async def _fail(self, proposal_id: str, error: VibeDeskError) -> None:
        def work(emit: Emit) -> None:
            self._close(proposal_id, "failed", emit)
            emit(ErrorReported(error.message, error.remedy, error.code))

        await self._access.commit(work, durable=True)

    async def _stop(self, proposal_id: str) -> None:
        task = self._tasks.get(proposal_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # -- on the store's thread --------------------------------------------------------------------
    def _checked(self, path: str, text: str, emit: Emit) -> str:
        """Return what to write of a manifest, as of any that a model wrote; other files come back as they are."""
        if path not in MANIFESTS:
            return text
        starter, _ = self._access.template.files()
        try:
            checked = checked_manifest(path, text, starter.get(path))
        except PatchError as error:
            raise NotAllowedNowError(
                f"{error.message} Nothing was taken over.",
                remedy="Choose other changes, or ask for the file again.",
            ) from error
        if checked != text:
            words = f"In {path} the starter's own scripts and packages were kept, which the new text leaves out."
            emit(Notice(words, "manifest_kept"))
        return checked

    def _text(self, path: str) -> str:
        """Return the file as it is now, if a model may write it now."""
        access = self._access
        if access.store.get(access.project_id).sample:
            raise NotAllowedNowError(
                "This is a recorded example: no model is asked.",
                remedy="Start a project of your own to have files written anew.",
            )
        if not access.files.exists(path):
            raise NotFoundError(f"There is no file {path} in the project.", details={"path": path})
        if path in WRITTEN_BY_INSTALLS:
            raise NotAllowedNowError(f"No model writes {path}: only installs write it.")
        if "locked" in access.files.marks().get(path, ()):
            raise LockedFileError(
                f"{path} is locked, so no model writes it.", remedy="Unlock it first."
            )
        if access.drafts.get(path) is not None:
            raise NotAllowedNowError(
                f"{path} is being written right now.", remedy="Wait until it is whole."
            )
        return access.files.read(path)

    def _close(self, proposal_id: str, status: str, emit: Emit) -> None:
        self._store.set(proposal_id, status=status)
        emit(ProposalClosed(proposal_id, status))
