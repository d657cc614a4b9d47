"""What the engine does, on its own loop: puts store, files, models, sandboxes and agents together."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vibedesk.base.aio import end_within
from vibedesk.base.clock import utc_now
from vibedesk.base.errors import (
    InvalidInputError,
    NotAllowedNowError,
    NotFoundError,
    as_vibedesk_error,
)
from vibedesk.base.logs import LOG_LEVEL_SETTING, LOG_LEVELS, check_log_level, set_log_level
from vibedesk.base.paths import Home
from vibedesk.base.secret_store import SecretStore
from vibedesk.base.text import whole_text
from vibedesk.engine.agent.agent_manager import END_SECONDS, AgentManager
from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.build_steps import AgentLimits
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent
from vibedesk.engine.agent.project_setup import unused_name
from vibedesk.engine.agent.review_depth import (
    DEPTH_SETTING,
    DEPTH_VARIABLE,
    ReviewDepth,
    depth_from,
)
from vibedesk.engine.agent.snapshots import Snapshots, version_diff, version_view
from vibedesk.engine.attachments import Attachments
from vibedesk.engine.browser.process import BrowserProcess
from vibedesk.engine.budget import Budgets
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.schemas import kebab_case
from vibedesk.engine.builder.timing import timed_in
from vibedesk.engine.doctor import examine
from vibedesk.engine.estimate import Estimates
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import (
    ErrorReported,
    FileMarked,
    Notice,
    ProjectChanged,
    ProjectDeleted,
)
from vibedesk.engine.export import export_files
from vibedesk.engine.files.blobs import BlobStore
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.history import History
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.granted_hosts import GrantedHosts
from vibedesk.engine.housekeeping import Housekeeping
from vibedesk.engine.inspector import Inspector, Sources
from vibedesk.engine.mending import AppMending
from vibedesk.engine.model_choice import ModelChoices
from vibedesk.engine.model_setup import ModelSetup
from vibedesk.engine.models.capabilities import MODELS_FILE
from vibedesk.engine.models.project_router import ProjectRouter
from vibedesk.engine.models.samples import get_sample, list_samples
from vibedesk.engine.previews import Previews
from vibedesk.engine.project_options import ImageFile, ProjectOptions
from vibedesk.engine.project_sandboxes import NETWORK_SETTING, ProjectSandboxes
from vibedesk.engine.project_views import card_view, file_views, project_view, proposal_view
from vibedesk.engine.sandboxes.driver import SandboxError, SandboxStatus
from vibedesk.engine.sandboxes.ports import is_port_in_use, pick_port
from vibedesk.engine.slots import (
    AGENTS_SETTING,
    MOST_AGENTS,
    MOST_SANDBOXES,
    SANDBOXES_SETTING,
    limit_from,
)
from vibedesk.engine.states import RESTING, AgentState
from vibedesk.engine.store.attachments import AttachmentStore
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.file_marks import FileMark
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.proposals import Proposals
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.template_library import TemplateLibrary
from vibedesk.engine.trash import move_to_trash
from vibedesk.engine.usage import UsageReports
from vibedesk.engine.variables import AppVariables
from vibedesk.engine.views import (
    DeletedView,
    DoctorView,
    FileView,
    ProjectCardView,
    ProjectView,
    ProposalView,
    ProviderView,
    SampleView,
    SandboxView,
    SecretsView,
    StoredView,
    VersionBase,
    VersionDiffView,
    VersionView,
)

_log = logging.getLogger(__name__)

_CONSENT = "consent.local_without_isolation"
_PROVISIONAL_WORDS = 5

T = TypeVar("T")


class EngineServices:
    """One home, open. Made by `open`, ended by `aclose`."""

    def __init__(
        self, home: Home, database: Database, *, write: bool, attended: bool = False
    ) -> None:
        self.home = home
        self.attended = attended
        self.database = database
        self.store = ProjectStore()
        self.bus = EventBus(database, self.store)
        self.secrets = SecretStore(home.secrets)
        self.models = ModelChoices(
            database, self.store, self.bus, self.secrets, home.root / MODELS_FILE
        )
        self.model_setup = ModelSetup(self.models, self._renew_routers)
        self.variables = AppVariables(database, self.store, self.bus, self.secrets)
        self.budgets = Budgets(database, self.store, self.bus)
        self.usage = UsageReports(database, self.store)
        self.estimates = Estimates(database, self.store, self.models)
        self.library = TemplateLibrary(home, database, self.store)
        self.attachments = Attachments(BlobStore(database.path.parent / "blobs"))
        self._sandboxes = ProjectSandboxes(
            home, database, self.store, self.bus, self.variables, attended=attended
        )
        self.agents = AgentManager(
            self._load_agent, self.bus.has_listeners, on_work=self._sandboxes.note_work
        )
        self._sandboxes.serve(self.agents)
        self.hosts = GrantedHosts(self.store, self.bus, self._sandboxes)
        self.mending = AppMending(
            database,
            self.store,
            self.bus,
            self.agents,
            BlobStore(database.path.parent / "blobs"),
            attended=attended,
        )
        self.housekeeping = Housekeeping(home, database, self.store, self._sandboxes)
        self.inspector = Inspector(
            home,
            database,
            self.store,
            Sources(
                project=self.project,
                sandbox=self.sandbox,
                versions=self.history,
                doctor=self.doctor,
                line=lambda: (self.agents.places.holders, self.agents.places.line),
            ),
        )
        self._depth: ReviewDepth = "full"
        self._previews = Previews()
        self._browser = BrowserProcess()
        self._cleaning: asyncio.Task[None] | None = None
        self._keeping_warm: asyncio.Task[None] | None = None
        self._sample_messages: dict[str, tuple[str, ...]] = {}
        if write:
            self.agents.start()

    @classmethod
    async def open(cls, home: Home, *, write: bool, attended: bool = False) -> EngineServices:
        database = await asyncio.to_thread(Database.open, home, write=write)
        services = cls(home, database, write=write, attended=attended)
        level = await services.setting(LOG_LEVEL_SETTING, "info")
        set_log_level(level if level in LOG_LEVELS else "info")
        if write:
            await services._apply_limits()
        return services

    async def _apply_limits(self) -> None:
        """Let the settings say how many agents and sandboxes may run at once, and how thoroughly apps are reviewed."""

        def read() -> tuple[int, int, ReviewDepth]:
            return (
                limit_from(self.store.setting(AGENTS_SETTING, None), MOST_AGENTS),
                limit_from(self.store.setting(SANDBOXES_SETTING, None), MOST_SANDBOXES),
                depth_from(self.store.setting(DEPTH_SETTING, "")),
            )

        agents, sandboxes, self._depth = await self._read(read)
        self.agents.places.limit, self._sandboxes.places.limit = agents, sandboxes

    async def aclose(self) -> None:
        for task in (self._keeping_warm, self._cleaning):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        await self.mending.aclose()
        await end_within(END_SECONDS, self._previews.aclose(), what="opening previews")
        await self.agents.aclose()
        await end_within(END_SECONDS, self._sandboxes.aclose(), what="the sandboxes")
        await self._browser.aclose()
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

    async def create(
        self, wish: str, options: ProjectOptions, images: Sequence[ImageFile] = ()
    ) -> str:
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
        if options.mode != "phases":
            raise InvalidInputError(
                f"Projects cannot be built in the mode “{options.mode}” yet.",
                remedy="Leave the mode out: the project is built in phases.",
                details={"mode": options.mode},
            )
        options = await self.library.for_new(options)
        model = await self.models.model(options)
        await model.aclose()
        await self._sandboxes.require_isolation(options)
        keep = await self.attachments.keep(images)

        def store() -> str:
            words = kebab_case(" ".join(text.split()[:_PROVISIONAL_WORDS])) or "new-app"
            name = unused_name(words, self.store.names(), self.home.projects)
            record = self.store.create(
                {
                    "name": name,
                    "mode": options.mode,
                    "wish": text,
                    "folder": str(self.home.projects / name),
                    "template": options.template,
                    "sample": options.sample,
                    "options": options.to_dict(),
                    "port": pick_port(self.store.ports()),
                }
            )
            keep(record.id, "")
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
            if not agent.running:
                # Nobody looks at it any more: its sandbox's place may go to somebody who waits.
                self._sandboxes.note_work(project_id, False)

    async def delete_project(self, project_id: str) -> DeletedView:
        record = await self.record(project_id)
        await self._stop(project_id)
        await self.agents.evict(project_id)
        folder = Path(record.folder)
        outcome = await asyncio.to_thread(move_to_trash, folder, self.home.root / "trash")
        # Only now: a folder that cannot be moved leaves the project as it was.
        await self.variables.forget_all(project_id)
        left = ""
        try:
            await self._sandboxes.forget(record.sandbox_id)
        except SandboxError as error:
            # The next tidying finds it without a project.
            _log.warning("the sandbox of %s stays for now: %s", project_id, error.message)
            left = f"Its sandbox could not be removed now; VibeDesk tries again at its next start. {error.message}"

        def work(emit: Emit) -> None:
            self.store.update(project_id, deleted_at=utc_now())
            emit(ProjectDeleted(outcome))

        await self.bus.commit(project_id, work, durable=True)
        self._sandboxes.note_deleted(project_id)
        return DeletedView(outcome, left)

    async def export(self, project_id: str, destination: Path) -> int:
        record = await self.record(project_id)

        def read() -> tuple[dict[str, str], dict[str, bytes]]:
            files, _ = self._documents(project_id)
            closed = files.closed()
            return dict(closed.texts), {path: files.read_binary(path) for path in closed.blobs}

        with timed_in(self.database, project_id, "export"):
            texts, binaries = await self._read(read)
            return await asyncio.to_thread(
                export_files, texts, binaries, destination, Path(record.folder)
            )

    # -- the run ------------------------------------------------------------------------------------
    async def generate(self, project_id: str) -> None:
        await (await self.agents.get(project_id)).generate()

    async def approve(self, project_id: str, blueprint: dict[str, Any] | None) -> None:
        await (await self.agents.get(project_id)).approve(blueprint)

    async def edit_blueprint(self, project_id: str, changes: dict[str, Any]) -> None:
        await (await self.agents.get(project_id)).edit_blueprint(changes)

    async def answer(self, project_id: str, answers: Sequence[str | None] | None) -> None:
        await (await self.agents.get(project_id)).answer(answers)

    async def replan(self, project_id: str) -> None:
        await (await self.agents.get(project_id)).replan()

    async def say(self, project_id: str, text: str, images: Sequence[ImageFile] = ()) -> str:
        agent = await self.agents.get(project_id)
        keep = await self.attachments.keep(images) if images else None
        return await agent.conversation.say(text, keep)

    async def attachment(self, project_id: str, attachment_id: str) -> bytes:
        record = await self._read(lambda: AttachmentStore(project_id).get(attachment_id))
        return await asyncio.to_thread(self.attachments.read, record)

    async def pause(self, project_id: str) -> None:
        await (await self.agents.get(project_id)).pause()

    async def resume(self, project_id: str, budget: float | None) -> None:
        agent = await self.agents.get(project_id)
        if budget is not None:
            await self.set_budget(project_id, budget)
        await agent.resume()

    async def set_budget(self, project_id: str, budget: float | None) -> None:
        await self.budgets.set(project_id, budget)
        agent = self.agents.loaded(project_id)
        if agent is not None:
            agent.budget_changed()

    async def set_variable(
        self, project_id: str, name: str, value: str | None, *, secret: bool, consent: bool
    ) -> None:
        await self.variables.set(project_id, name, value, secret=secret, consent=consent)
        await self._give_variables(project_id)

    async def remove_variable(self, project_id: str, name: str) -> None:
        await self.variables.remove(project_id, name)
        await self._give_variables(project_id)

    async def _give_variables(self, project_id: str) -> None:
        """Start an app at rest again where its variables changed; one that is being built gets them with its files."""
        agent = self.agents.loaded(project_id)
        if agent is None or agent.running or not agent.runtime.serving:
            return
        if await agent.runtime.use_new_variables():
            self._previews.start(project_id, self._preview_quietly(agent))

    async def secrets_state(self) -> SecretsView:
        state = await asyncio.to_thread(self.secrets.state)
        return SecretsView(state.kind, state.locked, state.message)

    async def unlock_secrets(self, passphrase: str) -> SecretsView:
        await asyncio.to_thread(self.secrets.unlock, passphrase)
        for agent in self.agents.agents:
            agent.access.router.renew()
        return await self.secrets_state()

    async def cancel(self, project_id: str) -> None:
        await self.agents.get(project_id)
        await self._stop(project_id)

    async def stop_all(self) -> None:
        """Stop every project; one that cannot be stopped does not keep the others from it."""
        projects = {*self._previews.projects, *(agent.project_id for agent in self.agents.agents)}
        ends = await asyncio.gather(*map(self._stop, projects), return_exceptions=True)
        for failure in ends:
            if failure is not None:
                raise failure

    async def _stop(self, project_id: str) -> None:
        """Stop what a project does; what does not stop within seconds is given up, and told."""
        failures: list[Exception] = []

        async def stop() -> None:
            try:
                await self._stop_work(project_id)
            except Exception as error:  # noqa: BLE001 - raised below; `agents.stop` would only log it
                failures.append(error)

        if not await self.agents.stop(project_id, stop()):
            await self.bus.emit(project_id, _given_up())
        if failures:
            raise failures[0]

    async def _stop_work(self, project_id: str) -> None:
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
        if agent.running and not agent.halted:
            raise NotAllowedNowError("The project is being built; its preview starts by itself.")
        opening = self._previews.start(project_id, agent.start_preview())
        try:
            return await opening
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            raise NotAllowedNowError("The preview was stopped while it opened.") from None

    # -- the sandbox ----------------------------------------------------------------------------------
    async def keep_sandboxes_warm(self) -> None:
        self._keeping_warm = self._keeping_warm or asyncio.create_task(
            self._sandboxes.keep_warm(self.library.most_used), name="keep sandboxes warm"
        )
        self._cleaning = self._cleaning or asyncio.create_task(
            self.housekeeping.run_daily(), name="house-keeping"
        )

    async def sandbox(self, project_id: str) -> SandboxView:
        return await self._sandboxes.view(project_id)

    async def restart_sandbox(self, project_id: str) -> str:
        agent = await self._at_rest(project_id, "restarted")
        self._sandboxes.try_docker_again()
        await agent.runtime.end()
        # What starts may be another sandbox, of another kind, without the app's packages.
        return await self.start_preview(project_id)

    async def stop_sandbox(self, project_id: str) -> None:
        await self._previews.stop(project_id)
        agent = self.agents.loaded(project_id)
        if agent is not None:
            await agent.runtime.stop()

    async def rebuild_sandbox(self, project_id: str) -> str:
        agent = await self._at_rest(project_id, "rebuilt")
        self._sandboxes.try_docker_again()
        await agent.runtime.rebuild()
        return await self.start_preview(project_id)

    async def _at_rest(self, project_id: str, what: str) -> CodeGeneratorAgent:
        await self._previews.stop(project_id)
        agent = await self.agents.get(project_id)
        if agent.running and not agent.halted:
            raise NotAllowedNowError(
                f"The sandbox cannot be {what} while the project is being built.",
                remedy="Pause the run or stop it first.",
            )
        return agent

    async def sandbox_shell(self, project_id: str) -> list[str]:
        return await self._sandboxes.shell(project_id)

    async def set_sandbox_options(
        self, project_id: str, *, sandbox: str | None, size: str | None, network: str | None
    ) -> None:
        await self._sandboxes.set_options(project_id, sandbox=sandbox, size=size, network=network)

    async def kept_for_sandboxes(self) -> list[StoredView]:
        return await self._sandboxes.kept()

    async def clean_sandboxes(self, older_than_days: int) -> int:
        return await self._sandboxes.clean(older_than_days)

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

    async def mark_file(self, project_id: str, path: str, mark: FileMark, *, on: bool) -> None:
        def work(emit: Emit) -> None:
            self._documents(project_id)[0].mark(path, mark, on=on)
            emit(FileMarked(path, mark, on))

        await self.record(project_id)
        await self.bus.commit(project_id, work, durable=True)

    async def edit_queue(self, project_id: str, wish_id: str, text: str | None) -> None:
        await (await self.agents.get(project_id)).conversation.edit_queue(wish_id, text)

    async def regenerate_file(self, project_id: str, path: str, instructions: str) -> str:
        return await (await self.agents.get(project_id)).proposals.regenerate(path, instructions)

    async def proposal(self, project_id: str, proposal_id: str) -> ProposalView:
        agent = self.agents.loaded(project_id)
        writing = agent.proposals.writing if agent else frozenset()
        proposals = Proposals(project_id)
        return await self._read(lambda: proposal_view(proposals.get(proposal_id), writing))

    async def take_proposal(
        self, project_id: str, proposal_id: str, hunks: Sequence[int] | None
    ) -> int:
        return await (await self.agents.get(project_id)).take_proposal(proposal_id, hunks)

    async def drop_proposal(self, project_id: str, proposal_id: str) -> None:
        await (await self.agents.get(project_id)).proposals.drop(proposal_id)

    async def history(self, project_id: str) -> list[VersionView]:
        history = await self._history(project_id)
        return [version_view(kept) for kept in await asyncio.to_thread(history.versions)]

    async def version_diff(
        self, project_id: str, commit: str, against: VersionBase
    ) -> VersionDiffView:
        history = await self._history(project_id)
        return await asyncio.to_thread(version_diff, history, commit, against)

    async def _history(self, project_id: str) -> History:
        record = await self.record(project_id)
        files, _ = await self._read(lambda: self._documents(project_id))
        return History(self.database, project_id, files, Path(record.folder))

    async def snapshot(self, project_id: str, label: str) -> VersionView:
        agent = await self.agents.get(project_id)
        await agent.runtime.take_in()
        name = label.strip()
        return await agent.snapshots.take(name or "Saved by you", author="you", named=bool(name))

    async def restore(self, project_id: str, commit: str) -> VersionView:
        return await (await self.agents.get(project_id)).restore(commit)

    async def restore_file(self, project_id: str, commit: str, path: str) -> VersionView:
        return await (await self.agents.get(project_id)).restore(commit, path)

    # -- events and settings --------------------------------------------------------------------------
    async def subscribe(self, subscription: Subscription) -> None:
        project_id = subscription.project_id
        await self._load_sample_messages(project_id)
        await self.bus.subscribe(subscription, lambda: self._view(project_id))

    async def unsubscribe(self, subscription: Subscription) -> None:
        self.bus.unsubscribe(subscription)

    async def setting(self, key: str, default: Any) -> Any:
        return await self._read(lambda: self.store.setting(key, default))

    async def set_setting(self, key: str, value: Any) -> None:
        if key == LOG_LEVEL_SETTING:
            set_log_level(check_log_level(value))
        await self.database.run(lambda: self.store.set_setting(key, value))
        if key.startswith("models."):
            self._renew_routers()
        if key in (AGENTS_SETTING, SANDBOXES_SETTING, DEPTH_SETTING):
            await self._apply_limits()
        if key == NETWORK_SETTING:
            await self._sandboxes.network_setting_changed()

    async def providers(self) -> list[ProviderView]:
        return await self.model_setup.providers()

    def _renew_routers(self) -> None:
        for agent in self.agents.agents:
            agent.access.router.renew()

    async def grant_consent(self) -> None:
        await self.set_setting(_CONSENT, utc_now())

    async def doctor(self, *, browser: bool = True) -> DoctorView:
        local, providers = self._sandboxes.local, await self.providers()
        return await examine(self.home, local, providers, browser=browser)

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
        if agent is not None and agent.shows_changes:
            await agent.runtime.materialise()
        return version

    async def _load_agent(self, project_id: str) -> CodeGeneratorAgent:
        record = await self.record(project_id)
        options = ProjectOptions.from_dict(record.options)
        files, drafts = await self._read(lambda: self._documents(project_id))
        starter = await self.library.of(record)
        if starter.gone:
            await self.bus.emit(project_id, _starter_gone(record.template))
        access = ProjectAccess(
            project_id=project_id,
            database=self.database,
            store=self.store,
            bus=self.bus,
            files=files,
            drafts=drafts,
            router=ProjectRouter(lambda: self.models.router(project_id, options)),
            template=starter.template,
            template_chosen=starter.chosen,
            templates=self.library.templates,
        )
        port = await self._port(record)
        terms = await self._sandboxes.terms(project_id, port)
        runtime = AppRuntime(access, terms, Path(record.folder))
        limits = AgentLimits(
            max_phases=options.max_phases,
            approval=options.approval,
            attended=self.attended,
            review=lambda: depth_from(os.environ.get(DEPTH_VARIABLE) or self._depth),
        )
        return CodeGeneratorAgent(
            record, access, runtime, Snapshots(access, runtime), limits, self._browser
        )

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
            writing=agent.proposals.writing if agent else frozenset(),
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
        try:
            await agent.start_preview()
        except Exception as caught:  # noqa: BLE001 - becomes a sentence
            error = as_vibedesk_error(caught)
            await self.bus.emit(
                agent.project_id, ErrorReported(error.message, error.remedy, error.code)
            )


def _starter_gone(name: str) -> Notice:
    return Notice(
        f"The starter {name!r} cannot be read any more. How the app is installed and started was found out from its "
        "own files.",
        "template_gone",
    )


def _given_up() -> ErrorReported:
    return ErrorReported(
        "The run did not stop in time and was given up.",
        "Everything that was finished is kept. Continue to go on from there.",
        "given_up",
    )
