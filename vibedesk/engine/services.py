"""What the engine does, on its own loop: puts store, files, models, sandboxes and agents together."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import (
    ConsentRequiredError,
    InvalidInputError,
    NotAllowedNowError,
    NotFoundError,
    StorageError,
)
from vibedesk.base.paths import Home
from vibedesk.base.text import whole_text
from vibedesk.engine.agent.agent_manager import AgentManager
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.build_steps import AgentLimits
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent
from vibedesk.engine.agent.project_setup import unused_name
from vibedesk.engine.agent.snapshots import Snapshots, version_view
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.schemas import kebab_case
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.doctor import examine
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import (
    ProjectChanged,
    ProjectDeleted,
)
from vibedesk.engine.export import export_files
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.history import History
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.model_choice import ModelChoices
from vibedesk.engine.models.project_router import ProjectRouter
from vibedesk.engine.models.samples import get_sample, is_bundled, list_samples
from vibedesk.engine.previews import Previews
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.project_views import card_view, file_views, project_view
from vibedesk.engine.sandbox_choice import LocalSandboxes
from vibedesk.engine.sandboxes.driver import SandboxStatus
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.ports import is_port_in_use, pick_port
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.views import (
    DoctorView,
    FileView,
    ProjectCardView,
    ProjectView,
    ProviderView,
    SampleView,
    VersionView,
)

_CONSENT = "consent.local_without_isolation"
_PROVISIONAL_WORDS = 5
_HOST = re.compile(
    r"(?=.{1,253}(:\d+)?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*(:\d{1,5})?"
)


T = TypeVar("T")


class EngineServices:
    """One home, open. Made by `open`, ended by `aclose`."""

    def __init__(self, home: Home, database: Database, *, write: bool) -> None:
        self.home = home
        self.database = database
        self.store = ProjectStore()
        self.bus = EventBus(database, self.store)
        self.models = ModelChoices(database, self.store, self.bus)
        self.agents = AgentManager(self._load_agent, self.bus.has_listeners)
        self._sandboxes = LocalSandboxes(home.cache / "sandboxes")
        self._previews = Previews()
        self._sample_messages: dict[str, tuple[str, ...]] = {}
        if write:
            self.agents.start()

    @classmethod
    async def open(cls, home: Home, *, write: bool) -> EngineServices:
        database = await asyncio.to_thread(Database.open, home, write=write)
        return cls(home, database, write=write)

    async def aclose(self) -> None:
        await self._previews.aclose()
        await self.agents.aclose()
        await self._sandboxes.aclose()
        self.bus.close()
        await asyncio.to_thread(self.database.close)

    # -- the library --------------------------------------------------------------------------------
    async def projects(self) -> list[ProjectCardView]:
        return await self._read(lambda: [card_view(record) for record in self.store.library()])

    async def resolve(self, reference: str) -> str:
        return await self._read(lambda: self.store.resolve(reference))

    async def record(self, project_id: str) -> ProjectRecord:
        return await self._read(lambda: self.store.get(project_id))

    async def project(self, project_id: str) -> ProjectView:
        await self._load_sample_messages(project_id)
        return await self._read(lambda: self._view(project_id))

    async def files(self, project_id: str) -> list[FileView]:
        def work() -> list[FileView]:
            self.store.get(project_id)
            files, drafts = self._documents(project_id)
            return file_views(self.store, files, drafts)

        return await self._read(work)

    async def read_file(self, project_id: str, path: str) -> str:
        return await self._read(lambda: self._documents(project_id)[0].read(path))

    async def samples(self) -> list[SampleView]:
        def look() -> list[SampleView]:
            return [
                SampleView(
                    name=sample.slug,
                    title=sample.title,
                    description=sample.description,
                    prompt=sample.prompt,
                    palette=sample.palette,
                )
                for sample in list_samples()
            ]

        return await asyncio.to_thread(look)

    async def create(self, wish: str, options: ProjectOptions) -> str:
        text = whole_text(wish).strip()
        if options.sample:
            sample = await asyncio.to_thread(get_sample, options.sample)
            text = sample.prompt
            if not sample.bundled:
                # Later commands may run in another folder.
                folder = await asyncio.to_thread(sample.folder.absolute)
                options = dataclasses.replace(options, sample=str(folder))
        if not text:
            raise InvalidInputError(
                "The wish is empty.", remedy="Describe the app you want in a sentence or two."
            )
        if options.max_phases < 1:
            raise InvalidInputError(
                "At least one phase is needed.", details={"max_phases": str(options.max_phases)}
            )
        template = load_template(options.template)
        model = await self.models.model(options)
        await model.aclose()
        await self._require_isolation(options)

        def store() -> str:
            words = kebab_case(" ".join(text.split()[:_PROVISIONAL_WORDS])) or "new-app"
            name = unused_name(words, self.store.names(), self.home.projects)
            record = self.store.create(
                {
                    "name": name,
                    "wish": text,
                    "folder": str(self.home.projects / name),
                    "template": template.name,
                    "sample": options.sample,
                    "options": options.to_dict(),
                    "port": pick_port(self.store.ports()),
                }
            )
            return record.id

        project_id = await self.database.run(store)
        await self.bus.emit(project_id, ProjectChanged({"wish": text, "sample": options.sample}))
        return project_id

    async def open_project(self, project_id: str) -> None:
        agent = await self.agents.get(project_id)
        agent.follow_folder()
        if agent.state not in RESTING or agent.running or agent.runtime.serving:
            return
        phases = await self._read(lambda: self.store.phases(project_id))
        built = any(phase.completed for phase in phases)
        # Deleted or swept meanwhile: nobody would ever stop what this agent starts.
        current = self.agents.loaded(project_id) is agent
        if built and current and not self._previews.opening(project_id):
            self._previews.start(project_id, self._preview_quietly(agent))

    async def close_project(self, project_id: str) -> None:
        await self._previews.stop(project_id)
        agent = self.agents.loaded(project_id)
        if agent is not None:
            agent.unfollow_folder()

    async def delete_project(self, project_id: str) -> str:
        record = await self.record(project_id)
        await self._stop(project_id)
        await self.agents.evict(project_id)
        folder = Path(record.folder)
        outcome = await asyncio.to_thread(_move_to_trash, folder, self.home.root / "trash")

        def work(emit: Emit) -> None:
            self.store.update(project_id, deleted_at=utc_now())
            emit(ProjectDeleted(outcome))

        await self.bus.commit(project_id, work, durable=True)
        return outcome

    async def export(self, project_id: str, destination: Path) -> int:
        record = await self.record(project_id)

        def read() -> tuple[dict[str, str], dict[str, bytes]]:
            files, _ = self._documents(project_id)
            closed = files.closed()
            return dict(closed.texts), {path: files.read_binary(path) for path in closed.blobs}

        texts, binaries = await self._read(read)
        return await asyncio.to_thread(
            export_files, texts, binaries, destination, Path(record.folder)
        )

    # -- the run ------------------------------------------------------------------------------------
    async def generate(self, project_id: str) -> None:
        await (await self.agents.get(project_id)).generate()

    async def approve(self, project_id: str, blueprint: dict[str, Any] | None) -> None:
        await (await self.agents.get(project_id)).approve(blueprint)

    async def grant_host(self, project_id: str, host: str) -> list[str]:
        wanted = host.strip().lower()
        if not _HOST.fullmatch(wanted):
            raise InvalidInputError(
                f"{host!r} is no host name.", remedy="Write it like api.example.org."
            )

        def work(emit: Emit) -> list[str]:
            self.store.grant_host(project_id, wanted)
            granted = self.store.granted_hosts(project_id)
            emit(ProjectChanged({"granted_hosts": granted}))
            return granted

        await self.record(project_id)
        return await self.bus.commit(project_id, work, durable=True)

    async def edit_blueprint(self, project_id: str, changes: dict[str, Any]) -> None:
        await (await self.agents.get(project_id)).edit_blueprint(changes)

    async def say(self, project_id: str, text: str) -> str:
        return await (await self.agents.get(project_id)).conversation.say(text)

    async def resume(self, project_id: str, budget: float | None) -> None:
        agent = await self.agents.get(project_id)
        if budget is not None:
            await self._set_budget(project_id, budget)
            agent.set_budget(budget)
        await agent.resume()

    async def _set_budget(self, project_id: str, budget: float) -> None:
        def work() -> None:
            options = ProjectOptions.from_dict(self.store.get(project_id).options)
            raised = dataclasses.replace(options, budget=budget)
            self.store.update(project_id, options=raised.to_dict())

        await self.database.run(work)

    async def cancel(self, project_id: str) -> None:
        await self.agents.get(project_id)
        await self._stop(project_id)

    async def stop_all(self) -> None:
        """Stop every project; one that cannot be stopped does not keep the others from it."""
        projects = {*self._previews.projects, *(agent.project_id for agent in self.agents.agents)}
        outcomes = await asyncio.gather(*map(self._stop, projects), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _stop(self, project_id: str) -> None:
        try:
            await self._previews.stop(project_id)
        finally:
            agent = self.agents.loaded(project_id)
            if agent is not None:
                await agent.cancel()

    async def running(self) -> list[str]:
        return [agent.project_id for agent in self.agents.agents if agent.running]

    async def wait(self, project_id: str) -> None:
        agent = self.agents.loaded(project_id)
        if agent is not None:
            await agent.wait()

    async def start_preview(self, project_id: str) -> str:
        agent = await self.agents.get(project_id)
        if agent.running:
            raise NotAllowedNowError("The project is being built; its preview starts by itself.")
        opening = self._previews.start(project_id, agent.start_preview())
        try:
            return await opening
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            raise NotAllowedNowError("The preview was stopped while it opened.") from None

    # -- files and versions -------------------------------------------------------------------------
    async def updates_since(self, project_id: str, version: int) -> tuple[int, list[bytes]]:
        def work() -> tuple[int, list[bytes]]:
            files, _ = self._documents(project_id)
            return files.version, files.updates_since(version)

        return await self._read(work)

    async def apply_update(self, project_id: str, update: bytes) -> int:
        return await self._change_files(project_id, lambda f: f.apply_update(update, "user"))

    async def create_file(self, project_id: str, path: str, text: str) -> int:
        def create(files: ProjectFiles) -> int:
            if files.exists(path):
                raise InvalidInputError(f"{path} is there already.", remedy="Choose another name.")
            return files.write(path, text, "user")

        return await self._change_files(project_id, create)

    async def rename_file(self, project_id: str, path: str, new_path: str) -> int:
        return await self._change_files(project_id, lambda f: f.rename(path, new_path, "user"))

    async def delete_file(self, project_id: str, path: str) -> int:
        return await self._change_files(project_id, lambda f: f.delete(path, "user"))

    async def history(self, project_id: str) -> list[VersionView]:
        record = await self.record(project_id)
        files = ProjectFiles(self.database, project_id)
        history = History(self.database, project_id, files, Path(record.folder))
        return [version_view(kept) for kept in await asyncio.to_thread(history.versions)]

    async def snapshot(self, project_id: str, label: str) -> VersionView:
        agent = await self.agents.get(project_id)
        await agent.runtime.take_in()
        return await agent.snapshots.take(label or "Saved by you", author="you")

    async def restore(self, project_id: str, commit: str) -> VersionView:
        agent = await self.agents.get(project_id)
        if agent.running:
            raise NotAllowedNowError("The project is being built.", remedy="Stop the run first.")
        return await agent.restore(commit)

    # -- events and settings --------------------------------------------------------------------------
    async def subscribe(self, project_id: str, on_ready: Callable[[], None] | None) -> Subscription:
        subscription = Subscription(project_id, on_ready)
        await self._load_sample_messages(project_id)
        await self.bus.subscribe(subscription, lambda: self._view(project_id))
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        self.bus.unsubscribe(subscription)

    async def setting(self, key: str, default: Any) -> Any:
        return await self._read(lambda: self.store.setting(key, default))

    async def set_setting(self, key: str, value: Any) -> None:
        await self.database.run(lambda: self.store.set_setting(key, value))

    async def providers(self) -> list[ProviderView]:
        return await self.models.views()

    async def set_up_provider(self, name: str, *, key: str, base_url: str, model: str) -> None:
        await self.models.set_up(name, key=key, base_url=base_url, model=model)
        for agent in self.agents.agents:
            agent.access.router.renew()

    async def grant_consent(self) -> None:
        await self.set_setting(_CONSENT, utc_now())

    async def doctor(self) -> DoctorView:
        driver = LocalDriver(self.home.cache / "sandboxes")
        return await examine(self.home, driver, await self.providers())

    # -- inside -------------------------------------------------------------------------------------
    async def _read(self, work: Callable[[], T]) -> T:
        return await self.database.run(work, durable=False)

    async def _change_files(self, project_id: str, change: Callable[[ProjectFiles], int]) -> int:
        """Make a change of the person's and, while nothing runs, show it in the work folder at once."""

        def work(emit: Emit) -> int:
            files, _ = self._documents(project_id)
            with telling_changes(files, emit):
                return change(files)

        version = await self.bus.commit(project_id, work)
        agent = self.agents.loaded(project_id)
        if agent is not None and not agent.running:
            await agent.runtime.materialise()
        return version

    async def _require_isolation(self, options: ProjectOptions) -> None:
        driver = await self._sandboxes.driver(options.sandbox)
        if options.sandbox == "local" or await asyncio.to_thread(is_bundled, options.sample):
            return
        isolation = await driver.isolation()
        if isolation.kind == "none" and not await self.setting(_CONSENT, None):
            raise ConsentRequiredError(
                isolation.sentence,
                remedy="Agree to it with --sandbox local, or install bubblewrap.",
            )

    async def _load_agent(self, project_id: str) -> CodeGeneratorAgent:
        record = await self.record(project_id)
        options = ProjectOptions.from_dict(record.options)
        files, drafts = await self._read(lambda: self._documents(project_id))
        access = ProjectAccess(
            project_id=project_id,
            database=self.database,
            store=self.store,
            bus=self.bus,
            files=files,
            drafts=drafts,
            router=ProjectRouter(
                lambda: self.models.router(project_id, options),
                lambda request: self.models.check_budget(project_id, request),
            ),
            template=load_template(record.template),
        )
        port = await self._port(record)
        runtime = AppRuntime(
            access,
            self._sandboxes.chosen_later(options.sandbox),
            Path(record.folder),
            port,
            lambda: self._require_isolation(options),
        )
        limits = AgentLimits(
            max_phases=options.max_phases, budget=options.budget, approval=options.approval
        )
        return CodeGeneratorAgent(record, access, runtime, Snapshots(access, runtime), limits)

    async def _port(self, record: ProjectRecord) -> int:
        """Return the project's port; one that never served may still be exchanged for a free one."""
        port = record.port
        fresh = not record.preview_url and record.state is AgentState.IDLE
        if port is not None and not (fresh and await asyncio.to_thread(is_port_in_use, port)):
            return port

        def store() -> int:
            chosen = pick_port(self.store.ports())
            self.store.update(record.id, port=chosen)
            return chosen

        return await self.database.run(store)

    def _documents(self, project_id: str) -> tuple[ProjectFiles, Drafts]:
        agent = self.agents.loaded(project_id)
        if agent is not None:
            return agent.access.files, agent.access.drafts
        files = ProjectFiles(self.database, project_id)
        return files, Drafts(self.database, project_id, files)

    def _view(self, project_id: str) -> ProjectView:
        record = self.store.get(project_id)
        files, drafts = self._documents(project_id)
        agent = self.agents.loaded(project_id)
        return project_view(
            self.store,
            files,
            drafts,
            running=agent is not None and agent.running,
            sandbox_state=(agent.runtime.status if agent else SandboxStatus.ABSENT).value,
            suggestions=self._suggestions(record),
        )

    def _suggestions(self, record: ProjectRecord) -> tuple[str, ...]:
        """Return the next message that a recorded example has an answer to."""
        messages = self._sample_messages.get(record.sample, ())
        if not messages:
            return ()
        said = sum(m.role == "user" for m in self.store.messages(record.id))
        return messages[said : said + 1]

    async def _load_sample_messages(self, project_id: str) -> None:
        """Read, once, what a recorded example answers; one whose recording is gone answers nothing."""
        name = (await self.record(project_id)).sample
        if not name or name in self._sample_messages:
            return
        try:
            sample = await asyncio.to_thread(get_sample, name)
        except (NotFoundError, InvalidInputError):
            return
        self._sample_messages[name] = sample.messages

    async def _preview_quietly(self, agent: CodeGeneratorAgent) -> None:
        from vibedesk.base.errors import as_vibedesk_error
        from vibedesk.engine.events import ErrorReported

        try:
            await agent.start_preview()
        except Exception as caught:  # noqa: BLE001 - becomes a sentence
            error = as_vibedesk_error(caught)
            await self.bus.emit(
                agent.project_id, ErrorReported(error.message, error.remedy, error.code)
            )


def _move_to_trash(folder: Path, fallback: Path) -> str:
    """Move `folder` to the desktop's trash, or next to the data where there is none; return where to find it."""
    if not folder.is_dir():
        return ""
    from send2trash import send2trash

    try:
        send2trash(folder)
    except OSError:
        fallback.mkdir(parents=True, exist_ok=True)
        target = fallback / unused_name(folder.name, set(), fallback)
        try:
            shutil.move(folder, target)
        except OSError as error:
            raise StorageError(
                f"The folder {folder} could not be moved to the trash.",
                remedy="Close programs that use it and try again; nothing was deleted.",
            ) from error
        return str(target)
    return "trash"
