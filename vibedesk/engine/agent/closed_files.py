"""Checks each file of an answer as soon as it is whole, while the next one still comes from the model.

Only a first look, beside the stream: what it finds is shown until the review after the answer decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.code_service import CodeService
from vibedesk.engine.agent.issue_list import IssueList
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.files.stored_document import FileChange
from vibedesk.engine.repair.fixer import check_file, is_checked, is_read_alone
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.sandboxes.driver import SandboxError

_log = logging.getLogger(__name__)

_LAST_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 1.0


class ClosedFiles:
    """The look at one project's files while they are written."""

    def __init__(
        self, access: ProjectAccess, runtime: AppRuntime, code: CodeService, issues: IssueList
    ) -> None:
        self._access = access
        self._runtime = runtime
        self._code = code
        self._issues = issues

    @asynccontextmanager
    async def checked(self, phase: int) -> AsyncIterator[None]:
        """Check what closes while the body writes files of `phase`; nothing of it goes on after the body.

        The body is never kept waiting. A failure ends the checking, not the body.
        """
        access = self._access
        look = _Look(access, self._runtime, self._code, self._issues, phase)
        task = asyncio.create_task(look.run(), name=f"{access.project_id}/closed files")
        access.on_closed = look.take
        unsubscribe = access.files.on_change(look.note_change)
        try:
            yield
            look.end()
            # The one check that is under way may well be done in a moment; a service that is cut off starts anew.
            await asyncio.wait({task}, timeout=_LAST_SECONDS)
        finally:
            access.on_closed = None
            unsubscribe()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Look:
    """The checks beside one answer, one after the other."""

    def __init__(
        self,
        access: ProjectAccess,
        runtime: AppRuntime,
        code: CodeService,
        issues: IssueList,
        phase: int,
    ) -> None:
        self._access = access
        self._runtime = runtime
        self._code = code
        self._issues = issues
        self._phase = phase
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._due: dict[str, None] = {}
        self._checked: set[str] = set()
        self._wrong: set[str] = set()
        self._service: LanguageService | None = None
        self._ending = False

    def take(self, paths: Collection[str]) -> None:
        """Have these files checked."""
        language = self._access.template.language
        self._due |= dict.fromkeys(path for path in paths if is_checked(path, language))
        self._wake.set()

    def note_change(self, change: FileChange) -> None:
        """Have a file looked at again that changed since, whoever did it. On the store's thread."""
        again = {change.path, change.new_path} if change.path in self._checked else set()
        if again:
            self._loop.call_soon_threadsafe(self.take, [path for path in again if path])

    def end(self) -> None:
        """Begin no further check."""
        self._ending = True
        self._wake.set()

    async def run(self) -> None:
        project_id = self._access.project_id
        try:
            while not self._ending:
                self._wake.clear()
                await self._check_due()
                # What is still due waits for the packages, which nothing announces.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_AGAIN_SECONDS if self._due else None):
                        await self._wake.wait()
        except SandboxError as error:
            _log.info("files of %s are not checked while they come: %s", project_id, error)
        except Exception:  # noqa: BLE001 - a first look is not worth a run
            _log.exception("files of %s are not checked any more while they come", project_id)

    async def _check_due(self) -> None:
        # These need not wait for the packages.
        for path in [path for path in self._due if is_read_alone(path)]:
            if not self._ending:
                del self._due[path]
                await self._check(path)
        if not self._due or not await self._is_ready():
            return
        # A file that came may be what was missing to one that was wrong.
        again = [path for path in sorted(self._wrong) if path not in self._due]
        while (self._due or again) and not self._ending:
            path = next(iter(self._due), None) or again.pop()
            self._due.pop(path, None)
            await self._check(path)

    async def _is_ready(self) -> bool:
        """Whether there is a service to check with."""
        sandbox = await self._runtime.ready_sandbox()
        if sandbox is None:
            return False
        service = await self._code.within(sandbox)
        if service is not None and service is not self._service:
            await service.show(await self._access.read(self._ahead_of_folder))
        self._service = service
        return service is not None

    def _ahead_of_folder(self) -> dict[str, str | None]:
        """Return the files that the folder does not have as they are, None for deleted ones. On the store's thread."""
        texts = self._access.files.texts()
        return {path: texts.get(path) for path in self._runtime.work_folder.changed_paths()}

    async def _check(self, path: str) -> None:
        access = self._access
        self._checked.add(path)
        text = await access.read(
            lambda: access.files.read(path) if access.files.exists(path) else None
        )
        found: list[Issue] = []
        if text is not None:
            found = await check_file(path, text, self._service)
        elif self._service is not None:
            await self._service.open({path: None})
        told = [issue for issue in found if not _is_explained_later(issue)]
        await self._issues.report_early(path, told, self._phase)
        # What is explained later may hide what is not, until it is explained.
        if found:
            self._wrong.add(path)
        else:
            self._wrong.discard(path)


def _is_explained_later(issue: Issue) -> bool:
    """Whether a file or a package that is still to come may explain it.

    What is imported may be named later in the same answer; where it comes from nowhere yet, its parts have no types.
    """
    return issue.kind == "import" or issue.code.startswith("TS70")
