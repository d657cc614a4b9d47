"""Gets a project ready to build: folder, starter files, packages, the starter's server.

It runs beside the blueprint, so that the first preview is there while the plan is still being written.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import NotFoundError
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import DepsInstalled, ProjectChanged, ServerStarted
from vibedesk.engine.store.records import ProjectRecord

_MAX_NAME = 60


class ProjectSetup:
    """Prepares one project, once at a time."""

    def __init__(self, access: ProjectAccess, runtime: AppRuntime) -> None:
        self._access = access
        self._runtime = runtime
        self._task: asyncio.Task[None] | None = None
        self._scope: TaskScope | None = None

    def start(self, scope: TaskScope) -> None:
        """Begin in the background unless it is under way; `ready` tells how it went."""
        self._scope = scope
        if self._task is None or self._task.done():
            self._task = scope.start(self._prepare(), name="setup")

    async def ready(self) -> None:
        """Wait until packages are there, trying again what failed, and take the project's name for the folder."""
        task = self._task
        if task is not None:
            self._task = None
            await task
        else:
            await self._prepare()
        await self._rename_folder()

    async def cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def prepare_folder(self) -> None:
        """Make the work folder, and give a fresh project the starter's files.

        Raises:
            StorageError: the folder was there and is gone; nothing is made in its place.
        """
        access = self._access
        template = access.template

        def work(emit: Emit) -> None:
            if access.files.list():
                return
            texts, binaries = template.files()
            with telling_changes(access.files, emit):
                access.files.write_all(texts, "agent", blobs=binaries)

        await access.commit(work)
        await self.undo_half_rename()
        await self._runtime.take_in()
        await access.read(self._runtime.work_folder.create)

    async def undo_half_rename(self) -> None:
        """Take back a rename of the folder that the program's end kept from being stored; it comes again."""
        record = await self._access.read(lambda: self._access.store.get(self._access.project_id))
        folder = self._runtime.folder

        def undo() -> None:
            renamed = folder.with_name(record.name)
            if not folder.exists() and renamed.is_dir():
                renamed.rename(folder)

        await asyncio.to_thread(undo)

    async def adopt_name(self, slug: str) -> ProjectRecord:
        """Call the project `slug`, or `slug-2` and so on; its folder follows when nothing is being installed."""
        access = self._access

        def work() -> ProjectRecord:
            record = access.store.get(access.project_id)
            name = record.name
            if not _is_variant(name, slug):
                taken = access.store.names() - {name}
                name = unused_name(slug, taken, Path(record.folder).parent)
                access.store.update(access.project_id, name=name)
            return access.store.get(access.project_id)

        return await access.read(work)

    async def _prepare(self) -> None:
        await self.prepare_folder()
        runtime = self._runtime
        if not runtime.packages_present:
            await runtime.materialise()
            seconds = await runtime.install(self._access.template.install_argv())
            await self._access.bus.emit(
                self._access.project_id, DepsInstalled([], round(seconds, 3))
            )
        if not await self._has_open_phase_files():
            await runtime.materialise()
            await self._start()

    async def _has_open_phase_files(self) -> bool:
        """Whether the document is ahead of the folder: then the server starts with the batch that ends the phase."""
        access = self._access
        return await access.read(lambda: bool(access.store.phases(access.project_id)))

    async def _start(self) -> None:
        if not self._runtime.serving:
            url = await self._runtime.start_server()
            await self._access.bus.emit(self._access.project_id, ServerStarted(url))

    async def _rename_folder(self) -> None:
        access = self._access
        record = await access.read(lambda: access.store.get(access.project_id))
        folder = Path(record.folder)
        wanted = folder.with_name(record.name)
        if folder == wanted:
            return
        was_serving = self._runtime.serving
        if wanted.exists():
            raise NotFoundError(
                f"The folder {wanted} is in the way.", remedy="Move it away and continue."
            )
        await self._runtime.move(wanted)
        await access.read(lambda: access.store.update(access.project_id, folder=str(wanted)))
        await access.bus.emit(
            access.project_id,
            ProjectChanged({"name": record.name, "title": record.title, "folder": str(wanted)}),
        )
        if was_serving:
            await self._start()


def unused_name(slug: str, taken: set[str], parent: Path) -> str:
    """Return `slug`, or with the lowest number from 2 on that neither a project nor a folder has."""
    name, number = slug[:_MAX_NAME], 1
    while name in taken or (parent / name).exists():
        number += 1
        name = f"{slug[:_MAX_NAME]}-{number}"
    return name


def _is_variant(name: str, slug: str) -> bool:
    return name == slug or (name.startswith(f"{slug}-") and name[len(slug) + 1 :].isdigit())
