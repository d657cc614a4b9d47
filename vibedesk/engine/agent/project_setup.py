"""Gets a project ready to build: folder, starter files, packages, the starter's server.

It runs beside the blueprint, so that the first preview is there while the plan is still being written: with a fixed
starter at once, else from the moment at which the model names one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import NotAllowedNowError, NotFoundError
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.install_errors import InstallFailedError
from vibedesk.engine.agent.wanted_packages import install_commands
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.templates import DEFAULT_TEMPLATE, Template, load_template
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import DepsInstalled, ProjectChanged, ServerStarted
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.records import ProjectRecord

_MAX_NAME = 60


class ProjectSetup:
    """Prepares one project, once at a time.

    Args:
        access: The project's.
        runtime: Where it is installed.
        look_up: Has what the document's manifest lists looked up, before it is installed.
    """

    def __init__(
        self, access: ProjectAccess, runtime: AppRuntime, look_up: Callable[[], Awaitable[None]]
    ) -> None:
        self._access = access
        self._runtime = runtime
        self._look_up = look_up
        self._task: asyncio.Task[None] | None = None
        self._scope: TaskScope | None = None

    def start(self, scope: TaskScope) -> None:
        """Begin in the background unless it is under way; `ready` tells how it went."""
        self._scope = scope
        if self._task is None or self._task.done():
            self._task = scope.start(self._prepare(), name="setup")

    async def ready(self) -> None:
        """Wait until packages are there, trying again what failed, and take the project's name for the folder."""
        if not self._access.template_chosen:
            await self.choose_template("")
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

    async def choose_template(self, name: str, *, by_person: bool = False) -> Template:
        """Begin with the starter `name`, and return the one that the project has now.

        Its files are laid out before this returns; packages and server follow in the background while a run is under
        way. The same name again changes nothing, another one takes back the first one's files, packages and server.

        Args:
            name: As the model wrote it; what no starter is called becomes the default one. Ignored where the person
                fixed the starter, or where something is built already.
            by_person: The person names it: it is fixed from now on.

        Raises:
            NotFoundError: the person named one that is not there.
            NotAllowedNowError: the person wants another one after something was built.
        """
        access = self._access
        record = await access.read(lambda: access.store.get(access.project_id))
        built = await self._has_phases()
        fixed = bool(ProjectOptions.from_dict(record.options).template)
        if not by_person and access.template_chosen and (fixed or built):
            return access.template
        wanted = await asyncio.to_thread(self._named, name, by_person=by_person)
        if access.template_chosen and wanted.name == access.template.name:
            return access.template
        if built:
            raise NotAllowedNowError(
                "The starter cannot be changed any more: files of the app are written.",
                remedy="Begin a new project for another starter.",
            )
        before = access.template if access.template_chosen else None
        if before is not None:
            await self.cancel()
            await self._runtime.discard_packages()
        await self._lay_out(wanted, before, fix=by_person)
        if self._scope is not None:
            self.start(self._scope)
        return wanted

    def _named(self, name: str, *, by_person: bool) -> Template:
        if by_person:
            return self._access.templates.load(name)
        return self._access.templates.named(name) or load_template(DEFAULT_TEMPLATE)

    async def _lay_out(self, template: Template, before: Template | None, *, fix: bool) -> None:
        """Store the choice and write the starter's files, in the place of those that `before` brought."""
        access = self._access
        texts, binaries = await asyncio.to_thread(template.files)
        old = await asyncio.to_thread(before.files) if before is not None else ({}, {})

        def work(emit: Emit) -> None:
            store, files = access.store, access.files
            store.update(access.project_id, template=template.name)
            if fix:
                options = {**store.get(access.project_id).options, "template": template.name}
                store.update(access.project_id, options=options)
            store.forget_commands(access.project_id)
            known = files.texts()
            untouched = [path for path, text in old[0].items() if known.get(path) == text]
            untouched += [path for path in old[1] if files.exists(path)]
            gone = [path for path in untouched if path not in texts and path not in binaries]
            if before is not None or not files.list():
                with telling_changes(files, emit):
                    files.write_all(texts, "agent", blobs=binaries, deleted=gone)
            emit(ProjectChanged({"template": template.name}))

        await access.commit(work, durable=True)
        access.template, access.template_chosen = template, True

    async def prepare_folder(self) -> None:
        """Make the work folder, and give a fresh project the starter's files.

        Raises:
            StorageError: the folder was there and is gone; nothing is made in its place.
        """
        access = self._access
        if not access.template_chosen:
            await self._lay_out(load_template(DEFAULT_TEMPLATE), None, fix=False)
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

    async def install(self, *, as_it_is: bool = False) -> None:
        """Install the packages and do the set-up, as far as this sandbox has not got them yet.

        With `as_it_is` those that the folder asks for, which may be behind the document.
        """
        access, runtime = self._access, self._runtime
        if not await runtime.packages_present():
            if not as_it_is:
                # Files of a phase may be there already, while the starter's packages are not: an install failed before.
                written = await access.read(lambda: runtime.work_folder.was_written)
                if written and await self._has_phases():
                    await self._look_up()
                await runtime.materialise()
            seconds = await self._install()
            await access.bus.emit(access.project_id, DepsInstalled([], round(seconds, 3)))
        else:
            await runtime.take_lock_file()
        await runtime.set_up()

    async def _install(self) -> float:
        template, runtime = self._access.template, self._runtime
        [*first, last] = await asyncio.to_thread(install_commands, template, runtime.folder)
        for argv in first:
            try:
                return await runtime.install(argv)
            except InstallFailedError as error:
                if error.code != InstallFailedError.code:
                    raise
        return await runtime.install(last)

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
        if not self._access.template_chosen:
            return
        await self.prepare_folder()
        runtime = self._runtime
        # A sandbox comes with the packages of the lock file that is there when it is opened.
        written = await self._access.read(lambda: runtime.work_folder.was_written)
        as_laid_out = not (written and await self._has_phases())
        if as_laid_out:
            await runtime.materialise()
        # What a quick model writes meanwhile is looked up and installed when its phase is written.
        await self.install(as_it_is=as_laid_out)
        if not await self._has_phases():
            await runtime.materialise()
            await self._start()

    async def _has_phases(self) -> bool:
        """Whether a phase was begun: then the document may be ahead of the folder, and the server starts with its files."""
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
