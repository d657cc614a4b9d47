"""What a person sees of the projects' sandboxes and may do with them, and the terms on which a project gets one."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vibedesk.base.errors import (
    ConsentRequiredError,
    InvalidInputError,
    NotAllowedNowError,
    NotFoundError,
)
from vibedesk.base.paths import Home
from vibedesk.engine.agent.agent_manager import AgentManager
from vibedesk.engine.agent.app_runtime import SandboxTerms
from vibedesk.engine.builder.templates import Template
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import Notice, ProjectChanged
from vibedesk.engine.models.samples import is_bundled
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.sandbox_choice import DriverChoice, HomeFacts, Sandboxes, SandboxSetting
from vibedesk.engine.sandboxes.driver import SandboxEngineDownError, SandboxError, SandboxStatus
from vibedesk.engine.sandboxes.egress.rules import NetworkRules
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.sizes import AUTOMATIC, SIZES
from vibedesk.engine.slots import MOST_SANDBOXES, Slots
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.variables import AppVariables
from vibedesk.engine.views import SandboxView, StoredView

if TYPE_CHECKING:
    from vibedesk.engine.sandboxes.docker.docker_driver import DockerDriver

_log = logging.getLogger(__name__)

KIND_SETTING = "sandbox.kind"
SIZE_SETTING = "sandbox.size"
NETWORK_SETTING = "sandbox.network"
_MOST_PREPARED = 6
_OWNER_SETTING = "sandbox.home_id"
_CONSENT_SETTING = "consent.local_without_isolation"
_AFTER_START_SECONDS = 2.0
_KINDS = ("auto", "docker", "local")
_NETWORKS = ("registries", "none")


class ProjectSandboxes:
    """The sandboxes of one home's projects.

    Args:
        home: Where what is kept goes.
        database: Of the home.
        store: Its projects.
        bus: Tells what changes.
        variables: What apps are given.
        attended: A person looks on who can be asked; else naming the local sandbox is their agreement.
    """

    def __init__(
        self,
        home: Home,
        database: Database,
        store: ProjectStore,
        bus: EventBus,
        variables: AppVariables,
        *,
        attended: bool = False,
    ) -> None:
        self._variables = variables
        self._attended = attended
        self._database = database
        self._store = store
        self._bus = bus
        self._sandboxes = Sandboxes(home.cache, self._facts)
        self._slots = Slots(MOST_SANDBOXES, self._give_back)
        self._agents: AgentManager | None = None
        self._choices: dict[str, DriverChoice] = {}
        self._networks: dict[str, NetworkRules] = {}

    def serve(self, agents: AgentManager) -> None:
        """Work for these agents' projects."""
        self._agents = agents

    def note_work(self, project_id: str, busy: bool) -> None:
        """A project's app is needed now, or no more: its place may be given to another then."""
        self._slots.set_busy(project_id, busy)

    async def terms(self, project_id: str, port: int) -> SandboxTerms:
        """Return the terms of a project's sandbox."""
        await self._refresh_network(project_id)

        async def on_choice(choice: DriverChoice) -> None:
            known = self._choices.get(project_id)
            self._choices[project_id] = choice
            if known is None or known.kind != choice.kind:
                await self._bus.emit(project_id, Notice(choice.why, "sandbox_kind"))

        return SandboxTerms(
            driver=self._sandboxes.for_project(lambda: self._kind(project_id), on_choice),
            port=port,
            allow=lambda: self._allow(project_id),
            size=lambda: self._size(project_id),
            network=lambda: self._networks.get(project_id, NetworkRules(mode="none")),
            slots=self._slots,
            discard=self.forget,
            engine_answers=self._sandboxes.docker_answers,
            variables=lambda: self._variables.environment(project_id),
        )

    async def require_isolation(self, options: ProjectOptions) -> None:
        """Let code run only where it is kept from the person's files, or where they agreed.

        Raises:
            ConsentRequiredError: it is not, and they did not.
            SandboxUnavailableError: there is no sandbox at all.
        """
        isolated, sentence = await self._sandboxes.isolates(options.sandbox)
        named = options.sandbox == "local" and not self._attended
        if isolated or named or await self._agreed(options):
            return
        how = "Agree to it" if self._attended else "Agree to it with --sandbox local"
        raise ConsentRequiredError(sentence, remedy=f"{how}, or install Docker or bubblewrap.")

    async def _agreed(self, options: ProjectOptions) -> bool:
        return is_bundled(options.sample) or bool(await self._setting(_CONSENT_SETTING, None))

    # -- what is seen -----------------------------------------------------------------------------------
    async def view(self, project_id: str) -> SandboxView:
        record = await self._read(lambda: self._store.get(project_id))
        options = ProjectOptions.from_dict(record.options)
        agent = self._agents.loaded(project_id) if self._agents else None
        runtime = agent.runtime if agent is not None else None
        choice = self._choices.get(project_id)
        usage = await runtime.usage() if runtime is not None else None
        return SandboxView(
            kind=record.sandbox_kind,
            why=choice.why if choice else "",
            state=(runtime.status if runtime else SandboxStatus.ABSENT).value,
            reason=runtime.state_reason if runtime else "",
            size=await self._size(project_id),
            network=(await self._network(options)),
            sandbox=options.sandbox,
            cpu=usage.cpu if usage else None,
            cpu_limit=usage.cpu_limit if usage else None,
            memory=usage.memory if usage else None,
            memory_limit=usage.memory_limit if usage else None,
            disk=usage.disk if usage else None,
            disk_limit=usage.disk_limit if usage else None,
            processes=usage.processes if usage else None,
            port=runtime.port if runtime is not None and runtime.serving else None,
            engine=choice.engine if choice else "",
            started_seconds=runtime.started_seconds if runtime else None,
        )

    async def kept(self) -> list[StoredView]:
        """Return what is kept for sandboxes; what Docker has only where it answers."""
        found: list[StoredView] = []
        owners = await self._read(self._owners_of_sandboxes)
        docker = await self._docker_with_image()
        if docker is not None:
            things = await docker.kept()
            found += [
                StoredView("image", image.tags[0] if image.tags else "", image.size_bytes,
                           image.created.isoformat(), image.in_use)
                for image in await docker.images()
            ]  # fmt: skip
            found += [
                StoredView("packages", layer.name, layer.bytes, _iso(layer.last_used),
                           layer.name in things.used_layers)
                for layer in things.layers
            ]  # fmt: skip
            found += [
                StoredView("sandbox", kept.name, kept.bytes, _iso(kept.last_used),
                           f"docker-{kept.name}" in owners, owners.get(f"docker-{kept.name}", ""))
                for kept in things.sandboxes
            ]  # fmt: skip
        tarballs = await self._sandboxes.tarball_bytes()
        if tarballs:
            found.append(StoredView("tarballs", "npm", tarballs, "", False))
        return found

    async def clean(self, older_than_days: int) -> int:
        """Remove what was not used for so many days, never a project; return the bytes that became free."""
        if older_than_days < 0:
            raise InvalidInputError("The number of days cannot be below 0.")
        before = datetime.now(UTC) - timedelta(days=older_than_days)
        freed = await self._sandboxes.clean_tarballs(older_than_days * 86_400.0)
        docker = await self._docker_with_image()
        if docker is None:
            return freed
        things = await docker.kept()
        for layer in things.layers:
            unused = layer.name not in things.used_layers
            if unused and layer.last_used <= before.timestamp():
                await docker.remove_layer(layer.name)
                freed += layer.bytes
        return freed + await docker.remove_old_images(timedelta(days=older_than_days))

    async def _docker_with_image(self) -> DockerDriver | None:
        """Return the driver where Docker answers and has made sandboxes before; looking makes nothing."""
        if not await self._sandboxes.docker_answers():
            return None
        docker = await self._sandboxes.docker()
        return docker if await docker.has_image() else None

    # -- what may be done -----------------------------------------------------------------------------------
    async def set_options(
        self, project_id: str, *, sandbox: str | None, size: str | None, network: str | None
    ) -> None:
        """Change what a project's sandbox is to be like; see `Engine.set_sandbox_options`."""
        for value, allowed, what in (
            (sandbox, _KINDS, "kind of sandbox"),
            (size, (AUTOMATIC, *SIZES), "size"),
            (network, _NETWORKS, "network setting"),
        ):
            if value is not None and value not in allowed:
                raise InvalidInputError(
                    f"There is no {what} {value!r}.", remedy=f"There are: {', '.join(allowed)}."
                )
        if sandbox == "local" and not await self._agreed(await self._options(project_id)):
            isolated, sentence = await self._sandboxes.isolates("local")
            if not isolated:
                raise ConsentRequiredError(sentence, remedy="Agree to it, or install bubblewrap.")
        changes = {
            name: value
            for name, value in (("sandbox", sandbox), ("size", size), ("network", network))
            if value is not None
        }

        def work(emit: Emit) -> None:
            options = ProjectOptions.from_dict(self._store.get(project_id).options)
            changed = dataclasses.replace(options, **changes)  # type: ignore[arg-type]
            self._store.update(project_id, options=changed.to_dict())
            emit(ProjectChanged({"sandbox_options": changes}))

        await self._bus.commit(project_id, work, durable=True)
        await self._refresh_network(project_id)

    async def network_setting_changed(self) -> None:
        """What apps may reach where their project does not say it is another now: it counts at once."""
        known = list(self._networks)
        outcomes = await asyncio.gather(*map(self._refresh_network, known), return_exceptions=True)
        failed: list[BaseException] = []
        for project_id, outcome in zip(known, outcomes, strict=True):
            if isinstance(outcome, NotFoundError):
                self.note_deleted(project_id)
            elif outcome is not None:
                failed.append(outcome)
        if failed:
            raise failed[0]

    def note_deleted(self, project_id: str) -> None:
        """The project is gone: its app reaches nothing any more."""
        self._networks.pop(project_id, None)
        self._choices.pop(project_id, None)

    async def grants_changed(self, project_id: str) -> None:
        """The person allowed or refused a host: it counts from the next connection on."""
        await self._refresh_network(project_id)

    def try_docker_again(self) -> None:
        """The person wants a sandbox anew: what Docker could not do before counts no more."""
        self._sandboxes.try_docker_again()

    async def shell(self, project_id: str) -> list[str]:
        agent = self._agents.loaded(project_id) if self._agents else None
        command = await agent.runtime.shell_command() if agent is not None else None
        if command is None:
            raise NotAllowedNowError("The sandbox does not run.", remedy="Start the app first.")
        return command

    async def keep_warm(self, starters: Callable[[], Awaitable[list[Template]]]) -> None:
        """Have a sandbox ready before one is wanted, for a program that stays up; only where it costs no wait.

        Args:
            starters: Returns what new projects may begin with, the likeliest first.
        """
        # The first moments belong to what the person sees; the Docker SDK takes a while to load.
        await asyncio.sleep(_AFTER_START_SECONDS)
        setting = await self._setting(KIND_SETTING, "auto")
        try:
            choice = await self._sandboxes.choose(setting if setting in _KINDS else "auto")
            if choice.kind == "docker":
                first, *others = [template.folder for template in await starters()]
                docker = await self._sandboxes.docker()
                await docker.keep_warm(first, others[:_MOST_PREPARED])
        except SandboxError as error:
            # Told when a sandbox is wanted.
            _log.info("no sandbox is kept ready: %s", error)

    async def forget(self, sandbox_id: str) -> None:
        """Remove a project's sandbox; where Docker does not answer, it goes with the next tidying.

        Raises:
            SandboxError: Docker answers, and does not remove it.
        """
        if sandbox_id.startswith("docker-") and await self._sandboxes.docker_answers():
            try:
                await (await self._sandboxes.docker()).forget(sandbox_id)
            except SandboxError as error:
                if not isinstance(error, SandboxEngineDownError):
                    raise

    @property
    def local(self) -> LocalDriver:
        return self._sandboxes.local

    @property
    def places(self) -> Slots:
        return self._slots

    async def aclose(self) -> None:
        self._slots.close()
        await self._sandboxes.aclose()

    # -- inside ---------------------------------------------------------------------------------------------
    async def _facts(self) -> HomeFacts:
        def read() -> HomeFacts:
            owner = self._store.setting(_OWNER_SETTING, "")
            if not owner:
                owner = secrets.token_hex(4)
                self._store.set_setting(_OWNER_SETTING, owner)
            return HomeFacts(owner=owner, sandbox_ids=self._store.sandbox_ids())

        return await self._database.run(read)

    def _owners_of_sandboxes(self) -> dict[str, str]:
        return {r.sandbox_id: r.id for r in self._store.library() if r.sandbox_id}

    async def _give_back(self, project_id: str) -> bool:
        """End the sandbox of a project that nobody builds or looks at, so that another gets its place."""
        agent = self._agents.loaded(project_id) if self._agents else None
        if agent is None or agent.busy or self._bus.has_listeners(project_id):
            return False
        await agent.runtime.stop()
        return True

    async def _options(self, project_id: str) -> ProjectOptions:
        stored = await self._read(lambda: self._store.get(project_id).options)
        return ProjectOptions.from_dict(stored)

    async def _allow(self, project_id: str) -> None:
        await self.require_isolation(await self._options(project_id))

    async def _kind(self, project_id: str) -> SandboxSetting:
        return (await self._options(project_id)).sandbox

    async def _size(self, project_id: str) -> str:
        wanted = (await self._options(project_id)).size
        return wanted or str(await self._setting(SIZE_SETTING, AUTOMATIC))

    async def _network(self, options: ProjectOptions) -> str:
        return options.network or str(await self._setting(NETWORK_SETTING, "registries"))

    async def _refresh_network(self, project_id: str) -> None:
        def read() -> NetworkRules:
            options = ProjectOptions.from_dict(self._store.get(project_id).options)
            mode = options.network or self._store.setting(NETWORK_SETTING, "registries")
            granted = frozenset(self._store.granted_hosts(project_id))
            return NetworkRules(mode="none" if mode == "none" else "registries", granted=granted)

        before = self._networks.get(project_id)
        self._networks[project_id] = await self._read(read)
        docker = self._sandboxes.docker_in_use
        if docker is not None and self._networks[project_id] != before:
            docker.network_changed(project_id)

    async def _setting(self, key: str, default: Any) -> Any:
        return await self._read(lambda: self._store.setting(key, default))

    async def _read(self, work: Any) -> Any:
        return await self._database.run(work, durable=False)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
